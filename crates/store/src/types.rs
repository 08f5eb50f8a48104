//! Names and small types that the store's users see.

use crate::engine::ReadError;
use bytes::Bytes;
use std::path::PathBuf;

/// Position of an operation in the one order of everything; + 1 per committed operation that changed something.
pub type Version = u64;

/// Identity of a space; assigned once, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpaceId(pub u32);

/// Identity of what names and spaces there are: as long as it is the same, every name means the same space with the same
/// definition, and every space is as it was.
///
/// It consists of the version of the last such change, and of how many groups of this store were refused: a version that was
/// staged and refused is given out again. So whatever was looked up under a structure may be kept, by the thread that looked,
/// and used under the same structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Structure {
    /// Which store of this process.
    pub(crate) store: u64,
    /// Version of the last change of a name, a root or a space.
    pub(crate) version: Version,
    /// How many groups were refused before.
    pub(crate) refusals: u64,
}

/// Identity of a blob file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId {
    /// Start epoch in which it was written.
    pub epoch: u64,
    /// Counter within that epoch.
    pub counter: u64,
}

/// A stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Version that wrote it.
    pub since: Version,
    /// Logical size in bytes, as given at `put`.
    pub size: u64,
    /// The bytes.
    pub payload: Bytes,
    /// Blobs that belong to it.
    pub blobs: Vec<BlobId>,
}

/// Exact number and size of a space's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Number of items.
    pub items: u64,
    /// Sum of their logical sizes in bytes.
    pub bytes: u64,
}

/// Who caused a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A request.
    #[default]
    Client = 0,
    /// The expiry of an item.
    Ttl = 1,
    /// A background job.
    Job = 2,
    /// A restore.
    Restore = 3,
    /// The store itself.
    System = 4,
}

impl Origin {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        [Self::Client, Self::Ttl, Self::Job, Self::Restore, Self::System]
            .into_iter()
            .find(|o| *o as u64 == number)
    }
}

/// What a `commits` row says beside keys and times.
#[derive(Debug, Clone, Default)]
pub struct CommitInfo {
    /// Who caused it.
    pub origin: Origin,
    /// Service, in lower case (`dynamodb`).
    pub service: &'static str,
    /// Operation, in AWS's words (`PutItem`).
    pub operation: &'static str,
    /// Request id that the client is given.
    pub request_id: Box<str>,
    /// Access key or user.
    pub principal: Box<str>,
}

/// What an operation needs of the disk (see the disk reserve).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// An ordinary write: refused below the reserve.
    Room,
    /// Deletes, drops, reset: run below the reserve too.
    Free,
    /// Trimming: runs as long as anything can be written.
    Trim,
}

/// Whether an operation's writes count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Commit what it wrote.
    Keep,
    /// It refused: leave nothing.
    Discard,
}

/// Why an operation has no durable outcome.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The queue is full: try again.
    #[error("the store is busy: {queued} operations are waiting")]
    Busy {
        /// How many operations wait.
        queued: usize,
    },
    /// The disk is full or below the reserve.
    #[error("no room on the disk that holds {}: {free_bytes} bytes are free. {remedy}", dir.display())]
    NoRoom {
        /// The data directory.
        dir: PathBuf,
        /// Bytes free.
        free_bytes: u64,
        /// What helps.
        remedy: String,
    },
    /// The disk itself refused a write.
    #[error(
        "no room on the disk: {0}. Reads go on; deletes, `holdfast trim --history 1h` and freeing space on that disk help"
    )]
    DiskFull(String),
    /// Writing has ended.
    #[error("writing has ended: {0}")]
    Ended(String),
    /// It may or may not be stored.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The operation wrote more than one commit can hold.
    #[error("the operation writes {bytes} bytes; {max} is the most")]
    TooLarge {
        /// What it wrote.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The operation panicked; nothing of it is stored.
    #[error("the operation failed inside: {0}")]
    Panicked(String),
    /// A read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A write within a transaction that cannot be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TxError {
    /// A read failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The space does not exist or was dropped.
    #[error("space {} does not exist", .0.0)]
    NoSuchSpace(SpaceId),
    /// The key is longer than the limit.
    #[error("a key of {0} bytes is too long")]
    KeyTooLong(usize),
    /// A blob is named that the store does not know.
    #[error("blob {0:?} does not exist")]
    NoSuchBlob(BlobId),
    /// A blob is registered twice.
    #[error("blob {0:?} exists already")]
    BlobExists(BlobId),
    /// Every space id was given out.
    #[error("no space ids are left")]
    NoSpacesLeft,
    /// A pin on a version that can no longer be read.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Why an earlier state cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// It was trimmed.
    #[error("version {version} was trimmed: the oldest that can be read is {horizon}")]
    Trimmed {
        /// The version asked for.
        version: Version,
        /// The oldest readable one.
        horizon: Version,
    },
    /// Which version was the newest at a time is not kept any more.
    #[error("which version was the newest then was trimmed: the oldest that can be read is {horizon}")]
    TimeTrimmed {
        /// The oldest readable version.
        horizon: Version,
    },
    /// It has not happened yet.
    #[error("version {version} has not happened yet: the newest is {newest}")]
    Future {
        /// The version asked for.
        version: Version,
        /// The newest.
        newest: Version,
    },
    /// It was lost: the loss was accepted with `doctor --accept-loss`.
    #[error("version {version} was lost: versions {first} to {} name nothing", resumes - 1)]
    Lost {
        /// The version asked for.
        version: Version,
        /// The first that was lost.
        first: Version,
        /// The version with which history goes on.
        resumes: Version,
    },
    /// The space did not exist then.
    #[error("space {} did not exist at version {version}", space.0)]
    NoSuchSpace {
        /// The space.
        space: SpaceId,
        /// The version asked for.
        version: Version,
    },
    /// Reading failed.
    #[error("{0}")]
    Read(String),
}

impl From<ReadError> for HistoryError {
    fn from(error: ReadError) -> Self {
        Self::Read(error.to_string())
    }
}
