//! The value envelope: what stands before the payload of every row of `current` and `history`.
//!
//! ```text
//! version byte 1 | kind (0 value, 1 tombstone) | since u64 | varint size | varint blob count | per blob epoch u64, counter u64 | payload
//! ```
//! Integers are little-endian. `since` is the version that wrote the value, `size` its logical size (what the service
//! counts, not the bytes stored).

use crate::encoding::{push_varint, read_varint};
use crate::{BlobId, Value, Version};
use bytes::Bytes;

const FORMAT: u8 = 1;
const KIND_VALUE: u8 = 0;
const KIND_TOMBSTONE: u8 = 1;

/// A decoded envelope; `None` in place of a value is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Envelope {
    Value(Value),
    Tombstone { since: Version },
}

impl Envelope {
    pub(crate) fn since(&self) -> Version {
        match self {
            Self::Value(value) => value.since,
            Self::Tombstone { since } => *since,
        }
    }

    pub(crate) fn into_value(self) -> Option<Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Tombstone { .. } => None,
        }
    }
}

/// Encodes a value.
pub(crate) fn encode(since: Version, size: u64, blobs: &[BlobId], payload: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(16 + blobs.len() * 16 + payload.len());
    out.push(FORMAT);
    out.push(KIND_VALUE);
    out.extend_from_slice(&since.to_le_bytes());
    push_varint(&mut out, size);
    push_varint(&mut out, blobs.len() as u64);
    for blob in blobs {
        out.extend_from_slice(&blob.epoch.to_le_bytes());
        out.extend_from_slice(&blob.counter.to_le_bytes());
    }
    out.extend_from_slice(payload);
    out.into()
}

/// Decodes an envelope; the payload is a window into `bytes`.
pub(crate) fn decode(bytes: &Bytes) -> Result<Envelope, String> {
    let [format, kind, rest @ ..] = &bytes[..] else { return Err("an envelope is too short".to_owned()) };
    if *format != FORMAT {
        return Err(format!("an envelope of format {format}; this build knows format {FORMAT}"));
    }
    let short = || "an envelope ends too early".to_owned();
    let since = u64::from_le_bytes(rest.get(..8).ok_or_else(short)?.try_into().map_err(|_| short())?);
    match *kind {
        KIND_TOMBSTONE if rest.len() == 8 => return Ok(Envelope::Tombstone { since }),
        KIND_VALUE => {}
        _ => return Err(format!("an envelope of kind {kind}")),
    }
    let mut at = 10;
    let (size, used) = read_varint(&bytes[at..]).ok_or_else(short)?;
    at += used;
    let (count, used) = read_varint(&bytes[at..]).ok_or_else(short)?;
    at += used;
    let mut blobs = Vec::new();
    for _ in 0..count {
        let pair: [u8; 16] = bytes.get(at..at + 16).ok_or_else(short)?.try_into().map_err(|_| short())?;
        let number = u128::from_le_bytes(pair);
        blobs.push(BlobId { epoch: number as u64, counter: (number >> 64) as u64 });
        at += 16;
    }
    Ok(Envelope::Value(Value { since, size, payload: bytes.slice(at..), blobs }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_round_trip(since in any::<u64>(), size in any::<u64>(), ids in proptest::collection::vec(any::<(u64, u64)>(), 0..3),
                payload in proptest::collection::vec(any::<u8>(), 0..50)) {
            let blobs: Vec<BlobId> = ids.iter().map(|(epoch, counter)| BlobId { epoch: *epoch, counter: *counter }).collect();
            let bytes = encode(since, size, &blobs, &payload);
            prop_assert_eq!(decode(&bytes), Ok(Envelope::Value(Value { since, size, payload: payload.into(), blobs })));
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if bytes.len() > 2 { bytes[0] = FORMAT; bytes[1] &= 1; }
            let _ = decode(&Bytes::from(bytes));
        }
    }
}
