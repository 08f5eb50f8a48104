//! What a request consumed, in capacity units, as `ReturnConsumedCapacity` asks for.
//!
//! Sources: DynamoDB Developer Guide, "DynamoDB read and write operations", "Provisioned throughput considerations for global
//! secondary indexes" and the same for local ones, "DynamoDB transactions"; answers of AWS recorded by a public conformance suite
//! (eu-west-2, August 2026) and, earlier, by another project until 2019. Units are counted as integers, in halves.
//!
//! # Layout
//! - this file: what is asked for, and the sum of a request
//! - [`units`]: units, and what a read costs
//! - [`writes`][]: what a write costs, with the rows that it changes in indexes
//! - [`render`]: `ConsumedCapacity` in answers

use crate::table::{IndexScope, IndexView};
pub use units::{Consistency, Units, of_read};
pub use writes::{Side, of_write};

pub mod render;
pub mod units;
pub mod writes;

#[cfg(test)]
mod tests;

/// How much of it is asked for: `ReturnConsumedCapacity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnCapacity {
    /// `NONE`, or nothing said.
    Nothing,
    /// `TOTAL`: the sum of table and indexes.
    Total,
    /// `INDEXES`: also the table's part, and that of each index that was read or changed.
    Indexes,
}

impl ReturnCapacity {
    /// Reads a value that is one of the model's.
    #[must_use]
    pub fn read(value: Option<&str>) -> Self {
        match value {
            Some("TOTAL") => Self::Total,
            Some("INDEXES") => Self::Indexes,
            _ => Self::Nothing,
        }
    }

    /// Whether anything is asked for. What costs something to count is counted only then.
    #[must_use]
    pub fn is_wanted(self) -> bool {
        self != Self::Nothing
    }
}

/// What a request consumed of one table and its indexes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consumed {
    table: Units,
    /// Those that were read or changed, each once, in the order of their names: AWS promises none.
    indexes: Vec<IndexUnits>,
}

/// The part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct IndexUnits {
    name: Box<str>,
    scope: IndexScope,
    units: Units,
}

impl Consumed {
    /// Of the table alone.
    #[must_use]
    pub fn of_table(units: Units) -> Self {
        Self { table: units, indexes: Vec::new() }
    }

    /// Of an index alone. The table's part is then zero, and shown so.
    #[must_use]
    pub fn of_index(index: &IndexView<'_>, units: Units) -> Self {
        let mut consumed = Self::default();
        consumed.add_index(index.name, index.scope, units);
        consumed
    }

    /// Adds units of the table itself: of items that a read of a local index fetched, each rounded up by itself.
    pub fn add_table(&mut self, units: Units) {
        self.table += units;
    }

    /// Adds what another request, or another part of this one, consumed of the same table.
    pub fn add(&mut self, other: &Self) {
        self.table += other.table;
        for index in &other.indexes {
            self.add_index(&index.name, index.scope, index.units);
        }
    }

    fn add_index(&mut self, name: &str, scope: IndexScope, units: Units) {
        // Names are unique within a table, over both scopes.
        match self.indexes.binary_search_by(|index| (*index.name).cmp(name)) {
            Ok(at) => self.indexes[at].units += units,
            Err(at) => self.indexes.insert(at, IndexUnits { name: name.into(), scope, units }),
        }
    }

    /// Twice as much: what the same consumes as part of a transaction. Source: DynamoDB Developer Guide, "DynamoDB
    /// transactions", "Capacity management": each item is read or written twice. That this holds for indexes too is what
    /// DynamoDB Local does; no record of AWS is known.
    #[must_use]
    pub fn doubled(mut self) -> Self {
        self.table = self.table.doubled();
        for index in &mut self.indexes {
            index.units = index.units.doubled();
        }
        self
    }

    /// Of table and indexes together.
    #[must_use]
    pub fn total(&self) -> Units {
        self.indexes.iter().fold(self.table, |sum, index| sum + index.units)
    }
}
