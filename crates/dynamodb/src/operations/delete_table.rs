//! `DeleteTable`: takes the name away and drops the spaces of the table and its indexes. The rows go in the background.
//!
//! Where statuses are delayed it only marks the table; a job does the rest when the time has come.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName, failed};
use crate::description::{self, Phase, Sizes};
use crate::errors::tables;
use crate::jobs;
use crate::request;
use crate::table::{TRANSIENT_MS, TableDefinition, TableState};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{DeleteTableInput, DeleteTableOutput};
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Need, Snapshot, Transaction};

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: DeleteTableInput = read(body)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    Ok(Prepared::Write(Box::new(DeleteTable {
        info: request::commit_info(context, "DeleteTable"),
        scope: Scope::of(context),
        table,
        gone_ms: context.delay_transient_statuses.then(|| context.now_ms + TRANSIENT_MS),
        deleted: None,
    })))
}

struct DeleteTable {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    /// When it is to be gone, if not at once.
    gone_ms: Option<u64>,
    deleted: Option<(TableDefinition, Sizes)>,
}

impl WriteOperation<Error> for DeleteTable {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn need(&self) -> Need {
        Need::Free
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
        let mut definition = table.definition()?;
        let sizes = Sizes::of(tx, &table, &definition)?;
        if let Some(gone_ms) = self.gone_ms {
            definition.states.gone_ms = gone_ms;
            self.scope.redefine(tx, &self.table, &definition)?;
            jobs::remove_later(tx, self.scope.data_set(), name, table.space.id(), gone_ms)
                .map_err(|error| failed(error.into()))?;
        } else {
            self.scope.remove(tx, &self.table)?;
        }
        self.deleted = Some((definition, sizes));
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let description = self.deleted.map(|(definition, sizes)| {
            description::describe(&self.scope, &self.table, &definition, &sizes, Phase::Deleting)
        });
        description::render(&DeleteTableOutput { table_description: description })
    }
}
