//! `GetItem`: the item of a key, or what a projection shows of it. Every read is strongly consistent, so `ConsistentRead` makes
//! no difference but to the capacity.

use super::{Prepared, read};
use crate::capacity::Consumed;
use crate::catalog::{Scope, TableName, failed};
use crate::errors::{self, Wording};
use crate::item::codec::check_key;
use crate::key;
use crate::projected::Projected;
use crate::read_capacity::ReadCapacity;
use crate::request::{Answer, rendered_room};
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::GetItemInput;
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored; of several faults the first of: names without an expression,
/// values of the key, names, the expression. Source of the order: recorded earlier (see
/// [`errors::reads`](crate::errors::reads)).
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: GetItemInput = read(body)?;
    let (expression, names) = (input.projection_expression.as_deref(), input.expression_attribute_names);
    Projected::check_alone(expression, names.as_ref())?;
    let key = input.key.unwrap_or_default();
    check_key(&key).map_err(|error| errors::value(Wording::Bare, &error))?;
    let projected = Projected::read(expression, names)?;
    let name = input.table_name.unwrap_or_default();
    let returned = input.return_consumed_capacity.as_deref();
    Ok(Prepared::Read(Box::new(GetItem {
        scope: Scope::of(context),
        capacity: ReadCapacity::new(returned, input.consistent_read, &name),
        table: TableName::read(name)?,
        key,
        projected,
    })))
}

struct GetItem {
    scope: Scope,
    table: TableName,
    key: AttributeMap,
    projected: Projected,
    capacity: ReadCapacity,
}

impl ReadOperation<Error> for GetItem {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let table = self.scope.table(read, &self.table)?.ok_or_else(errors::no_such_table)?;
        let (key, shown) = self.projected.of_table(&table, |schema| {
            key::of_key(&self.key.0, schema).map_err(|error| errors::lookup_key(&error))
        })?;
        let item = table.space.get(read, &key).map_err(failed)?;
        let units = self.capacity.units(item.as_ref().map_or(0, |item| item.size));
        let mut answer = Answer::with_capacity(item.as_ref().map_or(0, |item| rendered_room(&item.payload)));
        answer.member("ConsumedCapacity", |out| Ok(self.capacity.render(&Consumed::of_table(units), out)))?;
        if let Some(item) = item {
            // It is there, though nothing of it may be shown.
            let write = |out: &mut Vec<u8>| shown.render(&item.payload, out).map(|_any| true);
            answer.member("Item", write).map_err(|error| errors::damaged(&error))?;
        }
        Ok(answer.finish())
    }
}
