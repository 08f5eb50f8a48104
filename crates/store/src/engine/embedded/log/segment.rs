//! The header sector and the name of a segment file.
//!
//! ```text
//! offset size
//!      0    8  magic "HFSEGMT\x01"
//!      8    8  checksum: xxh3-64 of bytes 16 .. 512, seeded with the segment number
//!     16   16  store id
//!     32    8  segment number
//!     40    8  1 if this segment takes over from a point of an older one, else 0
//!     48    8  that older segment
//!     56    8  the offset in it: nothing at or beyond it is ever read again
//!     64    8  number of the first commit that was copied from there, or that comes next
//!     72       zeros
//! ```
//! A segment appears complete (written under a temporary name, synced, renamed, directory synced) or not at all.

use super::frame::{put_u64, u64_at};
use super::{LogPosition, StoreId};
use crate::io::SECTOR_BYTES;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const MAGIC: [u8; 8] = *b"HFSEGMT\x01";
const SUFFIX: &str = ".log";
/// Name under which a segment is made before it is complete.
pub(crate) const TEMPORARY: &str = "segment.tmp";

/// What the first sector of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub store: StoreId,
    pub number: u64,
    /// Where in an older segment this one takes over, if it was made at a start.
    pub takes_over: Option<LogPosition>,
}

impl SegmentHeader {
    pub(crate) fn encode(&self) -> [u8; SECTOR_BYTES as usize] {
        let mut sector = [0u8; SECTOR_BYTES as usize];
        sector[..8].copy_from_slice(&MAGIC);
        sector[16..32].copy_from_slice(&self.store);
        put_u64(&mut sector, 32, self.number);
        if let Some(position) = self.takes_over {
            assert!(position.segment < self.number, "a segment takes over from an older one");
            put_u64(&mut sector, 40, 1);
            put_u64(&mut sector, 48, position.segment);
            put_u64(&mut sector, 56, position.offset);
            put_u64(&mut sector, 64, position.commit);
        }
        let checksum = xxh3_64_with_seed(&sector[16..], self.number);
        put_u64(&mut sector, 8, checksum);
        sector
    }

    /// Reads and checks a header sector; the error says what is wrong with it.
    pub(crate) fn decode(sector: &[u8], number: u64, store: &StoreId) -> Result<Self, &'static str> {
        if sector.len() < SECTOR_BYTES as usize {
            return Err("the file is shorter than its header");
        }
        if sector[..8] != MAGIC {
            return Err("this is not a log segment");
        }
        if xxh3_64_with_seed(&sector[16..SECTOR_BYTES as usize], number) != u64_at(sector, 8) {
            return Err("the header's checksum is wrong");
        }
        if sector[16..32] != store[..] {
            return Err("the segment belongs to another store");
        }
        if u64_at(sector, 32) != number {
            return Err("the header names another segment");
        }
        let takes_over = (u64_at(sector, 40) == 1).then(|| LogPosition {
            segment: u64_at(sector, 48),
            offset: u64_at(sector, 56),
            commit: u64_at(sector, 64),
        });
        Ok(Self { store: *store, number, takes_over })
    }
}

/// Path of a segment.
pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:016}{SUFFIX}"))
}

/// Number of a segment from its file name, if it is one.
pub(crate) fn number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(SUFFIX)?;
    (digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_round_trip_and_refuse_every_flipped_bit() {
        let takes_over = Some(LogPosition { segment: 3, offset: 1024, commit: 77 });
        let header = SegmentHeader { store: [9; 16], number: 4, takes_over };
        let sector = header.encode();
        assert_eq!(SegmentHeader::decode(&sector, 4, &[9; 16]), Ok(header));
        for bit in 0..sector.len() * 8 {
            let mut bad = sector;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::decode(&bad, 4, &[9; 16]).is_err(), "bit {bit}");
        }
        assert!(SegmentHeader::decode(&sector, 5, &[9; 16]).is_err());
        assert!(SegmentHeader::decode(&sector, 4, &[8; 16]).is_err());
        assert!(SegmentHeader::decode(&sector[..511], 4, &[9; 16]).is_err());
    }

    #[test]
    fn names_round_trip() {
        let path = path(Path::new("d"), 42);
        assert_eq!(number(path.file_name().and_then(|n| n.to_str()).expect("a name")), Some(42));
        assert_eq!(number("segment.tmp"), None);
        assert_eq!(number("42.log"), None);
    }
}
