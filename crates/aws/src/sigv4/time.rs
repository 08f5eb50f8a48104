//! Times as signatures write them: ISO 8601's basic format in UTC, `20261124T131500Z`.

use crate::calendar::{date, days_in, days_since_1970};
use std::fmt;

const SECONDS_PER_DAY: i64 = 86_400;

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    #[must_use]
    pub fn from_ms(ms: u64) -> Self {
        Self(i64::try_from(ms / 1_000).unwrap_or(i64::MAX / 2))
    }

    /// Reads `20261124T131500Z`; nothing else.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let number = |from: usize, to: usize| {
            bytes[from..to].iter().try_fold(0i64, |number, byte| {
                byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0'))
            })
        };
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
        let valid = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        let seconds = (hour * 60 + minute) * 60 + second;
        valid.then(|| Self(days_since_1970(year, month, day) * SECONDS_PER_DAY + seconds))
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add_unsigned(seconds))
    }

    /// This much earlier.
    #[must_use]
    pub fn minus(self, seconds: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0.div_euclid(SECONDS_PER_DAY));
        let second = self.0.rem_euclid(SECONDS_PER_DAY);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(formatter, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_times_are_read() {
        for (text, ms) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799_000),
            ("20150830T123600Z", 1_440_938_160_000),
            ("21000301T000000Z", 4_107_542_400_000),
        ] {
            assert_eq!(Timestamp::read(text), Some(Timestamp::from_ms(ms)), "{text}");
            assert_eq!(Timestamp::from_ms(ms).to_string(), text);
        }
        for text in [
            "",
            "2015",
            "2015-08-30T12:36:00Z",
            "20150830T123600",
            "20150830 123600Z",
            "20150230T123600Z",
            "20151301T123600Z",
            "20150100T123600Z",
            "20150101T240000Z",
            "20150101T006000Z",
            "+0150101T000000Z",
            "2015083éT12360Z",
        ] {
            assert_eq!(Timestamp::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0i64..250_000_000_000) {
            let time = Timestamp(seconds);
            prop_assert_eq!(Timestamp::read(&time.to_string()), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,20}") {
            if let Some(time) = Timestamp::read(&text) {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
