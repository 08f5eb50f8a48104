//! A transaction: what one operation reads and writes, on the executor thread.

use crate::engine::{Pair, ReadError};
use crate::envelope;
use crate::history;
use crate::keys::{self, family};
use crate::losses;
use crate::overlay::{Overlay, Staged, merge};
use crate::read::{Item, Read, damaged, entry, open_envelope, root_space};
use crate::records::{BlobRecord, Meta, Pin, ServiceClock, SpaceRecord};
use crate::{BlobId, Counters, HistoryError, SpaceId, Structure, TxError, Value, Version};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A value that this transaction put.
#[derive(Debug, Clone)]
pub(crate) struct NewValue {
    pub(crate) payload: Bytes,
    pub(crate) size: u64,
    pub(crate) blobs: Vec<BlobId>,
}

/// Reads and writes of one operation. Nothing of it is seen by others until the operation ends with `Keep`.
pub struct Transaction<'a> {
    pub(crate) base: Overlay<'a>,
    /// `meta` as it would be after this operation; the executor keeps it if the operation is kept.
    pub(crate) meta: Meta,
    /// User data, by engine key in `current`.
    pub(crate) items: BTreeMap<Bytes, Option<NewValue>>,
    /// Rows without versions of their own: spaces, roots, pins, blobs, jobs, and what the trimmer takes away.
    pub(crate) raw: Staged,
    /// Whether this operation gets a version if it changes anything. Only trimming and cursors have none.
    pub(crate) versioned: bool,
    pub(crate) service_ms: u64,
    pub(crate) limit_bytes: usize,
    pub(crate) written_bytes: usize,
    pub(crate) clock_before: ServiceClock,
    /// Which store of this process, and how many of its groups were refused.
    pub(crate) store: (u64, u64),
    /// Spaces that hold names: roots' catalogs.
    pub(crate) catalogs: &'a [SpaceId],
}

impl std::fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").field("version", &self.meta.next_version).finish()
    }
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(
        base: Overlay<'a>,
        meta: Meta,
        service_ms: u64,
        limit_bytes: usize,
        (store, catalogs): ((u64, u64), &'a [SpaceId]),
    ) -> Self {
        let clock_before = meta.clock;
        Self {
            clock_before,
            store,
            catalogs,
            base,
            meta,
            items: BTreeMap::new(),
            raw: Staged::new(),
            versioned: true,
            service_ms,
            limit_bytes,
            written_bytes: 0,
        }
    }

    /// Service time of this operation, in milliseconds since 1970. Prefer the time fixed in a request's context.
    #[must_use]
    pub fn service_now_ms(&self) -> u64 {
        self.service_ms
    }

    /// Puts a value. `size` is its logical size, which the space's counters add up.
    ///
    /// # Errors
    /// If the key is too long.
    pub fn put(&mut self, space: SpaceId, key: &[u8], payload: &[u8], size: u64) -> Result<(), TxError> {
        self.put_with_blobs(space, key, payload, size, Vec::new())
    }

    /// Puts a value that names blobs, which were registered with [`Transaction::register_blob`] now or earlier.
    ///
    /// # Errors
    /// If the key is too long or a blob is unknown.
    pub fn put_with_blobs(
        &mut self,
        space: SpaceId,
        key: &[u8],
        payload: &[u8],
        size: u64,
        blobs: Vec<BlobId>,
    ) -> Result<(), TxError> {
        if key.len() > keys::USER_KEY_BYTES_MAX {
            return Err(TxError::KeyTooLong(key.len()));
        }
        for blob in &blobs {
            if self.raw_get(&keys::blobs(*blob))?.is_none() {
                return Err(TxError::NoSuchBlob(*blob));
            }
        }
        self.written_bytes += key.len() + payload.len();
        let value = NewValue { payload: Bytes::copy_from_slice(payload), size, blobs };
        self.items.insert(keys::current(space, key), Some(value));
        Ok(())
    }

    /// Deletes a key; answers whether it existed.
    ///
    /// # Errors
    /// If reading fails.
    pub fn delete(&mut self, space: SpaceId, key: &[u8]) -> Result<bool, TxError> {
        let existed = self.get(space, key)?.is_some();
        if existed {
            self.written_bytes += key.len();
            self.items.insert(keys::current(space, key), None);
        }
        Ok(existed)
    }

    /// Creates an empty space.
    ///
    /// # Errors
    /// If writing its record fails.
    pub fn create_space(&mut self, kind: u16) -> Result<SpaceId, TxError> {
        let space = SpaceId(self.meta.next_space);
        self.meta.next_space = self.meta.next_space.checked_add(1).ok_or(TxError::NoSpacesLeft)?;
        let version = self.meta.next_version;
        let record = SpaceRecord {
            created: version,
            dropped: None,
            complete_from: version,
            kind,
            horizon: 0,
            retention_ms: None,
            dropped_ms: None,
            derived_from: None,
        };
        self.raw_put(keys::spaces(space), record.encode().into());
        Ok(space)
    }

    /// Drops a space. This is a small commit: its rows are reclaimed later, when nothing can read them any more.
    ///
    /// # Errors
    /// If there is no such space, or it was dropped before.
    pub fn drop_space(&mut self, space: SpaceId) -> Result<(), TxError> {
        let mut record =
            self.space(space)?.filter(|r| r.dropped.is_none()).ok_or(TxError::NoSuchSpace(space))?;
        record.dropped = Some(self.meta.next_version);
        self.raw_put(keys::spaces(space), record.encode().into());
        Ok(())
    }

    /// Points a root at a catalog space.
    ///
    /// # Errors
    /// If writing fails.
    pub fn set_root(&mut self, name: &str, catalog: SpaceId) -> Result<(), TxError> {
        self.raw_put(keys::roots(name), Bytes::copy_from_slice(&catalog.0.to_be_bytes()));
        Ok(())
    }

    /// Holds back the history of one space, or of everything, at a version (the newest one if `None`).
    ///
    /// # Errors
    /// If that version can no longer be read.
    pub fn create_pin(
        &mut self,
        root: &str,
        space: Option<SpaceId>,
        version: Option<Version>,
        label: &str,
    ) -> Result<(u64, Version), TxError> {
        let newest = self.meta.last_version();
        let version = version.unwrap_or(newest);
        let global = history::horizon(&self.meta, newest);
        let horizon = match space {
            Some(space) => {
                let record = self.space(space)?.ok_or(TxError::NoSuchSpace(space))?;
                history::space_horizon(&record, global)
            }
            None if version == newest => global,
            None => self.horizons(version)?.max(global),
        };
        if version > newest {
            return Err(HistoryError::Future { version, newest }.into());
        }
        let (from, to) = losses::bounds(version);
        losses::refuse_lost(self.raw_range(&from, &to, true), version)?;
        if version < horizon && !self.pinned(space, version)? {
            return Err(HistoryError::Trimmed { version, horizon }.into());
        }
        let id = self.meta.next_pin;
        self.meta.next_pin += 1;
        let pin = Pin { version, root: root.into(), space, label: label.into() };
        self.raw_put(keys::pins(id), pin.encode().into());
        Ok((id, version))
    }

    /// The latest horizon of any space that existed at a version.
    fn horizons(&self, version: Version) -> Result<Version, ReadError> {
        let (from, to) = keys::whole(family::SPACES);
        let mut latest = 0;
        for row in self.raw_range(&from, &to, false) {
            let (key, bytes) = row?;
            let record = SpaceRecord::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
            let existed = record.created <= version && record.dropped.is_none_or(|dropped| version < dropped);
            if existed {
                latest = latest.max(record.horizon);
            }
        }
        Ok(latest)
    }

    /// Gives a space a history window of its own, on the real clock, longer or shorter than everybody else's; `None` takes
    /// it away again. What was trimmed before does not come back.
    ///
    /// # Errors
    /// If there is no such space, or it was dropped.
    pub fn set_retention(&mut self, space: SpaceId, retention_ms: Option<u64>) -> Result<(), TxError> {
        let mut record =
            self.space(space)?.filter(|r| r.dropped.is_none()).ok_or(TxError::NoSuchSpace(space))?;
        if record.retention_ms == retention_ms {
            return Ok(());
        }
        record.horizon =
            history::space_horizon(&record, history::horizon(&self.meta, self.meta.last_version()));
        if retention_ms.is_none() {
            // What it held back beyond everybody's window goes: the trimmer looks again.
            self.meta.trimmed_to = 0;
        }
        record.retention_ms = retention_ms;
        self.raw_put(keys::spaces(space), record.encode().into());
        Ok(())
    }

    /// Whether a pin of at least this width holds exactly this version.
    fn pinned(&self, space: Option<SpaceId>, version: Version) -> Result<bool, ReadError> {
        let wide = |pin: &Pin| pin.space.is_none() || pin.space == space;
        Ok(self.pins()?.iter().any(|(_, pin)| pin.version == version && wide(pin)))
    }

    /// All pins, by id.
    ///
    /// # Errors
    /// If reading fails.
    pub fn pins(&self) -> Result<Vec<(u64, Pin)>, ReadError> {
        let (from, to) = keys::whole(family::PINS);
        self.raw_range(&from, &to, false).map(|row| decode_pin(row?)).collect()
    }

    /// Releases a pin; answers whether it existed. The trimmer looks again at what it held.
    ///
    /// # Errors
    /// If reading fails.
    pub fn delete_pin(&mut self, id: u64) -> Result<bool, TxError> {
        let key = keys::pins(id);
        if self.raw_get(&key)?.is_none() {
            return Ok(false);
        }
        self.raw.insert(key, None);
        self.meta.trimmed_to = 0;
        Ok(true)
    }

    /// How the service clock stands, with what this transaction has made of it.
    #[must_use]
    pub fn service_clock(&self) -> ServiceClock {
        self.meta.clock
    }

    /// Whether this transaction has changed the service clock.
    pub(crate) fn changes_clock(&self) -> bool {
        self.meta.clock != self.clock_before
    }

    /// Changes the service clock: an operation with a version, even if it changes nothing else. Jobs that wait for a time of
    /// it are looked at as soon as this is durable.
    pub fn set_service_clock(&mut self, clock: ServiceClock) {
        self.meta.clock = clock;
    }

    /// Makes a blob known, with no reference yet; a value put in this transaction must name it.
    ///
    /// # Errors
    /// If reading fails.
    pub fn register_blob(&mut self, blob: BlobId, len: u64, checksum: [u8; 16]) -> Result<(), TxError> {
        if self.blob(blob)?.is_some() {
            return Err(TxError::BlobExists(blob));
        }
        let record = BlobRecord { len, checksum, references: 0 };
        self.raw_put(keys::blobs(blob), record.encode().into());
        Ok(())
    }

    /// What is known of a blob.
    ///
    /// # Errors
    /// If reading fails.
    pub fn blob(&self, blob: BlobId) -> Result<Option<BlobRecord>, ReadError> {
        let key = keys::blobs(blob);
        self.raw_get(&key)?.map(|b| BlobRecord::decode(&b).map_err(|c| damaged(&key, c))).transpose()
    }

    /// Whether this transaction has changed a name, a root or a space.
    pub(crate) fn changes_structure(&self) -> bool {
        let structural = |key: &Bytes| matches!(key[0], family::SPACES | family::ROOTS);
        let named = |space: &SpaceId| {
            let (from, to) = keys::whole_space(family::CURRENT, *space);
            let bounds = (Bound::Included(from.as_slice()), Bound::Excluded(to.as_slice()));
            self.items.range::<[u8], _>(bounds).next().is_some()
        };
        self.raw.keys().any(structural) || self.catalogs.iter().any(named)
    }

    pub(crate) fn raw_put(&mut self, key: Bytes, value: Bytes) {
        self.written_bytes += key.len() + value.len();
        self.raw.insert(key, Some(value));
    }

    pub(crate) fn raw_get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        match self.raw.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.get(key),
        }
    }

    pub(crate) fn raw_range<'b>(
        &'b self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
    ) -> Box<dyn Iterator<Item = Result<Pair, ReadError>> + 'b> {
        let own: Vec<_> = if from < to {
            let bounds = (Bound::Included(from), Bound::Excluded(to));
            self.raw.range::<[u8], _>(bounds).map(|(k, v)| (k.clone(), v.clone())).collect()
        } else {
            Vec::new()
        };
        over(own, self.base.range(from, to, reverse), reverse)
    }

    fn own_value(&self, value: &NewValue) -> Value {
        Value {
            since: self.meta.next_version,
            size: value.size,
            payload: value.payload.clone(),
            blobs: value.blobs.clone(),
        }
    }
}

/// Own writes over the rows below, in one direction.
fn over<'a>(
    own: Vec<(Bytes, Option<Bytes>)>,
    rows: Box<dyn Iterator<Item = Result<Pair, ReadError>> + 'a>,
    reverse: bool,
) -> Box<dyn Iterator<Item = Result<Pair, ReadError>> + 'a> {
    if own.is_empty() {
        return rows;
    }
    if reverse {
        Box::new(merge(Box::new(own.into_iter().rev()), rows, reverse))
    } else {
        Box::new(merge(Box::new(own.into_iter()), rows, reverse))
    }
}

pub(crate) fn decode_pin((key, bytes): Pair) -> Result<(u64, Pin), ReadError> {
    let id = keys::version(&key[1..]).ok_or_else(|| damaged(&key, "a pin's key is damaged".to_owned()))?;
    Ok((id, Pin::decode(&bytes).map_err(|cause| damaged(&key, cause))?))
}

impl Read for Transaction<'_> {
    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Value>, ReadError> {
        let key = keys::current(space, key);
        match self.items.get(&key) {
            Some(own) => Ok(own.as_ref().map(|value| self.own_value(value))),
            None => match self.base.get(&key)? {
                Some(bytes) => Ok(open_envelope(&key, &bytes)?.into_value()),
                None => Ok(None),
            },
        }
    }

    fn range<'a>(
        &'a self,
        space: SpaceId,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
    ) -> Box<dyn Iterator<Item = Item> + 'a> {
        let (from, to) = keys::bounds(family::CURRENT, space, from, to);
        let own: Vec<_> = if from < to {
            let bounds = (Bound::Included(from.as_slice()), Bound::Excluded(to.as_slice()));
            let encode = |value: &NewValue| {
                envelope::encode(self.meta.next_version, value.size, &value.blobs, &value.payload)
            };
            self.items.range::<[u8], _>(bounds).map(|(k, v)| (k.clone(), v.as_ref().map(encode))).collect()
        } else {
            Vec::new()
        };
        Box::new(over(own, self.base.range(&from, &to, reverse), reverse).filter_map(entry))
    }

    /// Counters as they were when this operation began: its own writes count when it ends.
    fn counters(&self, space: SpaceId) -> Result<Counters, ReadError> {
        let key = keys::counters(space);
        let row = self.raw_get(&key)?.map(|bytes| Counters::decode(&bytes).map_err(|c| damaged(&key, c)));
        Ok(row.transpose()?.unwrap_or_default())
    }

    fn space(&self, space: SpaceId) -> Result<Option<SpaceRecord>, ReadError> {
        let key = keys::spaces(space);
        self.raw_get(&key)?.map(|b| SpaceRecord::decode(&b).map_err(|c| damaged(&key, c))).transpose()
    }

    fn root(&self, name: &str) -> Result<Option<SpaceId>, ReadError> {
        let key = keys::roots(name);
        self.raw_get(&key)?.map(|bytes| root_space(&key, &bytes)).transpose()
    }

    fn version(&self) -> Version {
        self.meta.next_version
    }

    fn structure(&self) -> Option<Structure> {
        let same = !self.changes_structure();
        let (store, refusals) = self.store;
        same.then_some(Structure { store, version: self.meta.structure, refusals })
    }
}
