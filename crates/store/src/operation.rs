//! What runs on the executor.

use crate::read::Snapshot;
use crate::transaction::Transaction;
use crate::{CommitInfo, Need, Verdict};

/// One operation. It runs in one transaction, and may run again: time, ids and randomness are fixed before.
pub trait Operation: Send + 'static {
    /// What its `commits` row says.
    fn info(&self) -> CommitInfo;

    /// What it needs of the disk.
    fn need(&self) -> Need {
        Need::Room
    }

    /// Whether it gets a version if it changes something. Only what changes nothing that a permitted read can see
    /// (trimming, cursors) has none.
    fn versioned(&self) -> bool {
        true
    }

    /// Called on the submitting thread: reads what [`Operation::run`] will read, so that the executor finds it in memory.
    fn prefetch(&self, newest: &Snapshot) {
        let _ = newest;
    }

    /// Runs on the executor thread, starting from nothing each time. The answer is kept inside `self`.
    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict;
}
