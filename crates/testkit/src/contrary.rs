//! An engine that is as unhelpful as the engine's contract allows.
//!
//! It stands before another engine and, from a seed, refuses commits, leaves their outcome unknown (stored or not), and
//! takes only small batches; its ranges come one row at a time. What it is given it checks: a caller that breaks the
//! contract is written down in [`ContraryEngine::violations`].

mod view;

use crate::random::Random;
use holdfast_store::engine::{Batch, CommitError, CommitNumber, Engine, Epoch, Limits, Refusal, View};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use view::ContraryView;

/// What can happen to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Refused for want of room; the engine goes on.
    NoRoom,
    /// Refused as too large, whatever its size; the engine goes on.
    TooLarge,
    /// Refused because another writer is at work.
    Fenced,
    /// Not stored, but the caller is not told; the engine takes nothing more until it is reopened.
    UnknownLost,
    /// Stored and shown by new views at once, but the caller is not told; as above.
    UnknownKept,
    /// Stored, but shown only after [`ContraryEngine::reopen`]; as above.
    UnknownHidden,
}

/// How contrary the engine is.
#[derive(Debug, Clone, Copy)]
pub struct Temper {
    /// Of a thousand commits, how many are refused for want of room or as too large.
    pub refused_per_mille: u16,
    /// Of a thousand commits, how many have an unknown outcome.
    pub unknown_per_mille: u16,
    /// Largest batch taken, in bytes of keys and values.
    pub batch_bytes_max: usize,
    /// Whether each row of a range is fetched by itself.
    pub one_row_pages: bool,
}

impl Temper {
    /// As the engine behind it.
    pub const CALM: Self = Self {
        refused_per_mille: 0,
        unknown_per_mille: 0,
        batch_bytes_max: usize::MAX,
        one_row_pages: false,
    };
    /// Everything at once, often.
    pub const CONTRARY: Self =
        Self { refused_per_mille: 150, unknown_per_mille: 50, batch_bytes_max: 1_024, one_row_pages: true };
}

/// How often what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Commits stored and answered so.
    pub stored: u64,
    /// Commits refused.
    pub refused: u64,
    /// Commits whose outcome was left unknown.
    pub unknown: u64,
}

struct State {
    temper: Temper,
    random: Random,
    /// Faults that tests ordered; they come before those by chance. `None` is a commit without fault.
    ordered: VecDeque<Option<Fault>>,
    calm: bool,
    /// Why no commit is taken any more.
    ended: Option<&'static str>,
    epoch: Epoch,
    /// Last version of the newest stored batch, once one was stored.
    last_version: Option<u64>,
    tally: Tally,
    violations: Vec<String>,
    /// A row whose engine key contains one of these cannot be read.
    broken: Arc<[Vec<u8>]>,
    /// What views show instead of the newest state, after [`Fault::UnknownHidden`].
    shown: Option<Arc<dyn View>>,
}

/// The contrary engine. Deterministic: the same seed, temper and sequence of commits give the same faults.
pub struct ContraryEngine {
    inner: Arc<dyn Engine>,
    state: Mutex<State>,
    committing: AtomicBool,
}

impl std::fmt::Debug for ContraryEngine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ContraryEngine").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl ContraryEngine {
    /// Stands before `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Engine>, seed: u64, temper: Temper) -> Self {
        let state = State {
            temper,
            random: Random::new(seed),
            ordered: VecDeque::new(),
            calm: false,
            ended: None,
            epoch: 0,
            last_version: None,
            tally: Tally::default(),
            violations: Vec::new(),
            broken: Arc::new([]),
            shown: None,
        };
        Self { inner, state: Mutex::new(state), committing: AtomicBool::new(false) }
    }

    /// Orders what happens to the next commit that has no order yet: a fault, or none at all, not even by size.
    pub fn order(&self, fault: Option<Fault>) {
        self.state.lock().ordered.push_back(fault);
    }

    /// Takes every commit while `body` runs, whatever its size, and without using up an order.
    pub fn calmly<T>(&self, body: impl FnOnce() -> T) -> T {
        self.state.lock().calm = true;
        let answer = body();
        self.state.lock().calm = false;
        answer
    }

    /// From now on, rows whose engine key contains `part` cannot be read.
    pub fn break_rows_with(&self, part: &[u8]) {
        let mut state = self.state.lock();
        state.broken = state.broken.iter().cloned().chain([part.to_vec()]).collect();
    }

    /// Takes commits again, as after a restart of whatever stands behind the engine; shows everything stored.
    pub fn reopen(&self) {
        let mut state = self.state.lock();
        state.ended = None;
        state.shown = None;
    }

    /// How often what happened.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.state.lock().tally
    }

    /// What callers did that the contract of [`Engine::commit`] forbids.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.state.lock().violations.clone()
    }

    /// Decides what happens to a batch.
    fn fault(state: &mut State, batch: &Batch) -> Option<Fault> {
        if state.calm {
            return None;
        }
        let Temper { refused_per_mille, unknown_per_mille, batch_bytes_max, .. } = state.temper;
        if let Some(ordered) = state.ordered.pop_front() {
            return ordered;
        }
        // Always as many draws per commit, so that a change of one chance does not move all later faults.
        let (refuse, unknown) =
            (state.random.chance(refused_per_mille), state.random.chance(unknown_per_mille));
        let which = usize::try_from(state.random.below(6)).unwrap_or_default();
        if batch.payload_bytes() > batch_bytes_max {
            Some(Fault::TooLarge)
        } else if refuse {
            Some([Fault::NoRoom, Fault::TooLarge][which % 2])
        } else if unknown {
            Some([Fault::UnknownLost, Fault::UnknownKept, Fault::UnknownHidden][which % 3])
        } else {
            None
        }
    }

    fn check(&self, state: &mut State, expected: CommitNumber, epoch: Epoch, batch: &Batch) {
        let newest = self.inner.view().commit_number();
        let mut claims = vec![
            (batch.is_sorted(), "a batch has each key once, in order"),
            (!batch.writes.is_empty(), "a commit changes something"),
            (expected == newest + 1, "a commit is expected to follow the newest"),
            (epoch >= state.epoch, "the epoch never goes back"),
            (batch.first_version <= batch.last_version, "versions of a batch are in order"),
        ];
        if let Some(last) = state.last_version {
            let follows =
                batch.first_version == last + 1 || (batch.first_version, batch.last_version) == (last, last);
            claims.push((follows, "versions are dense over batches"));
        }
        let broken = claims.into_iter().filter(|(holds, _)| !holds).map(|(_, claim)| claim);
        let detail = |claim| {
            let Batch { first_version, last_version, .. } = batch;
            let versions =
                format!("versions {first_version} to {last_version} after {:?}", state.last_version);
            format!(
                "{claim}: commit {expected} after {newest}, epoch {epoch} after {}, {versions}",
                state.epoch
            )
        };
        let found: Vec<_> = broken.map(detail).collect();
        state.violations.extend(found);
    }

    fn store(
        &self,
        state: &mut State,
        expected: CommitNumber,
        epoch: Epoch,
        batch: Batch,
    ) -> Result<(), CommitError> {
        let last_version = batch.last_version;
        self.inner.commit(expected, epoch, batch)?;
        state.epoch = epoch;
        state.last_version = Some(last_version);
        Ok(())
    }

    fn commit_alone(&self, expected: CommitNumber, epoch: Epoch, batch: Batch) -> Result<(), CommitError> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if let Some(cause) = state.ended {
            state.tally.refused += 1;
            return Err(CommitError::Refused(Refusal::Ended(cause.to_owned())));
        }
        self.check(state, expected, epoch, &batch);
        let Some(fault) = Self::fault(state, &batch) else {
            self.store(state, expected, epoch, batch)?;
            state.tally.stored += 1;
            return Ok(());
        };
        let refusal = match fault {
            Fault::NoRoom => Refusal::NoRoom("the contrary engine has none".to_owned()),
            Fault::TooLarge => {
                Refusal::TooLarge { bytes: batch.payload_bytes(), max: state.temper.batch_bytes_max }
            }
            Fault::Fenced => Refusal::Fenced("the contrary engine pretends another writer".to_owned()),
            Fault::UnknownLost | Fault::UnknownKept | Fault::UnknownHidden => {
                if fault == Fault::UnknownHidden {
                    state.shown = Some(self.inner.view());
                }
                if fault != Fault::UnknownLost {
                    self.store(state, expected, epoch, batch)?;
                }
                state.ended = Some("the outcome of a commit is unknown");
                state.tally.unknown += 1;
                return Err(CommitError::Unknown("the contrary engine does not say".to_owned()));
            }
        };
        state.tally.refused += 1;
        Err(CommitError::Refused(refusal))
    }
}

impl Engine for ContraryEngine {
    fn view(&self) -> Arc<dyn View> {
        let state = self.state.lock();
        Arc::new(ContraryView {
            inner: state.shown.clone().unwrap_or_else(|| self.inner.view()),
            one_row_pages: state.temper.one_row_pages,
            broken: Arc::clone(&state.broken),
        })
    }

    fn commit(&self, expected: CommitNumber, epoch: Epoch, batch: Batch) -> Result<(), CommitError> {
        if self.committing.swap(true, Ordering::SeqCst) {
            self.state.lock().violations.push("one commit runs at a time".to_owned());
        }
        let result = self.commit_alone(expected, epoch, batch);
        self.committing.store(false, Ordering::SeqCst);
        result
    }

    fn limits(&self) -> Limits {
        let inner = self.inner.limits();
        let batch_bytes_max = inner.batch_bytes_max.min(self.state.lock().temper.batch_bytes_max);
        Limits { batch_bytes_max, ..inner }
    }

    fn close(&self) -> Result<(), CommitError> {
        self.state.lock().ended.get_or_insert("the engine was closed");
        self.inner.close()
    }
}

#[cfg(test)]
mod tests;
