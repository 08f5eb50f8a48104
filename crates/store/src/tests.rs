//! The store as a whole, on both engines, against a plain model.

use crate::engine::embedded::map_index::MapIndex;
use crate::engine::embedded::{EmbeddedEngine, index::Index};
use crate::io::simulated::{Fault, Kind, SimulatedDisk};
use crate::{
    CommitInfo, HistoryLimits, Need, Operation, Options, Place, Read, SpaceId, Store, Transaction, Verdict,
    Version,
};
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

/// An operation made of a closure.
struct Do<F>(F);

impl<F: FnMut(&mut Transaction<'_>) -> Verdict + Send + 'static> Operation for Do<F> {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "test", operation: "Do", ..CommitInfo::default() }
    }

    fn need(&self) -> Need {
        Need::Room
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        (self.0)(tx)
    }
}

pub(crate) fn run(store: &Store, mut body: impl FnMut(&mut Transaction<'_>) + Send + 'static) -> Version {
    let operation = Do(move |tx: &mut Transaction<'_>| {
        body(tx);
        Verdict::Keep
    });
    store.execute(operation).1.expect("commits")
}

pub(crate) fn put(store: &Store, space: SpaceId, key: &'static [u8], value: &'static [u8]) -> Version {
    run(store, move |tx| tx.put(space, key, value, value.len() as u64).expect("puts"))
}

/// A clock that moves on by one millisecond whenever somebody looks at it.
#[derive(Debug, Default)]
struct Ticking(std::sync::atomic::AtomicU64);

impl crate::TimeSource for Ticking {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

fn options(place: Place) -> Options {
    Options { place, trimmer: false, clock: Arc::new(Ticking::default()), ..Options::in_memory() }
}

pub(crate) fn memory() -> (Store, SpaceId) {
    let store = Store::open(options(Place::Memory)).expect("opens");
    run(&store, |tx| {
        tx.create_space(1).expect("creates");
    });
    (store, SpaceId(1))
}

fn dump(read: &impl Read, space: SpaceId, reverse: bool) -> Vec<(Bytes, Bytes)> {
    read.range(space, Bound::Unbounded, Bound::Unbounded, reverse)
        .map(|item| item.map(|(key, value)| (key, value.payload)))
        .collect::<Result<_, _>>()
        .expect("reads")
}

#[test]
fn promise_the_past_is_kept() {
    let (store, space) = memory();
    let one = put(&store, space, b"k", b"one");
    let two = put(&store, space, b"k", b"two");
    let gone = run(&store, move |tx| assert!(tx.delete(space, b"k").expect("deletes")));
    let at = |version| {
        let as_of = store.as_of(version).expect("readable");
        let value = as_of.get(space, b"k").expect("reads").map(|v| v.payload);
        assert_eq!(dump(&as_of, space, false).len(), usize::from(value.is_some()));
        assert_eq!(as_of.counters(space).expect("reads").items, u64::from(value.is_some()));
        value
    };
    assert_eq!(at(one - 1), None);
    assert_eq!(at(one).as_deref(), Some(&b"one"[..]));
    assert_eq!(at(two).as_deref(), Some(&b"two"[..]));
    assert_eq!(at(gone), None);
    assert!(store.as_of(gone + 1).is_err());
}

#[test]
fn an_operation_that_changes_nothing_has_no_version() {
    let (store, space) = memory();
    let one = put(&store, space, b"k", b"same");
    let again = put(&store, space, b"k", b"same");
    assert_eq!(one, again);
    assert_eq!(store.status().expect("status").history_rows, 0);
}

#[test]
fn a_refusal_and_a_panic_leave_nothing() {
    let (store, space) = memory();
    let refused = Do(move |tx: &mut Transaction<'_>| {
        tx.put(space, b"k", b"v", 1).expect("puts");
        Verdict::Discard
    });
    assert!(store.execute(refused).1.is_ok());
    let panics = Do(move |tx: &mut Transaction<'_>| {
        tx.put(space, b"k", b"v", 1).expect("puts");
        panic!("on purpose");
    });
    assert!(matches!(store.execute(panics).1, Err(crate::StoreError::Panicked(_))));
    assert_eq!(store.snapshot().get(space, b"k").expect("reads"), None);
    put(&store, space, b"k", b"after");
}

/// An engine whose third commit panics.
#[derive(Debug, Default)]
struct Panicking(crate::engine::memory::MemoryEngine);

impl crate::engine::Engine for Panicking {
    fn view(&self) -> Arc<dyn crate::engine::View> {
        self.0.view()
    }

    fn commit(
        &self,
        expected: u64,
        epoch: u64,
        batch: crate::engine::Batch,
    ) -> Result<(), crate::engine::CommitError> {
        assert!(expected < 3, "on purpose");
        self.0.commit(expected, epoch, batch)
    }

    fn limits(&self) -> crate::engine::Limits {
        self.0.limits()
    }

    fn close(&self) -> Result<(), crate::engine::CommitError> {
        self.0.close()
    }
}

#[test]
fn a_commit_that_panics_ends_writing_and_leaves_reads() {
    let store = Store::open(options(Place::Engine(Arc::new(Panicking::default())))).expect("opens");
    run(&store, |tx| {
        tx.create_space(1).expect("creates");
    });
    let (sender, receiver) = std::sync::mpsc::channel();
    let lost = Do(|tx: &mut Transaction<'_>| {
        tx.put(SpaceId(1), b"k", b"v", 1).expect("puts");
        Verdict::Keep
    });
    store.submit(lost, move |_, outcome| drop(sender.send(outcome)));
    // Its waiters are answered as they are dropped.
    assert!(matches!(receiver.recv().expect("an answer"), Err(crate::StoreError::Unknown(_))));
    let after = store.execute(Do(|_: &mut Transaction<'_>| Verdict::Keep)).1;
    assert!(matches!(after, Err(crate::StoreError::Ended(_))), "{after:?}");
    assert_eq!(store.snapshot().get(SpaceId(1), b"k").expect("reads"), None);
}

#[test]
fn a_dropped_space_is_reclaimed_while_nothing_else_happens() {
    let store = Store::open(Options { history: None, ..options(Place::Memory) }).expect("opens");
    let space = SpaceId(1);
    run(&store, |tx| {
        tx.create_space(1).expect("creates");
    });
    for number in 0..1_000u32 {
        run(&store, move |tx| tx.put(space, &number.to_be_bytes(), b"value", 5).expect("puts"));
    }
    run(&store, move |tx| tx.drop_space(space).expect("drops"));
    while store.house().round(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("keeps house") {}
    assert!(dump(&store.snapshot(), space, false).is_empty());
    assert_eq!(store.snapshot().space(space).expect("reads"), None);
}

#[test]
fn the_structure_changes_with_names_and_spaces_only() {
    let (store, space) = memory();
    let token = |store: &Store| store.snapshot().structure().expect("known");
    let before = token(&store);
    put(&store, space, b"k", b"v");
    assert_eq!(token(&store), before, "an item is no name");
    run(&store, |tx| {
        let known = tx.structure();
        assert!(known.is_some());
        let catalog = tx.create_space(1).expect("creates");
        assert_eq!(tx.structure(), None, "its own change counts at once");
        tx.set_root("main", catalog).expect("sets");
    });
    let rooted = token(&store);
    assert_ne!(rooted, before);
    let catalog = store.snapshot().root("main").expect("reads").expect("there");
    put(&store, catalog, b"name", b"space");
    let named = token(&store);
    assert_ne!(named, rooted, "what is in a root's catalog is a name");
    run(&store, move |tx| tx.drop_space(space).expect("drops"));
    assert_ne!(token(&store), named);
    let other = memory().0;
    assert_ne!(token(&other), token(&store), "each store has its own");
    assert_eq!(store.as_of(1).expect("readable").structure(), None);
}

#[test]
fn trimming_respects_pins_and_reclaims_dropped_spaces() {
    let (store, space) = memory();
    put(&store, space, b"k", b"one");
    let pinned = put(&store, space, b"k", b"two");
    run(&store, |tx| {
        tx.create_pin("main", None, None, "test").expect("pins");
    });
    put(&store, space, b"k", b"three");
    let dropped = run(&store, move |tx| tx.drop_space(space).expect("drops"));
    while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("trims") {}
    assert!(matches!(store.as_of(pinned - 1), Err(crate::HistoryError::Trimmed { .. })));
    let as_of = store.as_of(pinned).expect("pinned");
    assert_eq!(as_of.get(space, b"k").expect("reads").expect("there").payload, &b"two"[..]);
    assert_eq!(as_of.counters(space).expect("counts").items, 1);
    let pin = store.status().expect("status").pins[0].0;
    run(&store, move |tx| assert!(tx.delete_pin(pin).expect("deletes")));
    put(&store, SpaceId(99), b"x", b"y");
    while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("trims") {}
    assert_eq!(store.snapshot().space(space).expect("reads"), None);
    assert!(dump(&store.snapshot(), space, false).is_empty());
    let status = store.status().expect("status");
    // The commit of the horizon stays, for its time, and holds nothing.
    let horizon = store.snapshot().commit_of(status.horizon).expect("reads").expect("there");
    let bytes = crate::keys::commits(status.horizon).len() + horizon.encode().len();
    assert_eq!((status.history_rows, status.history_bytes), (0, bytes as u64));
    assert!(status.horizon > dropped && horizon.touched.is_empty());
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Put(u8, u8, u8),
    Delete(u8, u8),
    Refuse(u8, u8),
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Vec<Step>>> {
    let step = prop_oneof![
        4 => (0u8..2, 0u8..6, any::<u8>()).prop_map(|(s, k, v)| Step::Put(s, k, v)),
        2 => (0u8..2, 0u8..6).prop_map(|(s, k)| Step::Delete(s, k)),
        1 => (0u8..2, 0u8..6).prop_map(|(s, k)| Step::Refuse(s, k)),
    ];
    proptest::collection::vec(proptest::collection::vec(step, 1..4), 1..25)
}

pub(crate) type Model = BTreeMap<(u8, Vec<u8>), Vec<u8>>;

/// Runs operations of several steps each, and returns the model's state after every version.
pub(crate) fn apply(store: &Store, operations: &[Vec<Step>]) -> BTreeMap<Version, Model> {
    apply_to(store, Model::new(), operations)
}

/// The same, from a state on that is not empty.
pub(crate) fn apply_to(
    store: &Store,
    mut model: Model,
    operations: &[Vec<Step>],
) -> BTreeMap<Version, Model> {
    let mut states = BTreeMap::from([(store.status().expect("status").version, model.clone())]);
    let key = |k: u8| vec![k % 3, 0, k];
    for operation in operations {
        let refused = operation.iter().any(|step| matches!(step, Step::Refuse(..)));
        let steps = operation.clone();
        let body = Do(move |tx: &mut Transaction<'_>| {
            for step in &steps {
                match step {
                    Step::Put(s, k, v) => {
                        let payload = vec![*v; usize::from(*v % 5)];
                        // Equal values are one version, so that the model need not know sizes.
                        let size = payload.len() as u64;
                        tx.put(SpaceId(1 + u32::from(*s)), &key(*k), &payload, size).expect("puts");
                    }
                    Step::Delete(s, k) | Step::Refuse(s, k) => {
                        tx.delete(SpaceId(1 + u32::from(*s)), &key(*k)).expect("deletes");
                    }
                }
            }
            if refused { Verdict::Discard } else { Verdict::Keep }
        });
        let version = store.execute(body).1.expect("commits");
        if !refused {
            for step in operation {
                match step {
                    Step::Put(s, k, v) => {
                        model.insert((*s, key(*k)), vec![*v; usize::from(*v % 5)]);
                    }
                    Step::Delete(s, k) | Step::Refuse(s, k) => {
                        model.remove(&(*s, key(*k)));
                    }
                }
            }
        }
        states.insert(version, model.clone());
    }
    states
}

fn check(store: &Store, states: &BTreeMap<Version, Model>) {
    let mut expected: Option<&Model> = None;
    let newest = store.status().expect("status").version;
    for version in *states.keys().next().expect("one")..=newest {
        expected = states.get(&version).or(expected);
        let as_of = store.as_of(version).expect("readable");
        for s in 0..2u8 {
            let space = SpaceId(1 + u32::from(s));
            let wanted: Vec<(Bytes, Bytes)> = expected
                .expect("a state")
                .iter()
                .filter(|((space, _), _)| *space == s)
                .map(|((_, key), value)| (key.clone().into(), value.clone().into()))
                .collect();
            assert_eq!(dump(&as_of, space, false), wanted, "version {version}");
            let mut backwards = dump(&as_of, space, true);
            backwards.reverse();
            assert_eq!(backwards, wanted, "version {version} backwards");
            assert_eq!(as_of.counters(space).expect("counts").items, wanted.len() as u64);
            for (key, value) in &wanted {
                assert_eq!(as_of.get(space, key).expect("reads").expect("there").payload, *value);
            }
        }
    }
}

fn embedded(disk: &SimulatedDisk) -> Store {
    let dir = Path::new("/data");
    let open = |_: &Path, _: &crate::engine::embedded::index::Manifest| {
        Ok(Arc::new(MapIndex::default()) as Arc<dyn Index>)
    };
    let engine = EmbeddedEngine::open_on(Arc::new(disk.clone()), dir, &open).expect("opens");
    Store::open(options(Place::Engine(Arc::new(engine)))).expect("opens")
}

#[test]
fn promise_a_failed_sync_ends_writing_and_reads_go_on() {
    let disk = SimulatedDisk::new(1);
    let store = embedded(&disk);
    two_spaces(&store);
    let space = SpaceId(1);
    let kept = put(&store, space, b"k", b"kept");
    disk.fail_after_kind(1, Kind::Sync, Fault::Io);
    let put_now = || {
        store.execute(Do(move |tx: &mut Transaction<'_>| {
            tx.put(space, b"k", b"unknown", 7).expect("puts");
            Verdict::Keep
        }))
    };
    assert!(matches!(put_now().1, Err(crate::StoreError::Unknown(_))), "neither done nor undone");
    assert!(matches!(put_now().1, Err(crate::StoreError::Ended(_))), "no write follows a failed sync");
    let value = store.snapshot().get(space, b"k").expect("reads go on").expect("there");
    assert_eq!((value.since, &value.payload[..]), (kept, &b"kept"[..]), "what is not durable is not shown");
    assert!(store.status().expect("status").ended.is_some());
    disk.crash();
    drop(store);
    let store = embedded(&disk.restart());
    let value = store.snapshot().get(space, b"k").expect("reads").expect("there").payload;
    assert!(&value[..] == b"kept" || &value[..] == b"unknown");
    put(&store, space, b"k", b"after");
}

fn two_spaces(store: &Store) {
    run(store, |tx| {
        tx.create_space(1).expect("creates");
        tx.create_space(1).expect("creates");
    });
}

fn on_disk(dir: &Path) -> Store {
    let mut place = crate::engine::embedded::EmbeddedOptions::new(dir);
    place.memtable_bytes = Some(64 << 10);
    Store::open(options(Place::Directory(place))).expect("opens")
}

#[test]
fn a_store_on_disk_flushes_compacts_and_comes_back() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("data");
    let mut expected: BTreeMap<Bytes, Bytes> = BTreeMap::new();
    for round in 0..4u8 {
        let store = on_disk(&path);
        if round == 0 {
            two_spaces(&store);
        }
        let seen: BTreeMap<Bytes, Bytes> = dump(&store.snapshot(), SpaceId(1), false).into_iter().collect();
        assert!(seen == expected, "round {round}");
        for number in 0..600u32 {
            let key = Bytes::copy_from_slice(&(number % 200).to_be_bytes());
            let value = Bytes::from(vec![round.wrapping_add(number as u8); 700]);
            expected.insert(key.clone(), value.clone());
            run(&store, move |tx| tx.put(SpaceId(1), &key, &value, 1).expect("puts"));
        }
        assert_eq!(store.snapshot().counters(SpaceId(1)).expect("counts").items, 200);
        assert!(Store::open(Options::at(&path)).expect_err("locked").to_string().contains("LOCK"));
        if round % 2 == 0 {
            store.close(std::time::Duration::from_secs(60)).expect("closes");
            assert!(store.status().expect("status").engine.expect("embedded").table_bytes > 100_000);
        }
    }
}

#[test]
fn a_verb_leaves_history_on_or_off_as_it_was() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = || Place::Directory(crate::engine::embedded::EmbeddedOptions::new(dir.path().join("data")));
    let close = |store: Store| store.close(std::time::Duration::from_secs(60)).expect("closes");
    for off in [true, false] {
        let history = options(place()).history.filter(|_| !off);
        let store = Store::open(Options { history, ..options(place()) }).expect("opens");
        let status = store.status().expect("status");
        assert_eq!((status.history, status.history_limits), (!off, history));
        let room = status.engine.and_then(|engine| engine.room).expect("a real disk is watched");
        assert!(room.free_bytes <= room.total_bytes && room.reserve_bytes <= room.total_bytes);
        close(store);
        let store = Store::open(Options { switch_history: false, ..options(place()) }).expect("opens");
        assert_eq!(store.status().expect("status").history, !off);
        store.trim(0).expect("trims");
        assert_eq!(store.status().expect("status").history, !off);
        store.scrub(&mut |table| {
            assert_eq!(table.condition, crate::engine::embedded::TableCondition::Sound);
            true
        });
        close(store);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_version_reads_as_the_model_did(operations in steps()) {
        let store = Store::open(options(Place::Memory)).expect("opens");
        two_spaces(&store);
        let states = apply(&store, &operations);
        check(&store, &states);
    }

    #[test]
    fn promise_200_means_on_disk(operations in steps(), seed in any::<u64>(), power in any::<bool>()) {
        let disk = SimulatedDisk::new(seed);
        let store = embedded(&disk);
        two_spaces(&store);
        let states = apply(&store, &operations);
        if power { disk.crash() } else { disk.kill() }
        drop(store);
        let store = embedded(&disk.restart());
        check(&store, &states);
    }
}
