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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::SpaceKind;
    use crate::fixture::{run, store};
    use crate::record::{FieldReader, FieldWriter, RecordError};

    #[derive(Debug, Clone, PartialEq)]
    struct Count(u64);

    impl Record for Count {
        const VERSION: u8 = 2;
        fn encode(&self, out: &mut Vec<u8>) {
            FieldWriter::new(out).unsigned(self.0);
        }
        /// Version 1 counted in thousands.
        fn decode(version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
            let mut fields = FieldReader::new(bytes);
            let count = fields.unsigned()?;
            fields.finish()?;
            Ok(Self(if version == 1 { count * 1_000 } else { count }))
        }
    }

    const FAMILY: Family = Family::DYNAMODB_ITEM;
    const COUNTS: Table<(String, u32), Count> = Table::new(FAMILY);

    fn key(name: &str, number: u32) -> (String, u32) {
        (name.to_owned(), number)
    }

    #[test]
    fn rows_are_put_found_scanned_and_deleted() {
        let store = store();
        let (id, version) = run(&store, |tx| {
            let space = Space::create(tx, SpaceKind::DYNAMODB_TABLE).unwrap();
            for (name, number) in [("a", 1), ("a", 300), ("b", 2), ("", 9)] {
                COUNTS.put(tx, space, &key(name, number), &Count(u64::from(number))).unwrap();
            }
            space.id()
        });
        let now = store.snapshot();
        let space = Space::open(&now, id, SpaceKind::DYNAMODB_TABLE).unwrap();
        let found = COUNTS.get(&now, space, &key("a", 300)).unwrap();
        assert_eq!(found, Some(Stored { since: version, record: Count(300) }));
        assert_eq!(COUNTS.get(&now, space, &key("a", 2)).unwrap(), None);
        let scan = |prefix: Prefix, after: Option<&(String, u32)>, reverse| -> Vec<(String, u32)> {
            COUNTS.scan(&now, space, &prefix, after, reverse).map(|row| row.unwrap().0).collect()
        };
        let all = [key("", 9), key("a", 1), key("a", 300), key("b", 2)];
        assert_eq!(scan(COUNTS.all(), None, false), all);
        assert_eq!(scan(COUNTS.all(), Some(&key("a", 1)), false), all[2..]);
        assert_eq!(scan(COUNTS.all(), Some(&key("a", 1)), true), all[..1]);
        assert_eq!(scan(COUNTS.starting_with(&"a".to_owned()), None, true), [key("a", 300), key("a", 1)]);
        let counters = space.counters(&now).unwrap();
        let bytes = all.iter().map(|key| key.encode(FAMILY).len() as u64).sum::<u64>();
        // Version byte and number: one byte each, but for 300.
        assert_eq!((counters.items, counters.bytes), (4, bytes + 4 * 2 + 1));
        let (existed, _) = run(&store, move |tx| {
            let space = Space::open(tx, id, SpaceKind::DYNAMODB_TABLE).unwrap();
            [("a", 1), ("a", 2)].map(|(name, number)| COUNTS.delete(tx, space, &key(name, number)).unwrap())
        });
        assert_eq!(existed, [true, false]);
    }

    #[test]
    fn older_rows_migrate_and_unreadable_ones_are_named() {
        let store = store();
        let (id, _) = run(&store, |tx| {
            let space = Space::create(tx, SpaceKind::DYNAMODB_TABLE).unwrap();
            space.put(tx, &key("old", 0).encode(FAMILY), &[1, 5], 0).unwrap();
            space.put(tx, &key("new", 0).encode(FAMILY), &[3, 5], 0).unwrap();
            space.put(tx, &[FAMILY.tag, b'?'], &[2, 5], 0).unwrap();
            space.id()
        });
        let now = store.snapshot();
        let space = Space::open(&now, id, SpaceKind::DYNAMODB_TABLE).unwrap();
        assert_eq!(COUNTS.get(&now, space, &key("old", 0)).unwrap().unwrap().record, Count(5_000));
        let rows: Vec<_> = COUNTS.scan(&now, space, &COUNTS.all(), None, false).collect();
        let messages: Vec<_> =
            rows.iter().filter_map(|row| row.as_ref().err().map(ToString::to_string)).collect();
        assert_eq!(rows.len(), 3);
        assert_eq!(messages.len(), 2);
        assert!(messages[0].contains("key \\x01?: the key ends inside a string"), "{messages:?}");
        assert!(messages[1].contains("record version 3 is newer than 2"), "{messages:?}");
    }
}
