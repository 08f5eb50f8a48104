//! `holdfast clock`: shows the service clock, or changes it, of a running server or of a stopped directory.

use super::{on_stopped, read_stopped};
use crate::admin::clock::{self, Change, ClockStatus};
use crate::admin::{Request, client};
use crate::banner;
use crate::config::{Clock, ClockVerb};
use holdfast_store::{SystemClock, TimeSource};

/// Shows how the clock stands, after the change if one was asked for.
///
/// # Errors
/// If the server cannot be asked, the store refuses to open, or the change cannot be made.
pub fn run(options: &Clock) -> anyhow::Result<()> {
    let change = match &options.verb {
        None | Some(ClockVerb::Show) => None,
        Some(ClockVerb::Freeze) => Some(Change::Freeze),
        Some(ClockVerb::Set { time }) => Some(Change::Set(time.0)),
        Some(ClockVerb::Advance { duration }) => Some(Change::Advance(duration.0)),
        Some(ClockVerb::Resume { real: false }) => Some(Change::Resume),
        Some(ClockVerb::Resume { real: true }) => Some(Change::Real),
    };
    let dir = options.data_dir.absolute()?;
    let clock: ClockStatus = match (client::ask(&dir, &Request::Clock { change })?, change) {
        (Some(clock), _) => serde_json::from_value(clock)?,
        (None, None) => ClockStatus::of_stopped(&read_stopped(&dir)?.snapshot(), SystemClock.now_ms())?,
        (None, Some(change)) => on_stopped(&dir, |store| clock::change(store, change))?,
    };
    let text = if options.json { serde_json::to_string(&clock)? } else { clock.to_string() };
    banner::data(&text)
}
