//! `BatchWriteItem`: up to 25 puts and deletes in one or more tables, all in one commit.
//!
//! AWS may leave requests of a batch undone and give them back; here a batch is done whole or refused whole, so
//! `UnprocessedItems` is always empty.

use super::{Prepared, read};
use crate::capacity::render::Kind;
use crate::catalog::{Scope, Table, TableName};
use crate::errors::{self, Wording, batches};
use crate::item::codec::{check_key, encode_item};
use crate::item::size::ITEM_BYTES_MAX;
use crate::request::{self, Answer};
use crate::write::effort::Effort;
use crate::write::told::{Asked, ToldOfTables};
use crate::write::{ItemWrite, Layout, WriteFault};
use holdfast_aws::{Context, Error};
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
    let input: BatchWriteItemInput = read(body)?;
    let asked = Asked::read(
        input.return_consumed_capacity.as_deref(),
        input.return_item_collection_metrics.as_deref(),
    );
    let lists = input.request_items.unwrap_or_default().0;
    let count = lists.iter().map(|(_, list)| list.len()).sum();
    if count > WRITES_MAX {
        return Err(batches::too_many_writes());
    }
    let mut tables = Vec::with_capacity(lists.len());
    let mut writes = Vec::with_capacity(count);
    let mut need = Need::Free;
    for (at, (name, list)) in lists.into_iter().enumerate() {
        tables.push((TableName::read(name.clone())?, name));
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
        asked,
        told: ToldOfTables::default(),
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
    /// In the order in which they were sent, with their names as they were sent.
    tables: Vec<(TableName, String)>,
    /// Each with the position of its table, in the order in which they were sent.
    writes: Vec<(usize, ItemWrite)>,
    need: Need,
    asked: Asked,
    told: ToldOfTables,
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
        let find = |(name, _): &(TableName, String)| self.scope.table(newest, name).ok().flatten();
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
        let find =
            |(name, _): &(TableName, String)| self.scope.table(tx, name)?.ok_or_else(errors::no_such_table);
        let tables: Vec<Table> = self.tables.iter().map(find).collect::<Result<_, Error>>()?;
        let tables: Vec<Layout<'_>> = tables.iter().map(Layout::read).collect::<Result<_, Error>>()?;
        let mut changes: Vec<(usize, &ItemWrite, Cow<'_, [u8]>)> = Vec::with_capacity(self.writes.len());
        for (at, write) in &self.writes {
            let table = &tables[*at];
            let key = write.key(table, errors::lookup_key)?;
            // A table may be there by its name and by its ARN.
            let same = |(other_at, _, other_key): &(usize, _, Cow<'_, [u8]>)| {
                tables[*other_at].table.space.id() == table.table.space.id() && *other_key == key
            };
            if changes.iter().any(same) {
                return Err(batches::duplicate_keys());
            }
            changes.push((*at, write, key));
        }
        let mut told = ToldOfTables::default();
        let mut effort = Effort::default();
        for (at, write, key) in changes {
            let table = &tables[at];
            let change = write
                .decide(tx, table, &key, self.asked.needs_before(), &mut effort)
                .map_err(WriteFault::into_error)?;
            if self.asked.is_anything() {
                told.of(&self.tables[at].1).add(self.asked, tx, table, &key, &change)?;
            }
            write.apply(tx, table, &key, &change)?;
        }
        self.told = told;
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let mut answer = Answer::with_capacity(64);
        let members = self.told.render(self.asked, Kind::Unsaid, &mut answer).and_then(|()| {
            answer.member("UnprocessedItems", |out| {
                out.extend_from_slice(b"{}");
                Ok(true)
            })
        });
        members.map_err(|error| errors::damaged(&error))?;
        Ok(answer.finish())
    }
}
