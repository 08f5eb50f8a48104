//! The job that makes the rows of an index that was added to a table with items.
//!
//! From the commit that adds the index on, every write keeps the row of its item there (`write.rs`), so a step makes the rows
//! of the items as they are in its own transaction, and it does not matter whether a row is there already. Items whose
//! values cannot be keys of the index get none. The last step makes the index readable. If the table or the index goes
//! meanwhile, the job ends.
//!
//! | field | bytes |
//! |---|---|
//! | version | 1: `01` |
//! | account in the catalog | string |
//! | region in the catalog | string |
//! | name of the table | string |
//! | space of the index | unsigned |
//! | last item | bytes: its key; empty at first |

use super::unreadable;
use crate::catalog;
use crate::data_set::{DataSet, NamedTable};
use crate::index::{self, IndexRow, Indexed};
use crate::item::view::Item;
use crate::table::{IndexState, IndexView, TableDefinition};
use bytes::Bytes;
use holdfast_state::families::{JobFamily, SpaceKind};
use holdfast_state::record::{FieldReader, FieldWriter, Record, RecordError};
use holdfast_state::{Space, StateError};
use holdfast_store::{
    CommitInfo, JobKind, JobRecord, Origin, Read, Snapshot, SpaceId, Step, Transaction, TxError, Value,
};
use std::ops::Bound;

const JOB: JobFamily = JobFamily::DYNAMODB_INDEX_BUILD;

/// A step ends with the item that makes the stored items that it looked at reach this: the number of rows of a step follows
/// small items too slowly when large ones come.
const STEP_BYTES_MAX: usize = 512 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct IndexBuild;

#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    table: NamedTable,
    index: SpaceId,
    after: Vec<u8>,
}

impl Record for Cursor {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        let NamedTable { data_set, name } = &self.table;
        let mut fields = FieldWriter::new(out);
        fields.str(data_set.account()).str(data_set.region()).str(name);
        fields.unsigned(u64::from(self.index.0)).bytes(&self.after);
    }

    fn decode(_version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let data_set = DataSet::new(fields.str()?, fields.str()?);
        let table = NamedTable { data_set, name: fields.str()?.to_owned() };
        let (index, after) = (SpaceId(fields.unsigned_as()?), fields.bytes()?.to_vec());
        fields.finish()?;
        Ok(Self { table, index, after })
    }
}

impl Cursor {
    fn of(job: &JobRecord) -> Result<Self, TxError> {
        Self::from_bytes(&job.cursor).map_err(|error| unreadable(JOB, &error))
    }

    /// Items behind the last one that was looked at.
    fn items<'r>(
        &self,
        read: &'r (impl Read + ?Sized),
        table: SpaceId,
    ) -> impl Iterator<Item = Result<(Bytes, Value), StateError>> + 'r {
        let from = if self.after.is_empty() { Bound::Unbounded } else { Bound::Excluded(&self.after[..]) };
        Space::defined(read, table, SpaceKind::DYNAMODB_TABLE).range(read, from, Bound::Unbounded, false)
    }
}

/// Starts the job for an index that the definition of a table in `space` says is being built.
///
/// # Errors
/// If the store cannot.
pub(crate) fn start(
    tx: &mut Transaction<'_>,
    table: NamedTable,
    space: SpaceId,
    (name, index): (&str, SpaceId),
) -> Result<(), TxError> {
    let label = format!("index {name} of table {table}");
    let cursor = Cursor { table, index, after: Vec::new() };
    tx.start_job(JOB.number, &label, Some(space), &cursor.to_bytes())?;
    Ok(())
}

/// What a step has to do.
#[derive(Debug, Default)]
struct Work {
    rows: Vec<IndexRow>,
    /// Key of the last item that it looked at; none if there are no more items behind it.
    last: Option<Bytes>,
}

/// Looks at the next items, at most `rows`.
fn look(
    tx: &Transaction<'_>,
    cursor: &Cursor,
    table: SpaceId,
    definition: &[u8],
    index: &IndexView<'_>,
    rows: usize,
) -> Result<Work, StateError> {
    let failed = |error: &dyn std::fmt::Display| StateError::Write(unreadable(JOB, error));
    let schema = TableDefinition::key_schema(definition).map_err(|error| failed(&error))?;
    let (mut work, mut looked, mut bytes) = (Work::default(), 0, 0);
    for entry in cursor.items(tx, table) {
        let (key, value) = entry?;
        let item = Item::new(&value.payload).map_err(|error| failed(&error))?;
        let indexed = Indexed { key: &key, item, size: value.size };
        // What cannot be a key of the index is left out.
        if let Ok(Some(row)) = index::row(&indexed, index, &schema).map_err(|error| failed(&error))? {
            work.rows.push(row);
        }
        looked += 1;
        bytes += value.payload.len();
        if looked >= rows || bytes >= STEP_BYTES_MAX {
            work.last = Some(key);
            break;
        }
    }
    Ok(work)
}

/// One step: the rows of the next items; with the last of them, the index becomes readable.
fn step(tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, StateError> {
    let cursor = Cursor::of(job)?;
    let NamedTable { data_set, name } = &cursor.table;
    let Some(table) = job.space else { return Ok(Step::Done) };
    let Some(record) = catalog::definition_in(tx, data_set, name, table)? else { return Ok(Step::Done) };
    let definition = &record[..];
    let unreadable = |error: RecordError| StateError::Write(unreadable(JOB, &error));
    let (_, indexes) = TableDefinition::keys_and_indexes(definition).map_err(unreadable)?;
    let is_it = |index: &&IndexView<'_>| {
        index.space == cursor.index && matches!(index.state, IndexState::Building { .. })
    };
    let Some(index) = indexes.iter().find(is_it) else { return Ok(Step::Done) };
    let work = look(tx, &cursor, table, definition, index, rows)?;
    let space = Space::open(tx, index.space, SpaceKind::DYNAMODB_INDEX)?;
    for row in &work.rows {
        space.put(tx, &row.key, &[], row.size)?;
    }
    if let Some(last) = work.last {
        let after = last.to_vec();
        return Ok(Step::More(Cursor { after, ..cursor }.to_bytes()));
    }
    let mut definition = TableDefinition::from_bytes(definition).map_err(unreadable)?;
    for index in definition.indexes.iter_mut().filter(|index| index.space == cursor.index) {
        if let IndexState::Building { from_ms } = index.state {
            index.state = IndexState::Active { from_ms };
        }
    }
    catalog::redefine(tx, data_set, name, &definition)?;
    Ok(Step::Done)
}

impl JobKind for IndexBuild {
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
            operation: "UpdateTable",
            ..CommitInfo::default()
        }
    }

    fn prefetch(&self, newest: &Snapshot, job: &JobRecord, rows: usize) {
        let (Ok(cursor), Some(table)) = (Cursor::of(job), job.space) else { return };
        let mut bytes = 0;
        // A failure shows when the step runs.
        for (_, value) in cursor.items(newest, table).take(rows).map_while(Result::ok) {
            bytes += value.payload.len();
            if bytes >= STEP_BYTES_MAX {
                return;
            }
        }
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, rows: usize) -> Result<Step, TxError> {
        step(tx, job, rows).map_err(|error| match error {
            StateError::Read(error) => TxError::Read(error),
            StateError::Write(error) => error,
            other => unreadable(JOB, &other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_fixed() {
        let table = NamedTable { data_set: DataSet::new("0", "r"), name: "abc".to_owned() };
        let cursor = Cursor { table, index: SpaceId(300), after: b"\x01k".to_vec() };
        let bytes = cursor.to_bytes();
        assert_eq!(bytes, b"\x01\x010\x01r\x03abc\xAC\x02\x02\x01k");
        assert_eq!(Cursor::from_bytes(&bytes), Ok(cursor));
    }
}
