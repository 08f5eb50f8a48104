//! `UpdateItem`: changes attributes of an item, or makes it of its key, if a condition holds for it.

use super::{Prepared, read};
use crate::errors::{self, expression};
use crate::expression::outline::Outline;
use crate::expression::{Condition, ExpressionKind, Placeholders, Update};
use crate::item::codec::check_key;
use crate::item::size::ITEM_BYTES_MAX;
use crate::write::ItemWrite;
use crate::write::single::{self, Returned, SingleWrite};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::UpdateItemInput;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let mut input: UpdateItemInput = read(body)?;
    let table = single::Table::read(
        input.table_name.take(),
        input.return_consumed_capacity.as_deref(),
        input.return_item_collection_metrics.as_deref(),
    )?;
    refuse_placeholders_alone(&input)?;
    let key = input.key.take().unwrap_or_default();
    check_key(&key).map_err(|error| errors::value(single::WORDING, &error))?;
    let (condition, update) = expressions(&mut input)?;
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

/// Refuses names and values that no expression can use.
fn refuse_placeholders_alone(input: &UpdateItemInput) -> Result<(), Error> {
    if input.condition_expression.is_some() || input.update_expression.is_some() {
        return Ok(());
    }
    if input.expression_attribute_names.is_some() {
        return Err(expression::names_without_expression(single::WORDING));
    }
    if input.expression_attribute_values.is_some() {
        let expressions = [ExpressionKind::Update, ExpressionKind::Condition];
        return Err(expression::values_without_expression(single::WORDING, &expressions));
    }
    Ok(())
}

/// Reads both expressions. That the condition's fault comes first was recorded; without an update nothing but the key is
/// set.
fn expressions(input: &mut UpdateItemInput) -> Result<(Option<Condition>, Update), Error> {
    if input.condition_expression.is_none() && input.update_expression.is_none() {
        return Ok((None, Update::default()));
    }
    let (names, values) = (input.expression_attribute_names.take(), input.expression_attribute_values.take());
    let mut placeholders = Placeholders::new(names, values, single::WORDING)?;
    let condition = input
        .condition_expression
        .as_deref()
        .map(|text| Condition::parse(ExpressionKind::Condition, text, &mut placeholders))
        .transpose()?;
    let update = match input.update_expression.as_deref() {
        Some(text) => Update::parse(text, &mut placeholders)?,
        None => Update::default(),
    };
    placeholders.check_used()?;
    Ok((condition, update))
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
