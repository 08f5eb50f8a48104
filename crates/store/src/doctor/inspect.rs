//! A look at every file of a stopped store. Changes nothing.

use super::report::{
    CheckpointSummary, Finding, LogSummary, Report, Severity, TablesSummary, WitnessSummary,
};
use super::survey::{ASIDE, Survey};
use crate::dir::format::Format;
use crate::dir::layout::{self, Occupancy};
use crate::dir::lock::DirLock;
use crate::dir::witness::{self, FLAG_SYNC_FAILED, Found, Witness};
use crate::dir::{Refusal, RefusalKind, access};
use crate::engine::embedded::checkpoint::{self, Checkpoint, CheckpointError};
use crate::engine::embedded::index::Manifest;
use crate::engine::embedded::index::examine::{ExaminedTable, examine, is_table};
use crate::engine::embedded::log::recovery::{Recovered, recover};
use crate::engine::embedded::log::{StoreId, segment};
use crate::engine::embedded::open;
use crate::io::Disk;
use crate::io::real::RealDisk;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Looks at the tables that a manifest names; see [`examine`].
pub(super) type Examine<'a> =
    &'a dyn Fn(&Path, &Manifest, bool, &mut dyn FnMut(ExaminedTable)) -> Result<(), String>;

/// What helps where tables or the checkpoint are gone.
pub(super) const PUT_BACK: &str = "Accepting a loss cannot help here: what is missing stands in no log any more. Put the file \
    back from a copy of this directory, or load an archive into a new directory.";

/// What helps where the witness is another store's.
const WITNESS_OF_OTHERS: &str = "Put the right file back: two directories may have been mixed up.";
/// What helps where `FORMAT` is gone.
const FORMAT_NEVER_CHANGES: &str =
    "Put the file back from any copy of this directory: it never changes once a store is made.";

/// Looks at the store in a directory that no server uses, and changes nothing in it. `deep` reads every block of the index
/// instead of the ends of its tables.
///
/// Never fails: what keeps it from looking is a finding too.
#[must_use]
pub fn inspect(dir: &Path, deep: bool) -> Report {
    let mut report = Report::empty(dir);
    // Held to the end: no server may start meanwhile.
    let lock = DirLock::acquire_shared(dir);
    let refused = match &lock {
        Err(refusal) => Some(refusal.clone()),
        Ok(_) => access::check(dir).err(),
    };
    match refused {
        // A look needs no right to write.
        Some(refusal) if !matches!(refusal.kind, RefusalKind::NotWritable | RefusalKind::WrongOwner) => {
            report.refusal(Severity::Damage, &refusal);
        }
        refused => {
            inspect_on(&RealDisk, &mut report, deep, &examine);
            if let Some(refusal) = refused {
                report.starts = false;
                report.refusal(Severity::Damage, &refusal);
            }
        }
    }
    report.sort();
    report
}

impl Report {
    pub(super) fn empty(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            format: None,
            checkpoint: None,
            witness: None,
            log: None,
            tables: None,
            findings: Vec::new(),
            starts: false,
            accept_loss_helps: false,
        }
    }

    fn add(&mut self, severity: Severity, file: impl Into<PathBuf>, cause: impl Into<String>, remedy: &str) {
        let (file, cause, remedy) = (file.into(), cause.into(), remedy.to_owned());
        self.findings.push(Finding { severity, file, offset: None, cause, remedy });
    }

    fn refusal(&mut self, severity: Severity, refusal: &Refusal) {
        self.add(severity, &refusal.file, refusal.cause.clone(), refusal.hint());
    }

    pub(super) fn sort(&mut self) {
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    }

    /// Refusals point to `doctor`: here stands what it says.
    fn replace_hints(&mut self, accept_loss_helps: bool) {
        let accept = format!(
            "If no copy of the file is left: `holdfast doctor --accept-loss --data-dir {}` gives up what is lost, keeps \
             the damaged files aside, and makes the store start.",
            self.dir.display()
        );
        for finding in self.findings.iter_mut().filter(|finding| finding.remedy.contains("`holdfast doctor"))
        {
            let name = finding.file.file_name().and_then(|name| name.to_str());
            let index_lost = name == Some(layout::INDEX) || name == Some(layout::CHECKPOINT);
            finding.remedy = match name {
                Some(layout::FORMAT) => FORMAT_NEVER_CHANGES.to_owned(),
                _ if accept_loss_helps => accept.clone(),
                _ if index_lost => PUT_BACK.to_owned(),
                _ => "First see to the other damage.".to_owned(),
            };
        }
    }
}

/// The look itself, on any disk.
pub(super) fn inspect_on(disk: &dyn Disk, report: &mut Report, deep: bool, examine: Examine<'_>) {
    let dir = report.dir.clone();
    let mut parts_refused = false;
    match open::inspect(disk, &dir) {
        Ok(Occupancy::Ours(_)) => {}
        Ok(occupancy) => {
            let cause = match occupancy {
                Occupancy::Missing => "there is no such directory",
                Occupancy::Empty => "the directory is empty",
                _ => "a store was begun here and holds nothing yet",
            };
            report.starts = true;
            return report.add(
                Severity::Info,
                &dir,
                cause,
                "A server that is started here makes a new store.",
            );
        }
        Err(refusal) => {
            parts_refused = true;
            report.refusal(Severity::Damage, &refusal);
        }
    }
    let Ok(Some(format)) = Format::read(disk, &dir) else { return report.replace_hints(false) };
    report.format = Some(format);
    let checkpoint = look_at_checkpoint(disk, report, &format.store);
    let witness = look_at_witness(disk, report, format.store);
    let Some(checkpoint) = checkpoint else { return report.replace_hints(false) };
    let (tables, index_opens) = look_at_tables(report, &checkpoint, deep, examine);
    let log = look_at_log(disk, report, &checkpoint, witness.as_ref().ok().and_then(Option::as_ref));
    look_for_strangers(disk, report, &tables);
    let index_opens = index_opens && disk.list(&dir.join(layout::INDEX)).is_ok();
    report.starts = !parts_refused && index_opens && log && witness.is_ok();
    report.accept_loss_helps = !report.starts && index_opens && witness.is_ok();
    report.replace_hints(report.accept_loss_helps);
}

fn look_at_checkpoint(disk: &dyn Disk, report: &mut Report, store: &StoreId) -> Option<Checkpoint> {
    let path = report.dir.join(checkpoint::FILE);
    let checkpoint = match read_checkpoint(disk, &report.dir, store) {
        Ok(checkpoint) => checkpoint,
        Err(refusal) => {
            report.add(Severity::Damage, path, refusal.cause, PUT_BACK);
            return None;
        }
    };
    report.checkpoint = Some(CheckpointSummary {
        sequence: checkpoint.sequence,
        through: checkpoint.manifest.flushed,
        resume: (checkpoint.resume.segment, checkpoint.resume.offset),
        commit: checkpoint.log_end,
        version: checkpoint.version,
        clean: checkpoint.clean,
    });
    Some(checkpoint)
}

/// Reads the checkpoint of a store.
pub(super) fn read_checkpoint(disk: &dyn Disk, dir: &Path, store: &StoreId) -> Result<Checkpoint, Refusal> {
    let path = dir.join(checkpoint::FILE);
    let checkpoint = Checkpoint::read(disk, dir).map_err(|error| match error {
        CheckpointError::Io(error) => Refusal::from_io(&path, &error),
        CheckpointError::Damaged(cause) => Refusal::damaged(dir, &path, cause),
    })?;
    if checkpoint.store != *store {
        return Err(Refusal::damaged(dir, &path, "it belongs to another store than FORMAT names"));
    }
    Ok(checkpoint)
}

/// Answers which files are the index's, and whether it opens.
fn look_at_tables(
    report: &mut Report,
    checkpoint: &Checkpoint,
    deep: bool,
    examine: Examine<'_>,
) -> (BTreeSet<PathBuf>, bool) {
    let dir = report.dir.join(layout::INDEX);
    let mut summary = TablesSummary { deep, ..TablesSummary::default() };
    let (mut known, mut bad) = (BTreeSet::new(), Vec::new());
    let looked = examine(&dir, &checkpoint.manifest, deep, &mut |table| {
        summary.tables += 1;
        summary.bytes += table.len;
        summary.keys += table.items;
        summary.damaged += usize::from(table.result.is_err());
        summary.unusable += usize::from(!table.opens);
        known.insert(table.path.clone());
        if let Err(error) = table.result {
            bad.push((table.path, error));
        }
    });
    let opens = looked.is_ok() && summary.unusable == 0;
    if let Err(cause) = looked {
        report.add(Severity::Damage, report.dir.join(checkpoint::FILE), cause, PUT_BACK);
    }
    for (path, error) in bad {
        let refusal = open::index_refusal(&report.dir, &error);
        let remedy = if refusal.kind == RefusalKind::Damaged { PUT_BACK } else { refusal.hint() };
        report.add(Severity::Damage, path, refusal.cause.clone(), remedy);
    }
    report.tables = Some(summary);
    (known, opens)
}

/// What the witness says, `None` if it is missing; an error if it is there and cannot be used.
fn look_at_witness(disk: &dyn Disk, report: &mut Report, store: StoreId) -> Result<Option<Found>, ()> {
    let path = witness::path(&report.dir);
    let found = match Witness::read(disk, &report.dir, store) {
        Ok(found) => found,
        // Told already, with the other parts of a store.
        Err(refusal) if refusal.kind == RefusalKind::MissingFile => return Ok(None),
        Err(refusal) => {
            report.add(Severity::Damage, refusal.file, refusal.cause, WITNESS_OF_OTHERS);
            return Err(());
        }
    };
    for bad in &found.bad {
        let cause = format!("slot {} of 2 is not usable: {}", bad.slot, bad.cause);
        let remedy = if found.bad.len() < 2 { "The other slot is used." } else { "" };
        report.add(Severity::Warning, &path, cause, remedy);
    }
    let sync_failed = found.best.is_some_and(|record| record.flags & FLAG_SYNC_FAILED != 0);
    if sync_failed {
        let cause = "a sync had failed before the last stop";
        report.add(Severity::Warning, &path, cause, "Look into the system's log for errors of that disk.");
    }
    report.witness = Some(WitnessSummary {
        acknowledged: found.best.map(|record| (record.commit, record.version)),
        bad_slots: found.bad.len(),
        sync_failed,
    });
    Ok(Some(found))
}

/// Answers whether log and witness let a start go through.
fn look_at_log(disk: &dyn Disk, report: &mut Report, checkpoint: &Checkpoint, found: Option<&Found>) -> bool {
    let log_dir = report.dir.join(layout::LOG);
    let survey = match Survey::read(disk, &log_dir, &checkpoint.store, checkpoint.resume.segment) {
        Ok(survey) => survey,
        Err(error) => {
            report.refusal(Severity::Damage, &Refusal::from_io(&log_dir, &error));
            return false;
        }
    };
    let sound = survey.sound(checkpoint.resume);
    let last = sound.last();
    let (segment, end) = last.map_or((checkpoint.resume.segment, checkpoint.resume.offset), |place| {
        (place.segment, place.offset + place.header.frame_bytes())
    });
    report.log = Some(LogSummary {
        segments: survey.segments.len(),
        bytes: survey.segments.values().map(|segment| segment.len).sum(),
        last_commit: last.map_or(checkpoint.manifest.flushed, |place| place.header.commit),
        last_version: last.map(|place| place.header.last_version),
        torn: false,
        highest_commit: survey.commits().map_or(checkpoint.manifest.flushed, |(_, highest)| highest),
    });
    for segment in survey.segments.values() {
        for offset in &segment.unreadable {
            report.findings.push(Finding {
                severity: Severity::Damage,
                file: segment.path.clone(),
                offset: Some(*offset),
                cause: "the disk cannot read this sector".to_owned(),
                remedy: "Look into the system's log for errors of that disk.".to_owned(),
            });
        }
    }
    let refusal = match verdict(disk, &report.dir, checkpoint, found) {
        Ok(recovered) => {
            if let Some(log) = &mut report.log {
                log.torn = recovered.torn;
            }
            return true;
        }
        Err(refusal) => refusal,
    };
    for segment in survey.segments.values().filter(|segment| segment.path != refusal.file) {
        if let Err(cause) = &segment.header {
            report.refusal(Severity::Damage, &Refusal::damaged(&report.dir, &segment.path, cause));
        }
    }
    report.refusal(Severity::Damage, &refusal);
    if let Some(finding) = report.findings.last_mut()
        && finding.file == segment::path(&log_dir, segment)
    {
        finding.offset = Some(end);
    }
    false
}

/// What a start would say of log and witness. `None` in place of what the witness holds: it proves nothing.
pub(super) fn verdict(
    disk: &dyn Disk,
    dir: &Path,
    checkpoint: &Checkpoint,
    found: Option<&Found>,
) -> Result<Recovered, Refusal> {
    let log_dir = dir.join(layout::LOG);
    let recovered = recover(disk, &log_dir, &checkpoint.store, checkpoint.resume, |_, _| {})
        .map_err(|error| open::log_refusal(dir, error))?;
    if let Some(found) = found {
        open::check_end(dir, checkpoint, found, &recovered)?;
    }
    Ok(recovered)
}

/// Files that no start needs. `tables` are those that the checkpoint names.
fn look_for_strangers(disk: &dyn Disk, report: &mut Report, tables: &BTreeSet<PathBuf>) {
    let dir = report.dir.clone();
    for name in ["", layout::LOG, layout::INDEX] {
        let inner = if name.is_empty() { dir.clone() } else { dir.join(name) };
        for entry in disk.list(&inner).unwrap_or_default() {
            let path = inner.join(&entry.name);
            let unknown = "this file is not the store's; it is left alone";
            let (cause, remedy) = match (name, entry.name.as_str()) {
                (_, file) if file.ends_with(layout::TEMPORARY_SUFFIX) => {
                    ("left by an interrupted write", "It means nothing, and is replaced when it is needed.")
                }
                ("", file) if file.starts_with(layout::LOST) => (
                    "files put aside when a loss was accepted",
                    "Remove them when nobody needs them any more.",
                ),
                ("", file) if OWN.contains(&file) => continue,
                (layout::LOG, file) if file.ends_with(ASIDE) => {
                    ("put aside when a loss was accepted", "Remove it when nobody needs it any more.")
                }
                (layout::LOG, file) if segment::number(file).is_some() => continue,
                (layout::INDEX, file) if is_table(file) && !tables.contains(&path) => {
                    ("no checkpoint names this table: a crash left it", "The next start removes it.")
                }
                (layout::INDEX, file) if is_table(file) => continue,
                _ => (unknown, ""),
            };
            report.add(Severity::Info, path, cause, remedy);
        }
    }
}

/// Everything that belongs into the data directory itself.
const OWN: [&str; 11] = [
    layout::FORMAT,
    layout::LOCK,
    layout::WITNESS,
    layout::CHECKPOINT,
    layout::BALLAST,
    layout::LOG,
    layout::INDEX,
    layout::BLOBS,
    layout::BACKUPS,
    layout::ADMIN_SOCKET,
    "lost+found",
];
