//! Whether a condition holds for an item, in place on its stored bytes: nothing is decoded or copied.
//!
//! What is not there, and what has no such order, size or part, is not an error: the comparison does not hold. Source:
//! DynamoDB Developer Guide, "Comparison operator and function reference".

use super::ast::{Comparator, Condition, Operand, Path, Step};
use super::value::ValueType;
use crate::item::Damaged;
use crate::item::view::{Item, RawValue, Value};
use crate::number::Number;
use crate::number::bytes::NumberBytes;
use memchr::memmem;
use std::cmp::Ordering;

/// What an operand is for an item.
enum Found<'a> {
    /// A value of the item or of the request.
    Stored(RawValue<'a>),
    /// The size of one, a number in its stored form.
    Size(NumberBytes),
}

/// What can be put in order.
#[derive(PartialEq, Eq)]
enum Scalar<'a> {
    S(&'a [u8]),
    N(&'a [u8]),
    B(&'a [u8]),
}

impl Condition {
    /// Whether it holds; without an item every path leads nowhere.
    ///
    /// # Errors
    /// If what is read of the item is damaged.
    pub fn holds(&self, item: Option<Item<'_>>) -> Result<bool, Damaged> {
        // Depth is bounded by the number of operators, so recursion is.
        match self {
            Self::And(members) => all(members, |member| member.holds(item)),
            Self::Or(members) => any(members, |member| member.holds(item)),
            Self::Not(member) => Ok(!member.holds(item)?),
            Self::Compare(comparator, left, right) => {
                compare(*comparator, left.find(item)?.as_ref(), right.find(item)?.as_ref())
            }
            Self::Between(operand, low, high) => {
                let Some(operand) = operand.find(item)? else { return Ok(false) };
                Ok(compare(Comparator::GreaterOrEqual, Some(&operand), low.find(item)?.as_ref())?
                    && compare(Comparator::LessOrEqual, Some(&operand), high.find(item)?.as_ref())?)
            }
            Self::In(operand, list) => {
                let Some(operand) = operand.find(item)? else { return Ok(false) };
                any(list, |other| Ok(other.find(item)?.is_some_and(|other| operand.equals(&other))))
            }
            Self::Exists(path) => Ok(path.find(item)?.is_some()),
            Self::NotExists(path) => Ok(path.find(item)?.is_none()),
            Self::OfType(operand, kind) => match operand.find(item)? {
                Some(Found::Stored(value)) => Ok(ValueType::of_stored(&value.read()?) == *kind),
                Some(Found::Size(_)) => Ok(*kind == ValueType::N),
                None => Ok(false),
            },
            Self::BeginsWith(operand, prefix) => {
                let (Some(operand), Some(prefix)) = (operand.find(item)?, prefix.find(item)?) else {
                    return Ok(false);
                };
                Ok(match (operand.scalar()?, prefix.scalar()?) {
                    (Some(Scalar::S(bytes)), Some(Scalar::S(prefix)))
                    | (Some(Scalar::B(bytes)), Some(Scalar::B(prefix))) => bytes.starts_with(prefix),
                    _ => false,
                })
            }
            Self::Contains(operand, part) => match (operand.find(item)?, part.find(item)?) {
                (Some(Found::Stored(whole)), Some(part)) => contains(whole, &part),
                _ => Ok(false),
            },
        }
    }
}

fn all<T>(members: &[T], mut holds: impl FnMut(&T) -> Result<bool, Damaged>) -> Result<bool, Damaged> {
    for member in members {
        if !holds(member)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any<T>(members: &[T], mut holds: impl FnMut(&T) -> Result<bool, Damaged>) -> Result<bool, Damaged> {
    all(members, |member| Ok(!holds(member)?)).map(|none| !none)
}

impl Operand {
    fn find<'a>(&'a self, item: Option<Item<'a>>) -> Result<Option<Found<'a>>, Damaged> {
        match self {
            Self::Path(path) => Ok(path.find(item)?.map(Found::Stored)),
            Self::Value(value) => Ok(Some(Found::Stored(RawValue::new(value.as_bytes())))),
            Self::Size(operand) => match operand.find(item)? {
                Some(Found::Stored(value)) => Ok(size(value.read()?).map(Found::Size)),
                // A number has no size.
                Some(Found::Size(_)) | None => Ok(None),
            },
        }
    }
}

impl Path {
    /// The value at the place, if the item has it.
    ///
    /// # Errors
    /// If what is read of the item is damaged.
    pub fn find<'a>(&self, item: Option<Item<'a>>) -> Result<Option<RawValue<'a>>, Damaged> {
        let Some(item) = item else { return Ok(None) };
        self.follow(item, &self.steps)
    }

    /// The value that holds the place, if the item has it: what is at the path without its last step.
    ///
    /// # Errors
    /// As [`Path::find`].
    pub fn find_holder<'a>(&self, item: Item<'a>) -> Result<Option<RawValue<'a>>, Damaged> {
        let Some((_, steps)) = self.steps.split_last() else { return Ok(None) };
        self.follow(item, steps)
    }

    fn follow<'a>(&self, item: Item<'a>, steps: &[Step]) -> Result<Option<RawValue<'a>>, Damaged> {
        let mut found = item.get(&self.attribute)?;
        for step in steps {
            let Some(value) = found else { return Ok(None) };
            found = match (step, value.read()?) {
                (Step::Member(name), Value::M(map)) => map.get(name)?,
                (Step::Element(index), Value::L(list)) => {
                    let index = usize::try_from(*index).unwrap_or(usize::MAX);
                    if index < list.len() { list.elements().nth(index).transpose()? } else { None }
                }
                _ => None,
            };
        }
        Ok(found)
    }
}

impl Found<'_> {
    fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            // One value has one stored form.
            (Self::Stored(one), Self::Stored(other)) => one == other,
            (Self::Size(one), Self::Size(other)) => one.as_bytes() == other.as_bytes(),
            (Self::Stored(value), Self::Size(size)) | (Self::Size(size), Self::Stored(value)) => {
                value.as_number().is_some_and(|number| number == size.as_bytes())
            }
        }
    }

    fn scalar(&self) -> Result<Option<Scalar<'_>>, Damaged> {
        Ok(match self {
            Self::Size(size) => Some(Scalar::N(size.as_bytes())),
            Self::Stored(value) => match value.read()? {
                Value::S(text) => Some(Scalar::S(text.as_bytes())),
                Value::N(number) => Some(Scalar::N(number.as_bytes())),
                Value::B(bytes) => Some(Scalar::B(bytes)),
                _ => None,
            },
        })
    }
}

/// Strings are in the order of their UTF-8 bytes, binaries of their unsigned bytes, numbers in theirs, which is that of
/// their stored bytes. Values of two types have no order.
fn compare(
    comparator: Comparator,
    left: Option<&Found<'_>>,
    right: Option<&Found<'_>>,
) -> Result<bool, Damaged> {
    let equal = left.zip(right).is_some_and(|(left, right)| left.equals(right));
    let accepted: fn(Ordering) -> bool = match comparator {
        Comparator::Equal => return Ok(equal),
        Comparator::NotEqual => return Ok(!equal),
        Comparator::Less => Ordering::is_lt,
        Comparator::LessOrEqual => Ordering::is_le,
        Comparator::Greater => Ordering::is_gt,
        Comparator::GreaterOrEqual => Ordering::is_ge,
    };
    let (Some(left), Some(right)) = (left, right) else { return Ok(false) };
    Ok(match (left.scalar()?, right.scalar()?) {
        (Some(Scalar::S(left)), Some(Scalar::S(right)))
        | (Some(Scalar::N(left)), Some(Scalar::N(right)))
        | (Some(Scalar::B(left)), Some(Scalar::B(right))) => accepted(left.cmp(right)),
        _ => false,
    })
}

/// Whether it is a part of a string or a binary, a member of a set, or an element of a list.
fn contains(whole: RawValue<'_>, part: &Found<'_>) -> Result<bool, Damaged> {
    match (whole.read()?, part.scalar()?) {
        (Value::S(text), Some(Scalar::S(part))) => Ok(memmem::find(text.as_bytes(), part).is_some()),
        (Value::B(bytes), Some(Scalar::B(part))) => Ok(memmem::find(bytes, part).is_some()),
        (Value::SS(set), Some(Scalar::S(part))) => has(set.members(), |member| member.as_bytes() == part),
        (Value::NS(set), Some(Scalar::N(part))) => has(set.members(), |member| member.as_bytes() == part),
        (Value::BS(set), Some(Scalar::B(part))) => has(set.members(), |member| member == part),
        (Value::L(list), _) => has(list.elements(), |element| part.equals(&Found::Stored(element))),
        _ => Ok(false),
    }
}

fn has<T>(
    members: impl Iterator<Item = Result<T, Damaged>>,
    is_it: impl Fn(T) -> bool,
) -> Result<bool, Damaged> {
    for member in members {
        if is_it(member?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Code units of a string in UTF-16, bytes of a binary, members of a set, a map or a list; of others nothing. Source of the
/// first: recorded AWS answers (eu-west-2).
fn size(value: Value<'_>) -> Option<NumberBytes> {
    let size = match value {
        Value::S(text) => text.encode_utf16().count(),
        Value::B(bytes) => bytes.len(),
        Value::SS(set) => set.len(),
        Value::NS(set) => set.len(),
        Value::BS(set) => set.len(),
        Value::M(map) => map.len(),
        Value::L(list) => list.len(),
        Value::N(_) | Value::Bool(_) | Value::Null => return None,
    };
    Number::new(false, size as u128, 0).ok().map(Number::to_bytes)
}

#[cfg(test)]
mod tests;
