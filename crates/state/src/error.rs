//! What can go wrong with typed state.

use crate::key::KeyError;
use crate::record::RecordError;
use holdfast_store::{ReadError, SpaceId, TxError};

/// What is wrong with a stored row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Its key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Its record.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// A typed read or write that failed. None of these is a client's mistake: a service answers them as internal errors.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StateError {
    /// The store could not read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store could not take a write.
    #[error(transparent)]
    Write(TxError),
    /// A row was read, but its bytes are not what its family holds.
    #[error("cannot read {family} in space {}, key {}: {cause}", space.0, key.escape_ascii())]
    Unreadable {
        /// Space of the row.
        space: SpaceId,
        /// Name of the family that the row should be of.
        family: &'static str,
        /// Key of the row within the space.
        key: Box<[u8]>,
        /// What is wrong.
        cause: Damage,
    },
    /// A space that was named does not exist at the version read.
    #[error("space {} does not exist at version {version}", space.0)]
    NoSuchSpace {
        /// The space.
        space: SpaceId,
        /// The version read.
        version: u64,
    },
    /// A space holds something else than what it was opened for.
    #[error("space {} holds kind {found}, not {expected}", space.0)]
    OtherKind {
        /// The space.
        space: SpaceId,
        /// Name of the expected kind.
        expected: &'static str,
        /// Number of its kind.
        found: u16,
    },
    /// A space stands on another one, which this build cannot read through.
    #[error("space {} is derived from space {} at version {version}; use a build that knows derived spaces",
        space.0, parent.0)]
    Derived {
        /// The space.
        space: SpaceId,
        /// What it stands on.
        parent: SpaceId,
        /// At which version.
        version: u64,
    },
    /// The catalog has the name already. Services look first and answer in their own words.
    #[error("{service} {kind} {name:?} exists already")]
    NameTaken {
        /// Service of the resource.
        service: &'static str,
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: Box<str>,
    },
    /// The catalog does not have the name. Services look first and answer in their own words.
    #[error("{service} {kind} {name:?} does not exist")]
    NoSuchName {
        /// Service of the resource.
        service: &'static str,
        /// Its kind.
        kind: &'static str,
        /// Its name.
        name: Box<str>,
    },
}

impl From<TxError> for StateError {
    fn from(error: TxError) -> Self {
        match error {
            TxError::Read(error) => Self::Read(error),
            error => Self::Write(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_names_space_family_and_key() {
        let error = StateError::Unreadable {
            space: SpaceId(3),
            family: "catalog entry",
            key: Box::from(&b"\x01ab\x00\x01"[..]),
            cause: RecordError::Newer { found: 2, known: 1 }.into(),
        };
        let expected = "cannot read catalog entry in space 3, key \\x01ab\\x00\\x01: record version 2 is newer than 1, \
                        the newest that this build can read; use a newer build";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_failed_read_is_a_read_error_wherever_it_happened() {
        let read = ReadError { file: "f".into(), cause: "c".into() };
        assert!(matches!(StateError::from(TxError::from(read)), StateError::Read(_)));
        assert!(matches!(StateError::from(TxError::KeyTooLong(9)), StateError::Write(_)));
    }
}
