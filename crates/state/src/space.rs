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

    /// A space that is named by a definition found in this very state, where the two are created and dropped by the same
    /// commits: then it exists, and need not be looked up for each row that is read or written.
    #[must_use]
    pub fn defined(read: &(impl Read + ?Sized), id: SpaceId, kind: SpaceKind) -> Self {
        Self { id, kind, opened_at: read.version() }
    }

    /// A space that was opened before, in a state whose names and spaces are proved to be the same (see
    /// [`Structure`](holdfast_store::Structure)).
    pub(crate) fn again(read: &(impl Read + ?Sized), id: SpaceId, kind: SpaceKind) -> Self {
        Self { id, kind, opened_at: read.version() }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{run, store};
    use crate::key::KeyWriter;
    use holdfast_store::{ReadError, SpaceRecord};
    use proptest::prelude::*;

    const KIND: SpaceKind = SpaceKind::DYNAMODB_TABLE;
    const TAG: u8 = Family::DYNAMODB_ITEM.tag;

    /// A state that knows one space and nothing else.
    struct OneSpace(SpaceRecord);

    impl Read for OneSpace {
        fn get(&self, _: SpaceId, _: &[u8]) -> Result<Option<Value>, ReadError> {
            Ok(None)
        }
        fn range<'a>(
            &'a self,
            _: SpaceId,
            _: Bound<&[u8]>,
            _: Bound<&[u8]>,
            _: bool,
        ) -> Box<dyn Iterator<Item = Result<(Bytes, Value), ReadError>> + 'a> {
            Box::new(std::iter::empty())
        }
        fn counters(&self, _: SpaceId) -> Result<Counters, ReadError> {
            Ok(Counters::default())
        }
        fn space(&self, space: SpaceId) -> Result<Option<SpaceRecord>, ReadError> {
            Ok((space == SpaceId(5)).then(|| self.0.clone()))
        }
        fn root(&self, _: &str) -> Result<Option<SpaceId>, ReadError> {
            Ok(None)
        }
        fn version(&self) -> Version {
            10
        }
    }

    fn record() -> SpaceRecord {
        SpaceRecord {
            created: 3,
            dropped: None,
            complete_from: 3,
            kind: KIND.number,
            horizon: 0,
            retention_ms: None,
            dropped_ms: None,
            derived_from: None,
        }
    }

    fn open(record: SpaceRecord) -> Result<Space, StateError> {
        Space::open(&OneSpace(record), SpaceId(5), KIND)
    }

    #[test]
    fn only_a_readable_space_of_the_kind_opens() {
        assert_eq!(open(record()).map(|space| (space.id(), space.kind())).unwrap(), (SpaceId(5), KIND));
        let absent = |outcome| matches!(outcome, Err(StateError::NoSuchSpace { version: 10, .. }));
        assert!(absent(Space::open(&OneSpace(record()), SpaceId(6), KIND)));
        assert!(absent(open(SpaceRecord { created: 11, ..record() })));
        assert!(absent(open(SpaceRecord { complete_from: 11, ..record() })));
        assert!(absent(open(SpaceRecord { dropped: Some(10), ..record() })));
        assert!(open(SpaceRecord { dropped: Some(11), ..record() }).is_ok());
        let other = open(SpaceRecord { kind: 1, ..record() }).unwrap_err();
        assert_eq!(other.to_string(), "space 5 holds kind 1, not dynamodb table");
    }

    #[test]
    fn a_derived_space_is_refused() {
        let error = open(SpaceRecord { derived_from: Some((SpaceId(2), 7)), ..record() }).unwrap_err();
        let expected = "space 5 is derived from space 2 at version 7; use a build that knows derived spaces";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "in the state in which it was opened")]
    fn a_handle_is_not_carried_into_another_state() {
        let store = store();
        let (space, _) = run(&store, |tx| Space::create(tx, KIND).unwrap());
        run(&store, |tx| Space::create(tx, KIND).unwrap());
        let _ = space.get(&store.snapshot(), &[TAG]);
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "tag of a family")]
    fn a_key_of_no_family_is_a_mistake() {
        let _ = open(record()).unwrap().get(&OneSpace(record()), &[0xEE, 1]);
    }

    #[test]
    fn counters_follow_puts_and_deletes() {
        let store = store();
        let (id, _) = run(&store, |tx| {
            let space = Space::create(tx, KIND).unwrap();
            space.put(tx, &[TAG, 1], b"abc", 100).unwrap();
            space.put(tx, &[TAG, 2], b"", 7).unwrap();
            space.put(tx, &[TAG, 1], b"abcd", 40).unwrap();
            space.id()
        });
        let counters = |store: &holdfast_store::Store| {
            let now = store.snapshot();
            Space::open(&now, id, KIND).unwrap().counters(&now).unwrap()
        };
        assert_eq!(counters(&store), Counters { items: 2, bytes: 47 });
        let (existed, _) = run(&store, move |tx| {
            let space = Space::open(tx, id, KIND).unwrap();
            [1, 9].map(|key| space.delete(tx, &[TAG, key]).unwrap())
        });
        assert_eq!(existed, [true, false]);
        assert_eq!(counters(&store), Counters { items: 1, bytes: 7 });
        let now = store.snapshot();
        let space = Space::open(&now, id, KIND).unwrap();
        assert_eq!(space.get(&now, &[TAG, 1]).unwrap(), None);
        assert_eq!(&space.get(&now, &[TAG, 2]).unwrap().unwrap().payload[..], b"");
        run(&store, move |tx| Space::open(tx, id, KIND).unwrap().drop(tx).unwrap());
        assert!(Space::open(&store.snapshot(), id, KIND).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_page_is_what_a_filter_finds(
            keys in proptest::collection::btree_set(proptest::collection::vec(0u8..3, 0..4), 0..12),
            start in proptest::collection::vec(0u8..3, 0..2),
            after in proptest::option::of(proptest::collection::vec(0u8..3, 0..4)),
            reverse in any::<bool>(),
        ) {
            let tagged = |key: &[u8]| [&[TAG], key].concat();
            let store = store();
            let stored: Vec<_> = keys.iter().map(|key| tagged(key)).collect();
            let mut writer = KeyWriter::new(Family::DYNAMODB_ITEM);
            writer.raw(&start);
            let (prefix, after) = (writer.prefix(), after.map(|key| tagged(&key)));
            let page = |read: &dyn Read, space: Space| -> Vec<Vec<u8>> {
                let entries = space.prefix(read, &prefix, after.as_deref(), reverse);
                entries.map(|entry| entry.unwrap().0.to_vec()).collect()
            };
            let puts = stored.clone();
            let (id, _) = run(&store, move |tx| {
                let space = Space::create(tx, KIND).unwrap();
                for key in &puts {
                    space.put(tx, key, b"", 0).unwrap();
                }
                space.id()
            });
            let mut expected: Vec<_> = stored.into_iter()
                .filter(|key| key.starts_with(prefix.bytes()))
                .filter(|key| after.as_ref().is_none_or(|after| if reverse { key < after } else { key > after }))
                .collect();
            if reverse {
                expected.reverse();
            }
            let now = store.snapshot();
            prop_assert_eq!(page(&now, Space::open(&now, id, KIND).unwrap()), expected);
        }
    }
}
