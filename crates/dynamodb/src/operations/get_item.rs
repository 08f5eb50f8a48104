//! `GetItem`: the item of a key. Every read is strongly consistent, so `ConsistentRead` makes no difference.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName, failed};
use crate::errors::{self, Wording};
use crate::item::codec::check_key;
use crate::key;
use crate::request;
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::GetItemInput;
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: GetItemInput = read(body)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    let key = input.key.unwrap_or_default();
    check_key(&key).map_err(|error| errors::value(Wording::Bare, &error))?;
    Ok(Prepared::Read(Box::new(GetItem { scope: Scope::of(context), table, key })))
}

struct GetItem {
    scope: Scope,
    table: TableName,
    key: AttributeMap,
}

impl ReadOperation<Error> for GetItem {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let table = self.scope.table(read, &self.table)?.ok_or_else(errors::no_such_table)?;
        let schema = table.key_schema()?;
        let key = key::of_key(&self.key.0, &schema).map_err(|error| errors::lookup_key(&error))?;
        let item = table.space.get(read, &key).map_err(failed)?;
        request::render_item("Item", item.as_ref().map(|value| &value.payload[..]))
    }
}
