//! The store: what everything above holds.

use crate::clocks::{Clocks, SystemClock, TimeSource};
use crate::dir::refusal::Refusal;
use crate::engine::embedded::{EmbeddedEngine, EmbeddedOptions, EmbeddedStats, ScrubbedTable};
use crate::engine::memory::MemoryEngine;
use crate::engine::{CommitError, Engine};
use crate::executor::Executor;
use crate::executor::metrics::HistogramValues;
use crate::executor::stage::{self, Queued, Stage, Standing};
use crate::history::AsOf;
use crate::io::Disk;
use crate::io::real::RealDisk;
use crate::jobs::runner::{House, Runner, Signal};
use crate::jobs::{JobKind, JobKinds, JobStatus, TableDamage};
use crate::keys::{self, family};
use crate::read::{Snapshot, meta_of};
use crate::records::{Meta, Pin};
use crate::trim::HistoryLimits;
use crate::{
    CommitInfo, Counters, HistoryError, Loss, Need, Operation, Origin, Read, ReadError, SpaceId, StoreError,
    Transaction, Verdict, Version,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

/// Default history window: 7 days.
pub const HISTORY_WINDOW_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// Default bound of history: 10 GiB, or 20 % of the disk if that is less; see [`default_history_bytes`].
pub const HISTORY_BYTES_MAX: u64 = 10 << 30;
/// History kept in memory by `--in-memory`.
pub const HISTORY_BYTES_IN_MEMORY: u64 = 64 << 20;
/// The part of the disk that history takes by default at most is one of so many.
const HISTORY_PART_OF_DISK: u64 = 5;

/// Where the data are.
#[derive(Debug, Clone)]
pub enum Place {
    /// Nowhere: everything is gone when the process ends.
    Memory,
    /// In a directory.
    Directory(EmbeddedOptions),
    /// In an engine of the caller's, for tests.
    Engine(Arc<dyn Engine>),
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the data are.
    pub place: Place,
    /// How much of the past is kept; `None` keeps none (`--history off`).
    pub history: Option<HistoryLimits>,
    /// Whether `history` also switches history on or off for good. Without it the store goes on as it was: for verbs on a
    /// stopped directory, which do not know what its server was told.
    pub switch_history: bool,
    /// Where real time comes from.
    pub clock: Arc<dyn TimeSource>,
    /// Whether a background thread trims and runs jobs. Tests may call [`Store::trim_once`] and [`Store::run_job_step`]
    /// themselves.
    pub trimmer: bool,
    /// Kinds of jobs that this process knows, beside the store's own.
    pub jobs: Vec<Arc<dyn JobKind>>,
}

impl Options {
    /// A store that keeps nothing.
    #[must_use]
    pub fn in_memory() -> Self {
        let history = HistoryLimits { window_ms: HISTORY_WINDOW_MS, bytes_max: HISTORY_BYTES_IN_MEMORY };
        Self {
            place: Place::Memory,
            history: Some(history),
            switch_history: true,
            clock: Arc::new(SystemClock),
            trimmer: true,
            jobs: Vec::new(),
        }
    }

    /// A store in a directory, with default limits.
    #[must_use]
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        let bytes_max = default_history_bytes(&dir);
        let history = HistoryLimits { window_ms: HISTORY_WINDOW_MS, bytes_max };
        Self {
            place: Place::Directory(EmbeddedOptions::new(dir)),
            history: Some(history),
            ..Self::in_memory()
        }
    }
}

/// Default bound of history in bytes for a data directory, which need not exist yet: 10 GiB or 20 % of the disk, whichever
/// is less.
#[must_use]
pub fn default_history_bytes(dir: &Path) -> u64 {
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    // Where the disk cannot be measured the start has worse to say.
    let room = absolute.ancestors().find_map(|existing| RealDisk.room(existing).ok());
    room.map_or(HISTORY_BYTES_MAX, |room| HISTORY_BYTES_MAX.min(room.total_bytes / HISTORY_PART_OF_DISK))
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot or must not be used; nothing in it was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It opened, but its first commit failed.
    #[error("the first commit failed")]
    Commit(#[from] CommitError),
    /// A row that is read at start cannot be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A thread could not be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// Switching the history on or off failed.
    #[error("cannot set the history limits: {0}")]
    History(#[from] StoreError),
}

impl OpenError {
    /// What helps, if something is known to.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(refusal.hint()),
            Self::Commit(CommitError::Refused(crate::engine::Refusal::NoRoom(_))) => {
                Some("Free room on that disk and start again; nothing is lost.")
            }
            _ => None,
        }
    }
}

/// Why a store did not close cleanly. Everything answered is durable all the same.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store did not close cleanly: {0}")]
pub struct CloseError(String);

/// What `status` shows of a store.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Directory, if there is one.
    pub dir: Option<PathBuf>,
    /// Newest version.
    pub version: Version,
    /// Newest commit.
    pub commit: u64,
    /// Oldest version that can be read without a pin.
    pub horizon: Version,
    /// Whether history is kept.
    pub history: bool,
    /// What the trimmer leaves, as it was opened; `None` with history off.
    pub history_limits: Option<HistoryLimits>,
    /// Rows and bytes of history.
    pub history_rows: u64,
    /// See `history_rows`.
    pub history_bytes: u64,
    /// Items that exist now, and their logical sizes, over all spaces but those that hold names.
    pub data: Counters,
    /// Start epoch.
    pub epoch: u64,
    /// Why writing has ended, if it has.
    pub ended: Option<String>,
    /// Operations waiting in the queue, and the most that may wait.
    pub queued: usize,
    /// See `queued`.
    pub queued_max: usize,
    /// Operations and bytes at which a group closes.
    pub group_operations_max: usize,
    /// See `group_operations_max`.
    pub group_bytes_max: usize,
    /// Bytes that one operation may write.
    pub operation_bytes_max: usize,
    /// Pins.
    pub pins: Vec<(u64, Pin)>,
    /// Jobs that are not done, by id.
    pub jobs: Vec<JobStatus>,
    /// Spaces with a history window of their own: window in milliseconds, and oldest version that can be read.
    pub retained: Vec<(SpaceId, u64, Version)>,
    /// Losses that were accepted, oldest first.
    pub losses: Vec<Loss>,
    /// Tables that are damaged, as far as a scrub has found it since the start or the reads for this status have met it.
    pub damage: Vec<TableDamage>,
    /// The embedded engine's sizes, if it runs.
    pub engine: Option<EmbeddedStats>,
    /// Operations per group.
    pub groups: HistogramValues,
}

struct Inner {
    standing: Arc<Standing>,
    engine: Arc<dyn Engine>,
    embedded: Option<Arc<EmbeddedEngine>>,
    executor: Executor,
    clocks: Clocks,
    dir: Option<PathBuf>,
    limits: Option<HistoryLimits>,
    runner: Runner,
}

/// A running store. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("engine", &self.inner.engine).finish()
    }
}

impl Store {
    /// Opens a store, creating it if the place is empty.
    ///
    /// # Errors
    /// See [`OpenError`]; nothing on disk is changed by a refusal.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let mut dir = None;
        let mut embedded = None;
        let mut gauge = None;
        let engine: Arc<dyn Engine> = match options.place {
            Place::Memory => Arc::new(MemoryEngine::new()),
            Place::Engine(engine) => engine,
            Place::Directory(place) => {
                dir = Some(place.dir.clone());
                let engine = Arc::new(EmbeddedEngine::open(place)?);
                gauge = engine.gauge();
                embedded = Some(Arc::clone(&engine));
                engine
            }
        };
        begin_epoch(engine.as_ref())?;
        let meta = meta_of(engine.view().as_ref())?.unwrap_or_else(Meta::new);
        let clocks = Clocks::new(options.clock, meta.real_ms, meta.clock);
        let standing = Arc::new(Standing::new());
        let stage = Stage::new(Arc::clone(&engine), clocks.clone(), gauge, Arc::clone(&standing))?;
        assert_eq!(stage.meta().epoch, meta.epoch, "the epoch is committed before first use");
        let executor = Executor::start(stage, Arc::clone(&engine))?;
        let inner = Inner {
            standing,
            engine,
            embedded,
            executor,
            clocks,
            dir,
            limits: options.history,
            runner: Runner::new(JobKinds::new(options.jobs)),
        };
        let store = Self { inner: Arc::new(inner) };
        if options.switch_history && meta.history_off == options.history.is_some() {
            store.execute(SwitchHistory { off: options.history.is_none() }).1?;
        }
        if options.trimmer {
            if !store.status()?.jobs.is_empty() {
                // What a start finds half done goes on at once.
                store.inner.runner.signal.ring();
            }
            let weak = Arc::downgrade(&store.inner);
            let limits = options.history.unwrap_or(HistoryLimits { window_ms: 0, bytes_max: 0 });
            store.inner.runner.start(limits, move || weak.upgrade().map(|inner| Self { inner }))?;
        }
        Ok(store)
    }

    /// The newest durable state.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        // Before the view: a view that is newer than its count is looked up anew, never the other way round.
        let refusals = self.inner.standing.refusals.load(Ordering::Acquire);
        Snapshot::new(self.inner.engine.view(), (self.inner.standing.store, refusals))
    }

    /// The state as of a version.
    ///
    /// # Errors
    /// If it was trimmed or has not happened yet.
    pub fn as_of(&self, version: Version) -> Result<AsOf, HistoryError> {
        self.snapshot().as_of(version)
    }

    /// The newest version whose real time is at most `real_ms`; 0 if that is before everything.
    ///
    /// # Errors
    /// If what was then can no longer be read.
    pub fn version_at(&self, real_ms: u64) -> Result<Version, HistoryError> {
        self.snapshot().version_at(real_ms)
    }

    /// Queues an operation. `done` is called on a store thread once everything the operation saw is durable (refusals
    /// too), or with the reason why it is not.
    pub fn submit<O: Operation>(
        &self,
        operation: O,
        done: impl FnOnce(O, Result<Version, StoreError>) + Send + 'static,
    ) {
        operation.prefetch(&self.snapshot());
        let signal = Arc::clone(&self.inner.runner.signal);
        self.inner.executor.submit(Box::new(Submission { operation, done, signal, wakes_jobs: false }));
    }

    /// Runs an operation and waits for its outcome.
    ///
    /// # Panics
    /// If called on a store thread, which would wait for itself.
    pub fn execute<O: Operation>(&self, operation: O) -> (O, Result<Version, StoreError>) {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.submit(operation, move |operation, outcome| {
            // The receiver waits below, unless its thread is gone: then nobody wants the answer.
            drop(sender.send((operation, outcome)));
        });
        match receiver.recv() {
            Ok(answer) => answer,
            Err(_) => unreachable!("every queued operation is answered"),
        }
    }

    /// Both clocks.
    #[must_use]
    pub fn clock(&self) -> Clocks {
        self.inner.clocks.clone()
    }

    /// Why writing has ended, if it has. Reads nothing, so that damage is not in its way.
    #[must_use]
    pub fn ended(&self) -> Option<String> {
        let ended = self.inner.standing.ended.lock().clone();
        ended.or_else(|| self.embedded().and_then(|engine| engine.stats().ended))
    }

    /// What there is to know about this store now. What a damaged table keeps from being read is left out, and the table is
    /// in [`Status::damage`].
    ///
    /// # Errors
    /// If `meta` cannot be read.
    pub fn status(&self) -> Result<Status, ReadError> {
        let snapshot = self.snapshot();
        let meta = snapshot.meta()?;
        let (from, to) = keys::whole(family::PINS);
        let bounds = (std::ops::Bound::Included(from.as_slice()), std::ops::Bound::Excluded(to.as_slice()));
        let pins = snapshot
            .view()
            .range(bounds.0, bounds.1)
            .map(|row| crate::transaction::decode_pin(row?))
            .collect::<Result<Vec<_>, _>>();
        let tables = self.embedded().map_or_else(Vec::new, EmbeddedEngine::tables);
        let mut damage = self.inner.runner.scrubber.damage(&tables);
        let pins = or_damage(pins, &mut damage);
        let ended = self.inner.standing.ended.lock().clone();
        let retained = or_damage(crate::history::spaces(snapshot.view()), &mut damage)
            .into_iter()
            .filter_map(|(space, record)| Some((space, record.retention_ms?, record.horizon)))
            .collect();
        Ok(Status {
            dir: self.inner.dir.clone(),
            version: meta.last_version(),
            commit: snapshot.view().commit_number(),
            horizon: crate::history::horizon(meta, meta.last_version()),
            history: !meta.history_off,
            history_limits: self.inner.limits,
            losses: or_damage(crate::losses::all(snapshot.view()), &mut damage),
            jobs: or_damage(self.inner.runner.status(&snapshot), &mut damage),
            retained,
            data: or_damage(live_data(&snapshot), &mut damage),
            damage,
            history_rows: meta.history_rows,
            history_bytes: meta.history_bytes,
            epoch: meta.epoch,
            queued: self.inner.executor.queued(),
            queued_max: crate::executor::QUEUE_OPERATIONS_MAX,
            group_operations_max: stage::GROUP_OPERATIONS_MAX,
            group_bytes_max: stage::GROUP_BYTES_MAX,
            operation_bytes_max: stage::OPERATION_BYTES_MAX,
            pins,
            ended: ended.clone(),
            engine: self.inner.embedded.as_ref().map(|engine| {
                let stats = engine.stats();
                EmbeddedStats { ended: stats.ended.clone().or(ended), ..stats }
            }),
            groups: self.inner.executor.metrics().groups(),
        })
    }

    /// Takes away history older than `window_ms` now, whatever the limits are. Returns once it is gone.
    ///
    /// # Errors
    /// If a step fails.
    pub fn trim(&self, window_ms: u64) -> Result<(), StoreError> {
        let limits = HistoryLimits { window_ms, bytes_max: u64::MAX };
        while self.trim_once(limits)? {}
        if let Some(engine) = &self.inner.embedded {
            engine.free_room().map_err(|error| stage::store_error(&error))?;
        }
        Ok(())
    }

    /// One step of trimming; answers whether there is more to do.
    ///
    /// # Errors
    /// If the step fails.
    pub fn trim_once(&self, limits: HistoryLimits) -> Result<bool, StoreError> {
        self.house().trim_once(limits)
    }

    /// Notes where this process serves, for the message of one that finds the directory locked. Does nothing in memory.
    pub fn announce(&self, address: &str) {
        if let Some(engine) = &self.inner.embedded {
            engine.announce(address);
        }
    }

    /// Reads every block of every table of the index and compares checksums. `each` sees what was found of each; `false`
    /// stops early. A damaged table does not hide the next. Does nothing where there are no tables. What is damaged is in
    /// [`Status::damage`] from then on.
    pub fn scrub(&self, each: &mut dyn FnMut(&ScrubbedTable) -> bool) {
        let Some(engine) = self.embedded() else { return };
        for table in engine.tables().into_iter().filter_map(|id| engine.scrub_table(id)) {
            self.inner.runner.scrubber.note(&table);
            if !each(&table) {
                break;
            }
        }
    }

    /// Finishes what is queued, writes what makes the next start quick (for at most `limit`), and ends.
    ///
    /// # Errors
    /// If that failed. Everything answered is durable all the same.
    pub fn close(&self, limit: Duration) -> Result<(), CloseError> {
        self.inner.runner.signal.stop();
        if let Some(engine) = &self.inner.embedded {
            engine.prepare_close();
        }
        self.inner.executor.close();
        self.inner.runner.join();
        match &self.inner.embedded {
            Some(engine) => engine.close_within(limit).map_err(|error| CloseError(error.to_string())),
            None => self.inner.engine.close().map_err(|error| CloseError(error.to_string())),
        }
    }

    /// One step of the next job that can have one; answers whether one ran. For tests, and where no thread does it.
    ///
    /// # Errors
    /// If writing has ended, or the jobs cannot be read.
    pub fn run_job_step(&self) -> Result<bool, StoreError> {
        let house = self.house();
        house.look_again();
        house.job_step(|_| true)
    }

    pub(crate) fn embedded(&self) -> Option<&EmbeddedEngine> {
        self.inner.embedded.as_deref()
    }

    pub(crate) fn house(&self) -> House<'_> {
        let Inner { runner, executor, clocks, .. } = self.inner.as_ref();
        House { store: self, runner, executor, clocks }
    }
}

/// What was read, or nothing, with the damage that was met added.
fn or_damage<T: Default>(read: Result<T, ReadError>, damage: &mut Vec<TableDamage>) -> T {
    read.unwrap_or_else(|ReadError { file, cause }| {
        let file = PathBuf::from(file);
        if damage.iter().all(|known| known.file != file) {
            damage.push(TableDamage { file, cause });
        }
        T::default()
    })
}

/// Counters of everything that was not dropped and holds no names.
fn live_data(snapshot: &Snapshot) -> Result<Counters, ReadError> {
    let mut sum = Counters::default();
    let catalogs = crate::executor::stage::read_catalogs(snapshot.view())?;
    for (space, record) in crate::history::spaces(snapshot.view())? {
        if record.dropped.is_none() && !catalogs.contains(&space) {
            let own = snapshot.counters(space)?;
            sum.items += own.items;
            sum.bytes += own.bytes;
        }
    }
    Ok(sum)
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(engine) = &self.embedded {
            engine.prepare_close();
        }
        self.runner.signal.stop();
        self.executor.close();
    }
}

/// Commits the number of this start before anything else.
fn begin_epoch(engine: &dyn Engine) -> Result<(), OpenError> {
    let view = engine.view();
    let mut meta = meta_of(view.as_ref())?.unwrap_or_else(Meta::new);
    meta.epoch += 1;
    let write = crate::engine::Write { key: keys::meta(), value: Some(meta.encode().into()) };
    let version = meta.last_version();
    let batch = crate::engine::Batch { writes: vec![write], first_version: version, last_version: version };
    engine.commit(view.commit_number() + 1, meta.epoch, batch)?;
    Ok(())
}

/// Switches the history on or off: off raises the horizon first, on sets it to now.
struct SwitchHistory {
    off: bool,
}

impl Operation for SwitchHistory {
    fn info(&self) -> CommitInfo {
        CommitInfo { origin: Origin::System, service: "store", operation: "history", ..CommitInfo::default() }
    }

    fn need(&self) -> Need {
        Need::Trim
    }

    fn versioned(&self) -> bool {
        false
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        // The commit of the horizon so far goes too: the trimmer looks at it again.
        tx.meta.trimmed_to = tx.meta.trimmed_to.min(tx.meta.horizon);
        tx.meta.horizon = tx.meta.horizon.max(tx.meta.last_version());
        tx.meta.history_off = self.off;
        Verdict::Keep
    }
}

/// An operation in the queue with its callback.
struct Submission<O, D> {
    operation: O,
    done: D,
    /// Who runs jobs.
    signal: Arc<Signal>,
    /// Whether a job may have more to do once it is durable.
    wakes_jobs: bool,
}

impl<O: Operation, D: FnOnce(O, Result<Version, StoreError>) + Send> Queued for Submission<O, D> {
    fn info(&self) -> CommitInfo {
        self.operation.info()
    }

    fn need(&self) -> Need {
        self.operation.need()
    }

    fn versioned(&self) -> bool {
        self.operation.versioned()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        let verdict = self.operation.run(tx);
        self.wakes_jobs = verdict == Verdict::Keep && (tx.writes_job() || tx.changes_clock());
        verdict
    }

    fn done(self: Box<Self>, outcome: Result<Version, StoreError>) {
        let Self { operation, done, signal, wakes_jobs } = *self;
        if wakes_jobs && outcome.is_ok() {
            signal.ring();
        }
        done(operation, outcome);
    }
}
