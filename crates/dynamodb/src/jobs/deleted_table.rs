//! The job that takes a deleted table away when it has shown `DELETING` long enough, whether anybody asks for it or not.
//!
//! Its cursor never moves: it has one step.
//!
//! | field | bytes |
//! |---|---|
//! | version | 2: `02` |
//! | gone from | service time, unsigned, ms since 1970 |
//! | account in the catalog | string |
//! | name of the table | string |
//! | region in the catalog | string; version 1 has none, its tables were everybody's |

use super::unreadable;
use crate::catalog;
use crate::data_set::DataSet;
use holdfast_state::StateError;
use holdfast_state::families::JobFamily;
use holdfast_state::record::{FieldReader, FieldWriter, Record, RecordError};
use holdfast_store::{
    CommitInfo, JobKind, JobRecord, Need, NotBefore, Origin, SpaceId, Step, Transaction, TxError,
};

const JOB: JobFamily = JobFamily::DYNAMODB_DELETED_TABLE;

/// See the module.
#[derive(Debug)]
pub(super) struct DeletedTable;

#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    gone_ms: u64,
    data_set: DataSet,
    name: String,
}

impl Record for Cursor {
    const VERSION: u8 = 2;

    fn encode(&self, out: &mut Vec<u8>) {
        let mut fields = FieldWriter::new(out);
        fields
            .unsigned(self.gone_ms)
            .str(self.data_set.account())
            .str(&self.name)
            .str(self.data_set.region());
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let gone_ms = fields.unsigned()?;
        let (account, name) = (fields.str()?, fields.str()?.to_owned());
        let region = if version < 2 { "" } else { fields.str()? };
        fields.finish()?;
        Ok(Self { gone_ms, data_set: DataSet::new(account, region), name })
    }
}

/// Starts the job for a table that is marked as gone from `gone_ms` on.
///
/// # Errors
/// If the store cannot.
pub(crate) fn start(
    tx: &mut Transaction<'_>,
    data_set: &DataSet,
    name: &str,
    space: SpaceId,
    gone_ms: u64,
) -> Result<(), TxError> {
    let cursor = Cursor { gone_ms, data_set: data_set.clone(), name: name.to_owned() };
    tx.start_job(JOB.number, &format!("deleted table {name}"), Some(space), &cursor.to_bytes())?;
    Ok(())
}

impl JobKind for DeletedTable {
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
            operation: "DeleteTable",
            ..CommitInfo::default()
        }
    }

    fn need(&self) -> Need {
        Need::Free
    }

    fn not_before(&self, job: &JobRecord) -> Option<NotBefore> {
        // One that cannot be read waits for nothing: its step says what is wrong with it.
        Cursor::from_bytes(&job.cursor).ok().map(|cursor| NotBefore::Service(cursor.gone_ms))
    }

    fn step(&self, tx: &mut Transaction<'_>, job: &JobRecord, _rows: usize) -> Result<Step, TxError> {
        let cursor = Cursor::from_bytes(&job.cursor).map_err(|error| unreadable(JOB, &error))?;
        if let Some(space) = job.space {
            catalog::remove_deleted(tx, &cursor.data_set, &cursor.name, space).map_err(
                |error| match error {
                    StateError::Read(error) => TxError::Read(error),
                    StateError::Write(error) => error,
                    other => unreadable(JOB, &other),
                },
            )?;
        }
        Ok(Step::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_fixed() {
        let cursor = Cursor { gone_ms: 300, data_set: DataSet::new("0", "r"), name: "abc".to_owned() };
        let bytes = cursor.to_bytes();
        assert_eq!(bytes, b"\x02\xAC\x02\x010\x03abc\x01r");
        assert_eq!(Cursor::from_bytes(&bytes), Ok(cursor));
        let of_all = Cursor { gone_ms: 300, data_set: DataSet::new("0", ""), name: "abc".to_owned() };
        assert_eq!(Cursor::from_bytes(b"\x01\xAC\x02\x010\x03abc"), Ok(of_all));
    }
}
