//! The service clock: every time that clients see, and expiry. It can stand still, be moved, and be made to run again.

use crate::rfc3339;
use anyhow::bail;
use holdfast_store::{
    CommitInfo, Need, Operation, Origin, ServiceClock, Snapshot, Store, Transaction, Verdict, Version,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Latest service time, in milliseconds since 1970: the end of the year 9999, behind which times have no text.
const SERVICE_MS_MAX: u64 = 253_402_300_799_999;

/// What is to become of the service clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It stands still from now on.
    Freeze,
    /// It shows this time, in milliseconds since 1970; it runs or stands as before.
    Set(u64),
    /// It shows so many milliseconds more; it runs or stands as before.
    Advance(u64),
    /// It runs, from where it stands.
    Resume,
    /// It runs and shows real time.
    Real,
}

/// A point of time, as people write it: milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub u64);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ms = rfc3339::read(text).or_else(|| unix_seconds(text)).ok_or_else(|| {
            format!("`{text}` is neither a time such as 2026-11-24T13:05:59Z nor seconds since 1970")
        })?;
        if ms > SERVICE_MS_MAX {
            return Err(format!(
                "`{text}` is behind the year 9999: are these milliseconds? Seconds are read"
            ));
        }
        Ok(Self(ms))
    }
}

/// Seconds since 1970, with up to three decimals; in milliseconds.
fn unix_seconds(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 3 {
        return None;
    }
    let ms: u64 = format!("{fraction:0<3}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(ms)
}

/// A span of time, as people write it: `90s`, `36h`, `30d`, `1d12h`; in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration(pub u64);

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let error = || format!("`{text}` is no time such as 90s, 30m, 12h, 30d or 1d12h");
        let (mut rest, mut sum) = (text, 0_u64);
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
            let (number, behind) = rest.split_at(end);
            let unit = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
            let (unit, behind) = behind.split_at(unit);
            let unit_ms = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 604_800_000,
                _ => return Err(error()),
            };
            let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms));
            sum = ms.and_then(|ms| sum.checked_add(ms)).ok_or_else(error)?;
            rest = behind;
        }
        if text.is_empty() { Err(error()) } else { Ok(Self(sum)) }
    }
}

/// How the service clock stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockStatus {
    /// `real`, `moved` (it runs, and shows another time) or `frozen`.
    pub state: String,
    /// Service time, as RFC 3339 in UTC.
    pub time: String,
    /// The same in milliseconds since 1970.
    pub service_ms: u64,
    /// Real time in milliseconds since 1970.
    pub real_ms: u64,
    /// By how many milliseconds service time is ahead of real time now; less than 0 if it is behind.
    pub ahead_ms: i64,
    /// The newest version: that of the change, if something was changed.
    pub version: Version,
}

impl ClockStatus {
    /// Of a clock at a real time, in a state of this version.
    pub fn of(clock: ServiceClock, real_ms: u64, version: Version) -> Self {
        let service_ms = clock.at(real_ms);
        let state = match clock {
            ServiceClock { frozen_ms: Some(_), .. } => "frozen",
            ServiceClock { ahead_ms: 0, .. } => "real",
            ServiceClock { .. } => "moved",
        };
        Self {
            state: state.to_owned(),
            time: rfc3339::write(service_ms),
            service_ms,
            real_ms,
            ahead_ms: difference(service_ms, real_ms),
            version,
        }
    }

    /// Of a running store.
    pub fn of_store(store: &Store) -> Self {
        let clocks = store.clock();
        let version = holdfast_store::Read::version(&store.snapshot());
        Self::of(clocks.service(), clocks.real_now_ms(), version)
    }

    /// Of a stopped store, as its next start at this real time would find it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_stopped(stopped: &Snapshot, real_ms: u64) -> anyhow::Result<Self> {
        Ok(Self::of(stopped.service_clock()?, real_ms, holdfast_store::Read::version(stopped)))
    }

    /// Whether the clock differs from the real one.
    pub fn is_real(&self) -> bool {
        self.state == "real"
    }

    /// How it differs from real time, for people.
    pub fn difference(&self) -> String {
        let by = crate::status::time(self.ahead_ms.unsigned_abs() / 1_000);
        match self.ahead_ms.cmp(&0) {
            std::cmp::Ordering::Less => format!("{by} behind real time"),
            std::cmp::Ordering::Equal => "real time".to_owned(),
            std::cmp::Ordering::Greater => format!("{by} ahead of real time"),
        }
    }
}

impl fmt::Display for ClockStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, .. } = self;
        match self.state.as_str() {
            "frozen" => write!(f, "{time}: it STANDS, {}", self.difference()),
            "real" => write!(f, "{time}: real time"),
            _ => write!(f, "{time}: it runs, {}", self.difference()),
        }
    }
}

fn difference(service_ms: u64, real_ms: u64) -> i64 {
    service_ms.cast_signed().saturating_sub(real_ms.cast_signed())
}

/// Changes the service clock of a store; how it stands then.
///
/// # Errors
/// If the clock would pass the year 9999, or the change cannot be stored.
pub fn change(store: &Store, change: Change) -> anyhow::Result<ClockStatus> {
    let operation = ChangeClock { change, real_ms: store.clock().real_now_ms(), failed: None };
    let (operation, outcome) = store.execute(operation);
    outcome?;
    match operation.failed {
        Some(failed) => bail!(failed),
        None => Ok(ClockStatus::of_store(store)),
    }
}

/// One change.
struct ChangeClock {
    change: Change,
    /// Real time of the change: it may run again.
    real_ms: u64,
    failed: Option<String>,
}

impl Operation for ChangeClock {
    fn info(&self) -> CommitInfo {
        let operation = match self.change {
            Change::Freeze => "FreezeClock",
            Change::Set(_) => "SetClock",
            Change::Advance(_) => "AdvanceClock",
            Change::Resume | Change::Real => "ResumeClock",
        };
        CommitInfo {
            origin: Origin::Client,
            service: "holdfast",
            operation,
            principal: "admin".into(),
            ..CommitInfo::default()
        }
    }

    /// It writes next to nothing, and what expires by it makes room.
    fn need(&self) -> Need {
        Need::Free
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        match changed(tx.service_clock(), self.change, self.real_ms) {
            Ok(clock) => {
                self.failed = None;
                tx.set_service_clock(clock);
                Verdict::Keep
            }
            Err(failed) => {
                self.failed = Some(failed);
                Verdict::Discard
            }
        }
    }
}

/// What a change makes of a clock at a real time.
fn changed(clock: ServiceClock, change: Change, real_ms: u64) -> Result<ServiceClock, String> {
    let now_ms = clock.at(real_ms);
    let running = |service_ms| ServiceClock { frozen_ms: None, ahead_ms: difference(service_ms, real_ms) };
    let shows = |service_ms: u64| match clock.frozen_ms {
        _ if service_ms > SERVICE_MS_MAX => Err("the service clock ends with the year 9999".to_owned()),
        Some(_) => Ok(ServiceClock { frozen_ms: Some(service_ms), ahead_ms: 0 }),
        None => Ok(running(service_ms)),
    };
    match change {
        Change::Freeze => Ok(ServiceClock { frozen_ms: Some(now_ms), ahead_ms: 0 }),
        Change::Set(service_ms) => shows(service_ms),
        Change::Advance(ms) => shows(now_ms.saturating_add(ms)),
        Change::Resume => Ok(running(now_ms)),
        Change::Real => Ok(ServiceClock::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_store::{Options, Read};

    #[test]
    fn times_and_spans_are_read() {
        let time = |text: &str| text.parse::<Time>().map(|time| time.0).ok();
        assert_eq!(time("1970-01-01T00:00:01Z"), Some(1_000));
        assert_eq!(time("1795525559"), Some(1_795_525_559_000));
        assert_eq!(
            (time("0"), time("1.5"), time("1.25"), time("2.007")),
            (Some(0), Some(1_500), Some(1_250), Some(2_007))
        );
        for text in
            ["", "now", "-1", "1.", ".5", "1.2345", "1e3", "+5", "1795525559000", "99999999999999999999"]
        {
            assert_eq!(time(text), None, "{text}");
        }
        let span = |text: &str| text.parse::<Duration>().map(|span| span.0).ok();
        assert_eq!(span("30d"), Some(2_592_000_000));
        assert_eq!(span("1d12h"), Some(129_600_000));
        assert_eq!(
            (span("90s"), span("5m"), span("7ms"), span("1w"), span("0s")),
            (Some(90_000), Some(300_000), Some(7), Some(604_800_000), Some(0))
        );
        for text in [
            "",
            "5",
            "d",
            "5x",
            "-5d",
            "5 d",
            "1.5h",
            "5d3",
            "5é",
            "99999999999999999999d",
            "999999999999999w",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn every_change_from_every_state() {
        const REAL: u64 = 10_000;
        let real = ServiceClock::default();
        let moved = ServiceClock { frozen_ms: None, ahead_ms: -3_000 };
        let frozen = ServiceClock { frozen_ms: Some(50_000), ahead_ms: 0 };
        let after = |clock, change| {
            let clock = changed(clock, change, REAL).expect("within the years");
            (clock.frozen_ms.is_some(), clock.at(REAL), clock.at(REAL + 500))
        };
        for (clock, now) in [(real, 10_000), (moved, 7_000), (frozen, 50_000)] {
            let stands = clock == frozen;
            let on = |ms| if stands { ms } else { ms + 500 };
            assert_eq!(after(clock, Change::Freeze), (true, now, now));
            assert_eq!(after(clock, Change::Set(77)), (stands, 77, on(77)));
            assert_eq!(after(clock, Change::Advance(1_000)), (stands, now + 1_000, on(now + 1_000)));
            assert_eq!(after(clock, Change::Resume), (false, now, now + 500));
            assert_eq!(after(clock, Change::Real), (false, REAL, REAL + 500));
            assert!(changed(clock, Change::Advance(SERVICE_MS_MAX), REAL).is_err());
        }
    }

    #[test]
    fn a_change_has_a_version_and_none_has_not() {
        let store = Store::open(Options { trimmer: false, ..Options::in_memory() }).expect("opens");
        let frozen = change(&store, Change::Freeze).expect("freezes");
        assert_eq!((frozen.state.as_str(), frozen.version), ("frozen", 1));
        assert_eq!(change(&store, Change::Freeze).expect("stands already").version, 1);
        let later = change(&store, Change::Advance(60_000)).expect("advances");
        assert_eq!((later.service_ms, later.version), (frozen.service_ms + 60_000, 2));
        assert!(change(&store, Change::Advance(u64::MAX)).is_err());
        assert_eq!(store.snapshot().version(), 2);
        let runs = change(&store, Change::Resume).expect("runs");
        assert!(runs.state == "moved" && runs.ahead_ms > 50_000 && runs.service_ms >= later.service_ms);
        let real = change(&store, Change::Real).expect("is real");
        assert!(real.is_real() && real.ahead_ms == 0, "{real:?}");
        let stopped = ClockStatus::of_stopped(&store.snapshot(), 5).expect("reads");
        assert_eq!((stopped.service_ms, stopped.version), (5, 4));
    }

    #[test]
    fn people_see_what_is_not_real() {
        let at = |clock| ClockStatus::of(clock, 86_400_000, 1).to_string();
        assert_eq!(at(ServiceClock::default()), "1970-01-02T00:00:00.000Z: real time");
        let frozen = ServiceClock { frozen_ms: Some(0), ahead_ms: 0 };
        assert_eq!(at(frozen), "1970-01-01T00:00:00.000Z: it STANDS, 1 day behind real time");
        let moved = ServiceClock { frozen_ms: None, ahead_ms: 3_600_000 };
        assert_eq!(at(moved), "1970-01-02T01:00:00.000Z: it runs, 1 hour ahead of real time");
    }
}
