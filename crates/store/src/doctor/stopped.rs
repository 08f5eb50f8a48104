//! A stopped store, read as its next start would find it, without changing a byte of it.

use super::inspect::read_checkpoint;
use crate::dir::layout::{self, Occupancy};
use crate::dir::lock::DirLock;
use crate::dir::witness::Witness;
use crate::dir::{Refusal, RefusalKind};
use crate::engine::View;
use crate::engine::embedded::index::{Index, LsmIndex};
use crate::engine::embedded::log::recovery::recover;
use crate::engine::embedded::open;
use crate::executor::stage::Standing;
use crate::io::real::RealDisk;
use crate::read::Snapshot;
use std::path::Path;
use std::sync::Arc;

/// See the module. Servers are kept out as long as it lives.
///
/// What stands in the log only is held in memory: at most what the log may hold before it is written to tables.
pub struct Stopped {
    view: Arc<dyn View>,
    store: u64,
    _lock: Option<DirLock>,
}

impl std::fmt::Debug for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stopped").field("commit", &self.view.commit_number()).finish_non_exhaustive()
    }
}

impl Stopped {
    /// Reads the store in a directory that no server uses.
    ///
    /// # Errors
    /// If there is none, a server uses it, or a start would refuse it: the refusal says why. Nothing was changed.
    pub fn open(dir: &Path) -> Result<Self, Refusal> {
        let lock = DirLock::acquire_shared(dir)?;
        let disk = RealDisk;
        let Occupancy::Ours(format) = open::inspect(&disk, dir)? else {
            return Err(Refusal::new(
                RefusalKind::Missing,
                dir,
                "there is no store in this directory",
                "Name another one, or look whether the disk or volume is mounted there.",
            ));
        };
        let checkpoint = read_checkpoint(&disk, dir, &format.store)?;
        let found = Witness::read(&disk, dir, format.store)?;
        let (log, index) = (dir.join(layout::LOG), dir.join(layout::INDEX));
        // Opening would make it.
        if !index.is_dir() {
            return Err(Refusal::damaged(dir, &index, "this directory is missing"));
        }
        let manifest = (!checkpoint.manifest.encoded.is_empty()).then_some(&checkpoint.manifest);
        let index = LsmIndex::open(&index, manifest, open::index_options(None))
            .map_err(|error| open::index_refusal(dir, &error))?;
        let recovered = recover(&disk, &log, &format.store, checkpoint.resume, |commit, batch| {
            index.apply(commit, &batch);
        })
        .map_err(|error| open::log_refusal(dir, error))?;
        open::check_end(dir, &checkpoint, &found, &recovered)?;
        Ok(Self { view: index.view(), store: Standing::new().store, _lock: lock })
    }

    /// Its state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.view), (self.store, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{put, run};
    use crate::{Options, Read, SpaceId, Store};
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::time::Duration;

    fn files(dir: &Path, into: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files(&path, into);
            } else {
                into.insert(path.clone(), std::fs::read(&path).expect("reads"));
            }
        }
    }

    #[test]
    fn what_a_start_would_find_is_read_and_nothing_is_changed() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join("data");
        let missing = Stopped::open(&dir).expect_err("there is none");
        assert_eq!(missing.kind, RefusalKind::Missing);
        assert!(!dir.exists());
        let store = Store::open(Options { trimmer: false, ..Options::at(&dir) }).expect("opens");
        run(&store, |tx| {
            tx.create_space(1).expect("creates");
        });
        let space = SpaceId(1);
        let one = put(&store, space, b"k", b"one");
        let locked = Stopped::open(&dir).expect_err("a server runs");
        assert_eq!(locked.kind, RefusalKind::Locked);
        store.close(Duration::from_secs(10)).expect("closes");
        drop(store);
        // Some of it in tables, some in the log only.
        let store = Store::open(Options { trimmer: false, ..Options::at(&dir) }).expect("opens");
        let two = put(&store, space, b"k", b"two");
        drop(store);

        let mut before = BTreeMap::new();
        files(&dir, &mut before);
        let stopped = Stopped::open(&dir).expect("reads");
        let snapshot = stopped.snapshot();
        let value = |read: &dyn Read| read.get(space, b"k").expect("reads").map(|value| value.payload);
        assert_eq!(value(&snapshot).as_deref(), Some(&b"two"[..]));
        assert_eq!(value(&snapshot.as_of(one).expect("kept")).as_deref(), Some(&b"one"[..]));
        let versions = snapshot.versions_of(space, b"k").expect("reads");
        let versions: Vec<_> = versions.map(|version| version.expect("reads").version).collect();
        assert_eq!(versions, [two, one]);
        let kept_out = Store::open(Options::at(&dir)).expect_err("no server may start meanwhile");
        assert!(kept_out.hint().is_some());
        drop(stopped);
        let mut after = BTreeMap::new();
        files(&dir, &mut after);
        assert!(before == after, "nothing was written");
    }

    #[test]
    fn a_damaged_store_is_refused_as_a_start_would() {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join("data");
        let store = Store::open(Options { trimmer: false, ..Options::at(&dir) }).expect("opens");
        store.close(Duration::from_secs(10)).expect("closes");
        drop(store);
        std::fs::remove_dir_all(dir.join("index")).expect("removes");
        let refused = Stopped::open(&dir).expect_err("damaged");
        assert_eq!(refused.kind, RefusalKind::MissingFile);
        assert!(!dir.join("index").exists());
    }
}
