//! `PutItem`: stores an item whole, in place of one with the same key.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::errors::{self, Wording};
use crate::item::codec::encode_item;
use crate::item::size::ITEM_BYTES_MAX;
use crate::request::{self, ReturnOld};
use crate::write::{ItemWrite, Layout};
use bytes::Bytes;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::PutItemInput;
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Snapshot, Transaction};

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: PutItemInput = read(body)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    let return_old = ReturnOld::read(input.return_values.as_deref())?;
    let item = input.item.unwrap_or_default();
    let encoded = encode_item(&item).map_err(|error| errors::value(Wording::Enveloped, &error))?;
    if encoded.size > ITEM_BYTES_MAX {
        return Err(errors::item_too_large());
    }
    Ok(Prepared::Write(Box::new(PutItem {
        info: request::commit_info(context, "PutItem"),
        scope: Scope::of(context),
        table,
        write: ItemWrite::put(item, encoded),
        return_old,
        old: None,
    })))
}

struct PutItem {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    write: ItemWrite,
    return_old: ReturnOld,
    /// The item before, where it is asked for.
    old: Option<Bytes>,
}

impl WriteOperation<Error> for PutItem {
    fn info(&self) -> CommitInfo {
        self.info.clone()
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
        let key = self.write.key(&table, errors::item_key)?;
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
