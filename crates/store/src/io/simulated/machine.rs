//! The state behind all clones of a simulated disk: nodes, names, faults, chance.

use super::directory::{DirNode, NodeId};
use super::fault::Faults;
use super::file::FileNode;
use super::random::Random;
use super::{BTreeMap, BTreeSet, Entry, Image, Path, PathBuf, Room, io, names};
use crate::io::error;

/// The directory `/`.
const ROOT: NodeId = 0;

/// Room of a disk whose room was never set: 1 TiB.
const PLENTY: Room = Room { free_bytes: 1 << 40, total_bytes: 1 << 40 };

#[derive(Debug)]
pub(super) enum Node {
    File(FileNode),
    Dir(DirNode),
}

#[derive(Debug)]
pub(super) struct Machine {
    nodes: BTreeMap<NodeId, Node>,
    next_node: NodeId,
    /// How many open handles of this life a file has.
    handles: BTreeMap<NodeId, u32>,
    /// The life that runs; handles of others are dead.
    life: u64,
    running: bool,
    /// Room at the time it was set, and the bytes that files took then.
    room: Option<(Room, u64)>,
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) operations: u64,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            nodes: BTreeMap::from([(ROOT, Node::Dir(DirNode::default()))]),
            next_node: ROOT + 1,
            handles: BTreeMap::new(),
            life: 0,
            running: true,
            room: None,
            random: Random::new(seed),
            faults: Faults::default(),
            operations: 0,
        }
    }

    pub(super) fn alive(&self, life: u64) -> io::Result<()> {
        if self.running && life == self.life { Ok(()) } else { Err(error::dead()) }
    }

    pub(super) fn kill(&mut self) {
        self.running = false;
        self.handles.clear();
        self.forget_unreachable();
    }

    pub(super) fn crash(&mut self) {
        self.running = false;
        self.handles.clear();
        for node in self.nodes.values_mut() {
            match node {
                Node::File(file) => file.crash(&mut self.random),
                Node::Dir(dir) => dir.crash(&mut self.random),
            }
        }
        self.forget_unreachable();
    }

    pub(super) fn restart(&mut self) -> u64 {
        if self.running {
            self.kill();
        }
        self.running = true;
        self.life += 1;
        self.life
    }

    /// Drops nodes that no name leads to: none that is shown, durable, or could be after a power cut.
    fn forget_unreachable(&mut self) {
        let mut reached = BTreeSet::from([ROOT]);
        let mut todo = vec![ROOT];
        while let Some(id) = todo.pop() {
            if let Some(Node::Dir(dir)) = self.nodes.get(&id) {
                let named = dir.entries().values().chain(dir.durable_entries().values());
                for child in named.chain(dir.pending_nodes()) {
                    if reached.insert(*child) {
                        todo.push(*child);
                    }
                }
            }
        }
        self.nodes.retain(|id, _| reached.contains(id));
    }

    pub(super) fn dir(&mut self, node: NodeId) -> io::Result<&mut DirNode> {
        match self.nodes.get_mut(&node) {
            Some(Node::Dir(dir)) => Ok(dir),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn file(&mut self, node: NodeId) -> io::Result<&mut FileNode> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok(file),
            Some(Node::Dir(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// A file together with the source of chance.
    pub(super) fn file_and_random(&mut self, node: NodeId) -> io::Result<(&mut FileNode, &mut Random)> {
        match self.nodes.get_mut(&node) {
            Some(Node::File(file)) => Ok((file, &mut self.random)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The node that a path leads to.
    pub(super) fn find(&mut self, path: &Path) -> io::Result<NodeId> {
        let mut node = ROOT;
        for name in names(path)? {
            node = *self.dir(node)?.entries().get(&name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(node)
    }

    /// The directory that a path lies in, and its last name.
    fn split(&mut self, path: &Path) -> io::Result<(NodeId, String)> {
        let mut names = names(path)?;
        let last = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = self.find(&names.iter().collect::<PathBuf>())?;
        self.dir(parent)?;
        Ok((parent, last))
    }

    pub(super) fn add(&mut self, path: &Path, node: Node) -> io::Result<NodeId> {
        let (parent, name) = self.split(path)?;
        if self.dir(parent)?.entries().contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if self.free_bytes() == 0 {
            return Err(super::Fault::NoRoom.error());
        }
        let id = self.next_node;
        self.next_node += 1;
        self.nodes.insert(id, node);
        self.dir(parent)?.add(&name, id);
        Ok(id)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (parent, old) = self.split(from)?;
        let (target, new) = self.split(to)?;
        if parent != target {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        let node = *self.dir(parent)?.entries().get(&old).ok_or(io::ErrorKind::NotFound)?;
        self.file(node)?;
        if let Some(replaced) = self.dir(parent)?.entries().get(&new).copied() {
            self.file(replaced)?;
        }
        if old != new {
            self.dir(parent)?.rename(&old, &new, node);
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.split(path)?;
        let node = *self.dir(parent)?.entries().get(&name).ok_or(io::ErrorKind::NotFound)?;
        self.file(node)?;
        self.dir(parent)?.remove(&name);
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, node: NodeId) -> io::Result<()> {
        let dir = self.dir(node)?;
        let before: Vec<NodeId> = dir.durable_entries().values().copied().collect();
        dir.sync();
        let after: BTreeSet<NodeId> =
            dir.durable_entries().values().chain(dir.entries().values()).copied().collect();
        // Files that were removed for good and that nobody has open take no more memory.
        for gone in before.into_iter().filter(|id| !after.contains(id)) {
            if !self.handles.contains_key(&gone) {
                self.nodes.remove(&gone);
            }
        }
        Ok(())
    }

    pub(super) fn fail_sync_dir(&mut self, path: &Path) {
        if let Ok(node) = self.find(path)
            && let Some(Node::Dir(dir)) = self.nodes.get_mut(&node)
        {
            dir.fail_sync(&mut self.random);
        }
    }

    pub(super) fn list(&mut self, path: &Path) -> io::Result<Vec<Entry>> {
        let node = self.find(path)?;
        let entries = self.dir(node)?.entries().clone();
        let describe = |(name, id): (String, NodeId)| match self.nodes.get(&id) {
            Some(Node::File(file)) => Entry { name, len: file.len(), directory: false },
            _ => Entry { name, len: 0, directory: true },
        };
        Ok(entries.into_iter().map(describe).collect())
    }

    pub(super) fn hold(&mut self, node: NodeId) {
        *self.handles.entry(node).or_default() += 1;
    }

    pub(super) fn release(&mut self, node: NodeId) {
        if let Some(count) = self.handles.get_mut(&node) {
            *count -= 1;
            if *count == 0 {
                self.handles.remove(&node);
            }
        }
    }

    /// Writes what there is room for; fails if that is not all.
    pub(super) fn write(&mut self, node: NodeId, bytes: &[u8], offset: u64) -> io::Result<()> {
        let free = self.free_bytes();
        let file = self.file(node)?;
        let fits = file.fitting(offset, bytes.len(), free);
        file.write(offset, &bytes[..fits]);
        if fits == bytes.len() { Ok(()) } else { Err(super::Fault::NoRoom.error()) }
    }

    pub(super) fn set_room(&mut self, room: Room) {
        self.room = Some((room, self.used_bytes()));
    }

    fn free_bytes(&self) -> u64 {
        self.room().free_bytes
    }

    pub(super) fn room(&self) -> Room {
        let Some((room, used_then)) = self.room else { return PLENTY };
        let free = (room.free_bytes + used_then).saturating_sub(self.used_bytes());
        Room { free_bytes: free.min(room.total_bytes), ..room }
    }

    /// Bytes on the medium of all files that have a name.
    fn used_bytes(&self) -> u64 {
        self.files().values().map(|file| file.allocated_bytes()).sum()
    }

    pub(super) fn files(&self) -> BTreeMap<PathBuf, &FileNode> {
        let mut files = BTreeMap::new();
        let mut todo = vec![(PathBuf::from("/"), ROOT)];
        while let Some((path, id)) = todo.pop() {
            match self.nodes.get(&id) {
                Some(Node::Dir(dir)) => {
                    todo.extend(dir.entries().iter().map(|(name, child)| (path.join(name), *child)));
                }
                Some(Node::File(file)) => {
                    files.insert(path, file);
                }
                None => {}
            }
        }
        files
    }

    pub(super) fn image(&self) -> Image {
        self.files().into_iter().map(|(path, file)| (path, file.to_vec())).collect()
    }

    /// Creates directories durably. Panics if the path leads through a file.
    pub(super) fn put_dir(&mut self, path: &Path) -> NodeId {
        let mut node = ROOT;
        for name in names(path).expect("a plain path") {
            let dir = self.dir(node).expect("a directory");
            node = match dir.entries().get(&name) {
                Some(child) => *child,
                None => self.put_node(node, &name, Node::Dir(DirNode::default())),
            };
        }
        self.dir(node).expect("a directory");
        node
    }

    /// Creates or replaces a file durably. Panics if the path leads through a file or names a directory.
    pub(super) fn put(&mut self, path: &Path, bytes: &[u8]) {
        let file = FileNode::from_bytes(bytes);
        if let Ok(node) = self.find(path) {
            *self.file(node).expect("a file") = file;
            return;
        }
        let parent = self.put_dir(path.parent().expect("a file's path"));
        let name = names(path).expect("a plain path").pop().expect("a name");
        self.put_node(parent, &name, Node::File(file));
    }

    fn put_node(&mut self, parent: NodeId, name: &str, node: Node) -> NodeId {
        let id = self.next_node;
        self.next_node += 1;
        self.nodes.insert(id, node);
        let dir = self.dir(parent).expect("a directory");
        dir.add(name, id);
        dir.sync();
        id
    }

    pub(super) fn edit(&mut self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let Ok(node) = self.find(path) else { return false };
        let Ok(file) = self.file(node) else { return false };
        let mut bytes = file.to_vec();
        change(&mut bytes);
        *file = FileNode::from_bytes(&bytes);
        true
    }

    pub(super) fn delete(&mut self, path: &Path) -> bool {
        if self.remove(path).is_err() {
            return false;
        }
        if let Ok((parent, _)) = self.split(path) { self.sync_dir(parent).is_ok() } else { false }
    }
}
