//! Looking at what is stored, for verbs and the console: nothing here changes anything, and nothing here is part of an
//! operation.

use crate::table::TableDefinition;
use holdfast_state::record::{Record, RecordError};
use holdfast_store::SpaceId;

/// A secondary index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// `global` or `local`.
    pub scope: &'static str,
    /// Where its rows are; that space's counters are the index's item count and size.
    pub space: SpaceId,
    /// `ACTIVE`, or what it is becoming.
    pub state: &'static str,
}

/// The indexes of a stored definition, in the order of their names.
///
/// # Errors
/// If the record is newer than this build or malformed.
pub fn indexes(record: &[u8]) -> Result<Vec<Index>, RecordError> {
    let _definition = TableDefinition::from_bytes(record)?;
    // Tables have none yet.
    Ok(Vec::new())
}
