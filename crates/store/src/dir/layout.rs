//! Names in the data directory, and what a directory holds before anything is opened.
//!
//! ```text
//! FORMAT       format number and store id, written last when a store is made
//! LOCK         one process at a time
//! witness      highest acknowledged commit
//! checkpoint   what the index is and where the log goes on
//! ballast      room that a start gives back on a full disk
//! log/         segments of the log
//! index/       tables of the index
//! blobs/       large bodies, one file each
//! backups/     archives
//! lost-TIME/   what was put aside when a loss was accepted
//! admin.sock   the way of the verbs to a running server
//! ```
//!
//! # Whose directory
//! With `FORMAT` the directory is what that file says. Without it:
//! - nothing but `lost+found`: empty;
//! - besides, at most what a start leaves that was interrupted while it made a store: **new**, it may be made again;
//! - anything more of ours (a commit in log, checkpoint or witness, a table, a blob, an archive): damage, `FORMAT` is lost;
//! - any other file: foreign.

use super::format::Format;
use super::witness;
use super::{Refusal, RefusalKind};
use crate::io::{Disk, Entry};
use std::io;
use std::path::{Path, PathBuf};

/// Format number and store id.
pub const FORMAT: &str = "FORMAT";
/// One process at a time.
pub const LOCK: &str = "LOCK";
/// Highest acknowledged commit.
pub const WITNESS: &str = "witness";
/// What the index is and where the log goes on.
pub const CHECKPOINT: &str = "checkpoint";
/// Room that a start gives back on a disk that is completely full.
pub const BALLAST: &str = "ballast";
/// Directory of the log's segments.
pub const LOG: &str = "log";
/// Directory of the index's tables.
pub const INDEX: &str = "index";
/// Directory of large bodies.
pub const BLOBS: &str = "blobs";
/// Directory of archives.
pub const BACKUPS: &str = "backups";
/// Beginning of the names of directories that hold what was put aside when a loss was accepted.
pub const LOST: &str = "lost-";
/// Socket of a running server.
pub const ADMIN_SOCKET: &str = "admin.sock";

/// Ending of files that are not complete yet; one left behind means nothing.
pub const TEMPORARY_SUFFIX: &str = ".tmp";
/// What `mkfs` leaves on a fresh ext file system.
const LOST_AND_FOUND: &str = "lost+found";

/// What a directory is, if a store can live there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occupancy {
    /// The directory does not exist (its parent may not either).
    Missing,
    /// Nothing is in it.
    Empty,
    /// A start was interrupted while it made a store, before anything was acknowledged.
    New,
    /// A store.
    Ours(Format),
}

impl Occupancy {
    /// The store's format, or the refusal of `--require-existing` if there is no store.
    ///
    /// # Errors
    /// [`RefusalKind::Missing`].
    pub fn require_existing(self, dir: &Path) -> Result<Format, Refusal> {
        let cause = match self {
            Self::Ours(format) => return Ok(format),
            Self::Missing => "there is no such directory, and --require-existing is given",
            Self::Empty => "the directory is empty, and --require-existing is given",
            Self::New => {
                "the store here was never completed and holds nothing, and --require-existing is given"
            }
        };
        Err(Refusal::new(
            RefusalKind::Missing,
            dir,
            cause,
            "Look whether the disk or volume is mounted there; without `--require-existing` a new store is made.",
        ))
    }
}

/// Looks at a directory; changes nothing.
///
/// `proves_commit` answers for `checkpoint` and for each file in `log/`, and is asked only where `FORMAT` is missing:
/// whether the file proves that a commit was made, or cannot be what an interrupted creation leaves.
///
/// # Errors
/// `Foreign`, `Newer` or `Damaged`, with the first file that shows it; `MissingFile` if `FORMAT` is there but one of
/// checkpoint, log, index or witness is not; otherwise what the operating system said.
pub fn inspect(
    disk: &dyn Disk,
    dir: &Path,
    proves_commit: impl Fn(&Path) -> io::Result<bool>,
) -> Result<Occupancy, Refusal> {
    let entries = match disk.list(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Occupancy::Missing),
        Err(e) => return Err(Refusal::from_io(dir, &e)),
    };
    if entries.iter().any(|entry| entry.name == FORMAT) {
        // A directory of that name cannot be read as a file: refused as such.
        if let Some(format) = Format::read(disk, dir)? {
            require_parts(dir, &entries)?;
            return Ok(Occupancy::Ours(format));
        }
    }
    without_format(disk, dir, &entries, proves_commit)
}

/// With `FORMAT` present, these were made before it and are never removed.
fn require_parts(dir: &Path, entries: &[Entry]) -> Result<(), Refusal> {
    for (name, directory) in [(CHECKPOINT, false), (WITNESS, false), (LOG, true), (INDEX, true)] {
        match entries.iter().find(|entry| entry.name == name) {
            Some(entry) if entry.directory == directory => {}
            Some(_) => {
                let cause = if directory { "this is not a directory" } else { "this is not a file" };
                return Err(Refusal::damaged(dir, dir.join(name), cause));
            }
            None => {
                let cause = "it does not exist, though FORMAT says that a store is here";
                return Err(Refusal::missing_file(dir, dir.join(name), cause));
            }
        }
    }
    Ok(())
}

fn without_format(
    disk: &dyn Disk,
    dir: &Path,
    entries: &[Entry],
    proves_commit: impl Fn(&Path) -> io::Result<bool>,
) -> Result<Occupancy, Refusal> {
    let mut of_a_creation = false;
    let mut foreign = None;
    for entry in entries {
        match judge(disk, dir, entry, &proves_commit)? {
            Finding::Nothing => {}
            Finding::OfCreation => of_a_creation = true,
            Finding::Foreign(path) => foreign = foreign.or(Some(path)),
            Finding::Ours(path) => {
                let cause =
                    format!("the file is missing, though {} shows that a store is here", path.display());
                return Err(Refusal::damaged(dir, dir.join(FORMAT), cause));
            }
        }
    }
    match foreign {
        Some(path) => Err(Refusal::new(
            RefusalKind::Foreign,
            path,
            format!("{} holds files that are not holdfast's, such as this one", dir.display()),
            "Choose an empty directory, or one that does not exist yet, as `--data-dir`.",
        )),
        None if of_a_creation => Ok(Occupancy::New),
        None => Ok(Occupancy::Empty),
    }
}

/// What one entry says where `FORMAT` is missing.
enum Finding {
    Nothing,
    /// An interrupted creation leaves this.
    OfCreation,
    /// Only a store that was in use has this.
    Ours(PathBuf),
    Foreign(PathBuf),
}

fn judge(
    disk: &dyn Disk,
    dir: &Path,
    entry: &Entry,
    proves_commit: &impl Fn(&Path) -> io::Result<bool>,
) -> Result<Finding, Refusal> {
    let path = dir.join(&entry.name);
    let name = entry.name.as_str();
    let io = |path: &Path, e: io::Error| Refusal::from_io(path, &e);
    match (name, entry.directory) {
        (LOST_AND_FOUND, true) => Ok(Finding::Nothing),
        (LOCK | ADMIN_SOCKET, false) => Ok(Finding::OfCreation),
        // Made only while a complete store is served.
        (BALLAST, false) => Ok(Finding::Ours(path)),
        (_, true) if name.starts_with(LOST) => Ok(Finding::Ours(path)),
        (CHECKPOINT, false) => {
            let proof = proves_commit(&path).map_err(|e| io(&path, e))?;
            Ok(if proof { Finding::Ours(path) } else { Finding::OfCreation })
        }
        (WITNESS, false) => {
            let proof = witness::proves_commit(disk, &path).map_err(|e| io(&path, e))?;
            Ok(if proof { Finding::Ours(path) } else { Finding::OfCreation })
        }
        (LOG | INDEX | BLOBS | BACKUPS, true) => {
            let mut finding = Finding::OfCreation;
            for child in disk.list(&path).map_err(|e| io(&path, e))? {
                let inner = path.join(&child.name);
                if child.name.ends_with(TEMPORARY_SUFFIX) && !child.directory {
                    continue;
                }
                if name != LOG {
                    return Ok(Finding::Ours(inner));
                }
                if child.directory || !is_segment(&child.name) {
                    finding = Finding::Foreign(inner);
                } else if proves_commit(&inner).map_err(|e| io(&inner, e))? {
                    return Ok(Finding::Ours(inner));
                }
            }
            Ok(finding)
        }
        _ if is_temporary(name) && !entry.directory => Ok(Finding::OfCreation),
        _ => Ok(Finding::Foreign(path)),
    }
}

/// A file of ours that was not complete.
fn is_temporary(name: &str) -> bool {
    name.strip_suffix(TEMPORARY_SUFFIX)
        .is_some_and(|stem| [FORMAT, WITNESS, CHECKPOINT, BALLAST].contains(&stem))
}

/// Whether a name in `log/` is that of a segment: digits and `.log`.
fn is_segment(name: &str) -> bool {
    name.strip_suffix(".log").is_some_and(|stem| !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_digit()))
}

/// Writes a small file whole or not at all: under a temporary name, synced, renamed, directory synced.
///
/// # Errors
/// The file may be the old one or the new one then; after success it is the new one, durably.
pub fn write_durably(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(TEMPORARY_SUFFIX);
    let temporary = PathBuf::from(temporary);
    if disk.len(&temporary)?.is_some() {
        disk.remove(&temporary)?;
    }
    let file = disk.create(&temporary)?;
    file.write_at(bytes, 0)?;
    file.sync()?;
    disk.rename(&temporary, path)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    disk.sync_dir(dir.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::simulated::SimulatedDisk;

    const DIR: &str = "/data";

    fn disk(files: &[(&str, &[u8])]) -> SimulatedDisk {
        let disk = SimulatedDisk::new(1);
        disk.put_dir(Path::new(DIR));
        for (name, bytes) in files {
            disk.put(&Path::new(DIR).join(name), bytes);
        }
        disk
    }

    /// In these tests a file proves a commit if it says so.
    fn look(disk: &SimulatedDisk) -> Result<Occupancy, Refusal> {
        inspect(disk, Path::new(DIR), |path| Ok(disk.image()[path].starts_with(b"commit")))
    }

    fn refused(disk: &SimulatedDisk) -> (RefusalKind, String) {
        let before = disk.image();
        let refusal = look(disk).unwrap_err();
        assert_eq!(disk.image(), before);
        (refusal.kind, refusal.file.strip_prefix(DIR).unwrap().display().to_string())
    }

    fn format() -> Format {
        Format::new([3; 16], 5)
    }

    #[test]
    fn empty_missing_and_half_made_directories_are_free() {
        let nothing = SimulatedDisk::new(1);
        assert_eq!(look(&nothing), Ok(Occupancy::Missing));
        let half = disk(&[]);
        assert_eq!(look(&half), Ok(Occupancy::Empty));
        half.put_dir(Path::new("/data/lost+found"));
        assert_eq!(look(&half), Ok(Occupancy::Empty));
        for name in [
            "LOCK",
            "FORMAT.tmp",
            "checkpoint.tmp",
            "checkpoint",
            "log/segment.tmp",
            "log/0000000000000001.log",
        ] {
            half.put(&Path::new(DIR).join(name), b"torn");
            assert_eq!(look(&half), Ok(Occupancy::New), "{name}");
        }
        for name in ["index", "blobs", "backups"] {
            half.put_dir(&Path::new(DIR).join(name));
        }
        half.put(Path::new("/data/witness"), &[0; 700]);
        assert_eq!(look(&half), Ok(Occupancy::New));
    }

    #[test]
    fn a_lost_format_is_damage() {
        for name in ["checkpoint", "log/0000000000000007.log", "index/1", "blobs/1-1", "backups/a.holdfast"] {
            let disk = disk(&[("LOCK", b""), (name, b"commit"), ("a-stray-note", b"")]);
            assert_eq!(refused(&disk), (RefusalKind::Damaged, "FORMAT".to_owned()), "{name}");
            assert!(look(&disk).unwrap_err().cause.contains(name));
        }
    }

    #[test]
    fn a_witness_of_a_commit_is_damage_too() {
        let disk = disk(&[]);
        let witness = witness::Witness::create(&disk, Path::new("/data/witness"), [3; 16]).unwrap();
        assert_eq!(look(&disk), Ok(Occupancy::New));
        witness.record(1, 1, 0).unwrap();
        assert_eq!(refused(&disk), (RefusalKind::Damaged, "FORMAT".to_owned()));
    }

    #[test]
    fn foreign_directories_are_refused() {
        for name in ["notes.txt", "log/app.log.1", "log/app.log", "shared-local-instance.db", "FORMAT.bak"] {
            assert_eq!(refused(&disk(&[(name, b"x")])), (RefusalKind::Foreign, name.to_owned()));
        }
        let disk = disk(&[]);
        disk.put_dir(Path::new("/data/LOCK"));
        assert_eq!(refused(&disk), (RefusalKind::Foreign, "LOCK".to_owned()));
        disk.put_dir(Path::new("/data/FORMAT"));
        assert!(look(&disk).is_err());
    }

    #[test]
    fn a_store_is_recognised_and_needs_its_parts() {
        let disk = disk(&[("checkpoint", b"commit"), ("witness", b""), ("notes.txt", b"")]);
        disk.put_dir(Path::new("/data/log"));
        disk.put_dir(Path::new("/data/index"));
        format().write(&disk, Path::new(DIR)).unwrap();
        assert_eq!(look(&disk), Ok(Occupancy::Ours(format())));
        assert_eq!(look(&disk).unwrap().require_existing(Path::new(DIR)), Ok(format()));
        for name in ["checkpoint", "witness"] {
            let bytes = disk.image()[&Path::new(DIR).join(name)].clone();
            assert!(disk.delete(&Path::new(DIR).join(name)));
            assert_eq!(refused(&disk), (RefusalKind::MissingFile, name.to_owned()));
            disk.put(&Path::new(DIR).join(name), &bytes);
        }
        let no_log = SimulatedDisk::from_image(1, &disk.image());
        assert_eq!(refused(&no_log), (RefusalKind::MissingFile, "log".to_owned()));
    }

    #[test]
    fn require_existing_refuses_to_create() {
        for (occupancy, word) in [
            (Occupancy::Missing, "no such"),
            (Occupancy::Empty, "empty"),
            (Occupancy::New, "never completed"),
        ] {
            let refusal = occupancy.require_existing(Path::new(DIR)).unwrap_err();
            assert_eq!(refusal.kind, RefusalKind::Missing);
            assert!(refusal.cause.contains(word), "{refusal}");
        }
    }
}
