//! Simulated crashes of the embedded engine: every seed is one life after another on one disk, with power cuts, kills,
//! failing writes and syncs, full disks, also during recovery. Replay a failure with `HOLDFAST_SIMULATION_SEED`.
//!
//! After each start the state must be that of some commit between the last one acknowledged and the last one tried, whole,
//! and whatever was once seen after a start must never be lost again.

use super::EmbeddedEngine;
use super::index::simulated::SimulatedIndex;
use super::index::{Index, IndexError, Manifest};
use crate::engine::{Batch, CommitError, Engine, Write};
use crate::io::Disk;
use crate::io::simulated::random::Random;
use crate::io::simulated::{Fault, Kind, SimulatedDisk};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

type State = BTreeMap<Bytes, Bytes>;

/// A state, short enough for a message: per key the commit that wrote it (every byte of a value says so) and the length.
fn brief(state: Option<&State>) -> Option<Vec<(u8, Option<u8>, usize)>> {
    let pairs = state?.iter();
    Some(pairs.map(|(key, value)| (key[1], value.first().copied(), value.len())).collect())
}

/// Small, so that many lives flush.
const MEMTABLE_BYTES: u64 = 4 << 10;
/// Crashes per seed.
const LIVES: u64 = 4;

/// The machine: a disk, and the index that would be on it.
struct Machine {
    disk: SimulatedDisk,
    index: Mutex<Option<Arc<SimulatedIndex>>>,
    seed: u64,
}

impl Machine {
    fn open(&self) -> Result<EmbeddedEngine, crate::dir::Refusal> {
        // An index whose start did not come to its end has flushed nothing: what was replayed into it is gone with it.
        let started = Mutex::new(None);
        let open_index = |_: &Path, manifest: &Manifest| {
            let manifest = (!manifest.encoded.is_empty()).then_some(manifest);
            let index = match self.index.lock().as_ref() {
                Some(index) => index.reopen_after_crash(manifest, self.seed ^ self.disk.operations())?,
                None => SimulatedIndex::new(MEMTABLE_BYTES),
            };
            let index = Arc::new(index);
            *started.lock() = Some(Arc::clone(&index));
            Ok(index as Arc<dyn Index>)
        };
        let engine = EmbeddedEngine::open_on(Arc::new(self.disk.clone()), Path::new("/data"), &open_index)?;
        *self.index.lock() = started.into_inner();
        Ok(engine)
    }
}

fn state(engine: &EmbeddedEngine) -> (u64, State) {
    let view = engine.view();
    let pairs = view.range(Bound::Unbounded, Bound::Unbounded).collect::<Result<_, _>>().expect("reads");
    (view.commit_number(), pairs)
}

fn batch(random: &mut Random, commit: u64) -> Batch {
    let mut writes = BTreeMap::new();
    for _ in 0..=random.below(4) {
        let key = Bytes::from(vec![b'k', random.below(12) as u8]);
        let len = match random.below(20) {
            0 => 5_000 + random.below(70_000) as usize,
            1..=3 => 400 + random.below(3_000) as usize,
            _ => random.below(60) as usize,
        };
        let value = (random.below(5) > 0).then(|| Bytes::from(vec![commit as u8; len]));
        writes.insert(key, value);
    }
    let writes = writes.into_iter().map(|(key, value)| Write { key, value }).collect();
    Batch { writes, first_version: commit, last_version: commit }
}

fn apply(state: &mut State, batch: &Batch) {
    for write in &batch.writes {
        match &write.value {
            Some(value) => state.insert(write.key.clone(), value.clone()),
            None => state.remove(&write.key),
        };
    }
}

fn arm(random: &mut Random, disk: &SimulatedDisk) {
    let after = 1 + random.below(60);
    match random.below(8) {
        0 | 1 => disk.fail_after(after, Fault::PowerCut),
        2 => disk.fail_after(after, Fault::Kill),
        3 => disk.fail_after_kind(1 + random.below(12), Kind::Sync, Fault::Io),
        4 => disk.fail_after_kind(1 + random.below(20), Kind::Write, Fault::NoRoom),
        5 => disk.fail_after_kind(1 + random.below(20), Kind::Write, Fault::Io),
        _ => {}
    }
}

/// What must hold of the store on the disk.
struct Model {
    /// State after each commit that may be the newest one.
    states: BTreeMap<u64, State>,
    /// The newest commit that was acknowledged, or seen after a start.
    acknowledged: u64,
}

/// How a life ended.
#[derive(PartialEq, Eq)]
enum End {
    /// The engine ran.
    Ran,
    /// The start failed, because a fault struck it: the process or machine ended, or a call failed.
    NotStarted { ended: bool },
    /// Nothing can go on from here.
    Over,
}

/// A start was refused: because a fault struck it, or because nothing can go on from here.
fn refused(machine: &Machine, refusal: &crate::dir::Refusal, seed: u64) -> End {
    use crate::dir::RefusalKind::{BehindWitness, Damaged, Foreign};
    if is_witness_lost(refusal) {
        return End::Over;
    }
    let hit = machine.disk.operations() == 0 || machine.disk.faults_waiting() == 0;
    assert!(hit, "seed {seed}: refused without a fault: {refusal}");
    // A failure during recovery is no damage: the next start must go through.
    assert!(!matches!(refusal.kind, Damaged | BehindWitness | Foreign), "seed {seed}: {refusal}");
    let ended = machine.disk.open_read(Path::new("/")).is_err_and(|error| crate::io::is_dead(&error));
    End::NotStarted { ended }
}

/// One life.
fn life(random: &mut Random, machine: &Machine, model: &mut Model, seed: u64) -> End {
    let disk = &machine.disk;
    arm(random, disk);
    let engine = match machine.open() {
        Ok(engine) => engine,
        Err(refusal) => return refused(machine, &refusal, seed),
    };
    let (mut commit, found) = state(&engine);
    assert!(
        commit >= model.acknowledged,
        "seed {seed}: commit {} was lost, {commit} found",
        model.acknowledged
    );
    assert_eq!(
        brief(model.states.get(&commit)),
        brief(Some(&found)),
        "seed {seed}: the state of commit {commit}"
    );
    model.states.retain(|number, _| *number == commit);
    model.acknowledged = commit;
    let mut newest = found;
    for _ in 0..random.below(25) {
        if random.below(6) == 0 && engine.core().preparer.prepare().is_err() {
            continue;
        }
        if random.below(6) == 0 && engine.core().witness.sync().is_err() {
            return End::Ran;
        }
        background(random, machine, &engine);
        let batch = batch(random, commit + 1);
        let mut next = newest.clone();
        apply(&mut next, &batch);
        match engine.commit(commit + 1, seed.max(1), batch) {
            Ok(()) => {
                commit += 1;
                model.states.insert(commit, next.clone());
                model.acknowledged = commit;
                newest = next;
                assert_eq!(state(&engine), (commit, newest.clone()), "seed {seed}");
            }
            Err(CommitError::Refused(_)) => {
                assert_eq!(state(&engine), (commit, newest.clone()), "seed {seed}")
            }
            Err(CommitError::Unknown(_)) => {
                model.states.insert(commit + 1, next);
                let again = engine.commit(commit + 1, seed.max(1), Batch::default());
                assert!(matches!(again, Err(CommitError::Refused(_))), "seed {seed}: writing has ended");
                assert_eq!(state(&engine), (commit, newest), "seed {seed}: reads go on");
                return End::Ran;
            }
        }
    }
    if random.below(4) == 0 {
        // A clean close may meet a fault as well.
        drop(engine.close());
    }
    End::Ran
}

/// What the background threads do, now and then. Failures end writing, or pass: the commits that follow show which.
fn background(random: &mut Random, machine: &Machine, engine: &EmbeddedEngine) {
    let core = engine.core();
    match random.below(12) {
        0 => core.seal(true),
        1 => core.seal(false),
        2 | 3 => drop(core.flush_once()),
        4 => drop(core.compact_once()),
        5 => drop(core.write_checkpoint()),
        6 if random.below(4) == 0 => {
            let error = match random.below(2) {
                0 => IndexError::NoRoom { file: "table".to_owned() },
                _ => IndexError::Io { file: "table".to_owned(), cause: "on purpose".to_owned() },
            };
            if let Some(index) = machine.index.lock().as_ref() {
                index.fail_next(error);
            }
        }
        _ => {}
    }
}

/// The one start that may be refused after a power cut: it spoiled both slots of the witness (more than one unsynced
/// record) *and* tore the last frame, so that nothing tells whether that frame was acknowledged.
fn is_witness_lost(refusal: &crate::dir::Refusal) -> bool {
    refusal.file.ends_with("witness") && refusal.cause.starts_with("both slots are bad")
}

fn simulate(seed: u64) {
    let mut random = Random::new(seed);
    let mut machine = Machine { disk: SimulatedDisk::new(seed), index: Mutex::new(None), seed };
    let mut model = Model { states: BTreeMap::from([(0, State::new())]), acknowledged: 0 };
    for _ in 0..LIVES {
        let end = life(&mut random, &machine, &mut model, seed);
        if end == End::Over {
            return;
        }
        // Names whose sync failed during a start, seen again by a mere restart of the process: a file system goes
        // read-only then. Outside the model, so the machine restarts too.
        let restarts = end == End::NotStarted { ended: false } || random.below(3) > 0;
        if restarts {
            machine.disk.crash()
        } else {
            machine.disk.kill()
        }
        machine.disk = machine.disk.restart();
        machine.disk.clear_faults();
    }
    let engine = match machine.open() {
        Ok(engine) => engine,
        Err(refusal) => return assert!(is_witness_lost(&refusal), "seed {seed}: {refusal}"),
    };
    let (commit, found) = state(&engine);
    assert!(commit >= model.acknowledged, "seed {seed}: commit {} was lost", model.acknowledged);
    assert_eq!(brief(model.states.get(&commit)), brief(Some(&found)), "seed {seed}: the last state");
}

#[test]
fn promise_acknowledged_commits_survive_simulated_crashes() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("HOLDFAST_SIMULATION_SEED") {
        return simulate(seed);
    }
    let crashes = number("HOLDFAST_TEST_CRASHES").unwrap_or(400);
    for seed in 1..=crashes.div_ceil(LIVES) {
        simulate(seed);
    }
}
