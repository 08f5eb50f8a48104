//! One path by which every operation changes an item: its key, the item before, whether the condition holds, the item
//! after, and the rows of its indexes, all in one commit.
//!
//! What can be computed on the submitting thread is computed there and kept in a plan, for the table's definition and the
//! old item that were newest then. The executor takes of the plan what still holds, by the versions that wrote those two,
//! and makes the rest anew.
//!
//! # Layout
//! - this file: what a write is, and what it becomes of an item: [`ItemWrite::decide`], then [`ItemWrite::apply`]
//! - [`effort`]: how long deciding may take where it was not planned
//! - [`expressions`]: condition and update as they were sent
//! - [`fault`]: why an item is not changed
//! - `plan`: what is computed ahead
//! - `rows`: the rows of an item in the indexes of its table
//! - [`single`]: the operations that write one item
//! - [`told`]: capacity and collections of items, where an answer tells of them

pub(crate) mod effort;
pub(crate) mod expressions;
pub(crate) mod fault;
mod plan;
mod rows;
pub(crate) mod single;
pub(crate) mod told;

use self::effort::Effort;
pub(crate) use self::fault::WriteFault;
use self::plan::{OfItem, Plan};
use self::rows::Rows;
pub(crate) use self::rows::{expiry_space, index_space};
use crate::capacity::Side;
use crate::catalog::{Table, failed};
use crate::errors;
use crate::expression::{Condition, Path, Update};
use crate::item::Damaged;
use crate::item::codec::Encoded;
use crate::item::edit::Stored;
use crate::item::size::ITEM_BYTES_MAX;
use crate::item::view::Item;
use crate::key::{self, KeyError, KeySchema};
use crate::key_paths;
use crate::table::{ExpiryView, IndexView};
use bytes::Bytes;
use holdfast_aws::Error;
use holdfast_shapes::AttributeMap;
use holdfast_state::operation::Extent;
use holdfast_store::{Read, Snapshot, Transaction, Value};
use std::borrow::Cow;
use std::cell::OnceCell;

/// A write with more paths than this is planned on the pool of threads for long reads: one can take a millisecond in an item of
/// 400 KB.
const POINT_PATHS_MAX: usize = 32;
/// The same for bytes of values, each counted as often as it stands in the expressions.
const POINT_VALUES_MAX: u64 = 4 << 20;

/// Where writes are planned that are one request.
pub(crate) fn extent<'w>(writes: impl Iterator<Item = &'w ItemWrite>) -> Extent {
    let (mut paths, mut values) = (0, 0_u64);
    for write in writes {
        paths += write.paths;
        values = values.saturating_add(write.values);
    }
    if paths > POINT_PATHS_MAX || values > POINT_VALUES_MAX { Extent::Pages } else { Extent::Point }
}

/// A table with its definition read, once for all that an operation does with it.
#[derive(Debug)]
pub(crate) struct Layout<'t> {
    pub(crate) table: &'t Table,
    pub(crate) schema: KeySchema<'t>,
    pub(crate) indexes: Vec<IndexView<'t>>,
    /// The rows of the times at which items expire, if they do.
    pub(crate) expiry: Option<ExpiryView<'t>>,
}

impl<'t> Layout<'t> {
    /// Reads the definition.
    pub(crate) fn read(table: &'t Table) -> Result<Self, Error> {
        let (schema, indexes, expiry) = table.derived()?;
        Ok(Self { table, schema, indexes, expiry })
    }

    /// Whether items have rows: in indexes, or of the times at which they expire.
    pub(crate) fn has_rows(&self) -> bool {
        !self.indexes.is_empty() || self.expiry.is_some()
    }
}

/// What is to become of an item.
#[derive(Debug)]
enum Target {
    /// It is stored whole, in place of one with the same key.
    Put { attributes: AttributeMap, encoded: Encoded },
    /// It is removed.
    Delete { key: AttributeMap },
    /// It is changed, or made of its key if there is none.
    Update { key: AttributeMap, update: Update },
    /// It stays as it is.
    Check { key: AttributeMap },
}

/// The change of one item.
#[derive(Debug)]
pub(crate) struct ItemWrite {
    target: Target,
    condition: Option<Condition>,
    /// How many paths the condition and the update have.
    paths: usize,
    /// Bytes of their values, of each as often as it stands there.
    values: u64,
    /// Whether one of them leads into a document.
    into_documents: bool,
    plan: OnceCell<Plan>,
}

/// What a write makes of an item, before it is done.
#[derive(Debug)]
pub(crate) struct Change<'w> {
    /// The item before, as far as it had to be read.
    before: Option<Option<Value>>,
    after: After<'w>,
    /// Rows of the item before and after.
    rows: (Cow<'w, Rows>, Cow<'w, Rows>),
}

/// The item after.
#[derive(Debug)]
enum After<'w> {
    /// As before.
    Same,
    Gone,
    Stored(Cow<'w, Encoded>),
}

impl Change<'_> {
    /// The stored item before with its size, if there was one; it must have been asked for.
    pub(crate) fn before(&self) -> Option<(&Bytes, u64)> {
        self.before.as_ref()?.as_ref().map(|value| (&value.payload, value.size))
    }

    /// The size of the item that is to be stored; 0 if none is.
    pub(crate) fn stored_size(&self) -> u64 {
        match &self.after {
            After::Same | After::Gone => 0,
            After::Stored(encoded) => encoded.size,
        }
    }

    /// The item before and after, as capacity is counted; the one before must have been asked for.
    pub(crate) fn sides(&self) -> (Option<Side<'_>>, Option<Side<'_>>) {
        let (before, after) = &self.rows;
        (
            self.before().map(|(bytes, size)| Side { bytes, size, rows: before.as_slice() }),
            self.after().map(|(bytes, size)| Side { bytes, size, rows: after.as_slice() }),
        )
    }

    /// The stored item after with its size, if there is one.
    pub(crate) fn after(&self) -> Option<(&[u8], u64)> {
        match &self.after {
            After::Same => self.before().map(|(bytes, size)| (&bytes[..], size)),
            After::Gone => None,
            After::Stored(encoded) => Some((&encoded.bytes, encoded.size)),
        }
    }
}

impl ItemWrite {
    fn new(target: Target) -> Self {
        Self { target, condition: None, paths: 0, values: 0, into_documents: false, plan: OnceCell::new() }
    }

    /// Stores an item; `encoded` is its stored form.
    pub(crate) fn put(attributes: AttributeMap, encoded: Encoded) -> Self {
        Self::new(Target::Put { attributes, encoded })
    }

    /// Removes the item of a key.
    pub(crate) fn delete(key: AttributeMap) -> Self {
        Self::new(Target::Delete { key })
    }

    /// Changes the item of a key; to be completed by [`ItemWrite::when`].
    pub(crate) fn update(key: AttributeMap, update: Update) -> Self {
        Self::new(Target::Update { key, update })
    }

    /// Changes nothing: a condition alone.
    pub(crate) fn check(key: AttributeMap) -> Self {
        Self::new(Target::Check { key })
    }

    /// Only if a condition holds for the item before.
    #[must_use]
    pub(crate) fn when(self, condition: Option<Condition>) -> Self {
        let write = Self { condition, ..self };
        let paths = write.paths();
        let (count, into_documents) = (paths.len(), paths.iter().any(|path| !path.steps.is_empty()));
        let values = write.value_bytes();
        Self { paths: count, values, into_documents, ..write }
    }

    fn value_bytes(&self) -> u64 {
        let of_update = match &self.target {
            Target::Update { update, .. } => update.value_bytes(),
            Target::Put { .. } | Target::Delete { .. } | Target::Check { .. } => 0,
        };
        self.condition.as_ref().map_or(0, Condition::value_bytes).saturating_add(of_update)
    }

    /// All paths of condition and update.
    fn paths(&self) -> Vec<&Path> {
        let mut paths = self.condition.as_ref().map(Condition::paths).unwrap_or_default();
        if let Target::Update { update, .. } = &self.target {
            paths.extend(update.paths());
            paths.extend(update.read_paths());
        }
        paths
    }

    /// Makes the plan and reads what the executor will read, so that it finds it at hand. Failures show when it runs.
    pub(crate) fn prefetch(&self, newest: &Snapshot, table: &Layout<'_>) {
        if let Ok(plan) = self.make_plan(newest, table) {
            let _ = self.plan.set(plan);
        }
    }

    fn make_key(&self, schema: &KeySchema<'_>) -> Result<Vec<u8>, KeyError> {
        match &self.target {
            Target::Put { attributes, .. } => key::of_item(&attributes.0, schema),
            Target::Delete { key } | Target::Update { key, .. } | Target::Check { key } => {
                key::of_key(&key.0, schema)
            }
        }
    }

    /// The item's key; `refuse` words what is wrong with it.
    pub(crate) fn key(
        &self,
        table: &Layout<'_>,
        refuse: impl FnOnce(&KeyError) -> Error,
    ) -> Result<Cow<'_, [u8]>, Error> {
        self.key_or_fault(table).map_err(|error| refuse(&error))
    }

    /// The item's key, or what is wrong with it.
    pub(crate) fn key_or_fault(&self, table: &Layout<'_>) -> Result<Cow<'_, [u8]>, KeyError> {
        match self.planned(table).map(|plan| &plan.key) {
            Some(Ok(key)) => Ok(Cow::Borrowed(key)),
            Some(Err(error)) => Err(error.clone()),
            None => self.make_key(&table.schema).map(Cow::Owned),
        }
    }

    /// Decides what becomes of the item of a key, and changes nothing. `wanted` says whether the caller needs the item
    /// before, `effort` how long all that was not planned may take.
    ///
    /// # Errors
    /// The first of: what no condition can mend, too much effort, a condition that does not hold, a fault of the item after.
    pub(crate) fn decide(
        &self,
        read: &(impl Read + ?Sized),
        table: &Layout<'_>,
        key: &[u8],
        wanted: bool,
        effort: &mut Effort,
    ) -> Result<Change<'_>, WriteFault> {
        if self.into_documents {
            key_paths::check(self.paths(), &table.schema, &table.indexes)?;
        }
        let plan = self.planned(table);
        // Whatever is stored, a put has the same rows.
        let ready = match &self.target {
            Target::Put { encoded, .. } => {
                let rows = match plan.and_then(|plan| plan.put.as_ref()) {
                    Some(Ok(rows)) => Cow::Borrowed(rows),
                    Some(Err(error)) => return Err(WriteFault::IndexKey(error.clone())),
                    None => Cow::Owned(Rows::of_encoded(table, key, encoded)?.map_err(WriteFault::IndexKey)?),
                };
                if rows.with_item(table, encoded.size) > ITEM_BYTES_MAX {
                    return Err(WriteFault::Failed(errors::item_too_large()));
                }
                Some((After::Stored(Cow::Borrowed(encoded)), rows))
            }
            Target::Update { update, .. } => {
                fault::check_key_attributes(update, &table.schema)?;
                None
            }
            Target::Delete { .. } | Target::Check { .. } => None,
        };
        let before = if wanted || self.reads_before(table) {
            Some(table.table.space.get(read, key).map_err(failed)?)
        } else {
            None
        };
        let old = before.as_ref().and_then(Option::as_ref);
        let planned = self.planned_of(table, old);
        if planned.is_none() {
            effort.spend(self.paths, old, self.values)?;
        }
        self.check_condition(planned, old)?;
        let (after, rows) = match (ready, &self.target) {
            (Some(ready), _) => ready,
            (None, Target::Update { key: attributes, update }) => {
                updated(planned, table, key, attributes, update, old)?
            }
            (None, Target::Check { .. }) => {
                return Ok(Change { before, after: After::Same, rows: Default::default() });
            }
            (None, _) => (After::Gone, Cow::default()),
        };
        let rows_before = Self::rows_before(planned, table, key, old)?;
        Ok(Change { before, after, rows: (rows_before, rows) })
    }

    /// Whether what becomes of an item depends on the one before.
    fn reads_before(&self, table: &Layout<'_>) -> bool {
        let depends = matches!(self.target, Target::Update { .. } | Target::Check { .. });
        depends || self.condition.is_some() || table.has_rows()
    }

    /// Looks whether the condition holds.
    fn check_condition(&self, planned: Option<&OfItem>, old: Option<&Value>) -> Result<(), WriteFault> {
        let Some(condition) = &self.condition else { return Ok(()) };
        let holds = match planned.and_then(|planned| planned.holds) {
            Some(holds) => holds,
            None => holds(condition, old)?,
        };
        if holds { Ok(()) } else { Err(WriteFault::Condition(old.map(|old| old.payload.clone()))) }
    }

    /// Changes the item and the rows of its indexes, as was decided for the same key in the same transaction.
    pub(crate) fn apply(
        &self,
        tx: &mut Transaction<'_>,
        table: &Layout<'_>,
        key: &[u8],
        change: &Change<'_>,
    ) -> Result<(), Error> {
        let space = table.table.space;
        match &change.after {
            After::Same => return Ok(()),
            After::Gone => space.delete(tx, key).map(|_| ()).map_err(failed)?,
            After::Stored(encoded) => {
                // No path to the store goes around this limit.
                if encoded.size > ITEM_BYTES_MAX {
                    return Err(errors::internal(&"an item is larger than any item may be"));
                }
                space.put(tx, key, &encoded.bytes, encoded.size).map_err(failed)?;
            }
        }
        let (before, after) = &change.rows;
        rows::change(tx, table, before, after)
    }
}

/// Removes an item whose time has come, with its rows. `expiry_row` is the row that told so: whatever it was when that was read,
/// the item goes only if its time is still the same. A row without such an item goes itself. Answers the item's size in bytes.
pub(crate) fn expire(
    tx: &mut Transaction<'_>,
    table: &Layout<'_>,
    key: &[u8],
    expiry_row: &[u8],
) -> Result<u64, Error> {
    let item = table.table.space.get(tx, key).map_err(failed)?;
    let rows = item.as_ref().map(|item| Rows::of_stored(table, key, item)).transpose()?;
    match rows.filter(|rows| rows.expiry_row() == Some(expiry_row)) {
        Some(rows) => {
            table.table.space.delete(tx, key).map_err(failed)?;
            rows::change(tx, table, &rows, &Rows::default())?;
            Ok(item.map_or(0, |item| item.size))
        }
        None => rows::remove_expiry(tx, table, expiry_row).map(|()| 0),
    }
}

/// Reads what [`expire`] will look at. Failures show when it runs.
pub(crate) fn prefetch_expiry(newest: &Snapshot, table: &Layout<'_>, key: &[u8]) {
    if let Ok(Some(item)) = table.table.space.get(newest, key)
        && let Ok(rows) = Rows::of_stored(table, key, &item)
    {
        rows::prefetch(newest, table, &rows, &Rows::default());
    }
}

fn holds(condition: &Condition, old: Option<&Value>) -> Result<bool, Damaged> {
    condition.holds(old.map(|old| Item::new(&old.payload)).transpose()?)
}

/// The item that an update makes of the one before, with its rows.
fn updated<'w>(
    planned: Option<&'w OfItem>,
    table: &Layout<'_>,
    key: &[u8],
    attributes: &AttributeMap,
    update: &Update,
    old: Option<&Value>,
) -> Result<(After<'w>, Cow<'w, Rows>), WriteFault> {
    match planned.and_then(|planned| planned.updated.as_ref()) {
        Some(Ok(Some((encoded, rows)))) => {
            return Ok((After::Stored(Cow::Borrowed(encoded)), Cow::Borrowed(rows)));
        }
        Some(Ok(None)) => return Ok((After::Same, Cow::default())),
        // A refusal too follows from the item before; a failure may have passed.
        Some(Err(fault)) if !fault.is_failure() => return Err(fault.clone()),
        Some(Err(_)) | None => {}
    }
    match apply_update(table, key, attributes, update, old)? {
        Some((encoded, rows)) => Ok((After::Stored(Cow::Owned(encoded)), Cow::Owned(rows))),
        // There was no item, and there is nothing to make one for.
        None => Ok((After::Same, Cow::default())),
    }
}

/// The item that an update makes of the one before, with its rows; nothing where there is no item before or after.
type Updated = Result<Option<(Encoded, Rows)>, WriteFault>;

/// Makes an update of the item before.
fn apply_update(
    table: &Layout<'_>,
    key: &[u8],
    attributes: &AttributeMap,
    update: &Update,
    old: Option<&Value>,
) -> Updated {
    let before = old.map(|old| Stored { bytes: &old.payload, size: old.size });
    let Some(encoded) = update.apply(before, &attributes.0)? else { return Ok(None) };
    if encoded.size > ITEM_BYTES_MAX {
        return Err(WriteFault::TooLarge);
    }
    let rows = Rows::of_encoded(table, key, &encoded)?.map_err(WriteFault::UpdatedIndexKey)?;
    if rows.with_item(table, encoded.size) > ITEM_BYTES_MAX {
        return Err(WriteFault::TooLarge);
    }
    Ok(Some((encoded, rows)))
}
