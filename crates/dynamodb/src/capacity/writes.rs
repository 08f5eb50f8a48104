//! What a write costs.
//!
//! | what changes | writes |
//! |---|---|
//! | the item | one, of the larger of the item before and after; also if nothing changes, or if there is nothing to delete |
//! | an index gets or loses the item | one, of what it projects |
//! | the item's key in an index | two: its row is deleted and put anew |
//! | something else that an index projects | one, of the larger of what it projected before and projects after |
//! | nothing that an index holds | none, and the index is not named |
//!
//! Source: as [`super`]; all of it recorded but the sizes of index rows above 1 KB.

use super::Consumed;
use super::units::{Units, of_written};
use crate::index::{self, IndexRow, Indexed};
use crate::item::Damaged;
use crate::item::view::{Item, RawValue};
use crate::key::KeySchema;
use crate::table::{IndexView, ProjectionView};

/// What it costs to change an item of a table with these keys and indexes. `before` and `after` are its stored bytes and size;
/// none is no item. A check of a condition, which changes nothing, has the same item twice.
///
/// # Errors
/// If one of the items is damaged.
pub fn of_write(
    schema: &KeySchema<'_>,
    indexes: &[IndexView<'_>],
    before: Option<(&[u8], u64)>,
    after: Option<(&[u8], u64)>,
) -> Result<Consumed, Damaged> {
    let size = |item: Option<(&[u8], u64)>| item.map_or(0, |(_, size)| size);
    let mut consumed = Consumed::of_table(of_written(size(before).max(size(after))));
    if before.map(|(bytes, _)| bytes) == after.map(|(bytes, _)| bytes) {
        return Ok(consumed);
    }
    let before = before.map(|(bytes, size)| indexed(bytes, size)).transpose()?;
    let after = after.map(|(bytes, size)| indexed(bytes, size)).transpose()?;
    for index in indexes {
        let units = of_index(schema, index, before.as_ref(), after.as_ref())?;
        if units != Units::ZERO {
            consumed.add_index(index.name, index.scope, units);
        }
    }
    Ok(consumed)
}

/// Both sides of a change are the same item, so that rows differ only in the index's own part of their keys.
fn indexed(bytes: &[u8], size: u64) -> Result<Indexed<'_>, Damaged> {
    Ok(Indexed { key: &[], item: Item::new(bytes)?, size })
}

fn of_index(
    schema: &KeySchema<'_>,
    index: &IndexView<'_>,
    before: Option<&Indexed<'_>>,
    after: Option<&Indexed<'_>>,
) -> Result<Units, Damaged> {
    let row = |item: Option<&Indexed<'_>>| -> Result<Option<IndexRow>, Damaged> {
        // Values that do not fit the index: the item has no row there, as where the index is younger than the item.
        Ok(item.map(|item| index::row(item, index, schema)).transpose()?.and_then(|row| row.ok().flatten()))
    };
    match (row(before)?, row(after)?) {
        (None, None) => Ok(Units::ZERO),
        (Some(row), None) | (None, Some(row)) => Ok(of_written(row.size)),
        (Some(old), Some(new)) if old.key != new.key => Ok(of_written(old.size) + of_written(new.size)),
        (Some(old), Some(new)) => {
            let (Some(before), Some(after)) = (before, after) else { return Ok(Units::ZERO) };
            let same = projects_same(schema, index, before.item, after.item)?;
            Ok(if same { Units::ZERO } else { of_written(old.size.max(new.size)) })
        }
    }
}

/// Whether an index projects the same of two items that are not the same. A value has one stored form.
fn projects_same(
    schema: &KeySchema<'_>,
    index: &IndexView<'_>,
    one: Item<'_>,
    other: Item<'_>,
) -> Result<bool, Damaged> {
    if index.projection == ProjectionView::All {
        return Ok(false);
    }
    for name in index::projected_names(index, schema) {
        let (one, other) = (one.get(name)?, other.get(name)?);
        if one.map(RawValue::as_bytes) != other.map(RawValue::as_bytes) {
            return Ok(false);
        }
    }
    Ok(true)
}
