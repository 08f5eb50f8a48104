//! One frame: a header, the writes of one commit as physical redo, zeros up to the next sector.
//!
//! ```text
//! offset size
//!      0    8  magic "HFFRAME\x01"
//!      8    8  checksum: xxh3-64 of bytes 16 .. 64 + payload length, seeded with (store id, segment, offset)
//!     16    4  payload length in bytes
//!     20    4  number of writes
//!     24    8  commit number
//!     32    8  epoch of the writer
//!     40    8  first version (equal to the previous last version if this commit holds none)
//!     48    8  last version
//!     56    8  durable: highest commit number known synced when this frame was written
//!     64       payload: per write  kind (0 remove, 1 put), varint key length, key [, varint value length, value]
//! ```
//! All integers are little-endian. The seed makes a frame valid in one place only: a copy of it elsewhere, or one of
//! another store, is not a frame.

use super::super::super::{Batch, CommitNumber, Epoch, Write};
use super::StoreId;
use crate::encoding::{push_varint, read_varint};
use crate::io::SECTOR_BYTES;
use bytes::Bytes;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// First bytes of every frame.
pub(crate) const MAGIC: [u8; 8] = *b"HFFRAME\x01";
/// Bytes before the payload.
pub(crate) const HEADER_BYTES: usize = 64;
/// Largest payload of one frame: one operation of 64 MiB beside a group of 8 MiB, with room for their framing.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 80 << 20;

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameHeader {
    pub checksum: u64,
    pub payload_bytes: usize,
    pub writes: usize,
    pub commit: CommitNumber,
    pub epoch: Epoch,
    pub first_version: u64,
    pub last_version: u64,
    pub durable: CommitNumber,
}

impl FrameHeader {
    /// Reads a header; `None` if there is no frame magic or its length cannot be one of ours.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < HEADER_BYTES || bytes[..8] != MAGIC {
            return None;
        }
        let payload_bytes = u32_at(bytes, 16) as usize;
        if payload_bytes > PAYLOAD_BYTES_MAX {
            return None;
        }
        Some(Self {
            checksum: u64_at(bytes, 8),
            payload_bytes,
            writes: u32_at(bytes, 20) as usize,
            commit: u64_at(bytes, 24),
            epoch: u64_at(bytes, 32),
            first_version: u64_at(bytes, 40),
            last_version: u64_at(bytes, 48),
            durable: u64_at(bytes, 56),
        })
    }

    /// Bytes that the frame occupies, a multiple of the sector size.
    pub(crate) fn frame_bytes(&self) -> u64 {
        (HEADER_BYTES as u64 + self.payload_bytes as u64).next_multiple_of(SECTOR_BYTES)
    }
}

/// Seed of the checksum of a frame at a place.
fn seed(store: &StoreId, segment: u64, offset: u64) -> u64 {
    let mut place = [0u8; 32];
    place[..16].copy_from_slice(store);
    place[16..24].copy_from_slice(&segment.to_le_bytes());
    place[24..].copy_from_slice(&offset.to_le_bytes());
    xxh3_64(&place)
}

/// Whether `frame` (header and payload, at least) is the frame that was written at this place.
pub(crate) fn is_valid(
    frame: &[u8],
    header: &FrameHeader,
    store: &StoreId,
    segment: u64,
    offset: u64,
) -> bool {
    let end = HEADER_BYTES + header.payload_bytes;
    frame.len() >= end && xxh3_64_with_seed(&frame[16..end], seed(store, segment, offset)) == header.checksum
}

/// A frame being formed: everything but its place is known. The buffer is reused from commit to commit.
#[derive(Debug, Default)]
pub(crate) struct FrameBuffer {
    bytes: Vec<u8>,
}

impl FrameBuffer {
    /// Forms the frame of `batch`; [`FrameBuffer::place`] completes it.
    pub(crate) fn fill(&mut self, batch: &Batch, commit: CommitNumber, epoch: Epoch, durable: CommitNumber) {
        debug_assert!(batch.is_sorted(), "a batch has each key once, in order");
        assert!(durable < commit, "a frame is not durable before it is written");
        let out = &mut self.bytes;
        out.clear();
        out.resize(HEADER_BYTES, 0);
        for write in &batch.writes {
            match &write.value {
                Some(value) => {
                    out.push(1);
                    push_bytes(out, &write.key);
                    push_bytes(out, value);
                }
                None => {
                    out.push(0);
                    push_bytes(out, &write.key);
                }
            }
        }
        let payload_bytes = out.len() - HEADER_BYTES;
        assert!(payload_bytes <= PAYLOAD_BYTES_MAX, "a commit was let in that is too large for a frame");
        out[..8].copy_from_slice(&MAGIC);
        put_u32(out, 16, payload_bytes);
        put_u32(out, 20, batch.writes.len());
        put_u64(out, 24, commit);
        put_u64(out, 32, epoch);
        put_u64(out, 40, batch.first_version);
        put_u64(out, 48, batch.last_version);
        put_u64(out, 56, durable);
    }

    /// Takes over an existing frame's bytes (header and payload), to write it at a new place.
    pub(crate) fn copy_from(&mut self, header_and_payload: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(header_and_payload);
    }

    /// Seals the frame for a place and returns its bytes, padded to whole sectors.
    pub(crate) fn place(&mut self, store: &StoreId, segment: u64, offset: u64) -> &[u8] {
        assert_eq!(offset % SECTOR_BYTES, 0, "frames begin on sectors");
        let header = FrameHeader::parse(&self.bytes).unwrap_or_else(|| unreachable!("the buffer was filled"));
        let end = HEADER_BYTES + header.payload_bytes;
        self.bytes.truncate(end);
        let checksum = xxh3_64_with_seed(&self.bytes[16..end], seed(store, segment, offset));
        put_u64(&mut self.bytes, 8, checksum);
        self.bytes.resize(end.next_multiple_of(SECTOR_BYTES as usize), 0);
        &self.bytes
    }

    /// Bytes the frame will occupy.
    pub(crate) fn frame_bytes(&self) -> u64 {
        (self.bytes.len() as u64).next_multiple_of(SECTOR_BYTES)
    }
}

/// Reads the writes of a frame whose checksum was right. `None` means that the writer itself was wrong: damage.
pub(crate) fn decode(frame: &Bytes, header: &FrameHeader) -> Option<Batch> {
    let end = HEADER_BYTES + header.payload_bytes;
    let mut at = HEADER_BYTES;
    let mut writes = Vec::with_capacity(header.writes.min(1 << 16));
    while at < end {
        let kind = frame[at];
        at += 1;
        let key = take_bytes(frame, &mut at, end)?;
        let value = match kind {
            0 => None,
            1 => Some(take_bytes(frame, &mut at, end)?),
            _ => return None,
        };
        writes.push(Write { key, value });
    }
    let batch = Batch { writes, first_version: header.first_version, last_version: header.last_version };
    (batch.writes.len() == header.writes && batch.is_sorted()).then_some(batch)
}

fn take_bytes(frame: &Bytes, at: &mut usize, end: usize) -> Option<Bytes> {
    let (len, used) = read_varint(&frame[*at..end])?;
    let start = at.checked_add(used)?;
    let stop = start.checked_add(usize::try_from(len).ok()?)?;
    if stop > end {
        return None;
    }
    *at = stop;
    Some(frame.slice(start..stop))
}

fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    push_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default())
}

pub(in super::super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default())
}

fn put_u32(bytes: &mut [u8], at: usize, value: usize) {
    let value = u32::try_from(value).unwrap_or_else(|_| unreachable!("bounded by PAYLOAD_BYTES_MAX"));
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub(in super::super) fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STORE: StoreId = [7; 16];

    fn batch(pairs: &[(&[u8], Option<&[u8]>)]) -> Batch {
        let mut writes: Vec<Write> = pairs
            .iter()
            .map(|(k, v)| Write { key: Bytes::copy_from_slice(k), value: v.map(Bytes::copy_from_slice) })
            .collect();
        writes.sort_by(|a, b| a.key.cmp(&b.key));
        writes.dedup_by(|a, b| a.key == b.key);
        Batch { writes, first_version: 3, last_version: 4 }
    }

    #[test]
    fn a_frame_is_valid_only_at_its_place() {
        let mut buffer = FrameBuffer::default();
        buffer.fill(&batch(&[(b"a", Some(b"1")), (b"b", None)]), 9, 2, 8);
        let frame = Bytes::copy_from_slice(buffer.place(&STORE, 5, 1024));
        assert_eq!(frame.len() % 512, 0);
        let header = FrameHeader::parse(&frame).expect("a frame");
        assert!(is_valid(&frame, &header, &STORE, 5, 1024));
        assert!(!is_valid(&frame, &header, &STORE, 5, 512));
        assert!(!is_valid(&frame, &header, &STORE, 6, 1024));
        assert!(!is_valid(&frame, &header, &[8; 16], 5, 1024));
        let back = decode(&frame, &header).expect("decodes");
        assert_eq!(back, batch(&[(b"a", Some(b"1")), (b"b", None)]));
    }

    proptest! {
        #[test]
        fn frames_round_trip(pairs in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40),
                proptest::option::of(proptest::collection::vec(any::<u8>(), 0..700))), 0..20)) {
            let pairs: Vec<(&[u8], Option<&[u8]>)> =
                pairs.iter().map(|(k, v)| (k.as_slice(), v.as_deref())).collect();
            let batch = batch(&pairs);
            let mut buffer = FrameBuffer::default();
            buffer.fill(&batch, 1, 1, 0);
            let frame = Bytes::copy_from_slice(buffer.place(&STORE, 1, 512));
            let header = FrameHeader::parse(&frame).expect("a frame");
            prop_assert!(is_valid(&frame, &header, &STORE, 1, 512));
            prop_assert_eq!(decode(&frame, &header).expect("decodes"), batch);
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if bytes.len() >= 24 { bytes[..8].copy_from_slice(&MAGIC); bytes[18] = 0; bytes[19] = 0; }
            if let Some(header) = FrameHeader::parse(&bytes) {
                prop_assert!(!is_valid(&bytes, &header, &STORE, 1, 512));
                if HEADER_BYTES + header.payload_bytes <= bytes.len() {
                    let _ = decode(&Bytes::from(bytes), &header);
                }
            }
        }
    }
}
