//! `DescribeTable`: the definition of a table, with exact counts.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::description::{self, Phase, Sizes};
use crate::errors::tables;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{DescribeTableInput, DescribeTableOutput};
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: DescribeTableInput = read(body)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    Ok(Prepared::Read(Box::new(DescribeTable { scope: Scope::of(context), table })))
}

struct DescribeTable {
    scope: Scope,
    table: TableName,
}

impl ReadOperation<Error> for DescribeTable {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let found = self.scope.table_in_any_state(read, &self.table)?;
        let (table, state) = found.ok_or_else(|| tables::no_such_table_named(self.table.as_str()))?;
        let definition = table.definition()?;
        let sizes = Sizes::of(read, &table, &definition)?;
        let description =
            description::describe(&self.scope, &self.table, &definition, &sizes, Phase::of(state));
        description::render(&DescribeTableOutput { table: Some(description) })
    }
}
