//! Updates of stored items, from bytes to bytes: what an update does not touch is copied as it is, and documents are
//! opened only along the paths that it changes.
//!
//! Everything that an update reads, it reads from the item before. So every action first becomes an [`Edit`], the new
//! value of one place or its removal, and then all edits are made in one pass.
//!
//! # Layout
//! - this file: from actions to edits
//! - `rebuild`: from an item and edits to the item after
//! - `values`: sums, joined lists, and sets with more or fewer members

mod rebuild;
mod values;

use super::codec::{Encoded, encode_item};
use super::size::{self, ITEM_BYTES_MAX};
use super::view::{Item, RawValue, Value};
use super::{Damaged, ValueError};
use crate::expression::ast::Step;
use crate::expression::{Action, Path, SetOperand, SetValue, Update};
use crate::number::NumberError;
use holdfast_shapes::{AttributeMap, AttributeValue};
use std::borrow::Cow;

/// A stored item and its size.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    /// The stored bytes.
    pub bytes: &'a [u8],
    /// What DynamoDB accounts for it, in bytes.
    pub size: u64,
}

/// Why AWS refuses to make an update of an item. `errors/updates.rs` has the wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateFault {
    /// A path to be changed leads through what is not there or is no document of that kind.
    #[error("a path to be changed leads nowhere")]
    InvalidPath,
    /// A path that is read leads nowhere.
    #[error("a path to be read leads nowhere")]
    MissingAttribute,
    /// A stored value is of a type that the operator does not take.
    #[error("an operand has a wrong type")]
    OperandType,
    /// A sum is no number that an item can hold.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// The values that it sets are larger together than any item may be.
    #[error("the values are too large together")]
    TooLarge,
    /// A value would be deeper than values may be, or the attributes of the key are none.
    #[error(transparent)]
    Value(#[from] ValueError),
}

/// Why there is no item after an update.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// AWS refuses it.
    #[error(transparent)]
    Refused(#[from] UpdateFault),
    /// What was read of the item is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// What becomes of one place in the item.
struct Edit<'a> {
    path: &'a Path,
    /// Its new value; nothing removes it.
    new: Option<New<'a>>,
}

/// A value that is set.
struct New<'a> {
    /// Its stored form.
    stored: Cow<'a, [u8]>,
    /// What it is accounted for.
    size: u64,
}

impl Update {
    /// The item after the update. `before` is the item before; without one the update starts from the attributes of the
    /// key. The size limit of items is not checked, but no item is made of values that are too large together: 4 KB of text
    /// can name a value of 400 KB eight hundred times.
    ///
    /// Nothing, if there was no item and the update does nothing but remove: then there is none afterwards either. Source: answers of
    /// AWS that a public test suite expected of it (2020 to 2024).
    ///
    /// # Errors
    /// The first fault: of each action its path and then its operands, then numbers, then the size of the values, then depth
    /// (local emulator, but for the size). Actions are looked at from the right to the left; AWS does it in the order of a hash table. And damage of what is read.
    pub fn apply(
        &self,
        before: Option<Stored<'_>>,
        key: &[(String, AttributeValue)],
    ) -> Result<Option<Encoded>, UpdateError> {
        let of_key;
        let before = match before {
            Some(before) => before,
            None if self.only_removes() => return Ok(None),
            None => {
                of_key = encode_item(&AttributeMap(key.to_vec())).map_err(UpdateFault::Value)?;
                Stored { bytes: &of_key.bytes, size: of_key.size }
            }
        };
        let item = Item::new(before.bytes)?;
        let mut edits = Vec::with_capacity(self.actions.len());
        let mut number_fault = None;
        // Each of them is part of the item after.
        let mut values = 0;
        for action in self.actions.iter().rev() {
            match new_value(action, item) {
                // Only for its faults.
                Ok(_) if values > ITEM_BYTES_MAX => {}
                Ok(new) => {
                    let new = new.map(New::measured).transpose()?;
                    values += new.as_ref().map_or(0, |new| new.size);
                    edits.push(Edit { path: action.path(), new });
                }
                Err(UpdateError::Refused(fault @ UpdateFault::Number(_))) => {
                    number_fault.get_or_insert(fault);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(fault) = number_fault {
            return Err(fault.into());
        }
        if values > ITEM_BYTES_MAX {
            return Err(UpdateFault::TooLarge.into());
        }
        // No two paths are equal.
        edits.sort_unstable_by_key(|edit| edit.path);
        rebuild::item(item, before, &edits).map(Some)
    }

    fn only_removes(&self) -> bool {
        let removes = |action: &Action| matches!(action, Action::Remove(_) | Action::Delete(..));
        !self.actions.is_empty() && self.actions.iter().all(removes)
    }
}

impl<'a> New<'a> {
    fn measured(stored: Cow<'a, [u8]>) -> Result<Self, Damaged> {
        // How deep it will be is checked where it goes.
        let size = size::of_value(RawValue::new(&stored).read()?, 1)?;
        Ok(Self { stored, size })
    }
}

/// What an action sets its place to, in the stored form; nothing removes it.
fn new_value<'a>(action: &'a Action, item: Item<'a>) -> Result<Option<Cow<'a, [u8]>>, UpdateError> {
    let path = action.path();
    check_path(path, item)?;
    Ok(match action {
        Action::Set(_, value) => Some(set_value(value, item)?),
        Action::Remove(_) => None,
        Action::Add(_, value) => {
            let more = RawValue::new(value.as_bytes());
            Some(match path.find(Some(item))? {
                Some(old) => Cow::Owned(values::add(old.read()?, more.read()?)?),
                None => Cow::Borrowed(more.as_bytes()),
            })
        }
        Action::Delete(_, value) => match path.find(Some(item))? {
            Some(old) => {
                values::delete(old.read()?, RawValue::new(value.as_bytes()).read()?)?.map(Cow::Owned)
            }
            None => None,
        },
    })
}

/// Whether the place exists or can be made: whether what is to hold it is a map, or a list, as the last step says.
fn check_path(path: &Path, item: Item<'_>) -> Result<(), UpdateError> {
    let Some((last, _)) = path.steps.split_last() else { return Ok(()) };
    let holder = path.find_holder(item)?.map(RawValue::read).transpose()?;
    match (last, holder) {
        (Step::Member(_), Some(Value::M(_))) | (Step::Element(_), Some(Value::L(_))) => Ok(()),
        _ => Err(UpdateFault::InvalidPath.into()),
    }
}

fn set_value<'a>(value: &'a SetValue, item: Item<'a>) -> Result<Cow<'a, [u8]>, UpdateError> {
    let (left, right) = match value {
        SetValue::Operand(value) => return operand(value, item),
        SetValue::Sum(left, right) | SetValue::Difference(left, right) => (left, right),
    };
    let [left, right] = operands([left, right], item, |stored| values::number(stored).map(|_| ()))?;
    let (left, right) = (values::number(&left)?, values::number(&right)?);
    let sum = if matches!(value, SetValue::Sum(..)) { left.plus(right) } else { left.minus(right) };
    Ok(Cow::Owned(values::stored_number(sum.map_err(UpdateFault::Number)?)))
}

/// The stored form of an operand. Recursion is bounded by the bytes of an expression.
fn operand<'a>(value: &'a SetOperand, item: Item<'a>) -> Result<Cow<'a, [u8]>, UpdateError> {
    let found =
        |path: &Path| Ok::<_, Damaged>(path.find(Some(item))?.map(|value| Cow::Borrowed(value.as_bytes())));
    match value {
        SetOperand::Path(path) => Ok(found(path)?.ok_or(UpdateFault::MissingAttribute)?),
        SetOperand::Value(value) => Ok(Cow::Borrowed(value.as_bytes())),
        SetOperand::IfNotExists(path, otherwise) => {
            // The other is looked at even if it is not needed (local emulator).
            let otherwise = operand(otherwise, item)?;
            Ok(found(path)?.unwrap_or(otherwise))
        }
        SetOperand::ListAppend(first, second) => {
            let [first, second] = operands([first, second], item, |stored| values::list(stored).map(|_| ()))?;
            Ok(Cow::Owned(values::append(values::list(&first)?, values::list(&second)?)))
        }
    }
}

/// Two operands, of each of which `check` says whether it is of the right type. Functions among them are looked at before
/// the others (local emulator).
fn operands<'a>(
    operands: [&'a SetOperand; 2],
    item: Item<'a>,
    check: fn(&[u8]) -> Result<(), UpdateError>,
) -> Result<[Cow<'a, [u8]>; 2], UpdateError> {
    let is_function =
        |value: &SetOperand| matches!(value, SetOperand::IfNotExists(..) | SetOperand::ListAppend(..));
    let of_function = |value| if is_function(value) { operand(value, item).map(Some) } else { Ok(None) };
    let [left, right] = operands;
    let functions = [of_function(left)?, of_function(right)?];
    let finish = |value, known: Option<Cow<'a, [u8]>>| {
        let stored = known.map_or_else(|| operand(value, item), Ok)?;
        check(&stored).map(|()| stored)
    };
    let [known_left, known_right] = functions;
    Ok([finish(left, known_left)?, finish(right, known_right)?])
}

#[cfg(test)]
mod tests;
