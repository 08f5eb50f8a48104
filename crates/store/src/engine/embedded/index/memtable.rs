//! The part of the index that is in memory: one writer, any number of readers that never wait.

use super::super::super::CommitNumber;
use super::table::Entry as Pair;
use bytes::Bytes;
use crossbeam_skiplist::{SkipMap, map::Entry};
use std::borrow::Borrow;
use std::cmp::{Ordering, Reverse};
use std::fmt::{self, Debug};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What an entry needs beside the bytes of key and value: the map's node and two allocations.
const ENTRY_BYTES: u64 = 160;
/// Older versions of one key that are stepped over one by one before a new search is cheaper.
const STEPS_MAX: usize = 8;

/// Every version of every key written since the memtable before it was sealed.
#[derive(Default)]
pub(super) struct Memtable {
    map: SkipMap<Slot, Option<Bytes>>,
    bytes: AtomicU64,
    last_commit: AtomicU64,
}

impl Debug for Memtable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memtable")
            .field("bytes", &self.bytes)
            .field("last_commit", &self.last_commit)
            .finish()
    }
}

/// Place of an entry: by key, the newest commit first.
struct Slot {
    /// First bytes of the key as a number, so that most comparisons need not follow the pointer.
    prefix: u128,
    key: Bytes,
    commit: CommitNumber,
}

/// A slot, or a borrowed key to look for.
trait Place {
    fn place(&self) -> (u128, &[u8], Reverse<CommitNumber>);
}

impl Place for Slot {
    fn place(&self) -> (u128, &[u8], Reverse<CommitNumber>) {
        (self.prefix, &self.key, Reverse(self.commit))
    }
}

/// A place to look for: all of a key's versions lie between commit `u64::MAX` and commit 0.
struct Probe<'k> {
    prefix: u128,
    key: &'k [u8],
    commit: CommitNumber,
}

impl<'k> Probe<'k> {
    fn new(key: &'k [u8], commit: CommitNumber) -> Self {
        Self { prefix: prefix(key), key, commit }
    }
}

impl Place for Probe<'_> {
    fn place(&self) -> (u128, &[u8], Reverse<CommitNumber>) {
        (self.prefix, self.key, Reverse(self.commit))
    }
}

impl Ord for dyn Place + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}
impl PartialOrd for dyn Place + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for dyn Place + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for dyn Place + '_ {}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}
impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Slot {}

impl<'p> Borrow<dyn Place + 'p> for Slot {
    fn borrow(&self) -> &(dyn Place + 'p) {
        self
    }
}

/// First 16 bytes of a key as a number, zeros behind a shorter one. Its order never contradicts the keys' own.
fn prefix(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let len = key.len().min(16);
    bytes[..len].copy_from_slice(&key[..len]);
    u128::from_be_bytes(bytes)
}

impl Memtable {
    /// Adds a version of a key. Commits come in order.
    pub(super) fn insert(&self, commit: CommitNumber, key: Bytes, value: Option<Bytes>) {
        let bytes = key.len() + value.as_ref().map_or(0, Bytes::len);
        self.map.insert(Slot { prefix: prefix(&key), key, commit }, value);
        self.bytes.fetch_add(bytes as u64 + ENTRY_BYTES, Relaxed);
    }

    /// Notes that a commit is in here as a whole, also if it had no writes.
    pub(super) fn commit(&self, commit: CommitNumber) {
        self.last_commit.store(commit, Relaxed);
    }

    /// Newest commit in here, 0 if none.
    pub(super) fn last_commit(&self) -> CommitNumber {
        self.last_commit.load(Relaxed)
    }

    /// Estimate of the memory in use, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The newest version of a key that is not younger than `commit`: `None` if there is none, `Some(None)` if removed.
    pub(super) fn get(&self, key: &[u8], commit: CommitNumber) -> Option<Option<Bytes>> {
        let entry = self.version(key, commit)?;
        Some(entry.value().clone())
    }

    fn version(&self, key: &[u8], commit: CommitNumber) -> Option<Entry<'_, Slot, Option<Bytes>>> {
        let probe: &dyn Place = &Probe::new(key, commit);
        self.map.lower_bound(Bound::Included(probe)).filter(|entry| entry.key().key == key)
    }

    /// The newest version not younger than `commit` of each key within bounds, from both ends.
    pub(super) fn range(&self, from: Bound<Bytes>, to: Bound<Bytes>, commit: CommitNumber) -> MemRange<'_> {
        MemRange { table: self, commit, from, to, at: None }
    }
}

/// Versions within bounds, as one commit sees them. The bounds close in as entries are taken from the ends.
pub(super) struct MemRange<'m> {
    table: &'m Memtable,
    commit: CommitNumber,
    from: Bound<Bytes>,
    to: Bound<Bytes>,
    /// The entry taken last from the front, to step on from.
    at: Option<Entry<'m, Slot, Option<Bytes>>>,
}

impl<'m> MemRange<'m> {
    /// First entry in map order that lies behind the lower bound.
    fn first_entry(&self) -> Option<Entry<'m, Slot, Option<Bytes>>> {
        let map = &self.table.map;
        if let Some(at) = &self.at {
            let mut next = at.next();
            for _ in 0..STEPS_MAX {
                match &next {
                    Some(entry) if entry.key().key == at.key().key => next = entry.next(),
                    _ => return next,
                }
            }
        }
        match &self.from {
            Bound::Unbounded => map.front(),
            Bound::Included(key) => {
                map.lower_bound(Bound::Included(&Probe::new(key, CommitNumber::MAX) as &dyn Place))
            }
            Bound::Excluded(key) => map.lower_bound(Bound::Excluded(&Probe::new(key, 0) as &dyn Place)),
        }
    }

    fn last_entry(&self) -> Option<Entry<'m, Slot, Option<Bytes>>> {
        let map = &self.table.map;
        match &self.to {
            Bound::Unbounded => map.back(),
            Bound::Included(key) => map.upper_bound(Bound::Included(&Probe::new(key, 0) as &dyn Place)),
            Bound::Excluded(key) => {
                map.upper_bound(Bound::Excluded(&Probe::new(key, CommitNumber::MAX) as &dyn Place))
            }
        }
    }

    fn below_end(&self, key: &[u8]) -> bool {
        match &self.to {
            Bound::Unbounded => true,
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
        }
    }

    fn above_start(&self, key: &[u8]) -> bool {
        match &self.from {
            Bound::Unbounded => true,
            Bound::Included(start) => key >= start,
            Bound::Excluded(start) => key > start,
        }
    }
}

impl Iterator for MemRange<'_> {
    type Item = Pair;

    fn next(&mut self) -> Option<Pair> {
        loop {
            let mut entry = self.first_entry()?;
            let key = entry.key().key.clone();
            if !self.below_end(&key) {
                return None;
            }
            self.from = Bound::Excluded(key.clone());
            if entry.key().commit > self.commit {
                match self.table.version(&key, self.commit) {
                    Some(version) => entry = version,
                    None => {
                        self.at = Some(entry);
                        continue;
                    }
                }
            }
            let value = entry.value().clone();
            self.at = Some(entry);
            return Some((key, value));
        }
    }
}

impl DoubleEndedIterator for MemRange<'_> {
    fn next_back(&mut self) -> Option<Pair> {
        loop {
            let entry = self.last_entry()?;
            let key = entry.key().key.clone();
            if !self.above_start(&key) {
                return None;
            }
            self.to = Bound::Excluded(key.clone());
            if let Some(version) = self.table.version(&key, self.commit) {
                return Some((key, version.value().clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn filled() -> Memtable {
        let table = Memtable::default();
        for commit in 1..=30_u64 {
            for key in [
                "a",
                "a\0",
                "b",
                "long key that goes on for a while 1",
                "long key that goes on for a while 2",
            ] {
                if !(commit + key.len() as u64).is_multiple_of(3) {
                    let value = (!commit.is_multiple_of(7)).then(|| bytes(&format!("{key}@{commit}")));
                    table.insert(commit, bytes(key), value);
                }
            }
            table.commit(commit);
        }
        table
    }

    fn model(commit: CommitNumber) -> BTreeMap<Bytes, Option<Bytes>> {
        let table = filled();
        let mut model = BTreeMap::new();
        let mut slots: Vec<_> = table.map.iter().collect();
        slots.sort_by_key(|entry| entry.key().commit);
        for entry in slots.iter().filter(|entry| entry.key().commit <= commit) {
            model.insert(entry.key().key.clone(), entry.value().clone());
        }
        model
    }

    #[test]
    fn a_commit_sees_its_own_past_from_both_ends() {
        let table = filled();
        for commit in 0..=31 {
            let expected: Vec<_> = model(commit).into_iter().collect();
            let range = || table.range(Bound::Unbounded, Bound::Unbounded, commit);
            assert_eq!(range().collect::<Vec<_>>(), expected, "commit {commit}");
            let mut back: Vec<_> = range().rev().collect();
            back.reverse();
            assert_eq!(back, expected, "commit {commit}, from the back");
            for (key, value) in &expected {
                assert_eq!(table.get(key, commit), Some(value.clone()));
            }
            let mut both = range();
            let mut taken = Vec::new();
            while let Some(pair) = both.next() {
                taken.push(pair);
                taken.extend(both.next_back());
            }
            taken.sort();
            assert_eq!(taken, expected, "commit {commit}, from both ends");
        }
    }

    #[test]
    fn bounds_are_kept() {
        let table = filled();
        let (a, b) = (bytes("a"), bytes("b"));
        let keys = |from, to| table.range(from, to, 30).map(|pair| pair.0).collect::<Vec<_>>();
        assert_eq!(keys(Bound::Included(a.clone()), Bound::Excluded(b.clone())), [bytes("a"), bytes("a\0")]);
        assert_eq!(keys(Bound::Excluded(a.clone()), Bound::Included(b.clone())), [bytes("a\0"), bytes("b")]);
        let back = |from, to| table.range(from, to, 30).rev().map(|pair| pair.0).collect::<Vec<_>>();
        assert_eq!(back(Bound::Included(a.clone()), Bound::Excluded(b.clone())), [bytes("a\0"), bytes("a")]);
        assert_eq!(back(Bound::Excluded(a), Bound::Included(b)), [bytes("b"), bytes("a\0")]);
    }
}
