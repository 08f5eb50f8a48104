//! From the keys that a query asks for to bounds of the keys of rows.

use super::source::Source;
use crate::expression::{KeyRange, SortRange};
use crate::key::{self, ScalarType};
use holdfast_state::key::successor;
use std::ops::Bound;

/// Bounds of the rows of a range of keys. Rows of a table have the sort key as it is, to the end; rows of an index have it
/// escaped and ended, further attributes of it and the item's key behind it.
pub(crate) fn rows(source: &Source<'_>, range: &KeyRange) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    let parts: Vec<(ScalarType, &[u8])> =
        range.partition.iter().map(|(kind, bytes)| (*kind, bytes.as_slice())).collect();
    let room = 64 + parts.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let mut partition = key::of_partitions(source.family(), &parts, room);
    for (kind, bytes) in &range.equal {
        partition.u8(kind.tag()).bytes(bytes);
    }
    let behind = || {
        let end = partition.clone().prefix().end();
        end.map_or(Bound::Unbounded, Bound::Excluded)
    };
    let start = || Bound::Included(partition.clone().finish());
    let sort = source.keys().sort().get(range.equal.len());
    let Some(sort) = sort.filter(|_| range.sort != SortRange::All) else {
        return (start(), behind());
    };
    let of_index = source.index().is_some();
    let row = |bytes: Vec<u8>| {
        let mut key = partition.clone();
        key.u8(sort.kind.tag());
        if of_index {
            key.bytes(&bytes)
        } else {
            key.raw(&bytes)
        };
        key.finish()
    };
    // Behind every row of one sort key. Of an index there are many, and the end of the escaped key keeps longer ones out; of
    // a table there is one.
    let behind_rows = |row: Vec<u8>| {
        if !of_index {
            return Bound::Included(row);
        }
        successor(&row).map_or(Bound::Unbounded, Bound::Excluded)
    };
    let (low, high) = range.sort.bounds();
    let from = match low {
        Bound::Unbounded => start(),
        Bound::Included(bytes) => Bound::Included(row(bytes)),
        Bound::Excluded(bytes) if of_index => {
            let row = row(bytes);
            Bound::Included(successor(&row).unwrap_or(row))
        }
        Bound::Excluded(bytes) => Bound::Excluded(row(bytes)),
    };
    let to = match high {
        Bound::Unbounded => behind(),
        Bound::Included(bytes) => behind_rows(row(bytes)),
        Bound::Excluded(bytes) => Bound::Excluded(row(bytes)),
    };
    (from, to)
}
