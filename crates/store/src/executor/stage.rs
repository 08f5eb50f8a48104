//! The executor without its threads: runs operations on staged writes, forms groups, and takes their outcome.
//!
//! Invariants
//! - `view` + `in_flight` + `group` together are the newest state; every operation sees all of it.
//! - Every answer, refusals too, waits for the newest group staged before the operation ran.
//! - An operation that fails or panics leaves nothing staged.

use super::metrics::ExecutorMetrics;
use crate::clocks::Clocks;
use crate::engine::{Batch, CommitError, CommitNumber, Engine, ReadError, Refusal, View, Write};
use crate::finish::{self, Effects};
use crate::keys::{self, family};
use crate::overlay::{Overlay, Staged};
use crate::read::{meta_of, root_space};
use crate::records::{Meta, Pin};
use crate::transaction::{Transaction, decode_pin};
use crate::{CommitInfo, Need, SpaceId, StoreError, Verdict, Version};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A group closes at this many operations.
pub(crate) const GROUP_OPERATIONS_MAX: usize = 1_000;
/// A group closes at this many bytes.
pub(crate) const GROUP_BYTES_MAX: usize = 8 << 20;
/// One operation may write this much.
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

/// One that waits for a group to be durable.
struct Waiter {
    operation: Box<dyn Queued>,
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
    pub(crate) fn is_full(&self) -> bool {
        self.operations >= GROUP_OPERATIONS_MAX || self.bytes >= GROUP_BYTES_MAX
    }

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
}

impl Departing {
    /// Commits, then answers everybody who waits. Returns what the executor must be told.
    pub(crate) fn commit(self, engine: &dyn Engine, metrics: &ExecutorMetrics) -> Result<(), CommitError> {
        let Self { number, epoch, batch, waiters } = self;
        metrics.group(waiters.operations as u64);
        let result = engine.commit(number, epoch, batch);
        waiters.answer(result.as_ref().err().map(store_error).as_ref());
        result
    }
}

/// What a failed commit means for the operations in it.
pub(crate) fn store_error(error: &CommitError) -> StoreError {
    match error {
        CommitError::Refused(Refusal::NoRoom(text)) => {
            StoreError::NoRoom { dir: std::path::PathBuf::new(), free_bytes: 0, remedy: text.clone() }
        }
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
    /// Which store of this process, for [`Structure`](crate::Structure).
    store: u64,
    /// How many groups were refused; see [`Structure`](crate::Structure).
    refusals: Arc<AtomicU64>,
    group: Group,
    in_flight: Option<Arc<Staged>>,
    next_commit: CommitNumber,
    /// Last version of the newest group that departed.
    departed_version: Version,
    ended: Option<String>,
}

impl Stage {
    pub(crate) fn new(
        engine: Arc<dyn Engine>,
        clocks: Clocks,
        gauge: Option<Box<dyn RoomGauge>>,
        store: u64,
        refusals: Arc<AtomicU64>,
    ) -> Result<Self, ReadError> {
        let view = engine.view();
        let meta = meta_of(view.as_ref())?.unwrap_or_else(Meta::new);
        let pins = read_pins(view.as_ref())?;
        let catalogs = read_catalogs(view.as_ref())?;
        let next_commit = view.commit_number() + 1;
        let departed_version = meta.last_version();
        Ok(Self {
            engine,
            clocks,
            gauge,
            view,
            meta,
            pins,
            catalogs,
            store,
            refusals,
            group: Group::default(),
            in_flight: None,
            next_commit,
            departed_version,
            ended: None,
        })
    }

    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    pub(crate) fn group(&self) -> &Group {
        &self.group
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Runs one operation on the newest state and adds it to the open group.
    pub(crate) fn run(&mut self, mut operation: Box<dyn Queued>) {
        if let Some(text) = &self.ended {
            operation.done(Err(StoreError::Ended(text.clone())));
            return;
        }
        if let Some(gauge) = &self.gauge
            && let Err(error) = gauge.check(operation.need())
        {
            operation.done(Err(error));
            return;
        }
        let outcome = self.stage(operation.as_mut());
        if self.group.is_empty() && self.in_flight.is_none() {
            operation.done(outcome);
        } else {
            self.group.waiters.push(Waiter { operation, outcome });
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
        let named = ((self.store, self.refusals.load(Ordering::Relaxed)), self.catalogs.as_slice());
        let service_ms = self.clocks.service_now_ms();
        let mut tx = Transaction::new(base, self.meta.clone(), service_ms, OPERATION_BYTES_MAX, named);
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
        if writes.is_empty() && meta == self.meta {
            return Ok(version);
        }
        let roots_changed = writes.iter().any(|(key, _)| key[0] == family::ROOTS);
        let pins_changed = writes.iter().any(|(key, _)| key[0] == family::PINS);
        self.group.operations += 1;
        for (key, value) in writes {
            self.group.bytes += key.len() + value.as_ref().map_or(0, bytes::Bytes::len);
            self.group.staged.insert(key, value);
        }
        if meta.clock != self.meta.clock {
            self.clocks.set_service(meta.clock);
        }
        self.meta = meta;
        self.group.staged.insert(keys::meta(), Some(self.meta.encode().into()));
        if pins_changed {
            self.pins = self.staged_pins()?;
        }
        if roots_changed {
            self.catalogs = self.staged_catalogs()?;
        }
        Ok(version)
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
        Some(Departing { number, epoch: self.meta.epoch, batch, waiters })
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
        self.refusals.fetch_add(1, Ordering::Relaxed);
        if !matches!(error, CommitError::Refused(Refusal::NoRoom(_) | Refusal::TooLarge { .. })) {
            self.ended = Some(error.to_string());
        }
        std::mem::take(&mut self.group).answer(Some(&store_error(&error)));
        if let Err(error) = self.reload() {
            self.ended = Some(error.to_string());
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
        self.ended.get_or_insert_with(|| text.to_owned());
    }
}

fn read_pins(view: &dyn View) -> Result<Vec<Pin>, ReadError> {
    let (from, to) = keys::whole(family::PINS);
    view.range(Bound::Included(&from), Bound::Excluded(&to))
        .map(|row| decode_pin(row?).map(|(_, pin)| pin))
        .collect()
}

fn read_catalogs(view: &dyn View) -> Result<Vec<SpaceId>, ReadError> {
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
