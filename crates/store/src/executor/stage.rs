//! The executor without its threads: runs operations on staged writes, forms groups, and takes their outcome.
//!
//! Invariants
//! - `view` + `in_flight` + `group` together are the newest state; every operation sees all of it.
//! - Every answer, refusals too, waits for the newest group staged before the operation ran.
//! - An operation that fails or panics leaves nothing staged.

use super::metrics::ExecutorMetrics;
use crate::clocks::Clocks;
use crate::engine::{
    Batch, CommitError, CommitNumber, Engine, FRAMING_BYTES, ReadError, Refusal, View, Write,
};
use crate::finish::{self, Effects};
use crate::keys::{self, family};
use crate::overlay::{Overlay, Staged};
use crate::read::{meta_of, root_space};
use crate::records::{Meta, Pin, ServiceClock};
use crate::transaction::{Transaction, decode_pin};
use crate::{CommitInfo, Need, SpaceId, StoreError, Verdict, Version};
use parking_lot::Mutex;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A group closes at this many operations.
pub(crate) const GROUP_OPERATIONS_MAX: usize = 1_000;
/// A group closes at this many bytes.
pub(crate) const GROUP_BYTES_MAX: usize = 8 << 20;
/// Room for the `meta` row that each group writes.
const META_BYTES_MAX: usize = 1 << 10;
/// One operation may leave this much behind: history, index rows and its `commits` row included.
pub(crate) const OPERATION_BYTES_MAX: usize = 64 << 20;

/// An operation in the queue, with its way back.
pub(crate) trait Queued: Send {
    fn info(&self) -> CommitInfo;
    fn need(&self) -> Need;
    /// Whether it gets a version.
    fn versioned(&self) -> bool;
    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict;
    fn done(self: Box<Self>, outcome: Result<Version, StoreError>);
}

/// Says whether there is room for an operation. Measured before each group.
pub(crate) trait RoomGauge: Send + Sync {
    fn check(&self, need: Need) -> Result<(), StoreError>;
}

/// What the store outside the executor's thread knows of it.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Which store of this process this is; with `refusals` part of a [`Structure`](crate::Structure).
    pub(crate) store: u64,
    /// How many groups were refused.
    pub(crate) refusals: AtomicU64,
    /// Why writing has ended, once it has.
    pub(crate) ended: Mutex<Option<String>>,
}

impl Standing {
    pub(crate) fn new() -> Self {
        /// Numbers the stores of this process.
        static STORES: AtomicU64 = AtomicU64::new(0);
        let store = STORES.fetch_add(1, Ordering::Relaxed);
        Self { store, refusals: AtomicU64::new(0), ended: Mutex::new(None) }
    }

    /// Ends writing, if it has not ended before.
    pub(crate) fn end(&self, text: impl Into<String>) {
        self.ended.lock().get_or_insert_with(|| text.into());
    }
}

/// An operation that will be answered whatever happens: if it is dropped on the way, by a panic, that is its answer.
pub(crate) struct Pending(Option<Box<dyn Queued>>);

impl Pending {
    pub(crate) fn new(operation: Box<dyn Queued>) -> Self {
        Self(Some(operation))
    }

    pub(crate) fn done(mut self, outcome: Result<Version, StoreError>) {
        if let Some(operation) = self.0.take() {
            operation.done(outcome);
        }
    }

    fn get(&mut self) -> Option<&mut (dyn Queued + 'static)> {
        self.0.as_deref_mut()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(operation) = self.0.take() {
            operation
                .done(Err(StoreError::Unknown("the store failed inside before it was answered".to_owned())));
        }
    }
}

/// One that waits for a group to be durable.
struct Waiter {
    operation: Pending,
    outcome: Result<Version, StoreError>,
}

/// Operations whose writes will be one commit.
#[derive(Default)]
pub(crate) struct Group {
    staged: Staged,
    bytes: usize,
    operations: usize,
    waiters: Vec<Waiter>,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.staged.is_empty()
    }

    pub(crate) fn operations(&self) -> usize {
        self.operations
    }

    fn answer(self, failure: Option<&StoreError>) {
        for waiter in self.waiters {
            let outcome = match failure {
                Some(error) => Err(error.clone()),
                None => waiter.outcome,
            };
            waiter.operation.done(outcome);
        }
    }
}

/// A group on its way to the disk.
pub(crate) struct Departing {
    pub(crate) number: CommitNumber,
    pub(crate) epoch: u64,
    pub(crate) batch: Batch,
    waiters: Group,
    clocks: Clocks,
    /// How the service clock stands behind this group.
    clock: ServiceClock,
}

impl Departing {
    /// Commits, then answers everybody who waits. Returns what the executor must be told.
    pub(crate) fn commit(self, engine: &dyn Engine, metrics: &ExecutorMetrics) -> Result<(), CommitError> {
        let Self { number, epoch, batch, waiters, clocks, clock } = self;
        metrics.group(waiters.operations as u64);
        let result = engine.commit(number, epoch, batch);
        if result.is_ok() {
            // A clock that was set shows once it is durable, and before whoever set it is answered.
            clocks.set_service(clock);
        }
        waiters.answer(result.as_ref().err().map(store_error).as_ref());
        result
    }
}

/// What a failed commit means for the operations in it.
pub(crate) fn store_error(error: &CommitError) -> StoreError {
    match error {
        CommitError::Refused(Refusal::NoRoom(text)) => StoreError::DiskFull(text.clone()),
        CommitError::Refused(Refusal::TooLarge { bytes, max }) => {
            StoreError::TooLarge { bytes: *bytes, max: *max }
        }
        CommitError::Refused(refusal) => StoreError::Ended(refusal.to_string()),
        CommitError::Unknown(text) => StoreError::Unknown(text.clone()),
    }
}

/// The executor's state.
pub(crate) struct Stage {
    engine: Arc<dyn Engine>,
    clocks: Clocks,
    gauge: Option<Box<dyn RoomGauge>>,
    view: Arc<dyn View>,
    /// The newest state of `meta`, staged writes included.
    meta: Meta,
    pins: Vec<Pin>,
    /// Spaces that hold names: the catalogs that roots point to.
    catalogs: Vec<SpaceId>,
    standing: Arc<Standing>,
    /// A group closes at this many bytes, and one operation may leave this many behind: together they fit the engine.
    group_bytes_max: usize,
    operation_bytes_max: usize,
    group: Group,
    in_flight: Option<Arc<Staged>>,
    next_commit: CommitNumber,
    /// Last version of the newest group that departed.
    departed_version: Version,
}

impl Stage {
    pub(crate) fn new(
        engine: Arc<dyn Engine>,
        clocks: Clocks,
        gauge: Option<Box<dyn RoomGauge>>,
        standing: Arc<Standing>,
    ) -> Result<Self, ReadError> {
        let view = engine.view();
        let meta = meta_of(view.as_ref())?.unwrap_or_else(Meta::new);
        let pins = read_pins(view.as_ref())?;
        let catalogs = read_catalogs(view.as_ref())?;
        let next_commit = view.commit_number() + 1;
        let departed_version = meta.last_version();
        let batch_bytes_max = engine.limits().batch_bytes_max;
        let group_bytes_max = GROUP_BYTES_MAX.min(batch_bytes_max / 8);
        // An engine that cannot take two whole groups (a test's) says by itself what does not fit it.
        let operation_bytes_max = if batch_bytes_max < 2 * GROUP_BYTES_MAX {
            OPERATION_BYTES_MAX
        } else {
            OPERATION_BYTES_MAX.min(batch_bytes_max - group_bytes_max - META_BYTES_MAX)
        };
        Ok(Self {
            engine,
            clocks,
            gauge,
            view,
            meta,
            pins,
            catalogs,
            standing,
            group_bytes_max,
            operation_bytes_max,
            group: Group::default(),
            in_flight: None,
            next_commit,
            departed_version,
        })
    }

    pub(crate) fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Whether the open group takes no further operation.
    pub(crate) fn is_full(&self) -> bool {
        self.group.operations >= GROUP_OPERATIONS_MAX || self.group.bytes >= self.group_bytes_max
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Runs one operation on the newest state and adds it to the open group.
    pub(crate) fn run(&mut self, mut pending: Pending) {
        let Some(operation) = pending.get() else { return };
        let ended = self.standing.ended.lock().clone();
        if let Some(text) = ended {
            pending.done(Err(StoreError::Ended(text)));
            return;
        }
        if let Some(gauge) = &self.gauge
            && let Err(error) = gauge.check(operation.need())
        {
            pending.done(Err(error));
            return;
        }
        let outcome = self.stage(operation);
        if self.group.is_empty() && self.in_flight.is_none() {
            pending.done(outcome);
        } else {
            self.group.waiters.push(Waiter { operation: pending, outcome });
        }
    }

    /// Runs an operation and stages what it leaves behind.
    fn stage(&mut self, operation: &mut dyn Queued) -> Result<Version, StoreError> {
        let info = operation.info();
        let base = Overlay {
            view: self.view.as_ref(),
            group: &self.group.staged,
            in_flight: self.in_flight.as_ref(),
        };
        let refusals = self.standing.refusals.load(Ordering::Relaxed);
        let named = ((self.standing.store, refusals), self.catalogs.as_slice());
        let service_ms = self.clocks.service_now_ms();
        let mut tx = Transaction::new(base, self.meta.clone(), service_ms, self.operation_bytes_max, named);
        tx.versioned = operation.versioned();
        let verdict = catch_unwind(AssertUnwindSafe(|| operation.run(&mut tx)))
            .map_err(|panic| StoreError::Panicked(panic_text(panic.as_ref())))?;
        if verdict == Verdict::Discard {
            return Ok(self.meta.last_version());
        }
        if tx.written_bytes > tx.limit_bytes {
            return Err(StoreError::TooLarge { bytes: tx.written_bytes, max: tx.limit_bytes });
        }
        let real_ms = self.clocks.real_now_ms();
        let Effects { writes, meta, version } = finish::finish(&mut tx, &info, &self.pins, real_ms)?;
        drop(tx);
        let bytes: usize = writes.iter().map(write_bytes).sum();
        if bytes > self.operation_bytes_max {
            return Err(StoreError::TooLarge { bytes, max: self.operation_bytes_max });
        }
        if writes.is_empty() && meta == self.meta {
            return Ok(version);
        }
        let roots_changed = writes.iter().any(|(key, _)| key[0] == family::ROOTS);
        let pins_changed = writes.iter().any(|(key, _)| key[0] == family::PINS);
        self.group.operations += 1;
        self.group.bytes += bytes;
        for (key, value) in writes {
            self.group.staged.insert(key, value);
        }
        self.meta = meta;
        self.group.staged.insert(keys::meta(), Some(self.meta.encode().into()));
        if (pins_changed || roots_changed)
            && let Err(error) = self.reread(pins_changed, roots_changed)
        {
            // Staged, and yet not to be trusted with what follows: nothing more may be written on it.
            self.standing.end(error.to_string());
            return Err(error.into());
        }
        Ok(version)
    }

    fn reread(&mut self, pins: bool, catalogs: bool) -> Result<(), ReadError> {
        if pins {
            self.pins = self.staged_pins()?;
        }
        if catalogs {
            self.catalogs = self.staged_catalogs()?;
        }
        Ok(())
    }

    fn staged_pins(&self) -> Result<Vec<Pin>, ReadError> {
        let base = Overlay {
            view: self.view.as_ref(),
            group: &self.group.staged,
            in_flight: self.in_flight.as_ref(),
        };
        let (from, to) = keys::whole(family::PINS);
        base.range(&from, &to, false).map(|row| decode_pin(row?).map(|(_, pin)| pin)).collect()
    }

    fn staged_catalogs(&self) -> Result<Vec<SpaceId>, ReadError> {
        let base = Overlay {
            view: self.view.as_ref(),
            group: &self.group.staged,
            in_flight: self.in_flight.as_ref(),
        };
        let (from, to) = keys::whole(family::ROOTS);
        base.range(&from, &to, false)
            .map(|row| row.and_then(|(key, bytes)| root_space(&key, &bytes)))
            .collect()
    }

    /// Closes the open group for its commit, if nothing is in flight and there is one.
    pub(crate) fn depart(&mut self) -> Option<Departing> {
        if self.in_flight.is_some() || self.group.is_empty() {
            return None;
        }
        let group = std::mem::take(&mut self.group);
        let first = self.departed_version;
        let last = self.meta.last_version();
        let writes = group
            .staged
            .iter()
            .map(|(key, value)| Write { key: key.clone(), value: value.clone() })
            .collect();
        let first_version = if last > first { first + 1 } else { first };
        let batch = Batch { writes, first_version, last_version: last };
        self.departed_version = last;
        let number = self.next_commit;
        let Group { staged, bytes, operations, waiters } = group;
        self.in_flight = Some(Arc::new(staged));
        let waiters = Group { staged: Staged::new(), bytes, operations, waiters };
        let (clocks, clock) = (self.clocks.clone(), self.meta.clock);
        Some(Departing { number, epoch: self.meta.epoch, batch, waiters, clocks, clock })
    }

    /// Takes the outcome of the group in flight.
    pub(crate) fn arrived(&mut self, result: Result<(), CommitError>) {
        let staged = self.in_flight.take();
        assert!(staged.is_some(), "a group arrives only if one departed");
        self.view = self.engine.view();
        let Err(error) = result else {
            assert_eq!(
                self.view.commit_number(),
                self.next_commit,
                "a commit is published before it is answered"
            );
            self.next_commit += 1;
            if self.group.is_empty() {
                std::mem::take(&mut self.group).answer(None);
            }
            return;
        };
        // Everything staged stood on the failed group: it goes with it, and its versions are given out again.
        self.standing.refusals.fetch_add(1, Ordering::Relaxed);
        if !matches!(error, CommitError::Refused(Refusal::NoRoom(_) | Refusal::TooLarge { .. })) {
            self.standing.end(error.to_string());
        }
        std::mem::take(&mut self.group).answer(Some(&store_error(&error)));
        if let Err(error) = self.reload() {
            self.standing.end(error.to_string());
        }
    }

    /// Takes what it keeps in memory from the published view again, after staged writes were dropped.
    fn reload(&mut self) -> Result<(), ReadError> {
        self.meta = meta_of(self.view.as_ref())?.unwrap_or_else(Meta::new);
        self.pins = read_pins(self.view.as_ref())?;
        self.catalogs = read_catalogs(self.view.as_ref())?;
        self.clocks.set_service(self.meta.clock);
        self.departed_version = self.meta.last_version();
        Ok(())
    }

    pub(crate) fn end(&mut self, text: &str) {
        self.standing.end(text);
    }
}

/// What a write takes in a frame, at most.
fn write_bytes((key, value): &(bytes::Bytes, Option<bytes::Bytes>)) -> usize {
    FRAMING_BYTES + key.len() + value.as_ref().map_or(0, bytes::Bytes::len)
}

fn read_pins(view: &dyn View) -> Result<Vec<Pin>, ReadError> {
    let (from, to) = keys::whole(family::PINS);
    view.range(Bound::Included(&from), Bound::Excluded(&to))
        .map(|row| decode_pin(row?).map(|(_, pin)| pin))
        .collect()
}

pub(crate) fn read_catalogs(view: &dyn View) -> Result<Vec<SpaceId>, ReadError> {
    let (from, to) = keys::whole(family::ROOTS);
    let rows = view.range(Bound::Included(&from), Bound::Excluded(&to));
    rows.map(|row| row.and_then(|(key, bytes)| root_space(&key, &bytes))).collect()
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without a message".to_owned())
}
