//! The log: the source of truth. Segments of frames; one frame is one commit is one sync.
//!
//! # Layout
//! - [`frame`]: the bytes of one frame, and how they are checked
//! - [`segment`]: the header sector and the name of a segment file
//! - [`writer`]: appends frames, prepares the next segment ahead of time, cuts what a checkpoint covers
//! - [`recovery`]: reads the log at start, tells a torn tail from damage, takes over the accepted tail
//!
//! Byte layouts stand in `docs/storage-format.md`.

pub(crate) mod frame;
pub(crate) mod recovery;
pub(crate) mod segment;
pub(crate) mod writer;

use super::super::CommitNumber;

/// Size at which a segment ends and the next one begins. A larger frame makes its segment longer.
pub(crate) const SEGMENT_BYTES: u64 = 16 << 20;

/// A place in the log: where the frame of commit `commit` begins, or will begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogPosition {
    /// Number of the segment.
    pub segment: u64,
    /// Byte offset in it; a multiple of 512.
    pub offset: u64,
    /// Number of the commit whose frame begins here.
    pub commit: CommitNumber,
}

/// Identity of a store, drawn at random when it is created.
pub(crate) type StoreId = [u8; 16];
