//! Every operation run twice, with answers and state compared.
//!
//! [`Twins`] are two stores that are given the same operations. The *calm* one runs each once. The *contrary* one stands
//! on a [`ContraryEngine`], and runs each as a rehearsal first, whose writes are thrown away; then in earnest, again and
//! again while its engine refuses, and over a restart where the outcome is unknown. After each operation both must
//! have given the same answer, and hold the same rows, byte for byte, `commits` and `meta` included.
//!
//! An operation that takes time, ids or randomness from anywhere but its context, that keeps something from an earlier
//! run, or that reads what only its own process knows, does not pass.

use crate::clock::VirtualClock;
use crate::contrary::{ContraryEngine, Tally, Temper};
use bytes::Bytes;
use holdfast_state::operation::{Prepared, Submission};
use holdfast_store::engine::Engine;
use holdfast_store::engine::memory::MemoryEngine;
use holdfast_store::{
    CommitInfo, Need, Operation, Options, Place, Snapshot, Store, StoreError, TimeSource, Transaction,
    Verdict, Version,
};
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// Engine key of the `meta` row, the only one that a start changes.
const META: &[u8] = &[1];

/// An operation whose writes are thrown away whatever it says.
pub struct Rehearsal<O>(pub O);

impl<O: Operation> Operation for Rehearsal<O> {
    fn info(&self) -> CommitInfo {
        self.0.info()
    }

    fn need(&self) -> Need {
        self.0.need()
    }

    fn versioned(&self) -> bool {
        self.0.versioned()
    }

    fn prefetch(&self, newest: &Snapshot) {
        self.0.prefetch(newest);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        self.0.run(tx);
        Verdict::Discard
    }
}

impl<O> Debug for Rehearsal<O> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Rehearsal")
    }
}

/// Two stores that must not be told apart. Panics where they can be.
#[derive(Debug)]
pub struct Twins {
    clock: Arc<VirtualClock>,
    calm_rows: Arc<MemoryEngine>,
    calm: Store,
    contrary_rows: Arc<MemoryEngine>,
    contrary_engine: Arc<ContraryEngine>,
    contrary: Store,
    seed: u64,
}

type Rows = Vec<(Bytes, Bytes)>;

fn rows(engine: &MemoryEngine) -> Rows {
    let rows = engine.view().range(Bound::Unbounded, Bound::Unbounded).collect();
    // A view of memory cannot fail.
    Result::expect(rows, "memory is readable")
}

fn without_meta(rows: &Rows) -> Vec<&(Bytes, Bytes)> {
    rows.iter().filter(|(key, _)| key != META).collect()
}

fn open(engine: Arc<dyn Engine>, clock: &Arc<VirtualClock>) -> Store {
    let clock: Arc<dyn TimeSource> = Arc::<VirtualClock>::clone(clock);
    let options = Options { place: Place::Engine(engine), clock, trimmer: false, ..Options::in_memory() };
    match Store::open(options) {
        Ok(store) => store,
        Err(error) => panic!("a store opens on a calm engine: {error}"),
    }
}

impl Twins {
    /// Two empty stores; the contrary one has faults from `seed` and of `temper`.
    ///
    /// # Panics
    /// If a store does not open.
    #[must_use]
    pub fn new(seed: u64, temper: Temper) -> Self {
        let clock = Arc::new(VirtualClock::default());
        let (calm_rows, contrary_rows) = (Arc::new(MemoryEngine::new()), Arc::new(MemoryEngine::new()));
        let behind: Arc<dyn Engine> = Arc::<MemoryEngine>::clone(&contrary_rows);
        let contrary_engine = Arc::new(ContraryEngine::new(behind, seed, temper));
        let calm = open(Arc::<MemoryEngine>::clone(&calm_rows), &clock);
        let contrary = open_calmly(&contrary_engine, &clock);
        Self { clock, calm_rows, calm, contrary_rows, contrary_engine, contrary, seed }
    }

    /// The clock of both.
    #[must_use]
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// The store that runs each operation once: for looking at what is stored. Writing to it parts the twins.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.calm
    }

    /// How often the contrary engine did what.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.contrary_engine.tally()
    }

    /// Runs a service's request on both. `prepare` is called once for each and must give the same both times.
    ///
    /// # Errors
    /// The service's refusal, the same from both.
    ///
    /// # Panics
    /// If answers or rows differ, or the store fails in a way that the contrary engine does not explain.
    pub fn request<E: Debug + Send + 'static>(
        &mut self,
        prepare: impl Fn() -> Result<Prepared<E>, E>,
    ) -> Result<Vec<u8>, E> {
        let (one, two) = match (prepare(), prepare()) {
            (Ok(one), Ok(two)) => (one, two),
            (one, two) => {
                let answers =
                    [one, two].map(|outcome| outcome.map(|prepared| format!("{prepared:?}").into_bytes()));
                self.compare_answers(&answers[0], &answers[1]);
                let [answer, _] = answers;
                return answer;
            }
        };
        match (one, two) {
            (Prepared::Read(one), Prepared::Read(two)) => {
                let answer = one.run(&self.calm.snapshot());
                self.compare_answers(&answer, &two.run(&self.contrary.snapshot()));
                answer
            }
            (Prepared::Write(one), Prepared::Write(two)) => {
                let (one, two) = self.operation(Submission::new(one), Submission::new(two));
                let answer = one.answer();
                self.compare_answers(&answer, &two.answer());
                answer
            }
            _ => panic!("a request is a read or a write, not one after the other (seed {})", self.seed),
        }
    }

    /// Runs two makings of the same operation, the first on the calm store; gives both back for their answers.
    ///
    /// # Panics
    /// If rows differ, or the store fails in a way that the contrary engine does not explain.
    pub fn operation<O: Operation>(&mut self, one: O, two: O) -> (O, O) {
        let before = rows(&self.contrary_rows);
        let (one, calm) = self.calm.execute(one);
        let (Rehearsal(two), _) = self.contrary.execute(Rehearsal(two));
        assert_eq!(before, rows(&self.contrary_rows), "a discarded run left something (seed {})", self.seed);
        let (two, contrary) = self.insist(two, &before);
        self.compare_rows();
        let violations = self.contrary_engine.violations();
        assert!(
            violations.is_empty(),
            "the store broke the engine's contract (seed {}): {violations:?}",
            self.seed
        );
        match (&calm, &contrary) {
            // Its answer was lost, but it was found stored after a restart.
            (Ok(_), Ok(None)) => {}
            (Ok(calm), Ok(Some(contrary))) => {
                assert_eq!(calm, contrary, "versions differ (seed {})", self.seed)
            }
            (Err(calm), Err(contrary)) => {
                assert_eq!(calm.to_string(), contrary.to_string(), "failures differ (seed {})", self.seed);
            }
            _ => panic!("outcomes differ (seed {}): {calm:?} and {contrary:?}", self.seed),
        }
        (one, two)
    }

    /// Runs until there is an outcome that is not the engine's fault; `None` for a version that nobody was told.
    fn insist<O: Operation>(
        &mut self,
        mut operation: O,
        before: &Rows,
    ) -> (O, Result<Option<Version>, StoreError>) {
        loop {
            let faults = self.faults();
            let (back, outcome) = self.contrary.execute(operation);
            operation = back;
            let error = match outcome {
                Ok(version) => return (operation, Ok(Some(version))),
                // The operation's own failure, not the engine's.
                Err(error) if self.faults() == faults => return (operation, Err(error)),
                Err(error) => error,
            };
            if matches!(error, StoreError::Unknown(_) | StoreError::Ended(_)) {
                self.restart();
                if rows(&self.contrary_rows) == rows(&self.calm_rows) {
                    return (operation, Ok(None));
                }
            }
            let is_lost = without_meta(&rows(&self.contrary_rows)) == without_meta(before);
            assert!(is_lost, "{error}, but a part of it is stored (seed {})", self.seed);
            // What does not fit the tiny limit would never be taken otherwise.
            self.contrary_engine.order(None);
        }
    }

    fn faults(&self) -> u64 {
        let Tally { refused, unknown, .. } = self.contrary_engine.tally();
        refused + unknown
    }

    /// Stops and starts both stores: both, because each start leaves its number.
    ///
    /// # Panics
    /// If a store does not open.
    pub fn restart(&mut self) {
        // Whether a close is clean says nothing about what was answered, and the contrary engine may have ended.
        drop(self.contrary.close(Duration::from_secs(1)));
        drop(self.calm.close(Duration::from_secs(1)));
        self.contrary_engine.reopen();
        self.calm = open(Arc::<MemoryEngine>::clone(&self.calm_rows), &self.clock);
        self.contrary = open_calmly(&self.contrary_engine, &self.clock);
    }

    fn compare_answers<E: Debug>(&self, calm: &Result<Vec<u8>, E>, contrary: &Result<Vec<u8>, E>) {
        let show = |answer: &Result<Vec<u8>, E>| match answer {
            Ok(body) => format!("answer {}", body.escape_ascii()),
            Err(error) => format!("refusal {error:?}"),
        };
        assert_eq!(show(calm), show(contrary), "answers differ (seed {})", self.seed);
    }

    fn compare_rows(&self) {
        let (calm, contrary) = (rows(&self.calm_rows), rows(&self.contrary_rows));
        for (one, two) in calm.iter().zip(&contrary) {
            let show =
                |(key, value): &(Bytes, Bytes)| format!("{} = {}", key.escape_ascii(), value.escape_ascii());
            assert_eq!(show(one), show(two), "rows differ (seed {})", self.seed);
        }
        assert_eq!(calm.len(), contrary.len(), "one store has more rows (seed {})", self.seed);
    }
}

/// The first commits of a start have no faults: what is tested is not whether a start can fail.
fn open_calmly(engine: &Arc<ContraryEngine>, clock: &Arc<VirtualClock>) -> Store {
    engine.calmly(|| open(Arc::<ContraryEngine>::clone(engine), clock))
}

#[cfg(test)]
mod tests;
