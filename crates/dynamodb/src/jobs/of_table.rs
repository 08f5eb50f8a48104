//! What the jobs of a table's expiry remember: whose table it is, and how far they are.
//!
//! | field | bytes |
//! |---|---|
//! | version | 1: `01` |
//! | account, region in the catalog | string each |
//! | name of the table | string |
//! | the item that was looked at last | its key as bytes; empty at first |
//!
//! The job's space is that of the rows of expiry: it tells the table, and the time to live that it had, from later ones.

use crate::catalog::{self, Table};
use crate::data_set::DataSet;
use holdfast_aws::Error;
use holdfast_state::StateError;
use holdfast_state::record::{FieldReader, FieldWriter, Record, RecordError};
use holdfast_store::engine::ReadError;
use holdfast_store::{JobRecord, Read, TxError};

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) data_set: DataSet,
    pub(super) name: String,
    pub(super) after: Vec<u8>,
}

impl Record for Cursor {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        let mut fields = FieldWriter::new(out);
        fields.str(self.data_set.account()).str(self.data_set.region()).str(&self.name).bytes(&self.after);
    }

    fn decode(_version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let data_set = DataSet::new(fields.str()?, fields.str()?);
        let (name, after) = (fields.str()?.to_owned(), fields.bytes()?.to_vec());
        fields.finish()?;
        Ok(Self { data_set, name, after })
    }
}

impl Cursor {
    /// The cursor of a job.
    pub(super) fn of(job: &JobRecord, kind: &str) -> Result<Self, TxError> {
        Self::from_bytes(&job.cursor).map_err(|error| unreadable(kind, &error))
    }

    /// The table, if it is still there, is not being deleted, and has this very space of rows of expiry.
    pub(super) fn table(
        &self,
        read: &(impl Read + ?Sized),
        job: &JobRecord,
    ) -> Result<Option<Table>, StateError> {
        let Some(space) = job.space else { return Ok(None) };
        catalog::expiring(read, &self.data_set, &self.name, space)
    }
}

/// What cannot be read.
pub(super) fn unreadable(kind: &str, cause: &dyn std::fmt::Display) -> TxError {
    TxError::Read(ReadError { file: kind.to_owned(), cause: cause.to_string() })
}

/// A failure of the catalog or of a space.
pub(super) fn failed(kind: &str, error: StateError) -> TxError {
    match error {
        StateError::Read(error) => TxError::Read(error),
        StateError::Write(error) => error,
        other => unreadable(kind, &other),
    }
}

/// A failure as clients would be told of it.
pub(super) fn told(kind: &str, error: &Error) -> TxError {
    unreadable(kind, &error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_fixed() {
        let cursor =
            Cursor { data_set: DataSet::new("0", "r"), name: "abc".to_owned(), after: vec![1, 0, 7] };
        let bytes = cursor.to_bytes();
        assert_eq!(bytes, b"\x01\x010\x01r\x03abc\x03\x01\x00\x07");
        assert_eq!(Cursor::from_bytes(&bytes), Ok(cursor));
    }
}
