//! What a page is read from: a table, or one of its indexes.

use crate::catalog::{Table, failed};
use crate::errors::{self, reads};
use crate::expression::Path;
use crate::key::{KeyLists, KeySchema};
use crate::key_paths;
use crate::table::{IndexScope, IndexView};
use crate::write::index_space;
use holdfast_aws::Error;
use holdfast_state::Space;
use holdfast_state::families::Family;
use holdfast_state::key::{KeyError, KeyReader};
use holdfast_store::{Read, Snapshot, Value};

/// A table, or one of its indexes.
pub(crate) struct Source<'t> {
    table: &'t Table,
    /// Key attributes of the table.
    pub(crate) table_keys: KeySchema<'t>,
    /// Key attributes of what is read.
    keys: KeyLists<'t>,
    index: Option<IndexView<'t>>,
}

impl<'t> Source<'t> {
    /// Opens the table, or the index of a name.
    ///
    /// # Errors
    /// If there is no such index, if it does not have all its rows at this service time, or if it is global and to be read
    /// consistently.
    pub(crate) fn open(
        table: &'t Table,
        index: Option<&str>,
        consistent: bool,
        now_ms: u64,
    ) -> Result<Self, Error> {
        let Some(name) = index else {
            let table_keys = table.key_schema()?;
            return Ok(Self { table, table_keys, keys: table_keys.into(), index: None });
        };
        let (table_keys, indexes) = table.keys_and_indexes()?;
        let index = indexes.into_iter().find(|index| index.name == name);
        let index = index.ok_or_else(|| reads::no_such_index(name))?;
        if !index.state.is_readable(now_ms) {
            return Err(reads::index_being_built(name));
        }
        if consistent && index.scope == IndexScope::Global {
            return Err(reads::consistent_read_of_global_index());
        }
        Ok(Self { table, table_keys, keys: index.keys, index: Some(index) })
    }

    /// The index.
    pub(crate) fn index(&self) -> Option<&IndexView<'t>> {
        self.index.as_ref()
    }

    /// Key attributes of what is read.
    pub(crate) fn keys(&self) -> &KeyLists<'t> {
        &self.keys
    }

    /// The family of the keys of its rows.
    pub(crate) fn family(&self) -> Family {
        if self.index.is_some() { Family::DYNAMODB_INDEX_ROW } else { Family::DYNAMODB_ITEM }
    }

    /// The space of its rows.
    pub(crate) fn space(&self, read: &(impl Read + ?Sized)) -> Space {
        self.index.as_ref().map_or(self.table.space, |index| index_space(read, index))
    }

    /// Refuses paths into a key attribute of the table or of any of its indexes.
    pub(crate) fn check_paths(&self, paths: &[&Path]) -> Result<(), Error> {
        if paths.iter().all(|path| path.steps.is_empty()) {
            return Ok(());
        }
        let (keys, indexes) = self.table.keys_and_indexes()?;
        key_paths::check(paths.iter().copied(), &keys, &indexes)
    }

    /// The item of an index row.
    ///
    /// # Errors
    /// If the read fails, or there is none: rows and items change in the same commits, so that is damage.
    pub(crate) fn item(&self, read: &Snapshot, row: &[u8]) -> Result<Value, Error> {
        let suffix = self.item_key(row).map_err(|error| errors::internal(&error))?;
        let mut key = Vec::with_capacity(1 + suffix.len());
        key.push(Family::DYNAMODB_ITEM.tag);
        key.extend_from_slice(suffix);
        let item = self.table.space.get(read, &key).map_err(failed)?;
        item.ok_or_else(|| {
            let name = self.index.as_ref().map_or("", |index| index.name);
            errors::internal(&format!("index {name} has a row for an item that is not there"))
        })
    }

    /// The key of an index row's item, without its family.
    fn item_key<'r>(&self, row: &'r [u8]) -> Result<&'r [u8], KeyError> {
        let mut reader = KeyReader::new(self.family(), row)?;
        reader.u64()?;
        for _ in self.keys.all() {
            reader.u8()?;
            reader.skip_bytes()?;
        }
        Ok(reader.raw())
    }
}
