//! The job that makes the rows of expiry of the items that a table held when its time to live was enabled. Writes keep the rows
//! from the commit that enabled it on; a step reads items and puts their rows in one transaction, so both tell the same.
//!
//! Its cursor is the key of the item that it looked at last.

use super::of_table::{Cursor, failed, told, unreadable};
use crate::catalog;
use crate::data_set::DataSet;
use crate::expiry;
use crate::item::view::Item;
use crate::write::{self, Layout};
use holdfast_state::families::JobFamily;
use holdfast_state::record::Record;
use holdfast_state::{Space, StateError};
use holdfast_store::{
    CommitInfo, JobKind, JobRecord, Origin, Read, Snapshot, SpaceId, Step, Transaction, TxError, Value,
};
use std::ops::Bound;

const JOB: JobFamily = JobFamily::DYNAMODB_EXPIRY_BUILD;
/// A step ends with the item that makes what it read more bytes than this.
const BYTES_MAX: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct ExpiryBuild;

/// Starts the job for a table whose rows of expiry are to be in a space.
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

/// Items by their keys.
type Items = Vec<(Vec<u8>, Value)>;

/// The items behind the last one, as many as a step takes, and whether they are the last.
fn items(
    read: &(impl Read + ?Sized),
    table: Space,
    after: &[u8],
    rows: usize,
) -> Result<(Items, bool), StateError> {
    let from = if after.is_empty() { Bound::Unbounded } else { Bound::Excluded(after) };
    let (mut items, mut bytes) = (Vec::new(), 0);
    for item in table.range(read, from, Bound::Unbounded, false) {
        let (key, value) = item?;
        bytes += value.payload.len();
        items.push((key.to_vec(), value));
        if items.len() >= rows || bytes > BYTES_MAX {
            return Ok((items, false));
        }
    }
    Ok((items, true))
}

impl JobKind for ExpiryBuild {
    fn number(&self) -> u16 {
        JOB.number
    }

    fn name(&self) -> &'static str {
        JOB.name
    }

    fn info(&self) -> CommitInfo {
        CommitInfo {
            origin: Origin::Job,
            service: "dynamodb",
            operation: "UpdateTimeToLive",
            ..CommitInfo::default()
        }
    }

    fn prefetch(&self, newest: &Snapshot, job: &JobRecord, rows: usize) {
        // A failure shows when it runs.
        let Ok(cursor) = Cursor::of(job, JOB.name) else { return };
        if let Ok(Some(table)) = cursor.table(newest, job) {
            let _ = items(newest, table.space, &cursor.after, rows);
        }
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, TxError> {
        let mut cursor = Cursor::of(job, JOB.name)?;
        let failed = |error| failed(JOB.name, error);
        let Some(found) = cursor.table(tx, job).map_err(failed)? else { return Ok(Step::Done) };
        let table = Layout::read(&found).map_err(|error| told(JOB.name, &error))?;
        let Some(settings) = table.expiry else { return Ok(Step::Done) };
        let space = write::expiry_space(tx, settings);
        let (items, is_last) = items(tx, found.space, &cursor.after, rows).map_err(failed)?;
        for (key, value) in &items {
            // One that is damaged has no row; it is found by whoever reads it.
            let row = Item::new(&value.payload).and_then(|item| expiry::row(key, item, settings.attribute));
            if let Ok(Some(row)) = row {
                space.put(tx, &row, &[], 0).map_err(failed)?;
            }
        }
        if !is_last {
            cursor.after = items.last().map(|(key, _)| key.clone()).unwrap_or_default();
            return Ok(Step::More(cursor.to_bytes()));
        }
        let mut definition = found.definition().map_err(|error| told(JOB.name, &error))?;
        let Some(settings) = &mut definition.time_to_live else {
            return Err(unreadable(JOB.name, &"the table has rows of expiry and no time to live"));
        };
        settings.built = true;
        catalog::redefine(tx, &cursor.data_set, &cursor.name, &definition).map_err(failed)?;
        Ok(Step::Done)
    }
}
