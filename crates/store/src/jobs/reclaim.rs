//! The store's own job: taking away the rows of a dropped space that nothing can read any more.
//!
//! Dropping a space is a small commit that starts nothing: as long as the history window, a pin or its own retention holds
//! the space, there is nothing to do. When the horizon has passed the drop, the runner starts the job. Its cursor is empty:
//! what is left to do is what is left of the rows. The space's record goes last.

use super::{JobKind, JobRecord, Step};
use crate::engine::{Pair, ReadError};
use crate::history::{self, horizon, space_horizon};
use crate::keys::{self, family};
use crate::read::open_envelope;
use crate::records::{Meta, Pin, SpaceRecord};
use crate::transaction::Transaction;
use crate::trim::remove_row;
use crate::{CommitInfo, Need, Operation, Origin, Read, Snapshot, SpaceId, TxError, Verdict};

/// Number of this kind.
pub(crate) const KIND: u16 = 1;
/// Bytes of values that one step reads.
const STEP_BYTES_MAX: usize = 1 << 20;
/// Most jobs that one operation starts.
const START_MAX: usize = 64;

/// See the module.
#[derive(Debug)]
pub(crate) struct Reclaim;

impl JobKind for Reclaim {
    fn number(&self) -> u16 {
        KIND
    }

    fn name(&self) -> &'static str {
        "reclaim"
    }

    fn need(&self) -> Need {
        Need::Trim
    }

    fn versioned(&self) -> bool {
        false
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, TxError> {
        let Some(space) = job.space else { return Ok(Step::Done) };
        let Some(record) = tx.space(space)? else { return Ok(Step::Done) };
        let pins: Vec<Pin> = tx.pins()?.into_iter().map(|(_, pin)| pin).collect();
        if !is_reclaimable(&tx.meta, &pins, space, &record) {
            // Nothing makes a space readable again: this job was never called for.
            return Ok(Step::Done);
        }
        for family in [family::CURRENT, family::HISTORY] {
            let (from, to) = keys::whole_space(family, space);
            let mut bytes = 0;
            let within = |row: &Result<Pair, ReadError>| {
                let before = bytes;
                bytes += row.as_ref().map_or(0, |(_, value)| value.len());
                before < STEP_BYTES_MAX
            };
            let rows = tx.raw_range(&from, &to, false).take(rows).take_while(within);
            let found: Vec<Pair> = rows.collect::<Result<_, _>>()?;
            if found.is_empty() {
                continue;
            }
            for (key, bytes) in found {
                let value = open_envelope(&key, &bytes)?.into_value();
                remove_row(tx, key, &bytes, value, family == family::HISTORY)?;
            }
            return Ok(Step::More(Vec::new()));
        }
        tx.raw.insert(keys::counters(space), None);
        tx.raw.insert(keys::spaces(space), None);
        Ok(Step::Done)
    }
}

/// Whether no read that is permitted, now or later, can see anything of a space.
fn is_reclaimable(meta: &Meta, pins: &[Pin], space: SpaceId, record: &SpaceRecord) -> bool {
    let Some(dropped) = record.dropped else { return false };
    let horizon = space_horizon(record, horizon(meta, meta.last_version()));
    dropped <= horizon && !pins.iter().any(|pin| pin.needs(space, record.created, dropped))
}

/// Dropped spaces that nothing can read any more and that no job reclaims yet.
pub(crate) fn due(snapshot: &Snapshot) -> Result<Vec<SpaceId>, ReadError> {
    let meta = snapshot.meta()?;
    let pins: Vec<Pin> = history::pins(snapshot.view())?;
    let jobs = super::all(snapshot)?;
    let has_job = |space: SpaceId| jobs.iter().any(|(_, job)| job.kind == KIND && job.space == Some(space));
    let due = history::spaces(snapshot.view())?
        .into_iter()
        .filter(|(space, record)| is_reclaimable(meta, &pins, *space, record) && !has_job(*space));
    Ok(due.map(|(space, _)| space).take(START_MAX).collect())
}

/// Starts the jobs of spaces that are due.
#[derive(Debug)]
pub(crate) struct StartReclaim {
    pub(crate) spaces: Vec<SpaceId>,
    pub(crate) failed: Option<String>,
}

impl StartReclaim {
    fn start(&self, tx: &mut Transaction<'_>) -> Result<(), TxError> {
        let jobs = tx.jobs()?;
        for space in &self.spaces {
            let running = jobs.iter().any(|(_, job)| job.kind == KIND && job.space == Some(*space));
            if !running && tx.space(*space)?.is_some_and(|record| record.dropped.is_some()) {
                tx.start_job(KIND, &format!("dropped space {}", space.0), Some(*space), &[])?;
            }
        }
        Ok(())
    }
}

impl Operation for StartReclaim {
    fn info(&self) -> CommitInfo {
        CommitInfo { origin: Origin::Job, service: "store", operation: "reclaim", ..CommitInfo::default() }
    }

    fn need(&self) -> Need {
        Need::Trim
    }

    fn versioned(&self) -> bool {
        false
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        self.failed = self.start(tx).err().map(|error| error.to_string());
        if self.failed.is_none() { Verdict::Keep } else { Verdict::Discard }
    }
}
