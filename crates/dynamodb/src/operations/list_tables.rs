//! `ListTables`: names in the order of their bytes, page by page.

use super::{Prepared, read};
use crate::catalog::Scope;
use crate::description;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{ListTablesInput, ListTablesOutput};
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Names in one answer where no limit is given, and the highest limit. Source: model.
const NAMES_MAX: usize = 100;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: ListTablesInput = read(body)?;
    // Between 1 and 100 by the model.
    let limit = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(NAMES_MAX);
    let after = input.exclusive_start_table_name;
    Ok(Prepared::Read(Box::new(ListTables { scope: Scope::of(context), after, limit })))
}

struct ListTables {
    scope: Scope,
    after: Option<String>,
    limit: usize,
}

impl ReadOperation<Error> for ListTables {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        // One more than asked for tells whether there is a next page.
        let mut names = self.scope.names(read, self.after.as_deref(), self.limit + 1)?;
        let more = names.len() > self.limit;
        names.truncate(self.limit);
        let last = if more { names.last().cloned() } else { None };
        description::render(&ListTablesOutput { table_names: Some(names), last_evaluated_table_name: last })
    }
}
