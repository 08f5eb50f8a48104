use super::*;
use crate::engine::embedded::index::{IndexError, Manifest};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A store with tables in several levels, all checkpointed.
fn filled() -> (TempDir, Manifest, Vec<Pair>) {
    filled_with(tiny(), 12)
}

fn filled_with(options: IndexOptions, repeat: usize) -> (TempDir, Manifest, Vec<Pair>) {
    let dir = tempfile::tempdir().unwrap();
    let index = LsmIndex::open(dir.path(), None, options).unwrap();
    let mut commit = 0;
    for round in 0..6_u32 {
        for n in 0..160 {
            commit += 1;
            let value = format!("{round}/{n} ").repeat(repeat);
            index.apply(commit, &batch(vec![write(ITEMS, n, Some(&value))]));
        }
        flush_all(&index);
        compact_all(&index);
    }
    index.apply(
        commit + 1,
        &batch((0..160).map(|n| write(ITEMS, n, Some(&"level 0".repeat(repeat)))).collect()),
    );
    flush_all(&index);
    let manifest = index.manifest();
    index.checkpointed(manifest.generation);
    let pairs = all(index.view().as_ref());
    (dir, manifest, pairs)
}

fn tables(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 3);
    paths
}

fn refused(dir: &Path, manifest: &Manifest, file: &Path) {
    match LsmIndex::open(dir, Some(manifest), tiny()) {
        Err(IndexError::Damaged { file: named, .. }) => assert_eq!(named, file.display().to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_missing_or_cut_table_is_refused_by_name() {
    let (dir, manifest, _) = filled();
    for path in tables(dir.path()) {
        let bytes = std::fs::read(&path).unwrap();
        for len in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..len]).unwrap();
            refused(dir.path(), &manifest, &path);
        }
        std::fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
        refused(dir.path(), &manifest, &path);
        std::fs::remove_file(&path).unwrap();
        refused(dir.path(), &manifest, &path);
        std::fs::write(&path, bytes).unwrap();
    }
    LsmIndex::open(dir.path(), Some(&manifest), tiny()).unwrap();
}

#[test]
fn swapped_tables_and_a_missing_directory_are_refused() {
    let (dir, manifest, _) = filled();
    let paths = tables(dir.path());
    let (one, two) = (std::fs::read(&paths[0]).unwrap(), std::fs::read(&paths[1]).unwrap());
    std::fs::write(&paths[0], two).unwrap();
    std::fs::write(&paths[1], one).unwrap();
    assert!(LsmIndex::open(dir.path(), Some(&manifest), tiny()).is_err());
    let gone = dir.path().join("gone");
    assert!(LsmIndex::open(&gone, Some(&manifest), tiny()).is_err());
    assert!(!gone.exists(), "a refused open creates nothing");
}

#[test]
fn a_flipped_byte_is_refused_or_fails_reads_but_never_gives_a_wrong_value() {
    let (dir, manifest, pairs) = filled();
    let expected: BTreeMap<_, _> = pairs.into_iter().collect();
    let mut found_late = 0;
    for path in tables(dir.path()) {
        let bytes = std::fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(37).chain([bytes.len() - 1]) {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            std::fs::write(&path, bad).unwrap();
            let Ok(index) = LsmIndex::open(dir.path(), Some(&manifest), tiny()) else { continue };
            let scrubbed = scrub(&index);
            found_late += scrubbed.len();
            assert!(scrubbed.iter().all(|table| table.file == path), "{scrubbed:?}");
            let view = index.view();
            let mut failed = 0;
            for (key, value) in &expected {
                match view.get(key) {
                    Ok(found) => assert_eq!(found.as_ref(), Some(value), "byte {at} of {}", path.display()),
                    Err(error) => {
                        failed += 1;
                        assert_eq!(error.file, path.display().to_string());
                    }
                }
            }
            assert!(failed == 0 || scrubbed.len() == 1, "a scrub finds what a read finds");
            for (key, value) in view.range(Bound::Unbounded, Bound::Unbounded).flatten() {
                assert_eq!(expected.get(&key), Some(&value));
            }
        }
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(found_late > 20, "{found_late} flips were found by the scrub only");
}

#[test]
fn a_damaged_table_does_not_stop_writing_and_flushing() {
    // Tables need more than one block, else any damage is seen when they are opened.
    let policy = FamilyPolicy { base_bytes: 30 << 10, table_bytes: 12 << 10, ..tiny().default_policy };
    let options = IndexOptions { default_policy: policy, ..tiny() };
    let (dir, manifest, pairs) = filled_with(options.clone(), 80);
    let all_tables: Vec<_> =
        tables(dir.path()).into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).collect();
    let mut tried = 0;
    for (bytes, path) in &all_tables {
        let mut bad = bytes.clone();
        bad[100] ^= 1;
        std::fs::write(path, bad).unwrap();
        {
            let Ok(index) = LsmIndex::open(dir.path(), Some(&manifest), options.clone()) else { continue };
            tried += 1;
            let mut errors = 0;
            for round in 0..40 {
                let value = format!("round {round}");
                let commit = manifest.flushed + 1 + round;
                index.apply(commit, &batch((0..160).map(|n| write(ITEMS, n, Some(&value))).collect()));
                flush_all(&index);
                for _ in 0..20 {
                    match index.compact() {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            errors += 1;
                            assert!(error.to_string().contains(&path.display().to_string()));
                        }
                    }
                }
                for (key, _) in &pairs {
                    assert_eq!(index.view().get(key).unwrap().unwrap(), value);
                }
                assert!(index.stats().level0_excess < 4, "{:?}", index.stats());
            }
            assert!(errors <= 2, "the damaged table is not tried again and again");
            assert!(index.stats().level0_runs < 12, "{:?}", index.stats());
        }
        for (bytes, path) in &all_tables {
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(tried > 3, "{tried} tables");
}

#[test]
fn a_damaged_manifest_is_refused() {
    let (dir, manifest, _) = filled();
    let mut bad = manifest;
    bad.encoded[20] ^= 1;
    assert!(matches!(LsmIndex::open(dir.path(), Some(&bad), tiny()), Err(IndexError::Damaged { .. })));
}
