//! The index on disk against a plain map: in any order of flushes and merges, with many threads, and with damaged files.

mod concurrent;
mod damage;
mod model;
mod room;

use super::super::super::{Batch, Pair, View, Write};
use super::{FamilyPolicy, Index, IndexOptions, LsmIndex, ScrubbedTable, TableCondition};
use bytes::Bytes;
use std::ops::Bound;

/// Overwritten in any order.
const ITEMS: u8 = 2;
/// Keys grow, removals come from the front.
const APPENDED: u8 = 4;

/// Everything so small that a few hundred keys make several levels.
fn tiny() -> IndexOptions {
    let default_policy = FamilyPolicy {
        level0_runs: 2,
        base_bytes: 6 << 10,
        fan_out: 2,
        table_bytes: 2 << 10,
        ..FamilyPolicy::LEVELED
    };
    let append = FamilyPolicy { level0_runs: 2, table_bytes: 2 << 10, ..FamilyPolicy::APPEND_ONLY };
    let write_once = FamilyPolicy { filter: false, level0_runs: 3, ..default_policy };
    IndexOptions {
        memtable_bytes: 8 << 10,
        cache_bytes: 64 << 10,
        pinned_filter_bytes: 1 << 10,
        open_files: 4,
        policies: vec![(APPENDED, append), (3, write_once)],
        default_policy,
    }
}

fn key(family: u8, number: u32) -> Bytes {
    // Long common beginnings and different lengths, as real keys have.
    let tail = usize::try_from(number % 5).unwrap_or_default();
    [&[family][..], b"space one", &number.to_be_bytes(), &b"-tail"[..tail]].concat().into()
}

fn write(family: u8, number: u32, value: Option<&str>) -> Write {
    Write { key: key(family, number), value: value.map(|text| Bytes::copy_from_slice(text.as_bytes())) }
}

fn batch(mut writes: Vec<Write>) -> Batch {
    writes.sort_by(|a, b| a.key.cmp(&b.key));
    writes.dedup_by(|later, kept| later.key == kept.key);
    Batch { writes, ..Batch::default() }
}

fn all(view: &dyn View) -> Vec<Pair> {
    view.range(Bound::Unbounded, Bound::Unbounded).map(|pair| pair.unwrap()).collect()
}

/// Every table that is not as it was written.
fn scrub(index: &LsmIndex) -> Vec<ScrubbedTable> {
    let tables = index.tables().into_iter().filter_map(|id| index.scrub(id));
    tables.filter(|table| table.condition != TableCondition::Sound).collect()
}

fn compact_all(index: &LsmIndex) {
    while index.compact().unwrap() {}
}

fn flush_all(index: &LsmIndex) {
    index.seal(true);
    while index.flush().unwrap() {}
}
