//! Looking at what is stored, for verbs and the console: nothing here changes anything, and nothing here is part of an
//! operation.
//!
//! # Layout
//! - this file: indexes of a table, and why a look fails
//! - [`check`]: items, index rows and counters against each other
//! - [`history`]: the versions of an item, and an item as of a version
//! - [`key_text`]: keys as people write them
//! - [`tokens`]: the tokens of transactions against each other

use crate::item::Damaged;
use crate::table::{IndexScope, TableDefinition, TableState};
use holdfast_state::StateError;
use holdfast_state::record::RecordError;
use holdfast_store::{ReadError, SpaceId};

pub mod check;
pub mod history;
pub mod key_text;
pub mod tokens;

/// Why something could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// There is no such table, and as far back as is known there was none.
    #[error("there is no table {0}, and as far back as history reaches there was none")]
    NoSuchTable(String),
    /// Several have a table of that name.
    #[error(
        "there are several tables {table}: of {data_sets}; say whose is meant with --of-key and --of-region"
    )]
    ManyTables {
        /// Their name.
        table: String,
        /// Whose they are.
        data_sets: String,
    },
    /// There was no such table at the version that was asked for.
    #[error("there was no table {table} at version {version}")]
    NoSuchTableThen {
        /// Name of the table.
        table: String,
        /// The version.
        version: u64,
    },
    /// The key is not one of the table.
    #[error(transparent)]
    Key(#[from] key_text::KeyTextError),
    /// A read failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// A read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A table's definition cannot be read.
    #[error("the definition of the table cannot be read: {0}")]
    Record(#[from] RecordError),
    /// An item cannot be read.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// A secondary index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// `global` or `local`.
    pub scope: &'static str,
    /// Where its rows are; that space's counters are the index's item count and size.
    pub space: SpaceId,
}

/// What a table, and with it each of its indexes, is at a service time: `CREATING`, `ACTIVE` or `DELETING`, also while what is
/// gone for clients is still to be taken away.
///
/// # Errors
/// If the record is newer than this build or malformed.
pub fn state(record: &[u8], now_ms: u64) -> Result<&'static str, RecordError> {
    Ok(match TableDefinition::states(record)?.state(now_ms) {
        TableState::Creating => "CREATING",
        TableState::Active => "ACTIVE",
        TableState::Deleting | TableState::Gone => "DELETING",
    })
}

/// The indexes of a stored definition, in the order of their names.
///
/// # Errors
/// If the record is newer than this build or malformed.
pub fn indexes(record: &[u8]) -> Result<Vec<Index>, RecordError> {
    let (_, indexes) = TableDefinition::keys_and_indexes(record)?;
    let mut indexes: Vec<Index> = indexes
        .into_iter()
        .map(|index| Index {
            name: index.name.to_owned(),
            scope: match index.scope {
                IndexScope::Global => "global",
                IndexScope::Local => "local",
            },
            space: index.space,
        })
        .collect();
    indexes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(indexes)
}
