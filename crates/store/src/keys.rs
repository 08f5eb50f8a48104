//! Engine keys: the append-only registry of families, and how keys within them are made.
//!
//! | byte | family | key behind it | value |
//! |---|---|---|---|
//! | 1 | `meta` | nothing | [`Meta`](crate::records::Meta) |
//! | 2 | `current` | space u32, escaped key | [envelope](crate::envelope) |
//! | 3 | `history` | space u32, escaped key, superseded u64 | envelope |
//! | 4 | `commits` | version u64 | [`CommitRow`](crate::commit_row::CommitRow) |
//! | 5 | `counters` | space u32 | items, bytes |
//! | 6 | `spaces` | space u32 | [`SpaceRecord`](crate::records::SpaceRecord) |
//! | 7 | `roots` | name | catalog space u32 |
//! | 8 | `pins` | pin id u64 | [`Pin`](crate::records::Pin) |
//! | 9 | `blobs` | start epoch u64, counter u64 | length, checksum, references |
//! | 10 | `garbage` | start epoch u64, counter u64 | nothing |
//! | 11 | `jobs` | job id u64 | [`JobRecord`](crate::jobs::JobRecord) |
//! | 12 | `losses` | first lost version u64 | [`Loss`](crate::losses::Loss) |
//!
//! Integers in keys are big-endian, so that byte order is numeric order. A user key is escaped (`00` → `00 FF`) and ended
//! by `00 01`, so that a version can follow and a key sorts before every longer key that begins with it.

use crate::{BlobId, SpaceId, Version};
use bytes::Bytes;
use std::ops::Bound;

/// Families. Append only: a byte is never given a second meaning.
pub(crate) mod family {
    pub(crate) const META: u8 = 1;
    pub(crate) const CURRENT: u8 = 2;
    pub(crate) const HISTORY: u8 = 3;
    pub(crate) const COMMITS: u8 = 4;
    pub(crate) const COUNTERS: u8 = 5;
    pub(crate) const SPACES: u8 = 6;
    pub(crate) const ROOTS: u8 = 7;
    pub(crate) const PINS: u8 = 8;
    pub(crate) const BLOBS: u8 = 9;
    pub(crate) const GARBAGE: u8 = 10;
    pub(crate) const JOBS: u8 = 11;
    pub(crate) const LOSSES: u8 = 12;
}

const ESCAPE: u8 = 0x00;
const ESCAPED_ZERO: u8 = 0xFF;
const END: u8 = 0x01;

/// Longest user key in bytes, before escaping here. The longest one in use is that of a DynamoDB index row: four keys of 2,048
/// and 1,024 bytes, most of them escaped before, of which every byte may be a zero.
pub const USER_KEY_BYTES_MAX: usize = 16 << 10;

fn start(family: u8, capacity: usize) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + capacity);
    key.push(family);
    key
}

fn push_escaped(out: &mut Vec<u8>, user_key: &[u8]) {
    for byte in user_key {
        out.push(*byte);
        if *byte == ESCAPE {
            out.push(ESCAPED_ZERO);
        }
    }
}

fn with_u64(family: u8, number: u64) -> Bytes {
    let mut key = start(family, 8);
    key.extend_from_slice(&number.to_be_bytes());
    key.into()
}

fn with_u32(family: u8, number: u32) -> Bytes {
    let mut key = start(family, 4);
    key.extend_from_slice(&number.to_be_bytes());
    key.into()
}

pub(crate) fn meta() -> Bytes {
    Bytes::from_static(&[family::META])
}

fn spaced(family: u8, space: SpaceId, user_key: &[u8], spare: usize) -> Vec<u8> {
    let mut key = start(family, 4 + user_key.len() + 4 + spare);
    key.extend_from_slice(&space.0.to_be_bytes());
    push_escaped(&mut key, user_key);
    key.extend_from_slice(&[ESCAPE, END]);
    key
}

pub(crate) fn current(space: SpaceId, user_key: &[u8]) -> Bytes {
    spaced(family::CURRENT, space, user_key, 0).into()
}

pub(crate) fn history(space: SpaceId, user_key: &[u8], superseded: Version) -> Bytes {
    let mut key = spaced(family::HISTORY, space, user_key, 8);
    key.extend_from_slice(&superseded.to_be_bytes());
    key.into()
}

pub(crate) fn commits(version: Version) -> Bytes {
    with_u64(family::COMMITS, version)
}

pub(crate) fn counters(space: SpaceId) -> Bytes {
    with_u32(family::COUNTERS, space.0)
}

pub(crate) fn spaces(space: SpaceId) -> Bytes {
    with_u32(family::SPACES, space.0)
}

pub(crate) fn roots(name: &str) -> Bytes {
    let mut key = start(family::ROOTS, name.len());
    key.extend_from_slice(name.as_bytes());
    key.into()
}

pub(crate) fn pins(id: u64) -> Bytes {
    with_u64(family::PINS, id)
}

pub(crate) fn jobs(id: u64) -> Bytes {
    with_u64(family::JOBS, id)
}

pub(crate) fn losses(first: Version) -> Bytes {
    with_u64(family::LOSSES, first)
}

pub(crate) fn blobs(blob: BlobId) -> Bytes {
    blob_key(family::BLOBS, blob)
}

pub(crate) fn garbage(blob: BlobId) -> Bytes {
    blob_key(family::GARBAGE, blob)
}

fn blob_key(family: u8, blob: BlobId) -> Bytes {
    let mut key = start(family, 16);
    key.extend_from_slice(&blob.epoch.to_be_bytes());
    key.extend_from_slice(&blob.counter.to_be_bytes());
    key.into()
}

/// The whole of a family, as bounds.
pub(crate) fn whole(family: u8) -> (Vec<u8>, Vec<u8>) {
    (vec![family], vec![family + 1])
}

/// All rows of a space within `current` or `history`, as bounds (from inclusive, to exclusive).
pub(crate) fn whole_space(family: u8, space: SpaceId) -> (Vec<u8>, Vec<u8>) {
    let mut from = start(family, 4);
    from.extend_from_slice(&space.0.to_be_bytes());
    let to = match space.0.checked_add(1) {
        Some(next) => {
            let mut to = start(family, 4);
            to.extend_from_slice(&next.to_be_bytes());
            to
        }
        None => vec![family + 1],
    };
    (from, to)
}

/// Bounds of user keys as bounds of engine keys in `current` or `history`. An `Included` upper bound in `history` covers
/// every version of its key.
pub(crate) fn bounds(family: u8, space: SpaceId, from: Bound<&[u8]>, to: Bound<&[u8]>) -> (Vec<u8>, Vec<u8>) {
    let (first, last) = whole_space(family, space);
    let after = |key: &[u8]| {
        let mut bound = spaced(family, space, key, 0);
        let end = bound.len() - 1;
        bound[end] = END + 1;
        bound
    };
    let from = match from {
        Bound::Unbounded => first,
        Bound::Included(key) => spaced(family, space, key, 0),
        Bound::Excluded(key) => after(key),
    };
    let to = match to {
        Bound::Unbounded => last,
        Bound::Included(key) => after(key),
        Bound::Excluded(key) => spaced(family, space, key, 0),
    };
    (from, to)
}

/// Takes a `current` or `history` key apart: space, user key, and what follows (the version in `history`).
pub(crate) fn split(engine_key: &[u8]) -> Option<(SpaceId, Vec<u8>, &[u8])> {
    let space = u32::from_be_bytes(engine_key.get(1..5)?.try_into().ok()?);
    let mut user_key = Vec::with_capacity(engine_key.len() - 5);
    let mut rest = engine_key.get(5..)?;
    loop {
        let escape = rest.iter().position(|byte| *byte == ESCAPE)?;
        user_key.extend_from_slice(&rest[..escape]);
        match rest[escape..] {
            [ESCAPE, END, ..] => return Some((SpaceId(space), user_key, &rest[escape + 2..])),
            [ESCAPE, ESCAPED_ZERO, ..] => user_key.push(ESCAPE),
            _ => return None,
        }
        rest = &rest[escape + 2..];
    }
}

/// The version at the end of a `history` or `commits` key.
pub(crate) fn version(tail: &[u8]) -> Option<Version> {
    Some(u64::from_be_bytes(tail.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_is_kept_and_keys_come_back(a in proptest::collection::vec(0u8..3, 0..6),
                b in proptest::collection::vec(0u8..3, 0..6), v in any::<u64>()) {
            let space = SpaceId(7);
            prop_assert_eq!(current(space, &a).cmp(&current(space, &b)), a.cmp(&b));
            if a < b {
                prop_assert!(history(space, &a, u64::MAX) < history(space, &b, 0));
            }
            let key = history(space, &a, v);
            let (s, k, tail) = split(&key).expect("splits");
            prop_assert_eq!((s, k, version(tail)), (space, a.clone(), Some(v)));
            let (from, to) = bounds(family::HISTORY, space, Bound::Included(&a), Bound::Included(&a));
            prop_assert!(from.as_slice() <= &key[..] && &key[..] < to.as_slice());
            let (from, _) = bounds(family::CURRENT, space, Bound::Excluded(&a), Bound::Unbounded);
            prop_assert_eq!(from.as_slice() <= &current(space, &b)[..], a < b);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = split(&bytes);
        }
    }
}
