//! `UpdateItem`: changes attributes of an item, or makes it of its key, if a condition holds for it.

use super::{Prepared, read};
use crate::errors;
use crate::expression::outline::Outline;
use crate::expression::{ExpressionKind, Update};
use crate::item::codec::check_key;
use crate::item::size::ITEM_BYTES_MAX;
use crate::write::ItemWrite;
use crate::write::expressions::{Expressions, First};
use crate::write::single::{self, Returned, SingleWrite};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::UpdateItemInput;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: UpdateItemInput = read(body)?;
    plan(context, input).map_err(|error| single::as_read("UpdateItem", body, error))
}

fn plan(context: &Context, input: UpdateItemInput) -> Result<Prepared<Error>, Error> {
    let table = single::Table::read(
        input.table_name,
        input.return_consumed_capacity.as_deref(),
        input.return_item_collection_metrics.as_deref(),
    )?;
    let expressions = Expressions {
        condition: input.condition_expression,
        update: input.update_expression,
        names: input.expression_attribute_names,
        values: input.expression_attribute_values,
    };
    let kinds = [ExpressionKind::Update, ExpressionKind::Condition];
    expressions.refuse_placeholders_alone(single::WORDING, &kinds)?;
    let key = input.key.unwrap_or_default();
    check_key(&key).map_err(|error| errors::value(single::WORDING, &error))?;
    let (condition, update) = expressions.read(single::WORDING, First::Condition)?;
    if update.cost() > ITEM_BYTES_MAX {
        return Err(errors::updates::item_too_large());
    }
    let returned = returned(input.return_values.as_deref(), &update);
    let write = ItemWrite::update(key, update).when(condition);
    let mut write = SingleWrite::new(context, "UpdateItem", table, write, errors::lookup_key);
    write.returned = returned;
    write.return_on_failure = single::shows_item(input.return_values_on_condition_check_failure.as_deref());
    Ok(Prepared::Write(Box::new(write)))
}

/// Reads `ReturnValues`, a value that is one of the model's.
fn returned(value: Option<&str>, update: &Update) -> Returned {
    match value {
        Some("ALL_OLD") => Returned::AllOld,
        Some("ALL_NEW") => Returned::AllNew,
        Some("UPDATED_OLD") => Returned::UpdatedOld(Outline::of(update.paths())),
        Some("UPDATED_NEW") => Returned::UpdatedNew(Outline::of(update.paths())),
        _ => Returned::Nothing,
    }
}
