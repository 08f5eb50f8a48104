//! Reading the past: the state as of a version.
//!
//! As of T, a key is `current` if `since ≤ T`; else the first `history` entry with `superseded > T`, if its `since ≤ T`;
//! else absent. A range merges both families.

use crate::engine::{ReadError, View};
use crate::envelope::Envelope;
use crate::keys::{self, family};
use crate::losses;
use crate::read::{Item, Read, Snapshot, damaged, open_envelope};
use crate::records::{Meta, Pin, SpaceRecord};
use crate::transaction::decode_pin;
use crate::{Counters, HistoryError, SpaceId, Value, Version};
use bytes::Bytes;
use std::ops::Bound;

/// The oldest version that can be read where no pin and no later horizon of a space says otherwise.
pub(crate) fn horizon(meta: &Meta, newest: Version) -> Version {
    if meta.history_off { newest } else { meta.horizon }
}

/// The oldest version of a space that can be read without a pin: its own horizon if it has a history window of its own.
pub(crate) fn space_horizon(record: &SpaceRecord, global: Version) -> Version {
    if record.retention_ms.is_some() { record.horizon } else { record.horizon.max(global) }
}

/// All pins.
pub(crate) fn pins(view: &dyn View) -> Result<Vec<Pin>, ReadError> {
    let (from, to) = keys::whole(family::PINS);
    let rows = view.range(Bound::Included(&from), Bound::Excluded(&to));
    rows.map(|row| decode_pin(row?).map(|(_, pin)| pin)).collect()
}

/// All spaces.
pub(crate) fn spaces(view: &dyn View) -> Result<Vec<(SpaceId, SpaceRecord)>, ReadError> {
    let (from, to) = keys::whole(family::SPACES);
    let rows = view.range(Bound::Included(&from), Bound::Excluded(&to));
    rows.map(|row| {
        let (key, bytes) = row?;
        let number = key[1..].try_into().map_err(|_| damaged(&key, "the key has no space".to_owned()))?;
        let record = SpaceRecord::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
        Ok((SpaceId(u32::from_be_bytes(number)), record))
    })
    .collect()
}

/// The state of the store as of a version. Hold it for seconds at most.
#[derive(Debug, Clone)]
pub struct AsOf {
    snapshot: Snapshot,
    version: Version,
    newest: Version,
    horizon: Version,
    pins: Vec<Pin>,
}

impl AsOf {
    pub(crate) fn new(snapshot: Snapshot, version: Version) -> Result<Self, HistoryError> {
        let meta = snapshot.meta()?;
        let newest = meta.last_version();
        if version > newest {
            return Err(HistoryError::Future { version, newest });
        }
        let (from, to) = losses::bounds(version);
        losses::refuse_lost(
            snapshot.view().range(Bound::Included(&from), Bound::Excluded(&to)).rev(),
            version,
        )?;
        let mut pins = pins(snapshot.view())?;
        pins.retain(|pin| pin.version == version);
        let horizon = horizon(meta, newest);
        if version < horizon && pins.is_empty() {
            // A space with a longer window of its own may be readable all the same.
            let reaches = |record: &SpaceRecord| record.retention_ms.is_some() && record.horizon <= version;
            if !spaces(snapshot.view())?.iter().any(|(_, record)| reaches(record)) {
                return Err(HistoryError::Trimmed { version, horizon });
            }
        }
        Ok(Self { snapshot, version, newest, horizon, pins })
    }

    /// Checks that a space can be read at this version.
    ///
    /// # Errors
    /// If it did not exist then, or that state was trimmed.
    pub fn readable(&self, space: SpaceId) -> Result<SpaceRecord, HistoryError> {
        let version = self.version;
        let record = self.snapshot.space(space)?.ok_or(HistoryError::NoSuchSpace { space, version })?;
        let alive = record.complete_from <= version && record.dropped.is_none_or(|dropped| version < dropped);
        if !alive {
            return Err(HistoryError::NoSuchSpace { space, version });
        }
        let horizon = space_horizon(&record, self.horizon);
        if version < horizon && !self.pins.iter().any(|pin| pin.covers(space)) {
            return Err(HistoryError::Trimmed { version, horizon });
        }
        Ok(record)
    }

    fn refuse(&self, space: SpaceId) -> Result<(), ReadError> {
        let refused =
            |error: HistoryError| ReadError { file: "history".to_owned(), cause: error.to_string() };
        let record = self.readable(space).map_err(refused)?;
        assert!(record.derived_from.is_none(), "no build makes derived spaces yet");
        Ok(())
    }
}

impl Read for AsOf {
    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Value>, ReadError> {
        self.refuse(space)?;
        let current = keys::current(space, key);
        if let Some(bytes) = self.snapshot.view().get(&current)? {
            let envelope = open_envelope(&current, &bytes)?;
            if envelope.since() <= self.version {
                return Ok(envelope.into_value());
            }
        }
        let from = keys::history(space, key, self.version + 1);
        let (_, to) = keys::bounds(family::HISTORY, space, Bound::Unbounded, Bound::Included(key));
        let first = self.snapshot.view().range(Bound::Included(&from), Bound::Excluded(&to)).next();
        let Some((key, bytes)) = first.transpose()? else { return Ok(None) };
        let envelope = open_envelope(&key, &bytes)?;
        Ok(if envelope.since() <= self.version { envelope.into_value() } else { None })
    }

    fn range<'a>(
        &'a self,
        space: SpaceId,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
    ) -> Box<dyn Iterator<Item = Item> + 'a> {
        if let Err(error) = self.refuse(space) {
            return Box::new(std::iter::once(Err(error)));
        }
        Box::new(AsOfRange::new(self, space, from, to, reverse))
    }

    fn counters(&self, space: SpaceId) -> Result<Counters, ReadError> {
        self.refuse(space)?;
        let mut counters = self.snapshot.counters(space)?;
        let (from, to) = (keys::commits(self.version + 1), keys::commits(Version::MAX));
        if self.version == self.newest {
            return Ok(counters);
        }
        if self.version < self.horizon {
            // Below the horizon `commits` has gaps: count what the pin holds.
            let mut counted = Counters::default();
            for item in self.range(space, Bound::Unbounded, Bound::Unbounded, false) {
                counted.items += 1;
                counted.bytes += item?.1.size;
            }
            return Ok(counted);
        }
        for row in self.snapshot.view().range(Bound::Included(&from), Bound::Included(&to)) {
            let (key, bytes) = row?;
            let row = crate::commit_row::CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
            for delta in row.deltas.iter().filter(|delta| delta.space == space) {
                counters.items = counters.items.wrapping_add_signed(-delta.items);
                counters.bytes = counters.bytes.wrapping_add_signed(-delta.bytes);
            }
        }
        Ok(counters)
    }

    fn space(&self, space: SpaceId) -> Result<Option<SpaceRecord>, ReadError> {
        let record = self.snapshot.space(space)?;
        Ok(record.filter(|record| record.created <= self.version).map(|mut record| {
            record.dropped = record.dropped.filter(|dropped| *dropped <= self.version);
            record
        }))
    }

    /// Roots do not move yet: a root is what it is now, if its catalog existed then.
    fn root(&self, name: &str) -> Result<Option<SpaceId>, ReadError> {
        let Some(space) = self.snapshot.root(name)? else { return Ok(None) };
        Ok(self.space(space)?.map(|_| space))
    }

    fn version(&self) -> Version {
        self.version
    }
}

/// Rows of one family, in one direction.
type Rows<'a> = Box<dyn Iterator<Item = Result<(Bytes, Bytes), ReadError>> + 'a>;
/// A user key, and what held of it at a version.
type Old = (Vec<u8>, Option<Envelope>);

/// Entries of a range as of a version, in chunks of keys.
///
/// Both families are read side by side; what is current and old enough wins, else the oldest history entry that was
/// superseded after the version.
struct AsOfRange<'a> {
    rows: Rows<'a>,
    history: std::iter::Peekable<Rows<'a>>,
    ready: std::collections::VecDeque<Item>,
    pending: Option<(Bytes, Bytes)>,
    version: Version,
    reverse: bool,
    done: bool,
}

impl<'a> AsOfRange<'a> {
    fn new(as_of: &'a AsOf, space: SpaceId, from: Bound<&[u8]>, to: Bound<&[u8]>, reverse: bool) -> Self {
        let view = as_of.snapshot.view();
        let open = |family: u8| -> Rows<'a> {
            let (from, to) = keys::bounds(family, space, from, to);
            let range = view.range(Bound::Included(&from), Bound::Excluded(&to));
            if reverse { Box::new(range.rev()) } else { Box::new(range) }
        };
        Self {
            rows: open(family::CURRENT),
            history: open(family::HISTORY).peekable(),
            ready: std::collections::VecDeque::new(),
            pending: None,
            version: as_of.version,
            reverse,
            done: false,
        }
    }

    /// The next key of `history` with the envelope that held at the version, if one did.
    fn next_old(&mut self) -> Result<Option<Old>, ReadError> {
        // The one that held at the version: the first to be superseded after it.
        let mut first: Option<(Version, (Bytes, Bytes))> = None;
        let mut group_key: Option<Vec<u8>> = None;
        loop {
            match self.history.peek() {
                Some(Ok((key, _))) => {
                    let (_, user_key, tail) = keys::split(key)
                        .ok_or_else(|| damaged(key, "the key cannot be taken apart".to_owned()))?;
                    if group_key.as_ref().is_some_and(|own| *own != user_key) {
                        break;
                    }
                    let superseded = keys::version(tail)
                        .ok_or_else(|| damaged(key, "the key has no version".to_owned()))?;
                    group_key = Some(user_key);
                    if let Some(Ok(pair)) = self.history.next()
                        && superseded > self.version
                        && first.as_ref().is_none_or(|(version, _)| superseded < *version)
                    {
                        first = Some((superseded, pair));
                    }
                }
                Some(Err(_)) => {
                    if let Some(Err(error)) = self.history.next() {
                        return Err(error);
                    }
                }
                None => break,
            }
        }
        let Some(user_key) = group_key else { return Ok(None) };
        let held = match first {
            Some((_, (key, bytes))) => {
                Some(open_envelope(&key, &bytes)?).filter(|e| e.since() <= self.version)
            }
            None => None,
        };
        Ok(Some((user_key, held)))
    }

    fn before(&self, a: &[u8], b: &[u8]) -> bool {
        if self.reverse { a > b } else { a < b }
    }
}

impl Iterator for AsOfRange<'_> {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(item);
            }
            if self.done {
                return None;
            }
            if let Err(error) = self.fill() {
                self.done = true;
                return Some(Err(error));
            }
        }
    }
}

impl AsOfRange<'_> {
    /// Takes one current row and every older key up to it.
    fn fill(&mut self) -> Result<(), ReadError> {
        if self.pending.is_none() {
            self.pending = self.rows.next().transpose()?;
        }
        let current = match &self.pending {
            Some((key, bytes)) => {
                let (_, user_key, _) = keys::split(key)
                    .ok_or_else(|| damaged(key, "the key cannot be taken apart".to_owned()))?;
                Some((user_key, open_envelope(key, bytes)?))
            }
            None => None,
        };
        let peeked = match self.history.peek() {
            Some(Ok((key, _))) => Some(
                keys::split(key).ok_or_else(|| damaged(key, "the key cannot be taken apart".to_owned()))?.1,
            ),
            Some(Err(_)) => {
                return self.next_old().map(|_| ());
            }
            None => None,
        };
        let push = |ready: &mut std::collections::VecDeque<Item>, key: Vec<u8>, held: Option<Envelope>| {
            if let Some(value) = held.and_then(Envelope::into_value) {
                ready.push_back(Ok((key.into(), value)));
            }
        };
        match (current, peeked) {
            (None, None) => self.done = true,
            (Some((key, envelope)), old) if old.as_ref().is_none_or(|old| self.before(&key, old)) => {
                self.pending = None;
                push(&mut self.ready, key, Some(envelope).filter(|e| e.since() <= self.version));
            }
            (current, Some(old)) => {
                let held = self.next_old()?.and_then(|(_, held)| held);
                match current {
                    Some((key, envelope)) if key == old => {
                        self.pending = None;
                        let now = Some(envelope).filter(|e| e.since() <= self.version);
                        push(&mut self.ready, key, now.or(held));
                    }
                    _ => push(&mut self.ready, old, held),
                }
            }
            (Some(_), None) => unreachable!("the guard above takes every current row without an older key"),
        }
        Ok(())
    }
}
