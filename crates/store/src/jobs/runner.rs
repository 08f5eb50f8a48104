//! The one thread that keeps house: it trims, starts what is due, runs the steps of jobs, and reads a table now and then.
//!
//! It queues one operation at a time, like any client, and waits until that is durable. While clients wait in the queue it
//! pauses between two operations for as long as the last one took, so that it never takes more than every second group.

use super::reclaim::{self, StartReclaim};
use super::scrub::Scrubber;
use super::{Ended, JobId, JobKinds, JobRecord, JobStatus, StepOperation};
use crate::clocks::Clocks;
use crate::engine::ReadError;
use crate::executor::Executor;
use crate::history;
use crate::read::Snapshot;
use crate::store::Store;
use crate::trim::{self, HistoryLimits, RetentionStep, TrimStep};
use crate::{SpaceId, StoreError, Version};
use parking_lot::{Condvar, Mutex};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it looks when nobody wakes it.
const INTERVAL: Duration = Duration::from_secs(1);
/// When a step that failed is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// Longest pause between two operations while clients wait.
const PAUSE_MAX: Duration = Duration::from_millis(20);
/// Rows that the first step of a job may look at, and the most that any may.
const ROWS_FIRST: usize = 64;
const ROWS_MAX: usize = 4_096;
/// A step that took longer is followed by a smaller one, one that took less by a larger one. A step may take 5 ms.
const STEP_LONG: Duration = Duration::from_millis(4);
const STEP_SHORT: Duration = Duration::from_micros(1_500);

/// What the thread waits for.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    state: Mutex<SignalState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct SignalState {
    stop: bool,
    due: bool,
}

impl Signal {
    /// A job was started or moved on, or the clock that jobs wait for.
    pub(crate) fn ring(&self) {
        self.state.lock().due = true;
        self.changed.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.state.lock().stop = true;
        self.changed.notify_all();
    }

    fn is_stopped(&self) -> bool {
        self.state.lock().stop
    }

    /// Waits for a ring, at most an interval; answers whether to go on.
    fn wait(&self) -> bool {
        let deadline = Instant::now() + INTERVAL;
        let mut state = self.state.lock();
        while !state.stop && !std::mem::replace(&mut state.due, false) {
            if self.changed.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        !state.stop
    }

    fn pause(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut state = self.state.lock();
        while !state.stop && !self.changed.wait_until(&mut state, deadline).timed_out() {}
    }
}

/// What is known of jobs in this process, beside their rows.
#[derive(Debug, Default)]
pub(crate) struct Runner {
    pub(crate) kinds: JobKinds,
    pub(crate) signal: Arc<Signal>,
    pub(crate) scrubber: Scrubber,
    known: Mutex<Known>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Known {
    /// The job that had the last step: the next one is behind it.
    last: Option<JobId>,
    paces: BTreeMap<JobId, Pace>,
    /// Jobs that have nothing to do, and since when that is kept.
    idle: BTreeSet<JobId>,
    idle_since: Option<Instant>,
    /// Horizon, structure and progress of trimming when the spaces were looked through last.
    looked: Option<(Version, Version, Version)>,
    /// What went wrong in the last round, so that it is said once.
    failure: Option<String>,
    /// Spaces with a history window of their own.
    retained: Vec<(SpaceId, u64)>,
}

/// How fast a job goes.
#[derive(Debug, Clone)]
struct Pace {
    rows: usize,
    error: Option<String>,
    not_before: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: ROWS_FIRST, error: None, not_before: None }
    }
}

impl Pace {
    fn went_well(&mut self, took: Duration) {
        (self.error, self.not_before) = (None, None);
        if took > STEP_LONG {
            self.rows = (self.rows / 2).max(1);
        } else if took < STEP_SHORT {
            self.rows = (self.rows * 2).min(ROWS_MAX);
        }
    }

    fn failed(&mut self, id: JobId, name: &str, error: String) {
        if self.error.as_ref() != Some(&error) {
            tracing::warn!(job = id.0, kind = name, %error, "a step of a job failed; it is tried again");
        }
        self.error = Some(error);
        self.not_before = Some(Instant::now() + RETRY);
    }
}

/// What the runner needs of a store.
#[derive(Clone, Copy)]
pub(crate) struct House<'a> {
    pub(crate) store: &'a Store,
    pub(crate) runner: &'a Runner,
    pub(crate) executor: &'a Executor,
    pub(crate) clocks: &'a Clocks,
}

impl House<'_> {
    /// One of everything that is due; answers whether there may be more. What fails holds up nothing else.
    ///
    /// # Errors
    /// Only if writing has ended.
    pub(crate) fn round(&self, limits: HistoryLimits) -> Result<bool, StoreError> {
        let trimmed = self.trim_due(limits).and_then(|due| Ok(due && self.trim_step(limits)?));
        let parts = [trimmed, self.retention_step(), self.start_reclaim(), self.job_step(|_| true)];
        let (mut more, mut failure) = (false, None);
        for part in parts {
            match part {
                Ok(part) => more |= part,
                Err(error @ StoreError::Ended(_)) => return Err(error),
                Err(error) => failure = failure.or(Some(error.to_string())),
            }
        }
        let mut known = self.runner.known.lock();
        if let Some(error) = &failure
            && known.failure != failure
        {
            tracing::warn!(%error, "trimming or a job failed; it is tried again");
        }
        known.failure = failure;
        Ok(more)
    }

    /// One step of whatever takes history away; answers whether there is more to do.
    pub(crate) fn trim_once(&self, limits: HistoryLimits) -> Result<bool, StoreError> {
        Ok(self.trim_step(limits)?
            || self.retention_step()?
            || self.start_reclaim()?
            || self.job_step(|job| job.kind == reclaim::KIND)?)
    }

    fn trim_step(&self, limits: HistoryLimits) -> Result<bool, StoreError> {
        let now_ms = self.clocks.real_now_ms();
        let (step, outcome) = self.store.execute(TrimStep { now_ms, limits, more: false, failed: None });
        outcome?;
        failed("history", step.failed).map(|()| step.more)
    }

    /// Whether the oldest commit is outside the limits, seen without disturbing the executor.
    fn trim_due(&self, limits: HistoryLimits) -> Result<bool, StoreError> {
        Ok(trim::is_due(&self.store.snapshot(), limits, self.clocks.real_now_ms())?)
    }

    fn retention_step(&self) -> Result<bool, StoreError> {
        let snapshot = self.store.snapshot();
        self.look_through(&snapshot)?;
        let retained = self.runner.known.lock().retained.clone();
        let now_ms = self.clocks.real_now_ms();
        let Some(space) = trim::retention_due(&snapshot, &retained, now_ms)? else { return Ok(false) };
        // Its horizon moves: it may be due for reclaiming then.
        self.runner.known.lock().looked = None;
        let (step, outcome) = self.store.execute(RetentionStep { space, now_ms, failed: None });
        outcome?;
        failed("history", step.failed).map(|()| true)
    }

    /// Finds out which spaces have a window of their own, if that may have changed. Answers whether it may.
    fn look_through(&self, snapshot: &Snapshot) -> Result<bool, ReadError> {
        let meta = snapshot.meta()?;
        let now = (history::horizon(meta, meta.last_version()), meta.structure, meta.trimmed_to);
        if self.runner.known.lock().looked == Some(now) {
            return Ok(false);
        }
        let spaces = history::spaces(snapshot.view())?.into_iter();
        let retained = spaces.filter_map(|(space, record)| Some((space, record.retention_ms?))).collect();
        self.runner.known.lock().retained = retained;
        Ok(true)
    }

    fn start_reclaim(&self) -> Result<bool, StoreError> {
        let snapshot = self.store.snapshot();
        if !self.look_through(&snapshot)? {
            return Ok(false);
        }
        let spaces = reclaim::due(&snapshot)?;
        if spaces.is_empty() {
            let meta = snapshot.meta()?;
            let now = (history::horizon(meta, meta.last_version()), meta.structure, meta.trimmed_to);
            self.runner.known.lock().looked = Some(now);
            return Ok(false);
        }
        let (start, outcome) = self.store.execute(StartReclaim { spaces, failed: None });
        outcome?;
        failed("spaces", start.failed).map(|()| true)
    }

    /// Forgets which jobs have nothing to do.
    pub(crate) fn look_again(&self) {
        let mut known = self.runner.known.lock();
        known.idle.clear();
        known.idle_since = None;
    }

    /// The next job that can have a step, and how many rows that may look at.
    fn next_job(
        &self,
        snapshot: &Snapshot,
        jobs: Vec<(JobId, JobRecord)>,
        which: impl Fn(&JobRecord) -> bool,
    ) -> Option<(JobId, JobRecord, usize)> {
        let now = Instant::now();
        let now_ms = self.clocks.service_now_ms();
        let known = &mut *self.runner.known.lock();
        known.paces.retain(|id, _| jobs.iter().any(|(other, _)| other == id));
        if known.idle_since.is_none_or(|since| since + INTERVAL <= now) {
            known.idle.clear();
            known.idle_since = Some(now);
        }
        let Known { paces, idle, last, .. } = known;
        let mut ready = |id: &JobId, job: &JobRecord| {
            let waits = paces.get(id).and_then(|pace| pace.not_before).is_some_and(|at| at > now);
            let kind = self.runner.kinds.get(job.kind).filter(|_| which(job) && !waits);
            let Some(kind) = kind.filter(|_| !idle.contains(id)) else { return false };
            if kind.not_before(job).is_some_and(|at| !at.has_come(self.clocks)) {
                return false;
            }
            let is_due = kind.is_due(snapshot, job, now_ms);
            if !is_due {
                idle.insert(*id);
            }
            is_due
        };
        // The first behind the one that had the last step, else the first of all.
        let behind = jobs.partition_point(|(id, _)| Some(*id) <= *last);
        let (before, behind) = jobs.split_at(behind);
        let (id, job) = behind.iter().chain(before).find(|(id, job)| ready(id, job))?;
        *last = Some(*id);
        Some((*id, job.clone(), paces.get(id).map_or(ROWS_FIRST, |pace| pace.rows)))
    }

    /// One step of the next job that can have one; answers whether one ran.
    pub(crate) fn job_step(&self, which: impl Fn(&JobRecord) -> bool) -> Result<bool, StoreError> {
        let snapshot = self.store.snapshot();
        let Some((id, job, rows)) = self.next_job(&snapshot, super::all(&snapshot)?, which) else {
            return Ok(false);
        };
        let Some(kind) = self.runner.kinds.get(job.kind).cloned() else { return Ok(false) };
        let name = kind.name();
        let step =
            StepOperation { id, kind, seen: job, rows, ended: Ended::NotRun, took: Duration::default() };
        let (step, outcome) = self.store.execute(step);
        if let Err(StoreError::Ended(cause)) = outcome {
            return Err(StoreError::Ended(cause));
        }
        if matches!(outcome, Err(StoreError::Busy { .. })) {
            return Ok(false);
        }
        let mut known = self.runner.known.lock();
        let pace = known.paces.entry(id).or_default();
        match (outcome, step.ended) {
            (Ok(_), Ended::Failed(error)) => pace.failed(id, name, error),
            (Ok(_), _) => pace.went_well(step.took),
            (Err(StoreError::TooLarge { .. }), _) if rows > 1 => pace.rows = (rows / 4).max(1),
            (Err(error), _) => pace.failed(id, name, error.to_string()),
        }
        Ok(pace.error.is_none())
    }
}

fn failed(what: &str, cause: Option<String>) -> Result<(), StoreError> {
    match cause {
        Some(cause) => Err(StoreError::Read(ReadError { file: what.to_owned(), cause })),
        None => Ok(()),
    }
}

impl Runner {
    pub(crate) fn new(kinds: JobKinds) -> Self {
        Self { kinds, ..Self::default() }
    }

    /// What `status` shows of the jobs in a state.
    pub(crate) fn status(&self, snapshot: &Snapshot) -> Result<Vec<JobStatus>, ReadError> {
        let known = self.known.lock();
        let shown = |(id, record): (JobId, JobRecord)| {
            let name = self.kinds.get(record.kind).map(|kind| kind.name());
            let error = known.paces.get(&id).and_then(|pace| pace.error.clone());
            JobStatus { id, name, record, error }
        };
        Ok(super::all(snapshot)?.into_iter().map(shown).collect())
    }

    /// Starts the thread. `store` answers the store as long as somebody holds it.
    pub(crate) fn start(
        &self,
        limits: HistoryLimits,
        store: impl Fn() -> Option<Store> + Send + 'static,
    ) -> std::io::Result<()> {
        let signal = Arc::clone(&self.signal);
        let body = move || {
            while signal.wait() {
                if let Some(store) = store() {
                    store.house().look_again();
                }
                while !signal.is_stopped() {
                    let start = Instant::now();
                    let Some(store) = store() else { return };
                    let house = store.house();
                    let round = house.round(limits);
                    // After the rest, and whatever came of it: reads go on when writing has ended.
                    house.scrub_step(Instant::now());
                    match round {
                        Ok(true) => {}
                        Ok(false) | Err(_) => break,
                    }
                    if house.executor.queued() > 0 {
                        signal.pause(start.elapsed().min(PAUSE_MAX));
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("housekeeper".to_owned()).spawn(body)?;
        *self.thread.lock() = Some(thread);
        Ok(())
    }

    /// Waits for the end of the thread, once it was told to stop.
    pub(crate) fn join(&self) {
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the housekeeper ended in a panic");
        }
    }
}
