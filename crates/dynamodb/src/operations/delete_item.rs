//! `DeleteItem`: removes the item of a key, if there is one.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::errors::{self, Wording};
use crate::item::codec::check_key;
use crate::request::{self, ReturnOld};
use crate::write::{ItemWrite, Layout};
use bytes::Bytes;
use holdfast_aws::{Context, Error};
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
        write: ItemWrite::delete(key),
        return_old,
        old: None,
    })))
}

struct DeleteItem {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    write: ItemWrite,
    return_old: ReturnOld,
    /// The item before, where it is asked for.
    old: Option<Bytes>,
}

impl WriteOperation<Error> for DeleteItem {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn need(&self) -> Need {
        Need::Free
    }

    fn prefetch(&self, newest: &Snapshot) {
        let Ok(Some(table)) = self.scope.table(newest, &self.table) else { return };
        if let Ok(table) = Layout::read(&table) {
            self.write.prefetch(newest, &table);
        }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        self.old = None;
        let table = self.scope.table(tx, &self.table)?.ok_or_else(errors::no_such_table)?;
        let table = Layout::read(&table)?;
        let key = self.write.key(&table, errors::lookup_key)?;
        let before = self.write.before(tx, &table, &key, self.return_old == ReturnOld::All)?;
        self.write.apply(tx, &table, &key, &before)?;
        if self.return_old == ReturnOld::All {
            self.old = before.into_item();
        }
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        request::render_attributes(self.old.as_deref())
    }
}
