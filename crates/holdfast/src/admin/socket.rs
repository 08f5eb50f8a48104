//! The file `admin.sock`.
//!
//! It is made and removed by the process that holds the directory's lock, so one that is there already is left from a
//! process that is gone.

use holdfast_store::dir::layout::ADMIN_SOCKET;
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

/// Only the owner may connect.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// Longest path that fits into a socket's address on every system, in bytes.
const ADDRESS_BYTES_MAX: usize = 100;

/// A path that fits into a socket's address. Valid as long as this value lives.
pub struct Address {
    path: PathBuf,
    _dir: Option<OwnedFd>,
}

impl Address {
    /// The address of the socket in `dir`. A path that is too long goes through the open directory instead.
    ///
    /// # Errors
    /// If the directory cannot be opened.
    pub fn of(dir: &Path) -> io::Result<Self> {
        let path = dir.join(ADMIN_SOCKET);
        if path.as_os_str().len() <= ADDRESS_BYTES_MAX || !cfg!(target_os = "linux") {
            return Ok(Self { path, _dir: None });
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(CWD, dir, flags, Mode::empty())?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{ADMIN_SOCKET}", dir.as_raw_fd()));
        Ok(Self { path, _dir: Some(dir) })
    }

    /// The path to bind or connect to.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Listens in `dir`, whose lock the caller holds.
///
/// # Errors
/// If the file system has no sockets, or something else of that name is there.
pub fn listen(dir: &Path) -> io::Result<tokio::net::UnixListener> {
    remove(dir)?;
    let socket = tokio::net::UnixSocket::new_stream()?;
    // Linux gives the file the mode of the socket that is bound: nobody else can connect, not even for a moment.
    rustix::fs::fchmod(&socket, MODE)?;
    socket.bind(Address::of(dir)?.path())?;
    rustix::fs::chmod(dir.join(ADMIN_SOCKET), MODE)?;
    socket.listen(16)
}

/// Removes the socket, if there is one.
///
/// # Errors
/// If it cannot be removed, or is not a socket.
pub fn remove(dir: &Path) -> io::Result<()> {
    let path = dir.join(ADMIN_SOCKET);
    match rustix::fs::lstat(&path) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Socket => {}
        Ok(_) => return Err(io::Error::other(format!("{} is not a socket", path.display()))),
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    }
    match rustix::fs::unlink(&path) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
