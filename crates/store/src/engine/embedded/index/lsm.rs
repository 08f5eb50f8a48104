//! The index on disk: memtables in front of tables.
//!
//! Locks: `install` guards the replacement of the state and is never held during I/O; `flushing` and `compacting` keep a
//! second flush or merge out and may be held for seconds. Readers and the committer take neither of the last two, and
//! views take none at all.

use super::super::super::{Batch, CommitNumber, View};
use super::manifest::{self, Places};
use super::memtable::Memtable;
use super::options::{IndexOptions, KEY_BYTES_MAX};
use super::retired::Retired;
use super::set::{Change, TableSet};
use super::table::{Shelf, TableEntry, TableFile, file_name, parse_file_name};
use super::view::{LsmView, State};
use super::{Index, IndexError, IndexStats, Manifest, ScrubbedTable, TableCondition};
use arc_swap::ArcSwap;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Memtables and tables, with one set of tables published at a time.
#[derive(Debug)]
pub(crate) struct LsmIndex {
    pub(super) options: IndexOptions,
    pub(super) shelf: Arc<Shelf>,
    pub(super) state: ArcSwap<State>,
    pub(super) install: Mutex<Installing>,
    pub(super) flushing: Mutex<()>,
    /// Where the next merge out of a level starts, by family and level.
    pub(super) compacting: Mutex<HashMap<(u8, usize), Bytes>>,
    pub(super) retired: Mutex<Retired>,
    pub(super) interrupted: AtomicBool,
    applied: AtomicU64,
    next_id: AtomicU64,
    checkpointed: AtomicU64,
    frozen: AtomicBool,
    orphans: Mutex<Vec<PathBuf>>,
}

/// What must be consistent with the state while it is replaced.
#[derive(Debug, Default)]
pub(super) struct Installing {
    /// Family that is being merged: nothing but level 0 of it may grow meanwhile.
    pub merging: Option<u8>,
}

impl LsmIndex {
    /// Opens the index that a manifest names, or an empty one. Every table is checked before anything is used: it exists,
    /// has the right length and a readable end. Nothing on disk is changed, except that a missing directory is created
    /// where no table is expected.
    pub(crate) fn open(
        dir: &Path,
        manifest: Option<&Manifest>,
        options: IndexOptions,
    ) -> Result<Self, IndexError> {
        let places = match manifest {
            Some(manifest) => manifest::decode(&manifest.encoded).map_err(|cause| damaged(dir, cause))?,
            None => Places { next_id: 1, tables: Vec::new() },
        };
        let shelf = Shelf::new(dir, options.cache_bytes, options.open_files, options.pinned_filter_bytes);
        let shelf = Arc::new(shelf);
        let tables = open_tables(&shelf, places.tables, manifest)?;
        if tables.families.is_empty() && !dir.exists() {
            create_dir(dir)?;
        }
        let (orphans, next_id) = find_orphans(dir, &tables, places.next_id)?;
        let (generation, flushed) = (tables.generation, tables.flushed);
        let state = State { tables: Arc::new(tables), ..State::default() };
        Ok(Self {
            options,
            shelf,
            state: ArcSwap::from_pointee(state),
            install: Mutex::default(),
            flushing: Mutex::default(),
            compacting: Mutex::default(),
            retired: Mutex::default(),
            interrupted: AtomicBool::new(false),
            applied: AtomicU64::new(flushed),
            next_id: AtomicU64::new(next_id),
            checkpointed: AtomicU64::new(generation),
            frozen: AtomicBool::new(false),
            orphans: Mutex::new(orphans),
        })
    }

    /// Removes files that were in the directory at the start and that the manifest does not name: leftovers of a crash.
    /// Call it when the start is complete. Returns how many files went.
    pub(crate) fn sweep(&self) -> usize {
        let mut removed = 0;
        for path in std::mem::take(&mut *self.orphans.lock()) {
            if self.frozen.load(Ordering::Acquire) {
                break;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) => {
                    tracing::warn!(file = %path.display(), %error, "cannot remove an orphaned table")
                }
            }
        }
        removed
    }

    pub(super) fn fresh_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Publishes a changed set of tables, and takes out the memtable that is now in it.
    pub(super) fn publish(&self, changes: Vec<(u8, Change)>, flushed: Option<&Arc<Memtable>>) {
        let state = self.state.load_full();
        let mut sealed = state.sealed.clone();
        let mut commit = state.tables.flushed;
        if let Some(memtable) = flushed {
            sealed.retain(|other| !Arc::ptr_eq(other, memtable));
            commit = memtable.last_commit();
        }
        let tables = Arc::new(state.tables.changed(commit, changes));
        self.state.store(Arc::new(State { active: Arc::clone(&state.active), sealed, tables }));
    }

    /// Frees what nobody reads any more: memtables, and files that no durable manifest names. Runs on background threads,
    /// so that neither the committer nor a reader pays for it.
    pub(super) fn reap(&self) {
        let checkpointed =
            if self.is_frozen() { None } else { Some(self.checkpointed.load(Ordering::Acquire)) };
        let unused = self.retired.lock().take_unused(checkpointed);
        drop(unused.memtables);
        for table in unused.tables {
            if let Err(error) = table.unlink() {
                tracing::warn!(file = %table.path().display(), %error, "cannot remove a table that is not needed");
            }
        }
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }
}

impl Index for LsmIndex {
    fn apply(&self, commit: CommitNumber, batch: &Batch) {
        debug_assert!(commit > self.applied.load(Ordering::Relaxed), "commits come in order");
        let state = self.state.load();
        for write in &batch.writes {
            debug_assert!(
                (1..=KEY_BYTES_MAX).contains(&write.key.len()),
                "the engine's limits keep keys in bounds"
            );
            state.active.insert(commit, write.key.clone(), write.value.clone());
        }
        state.active.commit(commit);
        self.applied.store(commit, Ordering::Release);
    }

    fn view(&self) -> Arc<dyn View> {
        Arc::new(LsmView::new(self.applied.load(Ordering::Acquire), self.state.load_full()))
    }

    fn seal(&self, force: bool) -> bool {
        let _install = self.install.lock();
        let state = self.state.load_full();
        let enough = if force { 0 } else { self.options.memtable_bytes };
        if state.active.last_commit() == 0 || state.active.bytes() < enough {
            return false;
        }
        let mut sealed = vec![Arc::clone(&state.active)];
        sealed.extend_from_slice(&state.sealed);
        self.state.store(Arc::new(State {
            active: Arc::default(),
            sealed,
            tables: Arc::clone(&state.tables),
        }));
        true
    }

    fn flush(&self) -> Result<bool, IndexError> {
        let changed = self.flush_oldest();
        self.reap();
        changed
    }

    fn compact(&self) -> Result<bool, IndexError> {
        let changed = self.compact_once();
        self.reap();
        changed
    }

    fn manifest(&self) -> Manifest {
        let tables = Arc::clone(&self.state.load().tables);
        let next_id = self.next_id.load(Ordering::Relaxed);
        let encoded = manifest::encode(next_id, tables.tables().map(|(level, table)| (level, &table.entry)));
        Manifest { generation: tables.generation, flushed: tables.flushed, encoded }
    }

    fn checkpointed(&self, generation: u64) {
        self.checkpointed.fetch_max(generation, Ordering::AcqRel);
        self.reap();
    }

    fn freeze(&self) {
        self.frozen.store(true, Ordering::Release);
    }

    fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    fn stats(&self) -> IndexStats {
        let state = self.state.load();
        let mut stats = IndexStats {
            active_bytes: state.active.bytes(),
            memtable_bytes_max: self.options.memtable_bytes,
            sealed_bytes: state.sealed.iter().map(|memtable| memtable.bytes()).sum(),
            sealed_count: state.sealed.len(),
            table_bytes: state.tables.bytes,
            table_count: state.tables.count,
            ..IndexStats::default()
        };
        (stats.level0_runs, stats.level0_excess) = self.level0_runs(&state.tables);
        (stats.cache_bytes, stats.cache_bytes_max) = self.shelf.cache_bytes();
        stats
    }

    fn tables(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.state.load().tables.tables().map(|(_, table)| table.entry.id).collect();
        ids.sort_unstable();
        ids
    }

    fn scrub(&self, id: u64) -> Option<ScrubbedTable> {
        // Only this table is held: holding the set would keep files that go meanwhile on the disk.
        let table = {
            let state = self.state.load();
            state
                .tables
                .tables()
                .find(|(_, table)| table.entry.id == id)
                .map(|(_, table)| Arc::clone(table))?
        };
        let condition = match table.verify() {
            Ok(()) => TableCondition::Sound,
            Err(IndexError::Damaged { cause, .. } | IndexError::Io { cause, .. }) => {
                TableCondition::Damaged(cause)
            }
            Err(IndexError::NoRoom { .. }) => {
                TableCondition::Unread("too many open files, or no memory".to_owned())
            }
        };
        Some(ScrubbedTable { id, file: table.path().to_owned(), bytes: table.entry.len, condition })
    }
}

fn damaged(path: &Path, cause: String) -> IndexError {
    IndexError::Damaged { file: path.display().to_string(), cause }
}

fn io_error(path: &Path, error: &std::io::Error) -> IndexError {
    IndexError::Io { file: path.display().to_string(), cause: error.to_string() }
}

fn open_tables(
    shelf: &Arc<Shelf>,
    entries: Vec<(usize, TableEntry)>,
    manifest: Option<&Manifest>,
) -> Result<TableSet, IndexError> {
    let mut changes: Vec<(u8, Change)> = Vec::new();
    for (level, entry) in entries {
        let family = entry.family;
        let table = Arc::new(TableFile::open(shelf, entry)?);
        match changes.last_mut() {
            Some((last, change)) if *last == family => change.add.push((level, table)),
            _ => changes.push((family, Change { remove: Vec::new(), add: vec![(level, table)] })),
        }
    }
    for (_, change) in &mut changes {
        // The manifest lists level 0 newest first, a change oldest first.
        let level0 = change.add.iter().take_while(|(level, _)| *level == 0).count();
        change.add[..level0].reverse();
    }
    let tables = TableSet::default().changed(0, changes);
    let (generation, flushed) = manifest.map_or((0, 0), |manifest| (manifest.generation, manifest.flushed));
    Ok(TableSet { generation, flushed, ..tables })
}

fn create_dir(dir: &Path) -> Result<(), IndexError> {
    std::fs::create_dir(dir).map_err(|error| io_error(dir, &error))?;
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let synced = std::fs::File::open(parent).and_then(|parent| parent.sync_all());
    synced.map_err(|error| io_error(parent, &error))
}

/// Our files that the manifest does not name, and an id above all files.
fn find_orphans(dir: &Path, tables: &TableSet, next_id: u64) -> Result<(Vec<PathBuf>, u64), IndexError> {
    let known: std::collections::HashSet<u64> = tables.tables().map(|(_, table)| table.entry.id).collect();
    let mut next_id = next_id;
    let mut orphans = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| io_error(dir, &error))? {
        let name = entry.map_err(|error| io_error(dir, &error))?.file_name();
        let Some(id) = name.to_str().and_then(parse_file_name) else { continue };
        next_id = next_id.max(id.saturating_add(1));
        if !known.contains(&id) {
            orphans.push(dir.join(file_name(id)));
        }
    }
    orphans.sort();
    Ok((orphans, next_id))
}
