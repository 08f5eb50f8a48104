//! The second implementation of [`Index`], for tests: a persistent map in memory that never flushes.
//!
//! With it the whole state is replayed from the log at each start.

use super::index::{Index, IndexError, IndexStats, Manifest};
use crate::engine::{Batch, CommitNumber, Pair, Range, ReadError, View};
use bytes::Bytes;
use imbl::OrdMap;
use parking_lot::Mutex;
use std::ops::Bound;
use std::sync::Arc;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct MapIndex {
    newest: Mutex<MapView>,
}

#[derive(Debug, Default, Clone)]
struct MapView {
    commit: CommitNumber,
    map: OrdMap<Bytes, Bytes>,
}

impl View for MapView {
    fn commit_number(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        Ok(self.map.get(key).cloned())
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_> {
        if crate::engine::is_empty_range(from, to) {
            return Box::new(std::iter::empty());
        }
        let pairs = self.map.range::<_, [u8]>((from, to));
        Box::new(pairs.map(|(key, value)| Ok::<Pair, ReadError>((key.clone(), value.clone()))))
    }
}

impl Index for MapIndex {
    fn apply(&self, commit: CommitNumber, batch: &Batch) {
        let mut newest = self.newest.lock();
        assert_eq!(commit, newest.commit + 1, "commits are applied in order");
        newest.commit = commit;
        for write in &batch.writes {
            match &write.value {
                Some(value) => newest.map.insert(write.key.clone(), value.clone()),
                None => newest.map.remove(&write.key),
            };
        }
    }

    fn view(&self) -> Arc<dyn View> {
        Arc::new(self.newest.lock().clone())
    }

    fn seal(&self, _force: bool) -> bool {
        false
    }

    fn flush(&self) -> Result<bool, IndexError> {
        Ok(false)
    }

    fn compact(&self) -> Result<bool, IndexError> {
        Ok(false)
    }

    fn manifest(&self) -> Manifest {
        Manifest { generation: 0, flushed: 0, encoded: Vec::new() }
    }

    fn checkpointed(&self, _generation: u64) {}

    fn freeze(&self) {}

    fn stats(&self) -> IndexStats {
        IndexStats::default()
    }
}
