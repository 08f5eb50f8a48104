//! Values that cannot be keys of an index.

use super::{invalid, validation};
use crate::index::IndexKeyError;
use crate::key::{Role, ScalarType};
use holdfast_aws::Error;

/// A key attribute of an index whose value cannot be a key. Source: known; sizes as those of a table's keys.
#[must_use]
pub fn index_key(error: &IndexKeyError) -> Error {
    match error {
        IndexKeyError::WrongType { index, name, expected, actual } => invalid(&format!(
            "Type mismatch for Index Key {name} Expected: {} Actual: {actual} IndexName: {index}",
            expected.name()
        )),
        IndexKeyError::Empty { index, name, kind } => {
            let kind = if *kind == ScalarType::B { "binary" } else { "string" };
            validation(format!(
                "One or more parameter values are not valid. A value specified for a secondary index key is not supported. \
                 The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, \
                 IndexKey: {name}"
            ))
        }
        IndexKeyError::TooLong(Role::Partition) => {
            invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes")
        }
        IndexKeyError::TooLong(Role::Sort) => {
            invalid("Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
        }
    }
}
