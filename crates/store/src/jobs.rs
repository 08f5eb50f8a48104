//! Jobs: whatever can grow large, cut into small steps.
//!
//! A job is a row: its kind, what it is about, and a **cursor**, which is all that it remembers from one step to the next. A
//! step is an operation of its own: it reads the row, does a little, and puts the row back with the cursor moved on, all in
//! one transaction. So the effects of a step and its cursor are stored together or not at all: after a crash a job goes on
//! where it was, and no step counts twice. The last step removes the row.
//!
//! What the steps of a kind do is said by a [`JobKind`], given at [`Store::open`](crate::Store::open). A row of a kind that
//! this process does not know is left alone, and shown.
//!
//! # Layout
//! - here: the row, kinds, and the step as an operation
//! - [`not_before`]: jobs that wait for a time
//! - [`runner`]: the one thread that trims and runs steps, one at a time
//! - [`reclaim`]: the store's own job: the rows of a dropped space
//! - [`scrub`]: what the thread does besides: it reads the tables whole, one now and then, and notes what is damaged
//!
//! ```text
//! key    family 11, job id u64
//! value  version byte 1 | varint kind | text label | varint space (0: none) | bytes cursor | varint steps done |
//!        varint version that was current when it was started
//! ```
//! **Invariant**: one step runs at a time, and the next is queued when it is durable; so a group of commits holds one step at
//! most.

use crate::encoding::{FieldReader, push_bytes, push_varint};
use crate::engine::{Pair, ReadError};
use crate::keys::{self, family};
use crate::read::damaged;
use crate::transaction::Transaction;
use crate::{CommitInfo, Need, Operation, Origin, Snapshot, SpaceId, TxError, Verdict, Version};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) mod not_before;
pub(crate) mod reclaim;
pub(crate) mod runner;
pub(crate) mod scrub;
#[cfg(test)]
mod tests;

pub use not_before::NotBefore;
pub use scrub::TableDamage;

/// Kinds below this number are the store's own.
pub const KIND_NUMBER_MIN: u16 = 64;
/// Longest cursor in bytes.
pub const CURSOR_BYTES_MAX: usize = 64 << 10;

const FORMAT: u8 = 1;

/// Identity of a job; assigned once, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// What is stored of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Number of its [`JobKind`].
    pub kind: u16,
    /// What it is about, for people.
    pub label: Box<str>,
    /// The space that it is about, if it is about one.
    pub space: Option<SpaceId>,
    /// Where its next step begins. Empty at first, unless it was started with one.
    pub cursor: Bytes,
    /// How many steps were done.
    pub steps: u64,
    /// The version of the operation that started it.
    pub started: Version,
}

impl JobRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        push_varint(&mut out, u64::from(self.kind));
        push_bytes(&mut out, self.label.as_bytes());
        push_varint(&mut out, u64::from(self.space.map_or(0, |space| space.0)));
        push_bytes(&mut out, &self.cursor);
        push_varint(&mut out, self.steps);
        push_varint(&mut out, self.started);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("job", FORMAT, bytes)?;
        let kind = u16::try_from(fields.varint()?).map_err(|e| e.to_string())?;
        let label = fields.text()?;
        let space = u32::try_from(fields.varint()?).map_err(|e| e.to_string())?;
        let cursor = Bytes::copy_from_slice(fields.bytes()?);
        let (steps, started) = (fields.varint()?, fields.varint()?);
        fields.done()?;
        let space = (space != 0).then_some(SpaceId(space));
        Ok(Self { kind, label, space, cursor, steps, started })
    }
}

fn decode_row((key, bytes): Pair) -> Result<(JobId, JobRecord), ReadError> {
    let id = keys::version(&key[1..]).ok_or_else(|| damaged(&key, "a job's key is damaged".to_owned()))?;
    Ok((JobId(id), JobRecord::decode(&bytes).map_err(|cause| damaged(&key, cause))?))
}

/// All jobs of a durable state, by id.
pub(crate) fn all(snapshot: &Snapshot) -> Result<Vec<(JobId, JobRecord)>, ReadError> {
    let (from, to) = keys::whole(family::JOBS);
    let rows = snapshot.view().range(Bound::Included(&from), Bound::Excluded(&to));
    rows.map(|row| decode_row(row?)).collect()
}

/// What a step leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// There is more to do, from this cursor on.
    More(Vec<u8>),
    /// The job is done: its row goes with this step.
    Done,
}

/// What jobs of one kind do. It has no state of its own: what a step must know stands in the job's cursor.
pub trait JobKind: Send + Sync + Debug + 'static {
    /// Its number, [`KIND_NUMBER_MIN`] or more; never given a second meaning.
    fn number(&self) -> u16;

    /// Its name, in `status` and as the operation of its steps' `commits` rows.
    fn name(&self) -> &'static str;

    /// What the `commits` row of a step says.
    fn info(&self) -> CommitInfo {
        CommitInfo { origin: Origin::Job, service: "store", operation: self.name(), ..CommitInfo::default() }
    }

    /// What a step needs of the disk.
    fn need(&self) -> Need {
        Need::Room
    }

    /// When the next step may run, where it must wait: known from the job's row alone, so a step that wants the next one
    /// to wait says so in the cursor it leaves.
    fn not_before(&self, job: &JobRecord) -> Option<NotBefore> {
        let _ = job;
        None
    }

    /// Whether the next step, whose time has come, has something to do; `now_ms` is service time in milliseconds since 1970. A
    /// job that waits for data says so here: a step that is not run writes nothing. Asked off the executor, of each job once a
    /// second and when a job or the service clock was changed; so what makes it due is seen within a second.
    fn is_due(&self, newest: &Snapshot, job: &JobRecord, now_ms: u64) -> bool {
        let _ = (newest, job, now_ms);
        true
    }

    /// Whether a step that changes something gets a version. Only what no permitted read can see has none; it writes no
    /// user data. A step that moves nothing but its cursor has none in any case.
    fn versioned(&self) -> bool {
        true
    }

    /// Called before a step is queued: reads the keys that it will read, so that the executor finds them in memory.
    fn prefetch(&self, newest: &Snapshot, job: &JobRecord, rows: usize) {
        let _ = (newest, job, rows);
    }

    /// One step, on the executor thread: at most 5 ms, so it looks at no more than `rows` rows, a number that follows the
    /// time that earlier steps took. It may run again, from the same record, and must do the same then.
    ///
    /// # Errors
    /// Nothing of the step is kept; it is tried again later, and the error shown in `status`.
    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, TxError>;
}

/// The kinds that this process knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobKinds(BTreeMap<u16, Arc<dyn JobKind>>);

impl JobKinds {
    /// The store's own kinds, and others.
    ///
    /// # Panics
    /// If a number is the store's own or occurs twice: a mistake in the program.
    pub(crate) fn new(kinds: Vec<Arc<dyn JobKind>>) -> Self {
        let mut own: BTreeMap<u16, Arc<dyn JobKind>> = BTreeMap::new();
        own.insert(reclaim::KIND, Arc::new(reclaim::Reclaim));
        for kind in kinds {
            let number = kind.number();
            assert!(number >= KIND_NUMBER_MIN, "job kind {number} is the store's own");
            assert!(own.insert(number, kind).is_none(), "job kind {number} is given twice");
        }
        Self(own)
    }

    pub(crate) fn get(&self, number: u16) -> Option<&Arc<dyn JobKind>> {
        self.0.get(&number)
    }
}

/// What `status` shows of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// The job.
    pub id: JobId,
    /// Name of its kind; `None` if this process does not know it: then the job is left alone.
    pub name: Option<&'static str>,
    /// What is stored of it.
    pub record: JobRecord,
    /// Why its last step failed, if it did.
    pub error: Option<String>,
}

impl Transaction<'_> {
    /// Starts a job. Its first step runs soon after this operation is durable.
    ///
    /// # Errors
    /// If the cursor is too long.
    pub fn start_job(
        &mut self,
        kind: u16,
        label: &str,
        space: Option<SpaceId>,
        cursor: &[u8],
    ) -> Result<JobId, TxError> {
        if cursor.len() > CURSOR_BYTES_MAX {
            return Err(TxError::KeyTooLong(cursor.len()));
        }
        let id = JobId(self.meta.next_job);
        self.meta.next_job += 1;
        let cursor = Bytes::copy_from_slice(cursor);
        let record =
            JobRecord { kind, label: label.into(), space, cursor, steps: 0, started: self.meta.next_version };
        self.raw_put(keys::jobs(id.0), record.encode().into());
        Ok(id)
    }

    /// All jobs, by id.
    ///
    /// # Errors
    /// If reading fails.
    pub fn jobs(&self) -> Result<Vec<(JobId, JobRecord)>, ReadError> {
        let (from, to) = keys::whole(family::JOBS);
        self.raw_range(&from, &to, false).map(|row| decode_row(row?)).collect()
    }

    /// One job; `None` if it is done, was ended, or never was.
    ///
    /// # Errors
    /// If reading fails.
    pub fn job(&self, id: JobId) -> Result<Option<JobRecord>, ReadError> {
        let key = keys::jobs(id.0);
        self.raw_get(&key)?.map(|b| JobRecord::decode(&b).map_err(|c| damaged(&key, c))).transpose()
    }

    /// Whether this transaction starts a job or moves one on.
    pub(crate) fn writes_job(&self) -> bool {
        let from = keys::jobs(0);
        let row = self.raw.range(from..).next();
        row.is_some_and(|(key, value)| key[0] == family::JOBS && value.is_some())
    }

    /// Ends a job where it is; answers whether there was one. What its steps did stays.
    ///
    /// # Errors
    /// If reading fails.
    pub fn end_job(&mut self, id: JobId) -> Result<bool, TxError> {
        let existed = self.job(id)?.is_some();
        if existed {
            self.raw.insert(keys::jobs(id.0), None);
        }
        Ok(existed)
    }
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ended {
    /// It has not run.
    NotRun,
    /// There is no such job any more.
    Gone,
    More,
    Done,
    Failed(String),
}

/// One step of one job, as an operation.
#[derive(Debug)]
struct StepOperation {
    id: JobId,
    kind: Arc<dyn JobKind>,
    /// As it was when the step was queued, for `prefetch` only.
    seen: JobRecord,
    rows: usize,
    ended: Ended,
    took: Duration,
}

impl StepOperation {
    fn step(&self, tx: &mut Transaction<'_>) -> Result<Ended, TxError> {
        let Some(mut job) = tx.job(self.id)?.filter(|job| job.kind == self.kind.number()) else {
            return Ok(Ended::Gone);
        };
        let step = self.kind.step(tx, &job, self.rows)?;
        if !self.kind.versioned() && !tx.items.is_empty() {
            return Ok(Ended::Failed("a step without a version has written user data".to_owned()));
        }
        match step {
            Step::More(cursor) if cursor.len() > CURSOR_BYTES_MAX => {
                Ok(Ended::Failed(format!("a cursor of {} bytes is too long", cursor.len())))
            }
            Step::More(cursor) => {
                job.cursor = cursor.into();
                job.steps += 1;
                tx.raw_put(keys::jobs(self.id.0), job.encode().into());
                Ok(Ended::More)
            }
            Step::Done => {
                tx.raw.insert(keys::jobs(self.id.0), None);
                Ok(Ended::Done)
            }
        }
    }
}

impl Operation for StepOperation {
    fn info(&self) -> CommitInfo {
        self.kind.info()
    }

    fn need(&self) -> Need {
        self.kind.need()
    }

    fn versioned(&self) -> bool {
        self.kind.versioned()
    }

    fn prefetch(&self, newest: &Snapshot) {
        self.kind.prefetch(newest, &self.seen, self.rows);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        let start = Instant::now();
        self.ended = self.step(tx).unwrap_or_else(|error| Ended::Failed(error.to_string()));
        self.took = start.elapsed();
        match self.ended {
            Ended::More | Ended::Done => Verdict::Keep,
            Ended::NotRun | Ended::Gone | Ended::Failed(_) => Verdict::Discard,
        }
    }
}
