//! Why a start, or a look at a directory, is refused.

use crate::io::{error, is_no_room};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What is in the way, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// The file or directory cannot be written by this process, or the file system is read-only.
    NotWritable,
    /// It cannot be written because another user owns it.
    WrongOwner,
    /// The path leads to, or through, something that is not a directory.
    NotADirectory,
    /// Another process uses the directory.
    Locked,
    /// The directory holds files that are not ours.
    Foreign,
    /// A newer version of this program wrote it.
    Newer,
    /// A file of ours cannot be what was written, or acknowledged data is missing.
    Damaged,
    /// A file that must exist does not.
    MissingFile,
    /// The log ends before what the witness says was acknowledged.
    BehindWitness,
    /// There is no room to start.
    NoRoom,
    /// There is no store, or no parent directory to make one in.
    Missing,
    /// What was asked for changes nothing: all is well without it.
    NotNeeded,
    /// Another error of the operating system.
    Io,
}

/// A refusal: which file, what is wrong, what helps. Nothing was changed.
///
/// Shown as `FILE: CAUSE`; the remedy belongs on a line of its own, see [`Refusal::hint`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is in the way.
    pub kind: RefusalKind,
    /// The file or directory that it is about.
    pub file: PathBuf,
    /// What is wrong, as a phrase without a full stop.
    pub cause: String,
    /// What to do, as a sentence; commands stand in backquotes.
    pub remedy: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file.display(), self.cause)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// A refusal from its parts.
    pub fn new(
        kind: RefusalKind,
        file: impl Into<PathBuf>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { kind, file: file.into(), cause: cause.into(), remedy: remedy.into() }
    }

    /// A file of the store in `dir` is damaged; the remedy points to `doctor`.
    pub fn damaged(dir: &Path, file: impl Into<PathBuf>, cause: impl Into<String>) -> Self {
        Self::new(RefusalKind::Damaged, file, cause, doctor(dir))
    }

    /// A file that the store in `dir` needs does not exist; the remedy points to `doctor`.
    pub fn missing_file(dir: &Path, file: impl Into<PathBuf>, cause: impl Into<String>) -> Self {
        Self::new(RefusalKind::MissingFile, file, cause, doctor(dir))
    }

    /// What an error of the operating system at `file` means for the start.
    #[must_use]
    pub fn from_io(file: &Path, error: &io::Error) -> Self {
        use io::ErrorKind;
        let file = error::path(error).unwrap_or(file);
        let (kind, remedy) = match error.kind() {
            ErrorKind::PermissionDenied => (
                RefusalKind::NotWritable,
                "Give this user read and write access to it, or choose another `--data-dir`.",
            ),
            ErrorKind::ReadOnlyFilesystem => {
                (RefusalKind::NotWritable, "Mount the file system writable, or choose another `--data-dir`.")
            }
            ErrorKind::NotADirectory => (RefusalKind::NotADirectory, "Choose another `--data-dir`."),
            ErrorKind::NotFound => (RefusalKind::MissingFile, "Look whether the disk is mounted there."),
            _ if is_no_room(error) => {
                (RefusalKind::NoRoom, "Free room on that disk (or raise the quota) and start again.")
            }
            _ => (
                RefusalKind::Io,
                "Look into the system's log for errors of that disk; the store was not changed.",
            ),
        };
        Self::new(kind, file, error::cause(error), remedy)
    }

    /// What to do about it: one sentence or two.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.remedy
    }
}

/// The remedy for damage.
fn doctor(dir: &Path) -> String {
    format!(
        "`holdfast doctor --data-dir {}` inspects the store without changing it and says what can be saved.",
        dir.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    fn kind(errno: Errno) -> RefusalKind {
        let error = io::Error::from_raw_os_error(errno.raw_os_error());
        let refusal = Refusal::from_io(Path::new("/d"), &error::at("open", Path::new("/d/witness"), error));
        assert_eq!(refusal.file, Path::new("/d/witness"));
        assert!(!refusal.hint().is_empty());
        refusal.kind
    }

    #[test]
    fn errors_of_the_system_are_told_apart() {
        assert_eq!(kind(Errno::ACCESS), RefusalKind::NotWritable);
        assert_eq!(kind(Errno::ROFS), RefusalKind::NotWritable);
        assert_eq!(kind(Errno::NOSPC), RefusalKind::NoRoom);
        assert_eq!(kind(Errno::DQUOT), RefusalKind::NoRoom);
        assert_eq!(kind(Errno::NOTDIR), RefusalKind::NotADirectory);
        assert_eq!(kind(Errno::NOENT), RefusalKind::MissingFile);
        assert_eq!(kind(Errno::IO), RefusalKind::Io);
    }

    #[test]
    fn it_reads_as_file_and_cause() {
        let refusal = Refusal::damaged(Path::new("/d"), "/d/checkpoint", "the checksum is wrong");
        assert_eq!(refusal.to_string(), "/d/checkpoint: the checksum is wrong");
        assert!(refusal.hint().contains("`holdfast doctor --data-dir /d`"));
    }
}
