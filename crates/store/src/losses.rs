//! Versions that were acknowledged and are gone: what `doctor --accept-loss` leaves behind, so that no later read takes the
//! state before the loss for the state that was lost.
//!
//! ```text
//! key    family 12, first lost version u64
//! value  version byte 1 | varint last lost version that is proven (one before the first if none is) | varint version that
//!        goes on | varint first lost commit | varint last lost commit that is proven | varint commit that goes on |
//!        varint real ms | text cause
//! ```

use crate::encoding::{FieldReader, push_bytes, push_varint};
use crate::engine::{Pair, ReadError, View};
use crate::keys::{self, family};
use crate::read::damaged;
use crate::{HistoryError, Version};
use std::ops::Bound;

const FORMAT: u8 = 1;

/// A loss that somebody accepted. Versions and commits from the first lost one up to where they go on name nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// First version of which nothing is left.
    pub first_version: Version,
    /// Last version that is proven to have been given out; one less than `first_version` if none is.
    pub last_version: Version,
    /// Version of the acceptance itself, with which history goes on.
    pub resumes_version: Version,
    /// First commit of which nothing is left.
    pub first_commit: u64,
    /// Last commit that is proven to have been acknowledged; one less than `first_commit` if none is.
    pub last_commit: u64,
    /// Commit of the acceptance itself.
    pub resumes_commit: u64,
    /// When it was accepted, in milliseconds since 1970.
    pub real_ms: u64,
    /// What was damaged.
    pub cause: Box<str>,
}

impl Loss {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        for number in [
            self.last_version,
            self.resumes_version,
            self.first_commit,
            self.last_commit,
            self.resumes_commit,
            self.real_ms,
        ] {
            push_varint(&mut out, number);
        }
        push_bytes(&mut out, self.cause.as_bytes());
        out
    }

    fn decode(first_version: Version, bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("loss", FORMAT, bytes)?;
        let loss = Self {
            first_version,
            last_version: fields.varint()?,
            resumes_version: fields.varint()?,
            first_commit: fields.varint()?,
            last_commit: fields.varint()?,
            resumes_commit: fields.varint()?,
            real_ms: fields.varint()?,
            cause: fields.text()?,
        };
        fields.done()?;
        Ok(loss)
    }

    /// The refusal of a read as of `version`, if that version was lost.
    pub(crate) fn refuse(&self, version: Version) -> Result<(), HistoryError> {
        if (self.first_version..self.resumes_version).contains(&version) {
            let (first, resumes) = (self.first_version, self.resumes_version);
            return Err(HistoryError::Lost { version, first, resumes });
        }
        Ok(())
    }
}

fn decode_row((key, bytes): Pair) -> Result<Loss, ReadError> {
    let first =
        keys::version(&key[1..]).ok_or_else(|| damaged(&key, "a loss's key is damaged".to_owned()))?;
    Loss::decode(first, &bytes).map_err(|cause| damaged(&key, cause))
}

/// All losses, oldest first.
pub(crate) fn all(view: &dyn View) -> Result<Vec<Loss>, ReadError> {
    let (from, to) = keys::whole(family::LOSSES);
    view.range(Bound::Included(&from), Bound::Excluded(&to)).map(|row| decode_row(row?)).collect()
}

/// Refuses a version that was lost. `rows` are the rows of the family up to that version, newest first.
pub(crate) fn refuse_lost(
    mut rows: impl Iterator<Item = Result<Pair, ReadError>>,
    version: Version,
) -> Result<(), HistoryError> {
    match rows.next() {
        Some(row) => decode_row(row?)?.refuse(version),
        None => Ok(()),
    }
}

/// Bounds of the rows that [`refuse_lost`] needs.
pub(crate) fn bounds(version: Version) -> (Vec<u8>, Vec<u8>) {
    let (from, to) = keys::whole(family::LOSSES);
    (from, version.checked_add(1).map_or(to, |next| keys::losses(next).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip_and_refuse_their_versions() {
        let loss = Loss {
            first_version: 5,
            last_version: 9,
            resumes_version: 1_000,
            first_commit: 3,
            last_commit: 4,
            resumes_commit: 700,
            real_ms: 1,
            cause: "a test".into(),
        };
        assert_eq!(Loss::decode(5, &loss.encode()), Ok(loss.clone()));
        for (version, lost) in [(4, false), (5, true), (9, true), (999, true), (1_000, false)] {
            let row = (keys::losses(5), loss.encode().into());
            let refused = refuse_lost(std::iter::once(Ok(row)), version);
            assert_eq!(refused.is_err(), lost, "{version}");
        }
        assert_eq!(refuse_lost(std::iter::empty(), 7), Ok(()));
        let (from, to) = bounds(5);
        assert!(from.as_slice() < &keys::losses(5)[..] && &keys::losses(5)[..] < to.as_slice());
        assert!(to.as_slice() <= &keys::losses(6)[..]);
    }
}
