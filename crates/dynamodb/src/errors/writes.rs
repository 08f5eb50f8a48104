//! Texts of writes of items: conditions and what is returned.

use super::validation;
use crate::item::json;
use crate::item::view::Item;
use holdfast_aws::Error;

/// What a failed condition says, also among the reasons of a cancelled transaction. Source: recorded.
pub const CONDITION_FAILED: &str = "The conditional request failed";

/// A condition that does not hold. Source: recorded.
#[must_use]
pub fn condition_failed() -> Error {
    Error::service("ConditionalCheckFailedException", CONDITION_FAILED)
}

/// The same error with the stored item, or the failure to show it. Source: model for the member.
#[must_use]
pub fn with_item(error: Error, item: &[u8]) -> Error {
    let mut shown = Vec::new();
    let shown = show(item, &mut shown)
        .and_then(|()| String::from_utf8(shown).map_err(|error| super::internal(&error)));
    match shown {
        Ok(shown) => error.with("Item", shown),
        Err(error) => error,
    }
}

/// Appends a stored item as a member of an error has it.
///
/// # Errors
/// If it is damaged.
pub fn show(item: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    Item::new(item).and_then(|item| json::render_item(item, out)).map_err(|error| super::damaged(&error))
}

/// A long expression, on an item that changed while it was looked at. Source: ours; with 503, because clients send again what
/// is answered with that.
#[must_use]
pub fn changed_meanwhile() -> Error {
    Error::service_unavailable(
        "the item changed while its expressions, which take long, were looked at; nothing was stored, try again",
    )
}

/// `ReturnValues` of a put or a delete beyond `ALL_OLD` and `NONE`. Source: recorded.
#[must_use]
pub fn return_values_old_only() -> Error {
    validation("1 validation error detected: ReturnValues can only be ALL_OLD or NONE")
}
