//! Jobs with toy kinds, reclaiming, and history windows of single spaces.

use super::{JobId, JobKind, JobRecord, KIND_NUMBER_MIN, Step};
use crate::engine::embedded::EmbeddedEngine;
use crate::engine::embedded::index::{Index, Manifest};
use crate::engine::embedded::map_index::MapIndex;
use crate::engine::memory::MemoryEngine;
use crate::engine::{Batch, CommitError, Engine, Limits, View, Write};
use crate::io::simulated::random::Random;
use crate::io::simulated::{Fault, SimulatedDisk};
use crate::keys::family;
use crate::{
    CommitInfo, HistoryError, HistoryLimits, Operation, Options, Place, Read, SpaceId, Store, TimeSource,
    Transaction, TxError, Verdict, Version,
};
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const SPACE: SpaceId = SpaceId(1);
const FILL: u16 = KIND_NUMBER_MIN;
const KEYS: u32 = 20;

/// Counts one up at each of [`KEYS`] keys; its label says how many a step takes.
#[derive(Debug)]
struct Fill;

impl JobKind for Fill {
    fn number(&self) -> u16 {
        FILL
    }

    fn name(&self) -> &'static str {
        "fill"
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, TxError> {
        let space = job.space.expect("it fills a space");
        let from = job.cursor[..].try_into().map_or(0, u32::from_be_bytes);
        let take: u32 = job.label.parse().expect("a number");
        let to = KEYS.min(from + take.min(rows as u32));
        for number in from..to {
            let key = number.to_be_bytes();
            let count = tx.get(space, &key)?.map_or(0, |value| value.payload[0]);
            tx.put(space, &key, &[count + 1], 1)?;
        }
        Ok(if to == KEYS { Step::Done } else { Step::More(to.to_be_bytes().to_vec()) })
    }
}

/// Whatever a closure does.
struct Do<F>(F);

impl<F: FnMut(&mut Transaction<'_>) + Send + 'static> Operation for Do<F> {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "test", operation: "Do", ..CommitInfo::default() }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        (self.0)(tx);
        Verdict::Keep
    }
}

fn run(store: &Store, body: impl FnMut(&mut Transaction<'_>) + Send + 'static) -> Version {
    store.execute(Do(body)).1.expect("commits")
}

fn start(store: &Store, kind: u16, label: &'static str, space: SpaceId) {
    run(store, move |tx| {
        tx.start_job(kind, label, Some(space), &[]).expect("starts");
    });
}

fn create_space(store: &Store) {
    run(store, |tx| {
        tx.create_space(1).expect("creates");
    });
}

fn options(place: Place) -> Options {
    Options { place, trimmer: false, jobs: vec![Arc::new(Fill)], ..Options::in_memory() }
}

fn memory() -> Store {
    let store = Store::open(options(Place::Memory)).expect("opens");
    create_space(&store);
    store
}

fn jobs(store: &Store) -> Vec<crate::JobStatus> {
    store.status().expect("status").jobs
}

fn counts(store: &Store, space: SpaceId) -> Vec<u8> {
    let snapshot = store.snapshot();
    snapshot
        .range(space, Bound::Unbounded, Bound::Unbounded, false)
        .map(|item| item.expect("reads").1.payload[0])
        .collect()
}

#[test]
fn rows_round_trip() {
    let record = JobRecord {
        kind: 300,
        label: "a table".into(),
        space: Some(SPACE),
        cursor: (&[0, 1, 2][..]).into(),
        steps: 7,
        started: 9,
    };
    assert_eq!(JobRecord::decode(&record.encode()), Ok(record.clone()));
    let empty = JobRecord { space: None, cursor: bytes::Bytes::new(), ..record };
    assert_eq!(JobRecord::decode(&empty.encode()), Ok(empty));
    assert!(JobRecord::decode(&[1, 2]).is_err());
}

#[test]
fn a_job_runs_step_by_step_and_ends() {
    let store = memory();
    start(&store, FILL, "3", SPACE);
    let before = store.status().expect("status").version;
    let mut steps = 0;
    while let Some(job) = jobs(&store).pop() {
        assert_eq!((job.name, job.record.steps, job.error), (Some("fill"), steps, None));
        assert!(store.run_job_step().expect("runs"));
        steps += 1;
    }
    assert_eq!(steps, 7);
    assert!(!store.run_job_step().expect("nothing to do"));
    assert_eq!(counts(&store, SPACE), [1; KEYS as usize]);
    assert_eq!(store.status().expect("status").version, before + steps, "each step is a version");
    start(&store, FILL, "3", SPACE);
    assert_eq!(jobs(&store)[0].id, JobId(2), "an id is not used twice");
    run(&store, |tx| {
        assert!(tx.end_job(JobId(2)).expect("ends"));
        assert!(!tx.end_job(JobId(2)).expect("is gone"));
    });
    assert!(jobs(&store).is_empty());
}

fn embedded(disk: &SimulatedDisk) -> Result<Store, crate::OpenError> {
    let open = |_: &Path, _: &Manifest| Ok(Arc::new(MapIndex::default()) as Arc<dyn Index>);
    let engine = EmbeddedEngine::open_on(Arc::new(disk.clone()), Path::new("/data"), &open)?;
    Store::open(options(Place::Engine(Arc::new(engine))))
}

#[test]
fn a_job_goes_on_after_a_crash_and_no_step_counts_twice() {
    'seeds: for seed in 0..120 {
        let mut random = Random::new(seed);
        let mut disk = SimulatedDisk::new(seed);
        let store = embedded(&disk).expect("opens");
        create_space(&store);
        start(&store, FILL, "2", SPACE);
        drop(store);
        let mut lives = 0;
        loop {
            // Late lives have no fault, so that it ends.
            if lives < 6 {
                let fault =
                    [Fault::PowerCut, Fault::Kill, Fault::Io, Fault::NoRoom][random.below(4) as usize];
                disk.fail_after(1 + random.below(40), fault);
            }
            let started = embedded(&disk);
            if let Ok(store) = &started {
                while store.run_job_step().unwrap_or(false) {}
            }
            // A start that failed may have left names unsynced: only a restart of the machine is in the model then.
            if started.is_err() || random.below(2) == 0 {
                disk.crash()
            } else {
                disk.kill()
            }
            drop(started);
            disk.clear_faults();
            disk = disk.restart();
            let store = match embedded(&disk) {
                Ok(store) => store,
                // A power cut may spoil the witness and the last frame at once: then nobody knows, and a start is refused.
                Err(error) if error.to_string().contains("both slots are bad") => continue 'seeds,
                Err(error) => panic!("seed {seed}: {error}"),
            };
            let filled = counts(&store, SPACE);
            assert_eq!(filled, vec![1; filled.len()], "seed {seed}");
            let left = jobs(&store);
            let cursor = left
                .first()
                .map_or(KEYS, |job| job.record.cursor[..].try_into().map_or(0, u32::from_be_bytes));
            assert_eq!(filled.len(), cursor as usize, "seed {seed}: effects and cursor go together");
            drop(store);
            disk.kill();
            disk = disk.restart();
            lives += 1;
            if left.is_empty() {
                break;
            }
            assert!(lives < 10, "seed {seed}: it must come to its end");
        }
    }
}

#[test]
fn a_job_of_an_unknown_kind_is_left_alone_and_shown() {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let place = || Place::Engine(Arc::clone(&engine));
    let store = Store::open(Options { jobs: Vec::new(), ..options(place()) }).expect("opens");
    create_space(&store);
    start(&store, FILL, "5", SPACE);
    assert!(!store.run_job_step().expect("nothing that it knows"));
    let shown = jobs(&store);
    assert_eq!((shown[0].name, shown[0].record.steps, &*shown[0].record.label), (None, 0, "5"));
    drop(store);
    let store = Store::open(options(place())).expect("opens");
    while store.run_job_step().expect("runs") {}
    assert_eq!(counts(&store, SPACE), [1; KEYS as usize]);
}

/// Moves its cursor, then fails, panics, or writes what it must not, as its label says.
#[derive(Debug)]
struct Bad;

impl JobKind for Bad {
    fn number(&self) -> u16 {
        FILL + 1
    }

    fn name(&self) -> &'static str {
        "bad"
    }

    fn versioned(&self) -> bool {
        false
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, _: usize) -> Result<Step, TxError> {
        if job.steps < 3 {
            return Ok(Step::More(vec![0; 10]));
        }
        match &*job.label {
            "fails" => Err(TxError::NoSuchSpace(SPACE)),
            "panics" => panic!("on purpose"),
            "writes" => tx.put(SPACE, b"k", b"v", 1).map(|()| Step::Done),
            _ => Ok(Step::More(vec![0; super::CURSOR_BYTES_MAX + 1])),
        }
    }
}

#[test]
fn a_step_that_fails_leaves_nothing_and_is_shown() {
    let bad = Options { jobs: vec![Arc::new(Bad), Arc::new(Fill)], ..options(Place::Memory) };
    let store = Store::open(bad).expect("opens");
    create_space(&store);
    for label in ["fails", "panics", "writes", "long"] {
        start(&store, FILL + 1, label, SPACE);
    }
    let before = store.status().expect("status").version;
    while store.run_job_step().expect("runs") || jobs(&store).iter().any(|job| job.error.is_none()) {}
    assert_eq!(store.status().expect("status").version, before, "moving a cursor is no version");
    let errors: Vec<String> = jobs(&store).into_iter().filter_map(|job| job.error).collect();
    let expected = ["does not exist", "on purpose", "without a version", "too long"];
    assert!(errors.iter().zip(expected).all(|(error, part)| error.contains(part)), "{errors:?}");
    assert_eq!(errors.len(), 4);
    assert!(jobs(&store).iter().all(|job| job.record.steps == 3));
    assert!(counts(&store, SPACE).is_empty());
    // Others are not held up.
    start(&store, FILL, "20", SPACE);
    while counts(&store, SPACE).is_empty() {
        store.run_job_step().expect("runs");
    }
}

/// Notes how many jobs moved in one commit.
#[derive(Debug, Default)]
struct Watching {
    engine: MemoryEngine,
    most: AtomicUsize,
    with_steps: AtomicUsize,
}

impl Engine for Watching {
    fn view(&self) -> Arc<dyn View> {
        self.engine.view()
    }

    fn commit(&self, expected: u64, epoch: u64, batch: Batch) -> Result<(), CommitError> {
        let is_step = |write: &&Write| {
            let started = |row| JobRecord::decode(row).expect("decodes").steps == 0;
            write.key[0] == family::JOBS && !write.value.as_deref().is_some_and(started)
        };
        let steps = batch.writes.iter().filter(is_step).count();
        self.most.fetch_max(steps, Ordering::Relaxed);
        self.with_steps.fetch_add(steps, Ordering::Relaxed);
        self.engine.commit(expected, epoch, batch)
    }

    fn limits(&self) -> Limits {
        self.engine.limits()
    }

    fn close(&self) -> Result<(), CommitError> {
        self.engine.close()
    }
}

#[test]
fn a_group_holds_one_step_at_most_and_clients_are_served_meanwhile() {
    const JOBS: usize = 5;
    let engine = Arc::new(Watching::default());
    let place = Place::Engine(Arc::clone(&engine) as Arc<dyn Engine>);
    let store = Store::open(Options { trimmer: true, ..options(place) }).expect("opens");
    for _ in 0..=JOBS {
        create_space(&store);
    }
    let writers: Vec<_> = (0..3u8)
        .map(|writer| {
            let store = store.clone();
            std::thread::spawn(move || {
                for number in 0..300u32 {
                    run(&store, move |tx| {
                        tx.put(SPACE, &[writer], &number.to_be_bytes(), 1).expect("puts");
                    });
                    if number == 50 {
                        for space in (u32::from(writer)..JOBS as u32).step_by(3) {
                            start(&store, FILL, "1", SpaceId(2 + space));
                        }
                    }
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("serves"));
    while !jobs(&store).is_empty() {
        run(&store, |_| {});
    }
    for space in 0..JOBS as u32 {
        assert_eq!(counts(&store, SpaceId(2 + space)), [1; KEYS as usize]);
    }
    assert_eq!(engine.with_steps.load(Ordering::Relaxed), JOBS * KEYS as usize);
    assert_eq!(engine.most.load(Ordering::Relaxed), 1);
    store.close(std::time::Duration::from_secs(10)).expect("closes");
}

#[test]
fn a_dropped_space_is_reclaimed_by_a_job_that_survives_a_restart() {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let clock = Arc::new(Hands::default());
    let open = || {
        let clock = Arc::clone(&clock) as Arc<dyn TimeSource>;
        Store::open(Options { clock, ..options(Place::Engine(Arc::clone(&engine))) }).expect("opens")
    };
    let store = open();
    create_space(&store);
    for part in 0..10u32 {
        run(&store, move |tx| {
            for number in 0..100 {
                tx.put(SPACE, &(part * 100 + number).to_be_bytes(), b"v", 1).expect("puts");
            }
        });
    }
    run(&store, |tx| tx.drop_space(SPACE).expect("drops"));
    clock.0.store(1_000, Ordering::Relaxed);
    let limits = HistoryLimits { window_ms: 0, bytes_max: 0 };
    while jobs(&store).iter().all(|job| job.record.steps < 2) {
        assert!(store.trim_once(limits).expect("trims"));
    }
    assert_eq!(jobs(&store)[0].name, Some("reclaim"));
    drop(store);
    let store = open();
    assert_eq!(jobs(&store)[0].record.steps, 2);
    while store.trim_once(limits).expect("trims") {}
    assert!(jobs(&store).is_empty());
    let left = |family: u8| {
        let view = engine.view();
        let (from, to) = crate::keys::whole(family);
        view.range(Bound::Included(&from), Bound::Excluded(&to)).count()
    };
    let families = [family::CURRENT, family::HISTORY, family::COMMITS, family::COUNTERS, family::SPACES];
    // The commit of the horizon stays, for its time.
    assert_eq!(families.map(left), [0, 0, 1, 0, 0]);
}

/// A clock that stands where it was put.
#[derive(Debug, Default)]
struct Hands(AtomicU64);

impl TimeSource for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Two spaces, the first with its own window; the same key is written in both at 1 s, 5 s and 20 s.
struct Windows {
    store: Store,
    clock: Arc<Hands>,
    versions: Vec<Version>,
    window_ms: u64,
}

const OTHER: SpaceId = SpaceId(2);

impl Windows {
    fn new(window_ms: u64, retention_ms: u64, history: bool) -> Self {
        let clock = Arc::new(Hands::default());
        let limits = HistoryLimits { window_ms, bytes_max: u64::MAX };
        let options = Options {
            clock: Arc::clone(&clock) as Arc<dyn TimeSource>,
            history: history.then_some(limits),
            ..options(Place::Memory)
        };
        let store = Store::open(options).expect("opens");
        create_space(&store);
        create_space(&store);
        run(&store, move |tx| tx.set_retention(SPACE, Some(retention_ms)).expect("sets"));
        let mut windows = Self { store, clock, versions: Vec::new(), window_ms };
        for second in [1, 5, 20] {
            windows.at(second);
            windows.versions.push(run(&windows.store, move |tx| {
                for space in [SPACE, OTHER] {
                    tx.put(space, b"k", &[second as u8], 1).expect("puts");
                }
            }));
        }
        windows
    }

    fn at(&self, second: u64) {
        self.clock.0.store(second * 1_000, Ordering::Relaxed);
    }

    fn trim(&self) {
        let limits = HistoryLimits { window_ms: self.window_ms, bytes_max: u64::MAX };
        while self.store.trim_once(limits).expect("trims") {}
    }

    /// What can be read of a space as of each version: its value, or nothing where it was trimmed.
    fn read(&self, space: SpaceId) -> Vec<Option<u8>> {
        let read = |version: &Version| {
            let as_of = match self.store.as_of(*version) {
                Ok(as_of) => as_of,
                Err(HistoryError::Trimmed { .. }) => return None,
                Err(error) => panic!("{error}"),
            };
            match as_of.readable(space) {
                Ok(_) => assert_eq!(as_of.counters(space).expect("counts").items, 1),
                Err(HistoryError::Trimmed { .. }) => return None,
                Err(error) => panic!("{error}"),
            }
            Some(as_of.get(space, b"k").expect("reads").expect("there").payload[0])
        };
        self.versions.iter().map(read).collect()
    }

    fn history_rows(&self) -> u64 {
        self.store.status().expect("status").history_rows
    }
}

#[test]
fn a_space_may_forget_earlier_than_others() {
    let windows = Windows::new(1_000_000, 10_000, true);
    windows.trim();
    assert_eq!(windows.read(SPACE), [None, Some(5), Some(20)], "superseded at 5 s, now is 20 s");
    assert_eq!(windows.read(OTHER), [Some(1), Some(5), Some(20)]);
    assert_eq!(windows.history_rows(), 3);
    windows.at(31);
    windows.trim();
    assert_eq!(windows.read(SPACE), [None, None, Some(20)]);
    assert_eq!(windows.store.status().expect("status").retained[0].1, 10_000);
    windows.at(2_000);
    windows.trim();
    assert_eq!((windows.read(OTHER), windows.history_rows()), (vec![None, None, Some(20)], 0));
}

#[test]
fn a_space_may_remember_longer_than_others() {
    let windows = Windows::new(10_000, 1_000_000, true);
    windows.at(100);
    windows.trim();
    assert_eq!(windows.read(SPACE), [Some(1), Some(5), Some(20)]);
    assert_eq!(windows.read(OTHER), [None, None, Some(20)]);
    assert_eq!(windows.history_rows(), 2);
    windows.at(1_010);
    windows.trim();
    assert_eq!(windows.read(SPACE), [None, Some(5), Some(20)]);
    run(&windows.store, |tx| tx.set_retention(SPACE, None).expect("sets"));
    windows.at(2_000);
    windows.trim();
    // The horizon is the version of that last operation.
    assert_eq!((windows.read(SPACE), windows.history_rows()), (vec![None; 3], 0));
    assert!(windows.store.status().expect("status").retained.is_empty());
}

#[test]
fn a_dropped_space_is_kept_as_long_as_its_own_window() {
    let windows = Windows::new(10_000, 1_000_000, true);
    run(&windows.store, |tx| tx.drop_space(SPACE).expect("drops"));
    for second in [20, 100, 1_019] {
        windows.at(second);
        windows.trim();
        assert_eq!(windows.read(SPACE)[2], Some(20), "at {second} s");
    }
    windows.at(1_021);
    windows.trim();
    assert_eq!(windows.store.snapshot().space(SPACE).expect("reads"), None);
    assert!(counts(&windows.store, SPACE).is_empty() && jobs(&windows.store).is_empty());
    assert_eq!(windows.history_rows(), 0);
}

#[test]
fn a_space_may_remember_though_history_is_off() {
    let windows = Windows::new(10_000, 1_000_000, false);
    windows.trim();
    assert_eq!(windows.read(SPACE), [Some(1), Some(5), Some(20)]);
    assert_eq!(windows.read(OTHER), [None, None, Some(20)]);
    windows.at(10_000);
    windows.trim();
    assert_eq!((windows.read(SPACE), windows.history_rows()), (vec![None, None, Some(20)], 0));
}

#[test]
fn a_pin_holds_a_space_beyond_its_own_window() {
    let windows = Windows::new(10_000, 1_000, true);
    let first = windows.versions[0];
    run(&windows.store, move |tx| {
        tx.create_pin("main", Some(SPACE), Some(first), "test").expect("pins");
    });
    windows.at(1_000);
    windows.trim();
    // The horizon of all is the version of the pin's operation.
    assert_eq!(windows.read(SPACE), [Some(1), None, None]);
    assert_eq!((windows.read(OTHER), windows.history_rows()), (vec![None; 3], 1));
    run(&windows.store, |tx| {
        let pin = tx.pins().expect("reads")[0].0;
        assert!(tx.delete_pin(pin).expect("deletes"));
    });
    windows.at(2_000);
    windows.trim();
    assert_eq!((windows.read(SPACE), windows.history_rows()), (vec![None; 3], 0));
}

#[test]
fn history_takes_a_fifth_of_a_small_disk_at_most() {
    let dir = std::env::temp_dir().join("surely-not-there-yet");
    let bytes = crate::store::default_history_bytes(&dir);
    let room = crate::io::Disk::room(&crate::io::real::RealDisk, &std::env::temp_dir()).expect("measures");
    assert_eq!(bytes, (10 << 30).min(room.total_bytes / 5));
    assert_eq!(Options::at(&dir).history.expect("on").bytes_max, bytes);
}
