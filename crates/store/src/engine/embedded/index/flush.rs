//! From a sealed memtable to tables.

use super::super::super::CommitNumber;
use super::memtable::Memtable;
use super::set::{Change, TableSet};
use super::table::{TableFile, TableWriter};
use super::{IndexError, lsm::LsmIndex};
use std::ops::Bound;
use std::sync::Arc;

impl LsmIndex {
    /// Writes the oldest sealed memtable: a table per family in level 0, or at the bottom where that is allowed.
    pub(super) fn flush_oldest(&self) -> Result<bool, IndexError> {
        let _flushing = self.flushing.lock();
        let state = self.state.load_full();
        let Some(memtable) = state.sealed.last().cloned() else { return Ok(false) };
        let written = self.write_memtable(&memtable, &state.tables)?;
        drop(state);

        let install = self.install.lock();
        let tables = Arc::clone(&self.state.load().tables);
        let mut changes: Vec<(u8, Change)> = Vec::new();
        for table in written {
            let family = table.entry.family;
            let level = self.flush_level(&tables, install.merging, &table);
            match changes.last_mut() {
                Some((last, change)) if *last == family => change.add.push((level, Arc::new(table))),
                _ => {
                    changes.push((family, Change { remove: Vec::new(), add: vec![(level, Arc::new(table))] }))
                }
            }
        }
        self.publish(changes, Some(&memtable));
        drop(install);
        self.retired.lock().add_memtable(memtable);
        Ok(true)
    }

    /// The deepest level that a new table may enter: the bottom, if its keys grow and nothing there or above is in the way.
    /// A merge that runs meanwhile may put tables anywhere between its inputs, so then it is level 0.
    fn flush_level(&self, tables: &TableSet, merging: Option<u8>, table: &TableFile) -> usize {
        let policy = self.options.policy(table.entry.family);
        let entry = &table.entry;
        let free = tables.family(entry.family).is_none_or(|own| {
            let mut all = own.levels.iter().flatten();
            !all.any(|other| other.entry.overlaps(&entry.min, &entry.max))
        });
        if policy.append_only && free && merging != Some(entry.family) { policy.last_level } else { 0 }
    }

    fn write_memtable(&self, memtable: &Memtable, tables: &TableSet) -> Result<Vec<TableFile>, IndexError> {
        let mut done = Vec::new();
        let result = self.write_entries(memtable, tables, &mut done);
        if let Err(error) = result {
            discard(done);
            return Err(error);
        }
        Ok(done)
    }

    fn write_entries(
        &self,
        memtable: &Memtable,
        tables: &TableSet,
        done: &mut Vec<TableFile>,
    ) -> Result<(), IndexError> {
        let mut writer: Option<TableWriter> = None;
        let mut above_all = false;
        for (key, value) in memtable.range(Bound::Unbounded, Bound::Unbounded, CommitNumber::MAX) {
            let Some(&family) = key.first() else { continue };
            let own = tables.family(family);
            if value.is_none() && !own.is_some_and(|own| own.may_hold(0, &key)) {
                continue;
            }
            let policy = self.options.policy(family);
            let cut = match &writer {
                None => true,
                Some(writer) if writer.family() != family => true,
                // Split at the greatest known key, so that what is new can go to the bottom alone.
                Some(_) => {
                    policy.append_only && !above_all && own.is_some_and(|own| own.max_key() < Some(&key))
                }
            };
            if cut {
                if let Some(writer) = writer.take() {
                    done.push(writer.finish()?);
                }
                above_all = own.is_none_or(|own| own.max_key() < Some(&key));
                writer = Some(TableWriter::create(&self.shelf, self.fresh_id(), family, &policy)?);
            }
            if let Some(writer) = &mut writer {
                writer.add(key, value)?;
            }
        }
        if let Some(writer) = writer {
            done.push(writer.finish()?);
        }
        Ok(())
    }
}

/// Removes tables that never became part of the set.
pub(super) fn discard(tables: Vec<TableFile>) {
    for table in tables {
        if let Err(error) = table.unlink() {
            tracing::warn!(file = %table.path().display(), %error, "cannot remove an unfinished table");
        }
    }
}
