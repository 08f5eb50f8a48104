//! `DeleteItem`: removes the item of a key, if there is one and a condition holds for it.

use super::{Prepared, read};
use crate::errors;
use crate::expression::ExpressionKind;
use crate::item::codec::check_key;
use crate::write::ItemWrite;
use crate::write::expressions::{Expressions, First};
use crate::write::single::{self, Returned, SingleWrite};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::DeleteItemInput;
use holdfast_store::Need;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: DeleteItemInput = read(body)?;
    plan(context, input).map_err(|error| single::as_read("DeleteItem", body, error))
}

fn plan(context: &Context, input: DeleteItemInput) -> Result<Prepared<Error>, Error> {
    let table = single::Table::read(
        input.table_name,
        input.return_consumed_capacity.as_deref(),
        input.return_item_collection_metrics.as_deref(),
    )?;
    let returned = Returned::old_only(input.return_values.as_deref())?;
    let expressions = Expressions {
        condition: input.condition_expression,
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
        update: None,
    };
    expressions.refuse_placeholders_alone(single::WORDING, &[ExpressionKind::Condition])?;
    let key = input.key.unwrap_or_default();
    check_key(&key).map_err(|error| errors::value(single::WORDING, &error))?;
    let (condition, _) = expressions.read(single::WORDING, First::Condition)?;
    let write = ItemWrite::delete(key).when(condition);
    let mut write = SingleWrite::new(context, "DeleteItem", table, write, errors::lookup_key);
    write.need = Need::Free;
    write.returned = returned;
    write.return_on_failure = single::shows_item(input.return_values_on_condition_check_failure.as_deref());
    Ok(Prepared::Write(Box::new(write)))
}
