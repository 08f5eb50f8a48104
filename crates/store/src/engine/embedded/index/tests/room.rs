use super::*;
use crate::engine::embedded::index::IndexError;

/// The one failure that any file system gives to anybody: the directory is gone.
#[test]
fn a_table_that_cannot_be_written_leaves_the_index_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("index");
    let index = LsmIndex::open(&path, None, tiny()).unwrap();
    index.apply(1, &batch((0..100).map(|n| write(ITEMS, n, Some("one"))).collect()));
    flush_all(&index);
    index.apply(2, &batch((0..100).map(|n| write(ITEMS, n, Some("two"))).collect()));
    index.seal(true);

    let away = dir.path().join("away");
    std::fs::rename(&path, &away).unwrap();
    let before = index.manifest();
    assert!(matches!(index.flush(), Err(IndexError::Io { .. })));
    assert_eq!(index.manifest().generation, before.generation);
    assert_eq!(index.stats().sealed_count, 1);
    assert_eq!(index.view().get(&key(ITEMS, 5)).unwrap().unwrap(), "two");

    std::fs::rename(&away, &path).unwrap();
    assert!(index.flush().unwrap(), "the same flush can be tried again");
    assert_eq!(index.view().get(&key(ITEMS, 5)).unwrap().unwrap(), "two");
}

#[test]
fn an_interrupted_merge_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let index = LsmIndex::open(dir.path(), None, tiny()).unwrap();
    for commit in 1..=3 {
        index.apply(commit, &batch((0..100).map(|n| write(ITEMS, n, Some("value"))).collect()));
        flush_all(&index);
    }
    index.interrupt();
    assert!(!index.compact().unwrap());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
}

/// A file system of its own, as small as the test needs. Unmounted when dropped.
struct Small(tempfile::TempDir);

impl Small {
    fn mount(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir.path());
        let done = mount.output().is_ok_and(|output| output.status.success());
        done.then(|| Self(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg("-l").arg(self.0.path()).output());
    }
}

#[test]
fn a_full_disk_refuses_flushes_and_merges_until_there_is_room() {
    let Some(small) = Small::mount("size=400k") else {
        println!("skipped: mounting a file system is not permitted here");
        return;
    };
    let dir = small.0.path().join("index");
    let index = LsmIndex::open(&dir, None, tiny()).unwrap();
    for commit in 1..=2 {
        index.apply(commit, &batch((0..100).map(|n| write(ITEMS, n, Some(&"value".repeat(100)))).collect()));
        flush_all(&index);
    }
    index.apply(3, &batch((0..100).map(|n| write(ITEMS, n, Some("newest"))).collect()));
    index.seal(true);

    let ballast = small.0.path().join("ballast");
    drop(std::fs::write(&ballast, vec![1; 400 << 10]));
    let files = std::fs::read_dir(&dir).unwrap().count();
    let before = index.manifest().generation;
    for _ in 0..3 {
        assert!(matches!(index.flush(), Err(IndexError::NoRoom { .. })));
        assert_eq!(index.manifest().generation, before);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), files, "no partial table stays");
        assert_eq!(index.view().get(&key(ITEMS, 5)).unwrap().unwrap(), "newest");
    }
    // The oldest run is moved, which needs no room; merging does.
    while index.compact().is_ok_and(|changed| changed) {}
    std::fs::remove_file(&ballast).unwrap();
    assert!(index.flush().unwrap());
    compact_all(&index);
    assert_eq!(index.view().get(&key(ITEMS, 5)).unwrap().unwrap(), "newest");
    assert_eq!(scrub(&index), []);
}
