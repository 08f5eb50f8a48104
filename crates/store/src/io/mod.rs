//! Files as the store sees them: the only door to the operating system's disk for log, checkpoint and witness.
//!
//! Two implementations: [`RealDisk`](real::RealDisk) is the operating system's; [`SimulatedDisk`](simulated::SimulatedDisk)
//! keeps files in memory, remembers what was synced, and on a crash loses, tears, zeroes and reorders the rest.
//!
//! # Assumptions about the medium
//! - A sector of 512 bytes that was synced stays as it was written until it is overwritten.
//! - Nothing else is assumed of a write that was not followed by a successful sync: it may be there, in part, or not.
//! - A failed sync leaves every write since the last successful one in that unknown state, for ever.
//! - Renames within one directory are atomic, and survive once the directory has been synced.

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub mod error;
pub mod real;
pub mod simulated;

pub use error::{is_dead, is_no_room, is_transient, os_error};

/// Unit of atomicity that the store relies on, in bytes.
pub const SECTOR_BYTES: u64 = 512;

/// What a directory listing shows of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// File name without its directory.
    pub name: String,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
    /// Whether this is a directory.
    pub directory: bool,
}

/// Room on the file system that holds a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that this process may still write.
    pub free_bytes: u64,
    /// Size of the whole file system in bytes.
    pub total_bytes: u64,
}

/// A file system. Paths are absolute or relative to the process, exactly as given.
pub trait Disk: Send + Sync + Debug {
    /// Creates a file that must not exist yet and opens it for reading and writing.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Opens an existing file for reading only.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Renames a file, replacing the target if there is one. Durable only after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable only after [`Disk::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory if it does not exist; its parent must.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes creations, renames and removals in a directory durable.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Entries of a directory, sorted by name.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;
    /// Length of a file in bytes, or `None` if there is none of that name.
    fn len(&self, path: &Path) -> io::Result<Option<u64>>;
    /// Room on the file system that holds `path`.
    fn room(&self, path: &Path) -> io::Result<Room>;
}

/// An open file. Positions are bytes from its start.
#[expect(clippy::len_without_is_empty, reason = "`len` is a call of the operating system that can fail")]
pub trait DiskFile: Send + Sync + Debug {
    /// Reads until `buffer` is full or the file ends; returns how many bytes were read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes`, growing the file if needed.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// `fdatasync`: contents and length are durable when this returns `Ok`.
    fn sync(&self) -> io::Result<()>;
    /// Current length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Cuts or extends (with zeros) the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
}
