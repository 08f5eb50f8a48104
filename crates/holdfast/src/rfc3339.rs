//! Times as RFC 3339 writes them, in UTC, to the millisecond: `2026-11-24T13:05:59.123Z`.

use holdfast_aws::calendar;

const DAY_MS: u64 = 86_400_000;
/// Writes a time in milliseconds since 1970.
pub fn write(ms: u64) -> String {
    let (days, rest) = (ms / DAY_MS, ms % DAY_MS);
    let (year, month, day) = calendar::date(i64::try_from(days).unwrap_or(i64::MAX / 2));
    let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1_000)
}

/// Reads a time; milliseconds since 1970. Of a fraction milliseconds count. `None` if it is none, or before 1970.
pub fn read(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (digits(date.next()?, 4)?, digits(date.next()?, 2)?, digits(date.next()?, 2)?);
    let at = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(at);
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, part)| (time, Some(part)));
    let mut time = time.splitn(3, ':');
    let (hour, minute, second) =
        (digits(time.next()?, 2)?, digits(time.next()?, 2)?, digits(time.next()?, 2)?);
    let is_date = (1..=12).contains(&month) && (1..=calendar::days_in(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = calendar::days_since_1970(year, month, day);
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    u64::try_from(seconds).ok()?.checked_mul(1_000)?.checked_add(milliseconds(fraction)?)
}

/// Exactly so many digits.
fn digits(text: &str, count: usize) -> Option<i64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

fn milliseconds(fraction: Option<&str>) -> Option<u64> {
    let Some(fraction) = fraction else { return Some(0) };
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, zone) = zone.split_at_checked(1)?;
    let (hours, minutes) = zone.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let seconds = hours * 3_600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some(if sign == "-" { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", 0),
            ("2000-02-29T23:59:59.999Z", 951_868_799_999),
            ("2026-11-24T13:05:59.123Z", 1_795_525_559_123),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] {
            assert_eq!(write(ms), text);
            assert_eq!(read(text), Some(ms), "{text}");
        }
    }

    #[test]
    fn every_day_is_read_back() {
        for day in 0..80_000 {
            let ms = day * DAY_MS + day % DAY_MS;
            assert_eq!(read(&write(ms)), Some(ms));
        }
    }

    #[test]
    fn other_forms_and_other_texts() {
        let noon = read("2026-11-24T12:00:00Z");
        for text in
            ["2026-11-24T13:00:00+01:00", "2026-11-24 06:30:00.000000-05:30", "2026-11-24t12:00:00.0z"]
        {
            assert_eq!(read(text), noon, "{text}");
        }
        for text in [
            "",
            "2026-11-24",
            "2026-11-24T12:00:00",
            "2026-11-24T12:00Z",
            "2026-02-29T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-11-24T24:00:00Z",
            "2026-11-24T12:00:00.Z",
            "2026-11-24T12:00:00.xZ",
            "2026-11-24T12:00:00+1:00",
            "2026-11-24T12:00:00+é:00",
            "+026-11-24T12:00:00Z",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
