//! The index: an ordered map that is only ever behind the log.
//!
//! It keeps memtables of its own and immutable sorted tables on disk (written and read by the `lsm-tree` crate's table
//! code). It is durable only up to [`Manifest::flushed`]; what is newer is replayed from the log. A manifest names every
//! table; it is stored inside the checkpoint, so there is exactly one file that says what the index is.

use super::super::{Batch, CommitNumber, View};
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;

mod compaction;
pub(crate) mod examine;
mod flush;
mod lsm;
mod manifest;
mod memtable;
mod options;
mod retired;
mod set;
#[cfg(test)]
pub(crate) mod simulated;
mod table;
mod view;

#[cfg(test)]
mod tests;

pub(crate) use lsm::LsmIndex;
pub(crate) use options::{FamilyPolicy, IndexOptions};

/// What a checkpoint stores of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Grows with each change of the set of tables; starts at 0 for an empty index.
    pub generation: u64,
    /// Every commit up to and including this one is in the tables.
    pub flushed: CommitNumber,
    /// Encoded names, lengths, checksums and places of all tables.
    pub encoded: Vec<u8>,
}

/// Why the index could not do its background work or open.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum IndexError {
    /// A table or manifest is missing or damaged.
    #[error("{file}: {cause}")]
    Damaged {
        /// Path of the file.
        file: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The disk is full, or the process may not open another file now; the work can be tried again.
    #[error("no room (disk, open files or memory) for {file}")]
    NoRoom {
        /// Path of the file that was to be written or read.
        file: String,
    },
    /// Any other failure while writing or syncing a table: the set of tables is unchanged, but nothing more may be trusted
    /// to reach the disk.
    #[error("cannot write {file}: {cause}")]
    Io {
        /// Path of the file.
        file: String,
        /// What the operating system said.
        cause: String,
    },
}

/// Sizes, for `status` and for back-pressure.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct IndexStats {
    /// Bytes in the memtable that takes writes.
    pub active_bytes: u64,
    /// Size in bytes at which a memtable is sealed.
    pub memtable_bytes_max: u64,
    /// Bytes in memtables that wait for their flush.
    pub sealed_bytes: u64,
    /// How many memtables wait for their flush.
    pub sealed_count: usize,
    /// Bytes of all tables on disk.
    pub table_bytes: u64,
    /// How many tables there are.
    pub table_count: usize,
    /// Most runs that overlap in any level 0.
    pub level0_runs: usize,
    /// How many runs a level 0 has above the number at which its merging starts, most of any family: the measure of
    /// compaction debt. A level 0 that cannot be merged because a table is damaged does not count.
    pub level0_excess: usize,
    /// Bytes of blocks in the cache now.
    pub cache_bytes: u64,
    /// Most bytes the cache will hold.
    pub cache_bytes_max: u64,
}

/// What reading one table of the index whole has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrubbedTable {
    /// Number of the table, never used twice in a store.
    pub id: u64,
    /// Its file.
    pub file: PathBuf,
    /// Length in bytes.
    pub bytes: u64,
    /// Whether it is as it was written.
    pub condition: TableCondition,
}

/// Whether a table is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableCondition {
    /// Every block of it is.
    Sound,
    /// It is not: what is wrong, as a phrase.
    Damaged(String),
    /// It could not be read now, which is not its fault: why, as a phrase.
    Unread(String),
}

/// An ordered map behind the log.
///
/// Threads: one committer calls `apply` and `seal`; one flusher calls `flush`; one compactor calls `compact`; one
/// checkpointer calls `manifest` and `checkpointed`; any thread calls `view` and `stats`. None of the first two may wait
/// for I/O.
pub(crate) trait Index: Send + Sync + Debug + 'static {
    /// Puts a batch into the active memtable. Commits come in order. Blind: the batch has the final bytes.
    fn apply(&self, commit: CommitNumber, batch: &Batch);
    /// Everything applied so far, as a snapshot that later work never changes. Called between batches only.
    fn view(&self) -> Arc<dyn View>;
    /// Seals the active memtable if it is not empty and, unless `force`, has reached its size. Returns whether it did.
    fn seal(&self, force: bool) -> bool;
    /// Writes the oldest sealed memtable to tables. Returns whether the manifest changed.
    fn flush(&self) -> Result<bool, IndexError>;
    /// Does one piece of compaction if one is due. Returns whether the manifest changed.
    fn compact(&self) -> Result<bool, IndexError>;
    /// The current set of tables.
    fn manifest(&self) -> Manifest;
    /// A checkpoint that holds the manifest of `generation` is durable: tables that only older manifests name may be
    /// unlinked as soon as no view reads them.
    fn checkpointed(&self, generation: u64);
    /// Nothing is unlinked from now on (after a failed sync).
    fn freeze(&self);
    /// Makes a `compact` that runs give up soon, and later ones do nothing, so that the store can close in time.
    fn interrupt(&self) {}
    /// Sizes now.
    fn stats(&self) -> IndexStats;
    /// Numbers of the tables that there are now, ascending; none where nothing is on disk.
    fn tables(&self) -> Vec<u64> {
        Vec::new()
    }
    /// Reads every block of a table and compares checksums; `None` if there is no such table any more.
    fn scrub(&self, _id: u64) -> Option<ScrubbedTable> {
        None
    }
}
