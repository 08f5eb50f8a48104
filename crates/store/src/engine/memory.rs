//! Everything in memory, for `--in-memory` and for tests. Keeps nothing.

use super::{Batch, CommitError, CommitNumber, Engine, Epoch, Limits, Pair, Range, ReadError, Refusal, View};
use arc_swap::ArcSwap;
use bytes::Bytes;
use imbl::OrdMap;
use std::ops::Bound;
use std::sync::Arc;

/// A persistent ordered map; a view is a clone of it, which shares everything.
#[derive(Debug)]
pub struct MemoryEngine {
    published: ArcSwap<MemoryView>,
}

/// A view of [`MemoryEngine`].
#[derive(Debug, Clone, Default)]
struct MemoryView {
    commit: CommitNumber,
    epoch: Epoch,
    map: OrdMap<Bytes, Bytes>,
}

impl MemoryEngine {
    /// An empty engine.
    #[must_use]
    pub fn new() -> Self {
        Self { published: ArcSwap::from_pointee(MemoryView::default()) }
    }
}

impl Default for MemoryEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for MemoryEngine {
    fn view(&self) -> Arc<dyn View> {
        self.published.load_full()
    }

    fn commit(&self, expected: CommitNumber, epoch: Epoch, batch: Batch) -> Result<(), CommitError> {
        debug_assert!(batch.is_sorted(), "a batch has each key once, in order");
        let newest = self.published.load_full();
        if expected != newest.commit + 1 || epoch < newest.epoch {
            let text =
                format!("commit {expected} of epoch {epoch} after {} of {}", newest.commit, newest.epoch);
            return Err(CommitError::Refused(Refusal::Fenced(text)));
        }
        let mut next = MemoryView { commit: expected, epoch, map: newest.map.clone() };
        for write in batch.writes {
            match write.value {
                Some(value) => next.map.insert(write.key, value),
                None => next.map.remove(&write.key),
            };
        }
        self.published.store(Arc::new(next));
        Ok(())
    }

    fn limits(&self) -> Limits {
        Limits { batch_bytes_max: 72 << 20, key_bytes_max: 32 << 10 }
    }

    fn close(&self) -> Result<(), CommitError> {
        Ok(())
    }
}

impl View for MemoryView {
    fn commit_number(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        Ok(self.map.get(key).cloned())
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_> {
        if super::is_empty_range(from, to) {
            return Box::new(std::iter::empty());
        }
        let pairs = self.map.range::<_, [u8]>((from, to));
        Box::new(pairs.map(|(key, value)| Ok::<Pair, ReadError>((key.clone(), value.clone()))))
    }
}
