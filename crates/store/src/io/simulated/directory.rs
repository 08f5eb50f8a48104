//! One simulated directory: names on the medium, names in the cache, and the operations between the two.

use super::random::Random;
use std::collections::BTreeMap;

/// Identity of a file or directory, independent of its name.
pub(super) type NodeId = u64;

/// An entry operation that no sync of the directory has made durable yet.
#[derive(Debug, Clone)]
enum EntryOperation {
    Add { name: String, node: NodeId },
    Remove { name: String },
    Rename { from: String, to: String, node: NodeId },
}

/// A directory. A power cut keeps `durable` and the first few of `pending`.
#[derive(Debug, Clone, Default)]
pub(super) struct DirNode {
    durable: BTreeMap<String, NodeId>,
    cache: BTreeMap<String, NodeId>,
    /// In the order in which they were made.
    pending: Vec<EntryOperation>,
}

impl DirNode {
    pub(super) fn entries(&self) -> &BTreeMap<String, NodeId> {
        &self.cache
    }

    pub(super) fn durable_entries(&self) -> &BTreeMap<String, NodeId> {
        &self.durable
    }

    /// Nodes that a power cut may give a name again, though neither the medium nor the cache shows one.
    pub(super) fn pending_nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.pending.iter().filter_map(|operation| match operation {
            EntryOperation::Add { node, .. } | EntryOperation::Rename { node, .. } => Some(node),
            EntryOperation::Remove { .. } => None,
        })
    }

    pub(super) fn add(&mut self, name: &str, node: NodeId) {
        self.change(EntryOperation::Add { name: name.to_owned(), node });
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.change(EntryOperation::Remove { name: name.to_owned() });
    }

    pub(super) fn rename(&mut self, from: &str, to: &str, node: NodeId) {
        self.change(EntryOperation::Rename { from: from.to_owned(), to: to.to_owned(), node });
    }

    fn change(&mut self, operation: EntryOperation) {
        apply(&mut self.cache, &operation);
        self.pending.push(operation);
    }

    pub(super) fn sync(&mut self) {
        for operation in self.pending.drain(..) {
            apply(&mut self.durable, &operation);
        }
    }

    /// A sync that fails: the first few operations are durable, the rest is pending, or dropped though still shown.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        let done = random.index(self.pending.len() + 1);
        for operation in self.pending.drain(..done) {
            apply(&mut self.durable, &operation);
        }
        if random.chance(50) {
            self.pending.clear();
        }
    }

    /// A power cut: a prefix of the pending operations survives.
    pub(super) fn crash(&mut self, random: &mut Random) {
        if !self.pending.is_empty() {
            let kept = random.index(self.pending.len() + 1);
            self.pending.truncate(kept);
            self.sync();
        }
        self.cache = self.durable.clone();
    }
}

fn apply(entries: &mut BTreeMap<String, NodeId>, operation: &EntryOperation) {
    match operation {
        EntryOperation::Add { name, node } => {
            entries.insert(name.clone(), *node);
        }
        EntryOperation::Remove { name } => {
            entries.remove(name);
        }
        EntryOperation::Rename { from, to, node } => {
            entries.remove(from);
            entries.insert(to.clone(), *node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_keeps_a_prefix() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let mut directory = DirNode::default();
            directory.add("old", 1);
            directory.sync();
            directory.add("temporary", 2);
            directory.rename("temporary", "new", 2);
            directory.remove("old");
            directory.crash(&mut Random::new(seed));
            seen.insert(directory.entries().keys().cloned().collect::<Vec<_>>().join(" "));
        }
        let expected = ["new", "new old", "old", "old temporary"];
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_failed_sync_may_drop_for_ever() {
        let (mut kept, mut dropped) = (0, 0);
        for seed in 0..100 {
            let mut random = Random::new(seed);
            let mut directory = DirNode::default();
            directory.add("file", 1);
            directory.fail_sync(&mut random);
            assert!(directory.entries().contains_key("file"));
            directory.sync();
            directory.crash(&mut random);
            if directory.entries().is_empty() { dropped += 1 } else { kept += 1 }
        }
        assert!(kept > 10 && dropped > 10);
    }
}
