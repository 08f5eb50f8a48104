//! The size that DynamoDB accounts for items: names and values, nothing else.
//!
//! Source: DynamoDB Developer Guide, "DynamoDB item sizes and formats", and sizes measured against AWS to the byte
//! (eu-west-2, August 2026) for strings, binaries and numbers.

use super::Damaged;
use super::view::{Item, Value};

/// Largest item; one of exactly this size is taken. Source: as the module; measured on every way to write.
pub const ITEM_BYTES_MAX: u64 = 409_600;
/// Null, true and false.
pub const FLAG: u64 = 1;
/// A map or a list, whatever it holds.
pub const DOCUMENT: u64 = 3;
/// Each member of a map or a list.
pub const ELEMENT: u64 = 1;

/// A length as a size.
pub(crate) fn of(length: usize) -> u64 {
    length as u64
}

/// Size of a stored item.
///
/// # Errors
/// If the bytes are not an item.
pub fn of_item(item: Item<'_>) -> Result<u64, Damaged> {
    item.attributes().try_fold(0, |sum, attribute| {
        let (name, value) = attribute?;
        Ok(sum + of(name.len()) + of_value(value.read()?, 1)?)
    })
}

/// Size of a stored value at a level of nesting, 1 for an attribute of the item.
///
/// # Errors
/// If the bytes are not a value.
pub fn of_value(value: Value<'_>, level: usize) -> Result<u64, Damaged> {
    super::view::check_level(level)?;
    match value {
        Value::S(text) => Ok(of(text.len())),
        Value::N(number) => Ok(of(number.as_bytes().len())),
        Value::B(bytes) => Ok(of(bytes.len())),
        Value::Bool(_) | Value::Null => Ok(FLAG),
        Value::M(map) => map.members().try_fold(DOCUMENT, |sum, member| {
            let (name, value) = member?;
            Ok(sum + of(name.len()) + ELEMENT + of_value(value.read()?, level + 1)?)
        }),
        Value::L(list) => list
            .elements()
            .try_fold(DOCUMENT, |sum, value| Ok(sum + ELEMENT + of_value(value?.read()?, level + 1)?)),
        Value::SS(set) => set.members().try_fold(0, |sum, member| Ok(sum + of(member?.len()))),
        Value::BS(set) => set.members().try_fold(0, |sum, member| Ok(sum + of(member?.len()))),
        Value::NS(set) => set.members().try_fold(0, |sum, member| Ok(sum + of(member?.as_bytes().len()))),
    }
}
