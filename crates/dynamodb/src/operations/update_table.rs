//! `UpdateTable`: adds a global index to a table, or drops one.
//!
//! An index that is added is kept by every write from this commit on; a job makes the rows of the items that are there
//! ([`jobs`]). One that is dropped loses its space with this commit, and its rows go in the background.

use self::indexes::IndexChange;
use super::{Prepared, read};
use crate::catalog::{Scope, Table, TableName, failed};
use crate::description::{self, Phase, Sizes};
use crate::errors::{tables, update_table as texts};
use crate::jobs;
use crate::request;
use crate::table::{IndexState, TRANSIENT_MS, TableDefinition, TableState};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{UpdateTableInput, UpdateTableOutput};
use holdfast_state::Space;
use holdfast_state::families::SpaceKind;
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Snapshot, Transaction};

mod indexes;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: UpdateTableInput = read(body)?;
    let updates = input.global_secondary_index_updates.unwrap_or_default();
    if updates.is_empty() {
        return Err(texts::nothing_to_update());
    }
    let changes = indexes::read(updates, input.attribute_definitions.as_deref().unwrap_or_default())?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    Ok(Prepared::Write(Box::new(UpdateTable {
        info: request::commit_info(context, "UpdateTable"),
        scope: Scope::of(context),
        table,
        changes,
        done_ms: context.now_ms + if context.delay_transient_statuses { TRANSIENT_MS } else { 0 },
        changed: None,
    })))
}

struct UpdateTable {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    changes: Vec<IndexChange>,
    /// Until when at least an index shows that it comes or goes.
    done_ms: u64,
    changed: Option<(TableDefinition, Sizes)>,
}

impl WriteOperation<Error> for UpdateTable {
    fn info(&self) -> CommitInfo {
        self.info.clone()
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
            TableState::Deleting | TableState::Gone => return Err(tables::table_being_deleted(name)),
            TableState::Active => {}
        }
        let [change] = &self.changes[..] else { return Err(texts::one_index_at_a_time()) };
        let mut definition = table.definition()?;
        definition.forget_dropped(self.scope.now_ms());
        indexes::check_alone(&definition, change, self.scope.now_ms())?;
        // What the answer shows is what was there, with the change begun.
        let shown = match change {
            IndexChange::Create { .. } => {
                self.create(tx, &table, &mut definition, change)?;
                definition
            }
            IndexChange::Delete { name } => self.drop(tx, definition, name)?,
        };
        let sizes = Sizes::of(tx, &table, &shown)?;
        self.changed = Some((shown, sizes));
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let description = self.changed.map(|(definition, sizes)| {
            description::describe(&self.scope, &self.table, &definition, &sizes, Phase::Changed)
        });
        description::render(&UpdateTableOutput { table_description: description })
    }
}

impl UpdateTable {
    /// Adds an index without rows, and has them made.
    fn create(
        &self,
        tx: &mut Transaction<'_>,
        table: &Table,
        definition: &mut TableDefinition,
        change: &IndexChange,
    ) -> Result<(), Error> {
        let mut index = indexes::add(definition, change)?;
        index.space = Space::create(tx, SpaceKind::DYNAMODB_INDEX).map_err(failed)?.id();
        index.state = IndexState::Building { from_ms: self.done_ms };
        let (name, space) = (index.name.clone(), index.space);
        indexes::insert(definition, index);
        self.scope.redefine(tx, &self.table, definition)?;
        jobs::build_index_later(tx, self.scope.named(&self.table), table.space.id(), (&name, space))
            .map_err(|error| failed(error.into()))
    }

    /// Drops an index, its space with it; answers what is to be shown, where it is going.
    fn drop(
        &self,
        tx: &mut Transaction<'_>,
        mut definition: TableDefinition,
        name: &str,
    ) -> Result<TableDefinition, Error> {
        let index = indexes::find(&mut definition, name)?;
        let space = Space::open(tx, index.space, SpaceKind::DYNAMODB_INDEX).map_err(failed)?;
        index.state = IndexState::Dropped { gone_ms: self.done_ms };
        let mut shown = definition.clone();
        for index in shown.indexes.iter_mut().filter(|index| index.name == name) {
            index.state = IndexState::Dropped { gone_ms: u64::MAX };
        }
        definition.forget_dropped(self.scope.now_ms());
        indexes::forget_attributes(&mut definition);
        self.scope.redefine(tx, &self.table, &definition)?;
        // Opened before the definition changed, in the same transaction: nothing else is defined by it.
        space.drop(tx).map_err(failed)?;
        Ok(shown)
    }
}
