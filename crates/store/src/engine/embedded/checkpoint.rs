//! The checkpoint: one small file that says what the index is and where the log goes on.
//!
//! ```text
//! offset size
//!      0    8  magic "HFCHKPT\x01"
//!      8    8  checksum: xxh3-64 of bytes 16 .. end
//!     16   16  store id
//!     32    8  sequence: + 1 per checkpoint
//!     40    8  through: every commit up to this one is in the index's tables
//!     48   24  resume: segment, offset, commit number (through + 1) where the log is read on
//!     72    8  log end: highest commit number known synced when this was written
//!     80    8  version: last version known synced when this was written
//!     88    8  1 if the store was closed cleanly and log end = through, else 0
//!     96    8  generation of the manifest
//!    104    8  length of the manifest in bytes
//!    112       the index's manifest
//! ```
//! Written to a temporary name, synced, renamed, directory synced. Files that a checkpoint names are not removed until
//! the next one is durable.

use super::index::Manifest;
use super::log::frame::{put_u64, u64_at};
use super::log::{LogPosition, StoreId};
use crate::engine::CommitNumber;
use crate::io::Disk;
use std::io;
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 8] = *b"HFCHKPT\x01";
const HEADER_BYTES: usize = 112;
/// File name in the data directory.
pub(crate) const FILE: &str = "checkpoint";
const TEMPORARY: &str = "checkpoint.tmp";
/// A manifest names tables in some 80 bytes each; this is room for more than a terabyte.
const CHECKPOINT_BYTES_MAX: u64 = 64 << 20;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub store: StoreId,
    pub sequence: u64,
    pub resume: LogPosition,
    pub log_end: CommitNumber,
    pub version: u64,
    pub clean: bool,
    pub manifest: Manifest,
}

impl Checkpoint {
    fn encode(&self) -> Vec<u8> {
        assert_eq!(self.resume.commit, self.manifest.flushed + 1, "the log goes on where the index ends");
        assert!(self.log_end >= self.manifest.flushed, "the index is never ahead of the log");
        let mut out = vec![0u8; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[16..32].copy_from_slice(&self.store);
        put_u64(&mut out, 32, self.sequence);
        put_u64(&mut out, 40, self.manifest.flushed);
        put_u64(&mut out, 48, self.resume.segment);
        put_u64(&mut out, 56, self.resume.offset);
        put_u64(&mut out, 64, self.resume.commit);
        put_u64(&mut out, 72, self.log_end);
        put_u64(&mut out, 80, self.version);
        put_u64(&mut out, 88, u64::from(self.clean));
        put_u64(&mut out, 96, self.manifest.generation);
        put_u64(&mut out, 104, self.manifest.encoded.len() as u64);
        out.extend_from_slice(&self.manifest.encoded);
        let checksum = xxh3_64(&out[16..]);
        put_u64(&mut out, 8, checksum);
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.len() < HEADER_BYTES {
            return Err("the file is too short for a checkpoint");
        }
        if bytes[..8] != MAGIC {
            return Err("this is not a checkpoint");
        }
        if xxh3_64(&bytes[16..]) != u64_at(bytes, 8) {
            return Err("the checksum is wrong");
        }
        if u64_at(bytes, 104) != (bytes.len() - HEADER_BYTES) as u64 {
            return Err("the file has another length than it says");
        }
        let through = u64_at(bytes, 40);
        let resume =
            LogPosition { segment: u64_at(bytes, 48), offset: u64_at(bytes, 56), commit: u64_at(bytes, 64) };
        if resume.commit != through + 1 || u64_at(bytes, 72) < through {
            return Err("its commit numbers contradict each other");
        }
        let mut store = [0u8; 16];
        store.copy_from_slice(&bytes[16..32]);
        let manifest = Manifest {
            generation: u64_at(bytes, 96),
            flushed: through,
            encoded: bytes[HEADER_BYTES..].to_vec(),
        };
        Ok(Self {
            store,
            sequence: u64_at(bytes, 32),
            resume,
            log_end: u64_at(bytes, 72),
            version: u64_at(bytes, 80),
            clean: u64_at(bytes, 88) == 1,
            manifest,
        })
    }

    /// Writes this checkpoint; it is durable, and the one that counts, when this returns `Ok`.
    ///
    /// # Errors
    /// [`WriteError::Aside`] as long as the checkpoint before is untouched, so that the call may be made again.
    pub(crate) fn write(&self, disk: &dyn Disk, dir: &Path) -> Result<(), WriteError> {
        let temporary = dir.join(TEMPORARY);
        self.write_aside(disk, &temporary).map_err(WriteError::Aside)?;
        disk.rename(&temporary, &dir.join(FILE))
            .and_then(|()| disk.sync_dir(dir))
            .map_err(WriteError::Replacing)
    }

    fn write_aside(&self, disk: &dyn Disk, temporary: &Path) -> io::Result<()> {
        if disk.len(temporary)?.is_some() {
            disk.remove(temporary)?;
        }
        let file = disk.create(temporary)?;
        file.write_at(&self.encode(), 0)?;
        file.sync()
    }

    /// Reads the checkpoint.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> Result<Self, CheckpointError> {
        let path = dir.join(FILE);
        let len =
            disk.len(&path)?.ok_or_else(|| CheckpointError::Damaged("the file is missing".to_owned()))?;
        if len > CHECKPOINT_BYTES_MAX {
            return Err(CheckpointError::Damaged(format!("{len} bytes are more than a checkpoint can have")));
        }
        let file = disk.open_read(&path)?;
        let mut bytes = vec![0u8; len as usize];
        let read = file.read_at(&mut bytes, 0)?;
        Self::decode(&bytes[..read]).map_err(|cause| CheckpointError::Damaged(cause.to_owned()))
    }
}

/// Why a checkpoint could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The new file could not be made; the old one is as it was.
    #[error("{0}")]
    Aside(io::Error),
    /// The new file was made, but whether it has replaced the old one is not known.
    #[error("{0}")]
    Replacing(io::Error),
}

impl From<WriteError> for io::Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Aside(error) | WriteError::Replacing(error) => error,
        }
    }
}

/// Why a checkpoint could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    /// The disk could not read it: says nothing about what is stored.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not what was written.
    #[error("{0}")]
    Damaged(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_round_trip_and_refuse_every_flipped_bit() {
        let checkpoint = Checkpoint {
            store: [1; 16],
            sequence: 4,
            resume: LogPosition { segment: 2, offset: 2048, commit: 11 },
            log_end: 17,
            version: 40,
            clean: false,
            manifest: Manifest { generation: 3, flushed: 10, encoded: b"tables".to_vec() },
        };
        let bytes = checkpoint.encode();
        assert_eq!(Checkpoint::decode(&bytes), Ok(checkpoint));
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Checkpoint::decode(&bad).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Checkpoint::decode(&bytes[..len]).is_err(), "length {len}");
        }
    }
}
