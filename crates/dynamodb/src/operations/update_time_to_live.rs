//! `UpdateTimeToLive`: lets items expire by an attribute, or no longer.
//!
//! Enabling it makes the space of the rows of expiry, which writes keep from this commit on, and starts the job that deletes; the
//! rows of items that are there already are made by another job, until when it shows `ENABLING`. Disabling drops the space.

use super::{Prepared, read};
use crate::catalog::{Scope, Table, TableName, failed};
use crate::description;
use crate::errors::{tables, time_to_live};
use crate::jobs;
use crate::request;
use crate::table::{TableState, TimeToLive};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{TimeToLiveSpecification, UpdateTimeToLiveInput, UpdateTimeToLiveOutput};
use holdfast_state::Space;
use holdfast_state::families::SpaceKind;
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Need, Snapshot, Transaction};

/// Reads, checks and plans a request. Any attribute may be named, also a key. Source: verified.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: UpdateTimeToLiveInput = read(body)?;
    let scope = Scope::of(context);
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    // Both are there by the model.
    let TimeToLiveSpecification { attribute_name, enabled } =
        input.time_to_live_specification.unwrap_or_default();
    Ok(Prepared::Write(Box::new(UpdateTimeToLive {
        info: request::commit_info(context, "UpdateTimeToLive"),
        scope,
        table,
        attribute: attribute_name.unwrap_or_default(),
        enabled: enabled.unwrap_or_default(),
        now_ms: context.now_ms,
    })))
}

struct UpdateTimeToLive {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    attribute: String,
    enabled: bool,
    now_ms: u64,
}

impl UpdateTimeToLive {
    /// What stands in the way of the change, given the attribute that is in use.
    fn check(&self, current: Option<&str>) -> Result<(), Error> {
        match current {
            Some(current) if current != self.attribute => Err(time_to_live::active_on_other(current)),
            Some(_) if self.enabled => Err(time_to_live::already_enabled()),
            None if !self.enabled => Err(time_to_live::already_disabled()),
            Some(_) | None => Ok(()),
        }
    }

    /// Makes the space and starts the jobs.
    fn enable(&self, tx: &mut Transaction<'_>, table: &Table) -> Result<TimeToLive, Error> {
        let space = Space::create(tx, SpaceKind::DYNAMODB_EXPIRY).map_err(failed)?.id();
        // As it was when this operation began, which puts no items itself.
        let built = table.space.counters(tx).map_err(failed)?.items == 0;
        let (data_set, name) = (self.scope.data_set(), self.table.as_str());
        if !built {
            jobs::build_expiry(tx, data_set, name, space).map_err(|error| failed(error.into()))?;
        }
        jobs::expire(tx, data_set, name, space).map_err(|error| failed(error.into()))?;
        Ok(TimeToLive {
            attribute: self.attribute.clone(),
            space: Some(space),
            built,
            changed_ms: self.now_ms,
        })
    }
}

impl WriteOperation<Error> for UpdateTimeToLive {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    /// Disabling it frees room.
    fn need(&self) -> Need {
        if self.enabled { Need::Room } else { Need::Free }
    }

    fn prefetch(&self, newest: &Snapshot) {
        let _ = self.scope.entry(newest, &self.table);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let name = self.table.as_str();
        let found = self.scope.table_in_any_state(tx, &self.table)?;
        let (table, state) = found.ok_or_else(|| tables::no_such_table_named(name))?;
        match state {
            TableState::Creating => return Err(tables::table_being_created(name)),
            TableState::Deleting => return Err(tables::table_being_deleted(name)),
            TableState::Active | TableState::Gone => {}
        }
        let (_, _, expiry) = table.derived()?;
        self.check(expiry.map(|expiry| expiry.attribute))?;
        let mut definition = table.definition()?;
        definition.time_to_live = match expiry {
            Some(expiry) => {
                let space = Space::open(tx, expiry.space, SpaceKind::DYNAMODB_EXPIRY).map_err(failed)?;
                // Its jobs end with their next steps.
                space.drop(tx).map_err(failed)?;
                Some(TimeToLive {
                    attribute: self.attribute.clone(),
                    space: None,
                    built: false,
                    changed_ms: self.now_ms,
                })
            }
            None => Some(self.enable(tx, &table)?),
        };
        self.scope.redefine(tx, &self.table, &definition)
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let specification =
            TimeToLiveSpecification { attribute_name: Some(self.attribute), enabled: Some(self.enabled) };
        description::render(&UpdateTimeToLiveOutput { time_to_live_specification: Some(specification) })
    }
}
