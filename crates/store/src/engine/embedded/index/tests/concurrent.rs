use super::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const KEYS: u32 = 300;
const COMMITS: u64 = 1_500;

/// In commit `c` key `c * 7 % KEYS` gets the value `c`, or is removed if `c` ends with 9, and one more key is appended.
fn commit_batch(commit: u64) -> Batch {
    let number = u32::try_from(commit * 7 % u64::from(KEYS)).unwrap();
    let value = format!("{commit}:").repeat(20);
    let value = (commit % 10 != 9).then_some(value.as_str());
    let appended = u32::try_from(commit).unwrap();
    batch(vec![write(ITEMS, number, value), write(APPENDED, appended, Some("row"))])
}

fn expected(commit: u64) -> BTreeMap<Bytes, Bytes> {
    let mut map = BTreeMap::new();
    for commit in 1..=commit {
        for write in commit_batch(commit).writes {
            match write.value {
                Some(value) => map.insert(write.key, value),
                None => map.remove(&write.key),
            };
        }
    }
    map
}

fn check(view: &dyn View) {
    let map = expected(view.commit_number());
    let pairs: Vec<Pair> = map.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    assert_eq!(all(view), pairs, "commit {}", view.commit_number());
    for number in 0..KEYS {
        let key = key(ITEMS, number);
        assert_eq!(view.get(&key).unwrap().as_ref(), map.get(&key));
    }
}

#[test]
fn readers_see_whole_commits_while_tables_come_and_go() {
    let dir = tempfile::tempdir().unwrap();
    let index = LsmIndex::open(dir.path(), None, tiny()).unwrap();
    let published = Mutex::new(index.view());
    let done = AtomicBool::new(false);
    let checked = AtomicU64::new(0);
    let running = || !done.load(Ordering::Acquire);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for commit in 1..=COMMITS {
                index.apply(commit, &commit_batch(commit));
                index.seal(false);
                *published.lock().unwrap() = index.view();
                // Back-pressure: without it everything would be written before the first flush.
                while index.stats().sealed_count > 2 || checked.load(Ordering::Acquire) * 20 < commit {
                    std::thread::yield_now();
                }
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            while running() {
                if !index.flush().unwrap() {
                    std::thread::yield_now();
                }
            }
        });
        scope.spawn(|| {
            while running() {
                if !index.compact().unwrap() {
                    std::thread::yield_now();
                }
            }
        });
        scope.spawn(|| {
            while running() {
                let manifest = index.manifest();
                index.checkpointed(manifest.generation);
                std::thread::yield_now();
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while running() {
                    let view = published.lock().unwrap().clone();
                    check(view.as_ref());
                    checked.fetch_add(1, Ordering::Release);
                }
            });
        }
    });
    flush_all(&index);
    compact_all(&index);
    drop(published);
    check(index.view().as_ref());
    assert_eq!(scrub(&index), []);
    index.checkpointed(index.manifest().generation);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), index.stats().table_count);
}
