//! `BatchWriteItem`: up to 25 puts and deletes in one or more tables, all in one commit.
//!
//! AWS may leave requests of a batch undone and give them back; here a batch is done whole or refused whole, so
//! `UnprocessedItems` is always empty.

use super::{Prepared, refuse_unevaluated};
use crate::catalog::{Scope, Table, TableName};
use crate::errors::{self, Wording, batches};
use crate::item::codec::{check_key, encode_item};
use crate::item::size::ITEM_BYTES_MAX;
use crate::request;
use crate::write::{ItemWrite, Layout};
use holdfast_aws::{Context, Error};
use holdfast_shapes::Input;
use holdfast_shapes::dynamodb::{BatchWriteItemInput, DeleteRequest, PutRequest, WriteRequest};
use holdfast_state::operation::{Extent, WriteOperation};
use holdfast_store::{CommitInfo, Need, Snapshot, Transaction};
use std::borrow::Cow;

/// Most writes in a batch. Source: model, for one table; AWS's quotas, for all together.
const WRITES_MAX: usize = 25;
/// Most writes whose items are read ahead on the thread that received the request.
const POINT_WRITES_MAX: usize = 8;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let mut input: BatchWriteItemInput = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    input.check().map_err(errors::constraints)?;
    // `NONE` asks for nothing; whatever else is asked for is not evaluated yet.
    input.return_consumed_capacity.take_if(|asked| asked == "NONE");
    input.return_item_collection_metrics.take_if(|asked| asked == "NONE");
    refuse_unevaluated(&input)?;
    let lists = input.request_items.unwrap_or_default().0;
    let count = lists.iter().map(|(_, list)| list.len()).sum();
    if count > WRITES_MAX {
        return Err(batches::too_many_writes());
    }
    let mut tables = Vec::with_capacity(lists.len());
    let mut writes = Vec::with_capacity(count);
    let mut need = Need::Free;
    for (at, (name, list)) in lists.into_iter().enumerate() {
        tables.push(TableName::read(name)?);
        for request in list {
            if request.put_request.is_some() {
                need = Need::Room;
            }
            writes.push((at, write(request)?));
        }
    }
    Ok(Prepared::Write(Box::new(BatchWriteItem {
        info: request::commit_info(context, "BatchWriteItem"),
        scope: Scope::of(context),
        tables,
        writes,
        need,
    })))
}

fn write(request: WriteRequest) -> Result<ItemWrite, Error> {
    let value = |error| errors::value(Wording::Older, &error);
    match request {
        WriteRequest { put_request: Some(PutRequest { item }), delete_request: None } => {
            let item = item.unwrap_or_default();
            let encoded = encode_item(&item).map_err(value)?;
            if encoded.size > ITEM_BYTES_MAX {
                return Err(errors::item_too_large());
            }
            Ok(ItemWrite::put(item, encoded))
        }
        WriteRequest { put_request: None, delete_request: Some(DeleteRequest { key }) } => {
            let key = key.unwrap_or_default();
            check_key(&key).map_err(value)?;
            Ok(ItemWrite::delete(key))
        }
        _ => Err(batches::not_one_write()),
    }
}

struct BatchWriteItem {
    info: CommitInfo,
    scope: Scope,
    /// In the order in which they were sent.
    tables: Vec<TableName>,
    /// Each with the position of its table, in the order in which they were sent.
    writes: Vec<(usize, ItemWrite)>,
    need: Need,
}

impl WriteOperation<Error> for BatchWriteItem {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn need(&self) -> Need {
        self.need
    }

    fn extent(&self) -> Extent {
        if self.writes.len() > POINT_WRITES_MAX { Extent::Pages } else { Extent::Point }
    }

    fn prefetch(&self, newest: &Snapshot) {
        let find = |name| self.scope.table(newest, name).ok().flatten();
        let tables: Vec<Option<Table>> = self.tables.iter().map(find).collect();
        let tables: Vec<Option<Layout<'_>>> =
            tables.iter().map(|table| table.as_ref().and_then(|table| Layout::read(table).ok())).collect();
        for (at, write) in &self.writes {
            if let Some(Some(table)) = tables.get(*at) {
                write.prefetch(newest, table);
            }
        }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let find = |name| self.scope.table(tx, name)?.ok_or_else(errors::no_such_table);
        let tables: Vec<Table> = self.tables.iter().map(find).collect::<Result<_, Error>>()?;
        let tables: Vec<Layout<'_>> = tables.iter().map(Layout::read).collect::<Result<_, Error>>()?;
        let mut changes: Vec<(&Layout<'_>, &ItemWrite, Cow<'_, [u8]>)> =
            Vec::with_capacity(self.writes.len());
        for (at, write) in &self.writes {
            let table = &tables[*at];
            let key = write.key(table, errors::lookup_key)?;
            // A table may be there by its name and by its ARN.
            let same = |other: &(&Layout<'_>, &ItemWrite, Cow<'_, [u8]>)| {
                other.0.table.space.id() == table.table.space.id() && other.2 == key
            };
            if changes.iter().any(same) {
                return Err(batches::duplicate_keys());
            }
            changes.push((table, write, key));
        }
        for (table, write, key) in changes {
            let change = write.decide(tx, table, &key, false).map_err(|fault| fault.into_error(false))?;
            write.apply(tx, table, &key, &change)?;
        }
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        Ok(br#"{"UnprocessedItems":{}}"#.to_vec())
    }
}
