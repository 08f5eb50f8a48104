//! One path by which every operation changes an item: its key, the item before, the item after, and the rows of its
//! indexes, all in one commit.
//!
//! What can be computed on the submitting thread is computed there and kept in a plan, for the table's definition and the
//! old item that were newest then. The executor takes of the plan what still holds, by the versions that wrote those two,
//! and makes the rest anew.

use crate::catalog::{Table, failed};
use crate::errors;
use crate::index::{self, IndexKeyError, IndexRow, Indexed};
use crate::item::codec::Encoded;
use crate::item::view::Item;
use crate::key::{self, KeyError, KeySchema};
use crate::table::IndexView;
use holdfast_aws::Error;
use holdfast_shapes::AttributeMap;
use holdfast_state::Space;
use holdfast_state::families::SpaceKind;
use holdfast_store::{Read, Snapshot, Transaction, Value, Version};
use std::borrow::Cow;
use std::cell::OnceCell;

/// A table with its definition read, once for all that an operation does with it.
#[derive(Debug)]
pub(crate) struct Layout<'t> {
    pub(crate) table: &'t Table,
    schema: KeySchema<'t>,
    indexes: Vec<IndexView<'t>>,
}

impl<'t> Layout<'t> {
    /// Reads the definition.
    pub(crate) fn read(table: &'t Table) -> Result<Self, Error> {
        let (schema, indexes) = table.keys_and_indexes()?;
        Ok(Self { table, schema, indexes })
    }
}

/// What becomes of an item.
#[derive(Debug)]
enum Target {
    /// It is stored whole, in place of one with the same key.
    Put { attributes: AttributeMap, encoded: Encoded },
    /// It is removed.
    Delete { key: AttributeMap },
}

/// The change of one item.
#[derive(Debug)]
pub(crate) struct ItemWrite {
    target: Target,
    plan: OnceCell<Plan>,
}

/// The rows of an item, one for each index of its table in the order of the definition; none where it has none.
type Rows = Vec<Option<IndexRow>>;

/// What was computed on the submitting thread.
#[derive(Debug)]
struct Plan {
    /// The version that wrote the table's definition.
    table: Version,
    key: Result<Vec<u8>, KeyError>,
    /// Rows of the item after, if the table has indexes.
    after: Option<Result<Rows, IndexKeyError>>,
    /// Rows of the item before, if there is one and the table has indexes, with the version that wrote it.
    before: Option<(Version, Rows)>,
}

/// The item before, as far as it had to be read.
#[derive(Debug)]
pub(crate) struct Before(Option<Option<Value>>);

impl Before {
    /// The stored item before, if there was one and it was asked for.
    pub(crate) fn into_item(self) -> Option<bytes::Bytes> {
        self.0.flatten().map(|value| value.payload)
    }
}

impl ItemWrite {
    /// Stores an item; `encoded` is its stored form.
    pub(crate) fn put(attributes: AttributeMap, encoded: Encoded) -> Self {
        Self { target: Target::Put { attributes, encoded }, plan: OnceCell::new() }
    }

    /// Removes the item of a key.
    pub(crate) fn delete(key: AttributeMap) -> Self {
        Self { target: Target::Delete { key }, plan: OnceCell::new() }
    }

    /// Makes the plan and reads what the executor will read, so that it finds it at hand. Failures show when it runs.
    pub(crate) fn prefetch(&self, newest: &Snapshot, table: &Layout<'_>) {
        if let Ok(plan) = self.make_plan(newest, table) {
            let _ = self.plan.set(plan);
        }
    }

    fn make_plan(&self, newest: &Snapshot, table: &Layout<'_>) -> Result<Plan, Error> {
        let Layout { table, schema, indexes } = table;
        let mut plan = Plan { table: table.since, key: self.make_key(schema), after: None, before: None };
        let Ok(key) = &plan.key else { return Ok(plan) };
        let old = table.space.get(newest, key).map_err(failed)?;
        if indexes.is_empty() {
            return Ok(plan);
        }
        if let Some(old) = old {
            plan.before = Some((old.since, rows_before(schema, indexes, key, &old)?));
        }
        let after = self.rows_after(schema, indexes, key)?;
        let none = Rows::new();
        let before = plan.before.as_ref().map_or(&none, |(_, rows)| rows);
        for (at, index) in indexes.iter().enumerate() {
            let before = before.get(at).and_then(Option::as_ref);
            let after = after.as_ref().ok().and_then(|rows| rows.get(at)?.as_ref());
            if before != after {
                let space = index_space(newest, index);
                for row in [before, after].into_iter().flatten() {
                    let _ = space.get(newest, &row.key);
                }
            }
        }
        plan.after = Some(after);
        Ok(plan)
    }

    fn make_key(&self, schema: &KeySchema<'_>) -> Result<Vec<u8>, KeyError> {
        match &self.target {
            Target::Put { attributes, .. } => key::of_item(&attributes.0, schema),
            Target::Delete { key } => key::of_key(&key.0, schema),
        }
    }

    /// The item's key; `refuse` words what is wrong with it.
    pub(crate) fn key(
        &self,
        table: &Layout<'_>,
        refuse: impl FnOnce(&KeyError) -> Error,
    ) -> Result<Cow<'_, [u8]>, Error> {
        match self.planned(table).map(|plan| &plan.key) {
            Some(Ok(key)) => Ok(Cow::Borrowed(key)),
            Some(Err(error)) => Err(refuse(error)),
            None => self.make_key(&table.schema).map(Cow::Owned).map_err(|error| refuse(&error)),
        }
    }

    /// The plan, if it was made for this very definition.
    fn planned(&self, table: &Layout<'_>) -> Option<&Plan> {
        self.plan.get().filter(|plan| plan.table == table.table.since)
    }

    /// Reads the item before, if the caller wants it or rows of indexes depend on it.
    pub(crate) fn before(
        &self,
        tx: &Transaction<'_>,
        table: &Layout<'_>,
        key: &[u8],
        wanted: bool,
    ) -> Result<Before, Error> {
        if wanted || !table.indexes.is_empty() {
            Ok(Before(Some(table.table.space.get(tx, key).map_err(failed)?)))
        } else {
            Ok(Before(None))
        }
    }

    /// Changes the item and the rows of its indexes. `before` is what [`ItemWrite::before`] answered for the same key.
    pub(crate) fn apply(
        &self,
        tx: &mut Transaction<'_>,
        table: &Layout<'_>,
        key: &[u8],
        before: &Before,
    ) -> Result<(), Error> {
        if !table.indexes.is_empty() {
            let Before(Some(before)) = before else {
                return Err(errors::internal(&"an indexed item is changed without a look at it"));
            };
            self.change_rows(tx, table, key, before.as_ref())?;
        }
        let space = table.table.space;
        match &self.target {
            Target::Put { encoded, .. } => space.put(tx, key, &encoded.bytes, encoded.size).map_err(failed),
            Target::Delete { .. } => space.delete(tx, key).map(|_| ()).map_err(failed),
        }
    }

    fn change_rows(
        &self,
        tx: &mut Transaction<'_>,
        table: &Layout<'_>,
        key: &[u8],
        old: Option<&Value>,
    ) -> Result<(), Error> {
        let Layout { schema, indexes, .. } = table;
        let plan = self.planned(table);
        let after = match plan.and_then(|plan| plan.after.as_ref()) {
            Some(Ok(rows)) => Cow::Borrowed(rows),
            Some(Err(error)) => return Err(errors::indexes::index_key(error)),
            None => match self.rows_after(schema, indexes, key)? {
                Ok(rows) => Cow::Owned(rows),
                Err(error) => return Err(errors::indexes::index_key(&error)),
            },
        };
        let before = match (old, plan.and_then(|plan| plan.before.as_ref())) {
            (None, _) => Cow::Owned(Rows::new()),
            (Some(old), Some((since, rows))) if *since == old.since => Cow::Borrowed(rows),
            (Some(old), _) => Cow::Owned(rows_before(schema, indexes, key, old)?),
        };
        for (at, index) in indexes.iter().enumerate() {
            let before = before.get(at).and_then(Option::as_ref);
            let after = after.get(at).and_then(Option::as_ref);
            change_row(tx, index, before, after)?;
        }
        Ok(())
    }

    /// Rows of the item after the change.
    fn rows_after(
        &self,
        schema: &KeySchema<'_>,
        indexes: &[IndexView<'_>],
        key: &[u8],
    ) -> Result<Result<Rows, IndexKeyError>, Error> {
        let Target::Put { encoded, .. } = &self.target else { return Ok(Ok(Rows::new())) };
        let item = Item::new(&encoded.bytes).map_err(|error| errors::damaged(&error))?;
        let indexed = Indexed { key, item, size: encoded.size };
        let rows: Result<Result<Rows, _>, _> = indexes
            .iter()
            .map(|index| index::row(&indexed, index, schema))
            // The outer error is damage, the inner one a refusal: the first of either ends.
            .map(|row| row.map_or_else(|damage| Err(Err(damage)), |row| row.map_err(Ok)))
            .collect::<Result<Rows, Result<IndexKeyError, _>>>()
            .map_or_else(|error| error.map(Err), |rows| Ok(Ok(rows)));
        rows.map_err(|error| errors::damaged(&error))
    }
}

/// Rows of a stored item. One whose values do not fit an index has no row there: the index is younger than the item.
fn rows_before(
    schema: &KeySchema<'_>,
    indexes: &[IndexView<'_>],
    key: &[u8],
    old: &Value,
) -> Result<Rows, Error> {
    let damaged = |error| errors::damaged(&error);
    let item = Item::new(&old.payload).map_err(damaged)?;
    let indexed = Indexed { key, item, size: old.size };
    indexes
        .iter()
        .map(|index| Ok(index::row(&indexed, index, schema).map_err(damaged)?.ok().flatten()))
        .collect()
}

fn change_row(
    tx: &mut Transaction<'_>,
    index: &IndexView<'_>,
    before: Option<&IndexRow>,
    after: Option<&IndexRow>,
) -> Result<(), Error> {
    if before == after {
        return Ok(());
    }
    let space = index_space(tx, index);
    if let Some(before) = before.filter(|before| after.is_none_or(|after| after.key != before.key)) {
        space.delete(tx, &before.key).map_err(failed)?;
    }
    if let Some(after) = after {
        space.put(tx, &after.key, &[], after.size).map_err(failed)?;
    }
    Ok(())
}

/// The space of an index whose definition was found in the state `read`.
pub(crate) fn index_space(read: &(impl Read + ?Sized), index: &IndexView<'_>) -> Space {
    Space::defined(read, index.space, SpaceKind::DYNAMODB_INDEX)
}
