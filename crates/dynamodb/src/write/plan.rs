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
    /// Rows of an item that is put, whatever was there before.
    pub(super) put: Option<Result<Rows, IndexKeyError>>,
    /// The rest follows from the item before.
    of_item: OfItem,
}

/// What was computed for one item before, or for none.
#[derive(Debug, Default)]
pub(super) struct OfItem {
    /// The version that wrote the item.
    since: Option<Version>,
    /// Whether the condition holds.
    pub(super) holds: Option<bool>,
    /// What an update makes of it, as `apply_update` answers.
    pub(super) updated: Option<Updated>,
    /// Its rows.
    rows: Option<Rows>,
}

impl ItemWrite {
    pub(super) fn make_plan(&self, newest: &Snapshot, table: &Layout<'_>) -> Result<Plan, Error> {
        let key = self.make_key(&table.schema);
        let mut plan = Plan { table: table.table.since, key, put: None, of_item: OfItem::default() };
        let Ok(key) = &plan.key else { return Ok(plan) };
        let old = table.table.space.get(newest, key).map_err(failed)?;
        let old = old.as_ref();
        let of_item = &mut plan.of_item;
        of_item.since = old.map(|old| old.since);
        // An expression of 4 KB can keep a thread busy for long on a large item: not the executor, where it can be helped.
        if let Some(condition) = &self.condition {
            let holds = holds(condition, old).map_err(|error| errors::damaged(&error))?;
            of_item.holds = Some(holds);
            if !holds {
                return Ok(plan);
            }
        }
        let indexed = table.has_rows();
        if let Some(old) = old.filter(|_| indexed) {
            of_item.rows = Some(Rows::of_stored(table, key, old)?);
        }
        match &self.target {
            Target::Put { encoded, .. } => plan.put = Some(Rows::of_encoded(table, key, encoded)?),
            Target::Update { key: attributes, update } => {
                of_item.updated = Some(apply_update(table, key, attributes, update, old));
            }
            Target::Delete { .. } | Target::Check { .. } => {}
        }
        if indexed && !matches!(self.target, Target::Check { .. }) {
            let none = Rows::default();
            let before = plan.of_item.rows.as_ref().unwrap_or(&none);
            let put = plan.put.as_ref().and_then(|rows| rows.as_ref().ok());
            let updated = plan.of_item.updated.as_ref().and_then(|updated| updated.as_ref().ok()?.as_ref());
            let after = put.or(updated.map(|(_, rows)| rows)).unwrap_or(&none);
            rows::prefetch(newest, table, before, after);
        }
        Ok(plan)
    }

    /// The plan, if it was made for this very definition.
    pub(super) fn planned(&self, table: &Layout<'_>) -> Option<&Plan> {
        self.plan.get().filter(|plan| plan.table == table.table.since)
    }

    /// What was planned of the item before, if it was planned for that very item.
    pub(super) fn planned_of(&self, table: &Layout<'_>, old: Option<&Value>) -> Option<&OfItem> {
        let since = old.map(|old| old.since);
        self.planned(table).map(|plan| &plan.of_item).filter(|of_item| of_item.since == since)
    }

    /// Rows of the item before.
    pub(super) fn rows_before<'w>(
        planned: Option<&'w OfItem>,
        table: &Layout<'_>,
        key: &[u8],
        old: Option<&Value>,
    ) -> Result<Cow<'w, Rows>, Error> {
        let Some(old) = old.filter(|_| table.has_rows()) else { return Ok(Cow::default()) };
        match planned.and_then(|planned| planned.rows.as_ref()) {
            Some(rows) => Ok(Cow::Borrowed(rows)),
            None => Rows::of_stored(table, key, old).map(Cow::Owned),
        }
    }
}
