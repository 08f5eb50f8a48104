//! What is no longer part of the index but may still be read or named by a checkpoint.

use super::memtable::Memtable;
use super::table::TableFile;
use std::sync::Arc;

/// Keeps the last reference to memtables and tables that left the set, so that no reader frees megabytes or unlinks a file
/// when it lets go of its view.
#[derive(Debug, Default)]
pub(super) struct Retired {
    memtables: Vec<Arc<Memtable>>,
    /// With the generation of the first manifest that does not name the table.
    tables: Vec<(u64, Arc<TableFile>)>,
}

/// What can be freed now.
#[derive(Debug, Default)]
pub(super) struct Unused {
    pub memtables: Vec<Arc<Memtable>>,
    pub tables: Vec<Arc<TableFile>>,
}

impl Retired {
    pub(super) fn add_memtable(&mut self, memtable: Arc<Memtable>) {
        self.memtables.push(memtable);
    }

    pub(super) fn add_table(&mut self, generation: u64, table: Arc<TableFile>) {
        self.tables.push((generation, table));
    }

    /// Takes out what nobody else refers to; tables only if a manifest without them is durable, and none if `checkpointed`
    /// is `None`. Nothing here can be found any more, so a count of one stays one.
    pub(super) fn take_unused(&mut self, checkpointed: Option<u64>) -> Unused {
        let memtables = self.memtables.extract_if(.., |memtable| Arc::strong_count(memtable) == 1).collect();
        let mut tables = Vec::new();
        if let Some(checkpointed) = checkpointed {
            let unused = |(generation, table): &mut (u64, Arc<TableFile>)| {
                *generation <= checkpointed && Arc::strong_count(table) == 1
            };
            tables.extend(self.tables.extract_if(.., unused).map(|(_, table)| table));
        }
        Unused { memtables, tables }
    }
}
