//! The embedded engine: a log, and an index that is only ever behind it.
//!
//! # Layout
//! - [`log`]: segments of frames; the source of truth
//! - [`index`]: memtables and sorted tables
//! - [`checkpoint`]: the file that ties them together
//! - [`open`]: making a store, and recovery
//! - [`background`]: flush, compaction, checkpoints, segments, the witness
//!
//! The order of a commit: append → `fdatasync` → witness → apply to the index → publish the view → answer.

pub(crate) mod background;
pub(crate) mod checkpoint;
pub(crate) mod index;
pub(crate) mod log;
#[cfg(test)]
pub(crate) mod map_index;
pub(crate) mod open;
pub(crate) mod options;

#[cfg(test)]
mod simulation;

pub use index::{ScrubbedTable, TableCondition};
pub use options::{DiskRoom, EmbeddedOptions, EmbeddedStats};

use super::{Batch, CommitError, CommitNumber, Engine, Epoch, Limits, Refusal, View};
use crate::dir::lock::DirLock;
use crate::dir::reserve::readable;
use crate::dir::witness::{FLAG_SYNC_FAILED, Witness};
use crate::executor::metrics::Histogram;
use crate::executor::stage::RoomGauge;
use crate::io::{Disk, is_transient};
use arc_swap::ArcSwap;
use index::Index;
use log::frame::FrameBuffer;
use log::writer::{LogWriter, SegmentPreparer};
use log::{LogPosition, StoreId};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Log that no checkpoint covers yet: beyond this a commit waits for the flush.
const UNCHECKPOINTED_BYTES_MAX: u64 = 64 << 20;
/// Sealed memtables that may wait for their flush; beyond this a commit waits.
const SEALED_MEMTABLES_MAX: usize = 3;
/// Level-0 runs above their threshold, over all families; beyond this a commit waits for compaction.
const LEVEL0_EXCESS_MAX: usize = 8;
/// Largest payload of one commit.
const BATCH_BYTES_MAX: usize = 72 << 20;
/// Merges that freeing room does at most: under load there is always another one.
const MERGES_MAX: usize = 10_000;
/// Longest engine key.
const KEY_BYTES_MAX: usize = 32 << 10;

/// See the module.
#[derive(Debug)]
pub struct EmbeddedEngine {
    core: Arc<Core>,
    background: Mutex<Option<background::Threads>>,
    /// Held as long as the engine lives; `None` on a simulated disk.
    lock: Option<DirLock>,
}

/// The published view, behind one pointer.
struct Published(Arc<dyn View>);

impl std::fmt::Debug for Published {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "view of commit {}", self.0.commit_number())
    }
}

/// What commits and background work share.
#[derive(Debug)]
pub(crate) struct Core {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    store: StoreId,
    index: Arc<dyn Index>,
    published: ArcSwap<Published>,
    writer: Mutex<Writer>,
    preparer: SegmentPreparer,
    witness: Witness,
    /// Why writing has ended, once it has.
    ended: Mutex<Option<String>>,
    /// Whether it has ended because a sync failed (or something as bad): then nothing is removed any more.
    failed: AtomicBool,
    /// Whether nobody may wait any more, because the store closes.
    closing: AtomicBool,
    /// Whether a checkpoint was refused for want of room, and is to be tried again.
    checkpoint_due: AtomicBool,
    progress: Mutex<Progress>,
    moved: Condvar,
    /// Sequence of the last checkpoint; the lock serializes their writing.
    checkpoint: Mutex<u64>,
    pub(crate) wake: background::Wake,
    sync_latency: Histogram<14>,
    log_bytes_written: AtomicU64,
    reserve: Option<Arc<crate::dir::reserve::Reserve>>,
}

/// State of the one writer.
#[derive(Debug)]
struct Writer {
    log: LogWriter,
    frame: FrameBuffer,
    last_commit: CommitNumber,
    epoch: Epoch,
}

/// How far log and index are apart.
#[derive(Debug, Default)]
struct Progress {
    /// Per sealed memtable: the last commit in it, and where the log goes on behind it.
    sealed: VecDeque<(CommitNumber, LogPosition)>,
    /// Where a checkpoint of what is flushed now would resume.
    resume: LogPosition,
    /// Highest commit known synced, with its version.
    synced: (CommitNumber, u64),
    /// Bytes of log since the last checkpoint's resume position, roughly.
    unflushed_bytes: u64,
    /// The same at each seal, to subtract when that memtable is flushed.
    sealed_bytes: VecDeque<u64>,
    /// Why the last flush was refused, until one succeeds.
    flush_refused: Option<String>,
    /// Whether compaction is far behind.
    compaction_behind: bool,
    /// Whether the last merge was refused for want of room: waiting for the next one could take for ever.
    compaction_refused: bool,
}

impl Default for LogPosition {
    fn default() -> Self {
        Self { segment: 1, offset: crate::io::SECTOR_BYTES, commit: 1 }
    }
}

impl Engine for EmbeddedEngine {
    fn view(&self) -> Arc<dyn View> {
        Arc::clone(&self.core.published.load().0)
    }

    fn commit(&self, expected: CommitNumber, epoch: Epoch, batch: Batch) -> Result<(), CommitError> {
        self.core.commit(expected, epoch, &batch)
    }

    fn limits(&self) -> Limits {
        Limits { batch_bytes_max: BATCH_BYTES_MAX, key_bytes_max: KEY_BYTES_MAX }
    }

    fn close(&self) -> Result<(), CommitError> {
        self.close_within(Duration::from_secs(60))
    }
}

impl EmbeddedEngine {
    /// Ends background work, flushes the index for at most `limit`, and writes a clean checkpoint.
    ///
    /// # Errors
    /// If the checkpoint could not be written; everything committed is durable all the same.
    pub fn close_within(&self, limit: Duration) -> Result<(), CommitError> {
        let deadline = Instant::now() + limit;
        self.core.index.interrupt();
        if let Some(threads) = self.background.lock().take() {
            threads.stop(&self.core.wake);
        }
        let core = &self.core;
        let before = core.end("the store is closed");
        if let Some(cause) = before {
            // After a failed sync nothing that is not known durable may be made to look durable.
            return Err(CommitError::Unknown(cause));
        }
        core.seal(true);
        while core.index.stats().sealed_count > 0 && Instant::now() < deadline {
            core.flush_once()?;
        }
        core.write_checkpoint()?;
        core.witness.sync().map_err(|e| CommitError::Unknown(e.to_string()))
    }

    /// Numbers of the tables that there are now, ascending.
    pub(crate) fn tables(&self) -> Vec<u64> {
        self.core.index.tables()
    }

    /// Reads every block of a table and compares checksums; `None` if there is no such table any more.
    pub(crate) fn scrub_table(&self, id: u64) -> Option<ScrubbedTable> {
        self.core.index.scrub(id)
    }

    /// Gives room back to the disk: writes what is in memory to tables, and merges as long as that frees anything.
    ///
    /// # Errors
    /// If the disk refuses even that.
    pub fn free_room(&self) -> Result<(), CommitError> {
        self.core.seal(true);
        while self.core.flush_once()? {}
        for _ in 0..MERGES_MAX {
            if !self.core.compact_once()? {
                break;
            }
        }
        Ok(())
    }

    /// Tells commits that wait for room to go on: the store closes, and takes nothing new.
    pub fn prepare_close(&self) {
        self.core.closing.store(true, Ordering::Release);
        self.core.moved.notify_all();
    }

    /// Tells in `LOCK` where this process serves, for the message that a second one prints.
    pub(crate) fn announce(&self, address: &str) {
        if let Some(Err(error)) = self.lock.as_ref().map(|lock| lock.announce(address)) {
            // The lock holds all the same.
            tracing::warn!(%error, "the address cannot be noted");
        }
    }

    /// Sizes and latencies now.
    #[must_use]
    pub fn stats(&self) -> EmbeddedStats {
        self.core.stats()
    }

    /// Measures whether there is room for a write, for the executor.
    #[must_use]
    pub(crate) fn gauge(&self) -> Option<Box<dyn RoomGauge>> {
        let reserve = self.core.reserve.clone()?;
        Some(Box::new(options::ReserveGauge { reserve, dir: self.core.dir.clone() }))
    }
}

impl Core {
    fn commit(&self, expected: CommitNumber, epoch: Epoch, batch: &Batch) -> Result<(), CommitError> {
        let bytes = batch.payload_bytes();
        if bytes > BATCH_BYTES_MAX {
            return Err(CommitError::Refused(Refusal::TooLarge { bytes, max: BATCH_BYTES_MAX }));
        }
        // Before the writer's lock, which the flush needs to publish what it did.
        self.wait_for_room()?;
        let mut writer = self.writer.lock();
        if let Some(text) = self.ended.lock().clone() {
            return Err(CommitError::Refused(Refusal::Ended(text)));
        }
        if expected != writer.last_commit + 1 || epoch < writer.epoch {
            let text = format!(
                "commit {expected} of epoch {epoch} after {} of {}",
                writer.last_commit, writer.epoch
            );
            return Err(CommitError::Refused(Refusal::Fenced(text)));
        }
        let written = self.append(&mut writer, expected, epoch, batch)?;
        self.sync(&writer)?;
        writer.last_commit = expected;
        writer.epoch = epoch;
        {
            let mut progress = self.progress.lock();
            progress.synced = (expected, batch.last_version);
            progress.unflushed_bytes += written;
        }
        if let Err(error) = self.witness.record(expected, batch.last_version, 0) {
            return Err(self.fail(&format!("the witness cannot be written: {error}")));
        }
        self.wake.witness_dirty();
        self.index.apply(expected, batch);
        self.published.store(Arc::new(Published(self.index.view())));
        self.seal_locked(&writer, false);
        Ok(())
    }

    /// Writes the frame. A full disk refuses it; nothing else may go wrong.
    fn append(
        &self,
        writer: &mut Writer,
        expected: CommitNumber,
        epoch: Epoch,
        batch: &Batch,
    ) -> Result<u64, CommitError> {
        let Writer { log, frame, .. } = writer;
        frame.fill(batch, expected, epoch, expected - 1);
        let appended = log.append(frame);
        if appended.is_err()
            && let Some(reserve) = &self.reserve
        {
            // What was measured is not true any more.
            reserve.expire();
        }
        if self.preparer.is_wanted() {
            self.wake.segment_wanted();
        }
        match appended {
            Ok(bytes) => {
                self.log_bytes_written.fetch_add(bytes, Ordering::Relaxed);
                if let Some(reserve) = &self.reserve {
                    reserve.wrote(bytes);
                }
                Ok(bytes)
            }
            Err(error) if is_transient(&error) => match log.discard() {
                Ok(()) => Err(CommitError::Refused(self.no_room(&error))),
                Err(error) => {
                    Err(self.fail(&format!("a refused frame cannot be cleared from the log: {error}")))
                }
            },
            Err(error) => Err(self.fail(&format!("the log cannot be written: {error}"))),
        }
    }

    fn sync(&self, writer: &Writer) -> Result<(), CommitError> {
        let start = Instant::now();
        let result = writer.log.sync();
        self.sync_latency.observe(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        result.map_err(|error| self.fail(&format!("a sync of the log failed: {error}")))
    }

    /// The refusal of a full disk: what could not be written, where, and what is left.
    fn no_room(&self, cause: &dyn std::fmt::Display) -> Refusal {
        let dir = self.dir.display();
        Refusal::NoRoom(match self.disk.room(&self.dir) {
            Ok(room) => format!("{cause}; {} free on the disk that holds {dir}", readable(room.free_bytes)),
            Err(_) => cause.to_string(),
        })
    }

    /// Ends writing after a failure whose extent is unknown.
    fn fail(&self, text: &str) -> CommitError {
        tracing::error!(cause = text, "writing has ended until the next start; reads go on");
        self.failed.store(true, Ordering::Release);
        self.end(text);
        self.index.freeze();
        if let Err(error) = self.witness.flag(FLAG_SYNC_FAILED) {
            tracing::error!(%error, "the failure cannot be noted in the witness");
        }
        CommitError::Unknown(text.to_owned())
    }

    /// Ends writing; answers why it had ended before, if it had.
    fn end(&self, text: &str) -> Option<String> {
        let mut ended = self.ended.lock();
        let before = ended.clone();
        ended.get_or_insert_with(|| text.to_owned());
        self.moved.notify_all();
        before
    }

    /// Back-pressure: waits while too much of the log is not in tables yet, or compaction is far behind.
    ///
    /// # Errors
    /// If the flush that would have to be waited for is refused for want of room: then so is the commit.
    fn wait_for_room(&self) -> Result<(), CommitError> {
        let mut progress = self.progress.lock();
        while self.wake.has_threads() && !self.closing.load(Ordering::Acquire) && self.ended.lock().is_none()
        {
            let much = progress.unflushed_bytes > UNCHECKPOINTED_BYTES_MAX
                || progress.sealed.len() > SEALED_MEMTABLES_MAX;
            if much && !progress.sealed.is_empty() {
                if let Some(refused) = &progress.flush_refused {
                    return Err(CommitError::Refused(Refusal::NoRoom(refused.clone())));
                }
                self.wake.flush_due();
            } else if progress.compaction_behind && !progress.compaction_refused {
                self.wake.compaction_due();
            } else {
                break;
            }
            self.moved.wait_for(&mut progress, Duration::from_millis(100));
        }
        Ok(())
    }

    /// Takes note of how far compaction is behind.
    fn note_compaction(&self) {
        let behind = self.index.stats().level0_excess > LEVEL0_EXCESS_MAX;
        self.progress.lock().compaction_behind = behind;
        self.moved.notify_all();
    }

    /// Seals the active memtable if it is full (or at all, if `force`).
    pub(crate) fn seal(&self, force: bool) {
        self.seal_locked(&self.writer.lock(), force);
    }

    fn seal_locked(&self, writer: &Writer, force: bool) {
        // Held over the seal: a flush of this memtable finds its position noted.
        let mut progress = self.progress.lock();
        if !self.index.seal(force) {
            return;
        }
        progress.sealed.push_back((writer.last_commit, writer.log.position(writer.last_commit + 1)));
        let earlier: u64 = progress.sealed_bytes.iter().sum();
        let bytes = progress.unflushed_bytes.saturating_sub(earlier);
        progress.sealed_bytes.push_back(bytes);
        drop(progress);
        self.published.store(Arc::new(Published(self.index.view())));
        self.wake.flush_due();
    }

    fn stats(&self) -> EmbeddedStats {
        let index = self.index.stats();
        EmbeddedStats {
            log_bytes: self.preparer.log_bytes(),
            log_bytes_written: self.log_bytes_written.load(Ordering::Relaxed),
            unflushed_bytes: self.progress.lock().unflushed_bytes,
            unflushed_bytes_max: UNCHECKPOINTED_BYTES_MAX,
            memtable_bytes: index.active_bytes + index.sealed_bytes,
            memtable_bytes_max: index.memtable_bytes_max,
            sealed_memtables: index.sealed_count,
            sealed_memtables_max: SEALED_MEMTABLES_MAX,
            table_bytes: index.table_bytes,
            tables: index.table_count,
            level0_runs: index.level0_runs,
            cache_bytes: index.cache_bytes,
            cache_bytes_max: index.cache_bytes_max,
            sync_latency_us: self.sync_latency.values(),
            ended: self.ended.lock().clone(),
            room: self.reserve.as_deref().map(DiskRoom::measure),
        }
    }
}

impl Drop for EmbeddedEngine {
    fn drop(&mut self) {
        self.core.index.interrupt();
        if let Some(threads) = self.background.lock().take() {
            threads.stop(&self.core.wake);
        }
    }
}
