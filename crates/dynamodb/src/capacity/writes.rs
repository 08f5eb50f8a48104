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
use crate::index::{self, IndexRow};
use crate::item::Damaged;
use crate::item::view::Item;
use crate::key::KeySchema;
use crate::table::{IndexView, ProjectionView};

/// An item before or after a write.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its stored bytes.
    pub bytes: &'a [u8],
    /// Its size in bytes, as DynamoDB accounts it.
    pub size: u64,
    /// Its row in each index, in the order of the table's definition; none in those beyond the end. They are made for the write
    /// itself: to find them again takes long in a large item.
    pub rows: &'a [Option<IndexRow>],
}

impl<'a> Side<'a> {
    fn row(&self, at: usize) -> Option<&'a IndexRow> {
        self.rows.get(at).and_then(Option::as_ref)
    }
}

/// What it costs to change an item of a table with these keys and indexes. Without a side there is no item before or after. A
/// check of a condition, which changes nothing, has the same item twice.
///
/// # Errors
/// If one of the items is damaged.
pub fn of_write(
    schema: &KeySchema<'_>,
    indexes: &[IndexView<'_>],
    before: Option<Side<'_>>,
    after: Option<Side<'_>>,
) -> Result<Consumed, Damaged> {
    let size = |side: Option<Side<'_>>| side.map_or(0, |side| side.size);
    let mut consumed = Consumed::of_table(of_written(size(before).max(size(after))));
    if before.map(|side| side.bytes) == after.map(|side| side.bytes) {
        return Ok(consumed);
    }
    for (at, index) in indexes.iter().enumerate() {
        let units = match (before.and_then(|side| side.row(at)), after.and_then(|side| side.row(at))) {
            (None, None) => Units::ZERO,
            (Some(row), None) | (None, Some(row)) => of_written(row.size),
            (Some(old), Some(new)) if old.key != new.key => of_written(old.size) + of_written(new.size),
            (Some(old), Some(new)) => {
                let same = match (before, after) {
                    (Some(before), Some(after)) => projects_same(schema, index, before.bytes, after.bytes)?,
                    // There is no row without an item.
                    _ => true,
                };
                if same { Units::ZERO } else { of_written(old.size.max(new.size)) }
            }
        };
        if units != Units::ZERO {
            consumed.add_index(index.name, index.scope, units);
        }
    }
    Ok(consumed)
}

/// Whether an index projects the same of two stored items that are not the same. A value has one stored form.
fn projects_same(
    schema: &KeySchema<'_>,
    index: &IndexView<'_>,
    one: &[u8],
    other: &[u8],
) -> Result<bool, Damaged> {
    if index.projection == ProjectionView::All {
        return Ok(false);
    }
    let (mut one, mut other) = (Item::new(one)?.attributes(), Item::new(other)?.attributes());
    for name in index::projected_names(index, schema) {
        if one.seek(name)? != other.seek(name)? {
            return Ok(false);
        }
    }
    Ok(true)
}
