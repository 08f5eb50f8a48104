//! What is computed on the submitting thread.

use super::rows::{self, Rows};
use super::{ItemWrite, Layout, Target, Updated, apply_update, holds};
use crate::catalog::failed;
use crate::errors;
use crate::index::IndexKeyError;
use crate::key::KeyError;
use holdfast_aws::Error;
use holdfast_store::{Snapshot, Value, Version};
use std::borrow::Cow;

/// What was computed, for one definition of the table.
#[derive(Debug)]
pub(super) struct Plan {
    /// The version that wrote the table's definition.
    table: Version,
    pub(super) key: Result<Vec<u8>, KeyError>,
    /// Whether the condition holds for the item that a version wrote, or for none.
    pub(super) holds: Option<(Option<Version>, bool)>,
    /// Rows of an item that is put.
    pub(super) put: Option<Result<Rows, IndexKeyError>>,
    /// What an update makes of the item that a version wrote, or of none: as `apply_update` answers.
    pub(super) updated: Option<(Option<Version>, Updated)>,
    /// Rows of the item before, with the version that wrote it.
    before: Option<(Version, Rows)>,
}

impl ItemWrite {
    pub(super) fn make_plan(&self, newest: &Snapshot, table: &Layout<'_>) -> Result<Plan, Error> {
        let key = self.make_key(&table.schema);
        let mut plan =
            Plan { table: table.table.since, key, holds: None, put: None, updated: None, before: None };
        let Ok(key) = &plan.key else { return Ok(plan) };
        let old = table.table.space.get(newest, key).map_err(failed)?;
        let old = old.as_ref();
        // An expression of 4 KB can keep a thread busy for long on a large item: not the executor, where it can be helped.
        if let Some(condition) = &self.condition {
            let holds = holds(condition, old).map_err(|error| errors::damaged(&error))?;
            plan.holds = Some((old.map(|old| old.since), holds));
            if !holds {
                return Ok(plan);
            }
        }
        let indexed = !table.indexes.is_empty();
        if let Some(old) = old.filter(|_| indexed) {
            plan.before = Some((old.since, Rows::of_stored(table, key, old)?));
        }
        match &self.target {
            Target::Put { encoded, .. } => plan.put = Some(Rows::of_encoded(table, key, encoded)?),
            Target::Update { key: attributes, update } => {
                let updated = apply_update(table, key, attributes, update, old);
                plan.updated = Some((old.map(|old| old.since), updated));
            }
            Target::Delete { .. } | Target::Check { .. } => {}
        }
        if indexed {
            let none = Rows::default();
            let before = plan.before.as_ref().map_or(&none, |(_, rows)| rows);
            let put = plan.put.as_ref().and_then(|rows| rows.as_ref().ok());
            let updated = plan.updated.as_ref().and_then(|(_, updated)| updated.as_ref().ok()?.as_ref());
            let updated = updated.map(|(_, rows)| rows);
            if !matches!(self.target, Target::Check { .. }) {
                rows::prefetch(newest, table, before, put.or(updated).unwrap_or(&none));
            }
        }
        Ok(plan)
    }

    /// The plan, if it was made for this very definition.
    pub(super) fn planned(&self, table: &Layout<'_>) -> Option<&Plan> {
        self.plan.get().filter(|plan| plan.table == table.table.since)
    }

    /// Rows of the item before: as planned, if they were planned for that very item.
    pub(super) fn rows_before(
        &self,
        table: &Layout<'_>,
        key: &[u8],
        old: Option<&Value>,
    ) -> Result<Cow<'_, Rows>, Error> {
        let Some(old) = old.filter(|_| !table.indexes.is_empty()) else { return Ok(Cow::default()) };
        match self.planned(table).and_then(|plan| plan.before.as_ref()) {
            Some((since, rows)) if *since == old.since => Ok(Cow::Borrowed(rows)),
            _ => Rows::of_stored(table, key, old).map(Cow::Owned),
        }
    }
}
