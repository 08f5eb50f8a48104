//! The documented way out of a proven loss.
//!
//! # Steps, and what an interruption after each of them leaves
//! 1. Look: the log is read as far as it is sound. Nothing is changed.
//! 2. Checkpoint and witness are copied into `lost-<time>/`. *Refuses as before.*
//! 3. The sound frames go into the index, and one last commit that names the loss and moves all counters above everything
//!    ever given out; new tables are written. No checkpoint names them: *refuses as before.*
//! 4. A fresh segment is made, whose number leaves a gap. Because of the gap *a start refuses*, whatever the old log's state.
//! 5. The old segments are renamed to `….log.lost`, which nothing reads but this module; a witness is made if there is none.
//!    *Refuses.*
//! 6. A checkpoint that names the new tables and the fresh segment is renamed into place. **This is the acceptance**: from
//!    here on *the store starts*.
//! 7. The witness says so too. (A start does it as well.)
//! 8. What was put aside is moved into `lost-<time>/`, if the file system can do that.
//!
//! An interrupted acceptance is simply begun again: it finds the same sound frames, under either name.

use super::inspect::{PUT_BACK, read_checkpoint, verdict};
use super::survey::{ASIDE, Place, Survey};
use crate::commit_row::CommitRow;
use crate::dir::format::Format;
use crate::dir::layout::{self, Occupancy};
use crate::dir::lock::DirLock;
use crate::dir::witness::{self, Found, Witness};
use crate::dir::{Refusal, RefusalKind, access};
use crate::engine::embedded::checkpoint::Checkpoint;
use crate::engine::embedded::index::{Index, LsmIndex};
use crate::engine::embedded::log::writer::LogWriter;
use crate::engine::embedded::log::{LogPosition, StoreId};
use crate::engine::embedded::open::{self, OpenIndex, index_options};
use crate::engine::{Batch, CommitNumber, ReadError, View, Write};
use crate::io::real::RealDisk;
use crate::io::{Disk, SECTOR_BYTES};
use crate::keys;
use crate::losses::Loss;
use crate::read::meta_of;
use crate::records::Meta;
use crate::{Origin, SystemClock, TimeSource, Version};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How far commit numbers, epochs and ids jump beyond the highest that is known. What was lost may have used more of them
/// than is proven: no more than this, because the log that no checkpoint covers holds less than 256 MiB and a frame has at
/// least 512 bytes.
const NUMBERS_SKIPPED: u64 = 1 << 20;
/// The same for versions: each has its row in the log, of at least 32 bytes.
const VERSIONS_SKIPPED: u64 = 1 << 24;
/// The same for ids of spaces, which have 32 bits only.
const SPACES_SKIPPED: u32 = 1 << 20;

/// What was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossReport {
    /// The directory.
    pub dir: PathBuf,
    /// What kept the store from starting: file and cause.
    pub damage: Refusal,
    /// What is lost. If nothing is proven to be lost, its last numbers are one below its first.
    pub loss: Loss,
    /// What proves the last lost commit and version, as a phrase.
    pub proof: String,
    /// How many commits of the log were sound, and are in the index now.
    pub replayed: u64,
    /// The old segments of the log, and the checkpoint and witness as they were.
    pub kept: Vec<PathBuf>,
}

impl LossReport {
    /// Last commit that is there.
    #[must_use]
    pub fn last_commit(&self) -> CommitNumber {
        self.loss.first_commit - 1
    }

    /// Last version that is there.
    #[must_use]
    pub fn last_version(&self) -> Version {
        self.loss.first_version - 1
    }
}

impl fmt::Display for LossReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Loss { first_version, last_version, resumes_version, first_commit, last_commit, .. } = &self.loss;
        writeln!(f, "{}", self.damage)?;
        writeln!(
            f,
            "Kept:     everything through commit {}, version {}.",
            first_commit - 1,
            first_version - 1
        )?;
        if last_commit < first_commit {
            writeln!(f, "Lost:     nothing that is proven; {}.", self.proof)?;
        } else {
            write!(f, "Lost:     commits {first_commit} to {last_commit}, ")?;
            match last_version < first_version {
                true => write!(f, "which hold no version")?,
                false => write!(f, "versions {first_version} to {last_version}")?,
            }
            writeln!(f, ", as {} proves; perhaps later ones.", self.proof)?;
        }
        writeln!(f, "Goes on:  with version {resumes_version}; those between name nothing.")?;
        write!(f, "Aside:")?;
        for path in &self.kept {
            write!(f, "    {}\n      ", path.display())?;
        }
        Ok(())
    }
}

/// Gives up what a damaged log has lost, so that the store in `dir` starts again. The log is kept up to the damage; commit
/// numbers and versions go on above everything that may ever have been acknowledged; reads as of a lost version are refused.
///
/// # Errors
/// Where the store starts as it is (`NotNeeded`), where the damage is in the checkpoint or the index, and whatever a start
/// is refused for that is no loss. Nothing is changed then, unless the disk itself fails on the way; then it may be called
/// again.
pub fn accept_loss(dir: &Path) -> Result<LossReport, Refusal> {
    access::check(dir)?;
    match open::inspect(&RealDisk, dir) {
        Ok(Occupancy::Ours(_)) => {}
        Ok(_) => return Err(no_store(dir)),
        // A part that is missing beside FORMAT may be what was lost.
        Err(refusal) if refusal.kind == RefusalKind::MissingFile => {}
        Err(refusal) => return Err(refusal),
    }
    let _lock = DirLock::acquire(dir)?;
    let open_index: OpenIndex<'_> = &|path, manifest| {
        let manifest = (!manifest.encoded.is_empty()).then_some(manifest);
        Ok(Arc::new(LsmIndex::open(path, manifest, index_options(None))?) as Arc<dyn Index>)
    };
    accept_on(&(Arc::new(RealDisk) as Arc<dyn Disk>), dir, open_index, SystemClock.now_ms())
}

/// What the first step found.
struct Look {
    checkpoint: Checkpoint,
    /// `None` if there is no such file.
    witness: Option<Found>,
    survey: Survey,
    sound: Vec<Place>,
    damage: Refusal,
}

/// The acceptance, on any disk.
pub(super) fn accept_on(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    open_index: OpenIndex<'_>,
    now_ms: u64,
) -> Result<LossReport, Refusal> {
    let look = look(disk.as_ref(), dir)?;
    let index = open_index(&dir.join(layout::INDEX), &look.checkpoint.manifest).map_err(|error| {
        let refusal = open::index_refusal(dir, &error);
        if refusal.kind == RefusalKind::Damaged { no_help(refusal) } else { refusal }
    })?;
    let aside = dir.join(format!("{}{}", layout::LOST, utc(now_ms)));
    let copies = copy_aside(disk.as_ref(), dir, &aside)?;
    let (loss, proof) = replay(disk.as_ref(), dir, &look, index.as_ref(), now_ms)?;
    let log_dir = dir.join(layout::LOG);
    let io = |error: std::io::Error| Refusal::from_io(&log_dir, &error);
    let fresh = make_segment(disk, &log_dir, &look).map_err(io)?;
    let put_aside = put_aside(disk.as_ref(), &log_dir, &look.survey).map_err(io)?;
    if look.witness.is_none() {
        let path = witness::path(dir);
        Witness::create(disk.as_ref(), &path, look.checkpoint.store)
            .and_then(|_| disk.sync_dir(dir))
            .map_err(|error| Refusal::from_io(&path, &error))?;
    }
    let checkpoint = Checkpoint {
        store: look.checkpoint.store,
        sequence: look.checkpoint.sequence + 1,
        resume: LogPosition { commit: loss.resumes_commit + 1, ..fresh },
        log_end: loss.resumes_commit,
        version: loss.resumes_version,
        clean: true,
        manifest: index.manifest(),
    };
    checkpoint.write(disk.as_ref(), dir).map_err(|error| from_io(dir, error))?;
    record(disk.as_ref(), dir, &look.checkpoint.store, &loss)?;
    let mut kept = move_aside(disk.as_ref(), dir, &aside, put_aside);
    kept.extend(copies);
    let replayed = look.sound.len() as u64;
    Ok(LossReport { dir: dir.to_path_buf(), damage: look.damage, loss, proof, replayed, kept })
}

fn from_io(file: &Path, error: impl Into<std::io::Error>) -> Refusal {
    Refusal::from_io(file, &error.into())
}

fn no_store(dir: &Path) -> Refusal {
    Refusal::new(RefusalKind::Missing, dir, "there is no store here", "Look whether `--data-dir` is right.")
}

fn no_help(refusal: Refusal) -> Refusal {
    Refusal { remedy: PUT_BACK.to_owned(), ..refusal }
}

/// Reads everything, and refuses where there is nothing to accept or where accepting does not help.
fn look(disk: &dyn Disk, dir: &Path) -> Result<Look, Refusal> {
    let format = Format::read(disk, dir)?.ok_or_else(|| no_store(dir))?;
    let checkpoint = read_checkpoint(disk, dir, &format.store).map_err(|refusal| match refusal.kind {
        RefusalKind::Damaged => no_help(refusal),
        _ => refusal,
    })?;
    let index_dir = dir.join(layout::INDEX);
    if disk.list(&index_dir).is_err() {
        return Err(no_help(Refusal::missing_file(dir, index_dir, "the directory of the index is missing")));
    }
    let witness = match Witness::read(disk, dir, format.store) {
        Ok(found) => Some(found),
        Err(refusal) if refusal.kind == RefusalKind::MissingFile => None,
        Err(refusal) => return Err(refusal),
    };
    let log_dir = dir.join(layout::LOG);
    let damage = match (&witness, verdict(disk, dir, &checkpoint, witness.as_ref())) {
        (_, Err(damage)) => damage,
        (None, Ok(_)) => Refusal::missing_file(dir, witness::path(dir), "it does not exist"),
        (Some(_), Ok(_)) => {
            return Err(Refusal::new(
                RefusalKind::NotNeeded,
                dir,
                "nothing is lost: the store starts as it is",
                "Start the server.",
            ));
        }
    };
    let survey = Survey::read(disk, &log_dir, &format.store, checkpoint.resume.segment)
        .map_err(|error| Refusal::from_io(&log_dir, &error))?;
    let sound = survey.sound(checkpoint.resume);
    Ok(Look { checkpoint, witness, survey, sound, damage })
}

/// Copies checkpoint and witness as they are.
fn copy_aside(disk: &dyn Disk, dir: &Path, aside: &Path) -> Result<Vec<PathBuf>, Refusal> {
    let mut copies = Vec::new();
    let mut copy = || -> std::io::Result<()> {
        disk.create_dir(aside)?;
        for name in [layout::CHECKPOINT, layout::WITNESS] {
            let from = dir.join(name);
            let Some(len) = disk.len(&from)? else { continue };
            let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
            let read = disk.open_read(&from)?.read_at(&mut bytes, 0)?;
            layout::write_durably(disk, &aside.join(name), &bytes[..read])?;
            copies.push(aside.join(name));
        }
        disk.sync_dir(dir)
    };
    copy().map_err(|error| Refusal::from_io(aside, &error))?;
    Ok(copies)
}

/// Puts the sound frames and the commit that names the loss into the index's tables.
fn replay(
    disk: &dyn Disk,
    dir: &Path,
    look: &Look,
    index: &dyn Index,
    now_ms: u64,
) -> Result<(Loss, String), Refusal> {
    let index_error = |error| open::index_refusal(dir, &error);
    let flush = |force: bool| {
        index.seal(force);
        while index.stats().sealed_count > 0 && index.flush().map_err(index_error)? {}
        Ok(())
    };
    for place in &look.sound {
        let batch = look.survey.batch(disk, &look.checkpoint.store, place);
        let batch = batch.map_err(|error| Refusal::from_io(&dir.join(layout::LOG), &error))?;
        index.apply(place.header.commit, &batch);
        flush(false)?;
    }
    let (loss, proof, batch) = last_commit(look, index.view().as_ref(), now_ms)
        .map_err(|error| no_help(Refusal::new(RefusalKind::Damaged, error.file, error.cause, "")))?;
    index.apply(loss.resumes_commit, &batch);
    flush(true)?;
    Ok((loss, proof))
}

/// What is lost, what proves it, and the commit that says so.
fn last_commit(look: &Look, view: &dyn View, now_ms: u64) -> Result<(Loss, String, Batch), ReadError> {
    let mut meta = meta_of(view)?.unwrap_or_else(Meta::new);
    let last_commit = look.sound.last().map_or(look.checkpoint.manifest.flushed, |place| place.header.commit);
    let (proven_commit, proven_version, proof) = proven(look, last_commit, meta.last_version());
    meta.real_ms = meta.real_ms.max(now_ms);
    let loss = Loss {
        first_version: meta.last_version() + 1,
        last_version: proven_version,
        resumes_version: proven_version + VERSIONS_SKIPPED,
        first_commit: last_commit + 1,
        last_commit: proven_commit,
        resumes_commit: proven_commit + NUMBERS_SKIPPED,
        real_ms: meta.real_ms,
        cause: look.damage.to_string().into(),
    };
    meta.next_version = loss.resumes_version + 1;
    meta.next_space = meta.next_space.saturating_add(SPACES_SKIPPED);
    meta.next_pin += NUMBERS_SKIPPED;
    meta.next_job += NUMBERS_SKIPPED;
    meta.epoch = meta.epoch.max(look.survey.epoch()) + NUMBERS_SKIPPED;
    let row = CommitRow {
        real_ms: meta.real_ms,
        service_ms: meta.clock.at(meta.real_ms),
        origin: Origin::System,
        root: "main".into(),
        service: "store".into(),
        operation: "accept-loss".into(),
        request_id: "".into(),
        principal: "".into(),
        deltas: Vec::new(),
        touched: Vec::new(),
    };
    let (key, row) = (keys::commits(loss.resumes_version), row.encode());
    meta.history_bytes += (key.len() + row.len()) as u64;
    let mut rows = BTreeMap::from([
        (keys::meta(), meta.encode()),
        (key, row),
        (keys::losses(loss.first_version), loss.encode()),
    ]);
    let writes = std::iter::from_fn(|| rows.pop_first())
        .map(|(key, value)| Write { key, value: Some(value.into()) })
        .collect();
    let (first_version, last_version) = (loss.resumes_version, loss.resumes_version);
    Ok((loss, proof, Batch { writes, first_version, last_version }))
}

/// The highest commit and version that are proven to have been acknowledged, at least those that are there, and by what.
fn proven(look: &Look, commit: CommitNumber, version: Version) -> (CommitNumber, Version, String) {
    let mut best =
        (commit, version, "nothing proves that anything was acknowledged that is not there".to_owned());
    let mut witnesses = vec![(look.checkpoint.log_end, look.checkpoint.version, "the checkpoint".to_owned())];
    let record = look.witness.as_ref().and_then(|found| found.best);
    witnesses.extend(record.map(|record| (record.commit, record.version, "the witness".to_owned())));
    witnesses.extend(look.survey.highest().map(|place| {
        let text = format!("a frame in segment {} at byte {}", place.segment, place.offset);
        (place.header.commit, place.header.last_version, text)
    }));
    for (commit, version, text) in witnesses {
        best.1 = best.1.max(version);
        if commit > best.0 {
            (best.0, best.2) = (commit, text);
        }
    }
    best
}

/// Makes the segment in which the log goes on, and answers where. Its number leaves a gap to every other one, so that no
/// start accepts it as the end of the old log.
fn make_segment(disk: &Arc<dyn Disk>, log_dir: &Path, look: &Look) -> std::io::Result<LogPosition> {
    disk.create_dir(log_dir)?;
    if let Some(parent) = log_dir.parent() {
        disk.sync_dir(parent)?;
    }
    let highest = look.survey.segments.last_key_value().map_or(0, |(number, _)| *number);
    let gap = highest.max(look.checkpoint.resume.segment) + 1;
    let lengths = BTreeMap::from([(gap, 0)]);
    LogWriter::take_over(Arc::clone(disk), log_dir, look.checkpoint.store, lengths, None, &[])?;
    Ok(LogPosition { segment: gap + 1, offset: SECTOR_BYTES, commit: 0 })
}

/// Gives the old segments names that no start looks at.
fn put_aside(disk: &dyn Disk, log_dir: &Path, survey: &Survey) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for segment in survey.segments.values() {
        let mut name = segment.path.as_os_str().to_owned();
        if !segment.aside {
            name.push(ASIDE);
            disk.rename(&segment.path, Path::new(&name))?;
        }
        paths.push(PathBuf::from(name));
    }
    disk.sync_dir(log_dir)?;
    Ok(paths)
}

/// Tells the witness where numbers go on, in both of its slots.
fn record(disk: &dyn Disk, dir: &Path, store: &StoreId, loss: &Loss) -> Result<(), Refusal> {
    let path = witness::path(dir);
    let io = |error: std::io::Error| Refusal::from_io(&path, &error);
    let (witness, _) = Witness::open(disk, dir, *store)?;
    for _ in 0..2 {
        witness.record(loss.resumes_commit, loss.resumes_version, 0).map_err(io)?;
        witness.sync().map_err(io)?;
    }
    Ok(())
}

/// Moves the old segments to the rest of what is kept. Where that cannot be done they stay where they are: the loss is
/// accepted already.
fn move_aside(disk: &dyn Disk, dir: &Path, aside: &Path, paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let place = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        aside.join(name.trim_end_matches(ASIDE))
    };
    let moved = |path: PathBuf| match disk.rename(&path, &place(&path)) {
        Ok(()) => place(&path),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "an old segment stays in the log's directory");
            path
        }
    };
    let kept = paths.into_iter().map(moved).collect();
    for synced in [aside, &dir.join(layout::LOG), dir] {
        if let Err(error) = disk.sync_dir(synced) {
            tracing::warn!(directory = %synced.display(), %error, "what was moved may be back after a power cut");
        }
    }
    kept
}

/// A time for a file name: `20261124T112300Z`.
fn utc(ms: u64) -> String {
    let (days, seconds) = (ms / 86_400_000, ms / 1_000 % 86_400);
    // The Gregorian calendar in eras of 400 years that begin on March 1.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(utc(0), "19700101T000000Z");
        assert_eq!(utc(951_782_400_000), "20000229T000000Z");
        assert_eq!(utc(1_764_000_000_000), "20251124T160000Z");
        assert_eq!(utc(4_107_542_399_000), "21000228T235959Z");
    }
}
