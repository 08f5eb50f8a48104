//! Which tables there are, and where: immutable snapshots that views share.

use super::super::super::{CommitNumber, ReadError};
use super::table::{TableFile, key_hash};
use bytes::Bytes;
use std::ops::Bound;
use std::sync::Arc;

/// All tables at one moment. A change makes a new set and leaves this one as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct TableSet {
    /// Grows with each change.
    pub generation: u64,
    /// Every commit up to and including this one is in the tables.
    pub flushed: CommitNumber,
    /// Sorted by family byte, each once.
    pub families: Vec<Arc<FamilyTables>>,
    /// Bytes of all files.
    pub bytes: u64,
    /// Number of all tables.
    pub count: usize,
}

/// The tables of one family.
#[derive(Debug, Clone)]
pub(super) struct FamilyTables {
    /// First byte of all keys.
    pub family: u8,
    /// Level 0: tables that may overlap, newest first. Deeper: sorted by key, no two overlap. What is less deep is newer.
    pub levels: Vec<Vec<Arc<TableFile>>>,
}

/// A change to one family's tables.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Ids of tables that go.
    pub remove: Vec<u64>,
    /// Tables that come, with their levels; for level 0 in the order oldest first.
    pub add: Vec<(usize, Arc<TableFile>)>,
}

impl TableSet {
    /// The tables of a family.
    pub(super) fn family(&self, family: u8) -> Option<&Arc<FamilyTables>> {
        self.families.iter().find(|tables| tables.family == family)
    }

    /// All tables with their levels.
    pub(super) fn tables(&self) -> impl Iterator<Item = (usize, &Arc<TableFile>)> {
        self.families.iter().flat_map(|family| {
            family
                .levels
                .iter()
                .enumerate()
                .flat_map(|(level, tables)| tables.iter().map(move |t| (level, t)))
        })
    }

    /// The set after changes to families.
    pub(super) fn changed(&self, flushed: CommitNumber, changes: Vec<(u8, Change)>) -> Self {
        let mut set = Self { generation: self.generation + 1, flushed, ..self.clone() };
        for (family, change) in changes {
            let at = match set.families.binary_search_by_key(&family, |tables| tables.family) {
                Ok(at) => at,
                Err(at) => {
                    set.families.insert(at, Arc::new(FamilyTables { family, levels: Vec::new() }));
                    at
                }
            };
            Arc::make_mut(&mut set.families[at]).apply(change);
            if set.families[at].levels.iter().all(Vec::is_empty) {
                set.families.remove(at);
            }
        }
        set.count = set.tables().count();
        set.bytes = set.tables().map(|(_, table)| table.entry.len).sum();
        set
    }

    /// The newest value of a key: `None` if no table has it or it was removed.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        let Some(tables) = key.first().and_then(|family| self.family(*family)) else { return Ok(None) };
        let hash = key_hash(key);
        for (level, tables) in tables.levels.iter().enumerate() {
            let near = if level == 0 { &tables[..] } else { holding(tables, key) };
            for table in near {
                if key >= table.entry.min
                    && key <= table.entry.max
                    && let Some(found) = table.get(key, hash)?
                {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }
}

impl FamilyTables {
    fn apply(&mut self, change: Change) {
        let gone = |table: &Arc<TableFile>| change.remove.contains(&table.entry.id);
        // A merge within level 0 takes the place of what it merged; a flush, which removes nothing, comes first.
        let place = self.levels.first().and_then(|tables| tables.iter().position(gone)).unwrap_or(0);
        for tables in &mut self.levels {
            tables.retain(|table| !gone(table));
        }
        for (level, table) in change.add {
            while self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let tables = &mut self.levels[level];
            let at = if level == 0 {
                place.min(tables.len())
            } else {
                tables.partition_point(|other| other.entry.min < table.entry.min)
            };
            tables.insert(at, table);
            debug_assert!(level == 0 || tables.windows(2).all(|pair| pair[0].entry.max < pair[1].entry.min));
        }
        while self.levels.last().is_some_and(Vec::is_empty) {
            self.levels.pop();
        }
    }

    /// Tables of a level; empty if there is no such level.
    pub(super) fn level(&self, level: usize) -> &[Arc<TableFile>] {
        self.levels.get(level).map_or(&[], Vec::as_slice)
    }

    /// Greatest key of all tables.
    pub(super) fn max_key(&self) -> Option<&Bytes> {
        let newest = self.level(0).iter();
        newest
            .chain(self.levels.iter().skip(1).filter_map(|tables| tables.last()))
            .map(|t| &t.entry.max)
            .max()
    }

    /// Whether a table of a level from `level` on may hold the key.
    pub(super) fn may_hold(&self, level: usize, key: &[u8]) -> bool {
        self.levels.iter().enumerate().skip(level).any(|(level, tables)| {
            let near = if level == 0 { &tables[..] } else { holding(tables, key) };
            near.iter().any(|table| table.entry.overlaps(key, key))
        })
    }

    /// Tables of a level below 0 that share keys with the range from `min` to `max`.
    pub(super) fn overlapping(&self, level: usize, min: &[u8], max: &[u8]) -> &[Arc<TableFile>] {
        let tables = self.level(level);
        let start = tables.partition_point(|table| table.entry.max < min);
        let end = tables.partition_point(|table| table.entry.min <= max);
        &tables[start.min(end)..end]
    }
}

/// The one table of a sorted level that may hold a key.
fn holding<'t>(tables: &'t [Arc<TableFile>], key: &[u8]) -> &'t [Arc<TableFile>] {
    let at = tables.partition_point(|table| table.entry.max < key);
    &tables[at..tables.len().min(at + 1)]
}

/// Tables of a sorted level that may hold keys within bounds.
pub(super) fn within<'t>(
    tables: &'t [Arc<TableFile>],
    from: &Bound<Bytes>,
    to: &Bound<Bytes>,
) -> &'t [Arc<TableFile>] {
    let start = match from {
        Bound::Unbounded => 0,
        Bound::Included(key) => tables.partition_point(|table| table.entry.max < *key),
        Bound::Excluded(key) => tables.partition_point(|table| table.entry.max <= *key),
    };
    let end = match to {
        Bound::Unbounded => tables.len(),
        Bound::Included(key) => tables.partition_point(|table| table.entry.min <= *key),
        Bound::Excluded(key) => tables.partition_point(|table| table.entry.min < *key),
    };
    &tables[start.min(end)..end]
}
