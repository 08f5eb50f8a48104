//! Texts of updates that an item does not take. What is wrong with the expression alone is in [`super::expression`].

use super::{Wording, invalid, validation};
use crate::item::edit::{UpdateError, UpdateFault};
use crate::number::NumberError;
use holdfast_aws::Error;

/// Why there is no item after an update.
#[must_use]
pub fn update(error: &UpdateError) -> Error {
    match error {
        UpdateError::Refused(fault) => refused(fault),
        UpdateError::Damaged(damaged) => super::damaged(damaged),
    }
}

/// An update that AWS refuses for what is stored. Source: known and local; of numbers with too many digits tested, of depth
/// recorded.
#[must_use]
pub fn refused(fault: &UpdateFault) -> Error {
    match fault {
        UpdateFault::InvalidPath => {
            validation("The document path provided in the update expression is invalid for update")
        }
        UpdateFault::MissingAttribute => {
            validation("The provided expression refers to an attribute that does not exist in the item")
        }
        UpdateFault::OperandType => {
            validation("An operand in the update expression has an incorrect data type")
        }
        // AWS says of a sum that needs more than 38 digits that it overflows.
        UpdateFault::Number(NumberError::TooPrecise) => {
            validation(super::number_text("", NumberError::Overflow))
        }
        UpdateFault::Number(error) => validation(super::number_text("", *error)),
        UpdateFault::TooLarge => item_too_large(),
        UpdateFault::Value(error) => super::value(Wording::Bare, error),
    }
}

/// An update that makes an item of more than 400 KB, or costs more itself. Source: recorded.
#[must_use]
pub fn item_too_large() -> Error {
    validation("Item size to update has exceeded the maximum allowed size")
}

/// An update of an attribute that is part of the item's key. Source: recorded.
#[must_use]
pub fn key_attribute(name: &str) -> Error {
    invalid(&format!("Cannot update attribute {name}. This attribute is part of the key"))
}
