//! One action of a TransactWriteItems: read, checked and planned.

use crate::errors::{self, Wording, expression, transactions};
use crate::expression::{Condition, ExpressionKind, Placeholders};
use crate::item::codec::encode_item;
use crate::item::size::ITEM_BYTES_MAX;
use crate::key::KeyError;
use crate::transaction::targets::Tables;
use crate::write::ItemWrite;
use crate::write::single::shows_item;
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{ConditionCheck, Delete, Put, TransactWriteItem};
use holdfast_shapes::{AttributeMap, Pairs};

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
            TransactWriteItem { update: Some(_), condition_check: None, put: None, delete: None } => {
                Err(errors::not_evaluated("TransactWriteItems", "Update"))
            }
            TransactWriteItem { condition_check: None, put: None, delete: None, update: None } => {
                Err(transactions::no_action())
            }
            _ => Err(transactions::several_actions()),
        }
    }

    fn put(put: Put, tables: &mut Tables) -> Result<Self, Error> {
        let condition = Expressions {
            condition: put.condition_expression,
            names: put.expression_attribute_names,
            values: put.expression_attribute_values,
        }
        .read()?;
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
            needs_room: true,
        })
    }

    fn delete(delete: Delete, tables: &mut Tables) -> Result<Self, Error> {
        let condition = Expressions {
            condition: delete.condition_expression,
            names: delete.expression_attribute_names,
            values: delete.expression_attribute_values,
        }
        .read()?;
        let (key, size) = read_key(delete.key)?;
        Ok(Self {
            table: tables.place(delete.table_name)?,
            size,
            write: ItemWrite::delete(key).when(condition),
            key_fault: errors::lookup_key,
            shows_item: shows_item(delete.return_values_on_condition_check_failure.as_deref()),
            needs_room: false,
        })
    }

    fn check(check: ConditionCheck, tables: &mut Tables) -> Result<Self, Error> {
        let condition = Expressions {
            condition: check.condition_expression,
            names: check.expression_attribute_names,
            values: check.expression_attribute_values,
        }
        .read()?;
        let (key, size) = read_key(check.key)?;
        Ok(Self {
            table: tables.place(check.table_name)?,
            size,
            write: ItemWrite::check(key).when(condition),
            key_fault: errors::lookup_key,
            shows_item: shows_item(check.return_values_on_condition_check_failure.as_deref()),
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

/// The condition of an action, with what it names.
struct Expressions {
    condition: Option<String>,
    names: Option<Pairs<String>>,
    values: Option<AttributeMap>,
}

impl Expressions {
    fn read(self) -> Result<Option<Condition>, Error> {
        let Self { condition, names, values } = self;
        let Some(condition) = condition else {
            return match (names, values) {
                (None, None) => Ok(None),
                (Some(_), _) => Err(expression::names_without_expression(WORDING)),
                (None, Some(_)) => {
                    Err(expression::values_without_expression(WORDING, &[ExpressionKind::Condition]))
                }
            };
        };
        let mut placeholders = Placeholders::new(names, values, WORDING)?;
        let condition = Condition::parse(ExpressionKind::Condition, &condition, &mut placeholders)?;
        placeholders.check_used()?;
        Ok(Some(condition))
    }
}
