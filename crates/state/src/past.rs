//! The past of single keys: what a name stood for, and the versions of a key in a space, dropped or not.

use crate::catalog::{CatalogEntry, ROOT, Scope};
use crate::error::StateError;
use crate::families::{Family, SpaceKind};
use crate::record::Record;
use crate::table::Stored;
use holdfast_store::versions::Versions;
use holdfast_store::{KeyState, Read, Snapshot, SpaceId, SpaceRecord, Version};

/// A space whose keys' versions can be walked. Unlike [`Space`](crate::Space) it may have been dropped.
#[derive(Debug, Clone)]
pub struct PastSpace {
    id: SpaceId,
    record: SpaceRecord,
    horizon: Version,
}

impl PastSpace {
    /// Opens a space of a kind; `None` if nothing of it is left, or what is left need not be whole: it was dropped, and the
    /// horizon has passed that.
    ///
    /// # Errors
    /// If it is of another kind or derived, or a read fails.
    pub fn open(read: &Snapshot, id: SpaceId, kind: SpaceKind) -> Result<Option<Self>, StateError> {
        let (Some(record), Some(horizon)) = (read.space(id)?, read.horizon_of(id)?) else { return Ok(None) };
        if record.kind != kind.number {
            return Err(StateError::OtherKind { space: id, expected: kind.name, found: record.kind });
        }
        if let Some((parent, version)) = record.derived_from {
            return Err(StateError::Derived { space: id, parent, version });
        }
        let whole = record.dropped.is_none_or(|dropped| dropped > horizon);
        Ok(whole.then_some(Self { id, record, horizon }))
    }

    /// When it was created and dropped.
    #[must_use]
    pub fn record(&self) -> &SpaceRecord {
        &self.record
    }

    /// From this version on everything is known; what is older may be missing.
    #[must_use]
    pub fn horizon(&self) -> Version {
        self.horizon
    }

    /// The versions of a key, newest first.
    ///
    /// # Errors
    /// If the read fails.
    pub fn versions_of<'a>(&self, read: &'a Snapshot, key: &'a [u8]) -> Result<Versions<'a>, StateError> {
        Ok(read.versions_of(self.id, key)?)
    }
}

/// What a name has stood for, newest first, as far back as that is kept: its entries, with the versions that wrote them.
///
/// # Errors
/// If a read fails or an entry is unreadable.
pub fn of_name(
    read: &Snapshot,
    scope: &Scope<'_>,
    name: &str,
) -> Result<Vec<Stored<CatalogEntry>>, StateError> {
    let Some(catalog) = read.root(ROOT)? else { return Ok(Vec::new()) };
    let Some(catalog) = PastSpace::open(read, catalog, SpaceKind::CATALOG)? else { return Ok(Vec::new()) };
    let key = scope.encode(name);
    let mut entries = Vec::new();
    for version in catalog.versions_of(read, &key)? {
        let KeyState::Value(value) = version?.state else { continue };
        let record = CatalogEntry::from_bytes(&value.payload).map_err(|cause| StateError::Unreadable {
            space: catalog.id,
            family: Family::CATALOG_ENTRY.name,
            key: key.as_slice().into(),
            cause: cause.into(),
        })?;
        entries.push(Stored { since: value.since, record });
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog;
    use crate::families::Resource;
    use crate::fixture::{run, store};
    use holdfast_store::{Change, HistoryLimits};

    const SCOPE: Scope<'static> =
        Scope { account: "000000000000", region: "", resource: Resource::DYNAMODB_TABLE };

    #[test]
    fn a_name_remembers_what_it_stood_for() {
        let store = store();
        assert!(of_name(&store.snapshot(), &SCOPE, "boats").unwrap().is_empty());
        let create = |definition: &'static [u8]| {
            run(&store, move |tx| catalog::create(tx, &SCOPE, "boats", "x", definition).unwrap().id())
        };
        let (first, created) = create(b"one");
        let key = [Family::DYNAMODB_ITEM.tag, 7];
        run(&store, move |tx| {
            let space = crate::Space::open(tx, first, SpaceKind::DYNAMODB_TABLE).unwrap();
            space.put(tx, &[Family::DYNAMODB_ITEM.tag, 7], b"v", 1).unwrap();
        });
        run(&store, |tx| catalog::redefine(tx, &SCOPE, "boats", b"two").unwrap());
        let (_, dropped) = run(&store, |tx| {
            catalog::remove(tx, &SCOPE, "boats").unwrap();
        });
        let (second, _) = create(b"three");
        let now = store.snapshot();
        let past = of_name(&now, &SCOPE, "boats").unwrap();
        let shown: Vec<_> = past.iter().map(|e| (e.record.space, &e.record.definition[..])).collect();
        assert_eq!(shown, [(second, &b"three"[..]), (first, b"two"), (first, b"one")]);
        assert_eq!(past[2].since, created);

        let gone = PastSpace::open(&now, first, SpaceKind::DYNAMODB_TABLE).unwrap().unwrap();
        assert_eq!((gone.record().created, gone.record().dropped), (created, Some(dropped)));
        let versions: Vec<_> = gone.versions_of(&now, &key).unwrap().map(Result::unwrap).collect();
        assert_eq!((versions.len(), versions[0].change), (1, Some(Change::Insert)));
        assert!(PastSpace::open(&now, first, SpaceKind::CATALOG).is_err());
        assert!(PastSpace::open(&now, SpaceId(99), SpaceKind::CATALOG).unwrap().is_none());

        while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).unwrap() {}
        let now = store.snapshot();
        assert!(PastSpace::open(&now, first, SpaceKind::DYNAMODB_TABLE).unwrap().is_none());
        assert!(PastSpace::open(&now, second, SpaceKind::DYNAMODB_TABLE).unwrap().is_some());
    }
}
