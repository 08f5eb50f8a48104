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
