//! Errors that name their file, and what can be told from them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An error of one call, with what was tried and on which path; it travels inside an [`io::Error`] of the same kind.
#[derive(Debug)]
struct PathError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.action, self.path.display(), self.source)
    }
}

impl std::error::Error for PathError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The process or the machine that this handle belonged to is gone (simulated disk only).
#[derive(Debug)]
struct Dead;

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulated process is dead")
    }
}

impl std::error::Error for Dead {}

/// Puts path and action ("open", "write") into the message of an error; kind and [`os_error`] stay as they were.
#[must_use]
pub fn at(action: &'static str, path: &Path, source: io::Error) -> io::Error {
    io::Error::new(source.kind(), PathError { action, path: path.to_path_buf(), source })
}

/// The error that every call on a dead handle of the simulated disk returns.
#[must_use]
pub fn dead() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, Dead)
}

fn path_error(error: &io::Error) -> Option<&PathError> {
    error.get_ref()?.downcast_ref::<PathError>()
}

/// The cause without path and action: what the operating system said.
#[must_use]
pub fn cause(error: &io::Error) -> String {
    path_error(error).map_or_else(|| error.to_string(), |inner| cause(&inner.source))
}

/// The path that the error is about, if it came from a [`Disk`](super::Disk).
#[must_use]
pub fn path(error: &io::Error) -> Option<&Path> {
    path_error(error).map(|inner| inner.path.as_path())
}

/// The operating system's error number (`errno`), also through the wrapping that adds the path.
#[must_use]
pub fn os_error(error: &io::Error) -> Option<i32> {
    error.raw_os_error().or_else(|| os_error(&path_error(error)?.source))
}

/// Whether there was no room: a full file system (`ENOSPC`) or a full quota (`EDQUOT`).
#[must_use]
pub fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether the same call may succeed later, nothing being wrong with the disk: no room, or too many open files or no memory
/// for the moment.
#[must_use]
pub fn is_transient(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let passes = [Errno::MFILE, Errno::NFILE, Errno::NOMEM].map(Errno::raw_os_error);
    is_no_room(error) || os_error(error).is_some_and(|errno| passes.contains(&errno))
}

/// Whether the call came from a handle or process that a simulated crash or kill has ended.
#[must_use]
pub fn is_dead(error: &io::Error) -> bool {
    let inner = path_error(error).map_or(error, |inner| &inner.source);
    inner.get_ref().is_some_and(|payload| payload.is::<Dead>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(errno: rustix::io::Errno) -> io::Error {
        at("write", Path::new("/d/f"), io::Error::from_raw_os_error(errno.raw_os_error()))
    }

    #[test]
    fn path_and_errno_survive_wrapping() {
        let error = os(rustix::io::Errno::IO);
        assert_eq!(os_error(&error), Some(rustix::io::Errno::IO.raw_os_error()));
        assert!(error.to_string().starts_with("cannot write /d/f: "), "{error}");
        assert_eq!(path(&error), Some(Path::new("/d/f")));
        assert!(!cause(&error).contains("/d/f"));
        assert!(!is_no_room(&error));
        let twice = at("open", Path::new("/other"), error);
        assert_eq!(os_error(&twice), Some(rustix::io::Errno::IO.raw_os_error()));
    }

    #[test]
    fn no_room_is_a_full_disk_or_a_full_quota() {
        assert!(is_no_room(&os(rustix::io::Errno::NOSPC)));
        assert!(is_no_room(&os(rustix::io::Errno::DQUOT)));
        assert!(!is_no_room(&os(rustix::io::Errno::ROFS)));
        assert_eq!(os(rustix::io::Errno::ACCESS).kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(os(rustix::io::Errno::ROFS).kind(), io::ErrorKind::ReadOnlyFilesystem);
    }

    #[test]
    fn dead_is_told_apart() {
        assert!(is_dead(&dead()));
        assert!(is_dead(&at("sync", Path::new("f"), dead())));
        assert!(!is_dead(&os(rustix::io::Errno::PIPE)));
    }
}
