//! Values that cannot be keys of an index.

use super::{invalid, key_too_long, validation};
use crate::index::IndexKeyError;
use crate::key::ScalarType;
use holdfast_aws::Error;

/// A key attribute of an index whose value cannot be a key. Source: known; sizes as those of a table's keys.
#[must_use]
pub fn index_key(error: &IndexKeyError) -> Error {
    match error {
        IndexKeyError::WrongType { index, name, expected, actual } => invalid(&format!(
            "Type mismatch for Index Key {name} Expected: {} Actual: {actual} IndexName: {index}",
            expected.name()
        )),
        IndexKeyError::Empty { index, name, kind } => empty_key(index, name, *kind),
        IndexKeyError::TooLong(role) => key_too_long(*role),
        // Source: the local emulator.
        IndexKeyError::TooLongTogether { index, role, names, size } => validation(format!(
            "Aggregate size for {} key attributes {} of index {index} has exceeded limit {} bytes, with actual size {size} \
             bytes",
            role.name(),
            names.join(", "),
            role.bytes_max()
        )),
    }
}

/// An empty value for a key attribute of an index. Source: as [`index_key`].
#[must_use]
pub fn empty_key(index: &str, name: &str, kind: ScalarType) -> Error {
    let kind = if kind == ScalarType::B { "binary" } else { "string" };
    validation(format!(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The \
         AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, IndexKey: {name}"
    ))
}

/// A key attribute of an index to which an update gives a value that cannot be a key. Source: recorded.
#[must_use]
pub fn updated_index_key(error: &IndexKeyError) -> Error {
    match error {
        IndexKeyError::Empty { kind, .. } => validation(format!(
            "One or more parameter values are not valid. The update expression attempted to update a secondary index key \
             to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {} value.",
            if *kind == ScalarType::B { "binary" } else { "string" }
        )),
        other => index_key(other),
    }
}
