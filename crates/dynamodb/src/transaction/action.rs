//! One action of a TransactWriteItems: read, checked and planned.

use crate::errors::{self, Wording, transactions};
use crate::expression::{Condition, ExpressionKind, Update as Changes};
use crate::item::codec::encode_item;
use crate::item::size::ITEM_BYTES_MAX;
use crate::key::KeyError;
use crate::transaction::targets::Tables;
use crate::write::ItemWrite;
use crate::write::expressions::{Expressions, First};
use crate::write::single::shows_item;
use holdfast_aws::Error;
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::{ConditionCheck, Delete, Put, TransactWriteItem, Update};

/// How transactions word faults of values and expressions. Source: recorded, in us-east-1.
const WORDING: Wording = Wording::Older;

/// See the module.
#[derive(Debug)]
pub(crate) struct Action {
    /// Where its table stands among those of the request.
    pub(crate) table: usize,
    pub(crate) write: ItemWrite,
    /// Words what is wrong with the item's key.
    pub(crate) key_fault: fn(&KeyError) -> Error,
    /// Whether a condition that does not hold shows the item.
    pub(crate) shows_item: bool,
    /// Whether it leaves the item as it is.
    pub(crate) is_check: bool,
    /// Whether there may be more stored after it than before.
    pub(crate) needs_room: bool,
    /// What the item that it puts, or its key, is accounted for, in bytes.
    pub(crate) size: u64,
}

impl Action {
    /// Reads an entry of the request.
    ///
    /// # Errors
    /// AWS's answer to one that is refused whatever is stored; of several faults the first of: no action or several, names or
    /// values that no expression can use, the expressions, the values of item or key, the item's size. Source of the order:
    /// recorded for expressions before keys.
    pub(crate) fn read(entry: TransactWriteItem, tables: &mut Tables) -> Result<Self, Error> {
        match entry {
            TransactWriteItem { put: Some(put), condition_check: None, delete: None, update: None } => {
                Self::put(put, tables)
            }
            TransactWriteItem { delete: Some(delete), condition_check: None, put: None, update: None } => {
                Self::delete(delete, tables)
            }
            TransactWriteItem { condition_check: Some(check), put: None, delete: None, update: None } => {
                Self::check(check, tables)
            }
            TransactWriteItem { update: Some(update), condition_check: None, put: None, delete: None } => {
                Self::update(update, tables)
            }
            TransactWriteItem { condition_check: None, put: None, delete: None, update: None } => {
                Err(transactions::no_action())
            }
            _ => Err(transactions::several_actions()),
        }
    }

    fn put(put: Put, tables: &mut Tables) -> Result<Self, Error> {
        let expressions = Expressions {
            condition: put.condition_expression,
            update: None,
            names: put.expression_attribute_names,
            values: put.expression_attribute_values,
        };
        let condition = read_condition(expressions)?;
        let item = put.item.unwrap_or_default();
        let encoded = encode_item(&item).map_err(|error| errors::value(WORDING, &error))?;
        if encoded.size > ITEM_BYTES_MAX {
            return Err(errors::item_too_large());
        }
        Ok(Self {
            table: tables.place(put.table_name)?,
            size: encoded.size,
            write: ItemWrite::put(item, encoded).when(condition),
            key_fault: errors::item_key,
            shows_item: shows_item(put.return_values_on_condition_check_failure.as_deref()),
            is_check: false,
            needs_room: true,
        })
    }

    fn delete(delete: Delete, tables: &mut Tables) -> Result<Self, Error> {
        let expressions = Expressions {
            condition: delete.condition_expression,
            update: None,
            names: delete.expression_attribute_names,
            values: delete.expression_attribute_values,
        };
        let condition = read_condition(expressions)?;
        let (key, size) = read_key(delete.key)?;
        Ok(Self {
            table: tables.place(delete.table_name)?,
            size,
            write: ItemWrite::delete(key).when(condition),
            key_fault: errors::lookup_key,
            shows_item: shows_item(delete.return_values_on_condition_check_failure.as_deref()),
            is_check: false,
            needs_room: false,
        })
    }

    fn update(update: Update, tables: &mut Tables) -> Result<Self, Error> {
        let expressions = Expressions {
            condition: update.condition_expression,
            update: update.update_expression,
            names: update.expression_attribute_names,
            values: update.expression_attribute_values,
        };
        let kinds = [ExpressionKind::Update, ExpressionKind::Condition];
        let (condition, changes) = read_expressions(expressions, &kinds)?;
        let (key, size) = read_key(update.key)?;
        Ok(Self {
            table: tables.place(update.table_name)?,
            size,
            write: ItemWrite::update(key, changes).when(condition),
            key_fault: errors::lookup_key,
            shows_item: shows_item(update.return_values_on_condition_check_failure.as_deref()),
            is_check: false,
            needs_room: true,
        })
    }

    fn check(check: ConditionCheck, tables: &mut Tables) -> Result<Self, Error> {
        let expressions = Expressions {
            condition: check.condition_expression,
            update: None,
            names: check.expression_attribute_names,
            values: check.expression_attribute_values,
        };
        let condition = read_condition(expressions)?;
        let (key, size) = read_key(check.key)?;
        Ok(Self {
            table: tables.place(check.table_name)?,
            size,
            write: ItemWrite::check(key).when(condition),
            key_fault: errors::lookup_key,
            shows_item: shows_item(check.return_values_on_condition_check_failure.as_deref()),
            is_check: true,
            needs_room: false,
        })
    }
}

/// Checks the values of a key, and what they are accounted for.
fn read_key(key: Option<AttributeMap>) -> Result<(AttributeMap, u64), Error> {
    let key = key.unwrap_or_default();
    let encoded = encode_item(&key).map_err(|error| errors::value(WORDING, &error))?;
    Ok((key, encoded.size))
}

/// Reads the expressions of an action that takes these kinds.
fn read_expressions(
    expressions: Expressions,
    kinds: &[ExpressionKind],
) -> Result<(Option<Condition>, Changes), Error> {
    expressions.refuse_placeholders_alone(WORDING, kinds)?;
    expressions.read(WORDING, First::Update)
}

/// Reads the expressions of an action that takes no update.
fn read_condition(expressions: Expressions) -> Result<Option<Condition>, Error> {
    read_expressions(expressions, &[ExpressionKind::Condition]).map(|(condition, _)| condition)
}
