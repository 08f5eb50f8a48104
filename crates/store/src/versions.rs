//! The versions of one key, newest first, and the commits that made them.
//!
//! A value is in `current` or, once superseded, in `history` under the version that superseded it; an insert leaves no row
//! there. So the rows of a key give its states and when each began; what lies between two of them is a removal. Above the
//! horizon that is everything that ever happened. At and below it rows are missing: there only the row of `commits`, which
//! stays as long as a row that it superseded, can still say what happened. That of the horizon itself stays too, for its time.

use crate::commit_row::{Change, CommitRow};
use crate::engine::{Range, ReadError};
use crate::envelope::Envelope;
use crate::history::{AsOf, horizon, space_horizon};
use crate::keys::{self, family};
use crate::read::{Read, Snapshot, damaged, open_envelope};
use crate::{HistoryError, SpaceId, Value, Version};
use std::ops::Bound;

/// What a key was from a version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyState {
    /// It had this value.
    Value(Value),
    /// It did not exist.
    Absent,
    /// What it was is not kept any more.
    Trimmed,
}

/// One version of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// The version.
    pub version: Version,
    /// What happened to the key; `None` where what told it is not kept any more.
    pub change: Option<Change>,
    /// What the key was from then on.
    pub state: KeyState,
    /// The commit; `None` if it is not kept any more.
    pub commit: Option<CommitRow>,
}

impl Snapshot {
    /// The state as of a version.
    ///
    /// # Errors
    /// If it was trimmed or has not happened yet.
    pub fn as_of(&self, version: Version) -> Result<AsOf, HistoryError> {
        AsOf::new(self.clone(), version)
    }

    /// The newest version whose real time is at most `real_ms`; 0 if that is before everything.
    ///
    /// # Errors
    /// If what was then can no longer be read.
    pub fn version_at(&self, real_ms: u64) -> Result<Version, HistoryError> {
        let meta = self.meta()?;
        let newest = meta.last_version();
        if real_ms >= meta.real_ms {
            // Nothing came after that.
            return Ok(newest);
        }
        let horizon = horizon(meta, newest);
        // Real time never goes back, so that versions can be searched by halves: all up to `low` are early enough, and
        // all from `high` on are too late.
        let (mut low, mut high) = (0, newest + 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.commit_from(middle)? {
                Some((version, row)) if row.real_ms <= real_ms => low = version.max(middle),
                Some(_) | None => high = middle,
            }
        }
        if low < horizon {
            return Err(HistoryError::TimeTrimmed { horizon });
        }
        Ok(low)
    }

    /// The oldest version as of which a space can be read without a pin, or could be before it was dropped; `None` if
    /// nothing is known of the space.
    ///
    /// # Errors
    /// If the read fails.
    pub fn horizon_of(&self, space: SpaceId) -> Result<Option<Version>, ReadError> {
        let meta = self.meta()?;
        let all = horizon(meta, meta.last_version());
        Ok(self.space(space)?.map(|record| space_horizon(&record, all)))
    }

    /// The commit of a version; `None` if there is none of that number or it is not kept any more.
    ///
    /// # Errors
    /// If the read fails.
    pub fn commit_of(&self, version: Version) -> Result<Option<CommitRow>, ReadError> {
        let key = keys::commits(version);
        let row = self.view().get(&key)?;
        row.map(|bytes| CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))).transpose()
    }

    /// The versions of a key, newest first, as far back as they are kept. Ends after an error.
    ///
    /// # Errors
    /// If the space's record cannot be read.
    pub fn versions_of<'a>(&'a self, space: SpaceId, key: &'a [u8]) -> Result<Versions<'a>, ReadError> {
        let (from, to) = keys::bounds(family::HISTORY, space, Bound::Included(key), Bound::Included(key));
        let current = keys::current(space, key);
        let now = self.view().get(&current)?.map(|bytes| open_envelope(&current, &bytes)).transpose()?;
        Ok(Versions {
            snapshot: self,
            space,
            key,
            horizon: self.horizon_of(space)?.unwrap_or(0),
            rows: self.view().range(Bound::Included(&from), Bound::Excluded(&to)),
            next: now.map(Next::State),
            done: false,
        })
    }

    /// The first commit of a version or a later one.
    fn commit_from(&self, version: Version) -> Result<Option<(Version, CommitRow)>, HistoryError> {
        let from = keys::commits(version);
        let (_, to) = keys::whole(family::COMMITS);
        let mut rows = self.view().range(Bound::Included(&from), Bound::Excluded(&to));
        let Some((key, bytes)) = rows.next().transpose()? else { return Ok(None) };
        let version =
            keys::version(&key[1..]).ok_or_else(|| HistoryError::Read("a damaged commits key".to_owned()))?;
        Ok(Some((version, CommitRow::decode(&bytes).map_err(HistoryError::Read)?)))
    }
}

/// What comes next, going back in time.
enum Next {
    /// This began to hold.
    State(Envelope),
    /// What follows in the rows ended at this version, and nothing that is kept began there.
    End(Version, Envelope),
}

/// The versions of a key; see [`Snapshot::versions_of`].
pub struct Versions<'a> {
    snapshot: &'a Snapshot,
    space: SpaceId,
    key: &'a [u8],
    /// From this version on everything is kept.
    horizon: Version,
    /// Rows of `history`, taken from the back.
    rows: Range<'a>,
    next: Option<Next>,
    done: bool,
}

impl std::fmt::Debug for Versions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Versions").field("space", &self.space).finish_non_exhaustive()
    }
}

impl Iterator for Versions<'_> {
    type Item = Result<KeyVersion, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let item = self.step().transpose();
        self.done = !matches!(item, Some(Ok(_)));
        item
    }
}

impl Versions<'_> {
    fn step(&mut self) -> Result<Option<KeyVersion>, ReadError> {
        let event = match self.next.take() {
            Some(Next::State(envelope)) => self.began(envelope)?,
            Some(Next::End(version, before)) => {
                self.next = Some(Next::State(before));
                self.ended(version)?
            }
            None => {
                // It does not exist now: it did until the newest row.
                let Some((superseded, before)) = self.row()? else { return Ok(None) };
                self.next = Some(Next::State(before));
                self.ended(superseded)?
            }
        };
        Ok(Some(event))
    }

    /// The version with which a state began; reads the row of what was before.
    fn began(&mut self, envelope: Envelope) -> Result<KeyVersion, ReadError> {
        let version = envelope.since();
        let mut existed = None;
        if let Some((superseded, before)) = self.row()? {
            existed = Some(superseded == version && matches!(before, Envelope::Value(_)));
            self.next = Some(match superseded == version {
                true => Next::State(before),
                false => Next::End(superseded, before),
            });
        }
        let commit = self.snapshot.commit_of(version)?;
        let exists = matches!(envelope, Envelope::Value(_));
        // Without a row at this very version nothing was there before, if rows of that time are kept at all.
        let known = existed == Some(true) || version > self.horizon;
        let seen = match (existed == Some(true), exists) {
            (true, true) => Change::Modify,
            (false, true) => Change::Insert,
            (_, false) => Change::Remove,
        };
        let change = self.told(commit.as_ref()).or(known.then_some(seen));
        let state = envelope.into_value().map_or(KeyState::Absent, KeyState::Value);
        Ok(KeyVersion { version, change, state, commit })
    }

    /// The version with which a state ended and no other began that is kept.
    fn ended(&self, version: Version) -> Result<KeyVersion, ReadError> {
        let commit = self.snapshot.commit_of(version)?;
        let removed = (version > self.horizon).then_some(Change::Remove);
        let change = self.told(commit.as_ref()).or(removed);
        let state = if change == Some(Change::Remove) { KeyState::Absent } else { KeyState::Trimmed };
        Ok(KeyVersion { version, change, state, commit })
    }

    /// What the commit says of the key.
    fn told(&self, commit: Option<&CommitRow>) -> Option<Change> {
        let mut touched = commit?.touched.iter();
        touched
            .find(|touched| touched.space == self.space && touched.key == self.key)
            .map(|found| found.change)
    }

    /// The next older row of `history`: when it was superseded, and what it holds.
    fn row(&mut self) -> Result<Option<(Version, Envelope)>, ReadError> {
        let Some((key, bytes)) = self.rows.next_back().transpose()? else { return Ok(None) };
        let version = keys::split(&key).and_then(|(_, _, tail)| keys::version(tail));
        let version = version.ok_or_else(|| damaged(&key, "the key has no version".to_owned()))?;
        Ok(Some((version, open_envelope(&key, &bytes)?)))
    }
}

#[cfg(test)]
pub(crate) mod tests;
