//! Texts of operations that read many items: Query, Scan and BatchGetItem.
//!
//! Sources as in [`super`]; where it says *recorded earlier*, the answers were recorded from AWS by a public project until 2019,
//! and nothing newer contradicts them.

use super::{Wording, invalid, validation, value_text};
use crate::item::{SetKind, ValueError};
use crate::key::KeyError;
use holdfast_aws::Error;

const STARTING_KEY: &str = "The provided starting key is invalid";

/// The two operations that read pages. They word the same faults differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Query.
    Query,
    /// Scan.
    Scan,
}

impl Reader {
    /// Checks of `Select` are enveloped by Query and bare from Scan. Source: recorded.
    fn select(self, text: &str) -> Error {
        match self {
            Self::Query => validation(format!("1 validation error detected: {text}")),
            Self::Scan => validation(text.to_owned()),
        }
    }
}

/// `SPECIFIC_ATTRIBUTES` without a word about which. Source: recorded.
#[must_use]
pub fn no_specific_attributes(reader: Reader) -> Error {
    reader.select(
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    )
}

/// A `ProjectionExpression` beside a `Select` that wants something else. Source: recorded.
#[must_use]
pub fn projection_beside_select(reader: Reader, wanted: &str) -> Error {
    reader.select(&format!("Cannot specify the ProjectionExpression when choosing to get {wanted}"))
}

/// `ALL_PROJECTED_ATTRIBUTES` of a table. Source: recorded; "Querying" from Scan too.
#[must_use]
pub fn projected_without_index(reader: Reader) -> Error {
    reader.select("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
}

/// `ALL_ATTRIBUTES` of a global index that does not have them. Source: recorded.
#[must_use]
pub fn all_attributes_of_global_index(index: &str) -> Error {
    invalid(&format!(
        "Select type ALL_ATTRIBUTES is not supported for global secondary index {index} because its projection type is \
         not ALL"
    ))
}

/// A projection of attributes that a global index does not have. Source: recorded, also that they are in the order of the
/// request.
#[must_use]
pub fn not_projected(index: &str, attributes: &[&str]) -> Error {
    invalid(&format!("Global secondary index {index} does not project [{}]", attributes.join(", ")))
}

/// A query's filter on attributes that an index of either kind does not have. Source: recorded.
#[must_use]
pub fn filter_not_projected(index: &str, attributes: &[&str]) -> Error {
    invalid(&format!(
        "Secondary index {index} does not project one or more filter attributes: [{}]",
        attributes.join(", ")
    ))
}

/// A query's filter on a key attribute of what it reads. Source: recorded earlier, and known.
#[must_use]
pub fn filter_on_key(name: &str) -> Error {
    validation(format!(
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
    ))
}

/// An index that the table does not have. Source: recorded earlier.
#[must_use]
pub fn no_such_index(name: &str) -> Error {
    validation(format!("The table does not have the specified index: {name}"))
}

/// A read of an index that does not have all its rows yet. Source: known.
#[must_use]
pub fn index_being_built(name: &str) -> Error {
    validation(format!("Cannot read from backfilling global secondary index: {name}"))
}

/// `ConsistentRead` of a global index. Source: recorded.
#[must_use]
pub fn consistent_read_of_global_index() -> Error {
    validation("Consistent reads are not supported on global secondary indexes")
}

/// A faulty value in `ExclusiveStartKey`. Source: recorded for members of sets that are there twice; for Scan recorded
/// earlier, with the prefix before some faults and not before others.
#[must_use]
pub fn start_value(reader: Reader, error: &ValueError) -> Error {
    let bare = matches!(
        error,
        ValueError::Duplicates { .. } | ValueError::EmptySet(SetKind::Number) | ValueError::Number { .. }
    );
    match reader {
        Reader::Scan if !bare => validation(format!("{STARTING_KEY}: {}", value_text(error))),
        Reader::Scan => super::value(Wording::Older, error),
        Reader::Query => super::value(Wording::Bare, error),
    }
}

/// An `ExclusiveStartKey` with other attributes than the keys of what is read. Source: recorded for Query, recorded earlier
/// for Scan, which says more where it reads a table.
#[must_use]
pub fn start_key(reader: Reader, of_index: bool) -> Error {
    match reader {
        Reader::Scan if !of_index => start_key_of_table(&KeyError::Extra),
        _ => validation(STARTING_KEY),
    }
}

/// An `ExclusiveStartKey` whose part that is the table's key cannot be one. Source: recorded earlier.
#[must_use]
pub fn start_key_of_table(error: &KeyError) -> Error {
    validation(format!("{STARTING_KEY}: {}", super::lookup_key(error).message))
}

/// An `ExclusiveStartKey` from another segment. Source: recorded earlier.
#[must_use]
pub fn start_key_of_other_segment(segment: u64, total: u64) -> Error {
    validation(format!(
        "{STARTING_KEY}: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: \
         {total} Segment: {segment}"
    ))
}

/// `Segment` alone. Source: recorded.
#[must_use]
pub fn total_segments_required() -> Error {
    validation(
        "The TotalSegments parameter is required but was not present in the request when Segment parameter is present",
    )
}

/// `TotalSegments` alone. Source: recorded.
#[must_use]
pub fn segment_required() -> Error {
    validation(
        "The Segment parameter is required but was not present in the request when parameter TotalSegments is present",
    )
}

/// A `Segment` that is none of `TotalSegments`. Source: recorded.
#[must_use]
pub fn segment_out_of_range(segment: u64, total: u64) -> Error {
    validation(format!(
        "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not \
         less than TotalSegments: {total}"
    ))
}

/// A key that is there twice in one table's list. Source: recorded.
#[must_use]
pub fn duplicate_keys() -> Error {
    validation("Provided list of item keys contains duplicates")
}

/// More keys than a batch may have over all its tables. Source: recorded earlier.
#[must_use]
pub fn too_many_keys() -> Error {
    validation("Too many items requested for the BatchGetItem call")
}

/// A query without a key condition. Source: recorded earlier.
#[must_use]
pub fn no_key_condition() -> Error {
    validation(
        "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.",
    )
}

/// An `ExclusiveStartKey` of another partition than the condition's. Source: recorded earlier.
#[must_use]
pub fn start_key_of_other_partition() -> Error {
    validation("The provided starting key is outside query boundaries based on provided conditions")
}

/// An `ExclusiveStartKey` whose sort key the condition excludes. Source: recorded earlier.
#[must_use]
pub fn start_key_of_other_sort() -> Error {
    validation("The provided starting key does not match the range key predicate")
}

/// An `ExclusiveStartKey` whose sort key the condition takes, but not its partition key. Source: recorded earlier.
#[must_use]
pub fn start_key_of_other_row() -> Error {
    validation("The query can return at most one row and cannot be restarted")
}
