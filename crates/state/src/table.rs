//! Typed tables: a family of keys and the records behind them.

use crate::error::{Damage, StateError};
use crate::families::Family;
use crate::key::{Key, KeyWriter, Prefix};
use crate::record::Record;
use crate::space::Space;
use holdfast_store::{Read, Transaction, Value, Version};
use std::marker::PhantomData;

/// A record with the version that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<R> {
    /// Version that wrote it.
    pub since: Version,
    /// The record, in its present form.
    pub record: R,
}

/// What a scan yields.
pub type Row<K, R> = Result<(K, Stored<R>), StateError>;

/// A family as a map from keys to records, in any space of its kind.
pub struct Table<K, R> {
    family: Family,
    types: PhantomData<fn() -> (K, R)>,
}

impl<K, R> std::fmt::Debug for Table<K, R> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Table").field(&self.family.name).finish()
    }
}

impl<K: Key, R: Record> Table<K, R> {
    /// The table of a family.
    #[must_use]
    pub const fn new(family: Family) -> Self {
        Self { family, types: PhantomData }
    }

    fn check(&self, space: Space) {
        debug_assert_eq!(space.kind(), self.family.kind, "a table is used in spaces of its family's kind");
    }

    fn decode(&self, space: Space, key: &[u8], value: &Value) -> Result<Stored<R>, StateError> {
        match R::from_bytes(&value.payload) {
            Ok(record) => Ok(Stored { since: value.since, record }),
            Err(cause) => Err(self.unreadable(space, key, cause)),
        }
    }

    fn unreadable(&self, space: Space, key: &[u8], cause: impl Into<Damage>) -> StateError {
        StateError::Unreadable {
            space: space.id(),
            family: self.family.name,
            key: key.into(),
            cause: cause.into(),
        }
    }

    /// The record of a key.
    ///
    /// # Errors
    /// If the read fails or the record is unreadable.
    pub fn get(
        &self,
        read: &(impl Read + ?Sized),
        space: Space,
        key: &K,
    ) -> Result<Option<Stored<R>>, StateError> {
        self.get_encoded(read, space, &key.encode(self.family))
    }

    /// As [`Table::get`], by a key that was encoded without making a `K` first.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn get_encoded(
        &self,
        read: &(impl Read + ?Sized),
        space: Space,
        key: &[u8],
    ) -> Result<Option<Stored<R>>, StateError> {
        self.check(space);
        space.get(read, key)?.map(|value| self.decode(space, key, &value)).transpose()
    }

    /// Puts a record, in its present version. Its logical size is that of key and record.
    ///
    /// # Errors
    /// If the store cannot take it.
    pub fn put(&self, tx: &mut Transaction<'_>, space: Space, key: &K, record: &R) -> Result<(), StateError> {
        self.check(space);
        let key = key.encode(self.family);
        let payload = record.to_bytes();
        space.put(tx, &key, &payload, (key.len() + payload.len()) as u64)
    }

    /// Deletes a key; answers whether it existed.
    ///
    /// # Errors
    /// If the read for that fails.
    pub fn delete(&self, tx: &mut Transaction<'_>, space: Space, key: &K) -> Result<bool, StateError> {
        self.check(space);
        space.delete(tx, &key.encode(self.family))
    }

    /// The prefix of every key of the table.
    #[must_use]
    pub fn all(&self) -> Prefix {
        KeyWriter::new(self.family).prefix()
    }

    /// The prefix of the keys that start with `parts`.
    #[must_use]
    pub fn starting_with(&self, parts: &impl Key) -> Prefix {
        let mut key = KeyWriter::new(self.family);
        parts.write(&mut key);
        key.prefix()
    }

    /// The rows whose keys start with a prefix, ascending, or descending if `reverse`; from behind `after` on (in the
    /// chosen direction) if it is given, whether or not there is such a key.
    pub fn scan<'a, S: Read + ?Sized>(
        &'a self,
        read: &'a S,
        space: Space,
        prefix: &Prefix,
        after: Option<&K>,
        reverse: bool,
    ) -> impl Iterator<Item = Row<K, R>> + use<'a, K, R, S> {
        self.check(space);
        let after = after.map(|key| key.encode(self.family));
        space.prefix(read, prefix, after.as_deref(), reverse).map(move |entry| {
            let (bytes, value) = entry?;
            let key =
                K::decode(self.family, &bytes).map_err(|cause| self.unreadable(space, &bytes, cause))?;
            Ok((key, self.decode(space, &bytes, &value)?))
        })
    }
}
