//! Versions of keys against the model of the store's tests.

use super::*;
use crate::tests::{Model, apply, memory, put, run, steps};
use crate::{HistoryLimits, Options, Store, TimeSource};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Version, change, and what the key was from then on.
type Event = (Version, Change, Option<Vec<u8>>);

/// What happened to a key of the model, newest first.
fn expected(states: &BTreeMap<Version, Model>, key: &(u8, Vec<u8>)) -> Vec<Event> {
    let mut events = Vec::new();
    let mut before: Option<&Vec<u8>> = None;
    for (version, state) in states {
        let after = state.get(key);
        let change = match (before, after) {
            (None, Some(_)) => Some(Change::Insert),
            (Some(_), None) => Some(Change::Remove),
            (Some(before), Some(after)) if before != after => Some(Change::Modify),
            _ => None,
        };
        events.extend(change.map(|change| (*version, change, after.cloned())));
        before = after;
    }
    events.reverse();
    events
}

fn found(store: &Store, (space, key): &(u8, Vec<u8>)) -> Vec<KeyVersion> {
    let snapshot = store.snapshot();
    let versions = snapshot.versions_of(SpaceId(1 + u32::from(*space)), key).expect("reads");
    versions.collect::<Result<_, _>>().expect("reads")
}

fn keys(states: &BTreeMap<Version, Model>) -> BTreeSet<(u8, Vec<u8>)> {
    states.values().flat_map(|model| model.keys().cloned()).collect()
}

/// What is found of every key is what happened; older than the horizon, part of it.
pub(crate) fn check(store: &Store, states: &BTreeMap<Version, Model>) {
    let horizon = store.status().expect("status").horizon;
    for key in keys(states) {
        let expected = expected(states, &key);
        let found = found(store, &key);
        let newer = |version: Version| version > horizon;
        let kept: Vec<Event> = found
            .iter()
            .take_while(|event| newer(event.version))
            .map(|event| {
                let value = match &event.state {
                    KeyState::Value(value) => Some(value.payload.to_vec()),
                    KeyState::Absent => None,
                    KeyState::Trimmed => panic!("{event:?} is above the horizon {horizon}"),
                };
                assert_eq!(event.commit.as_ref().map(|commit| &*commit.operation), Some("Do"));
                (event.version, event.change.expect("known"), value)
            })
            .collect();
        let wanted: Vec<Event> = expected.iter().filter(|event| newer(event.0)).cloned().collect();
        assert_eq!(kept, wanted, "{key:?} above {horizon}");
        for event in found.iter().filter(|event| !newer(event.version)) {
            let (_, change, value) =
                expected.iter().find(|(version, ..)| *version == event.version).expect("it happened");
            assert!(event.change.is_none_or(|found| found == *change), "{event:?} {change:?}");
            match &event.state {
                KeyState::Value(found) => assert_eq!(value.as_deref(), Some(&found.payload[..])),
                KeyState::Absent => assert_eq!(*value, None),
                KeyState::Trimmed => {}
            }
        }
    }
}

fn with_spaces() -> Store {
    let (store, _) = memory();
    run(&store, |tx| {
        tx.create_space(1).expect("creates");
    });
    store
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_version_of_every_key_is_found(operations in steps(), window in 0u64..60, pin in any::<bool>()) {
        let store = with_spaces();
        let half = operations.len() / 2;
        let mut states = apply(&store, &operations[..half]);
        if pin {
            run(&store, |tx| {
                tx.create_pin("main", None, None, "test").expect("pins");
            });
        }
        let last = states.last_key_value().map(|(_, model)| model.clone()).unwrap_or_default();
        states.append(&mut crate::tests::apply_to(&store, last, &operations[half..]));
        check(&store, &states);
        while store.trim_once(HistoryLimits { window_ms: window, bytes_max: u64::MAX }).expect("trims") {}
        check(&store, &states);
        while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("trims") {}
        check(&store, &states);
    }
}

#[test]
fn what_a_pin_holds_is_told_as_far_as_it_is_known() {
    let (store, space) = memory();
    let one = put(&store, space, b"k", b"one");
    run(&store, |tx| {
        tx.create_pin("main", None, None, "test").expect("pins");
    });
    let two = put(&store, space, b"k", b"two");
    put(&store, space, b"k", b"three");
    run(&store, move |tx| assert!(tx.delete(space, b"k").expect("deletes")));
    while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("trims") {}
    let found = found(&store, &(0, b"k".to_vec()));
    let told: Vec<_> = found.iter().map(|event| (event.version, event.change, &event.state)).collect();
    let [(second, Some(Change::Modify), KeyState::Trimmed), (first, _, KeyState::Value(value))] = &told[..]
    else {
        panic!("{told:?}");
    };
    assert_eq!((*first, *second, &value.payload[..]), (one, two, &b"one"[..]));
}

#[test]
fn a_key_that_never_was_has_no_versions() {
    let (store, space) = memory();
    put(&store, space, b"k", b"one");
    for key in [&b"j"[..], b"", b"kk", b"k\0"] {
        let snapshot = store.snapshot();
        assert_eq!(snapshot.versions_of(space, key).expect("reads").count(), 0, "{key:?}");
    }
    assert_eq!(store.snapshot().horizon_of(SpaceId(77)).expect("reads"), None);
    assert_eq!(store.snapshot().commit_of(77).expect("reads"), None);
}

/// A clock that stands where it was put.
#[derive(Debug, Default)]
struct Hands(AtomicU64);

impl TimeSource for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn every_time_from_that_of_the_horizon_on_has_its_version() {
    let clock = Arc::new(Hands::default());
    let at = |ms: u64| clock.0.store(ms, Ordering::Relaxed);
    let options =
        Options { clock: Arc::clone(&clock) as Arc<dyn TimeSource>, trimmer: false, ..Options::in_memory() };
    let store = Store::open(options).expect("opens");
    run(&store, |tx| {
        tx.create_space(1).expect("creates");
    });
    at(10);
    let first = put(&store, SpaceId(1), b"k", b"1");
    at(20);
    let last = put(&store, SpaceId(1), b"k", b"2");
    assert_eq!([9, 10, 19, 20, 99].map(|ms| store.version_at(ms)), [1, first, first, last, last].map(Ok));

    at(30);
    while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("trims") {}
    assert_eq!(store.version_at(30), Ok(last));
    // What was before is gone, and said to be.
    let gone = Err(HistoryError::TimeTrimmed { horizon: last });
    assert_eq!([0, 10, 19].map(|ms| store.version_at(ms)), [(); 3].map(|()| gone.clone()));
    at(40);
    let next = put(&store, SpaceId(1), b"k", b"3");
    assert_eq!([20, 39, 40, 41].map(|ms| store.version_at(ms)), [last, last, next, next].map(Ok));
    let then = store.as_of(last).expect("readable").get(SpaceId(1), b"k").expect("reads");
    assert_eq!(then.expect("there").payload, &b"2"[..]);
    // As the horizon moves on, only its own commit is left of those below.
    at(50);
    while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).expect("trims") {}
    assert_eq!(store.snapshot().commit_of(last).expect("reads"), None);
    assert_eq!([40, 60].map(|ms| store.version_at(ms)), [next; 2].map(Ok));
}
