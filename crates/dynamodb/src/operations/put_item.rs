//! `PutItem`: stores an item whole, in place of one with the same key, if a condition holds for that one.

use super::{Prepared, read};
use crate::errors;
use crate::expression::ExpressionKind;
use crate::item::codec::encode_item;
use crate::item::size::ITEM_BYTES_MAX;
use crate::write::ItemWrite;
use crate::write::expressions::{Expressions, First};
use crate::write::single::{self, Returned, SingleWrite};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::PutItemInput;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: PutItemInput = read(body)?;
    plan(context, input).map_err(|error| single::as_read("PutItem", body, error))
}

fn plan(context: &Context, input: PutItemInput) -> Result<Prepared<Error>, Error> {
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
    let item = input.item.unwrap_or_default();
    let encoded = encode_item(&item).map_err(|error| errors::value(single::WORDING, &error))?;
    let (condition, _) = expressions.read(single::WORDING, First::Condition)?;
    if encoded.size > ITEM_BYTES_MAX {
        return Err(errors::item_too_large());
    }
    let write = ItemWrite::put(item, encoded).when(condition);
    let mut write = SingleWrite::new(context, "PutItem", table, write, errors::item_key);
    write.returned = returned;
    write.return_on_failure = single::shows_item(input.return_values_on_condition_check_failure.as_deref());
    Ok(Prepared::Write(Box::new(write)))
}
