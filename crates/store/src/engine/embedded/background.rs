//! Background work: flush and checkpoint, compaction, the next segment, the witness's sync. One thread each.
//!
//! Every piece of work is a method of [`Core`] that a test can call without threads.

use super::checkpoint::{Checkpoint, WriteError};
use super::index::IndexError;
use super::log::writer::LogWriter;
use super::{CommitError, Core, Refusal};
use crate::dir::layout;
use crate::dir::reserve::Level;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the witness is synced while it changes.
const WITNESS_SYNC_INTERVAL: Duration = Duration::from_secs(1);
/// Room put aside for a start on a full disk: enough to take the log over and to take history or tables away.
const BALLAST_BYTES: usize = 4 << 20;
/// How long a worker waits after a failure that may pass (a full disk).
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Less free than this, and no segment is made ahead of time: it would take what a flush needs.
const ROOM_AHEAD_BYTES: u64 = 2 * super::log::SEGMENT_BYTES;

/// A thread's name and what it runs.
type Worker = (&'static str, fn(&Core));

/// What the workers wait for.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    due: Mutex<Due>,
    changed: Condvar,
    threads: AtomicBool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Due {
    flush: bool,
    compact: bool,
    segment: bool,
    witness: bool,
    stop: bool,
}

impl Wake {
    fn set(&self, change: impl FnOnce(&mut Due) -> &mut bool) {
        let mut due = self.due.lock();
        let flag = change(&mut due);
        if !std::mem::replace(flag, true) {
            self.changed.notify_all();
        }
    }

    pub(crate) fn flush_due(&self) {
        self.set(|due| &mut due.flush);
    }

    pub(crate) fn compaction_due(&self) {
        self.set(|due| &mut due.compact);
    }

    pub(crate) fn segment_wanted(&self) {
        self.set(|due| &mut due.segment);
    }

    /// The witness has a record that is not synced. Does not wake anybody at once: it is synced within a second.
    pub(crate) fn witness_dirty(&self) {
        self.set(|due| &mut due.witness);
    }

    pub(crate) fn has_threads(&self) -> bool {
        self.threads.load(Ordering::Relaxed)
    }

    /// Whether the workers are to end: between two pieces of work they look.
    fn is_stopping(&self) -> bool {
        self.due.lock().stop
    }

    /// Waits until `which` is due, takes it, and answers whether to go on.
    fn wait(&self, which: fn(&mut Due) -> &mut bool) -> bool {
        let mut due = self.due.lock();
        loop {
            if due.stop {
                return false;
            }
            if std::mem::replace(which(&mut due), false) {
                return true;
            }
            self.changed.wait(&mut due);
        }
    }

    /// Waits for a time or the end; answers whether to go on.
    fn pause(&self, time: Duration) -> bool {
        let deadline = std::time::Instant::now() + time;
        let mut due = self.due.lock();
        while !due.stop {
            if self.changed.wait_until(&mut due, deadline).timed_out() {
                return !due.stop;
            }
        }
        false
    }
}

/// The running workers.
#[derive(Debug)]
pub(crate) struct Threads {
    handles: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(crate) fn start(core: &Arc<Core>) -> std::io::Result<Self> {
        core.wake.threads.store(true, Ordering::Relaxed);
        let mut handles = Vec::new();
        let workers: [Worker; 4] = [
            ("flush", flush_loop),
            ("compaction", compaction_loop),
            ("segments", segment_loop),
            ("witness", witness_loop),
        ];
        for (name, body) in workers {
            let core = Arc::clone(core);
            let guarded = move || {
                let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| body(&core)));
                if result.is_err() {
                    drop(core.fail("a background thread panicked"));
                }
            };
            handles.push(std::thread::Builder::new().name(name.to_owned()).spawn(guarded)?);
        }
        Ok(Self { handles })
    }

    pub(crate) fn stop(self, wake: &Wake) {
        wake.due.lock().stop = true;
        wake.changed.notify_all();
        for handle in self.handles {
            if handle.join().is_err() {
                tracing::error!("a background thread ended in a panic");
            }
        }
        wake.threads.store(false, Ordering::Relaxed);
    }
}

fn flush_loop(core: &Core) {
    while core.wake.wait(|due| &mut due.flush) {
        while !core.wake.is_stopping() {
            match core.flush_once() {
                Ok(true) => {
                    core.note_flush(None);
                    core.wake.compaction_due();
                }
                Ok(false) => {
                    core.note_flush(None);
                    break;
                }
                Err(CommitError::Refused(error)) => {
                    tracing::warn!(%error, "a flush is tried again later");
                    core.note_flush(Some(match error {
                        Refusal::NoRoom(text) => text,
                        other => other.to_string(),
                    }));
                    if !core.wake.pause(RETRY_INTERVAL) {
                        return;
                    }
                }
                Err(CommitError::Unknown(_)) => return,
            }
        }
    }
}

fn compaction_loop(core: &Core) {
    while core.wake.wait(|due| &mut due.compact) {
        while !core.wake.is_stopping() {
            let result = core.compact_once();
            core.note_compaction_tried(result.is_err());
            match result {
                Ok(true) => {}
                Ok(false) => break,
                Err(CommitError::Refused(error)) => {
                    tracing::warn!(%error, "a compaction is tried again later");
                    if !core.wake.pause(RETRY_INTERVAL) {
                        return;
                    }
                }
                Err(CommitError::Unknown(_)) => return,
            }
        }
    }
}

fn segment_loop(core: &Core) {
    while core.wake.wait(|due| &mut due.segment) {
        if !core.has_room_ahead() {
            // Flushes and commits need what is left. The log goes on in the segment it has; the next commit asks again.
            continue;
        }
        core.make_ballast();
        if let Err(error) = core.preparer.prepare() {
            // The log goes on in the segment it has; the next commit asks again.
            tracing::warn!(%error, "the next log segment cannot be made yet");
            if !core.wake.pause(RETRY_INTERVAL) {
                return;
            }
        }
    }
}

fn witness_loop(core: &Core) {
    while core.wake.wait(|due| &mut due.witness) {
        if !core.wake.pause(WITNESS_SYNC_INTERVAL) {
            return;
        }
        if let Err(error) = core.witness.sync() {
            drop(core.fail(&format!("a sync of the witness failed: {error}")));
            return;
        }
    }
}

impl Core {
    /// Whether there is room for what only makes later work quicker. Who cannot measure finds out by writing.
    fn has_room_ahead(&self) -> bool {
        self.disk.room(&self.dir).map_or(true, |room| room.free_bytes >= ROOM_AHEAD_BYTES)
    }

    /// Puts room aside for a start on a full disk, as long as there is plenty.
    fn make_ballast(&self) {
        let plenty = self.reserve.as_ref().is_some_and(|reserve| reserve.level() == Level::Plenty);
        let path = self.dir.join(layout::BALLAST);
        if !plenty || !matches!(self.disk.len(&path), Ok(None)) {
            return;
        }
        if let Err(error) = layout::write_durably(self.disk.as_ref(), &path, &vec![0; BALLAST_BYTES]) {
            tracing::warn!(%error, "no room could be put aside for a start on a full disk");
        }
    }

    /// Tells commits whether they may wait for a flush: not while the last one was refused.
    fn note_flush(&self, refused: Option<String>) {
        self.progress.lock().flush_refused = refused;
        self.moved.notify_all();
    }

    /// Tells commits whether they may wait for compaction: not while it is refused, nor when there is nothing to merge.
    fn note_compaction_tried(&self, refused: bool) {
        self.progress.lock().compaction_refused = refused;
        self.note_compaction();
    }

    /// Flushes the oldest sealed memtable and writes a checkpoint. Answers whether there was one.
    pub(crate) fn flush_once(&self) -> Result<bool, CommitError> {
        if self.failed.load(Ordering::Acquire) {
            return Ok(false);
        }
        if !self.index.flush().map_err(|error| self.index_failed(&error))? {
            if self.checkpoint_due.load(Ordering::Relaxed) {
                self.write_checkpoint()?;
            }
            return Ok(false);
        }
        let flushed = self.index.manifest().flushed;
        {
            let mut progress = self.progress.lock();
            while progress.sealed.front().is_some_and(|(commit, _)| *commit <= flushed) {
                if let Some((_, position)) = progress.sealed.pop_front() {
                    progress.resume = position;
                }
                let bytes = progress.sealed_bytes.pop_front().unwrap_or(0);
                progress.unflushed_bytes = progress.unflushed_bytes.saturating_sub(bytes);
            }
            assert_eq!(progress.resume.commit, flushed + 1, "the log goes on where the tables end");
        }
        // The view still reads the flushed memtable: let it go.
        self.republish();
        self.note_compaction();
        self.write_checkpoint()?;
        self.moved.notify_all();
        Ok(true)
    }

    /// One piece of compaction, with its checkpoint. Answers whether there was one to do.
    pub(crate) fn compact_once(&self) -> Result<bool, CommitError> {
        if self.failed.load(Ordering::Acquire) {
            return Ok(false);
        }
        match self.index.compact() {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error @ IndexError::Damaged { .. }) => {
                // Rot in one block is no reason to end writing: reads of it fail and name the file, the index has marked
                // the table and merges it no more, and `doctor` and the scrub find it.
                tracing::error!(%error, "a table is damaged; it is left as it is");
                return Ok(true);
            }
            Err(error) => return Err(self.index_failed(&error)),
        }
        self.republish();
        self.note_compaction();
        self.write_checkpoint()?;
        Ok(true)
    }

    /// Publishes the newest tables under the same commit. Waits for a running commit, never the other way round.
    fn republish(&self) {
        let _writer = self.writer.lock();
        if self.ended.lock().is_none() {
            self.published.store(Arc::new(super::Published(self.index.view())));
        }
    }

    /// Makes the current set of tables durable, then lets go of what it no longer needs.
    pub(crate) fn write_checkpoint(&self) -> Result<(), CommitError> {
        let mut sequence = self.checkpoint.lock();
        if self.failed.load(Ordering::Acquire) {
            // After a failed sync nothing counts as durable any more, and nothing is removed until the next start.
            return Err(CommitError::Refused(super::Refusal::Ended("a sync has failed".to_owned())));
        }
        let (resume, synced, manifest) = {
            let progress = self.progress.lock();
            let manifest = self.index.manifest();
            if progress.resume.commit != manifest.flushed + 1 {
                // A flush has finished whose positions are not noted yet: it writes the next checkpoint.
                return Ok(());
            }
            (progress.resume, progress.synced, manifest)
        };
        let closed = self.ended.lock().is_some();
        let checkpoint = Checkpoint {
            store: self.store,
            sequence: *sequence + 1,
            resume,
            log_end: synced.0,
            version: synced.1,
            clean: closed && synced.0 == manifest.flushed,
            manifest,
        };
        match checkpoint.write(self.disk.as_ref(), &self.dir) {
            Ok(()) => {}
            Err(WriteError::Aside(error)) if crate::io::is_transient(&error) => {
                self.checkpoint_due.store(true, Ordering::Relaxed);
                return Err(CommitError::Refused(self.no_room(&error)));
            }
            Err(error) => return Err(self.fail(&format!("the checkpoint cannot be written: {error}"))),
        }
        *sequence += 1;
        self.checkpoint_due.store(false, Ordering::Relaxed);
        self.index.checkpointed(checkpoint.manifest.generation);
        if let Err(error) = LogWriter::cut(&self.preparer, checkpoint.resume) {
            return Err(self.fail(&format!("old log segments cannot be removed: {error}")));
        }
        Ok(())
    }

    fn index_failed(&self, error: &IndexError) -> CommitError {
        match error {
            IndexError::NoRoom { .. } => CommitError::Refused(self.no_room(error)),
            _ => self.fail(&error.to_string()),
        }
    }
}
