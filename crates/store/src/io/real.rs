//! The operating system's files.
//!
//! Every error names its path; see [`error`] for what can be told from one. Files are created with mode
//! 0600 and directories with 0700, and no file descriptor is inherited by child processes (`O_CLOEXEC`, which the
//! standard library sets).

use super::{Disk, DiskFile, Entry, Room, error};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Mode of files that the store creates: other users read nothing.
const FILE_MODE: u32 = 0o600;
/// Mode of directories that the store creates.
const DIRECTORY_MODE: u32 = 0o700;

/// The operating system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

/// A file of [`RealDisk`].
#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
}

impl RealFile {
    fn boxed(file: File, path: &Path) -> Box<dyn DiskFile> {
        Box::new(Self { file, path: path.to_path_buf() })
    }

    fn at<T>(&self, action: &'static str, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|e| error::at(action, &self.path, e))
    }
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(FILE_MODE).open(path);
        file.map(|file| RealFile::boxed(file, path)).map_err(|e| error::at("create", path, e))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(path);
        file.map(|file| RealFile::boxed(file, path)).map_err(|e| error::at("open", path, e))
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = File::open(path);
        file.map(|file| RealFile::boxed(file, path)).map_err(|e| error::at("open", path, e))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to).map_err(|e| error::at("rename", from, e))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path).map_err(|e| error::at("remove", path, e))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            result => result.map_err(|e| error::at("create directory", path, e)),
        }
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)
            .and_then(|directory| directory.sync_all())
            .map_err(|e| error::at("sync directory", path, e))
    }

    /// A name that is not UTF-8 is shown with replacement characters. Symbolic links are followed.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|e| error::at("list", path, e))? {
            let entry = entry.map_err(|e| error::at("list", path, e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // A dangling link is an entry too; a file removed since it was listed is none.
            let metadata = match std::fs::metadata(entry.path()).or_else(|_| entry.metadata()) {
                Ok(metadata) => metadata,
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(error::at("inspect", &entry.path(), e)),
            };
            let directory = metadata.is_dir();
            entries.push(Entry { name, len: if directory { 0 } else { metadata.len() }, directory });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                Err(error::at("measure", path, io::ErrorKind::IsADirectory.into()))
            }
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(error::at("inspect", path, e)),
        }
    }

    fn room(&self, path: &Path) -> io::Result<Room> {
        let stat = rustix::fs::statvfs(path).map_err(|e| error::at("measure the room of", path, e.into()))?;
        Ok(Room {
            // `f_bavail`: what is left to this process, without the blocks kept back for root.
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return self.at("read", Err(e)),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.at("write", self.file.write_all_at(bytes, offset))
    }

    /// `fdatasync` on Linux, `F_FULLFSYNC` on macOS.
    fn sync(&self) -> io::Result<()> {
        self.at("sync", self.file.sync_data())
    }

    fn len(&self) -> io::Result<u64> {
        self.at("inspect", self.file.metadata()).map(|metadata| metadata.len())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.at("resize", self.file.set_len(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_are_written_read_renamed_and_removed() {
        let home = tempfile::tempdir().unwrap();
        let (a, b) = (home.path().join("a"), home.path().join("b"));
        let disk = RealDisk;
        let file = disk.create(&a).unwrap();
        file.write_at(b"world", 6).unwrap();
        file.write_at(b"hello ", 0).unwrap();
        file.sync().unwrap();
        assert_eq!(file.len().unwrap(), 11);
        disk.rename(&a, &b).unwrap();
        disk.sync_dir(home.path()).unwrap();
        assert_eq!(disk.len(&a).unwrap(), None);
        assert_eq!(disk.len(&b).unwrap(), Some(11));
        let mut buffer = [0; 20];
        let read = disk.open_read(&b).unwrap().read_at(&mut buffer, 6).unwrap();
        assert_eq!(&buffer[..read], b"world");
        disk.open(&b).unwrap().set_len(3).unwrap();
        let entries = disk.list(home.path()).unwrap();
        assert_eq!(entries, [Entry { name: "b".into(), len: 3, directory: false }]);
        disk.remove(&b).unwrap();
        assert!(disk.list(home.path()).unwrap().is_empty());
    }

    #[test]
    fn modes_keep_other_users_out() {
        let home = tempfile::tempdir().unwrap();
        let (file, directory) = (home.path().join("f"), home.path().join("d"));
        RealDisk.create(&file).unwrap();
        RealDisk.create_dir(&directory).unwrap();
        RealDisk.create_dir(&directory).unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&file) & !0o600, 0);
        assert_eq!(mode(&directory) & !0o700, 0);
    }

    #[test]
    fn errors_name_the_file_and_keep_their_kind() {
        let home = tempfile::tempdir().unwrap();
        let missing = home.path().join("missing");
        let error = RealDisk.open(&missing).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(missing.to_str().unwrap()));
        assert!(error::os_error(&error).is_some());
        RealDisk.create(&missing).unwrap();
        assert_eq!(RealDisk.create(&missing).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(RealDisk.create_dir(&missing).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(RealDisk.len(home.path()).is_err());
        let read_only = RealDisk.open_read(&missing).unwrap();
        assert!(read_only.write_at(b"x", 0).is_err());
    }

    #[test]
    fn room_is_measured() {
        let room = RealDisk.room(&std::env::temp_dir()).unwrap();
        assert!(room.total_bytes > 0 && room.free_bytes <= room.total_bytes);
    }
}
