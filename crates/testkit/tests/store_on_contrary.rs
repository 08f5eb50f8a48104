//! The store's executor on the contrary engine: bursts of operations on one key, several per group and groups in flight,
//! while commits are refused and outcomes unknown.

use holdfast_store::engine::memory::MemoryEngine;
use holdfast_store::{
    CommitInfo, Operation, Options, Place, Read, SpaceId, Store, StoreError, Transaction, Verdict, Version,
};
use holdfast_testkit::contrary::{ContraryEngine, Temper};
use holdfast_testkit::random::Random;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

const SPACE: SpaceId = SpaceId(1);
const KEY: &[u8] = b"count";

fn count(read: &impl Read) -> u64 {
    let value = read.get(SPACE, KEY).expect("memory is readable");
    value.map_or(0, |value| {
        u64::from_be_bytes(value.payload.as_ref().try_into().expect("a count has 8 bytes"))
    })
}

/// Reads the count and, unless it only looks, adds one. `seen` is the count that it leaves or found.
struct Count {
    only_looks: bool,
    seen: u64,
}

impl Operation for Count {
    fn info(&self) -> CommitInfo {
        CommitInfo::default()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        self.seen = count(tx);
        if self.only_looks {
            return Verdict::Discard;
        }
        self.seen += 1;
        tx.put(SPACE, KEY, &self.seen.to_be_bytes(), 8).expect("a short key fits");
        Verdict::Keep
    }
}

struct CreateSpace;

impl Operation for CreateSpace {
    fn info(&self) -> CommitInfo {
        CommitInfo::default()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        assert_eq!(tx.create_space(1).expect("a space is created"), SPACE);
        Verdict::Keep
    }
}

fn open(engine: &Arc<ContraryEngine>) -> Store {
    let place = Place::Engine(Arc::<ContraryEngine>::clone(engine));
    let options = Options { place, trimmer: false, ..Options::in_memory() };
    engine.calmly(|| Store::open(options)).expect("opens on a calm engine")
}

/// What a burst's operation was answered.
struct Answer {
    operation: Count,
    outcome: Result<Version, StoreError>,
    /// The count that a reader finds when the answer is there.
    shown: u64,
}

/// Submits `len` operations without waiting in between; gives their answers in the order of submission.
fn burst(store: &Store, random: &mut Random, len: usize) -> Vec<Answer> {
    let (sender, receiver) = mpsc::channel();
    for number in 0..len {
        let (sender, reader) = (sender.clone(), store.clone());
        let operation = Count { only_looks: random.chance(250), seen: 0 };
        store.submit(operation, move |operation, outcome| {
            let shown = count(&reader.snapshot());
            drop(sender.send((number, Answer { operation, outcome, shown })));
        });
    }
    drop(sender);
    let mut answers: Vec<_> = receiver.iter().collect();
    answers.sort_by_key(|(number, _)| *number);
    assert_eq!(answers.len(), len, "every operation is answered once");
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Checks a burst that began at `before` and ended, after a restart if one was needed, at `after`.
fn check(answers: &[Answer], before: u64, after: u64, seed: u64) {
    let mut newest_seen = before;
    let mut acknowledged = BTreeSet::new();
    let mut versions = BTreeSet::new();
    let mut is_unknown = false;
    for Answer { operation: Count { only_looks, seen }, outcome, shown } in answers {
        match outcome {
            Ok(version) => {
                assert!(shown >= seen, "seed {seed}: answered {seen} before it could be read");
                assert!(after >= *seen, "seed {seed}: {seen} was acknowledged and {after} is left");
                assert!(
                    *seen >= newest_seen,
                    "seed {seed}: an earlier operation saw {newest_seen}, this one {seen}"
                );
                newest_seen = *seen;
                if !only_looks {
                    assert!(acknowledged.insert(*seen), "seed {seed}: {seen} was acknowledged twice");
                    assert!(versions.insert(*version), "seed {seed}: version {version} was given twice");
                }
            }
            Err(StoreError::Unknown(_)) => is_unknown = true,
            Err(StoreError::DiskFull(_) | StoreError::TooLarge { .. } | StoreError::Ended(_)) => {}
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    if !is_unknown {
        let all: BTreeSet<_> = (before + 1..=after).collect();
        assert_eq!(acknowledged, all, "seed {seed}: exactly what was acknowledged is stored");
    }
}

#[test]
fn bursts_keep_what_was_acknowledged_and_nothing_that_was_refused() {
    let (mut unknown, mut largest_group, mut lost) = (0, 0, 0);
    for seed in 0..20 {
        let temper = Temper { batch_bytes_max: usize::MAX, ..Temper::CONTRARY };
        let engine = Arc::new(ContraryEngine::new(Arc::new(MemoryEngine::new()), seed, temper));
        let mut random = Random::new(seed);
        let mut store = open(&engine);
        engine.calmly(|| store.execute(CreateSpace).1).unwrap();
        for _ in 0..20 {
            let before = count(&store.snapshot());
            let unknown_before = engine.tally().unknown;
            let answers = burst(&store, &mut random, 40);
            largest_group = largest_group.max(store.status().unwrap().groups.max);
            if engine.tally().unknown > unknown_before {
                drop(store.close(Duration::from_secs(1)));
                engine.reopen();
                store = open(&engine);
                unknown += 1;
            }
            check(&answers, before, count(&store.snapshot()), seed);
            lost += answers.iter().filter(|answer| answer.outcome.is_err()).count();
        }
        assert_eq!(engine.violations(), [""; 0], "seed {seed}");
    }
    eprintln!("{unknown} unknown outcomes, {lost} failed operations, groups of up to {largest_group}");
    assert!(unknown > 5 && lost > 20 && largest_group > 1);
}
