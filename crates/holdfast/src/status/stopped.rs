//! The status of a directory that no server uses. Looks only.

use super::{DiskStatus, FilesStatus, Status, TableStatus};
use crate::about::{Data, PROGRAM_VERSION};
use crate::admin::clock::ClockStatus;
use holdfast_store::dir::format::Format;
use holdfast_store::dir::layout::{BACKUPS, BLOBS, INDEX, LOG};
use holdfast_store::dir::lock::DirLock;
use holdfast_store::dir::reserve::Reserve;
use holdfast_store::dir::witness::{FLAG_SYNC_FAILED, Witness};
use holdfast_store::dir::{Refusal, RefusalKind};
use holdfast_store::engine::embedded::DiskRoom;
use holdfast_store::io::{Disk, real::RealDisk};
use holdfast_store::{Stopped, SystemClock, TimeSource};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

/// Looks at a directory, changing nothing. Its lock keeps servers out meanwhile.
///
/// # Errors
/// If there is no store, a server uses it, or `FORMAT` or `witness` cannot be read.
pub fn of_directory(dir: &Path) -> Result<Status, Refusal> {
    let lock = DirLock::acquire_shared(dir)?;
    let disk = RealDisk;
    let format = Format::read(&disk, dir)?.ok_or_else(|| no_store(dir))?;
    let found = Witness::read(&disk, dir, format.store)?;
    let mut parts = BTreeMap::new();
    for name in [LOG, INDEX, BLOBS, BACKUPS] {
        let path = dir.join(name);
        match disk.list(&path) {
            Ok(entries) => parts.insert(name.to_owned(), entries.iter().map(|entry| entry.len).sum()),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(Refusal::from_io(&path, &error)),
        };
    }
    let reserve = Reserve::new(Arc::new(RealDisk), dir, None);
    let (version, commit, flags) =
        found.best.map_or((0, 0, 0), |record| (record.version, record.commit, record.flags));
    let (tables, more_tables, clock, unread) = match contents(dir) {
        Ok((tables, more, clock)) => (tables, more, Some(clock), None),
        Err(error) => (Vec::new(), true, None, Some(format!("{error:#}"))),
    };
    drop(lock);
    Ok(Status {
        state: "stopped".to_owned(),
        holdfast: PROGRAM_VERSION.to_owned(),
        data: Data::at(dir),
        version,
        commit,
        disk: reserve.ok().map(|reserve| DiskStatus::of(DiskRoom::measure(&reserve))),
        clock,
        tables,
        more_tables,
        files: Some(FilesStatus {
            format: format.number,
            store: format.store_hex(),
            created_ms: format.created_ms,
            sync_had_failed: flags & FLAG_SYNC_FAILED != 0,
            bad_witness_slots: found.bad.len(),
            parts,
            tables_unread: unread,
        }),
        ..Status::default()
    })
}

/// The tables and the clock that the next start would find.
fn contents(dir: &Path) -> anyhow::Result<(Vec<TableStatus>, bool, ClockStatus)> {
    let stopped = Stopped::open(dir)?;
    let snapshot = stopped.snapshot();
    let clock = ClockStatus::of_stopped(&snapshot, SystemClock.now_ms())?;
    let (tables, more) = super::tables::all(&snapshot, clock.service_ms)?;
    Ok((tables, more, clock))
}

/// The refusal of a verb that needs a store.
pub fn no_store(dir: &Path) -> Refusal {
    let cause =
        if dir.is_dir() { "there is no store in this directory" } else { "there is no such directory" };
    Refusal::new(
        RefusalKind::Missing,
        dir,
        cause,
        "Name another one with `--data-dir`, or look whether the disk or volume is mounted there.",
    )
}
