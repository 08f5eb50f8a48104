//! Reading: the trait that operations read through, and the newest durable state.

use crate::engine::{ReadError, View};
use crate::envelope::{self, Envelope};
use crate::keys::{self, family};
use crate::records::{Meta, ServiceClock, SpaceRecord};
use crate::{Counters, SpaceId, Structure, Value, Version};
use bytes::Bytes;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

/// An entry of a space: user key and value.
pub type Item = Result<(Bytes, Value), ReadError>;

/// A state of the store: the newest durable one, an earlier one, or the one that a transaction is making.
pub trait Read {
    /// The value of a key in a space.
    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Value>, ReadError>;
    /// The entries within bounds, ascending, or descending if `reverse`.
    fn range<'a>(
        &'a self,
        space: SpaceId,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
    ) -> Box<dyn Iterator<Item = Item> + 'a>;
    /// Number and size of a space's items.
    fn counters(&self, space: SpaceId) -> Result<Counters, ReadError>;
    /// What is known of a space.
    fn space(&self, space: SpaceId) -> Result<Option<SpaceRecord>, ReadError>;
    /// The catalog space of a root.
    fn root(&self, name: &str) -> Result<Option<SpaceId>, ReadError>;
    /// The version read at, or being written.
    fn version(&self) -> Version;
    /// What names and spaces there are, if that is known to be the same wherever the same token is seen; `None` where
    /// nothing may be kept: in an earlier state, and in a transaction that has changed it.
    fn structure(&self) -> Option<Structure> {
        None
    }
}

/// A row whose bytes are not what they should be.
pub(crate) fn damaged(key: &[u8], cause: String) -> ReadError {
    let shown: String = key.iter().take(40).map(|b| format!("{b:02x}")).collect();
    ReadError { file: format!("the row with key {shown}"), cause }
}

pub(crate) fn open_envelope(key: &[u8], bytes: &Bytes) -> Result<Envelope, ReadError> {
    envelope::decode(bytes).map_err(|cause| damaged(key, cause))
}

/// Turns a `current` row into an entry; `None` for a tombstone.
pub(crate) fn entry(pair: Result<(Bytes, Bytes), ReadError>) -> Option<Item> {
    let (key, bytes) = match pair {
        Ok(pair) => pair,
        Err(error) => return Some(Err(error)),
    };
    let Some((_, user_key, [])) = keys::split(&key) else {
        return Some(Err(damaged(&key, "the key cannot be taken apart".to_owned())));
    };
    match open_envelope(&key, &bytes) {
        Ok(Envelope::Value(value)) => Some(Ok((user_key.into(), value))),
        Ok(Envelope::Tombstone { .. }) => None,
        Err(error) => Some(Err(error)),
    }
}

/// Reads the `meta` row.
pub(crate) fn meta_of(view: &dyn View) -> Result<Option<Meta>, ReadError> {
    let key = keys::meta();
    view.get(&key)?.map(|bytes| Meta::decode(&bytes).map_err(|cause| damaged(&key, cause))).transpose()
}

/// The newest durable state at the time it was taken. Hold it for seconds at most: it keeps memory and files.
#[derive(Clone)]
pub struct Snapshot {
    view: Arc<dyn View>,
    /// Which store of this process, and how many of its groups had been refused.
    store: (u64, u64),
    /// Read at most once.
    meta: OnceLock<Meta>,
}

impl Snapshot {
    pub(crate) fn new(view: Arc<dyn View>, store: (u64, u64)) -> Self {
        Self { view, store, meta: OnceLock::new() }
    }

    pub(crate) fn view(&self) -> &dyn View {
        self.view.as_ref()
    }

    /// How the service clock stands in this state.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn service_clock(&self) -> Result<ServiceClock, ReadError> {
        Ok(self.meta()?.clock)
    }

    pub(crate) fn meta(&self) -> Result<&Meta, ReadError> {
        if let Some(meta) = self.meta.get() {
            return Ok(meta);
        }
        let meta = meta_of(self.view())?.unwrap_or_else(Meta::new);
        Ok(self.meta.get_or_init(|| meta))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("commit", &self.view.commit_number()).finish()
    }
}

impl Read for Snapshot {
    fn get(&self, space: SpaceId, key: &[u8]) -> Result<Option<Value>, ReadError> {
        let key = keys::current(space, key);
        let Some(bytes) = self.view.get(&key)? else { return Ok(None) };
        Ok(open_envelope(&key, &bytes)?.into_value())
    }

    fn range<'a>(
        &'a self,
        space: SpaceId,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
    ) -> Box<dyn Iterator<Item = Item> + 'a> {
        let (from, to) = keys::bounds(family::CURRENT, space, from, to);
        let rows = self.view.range(Bound::Included(&from), Bound::Excluded(&to));
        if reverse { Box::new(rows.rev().filter_map(entry)) } else { Box::new(rows.filter_map(entry)) }
    }

    fn counters(&self, space: SpaceId) -> Result<Counters, ReadError> {
        let key = keys::counters(space);
        let row = self.view.get(&key)?.map(|bytes| Counters::decode(&bytes).map_err(|c| damaged(&key, c)));
        Ok(row.transpose()?.unwrap_or_default())
    }

    fn space(&self, space: SpaceId) -> Result<Option<SpaceRecord>, ReadError> {
        let key = keys::spaces(space);
        self.view
            .get(&key)?
            .map(|bytes| SpaceRecord::decode(&bytes).map_err(|c| damaged(&key, c)))
            .transpose()
    }

    fn root(&self, name: &str) -> Result<Option<SpaceId>, ReadError> {
        let key = keys::roots(name);
        self.view.get(&key)?.map(|bytes| root_space(&key, &bytes)).transpose()
    }

    fn version(&self) -> Version {
        self.meta().map_or(0, |meta| meta.last_version())
    }

    fn structure(&self) -> Option<Structure> {
        let (store, refusals) = self.store;
        Some(Structure { store, version: self.meta().ok()?.structure, refusals })
    }
}

/// Decodes the value of a `roots` row.
pub(crate) fn root_space(key: &[u8], bytes: &[u8]) -> Result<SpaceId, ReadError> {
    let number =
        bytes.try_into().map_err(|_| damaged(key, "a root record of the wrong length".to_owned()))?;
    Ok(SpaceId(u32::from_be_bytes(number)))
}
