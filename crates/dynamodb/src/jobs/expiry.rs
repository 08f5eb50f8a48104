//! The job that deletes the items of a table whose time has come, by the service clock. It lives as long as the table's time to
//! live is enabled, and costs one look at the first row of expiry a second while nothing is due: no step, no commit.
//!
//! Its cursor never moves: what is next is what the rows of expiry say. A step takes the item of each away as a client would, with
//! its rows in indexes, and looks first whether the item still expires at that time.

use super::of_table::{Cursor, failed, told};
use crate::data_set::DataSet;
use crate::expiry;
use crate::write::{self, Layout};
use holdfast_state::families::{JobFamily, SpaceKind};
use holdfast_state::record::Record;
use holdfast_state::{Space, StateError};
use holdfast_store::{
    CommitInfo, JobKind, JobRecord, Need, Origin, Read, Snapshot, SpaceId, Step, Transaction, TxError,
};
use std::ops::Bound;

const JOB: JobFamily = JobFamily::DYNAMODB_EXPIRY;
/// Most items of one step: one transaction deletes no more, and its `commits` row names no more.
const ITEMS_MAX: usize = 256;
/// A step ends with the item that makes them more bytes than this together: each is copied into history.
const BYTES_MAX: u64 = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Expiry;

/// Starts the job for a table whose rows of expiry are in a space.
///
/// # Errors
/// If the store cannot.
pub(crate) fn start(
    tx: &mut Transaction<'_>,
    data_set: &DataSet,
    name: &str,
    space: SpaceId,
) -> Result<(), TxError> {
    let cursor = Cursor { data_set: data_set.clone(), name: name.to_owned(), after: Vec::new() };
    tx.start_job(JOB.number, &format!("table {name}"), Some(space), &cursor.to_bytes())?;
    Ok(())
}

/// Rows whose time has come, at most so many.
fn due_rows(
    read: &(impl Read + ?Sized),
    space: Space,
    now_ms: u64,
    most: usize,
) -> Result<Vec<Vec<u8>>, StateError> {
    let (from, to) = expiry::due(now_ms);
    let rows = space.range(read, Bound::Included(&from), Bound::Excluded(&to), false);
    rows.take(most).map(|row| row.map(|(key, _)| key.to_vec())).collect()
}

impl JobKind for Expiry {
    fn number(&self) -> u16 {
        JOB.number
    }

    fn name(&self) -> &'static str {
        JOB.name
    }

    /// AWS's streams name this principal for what expired. Source: Developer Guide, "DynamoDB Streams and Time to Live".
    fn info(&self) -> CommitInfo {
        CommitInfo {
            origin: Origin::Ttl,
            service: "dynamodb",
            operation: "TimeToLive",
            principal: "dynamodb.amazonaws.com".into(),
            ..CommitInfo::default()
        }
    }

    fn need(&self) -> Need {
        Need::Free
    }

    /// Where the space is gone, so is the job: its next step finds that. What cannot be read shows in the step too.
    fn is_due(&self, newest: &Snapshot, job: &JobRecord, now_ms: u64) -> bool {
        let Some(id) = job.space else { return true };
        let rows = Space::open(newest, id, SpaceKind::DYNAMODB_EXPIRY)
            .and_then(|space| due_rows(newest, space, now_ms, 1));
        rows.map_or(true, |rows| !rows.is_empty())
    }

    fn prefetch(&self, newest: &Snapshot, job: &JobRecord, rows: usize) {
        // A failure shows when it runs. The time is that of the step or earlier: what it finds is then all there.
        let found =
            Cursor::of(job, JOB.name).ok().and_then(|cursor| cursor.table(newest, job).ok().flatten());
        let Some(table) = found else { return };
        let Ok(table) = Layout::read(&table) else { return };
        let Some(settings) = table.expiry else { return };
        let space = write::expiry_space(newest, settings);
        let (from, _) = expiry::due(0);
        let all = space.range(newest, Bound::Included(&from), Bound::Unbounded, false);
        for row in all.take(rows.min(ITEMS_MAX)) {
            let Ok((row, _)) = row else { return };
            if let Ok(key) = expiry::item_key(&row) {
                write::prefetch_expiry(newest, &table, &key);
            }
        }
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, TxError> {
        let cursor = Cursor::of(job, JOB.name)?;
        let failed = |error| failed(JOB.name, error);
        let told = |error| told(JOB.name, &error);
        let Some(table) = cursor.table(tx, job).map_err(failed)? else { return Ok(Step::Done) };
        let table = Layout::read(&table).map_err(told)?;
        let Some(settings) = table.expiry else { return Ok(Step::Done) };
        let space = write::expiry_space(tx, settings);
        let mut bytes = 0;
        for row in due_rows(tx, space, tx.service_now_ms(), rows.min(ITEMS_MAX)).map_err(failed)? {
            match expiry::item_key(&row) {
                Ok(key) => bytes += write::expire(tx, &table, &key, &row).map_err(told)?,
                // It names no item: nothing is lost with it.
                Err(_) => {
                    space.delete(tx, &row).map_err(failed)?;
                }
            }
            if bytes > BYTES_MAX {
                break;
            }
        }
        Ok(Step::More(job.cursor.to_vec()))
    }
}
