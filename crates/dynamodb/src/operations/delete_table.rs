//! `DeleteTable`: takes the name away and drops the spaces of the table and its indexes. The rows go in the background.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::description::{self, Phase, Sizes};
use crate::errors::tables;
use crate::request;
use crate::table::TableDefinition;
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
        deleted: None,
    })))
}

struct DeleteTable {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
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
        let _ = self.scope.table(newest, &self.table);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let table = self.scope.table(tx, &self.table)?;
        let table = table.ok_or_else(|| tables::no_such_table_named(self.table.as_str()))?;
        let definition = table.definition()?;
        let sizes = Sizes::of(tx, &table, &definition)?;
        self.scope.remove(tx, &self.table)?;
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
