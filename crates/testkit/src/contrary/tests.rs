//! The contrary engine keeps the engine's contract, and is contrary.

use super::*;
use bytes::Bytes;
use holdfast_store::engine::memory::MemoryEngine;
use holdfast_store::engine::{Pair, Write};
use proptest::prelude::*;
use std::ops::Bound;

fn engine(seed: u64, temper: Temper) -> ContraryEngine {
    ContraryEngine::new(Arc::new(MemoryEngine::new()), seed, temper)
}

/// A batch with one row, as the one and only operation `version`.
fn batch(version: u64, key: &'static str, value: &'static str) -> Batch {
    let write = Write { key: key.into(), value: Some(value.into()) };
    Batch { writes: vec![write], first_version: version, last_version: version }
}

fn rows(engine: &ContraryEngine) -> Vec<Pair> {
    engine.view().range(Bound::Unbounded, Bound::Unbounded).collect::<Result<_, _>>().unwrap()
}

fn pair(key: &'static str, value: &'static str) -> Pair {
    (key.into(), value.into())
}

#[test]
fn calm_it_is_the_engine_behind_it() {
    let engine = engine(1, Temper::CALM);
    engine.commit(1, 1, batch(1, "a", "1")).unwrap();
    engine.commit(2, 1, batch(2, "b", "2")).unwrap();
    assert_eq!(rows(&engine), [pair("a", "1"), pair("b", "2")]);
    assert_eq!(engine.view().get(b"b").unwrap(), Some(Bytes::from_static(b"2")));
    assert_eq!(engine.tally(), Tally { stored: 2, ..Tally::default() });
    assert_eq!(engine.violations(), [""; 0]);
    engine.close().unwrap();
    assert!(matches!(engine.commit(3, 1, batch(3, "c", "3")), Err(CommitError::Refused(Refusal::Ended(_)))));
}

#[test]
fn refusals_store_nothing_and_the_next_commit_works() {
    let engine = engine(1, Temper::CALM);
    for fault in [Fault::NoRoom, Fault::TooLarge, Fault::Fenced] {
        engine.order(Some(fault));
        assert!(matches!(engine.commit(1, 1, batch(1, "a", "1")), Err(CommitError::Refused(_))), "{fault:?}");
        assert!(rows(&engine).is_empty());
    }
    engine.commit(1, 1, batch(1, "a", "1")).unwrap();
    assert_eq!(engine.tally(), Tally { stored: 1, refused: 3, unknown: 0 });
}

#[test]
fn unknown_outcomes_end_writing_until_it_is_reopened() {
    for (fault, at_once, after) in
        [(Fault::UnknownLost, 0, 0), (Fault::UnknownKept, 1, 1), (Fault::UnknownHidden, 0, 1)]
    {
        let engine = engine(1, Temper::CALM);
        engine.order(Some(fault));
        assert!(matches!(engine.commit(1, 1, batch(1, "a", "1")), Err(CommitError::Unknown(_))));
        assert_eq!(
            (rows(&engine).len(), engine.view().commit_number()),
            (at_once, at_once as u64),
            "{fault:?}"
        );
        let refused = engine.commit(1, 1, batch(1, "a", "1"));
        assert!(matches!(refused, Err(CommitError::Refused(Refusal::Ended(_)))));
        engine.reopen();
        let newest = engine.view().commit_number();
        assert_eq!((rows(&engine).len(), newest), (after, after as u64), "{fault:?}");
        engine.commit(newest + 1, 2, batch(newest + 1, "b", "2")).unwrap();
        assert_eq!(engine.violations(), [""; 0]);
    }
}

#[test]
fn limits_are_tiny_and_kept() {
    let engine = engine(1, Temper { batch_bytes_max: 16, ..Temper::CALM });
    assert_eq!(engine.limits().batch_bytes_max, 16);
    let refused = engine.commit(1, 1, batch(1, "key", "value"));
    assert!(matches!(refused, Err(CommitError::Refused(Refusal::TooLarge { bytes: 20, max: 16 }))));
    engine.commit(1, 1, batch(1, "k", "val")).unwrap();
    engine.order(None);
    engine.commit(2, 1, batch(2, "key", "value")).unwrap();
    engine.calmly(|| engine.commit(3, 1, batch(3, "key", "value"))).unwrap();
}

#[test]
fn a_broken_row_fails_and_hides_no_other() {
    for one_row_pages in [false, true] {
        let engine = engine(1, Temper { one_row_pages, ..Temper::CALM });
        for (number, key) in [(1, "a"), (2, "bad"), (3, "c")] {
            engine.commit(number, 1, batch(number, key, "")).unwrap();
        }
        engine.break_rows_with(b"ad");
        let view = engine.view();
        assert!(view.get(b"bad").is_err());
        assert!(view.get(b"c").unwrap().is_some());
        let found: Vec<_> = view.range(Bound::Unbounded, Bound::Unbounded).map(|pair| pair.is_ok()).collect();
        assert_eq!(found, [true, false, true]);
    }
}

/// A use of the engine that breaks its contract.
type Misuse<'a> = &'a dyn Fn(&ContraryEngine);

#[test]
fn a_caller_that_breaks_the_contract_is_written_down() {
    let mut unsorted = batch(1, "b", "");
    unsorted.writes.push(Write { key: "a".into(), value: None });
    let empty = Batch { first_version: 1, last_version: 1, ..Batch::default() };
    let broken = |prepare: Misuse<'_>| {
        let engine = engine(1, Temper::CALM);
        engine.order(Some(Fault::NoRoom));
        prepare(&engine);
        engine.violations()
    };
    let claims: [(Misuse<'_>, &str); 4] = [
        (&|engine| drop(engine.commit(1, 1, unsorted.clone())), "each key once"),
        (&|engine| drop(engine.commit(1, 1, empty.clone())), "changes something"),
        (&|engine| drop(engine.commit(2, 1, batch(1, "a", ""))), "follow the newest"),
        (
            &|engine| {
                drop(engine.calmly(|| engine.commit(1, 2, batch(1, "a", ""))));
                drop(engine.commit(2, 1, batch(3, "a", "")));
            },
            "epoch never goes back",
        ),
    ];
    for (prepare, claim) in claims {
        let found = broken(prepare);
        assert!(found.iter().any(|violation| violation.contains(claim)), "{claim}: {found:?}");
    }
    let versions = broken(claims[3].0);
    assert!(versions.iter().any(|violation| violation.contains("dense over batches")), "{versions:?}");
}

#[test]
fn a_seed_has_one_sequence_of_faults() {
    let outcomes = |seed| {
        let engine = engine(seed, Temper::CONTRARY);
        let mut outcomes = Vec::new();
        for _ in 0..200 {
            let newest = engine.view().commit_number();
            match engine.commit(newest + 1, 1, batch(newest + 1, "k", "v")) {
                Ok(()) => outcomes.push("stored"),
                Err(CommitError::Refused(_)) => outcomes.push("refused"),
                Err(CommitError::Unknown(_)) => {
                    outcomes.push("unknown");
                    engine.reopen();
                }
            }
        }
        assert_eq!(engine.violations(), [""; 0]);
        outcomes
    };
    let first = outcomes(3);
    assert_eq!(first, outcomes(3));
    assert_ne!(first, outcomes(4));
    for kind in ["stored", "refused", "unknown"] {
        assert!(first.contains(&kind), "{kind} never happens");
    }
}

proptest! {
    #[test]
    fn one_row_pages_show_what_a_range_shows(
        keys in proptest::collection::btree_set(0u8..20, 0..12),
        from in 0u8..20, to in 0u8..20, kinds in (0u8..3, 0u8..3),
        from_back in proptest::collection::vec(any::<bool>(), 0..14),
    ) {
        let inner = Arc::new(MemoryEngine::new());
        let writes = keys.iter().map(|key| Write { key: vec![*key].into(), value: Some(vec![*key, 1].into()) });
        inner.commit(1, 1, Batch { writes: writes.collect(), first_version: 1, last_version: 1 }).unwrap();
        let behind: Arc<dyn Engine> = Arc::<MemoryEngine>::clone(&inner);
        let engine = ContraryEngine::new(behind, 1, Temper { one_row_pages: true, ..Temper::CALM });
        let (from, to) = ([from], [to]);
        let bound = |kind, key| match kind {
            0 => Bound::Unbounded,
            1 => Bound::Included(key),
            _ => Bound::Excluded(key),
        };
        let (from, to) = (bound(kinds.0, &from[..]), bound(kinds.1, &to[..]));
        let walk = |view: &dyn View| -> Vec<Pair> {
            let mut range = view.range(from, to);
            let mut found = Vec::new();
            for back in &from_back {
                let next = if *back { range.next_back() } else { range.next() };
                found.extend(next.map(Result::unwrap));
            }
            found
        };
        prop_assert_eq!(walk(engine.view().as_ref()), walk(inner.view().as_ref()));
    }
}
