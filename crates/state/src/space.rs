//! The handle through which user data is read and written.
//!
//! Nothing above this crate reads a space by its bare id: one day a space may be derived from another one, and then a
//! read goes through to the parent. This is the one place that will have to know.

use crate::error::StateError;
use crate::families::{Family, SpaceKind};
use crate::key::Prefix;
use bytes::Bytes;
use holdfast_store::{Counters, Read, SpaceId, Transaction, Value, Version};
use std::ops::Bound;

/// An entry of a space: key and value.
pub type Entry = Result<(Bytes, Value), StateError>;

/// A space that was found to exist, to be of the expected kind, and to be readable by this build.
///
/// A handle holds for the state in which it was opened, that is, for one transaction or one snapshot: names become spaces
/// inside the transaction, and no handle is carried from one to the next. Debug builds check this by the version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    id: SpaceId,
    kind: SpaceKind,
    /// Version of the state in which it was opened.
    opened_at: Version,
}

impl Space {
    /// Opens a space in the state `read`.
    ///
    /// # Errors
    /// If it does not exist there, is of another kind, or is derived.
    pub fn open(read: &(impl Read + ?Sized), id: SpaceId, kind: SpaceKind) -> Result<Self, StateError> {
        let version = read.version();
        let record = read
            .space(id)?
            .filter(|record| record.created <= version && record.complete_from <= version)
            .filter(|record| record.dropped.is_none_or(|dropped| version < dropped))
            .ok_or(StateError::NoSuchSpace { space: id, version })?;
        if record.kind != kind.number {
            return Err(StateError::OtherKind { space: id, expected: kind.name, found: record.kind });
        }
        if let Some((parent, version)) = record.derived_from {
            return Err(StateError::Derived { space: id, parent, version });
        }
        Ok(Self { id, kind, opened_at: version })
    }

    /// Creates an empty space.
    ///
    /// # Errors
    /// If the store cannot.
    pub fn create(tx: &mut Transaction<'_>, kind: SpaceKind) -> Result<Self, StateError> {
        let id = tx.create_space(kind.number)?;
        Ok(Self { id, kind, opened_at: tx.version() })
    }

    /// Drops the space. A small write whatever it holds: its rows are reclaimed later.
    ///
    /// # Errors
    /// If the store cannot, or it was dropped since it was opened.
    pub fn drop(self, tx: &mut Transaction<'_>) -> Result<(), StateError> {
        self.check_state(tx);
        Ok(tx.drop_space(self.id)?)
    }

    /// Its id: for what outlives a name, such as a job, and for messages.
    #[must_use]
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> SpaceKind {
        self.kind
    }

    fn check_state(&self, read: &(impl Read + ?Sized)) {
        debug_assert_eq!(
            self.opened_at,
            read.version(),
            "a space is used in the state in which it was opened"
        );
    }

    fn check_key(&self, key: &[u8]) {
        debug_assert!(
            Family::ALL.iter().any(|family| family.kind == self.kind && key.first() == Some(&family.tag)),
            "a key starts with the tag of a family of its kind of space"
        );
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If the read fails.
    pub fn get(&self, read: &(impl Read + ?Sized), key: &[u8]) -> Result<Option<Value>, StateError> {
        self.check_state(read);
        self.check_key(key);
        Ok(read.get(self.id, key)?)
    }

    /// The entries within bounds, ascending, or descending if `reverse`.
    pub fn range<'a, R: Read + ?Sized>(
        &self,
        read: &'a R,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        reverse: bool,
    ) -> impl Iterator<Item = Entry> + use<'a, R> {
        self.check_state(read);
        read.range(self.id, from, to, reverse).map(|entry| Ok(entry?))
    }

    /// The entries whose keys start with a prefix, ascending, or descending if `reverse`; from behind `after` on (in the
    /// chosen direction) if it is given, whether or not there is such a key.
    pub fn prefix<'a, R: Read + ?Sized>(
        &self,
        read: &'a R,
        prefix: &Prefix,
        after: Option<&[u8]>,
        reverse: bool,
    ) -> impl Iterator<Item = Entry> + use<'a, R> {
        let end = prefix.end();
        let mut from = Bound::Included(prefix.bytes());
        let mut to = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        // An `after` outside the prefix must not widen the range.
        if let Some(after) = after {
            let is_below = after < prefix.bytes();
            let is_above = end.as_deref().is_some_and(|end| after >= end);
            match (reverse, is_below, is_above) {
                (false, true, _) | (true, _, true) => {}
                (false, false, _) => from = Bound::Excluded(after),
                (true, _, false) => to = Bound::Excluded(after),
            }
        }
        self.range(read, from, to, reverse)
    }

    /// Exact number and size of what the space holds. Within a transaction: as they were when it began.
    ///
    /// # Errors
    /// If the read fails.
    pub fn counters(&self, read: &(impl Read + ?Sized)) -> Result<Counters, StateError> {
        self.check_state(read);
        Ok(read.counters(self.id)?)
    }

    /// Puts a value. `size` is its logical size, which the counters add up.
    ///
    /// # Errors
    /// If the store cannot take it.
    pub fn put(
        &self,
        tx: &mut Transaction<'_>,
        key: &[u8],
        payload: &[u8],
        size: u64,
    ) -> Result<(), StateError> {
        self.check_state(tx);
        self.check_key(key);
        Ok(tx.put(self.id, key, payload, size)?)
    }

    /// Deletes a key; answers whether it existed.
    ///
    /// # Errors
    /// If the read for that fails.
    pub fn delete(&self, tx: &mut Transaction<'_>, key: &[u8]) -> Result<bool, StateError> {
        self.check_state(tx);
        self.check_key(key);
        Ok(tx.delete(self.id, key)?)
    }
}
