//! Damage, a look at it, and the way out of it: on real directories, and with an interruption at every operation on a
//! simulated disk.

use super::inspect::inspect_on;
use super::survey::{Place, Survey};
use super::{LossReport, Report, Severity, accept, accept_loss, inspect};
use crate::dir::{Refusal, RefusalKind};
use crate::engine::embedded::checkpoint::Checkpoint;
use crate::engine::embedded::index::simulated::SimulatedIndex;
use crate::engine::embedded::index::{Index, Manifest};
use crate::engine::embedded::{EmbeddedEngine, EmbeddedOptions};
use crate::io::Disk;
use crate::io::real::RealDisk;
use crate::io::simulated::{Fault, Image, SimulatedDisk};
use crate::{
    CommitInfo, HistoryError, OpenError, Operation, Options, Place as StorePlace, Read, SpaceId, Store,
    Transaction, Verdict, Version,
};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const SPACE: SpaceId = SpaceId(1);

/// Puts one key, or creates the space.
struct Put(Option<u32>);

impl Operation for Put {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "test", operation: "Put", ..CommitInfo::default() }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        match self.0 {
            Some(number) => {
                let value = vec![number as u8; 300 + (number as usize % 5) * 200];
                tx.put(SPACE, &number.to_be_bytes(), &value, 1).expect("puts");
            }
            None => assert_eq!(tx.create_space(1).expect("creates"), SPACE),
        }
        Verdict::Keep
    }
}

/// Writes, and remembers commit and version of each key.
#[derive(Default, Clone)]
struct Written(Vec<(u64, Version, u32)>);

impl Written {
    fn put(&mut self, store: &Store, numbers: std::ops::Range<u32>) {
        if numbers.start == 0 {
            store.execute(Put(None)).1.expect("creates");
        }
        for number in numbers {
            let version = store.execute(Put(Some(number))).1.expect("commits");
            self.0.push((store.status().expect("status").commit, version, number));
        }
    }

    /// Keys that were there after a commit.
    fn keys(&self, commit: u64) -> Vec<u32> {
        self.0.iter().filter(|put| put.0 <= commit).map(|put| put.2).collect()
    }
}

fn keys(read: &impl Read) -> Vec<u32> {
    read.range(SPACE, Bound::Unbounded, Bound::Unbounded, false)
        .map(|item| u32::from_be_bytes(item.expect("reads").0[..].try_into().expect("four bytes")))
        .collect()
}

/// Checks a store after a loss: what was sound is there, what was lost is refused, and everything goes on above it.
fn check(store: &Store, written: &Written, last_commit: u64) {
    let kept = written.keys(last_commit);
    assert_eq!(keys(&store.snapshot()), kept);
    assert_eq!(store.snapshot().counters(SPACE).expect("counts").items, kept.len() as u64);
    let status = store.status().expect("status");
    let loss = status.losses.last().expect("the loss is noted").clone();
    assert_eq!(loss.first_commit, last_commit + 1);
    let (commit, version, _) = written.0.last().expect("written");
    assert!(loss.resumes_commit > *commit && loss.resumes_version > *version);
    assert!(status.commit > *commit && status.version >= loss.resumes_version);
    for (commit, version, number) in &written.0 {
        let as_of = store.as_of(*version);
        if *commit <= last_commit {
            assert_eq!(keys(&as_of.expect("kept")).last(), Some(number));
        } else {
            assert!(matches!(as_of, Err(HistoryError::Lost { .. })), "version {version}");
        }
    }
    assert!(store.as_of(loss.resumes_version).is_ok());
    let next = store.execute(Put(Some(1_000_000))).1.expect("commits");
    assert!(next > loss.resumes_version);
    assert_eq!(keys(&store.as_of(next).expect("new")).len(), kept.len() + 1);
}

// ---- real directories

fn open(dir: &Path) -> Result<Store, OpenError> {
    let mut place = EmbeddedOptions::new(dir);
    place.memtable_bytes = Some(16 << 10);
    Store::open(Options { place: StorePlace::Directory(place), trimmer: false, ..Options::in_memory() })
}

fn image(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).expect("lists") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(image(&path));
        } else {
            files.insert(path.clone(), std::fs::read(&path).expect("reads"));
        }
    }
    files
}

/// A look that must change nothing.
fn look(dir: &Path, deep: bool) -> Report {
    let before = image(dir);
    let report = inspect(dir, deep);
    assert!(before == image(dir), "a look changes nothing");
    assert!(!report.to_string().is_empty());
    report
}

fn frames(disk: &dyn Disk, dir: &Path) -> Vec<Place> {
    let checkpoint = Checkpoint::read(disk, dir).expect("a checkpoint");
    let survey = Survey::read(disk, &dir.join("log"), &checkpoint.store, checkpoint.resume.segment);
    survey.expect("reads").sound(checkpoint.resume)
}

/// A store that was killed with commits in tables, in one segment, and in a second one.
fn killed(dir: &Path) -> Written {
    let mut written = Written::default();
    let store = open(dir).expect("opens");
    written.put(&store, 0..60);
    store.close(Duration::from_secs(60)).expect("closes");
    drop(store);
    for part in [60..66, 66..70] {
        let store = open(dir).expect("opens");
        written.put(&store, part);
    }
    written
}

fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("reads");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("writes");
}

fn segment_file(dir: &Path, place: &Place) -> PathBuf {
    dir.join("log").join(format!("{:016}.log", place.segment))
}

#[test]
fn a_sound_store_is_told_so_and_nothing_changes() {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("data");
    let report = inspect(&dir, true);
    assert!(report.starts && report.format.is_none() && report.worst() == Some(Severity::Info), "{report}");
    assert_eq!(accept_loss(&dir).expect_err("no store").kind, RefusalKind::Missing);
    assert!(!dir.exists());
    let written = killed(&dir);
    std::fs::write(dir.join("notes.txt"), b"mine").expect("writes");
    std::fs::write(dir.join("index/00000000ffffffff.table"), b"left").expect("writes");
    for deep in [false, true] {
        let report = look(&dir, deep);
        assert!(report.starts && !report.accept_loss_helps, "{report}");
        assert_eq!(report.worst(), Some(Severity::Info), "{report}");
        let told: Vec<_> = report.findings.iter().filter_map(|finding| finding.file.file_name()).collect();
        assert!(told.contains(&"notes.txt".as_ref()) && told.contains(&"00000000ffffffff.table".as_ref()));
        let log = report.log.expect("a log");
        assert_eq!((log.last_commit, log.highest_commit), (written.0[69].0, written.0[69].0));
        assert_eq!(log.last_version, Some(written.0[69].1));
        assert_eq!(report.witness.expect("a witness").acknowledged, Some((written.0[69].0, written.0[69].1)));
        let tables = report.tables.expect("tables");
        assert!(tables.tables > 0 && tables.keys > 60 && tables.damaged == 0 && tables.deep == deep);
    }
    let refusal = accept_loss(&dir).expect_err("nothing is lost");
    assert_eq!(refusal.kind, RefusalKind::NotNeeded);
    let store = open(&dir).expect("opens");
    let report = inspect(&dir, false);
    assert!(!report.starts && report.findings[0].cause.contains("in use by process"), "{report}");
    assert_eq!(accept_loss(&dir).expect_err("locked").kind, RefusalKind::Locked);
    drop(store);
}

/// Damages a directory, checks what is said of it, accepts the loss, and checks the store.
fn accept_on_disk(damage: impl FnOnce(&Path, &[Place])) -> (LossReport, Report) {
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("data");
    let written = killed(&dir);
    let places = frames(&RealDisk, &dir);
    damage(&dir, &places);
    assert!(matches!(open(&dir), Err(OpenError::Refused(_))), "damage is refused");
    let report = look(&dir, true);
    assert!(
        !report.starts && report.accept_loss_helps && report.worst() == Some(Severity::Damage),
        "{report}"
    );
    assert!(report.findings.iter().any(|finding| finding.remedy.contains("--accept-loss")), "{report}");
    let mut before = image(&dir);
    before.retain(|path, _| path.starts_with(dir.join("log")));
    let loss = accept_loss(&dir).expect("accepts");
    let after: Vec<Vec<u8>> = image(&dir).into_values().collect();
    assert!(before.values().all(|bytes| after.contains(bytes)), "nothing is deleted");
    assert!(loss.kept.iter().all(|path| path.exists() && path.parent() != Some(&dir.join("log"))));
    assert!(loss.to_string().contains(&loss.loss.resumes_version.to_string()), "{loss}");
    let healthy = look(&dir, true);
    assert!(healthy.starts && healthy.worst() == Some(Severity::Info), "{healthy}");
    assert_eq!(accept_loss(&dir).expect_err("done").kind, RefusalKind::NotNeeded);
    for _ in 0..2 {
        check(&open(&dir).expect("opens"), &written, loss.last_commit());
        let store = open(&dir).expect("opens again");
        // As `check` found it: without the key that it put itself.
        struct Forget;
        impl Operation for Forget {
            fn info(&self) -> CommitInfo {
                CommitInfo::default()
            }
            fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
                assert!(tx.delete(SPACE, &1_000_000u32.to_be_bytes()).expect("deletes"));
                Verdict::Keep
            }
        }
        store.execute(Forget).1.expect("commits");
        store.close(Duration::from_secs(60)).expect("closes");
    }
    (loss, report)
}

#[test]
fn a_tail_that_is_gone_below_the_witness() {
    let (loss, _) = accept_on_disk(|dir, places| {
        let first = &places[places.len() - 3];
        edit(&segment_file(dir, first), |bytes| bytes[first.offset as usize..].fill(0));
    });
    assert_eq!((loss.loss.last_commit - loss.last_commit(), loss.proof.as_str()), (3, "the witness"));
    assert_eq!(loss.loss.last_version - loss.last_version(), 3);
}

#[test]
fn a_damaged_frame_in_the_middle() {
    let mut at = (PathBuf::new(), 0);
    let (loss, report) = accept_on_disk(|dir, places| {
        let place = &places[places.len() - 3];
        at = (segment_file(dir, place), place.offset);
        edit(&at.0, |bytes| bytes[place.offset as usize + 100] ^= 1);
    });
    assert_eq!(loss.loss.last_commit - loss.last_commit(), 3);
    let finding = &report.findings[0];
    assert_eq!((&finding.file, finding.offset), (&at.0, Some(at.1)), "{report}");
}

#[test]
fn a_segment_that_is_gone() {
    let (loss, _) = accept_on_disk(|dir, places| {
        std::fs::remove_file(segment_file(dir, places.last().expect("frames"))).expect("removes");
    });
    assert!(loss.loss.last_commit > loss.loss.first_commit);
    let (loss, report) = accept_on_disk(|dir, _| std::fs::remove_dir_all(dir.join("log")).expect("removes"));
    assert_eq!(loss.replayed, 0);
    assert!(report.findings[0].file.ends_with("log"), "{report}");
}

#[test]
fn a_witness_that_says_nothing() {
    let (loss, report) = accept_on_disk(|dir, places| {
        let last = places.last().expect("frames");
        edit(&segment_file(dir, last), |bytes| bytes[last.offset as usize + 100] ^= 1);
        edit(&dir.join("witness"), |bytes| bytes.fill(7));
    });
    assert!(loss.loss.last_commit < loss.loss.first_commit && loss.proof.starts_with("nothing"), "{loss}");
    assert_eq!(report.witness.expect("read").bad_slots, 2);
    let (loss, _) = accept_on_disk(|dir, _| std::fs::remove_file(dir.join("witness")).expect("removes"));
    assert!(loss.loss.last_commit < loss.loss.first_commit, "{loss}");
}

#[test]
fn a_damaged_copy_is_made_good_from_its_original() {
    let (loss, _) = accept_on_disk(|dir, places| {
        // The first frame of the newest segment was copied there by the start that made it.
        let newest = places.last().expect("frames").segment;
        let copy = places.iter().find(|place| place.segment == newest).expect("a frame");
        edit(&segment_file(dir, copy), |bytes| bytes[copy.offset as usize + 100] ^= 1);
    });
    assert!(loss.loss.last_commit < loss.loss.first_commit, "{loss}");
}

#[test]
fn what_accepting_cannot_help_with_is_refused_and_left_alone() {
    type Damage = fn(&Path);
    let table = |dir: &Path| {
        // The largest, so that what is changed lies before its checked end.
        let tables =
            std::fs::read_dir(dir.join("index")).expect("lists").map(|entry| entry.expect("an entry").path());
        tables.max_by_key(|path| path.metadata().expect("there").len()).expect("a table")
    };
    let damages: [(Damage, &str); 4] = [
        (|dir| std::fs::remove_file(dir.join("checkpoint")).expect("removes"), "checkpoint"),
        (|dir| edit(&dir.join("checkpoint"), |bytes| bytes[70] ^= 1), "checkpoint"),
        (|dir| std::fs::remove_dir_all(dir.join("index")).expect("removes"), "index"),
        (|dir| std::fs::remove_file(dir.join("FORMAT")).expect("removes"), "FORMAT"),
    ];
    for (damage, name) in damages {
        let home = tempfile::tempdir().expect("a directory");
        let dir = home.path().join("data");
        killed(&dir);
        damage(&dir);
        let report = look(&dir, false);
        assert!(!report.starts && !report.accept_loss_helps, "{report}");
        assert!(report.findings[0].file.ends_with(name), "{report}");
        assert!(report.findings[0].remedy.to_lowercase().contains("put the file"), "{report}");
        let before = image(&dir);
        let refusal = accept_loss(&dir).expect_err("no help");
        assert!(refusal.file.ends_with(name), "{refusal}");
        assert!(before == image(&dir), "{name}: a refusal changes nothing");
    }
    let home = tempfile::tempdir().expect("a directory");
    let dir = home.path().join("data");
    killed(&dir);
    let rotten = table(&dir);
    edit(&rotten, |bytes| bytes[100] ^= 1);
    let report = look(&dir, false);
    assert!(report.starts && report.worst().is_none_or(|worst| worst < Severity::Damage), "{report}");
    let report = look(&dir, true);
    assert!(report.starts && report.findings[0].file == rotten, "{report}");
    std::fs::remove_file(&rotten).expect("removes");
    let report = look(&dir, false);
    assert!(!report.starts && !report.accept_loss_helps && report.findings[0].file == rotten, "{report}");
    let refusal = accept_loss(&dir).expect_err("starts are refused, but not for a loss of the log");
    // The log is sound, so there is no loss to accept: both answers change nothing and say why.
    assert!(matches!(refusal.kind, RefusalKind::NotNeeded | RefusalKind::Damaged), "{refusal}");
}

// ---- the simulated disk

/// A machine: a disk, and the index that would be on it.
struct World {
    disk: SimulatedDisk,
    index: Mutex<Option<Arc<SimulatedIndex>>>,
}

const DIR: &str = "/data";

impl World {
    fn open_index(
        &self,
        manifest: &Manifest,
    ) -> Result<Arc<dyn Index>, super::super::engine::embedded::index::IndexError> {
        let mut last = self.index.lock();
        let manifest = (!manifest.encoded.is_empty()).then_some(manifest);
        let index = match last.as_ref() {
            // Exactly as the manifest says: only replay of the whole log would repair disorder.
            Some(index) => index.reopen(manifest)?,
            None => SimulatedIndex::new(8 << 10),
        };
        let index = Arc::new(index);
        *last = Some(Arc::clone(&index));
        Ok(index as Arc<dyn Index>)
    }

    fn engine(&self) -> Result<Arc<EmbeddedEngine>, Refusal> {
        let open_index = |_: &Path, manifest: &Manifest| self.open_index(manifest);
        EmbeddedEngine::open_on(Arc::new(self.disk.clone()), Path::new(DIR), &open_index).map(Arc::new)
    }

    fn store(engine: &Arc<EmbeddedEngine>) -> Store {
        let place = StorePlace::Engine(Arc::clone(engine) as Arc<dyn crate::engine::Engine>);
        Store::open(Options { place, trimmer: false, ..Options::in_memory() }).expect("opens")
    }

    fn accept(&self) -> Result<LossReport, Refusal> {
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        accept::accept_on(&disk, Path::new(DIR), &|_, manifest| self.open_index(manifest), 1_000)
    }

    /// Nothing in it must have been changed by a look.
    fn inspect(&self) -> Report {
        let before = self.disk.image();
        let mut report = Report::empty(Path::new(DIR));
        inspect_on(&self.disk, &mut report, true, &|_, _, _, _| Ok(()));
        report.sort();
        assert!(before == self.disk.image(), "a look changes nothing");
        report
    }
}

/// A store that was killed with commits in tables, in one segment, and in a second one.
fn world() -> (World, Written) {
    let disk = SimulatedDisk::new(1);
    disk.put_dir(Path::new("/"));
    let mut world = World { disk, index: Mutex::default() };
    let mut written = Written::default();
    for part in [0..8, 8..12, 12..16] {
        let engine = world.engine().expect("opens");
        let store = World::store(&engine);
        written.put(&store, part.clone());
        if part.start == 0 {
            engine.core().seal(true);
            assert!(engine.core().flush_once().expect("flushes"));
        }
        drop(store);
        world.disk.kill();
        world.disk = world.disk.restart();
    }
    (world, written)
}

type Damage = fn(&SimulatedDisk, &[Place]);

/// Damages, by name.
const DAMAGES: [(&str, Damage); 6] = [
    ("a tail below the witness", |disk, places| {
        let first = places[places.len() - 2];
        disk.edit(&segment_file(Path::new(DIR), &first), |bytes| bytes[first.offset as usize..].fill(0));
    }),
    ("a frame in the middle", |disk, places| {
        let place = places[places.len() - 2];
        disk.flip(&segment_file(Path::new(DIR), &place), place.offset + 100);
    }),
    ("a segment", |disk, places| {
        disk.delete(&segment_file(Path::new(DIR), places.last().expect("frames")));
    }),
    ("all segments", |disk, _| {
        for (path, _) in disk.files().into_iter().filter(|(path, _)| path.starts_with("/data/log")) {
            disk.delete(&path);
        }
    }),
    ("both slots and the last frame", |disk, places| {
        let last = places.last().expect("frames");
        disk.flip(&segment_file(Path::new(DIR), last), last.offset + 100);
        disk.edit(Path::new("/data/witness"), |bytes| bytes.fill(7));
    }),
    ("the witness", |disk, _| {
        disk.delete(Path::new("/data/witness"));
    }),
];

#[test]
fn an_acceptance_that_is_interrupted_anywhere_still_refuses_or_is_done() {
    let (base, written) = world();
    for (name, damage) in DAMAGES {
        let disk = SimulatedDisk::from_image(2, &base.disk.image());
        damage(&disk, &frames(&base.disk, Path::new(DIR)));
        let image: Image = disk.image();
        let index = base.index.lock().clone();
        let fresh = |seed| {
            let disk = SimulatedDisk::from_image(seed, &image);
            disk.put_dir(Path::new("/data/index"));
            World { disk, index: Mutex::new(index.clone()) }
        };
        let report = fresh(1).inspect();
        assert!(!report.starts && report.accept_loss_helps, "{name}: {report}");
        let whole = fresh(1);
        let before = whole.disk.operations();
        let expected = whole.accept().unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let operations = whole.disk.operations() - before;
        let mut done = 0;
        for at in 1..=operations {
            for (seed, fault) in [(at, Fault::PowerCut), (at + 1_000, Fault::Kill), (at + 2_000, Fault::Io)] {
                let mut world = fresh(seed);
                world.disk.fail_after(at, fault);
                let first = world.accept();
                world.disk.clear_faults();
                if fault == Fault::Kill {
                    world.disk.kill()
                } else {
                    world.disk.crash()
                }
                world.disk = world.disk.restart();
                let context = format!("{name}: {fault:?} at operation {at}");
                let report = world.inspect();
                let engine = match world.engine() {
                    Ok(engine) => {
                        done += 1;
                        assert!(report.starts, "{context}: {report}");
                        engine
                    }
                    Err(refusal) => {
                        assert!(first.is_err(), "{context}: accepted, and then {refusal}");
                        assert!(!report.starts && report.accept_loss_helps, "{context}: {report}");
                        let again = world.accept().unwrap_or_else(|refusal| panic!("{context}: {refusal}"));
                        assert_eq!(again.last_commit(), expected.last_commit(), "{context}");
                        world.engine().unwrap_or_else(|refusal| panic!("{context}: {refusal}"))
                    }
                };
                check(&World::store(&engine), &written, expected.last_commit());
            }
        }
        assert!(done > 0 && done < 3 * operations, "{name}: {done} of {operations}");
    }
}
