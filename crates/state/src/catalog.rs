//! The catalog: (account, region, service, kind, name) to space and definition.
//!
//! The root record `main` names the catalog's space; both are made by the first operation that needs them, inside its
//! transaction. The catalog is a versioned space like any other: what a name meant at an earlier version can be read, and
//! all reads here work on a snapshot, on an earlier state and within a transaction.

use crate::error::StateError;
use crate::families::{Family, Resource, SpaceKind};
use crate::key::{Key, KeyError, KeyReader, KeyWriter, Prefix};
use crate::record::{FieldReader, FieldWriter, Record, RecordError};
use crate::space::Space;
use crate::table::{Stored, Table};
use bytes::Bytes;
use holdfast_store::{Read, SpaceId, Transaction};

mod resolved;

/// The root that everything stands under.
pub const ROOT: &str = "main";

const ENTRIES: Table<CatalogKey, CatalogEntry> = Table::new(Family::CATALOG_ENTRY);

/// Where names of one kind of resource live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Account id.
    pub account: &'a str,
    /// Region; empty for what has none.
    pub region: &'a str,
    /// Kind of resource.
    pub resource: Resource,
}

impl Scope<'_> {
    fn writer(&self) -> KeyWriter {
        let mut key = KeyWriter::with_capacity(Family::CATALOG_ENTRY, 128);
        key.str(self.account).str(self.region).str(self.resource.service).str(self.resource.kind);
        key
    }

    fn prefix(&self) -> Prefix {
        self.writer().prefix()
    }

    pub(crate) fn encode(&self, name: &str) -> Vec<u8> {
        let mut key = self.writer();
        key.str(name);
        key.finish()
    }

    fn key(&self, name: &str) -> CatalogKey {
        CatalogKey {
            account: self.account.to_owned(),
            region: self.region.to_owned(),
            service: self.resource.service.to_owned(),
            kind: self.resource.kind.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// A full name. Sorts by its fields in order, each by its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogKey {
    /// Account id.
    pub account: String,
    /// Region; empty for what has none.
    pub region: String,
    /// Service of the resource.
    pub service: String,
    /// Kind within the service.
    pub kind: String,
    /// Name, as clients know it.
    pub name: String,
}

impl Key for CatalogKey {
    fn write(&self, key: &mut KeyWriter) {
        key.str(&self.account).str(&self.region).str(&self.service).str(&self.kind).str(&self.name);
    }

    fn read(key: &mut KeyReader<'_>) -> Result<Self, KeyError> {
        Ok(Self {
            account: key.str()?,
            region: key.str()?,
            service: key.str()?,
            kind: key.str()?,
            name: key.str()?,
        })
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Where its data are.
    pub space: SpaceId,
    /// How `status` and jobs call the space, also after the name is gone.
    pub label: Box<str>,
    /// The service's own versioned record.
    pub definition: Bytes,
}

impl Record for CatalogEntry {
    const VERSION: u8 = 1;

    fn encode(&self, out: &mut Vec<u8>) {
        let mut fields = FieldWriter::new(out);
        fields.unsigned(u64::from(self.space.0)).str(&self.label).bytes(&self.definition);
    }

    fn decode(_version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut fields = FieldReader::new(bytes);
        let entry = Self {
            space: SpaceId(fields.unsigned_as()?),
            label: fields.str()?.into(),
            definition: Bytes::copy_from_slice(fields.bytes()?),
        };
        fields.finish()?;
        Ok(entry)
    }
}

/// Opens the catalog; `None` if nothing was ever created.
fn open(read: &(impl Read + ?Sized)) -> Result<Option<Space>, StateError> {
    read.root(ROOT)?.map(|id| Space::open(read, id, SpaceKind::CATALOG)).transpose()
}

/// Opens the catalog, making it and the root record at first use.
///
/// # Errors
/// If the store fails.
pub fn ensure_root(tx: &mut Transaction<'_>) -> Result<Space, StateError> {
    if let Some(catalog) = open(tx)? {
        return Ok(catalog);
    }
    let catalog = Space::create(tx, SpaceKind::CATALOG)?;
    tx.set_root(ROOT, catalog.id())?;
    Ok(catalog)
}

/// What a name stands for, if there is such a name. The version that wrote the entry identifies its definition.
///
/// # Errors
/// If a read fails or the entry is unreadable.
pub fn find(
    read: &(impl Read + ?Sized),
    scope: &Scope<'_>,
    name: &str,
) -> Result<Option<Stored<CatalogEntry>>, StateError> {
    match open(read)? {
        Some(catalog) => ENTRIES.get_encoded(read, catalog, &scope.encode(name)),
        None => Ok(None),
    }
}

/// As [`find`], and opens the space that the name stands for.
///
/// # Errors
/// As [`find`], or if that space cannot be opened.
pub fn resolve(
    read: &(impl Read + ?Sized),
    scope: &Scope<'_>,
    name: &str,
) -> Result<Option<(Space, Stored<CatalogEntry>)>, StateError> {
    let key = scope.encode(name);
    let structure = read.structure();
    if let Some(entry) = structure.and_then(|structure| resolved::get(structure, &key)) {
        return Ok(Some((Space::again(read, entry.record.space, scope.resource.space), entry)));
    }
    let Some(catalog) = open(read)? else { return Ok(None) };
    let Some(entry) = ENTRIES.get_encoded(read, catalog, &key)? else { return Ok(None) };
    let space = Space::open(read, entry.record.space, scope.resource.space)?;
    if let Some(structure) = structure {
        resolved::keep(structure, key, &entry);
    }
    Ok(Some((space, entry)))
}

/// Up to `limit` names of a scope with their entries, in the order of the names' bytes, beginning behind `after`, which
/// need not exist.
///
/// # Errors
/// If a read fails or an entry is unreadable.
pub fn list(
    read: &(impl Read + ?Sized),
    scope: &Scope<'_>,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, Stored<CatalogEntry>)>, StateError> {
    let Some(catalog) = open(read)? else { return Ok(Vec::new()) };
    let after = after.map(|name| scope.key(name));
    let rows = ENTRIES.scan(read, catalog, &scope.prefix(), after.as_ref(), false);
    rows.take(limit).map(|row| row.map(|(key, entry)| (key.name, entry))).collect()
}

/// Up to `limit` entries of all accounts, regions, services and kinds, in the order of their keys, beginning behind
/// `after`. For `status`, archives and the console.
///
/// # Errors
/// If a read fails or an entry is unreadable.
pub fn list_all(
    read: &(impl Read + ?Sized),
    after: Option<&CatalogKey>,
    limit: usize,
) -> Result<Vec<(CatalogKey, Stored<CatalogEntry>)>, StateError> {
    let Some(catalog) = open(read)? else { return Ok(Vec::new()) };
    ENTRIES.scan(read, catalog, &ENTRIES.all(), after, false).take(limit).collect()
}

/// As [`list_all`], of one kind of resource only.
///
/// # Errors
/// If a read fails or an entry is unreadable.
pub fn list_all_of(
    read: &(impl Read + ?Sized),
    resource: Resource,
    after: Option<&CatalogKey>,
    limit: usize,
) -> Result<Vec<(CatalogKey, Stored<CatalogEntry>)>, StateError> {
    let Some(catalog) = open(read)? else { return Ok(Vec::new()) };
    let of_kind = |row: &Result<(CatalogKey, _), _>| match row {
        Ok((key, _)) => key.service == resource.service && key.kind == resource.kind,
        Err(_) => true,
    };
    ENTRIES.scan(read, catalog, &ENTRIES.all(), after, false).filter(of_kind).take(limit).collect()
}

/// Gives a new name a new, empty space.
///
/// # Errors
/// [`StateError::NameTaken`] if the name exists; or if the store fails.
pub fn create(
    tx: &mut Transaction<'_>,
    scope: &Scope<'_>,
    name: &str,
    label: &str,
    definition: &[u8],
) -> Result<Space, StateError> {
    let catalog = ensure_root(tx)?;
    let key = scope.key(name);
    if ENTRIES.get(tx, catalog, &key)?.is_some() {
        let Resource { service, kind, .. } = scope.resource;
        return Err(StateError::NameTaken { service, kind, name: name.into() });
    }
    let space = Space::create(tx, scope.resource.space)?;
    let definition = Bytes::copy_from_slice(definition);
    ENTRIES.put(tx, catalog, &key, &CatalogEntry { space: space.id(), label: label.into(), definition })?;
    Ok(space)
}

/// Replaces the definition of a name; space and label stay.
///
/// # Errors
/// [`StateError::NoSuchName`] if the name does not exist; or if the store fails.
pub fn redefine(
    tx: &mut Transaction<'_>,
    scope: &Scope<'_>,
    name: &str,
    definition: &[u8],
) -> Result<(), StateError> {
    let (catalog, entry) = existing(tx, scope, name)?;
    let entry = CatalogEntry { definition: Bytes::copy_from_slice(definition), ..entry };
    ENTRIES.put(tx, catalog, &scope.key(name), &entry)
}

/// Removes a name and drops its space; answers what it stood for.
///
/// # Errors
/// [`StateError::NoSuchName`] if the name does not exist; or if the store fails.
pub fn remove(tx: &mut Transaction<'_>, scope: &Scope<'_>, name: &str) -> Result<CatalogEntry, StateError> {
    let (catalog, entry) = existing(tx, scope, name)?;
    ENTRIES.delete(tx, catalog, &scope.key(name))?;
    Space::open(tx, entry.space, scope.resource.space)?.drop(tx)?;
    Ok(entry)
}

fn existing(
    tx: &Transaction<'_>,
    scope: &Scope<'_>,
    name: &str,
) -> Result<(Space, CatalogEntry), StateError> {
    let catalog = open(tx)?;
    let entry = match catalog {
        Some(catalog) => {
            ENTRIES.get_encoded(tx, catalog, &scope.encode(name))?.map(|entry| (catalog, entry.record))
        }
        None => None,
    };
    let Resource { service, kind, .. } = scope.resource;
    entry.ok_or_else(|| StateError::NoSuchName { service, kind, name: name.into() })
}

#[cfg(test)]
mod tests;
