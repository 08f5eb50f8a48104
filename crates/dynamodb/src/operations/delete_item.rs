//! `DeleteItem`: removes the item of a key, if there is one.

use super::{Prepared, read};
use crate::catalog::{Scope, Table, TableName, failed};
use crate::errors::{self, Wording};
use crate::item::codec::check_key;
use crate::key::{self, KeyError};
use crate::request::{self, KeyPlan, ReturnOld};
use bytes::Bytes;
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::DeleteItemInput;
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Need, Snapshot, Transaction};

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: DeleteItemInput = read(body)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    let return_old = ReturnOld::read(input.return_values.as_deref())?;
    let key = input.key.unwrap_or_default();
    check_key(&key).map_err(|error| errors::value(Wording::Enveloped, &error))?;
    Ok(Prepared::Write(Box::new(DeleteItem {
        info: request::commit_info(context, "DeleteItem"),
        scope: Scope::of(context),
        table,
        key,
        return_old,
        plan: KeyPlan::default(),
        old: None,
    })))
}

struct DeleteItem {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    key: AttributeMap,
    return_old: ReturnOld,
    plan: KeyPlan,
    /// The item before, where it is asked for.
    old: Option<Bytes>,
}

impl DeleteItem {
    fn key(&self, table: &Table) -> Result<Result<Vec<u8>, KeyError>, Error> {
        let schema = table.key_schema()?;
        Ok(key::of_key(&self.key.0, &schema))
    }
}

impl WriteOperation<Error> for DeleteItem {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn need(&self) -> Need {
        Need::Free
    }

    fn prefetch(&self, newest: &Snapshot) {
        self.plan.prefetch(newest, &self.scope, &self.table, |table| self.key(table));
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        self.old = None;
        let table = self.scope.table(tx, &self.table)?.ok_or_else(errors::no_such_table)?;
        let key = self.plan.key(&table, |table| self.key(table), errors::lookup_key)?;
        if self.return_old == ReturnOld::All {
            let old = table.space.get(tx, &key).map_err(failed)?;
            self.old = old.map(|value| value.payload);
        }
        table.space.delete(tx, &key).map_err(failed)?;
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        request::render_attributes(self.old.as_deref())
    }
}
