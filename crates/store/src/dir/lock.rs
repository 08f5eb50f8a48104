//! The file `LOCK`: one process at a time uses a data directory.
//!
//! What locks is `flock` on the open file, which the operating system gives back when the process ends, however it ends.
//! The text inside (process id, host name, address) is for messages only and is not believed in. The file is never
//! removed: another process could hold the lock on the removed one.

use super::layout::LOCK;
use super::{Refusal, RefusalKind};
use crate::io::error;
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Longest text that is read from `LOCK` for a message.
const TEXT_BYTES_MAX: usize = 512;

/// The lock on a data directory; dropping it gives the directory free.
#[derive(Debug)]
pub struct DirLock {
    file: File,
    path: PathBuf,
    exclusive: bool,
}

impl DirLock {
    /// Takes the directory for this process alone. The directory must exist; `LOCK` is created in it.
    ///
    /// # Errors
    /// [`RefusalKind::Locked`] says who holds it, as far as `LOCK` tells; another kind if the file cannot be opened or the
    /// file system cannot lock.
    pub fn acquire(dir: &Path) -> Result<Self, Refusal> {
        let path = dir.join(LOCK);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| Refusal::from_io(&path, &error::at("open", &path, e)))?;
        // Not ours before the system says so: one that is refused leaves the holder's text alone.
        let mut lock = Self { file, path, exclusive: false };
        lock.flock(FlockOperation::NonBlockingLockExclusive)?;
        lock.exclusive = true;
        // Only for messages: a full disk must not keep the store from starting.
        let _ = lock.write_text(None);
        Ok(lock)
    }

    /// Keeps servers out while a stopped directory is inspected; several may inspect at once. Creates and writes nothing:
    /// `None` if there is no `LOCK`, so that no server has ever run there.
    ///
    /// # Errors
    /// As [`DirLock::acquire`].
    pub fn acquire_shared(dir: &Path) -> Result<Option<Self>, Refusal> {
        let path = dir.join(LOCK);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Refusal::from_io(&path, &e)),
        };
        let lock = Self { file, path, exclusive: false };
        lock.flock(FlockOperation::NonBlockingLockShared)?;
        Ok(Some(lock))
    }

    /// Writes the server's address into `LOCK`, for the message that a second server prints.
    ///
    /// # Errors
    /// The lock holds all the same if the text cannot be written.
    pub fn announce(&self, address: &str) -> io::Result<()> {
        self.write_text(Some(address))
    }

    fn flock(&self, operation: FlockOperation) -> Result<(), Refusal> {
        match rustix::fs::flock(&self.file, operation) {
            Ok(()) => Ok(()),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(self.locked()),
            Err(errno) => Err(Refusal::new(
                RefusalKind::Io,
                &self.path,
                format!("the file system cannot lock files: {}", io::Error::from(errno)),
                "Put the data directory on a local disk; without a lock two servers could write to it at once.",
            )),
        }
    }

    fn locked(&self) -> Refusal {
        let mut buffer = [0; TEXT_BYTES_MAX];
        let read = self.file.read_at(&mut buffer, 0).unwrap_or(0);
        let text = String::from_utf8_lossy(&buffer[..read]);
        let pid = field(&text, "pid");
        let mut cause = match pid {
            Some(pid) => format!("the data directory is in use by process {pid}"),
            None => "the data directory is in use by another process".to_owned(),
        };
        if let Some(host) = field(&text, "host") {
            cause.push_str(&format!(" on {host}"));
        }
        if let Some(address) = field(&text, "address") {
            cause.push_str(&format!(", which serves at {address}"));
        }
        let stop =
            pid.map_or_else(|| "Stop that process".to_owned(), |pid| format!("Stop it (`kill {pid}`)"));
        Refusal::new(
            RefusalKind::Locked,
            &self.path,
            cause,
            format!("{stop}, use the running server, or choose another `--data-dir`."),
        )
    }

    fn write_text(&self, address: Option<&str>) -> io::Result<()> {
        let mut text = format!("pid = {}\n", std::process::id());
        // In a container the process id alone says little.
        if let Ok(host) = std::fs::read_to_string("/proc/sys/kernel/hostname") {
            text.push_str(&format!("host = {}\n", host.trim()));
        }
        if let Some(address) = address {
            text.push_str(&format!("address = {address}\n"));
        }
        self.file
            .set_len(0)
            .and_then(|()| self.file.write_all_at(text.as_bytes(), 0))
            .map_err(|e| error::at("write", &self.path, e))
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        if self.exclusive {
            // A stale text would name a process that is gone; failing to clear it harms nothing.
            let _ = self.file.set_len(0);
        }
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .filter_map(|line| line.split_once(" = "))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::acquire(dir.path()).unwrap();
        let pid = std::process::id();
        let refusal = DirLock::acquire(dir.path()).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Locked);
        assert_eq!(refusal.file, dir.path().join("LOCK"));
        assert!(refusal.cause.contains(&format!("in use by process {pid}")), "{refusal}");
        assert!(refusal.hint().contains(&format!("`kill {pid}`")));
        assert_eq!(DirLock::acquire(dir.path()).unwrap_err(), refusal, "so is the third");
        first.announce("127.0.0.1:8000").unwrap();
        let refusal = DirLock::acquire(dir.path()).unwrap_err();
        assert!(refusal.cause.ends_with("which serves at 127.0.0.1:8000"), "{refusal}");
        assert_eq!(DirLock::acquire_shared(dir.path()).unwrap_err().kind, RefusalKind::Locked);
        drop(first);
        DirLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn inspectors_share_and_create_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert!(DirLock::acquire_shared(dir.path()).unwrap().is_none());
        assert!(!dir.path().join(LOCK).exists());
        drop(DirLock::acquire(dir.path()).unwrap());
        let one = DirLock::acquire_shared(dir.path()).unwrap().unwrap();
        let two = DirLock::acquire_shared(dir.path()).unwrap().unwrap();
        let refusal = DirLock::acquire(dir.path()).unwrap_err();
        assert!(refusal.cause.contains("another process"), "{refusal}");
        drop((one, two));
        DirLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn whatever_stands_in_the_file_does_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(LOCK), b"\xff\xff pid = \n\n").unwrap();
        DirLock::acquire(dir.path()).unwrap();
        let missing = DirLock::acquire(&dir.path().join("missing")).unwrap_err();
        assert_eq!(missing.kind, RefusalKind::MissingFile);
    }
}
