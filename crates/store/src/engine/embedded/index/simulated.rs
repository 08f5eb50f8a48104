//! An index in memory that forgets as a disk does: for tests of everything around an index.
//!
//! It keeps what every manifest that may still be named by a checkpoint stood for, and every commit since. After a
//! crash each key comes back in some state that it had at or after the manifest, chosen by a seed, each key by itself: more
//! disorder than any real index makes. Replaying the log from the manifest on must still lead to the right state, because
//! replay is blind and idempotent.

use super::super::super::{Batch, CommitNumber, Pair, Range, ReadError, View, Write};
use super::{Index, IndexError, IndexStats, Manifest};
use bytes::{Buf, Bytes};
use imbl::OrdMap;
use parking_lot::Mutex;
use std::ops::Bound;
use std::sync::Arc;

type Map = OrdMap<Bytes, Bytes>;

/// What files are called in its errors.
const NAME: &str = "simulated index";
const ENTRY_BYTES: u64 = 100;

/// See the module.
#[derive(Debug)]
pub(crate) struct SimulatedIndex {
    memtable_bytes: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    current: Map,
    applied: CommitNumber,
    active: Memory,
    /// Oldest first.
    sealed: Vec<Memory>,
    /// What the current manifest stands for.
    newest: Flushed,
    /// What each older manifest stands for that may still be named by a checkpoint, oldest first.
    older: Vec<Flushed>,
    /// Everything applied after the oldest of these.
    log: Vec<(CommitNumber, Vec<Write>)>,
    /// What the next flush or merge answers instead of doing anything.
    fault: Option<IndexError>,
}

/// A memtable: the newest commit in it, its size, and the map as of then.
#[derive(Debug, Clone, Default)]
struct Memory {
    last: CommitNumber,
    bytes: u64,
    map: Map,
}

#[derive(Debug, Clone, Default)]
struct Flushed {
    generation: u64,
    flushed: CommitNumber,
    map: Map,
}

impl SimulatedIndex {
    /// An empty index whose memtables are ready to be sealed at this size.
    pub(crate) fn new(memtable_bytes: u64) -> Self {
        Self { memtable_bytes, inner: Mutex::default() }
    }

    /// The index after a crash, opened with the manifest of the checkpoint that survived: each key as the manifest had it
    /// or as any later commit left it, whichever the seed says. A manifest that was given up is refused: its tables would
    /// be gone from a real disk.
    pub(crate) fn reopen_after_crash(
        &self,
        manifest: Option<&Manifest>,
        seed: u64,
    ) -> Result<Self, IndexError> {
        let mut inner = self.surviving(manifest)?;
        let Flushed { map: base, flushed, .. } = inner.newest.clone();
        let mut current = base.clone();
        let mut states: std::collections::BTreeMap<Bytes, Vec<Option<Bytes>>> =
            std::collections::BTreeMap::new();
        for write in inner.log.iter().filter(|(commit, _)| *commit > flushed).flat_map(|(_, writes)| writes) {
            let base = || vec![base.get(&write.key).cloned()];
            states.entry(write.key.clone()).or_insert_with(base).push(write.value.clone());
        }
        let mut random = seed;
        for (key, states) in states {
            let chosen = usize::try_from(next_random(&mut random) % states.len() as u64).unwrap_or_default();
            match &states[chosen] {
                Some(value) => current.insert(key, value.clone()),
                None => current.remove(&key),
            };
        }
        inner.current = current;
        inner.log.retain(|(commit, _)| *commit <= flushed);
        Ok(Self { memtable_bytes: self.memtable_bytes, inner: Mutex::new(inner) })
    }

    /// The index opened with a manifest, exactly as that says: what a real index does.
    pub(crate) fn reopen(&self, manifest: Option<&Manifest>) -> Result<Self, IndexError> {
        let inner = self.surviving(manifest)?;
        let flushed = inner.applied;
        let inner = Mutex::new(inner);
        inner.lock().log.retain(|(commit, _)| *commit <= flushed);
        Ok(Self { memtable_bytes: self.memtable_bytes, inner })
    }

    /// Makes the next flush or merge answer this error.
    pub(crate) fn fail_next(&self, error: IndexError) {
        self.inner.lock().fault = Some(error);
    }

    fn surviving(&self, manifest: Option<&Manifest>) -> Result<Inner, IndexError> {
        let old = self.inner.lock();
        let (generation, flushed) = match manifest {
            Some(manifest) => {
                let mut encoded = &manifest.encoded[..];
                let named = encoded.try_get_u64_le().map_err(|_| given_up("the manifest is cut off"))?;
                if named != manifest.generation {
                    return Err(given_up("the manifest does not match its generation"));
                }
                (manifest.generation, manifest.flushed)
            }
            None => (0, 0),
        };
        let mut kept: Vec<Flushed> = old.older.iter().chain([&old.newest]).cloned().collect();
        let named = |kept: &Flushed| (kept.generation, kept.flushed) == (generation, flushed);
        let Some(at) = kept.iter().position(named) else {
            return Err(given_up(&format!("the tables of generation {generation} are gone")));
        };
        kept.truncate(at + 1);
        let newest = kept.pop().unwrap_or_default();
        let current = newest.map.clone();
        Ok(Inner { current, applied: flushed, newest, older: kept, log: old.log.clone(), ..Inner::default() })
    }
}

fn given_up(cause: &str) -> IndexError {
    IndexError::Damaged { file: NAME.to_owned(), cause: cause.to_owned() }
}

/// Splitmix64.
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Index for SimulatedIndex {
    fn apply(&self, commit: CommitNumber, batch: &Batch) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        assert!(commit > inner.applied, "commits are applied in order, each once");
        for write in &batch.writes {
            match &write.value {
                Some(value) => inner.current.insert(write.key.clone(), value.clone()),
                None => inner.current.remove(&write.key),
            };
            inner.active.bytes += ENTRY_BYTES;
        }
        inner.active.bytes += batch.payload_bytes() as u64;
        inner.active.last = commit;
        inner.applied = commit;
        inner.log.push((commit, batch.writes.clone()));
    }

    fn view(&self) -> Arc<dyn View> {
        let inner = self.inner.lock();
        Arc::new(MapView { commit: inner.applied, map: inner.current.clone() })
    }

    fn seal(&self, force: bool) -> bool {
        let mut inner = self.inner.lock();
        let enough = if force { 0 } else { self.memtable_bytes };
        if inner.active.last == 0 || inner.active.bytes < enough {
            return false;
        }
        let active = std::mem::take(&mut inner.active);
        let sealed = Memory { map: inner.current.clone(), ..active };
        inner.sealed.push(sealed);
        true
    }

    fn flush(&self) -> Result<bool, IndexError> {
        let mut inner = self.inner.lock();
        if let Some(fault) = inner.fault.take() {
            return Err(fault);
        }
        if inner.sealed.is_empty() {
            return Ok(false);
        }
        let memory = inner.sealed.remove(0);
        let generation = inner.newest.generation + 1;
        let newest = Flushed { generation, flushed: memory.last, map: memory.map };
        let older = std::mem::replace(&mut inner.newest, newest);
        inner.older.push(older);
        Ok(true)
    }

    fn compact(&self) -> Result<bool, IndexError> {
        self.inner.lock().fault.take().map_or(Ok(false), Err)
    }

    fn manifest(&self) -> Manifest {
        let inner = self.inner.lock();
        let Flushed { generation, flushed, .. } = inner.newest;
        Manifest { generation, flushed, encoded: generation.to_le_bytes().to_vec() }
    }

    fn checkpointed(&self, generation: u64) {
        let mut inner = self.inner.lock();
        inner.older.retain(|manifest| manifest.generation >= generation);
        let oldest = inner.older.first().unwrap_or(&inner.newest).flushed;
        inner.log.retain(|(commit, _)| *commit > oldest);
    }

    fn freeze(&self) {}

    fn stats(&self) -> IndexStats {
        let inner = self.inner.lock();
        IndexStats {
            active_bytes: inner.active.bytes,
            sealed_bytes: inner.sealed.iter().map(|memory| memory.bytes).sum(),
            sealed_count: inner.sealed.len(),
            ..IndexStats::default()
        }
    }
}

#[derive(Debug)]
struct MapView {
    commit: CommitNumber,
    map: Map,
}

impl View for MapView {
    fn commit_number(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        Ok(self.map.get(key).cloned())
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_> {
        // Not the map's own range: that panics on bounds that hold nothing.
        let (from, to) = (from.map(<[u8]>::to_vec), to.map(<[u8]>::to_vec));
        let start = from.clone().map(Bytes::from);
        let above = move |key: &Bytes| match &from {
            Bound::Included(from) => key >= from,
            Bound::Excluded(from) => key > from,
            Bound::Unbounded => true,
        };
        let below = move |key: &Bytes| match &to {
            Bound::Included(to) => key <= to,
            Bound::Excluded(to) => key < to,
            Bound::Unbounded => true,
        };
        let pairs: Vec<Pair> = self
            .map
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| below(key))
            .filter(|(key, _)| above(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Box::new(pairs.into_iter().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn batch(commit: u64) -> Batch {
        let write = |n: u64| Write {
            key: Bytes::from(vec![2, u8::try_from((commit * 5 + n * 3) % 20).unwrap_or_default()]),
            value: (!(commit + n).is_multiple_of(4)).then(|| Bytes::from(format!("{commit}"))),
        };
        let mut writes: Vec<_> = (0..3).map(write).collect();
        writes.sort_by(|a, b| a.key.cmp(&b.key));
        writes.dedup_by(|a, b| a.key == b.key);
        Batch { writes, ..Batch::default() }
    }

    fn expected(commits: u64) -> Vec<Pair> {
        let mut map = BTreeMap::new();
        for write in (1..=commits).flat_map(|commit| batch(commit).writes) {
            match write.value {
                Some(value) => map.insert(write.key, value),
                None => map.remove(&write.key),
            };
        }
        map.into_iter().collect()
    }

    fn pairs(index: &SimulatedIndex) -> Vec<Pair> {
        index.view().range(Bound::Unbounded, Bound::Unbounded).map(|pair| pair.unwrap()).collect()
    }

    proptest! {
        #[test]
        fn replay_repairs_any_state_after_a_crash(seed: u64, flushed in 0_u64..40, more in 0_u64..40) {
            let index = SimulatedIndex::new(1 << 20);
            (1..=flushed).for_each(|commit| index.apply(commit, &batch(commit)));
            index.seal(true);
            index.flush().unwrap();
            let manifest = index.manifest();
            prop_assert_eq!(manifest.flushed, flushed);
            index.checkpointed(manifest.generation);
            (flushed + 1..=flushed + more).for_each(|commit| index.apply(commit, &batch(commit)));
            prop_assert_eq!(pairs(&index), expected(flushed + more));

            let crashed = index.reopen_after_crash(Some(&manifest), seed).unwrap();
            (flushed + 1..=flushed + more).for_each(|commit| crashed.apply(commit, &batch(commit)));
            prop_assert_eq!(pairs(&crashed), expected(flushed + more));
            let clean = index.reopen(Some(&manifest)).unwrap();
            prop_assert_eq!(pairs(&clean), expected(flushed));
        }
    }

    #[test]
    fn a_crash_makes_disorder_and_a_superseded_manifest_is_refused() {
        let index = SimulatedIndex::new(1 << 20);
        let first = index.manifest();
        (1..=30).for_each(|commit| index.apply(commit, &batch(commit)));
        let crashed: Vec<_> =
            (0..5).map(|seed| pairs(&index.reopen_after_crash(Some(&first), seed).unwrap())).collect();
        assert!(crashed.windows(2).any(|pair| pair[0] != pair[1]));
        assert!(index.reopen_after_crash(None, 1).is_ok());
        index.seal(true);
        index.flush().unwrap();
        assert!(index.reopen(Some(&first)).is_ok(), "not yet superseded by a durable checkpoint");
        index.checkpointed(index.manifest().generation);
        assert!(index.reopen(Some(&first)).is_err());
        assert!(index.reopen(None).is_err());
        index.fail_next(IndexError::NoRoom { file: NAME.to_owned() });
        assert!(index.compact().is_err());
        assert!(index.compact().is_ok());
    }
}
