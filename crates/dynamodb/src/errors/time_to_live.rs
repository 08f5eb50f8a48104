//! Texts of `UpdateTimeToLive`. Sources are named as in [`errors`](super).

use super::validation;
use holdfast_aws::Error;

/// It is enabled once more. Source: known.
#[must_use]
pub fn already_enabled() -> Error {
    validation("TimeToLive is already enabled")
}

/// It is disabled once more, or was never enabled. Source: verified.
#[must_use]
pub fn already_disabled() -> Error {
    validation("TimeToLive is already disabled")
}

/// Another attribute is named than the one that is in use. Source: verified for disabling, known for enabling.
#[must_use]
pub fn active_on_other(attribute: &str) -> Error {
    validation(format!(
        "TimeToLive is active on a different AttributeName: current AttributeName is {attribute}"
    ))
}
