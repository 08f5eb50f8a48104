//! Texts of writes of items: conditions and what is returned.

use super::validation;
use crate::item::json;
use crate::item::view::Item;
use holdfast_aws::Error;

/// What a failed condition says, also among the reasons of a cancelled transaction. Source: recorded.
pub const CONDITION_FAILED: &str = "The conditional request failed";

/// A condition that does not hold; with the stored item where it is to be shown. Source: recorded; model for the member.
#[must_use]
pub fn condition_failed(item: Option<&[u8]>) -> Error {
    let error = Error::service("ConditionalCheckFailedException", CONDITION_FAILED);
    match item.map(shown).transpose() {
        Ok(item) => Error { extra: item.map(|item| ("Item", item)).into_iter().collect(), ..error },
        Err(error) => error,
    }
}

/// A stored item as a member of an error.
///
/// # Errors
/// If it is damaged.
pub fn shown(item: &[u8]) -> Result<serde_json::Value, Error> {
    let mut out = Vec::new();
    Item::new(item)
        .and_then(|item| json::render_item(item, &mut out))
        .map_err(|error| super::damaged(&error))?;
    serde_json::from_slice(&out).map_err(|error| super::internal(&error))
}

/// `ReturnValues` of a put or a delete beyond `ALL_OLD` and `NONE`. Source: recorded.
#[must_use]
pub fn return_values_old_only() -> Error {
    validation("1 validation error detected: ReturnValues can only be ALL_OLD or NONE")
}
