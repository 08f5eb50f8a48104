//! The rows of an item in the indexes of its table, and of the time at which it expires.

use super::Layout;
use crate::catalog::failed;
use crate::errors;
use crate::expiry;
use crate::index::{self, IndexKeyError, IndexRow, Indexed};
use crate::item::Damaged;
use crate::item::codec::Encoded;
use crate::item::few::few;
use crate::item::view::Item;
use crate::table::{ExpiryView, IndexScope, IndexView, ProjectionView};
use holdfast_aws::Error;
use holdfast_state::Space;
use holdfast_state::families::SpaceKind;
use holdfast_store::{Read, Snapshot, Transaction, Value};

/// The rows of an item; none for no item.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// One row for each index in the order of the definition, or none where the item has none; empty for no item, and of a table
    /// without indexes.
    indexes: Vec<Option<IndexRow>>,
    /// Key of the row of its expiry.
    expiry: Option<Vec<u8>>,
}

impl Rows {
    /// Rows of an item that is to be stored.
    ///
    /// # Errors
    /// The outer one for damage, the inner one if its values cannot be keys of an index.
    pub(super) fn of_encoded(
        table: &Layout<'_>,
        key: &[u8],
        encoded: &Encoded,
    ) -> Result<Result<Self, IndexKeyError>, Error> {
        if !table.has_rows() {
            return Ok(Ok(Self::default()));
        }
        let damaged = |error| errors::damaged(&error);
        let item = Item::new(&encoded.bytes).map_err(damaged)?;
        let few = used_by_indexes(table, item).map_err(damaged)?;
        let item = few.as_deref().map_or(Ok(item), Item::new).map_err(damaged)?;
        let indexed = Indexed { key, item, size: encoded.size };
        let mut rows = Vec::with_capacity(table.indexes.len());
        let mut fault: Option<(&str, IndexKeyError)> = None;
        for index in &table.indexes {
            match index::row(&indexed, index, &table.schema).map_err(damaged)? {
                Ok(row) => rows.push(row),
                // Of several indexes the first by its name is reported. Source: recorded.
                Err(error) if fault.as_ref().is_none_or(|(name, _)| index.name < *name) => {
                    fault = Some((index.name, error));
                }
                Err(_) => {}
            }
        }
        if let Some((_, error)) = fault {
            return Ok(Err(error));
        }
        Ok(Ok(Self { indexes: rows, expiry: expiry_row(table, &indexed).map_err(damaged)? }))
    }

    /// Rows of a stored item. One whose values do not fit an index has no row there: the index is younger than the item.
    pub(super) fn of_stored(table: &Layout<'_>, key: &[u8], old: &Value) -> Result<Self, Error> {
        let damaged = |error| errors::damaged(&error);
        let item = Item::new(&old.payload).map_err(damaged)?;
        let few = used_by_indexes(table, item).map_err(damaged)?;
        let item = few.as_deref().map_or(Ok(item), Item::new).map_err(damaged)?;
        let indexed = Indexed { key, item, size: old.size };
        let row = |index| Ok(index::row(&indexed, index, &table.schema).map_err(damaged)?.ok().flatten());
        let indexes = table.indexes.iter().map(row).collect::<Result<_, Error>>()?;
        Ok(Self { indexes, expiry: expiry_row(table, &indexed).map_err(damaged)? })
    }

    /// What an item of these rows counts against the limit of its size: its own size, and that of its rows in local indexes.
    /// Source: Developer Guide, "Item size for tables with local secondary indexes"; it is known that AWS refuses an item of
    /// 210 KB that a local index has a copy of.
    pub(super) fn with_item(&self, table: &Layout<'_>, item: u64) -> u64 {
        let rows =
            table.indexes.iter().zip(&self.indexes).filter(|(index, _)| index.scope == IndexScope::Local);
        rows.filter_map(|(_, row)| row.as_ref()).fold(item, |sum, row| sum + row.size)
    }

    /// Those in indexes.
    pub(super) fn as_slice(&self) -> &[Option<IndexRow>] {
        &self.indexes
    }

    /// Key of the row of its expiry.
    pub(super) fn expiry_row(&self) -> Option<&[u8]> {
        self.expiry.as_deref()
    }

    fn get(&self, at: usize) -> Option<&IndexRow> {
        self.indexes.get(at).and_then(Option::as_ref)
    }
}

fn expiry_row(table: &Layout<'_>, indexed: &Indexed<'_>) -> Result<Option<Vec<u8>>, Damaged> {
    table.expiry.map_or(Ok(None), |settings| expiry::row(indexed.key, indexed.item, settings.attribute))
}

/// From so many attributes on it pays to go through an item once for all indexes.
const MANY_ATTRIBUTES: usize = 256;

/// Of an item with many attributes those that rows are made of, as an item; the whole item is meant if there is none.
fn used_by_indexes(table: &Layout<'_>, item: Item<'_>) -> Result<Option<Vec<u8>>, Damaged> {
    if item.len() < MANY_ATTRIBUTES {
        return Ok(None);
    }
    let mut names = Vec::new();
    for index in &table.indexes {
        match index.projection {
            ProjectionView::All => {
                names.extend(index.keys.all().iter().map(|attribute| attribute.name));
            }
            _ => names.extend(index::projected_names(index, &table.schema)),
        }
    }
    names.extend(table.expiry.map(|settings| settings.attribute));
    few(item, names).map(Some)
}

/// Each index whose row changes, with the row before and after.
fn changes<'a>(
    table: &'a Layout<'_>,
    before: &'a Rows,
    after: &'a Rows,
) -> impl Iterator<Item = (&'a IndexView<'a>, Option<&'a IndexRow>, Option<&'a IndexRow>)> {
    let both = table.indexes.iter().enumerate().map(|(at, index)| (index, before.get(at), after.get(at)));
    both.filter(|(_, before, after)| before != after)
}

/// Puts the rows of the item after in place of those of the one before.
pub(super) fn change(
    tx: &mut Transaction<'_>,
    table: &Layout<'_>,
    before: &Rows,
    after: &Rows,
) -> Result<(), Error> {
    for (index, before, after) in changes(table, before, after) {
        let space = index_space(tx, index);
        if let Some(before) = before.filter(|before| after.is_none_or(|after| after.key != before.key)) {
            space.delete(tx, &before.key).map_err(failed)?;
        }
        if let Some(after) = after {
            space.put(tx, &after.key, &[], after.size).map_err(failed)?;
        }
    }
    let (before, after) = (before.expiry_row(), after.expiry_row());
    let Some(settings) = table.expiry.filter(|_| before != after) else { return Ok(()) };
    let space = expiry_space(tx, settings);
    if let Some(before) = before {
        space.delete(tx, before).map_err(failed)?;
    }
    if let Some(after) = after {
        space.put(tx, after, &[], 0).map_err(failed)?;
    }
    Ok(())
}

/// Removes a row of expiry alone: its item is not there, or expires at another time.
pub(super) fn remove_expiry(tx: &mut Transaction<'_>, table: &Layout<'_>, row: &[u8]) -> Result<(), Error> {
    if let Some(settings) = table.expiry {
        expiry_space(tx, settings).delete(tx, row).map_err(failed)?;
    }
    Ok(())
}

/// Reads what [`change`] will look at.
pub(super) fn prefetch(newest: &Snapshot, table: &Layout<'_>, before: &Rows, after: &Rows) {
    for (index, before, after) in changes(table, before, after) {
        let space = index_space(newest, index);
        for row in [before, after].into_iter().flatten() {
            // A failure shows when it runs.
            let _ = space.get(newest, &row.key);
        }
    }
    let (before, after) = (before.expiry_row(), after.expiry_row());
    if let Some(settings) = table.expiry.filter(|_| before != after) {
        let space = expiry_space(newest, settings);
        for row in [before, after].into_iter().flatten() {
            let _ = space.get(newest, row);
        }
    }
}

/// The space of the rows of expiry, whose definition was found in the state `read`.
pub(crate) fn expiry_space(read: &(impl Read + ?Sized), settings: ExpiryView<'_>) -> Space {
    Space::defined(read, settings.space, SpaceKind::DYNAMODB_EXPIRY)
}

/// The space of an index whose definition was found in the state `read`.
pub(crate) fn index_space(read: &(impl Read + ?Sized), index: &IndexView<'_>) -> Space {
    Space::defined(read, index.space, SpaceKind::DYNAMODB_INDEX)
}
