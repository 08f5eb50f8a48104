//! A disk that crashes on purpose.
//!
//! [`SimulatedDisk`] keeps files in memory. Per file it remembers what a sync has made durable and the changes since;
//! per directory likewise. Everything that chance decides comes from one seed, so that a run of one thread repeats
//! exactly.
//!
//! # What a power cut leaves ([`SimulatedDisk::crash`])
//! - **File**: what was synced; of each unsynced write each 512-byte sector is kept, lost, torn (only its first bytes
//!   arrived) or zeroed (the whole sector), overlapping writes in any order. The length may be the old one, the new one or
//!   one in between; what a file has gained without data reads as zeros.
//! - **Directory**: what was synced, and a prefix of the entry operations since. Syncing a file does not make its name
//!   durable. A file whose name is lost is gone.
//! - What is found afterwards is on the medium: a second power cut does not change it.
//!
//! # What a kill leaves ([`SimulatedDisk::kill`])
//! Everything, but unsynced changes are still only in the page cache: a later power cut can lose them.
//!
//! # Lives
//! Each crash, kill and [`SimulatedDisk::restart`] ends a life: every handle and every clone of that life returns an
//! error for which [`is_dead`](super::is_dead) is true, for ever. `restart` returns the disk of the next life. So a
//! forgotten thread of the dead process cannot write into files of its successor.

use super::{Disk, DiskFile, Entry, Room, error};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

mod content;
mod directory;
mod fault;
mod file;
mod handle;
mod machine;
pub mod random;

pub use fault::{Fault, Kind};
use handle::SimulatedFile;
use machine::{Machine, Node};

/// A simulated disk, of one life. Clones are cheap and share everything.
#[derive(Debug, Clone)]
pub struct SimulatedDisk {
    machine: Arc<Mutex<Machine>>,
    life: u64,
}

/// All files of a disk by path, with their bytes.
pub type Image = BTreeMap<PathBuf, Vec<u8>>;

impl SimulatedDisk {
    /// An empty disk: there is only the directory `/`. Relative paths start there too.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { machine: Arc::new(Mutex::new(Machine::new(seed))), life: 0 }
    }

    /// A disk that durably holds the files of an image, and the directories on the way to them.
    ///
    /// # Panics
    /// If a path of the image leads through a file of the image.
    #[must_use]
    pub fn from_image(seed: u64, image: &Image) -> Self {
        let disk = Self::new(seed);
        for (path, bytes) in image {
            disk.put(path, bytes);
        }
        disk
    }

    /// Creates a directory and those above it, durably. Not an operation: it does not count and does not fail.
    ///
    /// # Panics
    /// If the path leads through a file.
    pub fn put_dir(&self, path: &Path) {
        self.machine.lock().put_dir(path);
    }

    /// Creates or replaces a file, durably, and the directories above it. Not an operation.
    ///
    /// # Panics
    /// If the path leads through a file, or names a directory.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        self.machine.lock().put(path, bytes);
    }

    /// The power goes: see the module's description. All lives so far are dead.
    pub fn crash(&self) {
        self.machine.lock().crash();
    }

    /// The process is killed: see the module's description. All lives so far are dead.
    pub fn kill(&self) {
        self.machine.lock().kill();
    }

    /// Starts the next life (after a [`kill`](Self::kill) if nothing else has ended the last one). Faults that still wait
    /// go on waiting.
    #[must_use = "the disk that this was called on stays dead"]
    pub fn restart(&self) -> Self {
        Self { machine: Arc::clone(&self.machine), life: self.machine.lock().restart() }
    }

    /// Whether this life has ended.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.machine.lock().alive(self.life).is_err()
    }

    /// Lets the `n`-th operation from now fail; 1 is the next. Operations of all kinds count. Faults add up.
    pub fn fail_after(&self, n: u64, fault: Fault) {
        self.machine.lock().faults.arm(n, None, fault);
    }

    /// Like [`fail_after`](Self::fail_after), counting only operations of one kind.
    pub fn fail_after_kind(&self, n: u64, kind: Kind, fault: Fault) {
        self.machine.lock().faults.arm(n, Some(kind), fault);
    }

    /// Forgets all faults that still wait.
    pub fn clear_faults(&self) {
        self.machine.lock().faults.clear();
    }

    /// How many faults still wait.
    #[must_use]
    pub fn faults_waiting(&self) -> usize {
        self.machine.lock().faults.waiting()
    }

    /// How many operations there were in all lives: every call of [`Disk`] and [`DiskFile`] except on dead handles.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.machine.lock().operations
    }

    /// Sets the room that is left. From then on files use it up in pages of 4 KiB (holes take none), and cutting and
    /// removing give it back; a write that finds too little writes the part that fits and fails with `ENOSPC`, and nothing
    /// can be created at 0 bytes.
    pub fn set_room(&self, room: Room) {
        self.machine.lock().set_room(room);
    }

    /// All files as a running process sees them.
    #[must_use]
    pub fn image(&self) -> Image {
        self.machine.lock().image()
    }

    /// Paths and lengths of all files, in order.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, u64)> {
        self.machine.lock().files().into_iter().map(|(path, file)| (path, file.len())).collect()
    }

    /// Whether a power cut now would leave this file exactly as it is, given that its name is durable.
    #[must_use]
    pub fn is_synced(&self, path: &Path) -> bool {
        self.machine.lock().files().get(&absolute(path)).is_some_and(|file| file.is_synced())
    }

    /// Changes the bytes of a file behind the store's back, durably. Not an operation. Returns whether there is the file.
    pub fn edit(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.machine.lock().edit(path, change)
    }

    /// Inverts one bit of the byte at `offset`. Returns whether there is such a byte.
    pub fn flip(&self, path: &Path, offset: u64) -> bool {
        let mut done = false;
        self.edit(path, |bytes| {
            if let Some(byte) = usize::try_from(offset).ok().and_then(|at| bytes.get_mut(at)) {
                *byte ^= 0x10;
                done = true;
            }
        });
        done
    }

    /// Cuts a file to half its length. Returns whether there is the file.
    pub fn halve(&self, path: &Path) -> bool {
        self.edit(path, |bytes| bytes.truncate(bytes.len() / 2))
    }

    /// Removes a file behind the store's back, durably. Not an operation. Returns whether there was the file.
    pub fn delete(&self, path: &Path) -> bool {
        self.machine.lock().delete(path)
    }

    /// Counts an operation and runs it; if a fault strikes, runs `partly` instead, which does what may have been done.
    fn operate<T>(
        &self,
        kind: Kind,
        run: impl FnOnce(&mut Machine) -> io::Result<T>,
        partly: impl FnOnce(&mut Machine, Fault),
    ) -> io::Result<T> {
        let mut machine = self.machine.lock();
        machine.alive(self.life)?;
        machine.operations += 1;
        let Some(fault) = machine.faults.next(kind) else { return run(&mut machine) };
        partly(&mut machine, fault);
        match fault {
            Fault::PowerCut => machine.crash(),
            Fault::Kill => machine.kill(),
            Fault::Io | Fault::NoRoom => {}
        }
        Err(fault.error())
    }

    /// An operation that changes nothing.
    fn look<T>(&self, run: impl FnOnce(&mut Machine) -> io::Result<T>) -> io::Result<T> {
        self.operate(Kind::Read, run, |_, _| {})
    }

    /// An operation on names: where a fault strikes it is done or not, except that no room means not done.
    fn rename_things<T>(&self, run: impl Fn(&mut Machine) -> io::Result<T>) -> io::Result<T> {
        self.operate(Kind::Name, &run, |machine, fault| {
            if fault != Fault::NoRoom && machine.random.chance(50) {
                // Whether it could have worked is of no account: the caller gets the fault.
                let _ = run(machine);
            }
        })
    }

    fn open_file(&self, path: &Path, writable: bool) -> io::Result<Box<dyn DiskFile>> {
        self.look(|machine| {
            let node = machine.find(path)?;
            machine.file(node)?;
            machine.hold(node);
            Ok(node)
        })
        .map(|node| self.handle(node, path, writable))
        .map_err(|e| error::at("open", path, e))
    }

    fn handle(&self, node: u64, path: &Path, writable: bool) -> Box<dyn DiskFile> {
        Box::new(SimulatedFile { disk: self.clone(), node, path: path.to_path_buf(), writable })
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.rename_things(|machine| {
            let node = machine.add(path, Node::File(file::FileNode::default()))?;
            machine.hold(node);
            Ok(node)
        })
        .map(|node| self.handle(node, path, true))
        .map_err(|e| error::at("create", path, e))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open_file(path, true)
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.open_file(path, false)
    }

    /// Refuses to rename from one directory to another: the store relies only on renames within one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.rename_things(|machine| machine.rename(from, to)).map_err(|e| error::at("rename", from, e))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.rename_things(|machine| machine.remove(path)).map_err(|e| error::at("remove", path, e))
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.rename_things(|machine| match machine.find(path) {
            Ok(node) => {
                machine.dir(node).map(|_| ()).map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))
            }
            Err(_) => machine.add(path, Node::Dir(directory::DirNode::default())).map(|_| ()),
        })
        .map_err(|e| error::at("create directory", path, e))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let run = |machine: &mut Machine| {
            let node = machine.find(path)?;
            machine.sync_dir(node)
        };
        self.operate(Kind::Sync, run, |machine, fault| match fault {
            Fault::Io | Fault::NoRoom => machine.fail_sync_dir(path),
            Fault::Kill if machine.random.chance(50) => drop(run(machine)),
            Fault::Kill | Fault::PowerCut => {}
        })
        .map_err(|e| error::at("sync directory", path, e))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.look(|machine| machine.list(path)).map_err(|e| error::at("list", path, e))
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        self.look(|machine| match machine.find(path) {
            Ok(node) => machine.file(node).map(|file| Some(file.len())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        })
        .map_err(|e| error::at("inspect", path, e))
    }

    fn room(&self, path: &Path) -> io::Result<Room> {
        self.look(|machine| {
            machine.find(path)?;
            Ok(machine.room())
        })
        .map_err(|e| error::at("measure the room of", path, e))
    }
}

/// The names on the way to a path, from `/`.
fn names(path: &Path) -> io::Result<Vec<String>> {
    path.components()
        .filter_map(|component| match component {
            Component::RootDir | Component::CurDir => None,
            Component::Normal(name) => Some(Ok(name.to_string_lossy().into_owned())),
            Component::ParentDir | Component::Prefix(_) => Some(Err(io::ErrorKind::InvalidInput.into())),
        })
        .collect()
}

/// The path as [`Image`] has it.
fn absolute(path: &Path) -> PathBuf {
    Path::new("/").join(path.components().filter(|c| *c != Component::CurDir).collect::<PathBuf>())
}

#[cfg(test)]
mod tests;
