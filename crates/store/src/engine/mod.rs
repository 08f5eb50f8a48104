//! The engine trait: what runs below versions and history. What is above never knows which engine runs.
//!
//! An engine holds an ordered map from bytes to bytes. It changes only by [`Engine::commit`], one whole [`Batch`] at a
//! time, in a dense order of [`CommitNumber`]s.

use bytes::Bytes;
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::Arc;

pub mod embedded;
pub mod memory;

/// Position of a commit in the one order: dense, + 1 per commit, the first is 1. 0 means "nothing yet".
pub type CommitNumber = u64;

/// Number of a start of the store. A later start fences off the writer of an earlier one.
pub type Epoch = u64;

/// One write of a batch: the final bytes of a key, or `None` if the key is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Whole engine key, family byte first.
    pub key: Bytes,
    /// Final value, or `None` for a removal.
    pub value: Option<Bytes>,
}

/// Most that a log needs beside key and value of a write: its kind and two lengths.
pub(crate) const FRAMING_BYTES: usize = 12;

/// All writes of one commit. Invariant: sorted by key, each key once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Sorted by key, each key once.
    pub writes: Vec<Write>,
    /// First version in this commit, or the last version of the commit before if it holds none.
    pub first_version: u64,
    /// Last version in this commit, or the last version of the commit before if it holds none.
    pub last_version: u64,
}

impl Batch {
    /// Bytes of keys and values together, with what frames them.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.writes.iter().map(|w| FRAMING_BYTES + w.key.len() + w.value.as_ref().map_or(0, Bytes::len)).sum()
    }

    /// Whether the invariant holds: sorted by key, each key once.
    #[must_use]
    pub fn is_sorted(&self) -> bool {
        self.writes.windows(2).all(|pair| pair[0].key < pair[1].key)
    }
}

/// A read that failed below: damage or an I/O error. Never a wrong value.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read {file}: {cause}")]
pub struct ReadError {
    /// The file that could not be read, as a path or a description.
    pub file: String,
    /// What happened.
    pub cause: String,
}

/// Why a commit did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// Nothing of the batch is stored, and the engine can go on (for example: no room on the disk).
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The batch may or may not be stored. The engine takes no further commits until it is opened again.
    #[error("outcome unknown: {0}")]
    Unknown(String),
}

/// Why an engine refused a commit.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// The disk is full.
    #[error("no room on the disk: {0}")]
    NoRoom(String),
    /// The expected commit number or the epoch did not match: another writer is, or was, at work.
    #[error("fenced off: {0}")]
    Fenced(String),
    /// The batch is larger than [`Limits::batch_bytes_max`].
    #[error("batch of {bytes} bytes is larger than {max}")]
    TooLarge {
        /// Size of the batch.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Writing has ended (after a failed sync, or because the engine was closed).
    #[error("writing has ended: {0}")]
    Ended(String),
}

/// What an engine can take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest [`Batch::payload_bytes`] of one commit.
    pub batch_bytes_max: usize,
    /// Longest key in bytes.
    pub key_bytes_max: usize,
}

/// One entry of a range.
pub type Pair = (Bytes, Bytes);

/// A boxed range; yields pairs in key order from the front and in reverse order from the back.
pub type Range<'a> = Box<dyn DoubleEndedIterator<Item = Result<Pair, ReadError>> + Send + 'a>;

/// A consistent snapshot of the newest durable state at the time it was taken.
///
/// Values may be windows into larger blocks: copy one before keeping it longer than the view.
pub trait View: Send + Sync {
    /// Number of the newest commit that this view shows.
    fn commit_number(&self) -> CommitNumber;
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError>;
    /// Several keys at once, answers in the same order.
    fn multi_get(&self, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>, ReadError> {
        keys.iter().map(|key| self.get(key)).collect()
    }
    /// All pairs within bounds.
    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_>;
}

/// An ordered map of bytes with atomic, durable, numbered commits.
pub trait Engine: Send + Sync + Debug {
    /// The newest published state. Never waits for a writer, never shows what is not durable.
    fn view(&self) -> Arc<dyn View>;
    /// Stores a batch as commit `expected`, which must be the newest commit number + 1.
    ///
    /// Atomic over all families; durable, and visible in new views, when it returns `Ok`. One call at a time.
    fn commit(&self, expected: CommitNumber, epoch: Epoch, batch: Batch) -> Result<(), CommitError>;
    /// Limits of this engine.
    fn limits(&self) -> Limits;
    /// Makes the next start quick and ends writing. Everything answered is durable without this.
    fn close(&self) -> Result<(), CommitError>;
}

/// Whether no key can lie within these bounds (standard maps panic on some of them).
#[must_use]
pub fn is_empty_range(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to))
        | (Bound::Excluded(from), Bound::Included(to)) => from >= to,
        _ => false,
    }
}
