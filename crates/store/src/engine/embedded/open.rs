//! Making a store, and recovering one. A refusal changes nothing.

use super::background::{Threads, Wake};
use super::checkpoint::{self, Checkpoint, CheckpointError};
use super::index::{FamilyPolicy, Index, IndexError, IndexOptions, LsmIndex, Manifest};
use super::log::recovery::{LogError, Recovered, recover};
use super::log::writer::LogWriter;
use super::log::{LogPosition, StoreId};
use super::{Core, EmbeddedEngine, EmbeddedOptions, Progress, Published, Writer};
use crate::dir::format::Format;
use crate::dir::layout::{self, Occupancy};
use crate::dir::lock::DirLock;
use crate::dir::reserve::Reserve;
use crate::dir::witness::{self, Witness};
use crate::dir::{Refusal, RefusalKind, access};
use crate::executor::metrics::{Histogram, LATENCY_BOUNDS_US};
use crate::io::Disk;
use crate::io::real::RealDisk;
use crate::keys::family;
use arc_swap::ArcSwap;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{SystemTime, UNIX_EPOCH};

/// Opens an index on a manifest.
pub(crate) type OpenIndex<'a> = &'a dyn Fn(&Path, &Manifest) -> Result<Arc<dyn Index>, IndexError>;

impl EmbeddedEngine {
    /// Opens the store in a directory on the real disk, making it if the directory is new.
    ///
    /// # Errors
    /// A refusal names file, cause and remedy; nothing on disk was changed by it.
    pub fn open(options: EmbeddedOptions) -> Result<Self, Refusal> {
        let dir = &options.dir;
        access::check(dir)?;
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let occupancy = inspect(disk.as_ref(), dir)?;
        if options.require_existing {
            occupancy.require_existing(dir)?;
        }
        disk.create_dir(dir).map_err(|error| Refusal::from_io(dir, &error))?;
        let lock = DirLock::acquire(dir)?;
        let reserve = Reserve::new(Arc::clone(&disk), dir, options.reserve_bytes)
            .map_err(|error| Refusal::from_io(dir, &error))?;
        let orphans: Mutex<Option<Arc<LsmIndex>>> = Mutex::new(None);
        let memtable_bytes = options.memtable_bytes;
        let open_index: OpenIndex<'_> = &|path, manifest| {
            let manifest = (!manifest.encoded.is_empty()).then_some(manifest);
            let index = Arc::new(LsmIndex::open(path, manifest, index_options(memtable_bytes))?);
            *orphans.lock() = Some(Arc::clone(&index));
            Ok(index as Arc<dyn Index>)
        };
        let core = Core::open(disk, dir, open_index, Some(Arc::new(reserve)))?;
        let threads = Threads::start(&core).map_err(|error| Refusal::from_io(dir, &error))?;
        core.wake.segment_wanted();
        core.wake.compaction_due();
        if let Some(index) = orphans.into_inner() {
            // The start is complete: what a crash left half made may go now.
            index.sweep();
        }
        Ok(Self { core, background: Mutex::new(Some(threads)), lock: Some(lock) })
    }

    /// Opens a store on any disk, without lock and threads, for simulation.
    #[cfg(test)]
    pub(crate) fn open_on(
        disk: Arc<dyn Disk>,
        dir: &Path,
        open_index: OpenIndex<'_>,
    ) -> Result<Self, Refusal> {
        let core = Core::open(disk, dir, open_index, None)?;
        Ok(Self { core, background: Mutex::new(None), lock: None })
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

/// How each family lives in the index: `history` is written once and rarely read, `commits` only grows at its end.
pub(crate) fn index_options(memtable_bytes: Option<u64>) -> IndexOptions {
    let policies =
        vec![(family::HISTORY, FamilyPolicy::WRITE_ONCE), (family::COMMITS, FamilyPolicy::APPEND_ONLY)];
    let defaults = IndexOptions::default();
    IndexOptions { memtable_bytes: memtable_bytes.unwrap_or(defaults.memtable_bytes), policies, ..defaults }
}

/// Looks at what the directory holds.
pub(crate) fn inspect(disk: &dyn Disk, dir: &Path) -> Result<Occupancy, Refusal> {
    layout::inspect(disk, dir, |path| proves_commit(disk, dir, path))
}

/// Whether a file of a directory without FORMAT shows that a store here has committed something.
fn proves_commit(disk: &dyn Disk, dir: &Path, path: &Path) -> std::io::Result<bool> {
    if path == dir.join(checkpoint::FILE) {
        return match Checkpoint::read(disk, dir) {
            Ok(checkpoint) => Ok(checkpoint.log_end > 0),
            Err(CheckpointError::Damaged(_)) => Ok(true),
            Err(CheckpointError::Io(error)) => Err(error),
        };
    }
    let file = disk.open_read(path)?;
    let mut header = vec![0u8; super::log::frame::HEADER_BYTES];
    let read = file.read_at(&mut header, crate::io::SECTOR_BYTES)?;
    Ok(super::log::frame::FrameHeader::parse(&header[..read]).is_some())
}

/// What was found of an existing store, or made of a new one.
struct Parts {
    store: StoreId,
    checkpoint: Checkpoint,
    witness: Witness,
    index: Arc<dyn Index>,
    log: LogWriter,
    last_commit: u64,
    last_version: u64,
    epoch: u64,
    /// Where the log goes on behind what was replayed into the memtable.
    replayed_bytes: u64,
}

impl Core {
    fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        open_index: OpenIndex<'_>,
        reserve: Option<Arc<Reserve>>,
    ) -> Result<Arc<Self>, Refusal> {
        let parts = match inspect(disk.as_ref(), dir)? {
            Occupancy::Ours(format) => existing(&disk, dir, format.store, open_index)?,
            Occupancy::Missing | Occupancy::Empty | Occupancy::New => make(&disk, dir, open_index)?,
        };
        let Parts {
            store,
            checkpoint,
            witness,
            index,
            log,
            last_commit,
            last_version,
            epoch,
            replayed_bytes,
        } = parts;
        let progress = Progress {
            resume: checkpoint.resume,
            synced: (last_commit, last_version),
            unflushed_bytes: replayed_bytes,
            ..Progress::default()
        };
        let preparer = log.preparer();
        let published = ArcSwap::from_pointee(Published(index.view()));
        Ok(Arc::new(Self {
            disk,
            dir: dir.to_path_buf(),
            store,
            index,
            published,
            writer: Mutex::new(Writer { log, frame: super::FrameBuffer::default(), last_commit, epoch }),
            preparer,
            witness,
            ended: Mutex::new(None),
            failed: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            checkpoint_due: AtomicBool::new(false),
            progress: Mutex::new(progress),
            moved: Condvar::new(),
            checkpoint: Mutex::new(checkpoint.sequence),
            wake: Wake::default(),
            sync_latency: Histogram::new(LATENCY_BOUNDS_US),
            log_bytes_written: AtomicU64::new(0),
            reserve,
        }))
    }
}

/// Makes a new store: everything first, FORMAT last.
fn make(disk: &Arc<dyn Disk>, dir: &Path, open_index: OpenIndex<'_>) -> Result<Parts, Refusal> {
    let refuse = |error: std::io::Error| Refusal::from_io(dir, &error);
    let mut store = [0u8; 16];
    getrandom::fill(&mut store).map_err(|e| {
        Refusal::new(RefusalKind::Io, dir, format!("no randomness: {e}"), "Look into the system's log.")
    })?;
    let (log_dir, index_dir) = (dir.join(layout::LOG), dir.join(layout::INDEX));
    for path in [dir, &log_dir, &index_dir] {
        disk.create_dir(path).map_err(refuse)?;
    }
    for entry in disk.list(&log_dir).map_err(refuse)? {
        // Left by an interrupted start that acknowledged nothing.
        disk.remove(&log_dir.join(entry.name)).map_err(refuse)?;
    }
    let log = LogWriter::take_over(Arc::clone(disk), &log_dir, store, BTreeMap::new(), None, &[])
        .map_err(refuse)?;
    let manifest = Manifest { generation: 0, flushed: 0, encoded: Vec::new() };
    let index = open_index(&index_dir, &manifest).map_err(|error| index_refusal(dir, &error))?;
    let checkpoint = Checkpoint {
        store,
        sequence: 1,
        resume: LogPosition::default(),
        log_end: 0,
        version: 0,
        clean: true,
        manifest: index.manifest(),
    };
    checkpoint.write(disk.as_ref(), dir).map_err(|error| refuse(error.into()))?;
    let witness = Witness::create(disk.as_ref(), &witness::path(dir), store).map_err(refuse)?;
    disk.sync_dir(dir).map_err(refuse)?;
    sync_parent(disk.as_ref(), dir).map_err(refuse)?;
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(0));
    Format::new(store, now).write(disk.as_ref(), dir).map_err(refuse)?;
    Ok(Parts {
        store,
        checkpoint,
        witness,
        index,
        log,
        last_commit: 0,
        last_version: 0,
        epoch: 0,
        replayed_bytes: 0,
    })
}

/// The directory itself may be new: its name must be as durable as what is in it.
fn sync_parent(disk: &dyn Disk, dir: &Path) -> std::io::Result<()> {
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    disk.sync_dir(parent)
}

/// Syncs the names of FORMAT, checkpoint, tables and segments: a start that was killed may have left them unsynced.
fn make_names_durable(disk: &dyn Disk, dir: &Path) -> Result<(), Refusal> {
    let names = [dir.to_path_buf(), dir.join(layout::LOG), dir.join(layout::INDEX)];
    for path in &names {
        disk.sync_dir(path).map_err(|error| Refusal::from_io(path, &error))?;
    }
    sync_parent(disk, dir).map_err(|error| Refusal::from_io(dir, &error))
}

/// Recovers a store: state = checkpoint + frames from the next number on.
fn existing(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    store: StoreId,
    open_index: OpenIndex<'_>,
) -> Result<Parts, Refusal> {
    // What is found here by name may still be in the cache only: a start that stands on it makes it durable first.
    make_names_durable(disk.as_ref(), dir)?;
    let path = dir.join(checkpoint::FILE);
    let checkpoint = Checkpoint::read(disk.as_ref(), dir).map_err(|error| match error {
        CheckpointError::Io(error) => Refusal::from_io(&path, &error),
        CheckpointError::Damaged(cause) => Refusal::damaged(dir, &path, cause),
    })?;
    if checkpoint.store != store {
        return Err(Refusal::damaged(dir, &path, "it belongs to another store than FORMAT names"));
    }
    let (witness, found) = Witness::open(disk.as_ref(), dir, store)?;
    for bad in &found.bad {
        tracing::warn!(slot = bad.slot, cause = bad.cause, "one half of the witness is not usable");
    }
    let log_dir = dir.join(layout::LOG);
    let index = open_index(&dir.join(layout::INDEX), &checkpoint.manifest)
        .map_err(|error| index_refusal(dir, &error))?;
    let mut replayed_bytes = 0;
    let recovered = recover(disk.as_ref(), &log_dir, &store, checkpoint.resume, |commit, batch| {
        replayed_bytes += batch.payload_bytes() as u64;
        index.apply(commit, &batch);
    })
    .map_err(|error| log_refusal(dir, error))?;
    check_end(dir, &checkpoint, &found, &recovered)?;
    let log = take_over(disk, dir, &log_dir, store, &recovered)
        .map_err(|error| Refusal::from_io(&log_dir, &error))?;
    log.remove_dead(recovered.take_over).map_err(|error| Refusal::from_io(&log_dir, &error))?;
    let last_version = recovered.last_version.unwrap_or(checkpoint.version);
    // The accepted tail is durable now: say so before anything stands on it, and clear the flag of a failed sync.
    witness
        .record(recovered.last_commit, last_version, 0)
        .and_then(|()| witness.sync())
        .map_err(|error| Refusal::from_io(&witness::path(dir), &error))?;
    Ok(Parts {
        store,
        witness,
        index,
        log,
        last_commit: recovered.last_commit,
        last_version,
        epoch: recovered.epoch.unwrap_or(0),
        replayed_bytes,
        checkpoint,
    })
}

/// Takes the log over; on a full disk with the room that was put aside for this.
fn take_over(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    log_dir: &Path,
    store: StoreId,
    recovered: &Recovered,
) -> std::io::Result<LogWriter> {
    let take_over = || {
        let (lengths, tail) = (recovered.lengths.clone(), &recovered.tail);
        LogWriter::take_over(Arc::clone(disk), log_dir, store, lengths, Some(recovered.take_over), tail)
    };
    let ballast = dir.join(layout::BALLAST);
    match take_over() {
        Err(error) if crate::io::is_no_room(&error) && disk.len(&ballast)?.is_some() => {
            tracing::warn!("the disk is full: the room put aside for this start is used");
            disk.remove(&ballast)?;
            disk.sync_dir(dir)?;
            take_over()
        }
        result => result,
    }
}

/// The log must reach what checkpoint and witness prove.
pub(crate) fn check_end(
    dir: &Path,
    checkpoint: &Checkpoint,
    found: &witness::Found,
    recovered: &Recovered,
) -> Result<(), Refusal> {
    let (file, offset) = &recovered.end;
    let last = recovered.last_commit;
    let behind = |who: &str, commit: u64| {
        let cause = format!(
            "the log ends at byte {offset} with commit {last}, yet the {who} proves that commit {commit} was acknowledged"
        );
        let refusal = Refusal::damaged(dir, file, cause);
        Refusal { kind: RefusalKind::BehindWitness, ..refusal }
    };
    if last < checkpoint.log_end {
        return Err(behind("checkpoint", checkpoint.log_end));
    }
    match &found.best {
        Some(record) if last < record.commit => Err(behind("witness", record.commit)),
        Some(_) => Ok(()),
        None if recovered.torn => {
            let cause = format!(
                "both slots are bad, and the log ends at byte {offset} of {} in a frame that is not whole: nothing proves that it was never acknowledged",
                file.display()
            );
            Err(Refusal::damaged(dir, witness::path(dir), cause))
        }
        None => Ok(()),
    }
}

pub(crate) fn log_refusal(dir: &Path, error: LogError) -> Refusal {
    match error {
        LogError::Damaged { file, cause } => Refusal::damaged(dir, file, cause),
        LogError::Io { file, cause } => Refusal::from_io(&file, &cause),
    }
}

pub(crate) fn index_refusal(dir: &Path, error: &IndexError) -> Refusal {
    match error {
        IndexError::Damaged { file, cause } => Refusal::damaged(dir, PathBuf::from(file), cause.clone()),
        IndexError::NoRoom { file } => Refusal::new(
            RefusalKind::NoRoom,
            file,
            "the disk is full",
            "Free room on that disk and start again.",
        ),
        IndexError::Io { file, cause } => Refusal::new(
            RefusalKind::Io,
            file,
            cause.clone(),
            "Look into the system's log for errors of that disk.",
        ),
    }
}
