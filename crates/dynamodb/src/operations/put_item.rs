//! `PutItem`: stores an item whole, in place of one with the same key.

use super::{Prepared, read};
use crate::catalog::{Scope, Table, TableName, failed};
use crate::errors::{self, Wording};
use crate::item::codec::{Encoded, encode_item};
use crate::item::size::ITEM_BYTES_MAX;
use crate::key::{self, KeyError};
use crate::request::{self, KeyPlan, ReturnOld};
use bytes::Bytes;
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
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
        item,
        encoded,
        return_old,
        plan: KeyPlan::default(),
        old: None,
    })))
}

struct PutItem {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    item: AttributeMap,
    encoded: Encoded,
    return_old: ReturnOld,
    plan: KeyPlan,
    /// The item before, where it is asked for.
    old: Option<Bytes>,
}

impl PutItem {
    fn key(&self, table: &Table) -> Result<Result<Vec<u8>, KeyError>, Error> {
        let schema = table.key_schema()?;
        Ok(key::of_item(&self.item.0, &schema))
    }
}

impl WriteOperation<Error> for PutItem {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn prefetch(&self, newest: &Snapshot) {
        self.plan.prefetch(newest, &self.scope, &self.table, |table| self.key(table));
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        self.old = None;
        let table = self.scope.table(tx, &self.table)?.ok_or_else(errors::no_such_table)?;
        let key = self.plan.key(&table, |table| self.key(table), errors::item_key)?;
        if self.return_old == ReturnOld::All {
            let old = table.space.get(tx, &key).map_err(failed)?;
            self.old = old.map(|value| value.payload);
        }
        table.space.put(tx, &key, &self.encoded.bytes, self.encoded.size).map_err(failed)
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        request::render_attributes(self.old.as_deref())
    }
}
