//! What a look at a stopped directory found, for programs and for people.

use crate::dir::format::Format;
use crate::dir::reserve::readable;
use std::fmt;
use std::path::PathBuf;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing is to be done.
    Info,
    /// Not as it should be, and the store can live with it.
    Warning,
    /// A start is refused, or reads of this file fail.
    Damage,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The file or directory that it is about.
    pub file: PathBuf,
    /// Where in the file, in bytes, if it is about a place in it.
    pub offset: Option<u64>,
    /// What was found, as a phrase without a full stop.
    pub cause: String,
    /// What to do, as a sentence; empty if nothing is to be done.
    pub remedy: String,
}

/// What the checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointSummary {
    /// How many checkpoints were written before it, and one.
    pub sequence: u64,
    /// Every commit up to this one is in the tables.
    pub through: u64,
    /// Segment and offset where the log goes on.
    pub resume: (u64, u64),
    /// Highest commit and version known synced when it was written.
    pub commit: u64,
    /// See `commit`.
    pub version: u64,
    /// Whether the store was closed cleanly when it was written; what came after is in the log.
    pub clean: bool,
}

/// What the witness says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessSummary {
    /// Highest acknowledged commit and version; `None` if both slots are bad.
    pub acknowledged: Option<(u64, u64)>,
    /// How many of the two slots are bad.
    pub bad_slots: usize,
    /// Whether a sync had failed when it was written last.
    pub sync_failed: bool,
}

/// What there is of the log from the checkpoint on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSummary {
    /// Segments that count, and their bytes.
    pub segments: usize,
    /// See `segments`.
    pub bytes: u64,
    /// Last commit up to which everything is there, and its version if the log says so.
    pub last_commit: u64,
    /// See `last_commit`.
    pub last_version: Option<u64>,
    /// Whether the log ends in a frame that is not whole and that nothing proves to have been acknowledged: normal after a
    /// kill or a power cut.
    pub torn: bool,
    /// Highest commit in any valid frame: more than `last_commit` if there is a gap.
    pub highest_commit: u64,
}

/// What there is of the index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TablesSummary {
    /// Tables that the checkpoint names, their bytes and keys.
    pub tables: usize,
    /// See `tables`.
    pub bytes: u64,
    /// See `tables`.
    pub keys: u64,
    /// How many of them are missing or damaged.
    pub damaged: usize,
    /// How many of the damaged ones keep the index from opening; reads of the others fail where they are rotten.
    pub unusable: usize,
    /// Whether every block was read, not only the ends.
    pub deep: bool,
}

/// What a look at a stopped directory found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The directory.
    pub dir: PathBuf,
    /// What `FORMAT` says, if it can be read.
    pub format: Option<Format>,
    /// What the checkpoint says, if it can be read.
    pub checkpoint: Option<CheckpointSummary>,
    /// What the witness says, if it can be read.
    pub witness: Option<WitnessSummary>,
    /// The log, if format and checkpoint can be read.
    pub log: Option<LogSummary>,
    /// The index, if the checkpoint can be read.
    pub tables: Option<TablesSummary>,
    /// Everything found, the worst first.
    pub findings: Vec<Finding>,
    /// Whether a start would go through.
    pub starts: bool,
    /// Whether [`accept_loss`](super::accept_loss) would make a store that starts of one that does not.
    pub accept_loss_helps: bool,
}

impl Report {
    /// The worst severity found; `None` if nothing was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "note",
            Self::Warning => "warning",
            Self::Damage => "damage",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<8} {}", self.severity, self.file.display())?;
        if let Some(offset) = self.offset {
            write!(f, " at byte {offset}")?;
        }
        write!(f, ": {}", self.cause)?;
        if !self.remedy.is_empty() {
            write!(f, "\n         {}", self.remedy)?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.format {
            Some(format) => {
                let (number, store) = (format.number, format.store_hex());
                writeln!(f, "{}: store {store}, format {number}", self.dir.display())?;
            }
            None => writeln!(f, "{}", self.dir.display())?,
        }
        self.parts(f)?;
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        match (self.starts, self.accept_loss_helps) {
            (true, _) if self.format.is_none() => write!(f, "There is no store; a start would make one."),
            (true, _) => write!(f, "The store starts."),
            (false, true) => write!(f, "The store does not start. Accepting the loss makes it start."),
            (false, false) => write!(f, "The store does not start."),
        }
    }
}

impl Report {
    fn parts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(checkpoint) = &self.checkpoint {
            let CheckpointSummary { sequence, through, resume: (segment, offset), .. } = checkpoint;
            let nothing_after = self.log.as_ref().is_some_and(|log| log.last_commit <= checkpoint.commit);
            let clean = if checkpoint.clean && nothing_after { ", closed cleanly" } else { "" };
            writeln!(
                f,
                "checkpoint  {sequence}: tables through commit {through}, log from segment {segment} byte {offset}{clean}"
            )?;
        }
        if let Some(witness) = &self.witness {
            match witness.acknowledged {
                Some((commit, version)) => {
                    writeln!(f, "witness     commit {commit}, version {version} was acknowledged")?;
                }
                None => writeln!(f, "witness     says nothing any more")?,
            }
        }
        if let Some(log) = &self.log {
            let version = log.last_version.map_or_else(String::new, |version| format!(", version {version}"));
            let torn = if log.torn { ", then a frame that is not whole" } else { "" };
            writeln!(
                f,
                "log         {} segments, {}: through commit {}{version}{torn}",
                log.segments,
                readable(log.bytes),
                log.last_commit
            )?;
        }
        if let Some(tables) = &self.tables {
            let deep = if tables.deep { ", every block read" } else { "" };
            writeln!(
                f,
                "index       {} tables, {}, {} keys{deep}",
                tables.tables,
                readable(tables.bytes),
                tables.keys
            )?;
        }
        Ok(())
    }
}
