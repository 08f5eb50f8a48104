//! What can be made to go wrong, and when.

use std::io;

/// What happens at a chosen operation of the simulated disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `EIO`. A write may have been done in part, a change of names may have been done; after a sync, every unsynced
    /// change is durable, still pending, or silently dropped.
    Io,
    /// `ENOSPC`. A write may have been done in part, a name is not changed; a sync is as after [`Fault::Io`].
    NoRoom,
    /// The power goes in the middle of the operation, as by [`SimulatedDisk::crash`](super::SimulatedDisk::crash).
    PowerCut,
    /// The process is killed in the middle of the operation, as by [`SimulatedDisk::kill`](super::SimulatedDisk::kill).
    Kill,
}

impl Fault {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::Io => io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error()),
            Self::NoRoom => io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error()),
            Self::PowerCut | Self::Kill => crate::io::error::dead(),
        }
    }
}

/// Kinds of operations, for faults that wait for one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `read_at`, `len`, `list`, `room`, and opening an existing file.
    Read,
    /// `write_at` and `set_len`.
    Write,
    /// `sync` of a file and `sync_dir`.
    Sync,
    /// `create`, `rename`, `remove` and `create_dir`.
    Name,
}

/// A fault that waits for its moment.
#[derive(Debug, Clone, Copy)]
struct Armed {
    /// Operations of `kind` still to come, this one included.
    countdown: u64,
    /// `None`: every operation counts.
    kind: Option<Kind>,
    fault: Fault,
}

/// All faults that wait.
#[derive(Debug, Default)]
pub(super) struct Faults {
    armed: Vec<Armed>,
}

impl Faults {
    pub(super) fn arm(&mut self, countdown: u64, kind: Option<Kind>, fault: Fault) {
        self.armed.push(Armed { countdown: countdown.max(1), kind, fault });
    }

    pub(super) fn clear(&mut self) {
        self.armed.clear();
    }

    pub(super) fn waiting(&self) -> usize {
        self.armed.len()
    }

    /// Counts one operation; returns the fault that strikes it. If two are due at once, the later armed one waits for the
    /// next operation of its kind.
    pub(super) fn next(&mut self, kind: Kind) -> Option<Fault> {
        let mut due = None;
        for (i, armed) in self.armed.iter_mut().enumerate() {
            if armed.kind.is_none_or(|wanted| wanted == kind) {
                armed.countdown = armed.countdown.saturating_sub(1);
                if armed.countdown == 0 && due.is_none() {
                    due = Some(i);
                }
            }
        }
        due.map(|i| self.armed.remove(i).fault)
    }
}
