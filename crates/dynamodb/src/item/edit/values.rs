//! Values that updates compute, in their stored form.

use super::super::codec::push_length;
use super::super::tag;
use super::super::view::{List, RawValue, Value};
use super::{UpdateError, UpdateFault};
use crate::item::Damaged;
use crate::number::Number;

/// The number that a stored value is.
pub(super) fn number(stored: &[u8]) -> Result<Number, UpdateError> {
    match RawValue::new(stored).read()? {
        Value::N(number) => Ok(number.read()?),
        _ => Err(UpdateFault::OperandType.into()),
    }
}

/// The list that a stored value is.
pub(super) fn list(stored: &[u8]) -> Result<List<'_>, UpdateError> {
    match RawValue::new(stored).read()? {
        Value::L(list) => Ok(list),
        _ => Err(UpdateFault::OperandType.into()),
    }
}

pub(super) fn stored_number(number: Number) -> Vec<u8> {
    let bytes = number.to_bytes();
    let bytes = bytes.as_bytes();
    let mut out = Vec::with_capacity(1 + bytes.len());
    // At most 22 bytes.
    out.push(tag::NUMBER + u8::try_from(bytes.len()).unwrap_or(0));
    out.extend_from_slice(bytes);
    out
}

/// The elements of both lists.
pub(super) fn append(first: List<'_>, second: List<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    push_length(&mut body, first.len() + second.len());
    body.extend_from_slice(first.cursor().unread());
    body.extend_from_slice(second.cursor().unread());
    container(tag::LIST, &body)
}

/// `ADD` to what is there.
pub(super) fn add(old: Value<'_>, more: Value<'_>) -> Result<Vec<u8>, UpdateError> {
    if let (Value::N(old), Value::N(more)) = (old, more) {
        let sum = old.read()?.plus(more.read()?).map_err(UpdateFault::Number)?;
        return Ok(stored_number(sum));
    }
    let (tag, old, more) = sets(old, more)?;
    let mut union = Vec::with_capacity(old.len() + more.len());
    let (mut old, mut more) = (&old[..], &more[..]);
    while let ([first, old_rest @ ..], [second, more_rest @ ..]) = (old, more) {
        union.push(*first.min(second));
        if first <= second {
            old = old_rest;
        }
        if second <= first {
            more = more_rest;
        }
    }
    union.extend_from_slice(old);
    union.extend_from_slice(more);
    Ok(set(tag, &union))
}

/// `DELETE` from what is there; nothing if no member is left.
pub(super) fn delete(old: Value<'_>, less: Value<'_>) -> Result<Option<Vec<u8>>, UpdateError> {
    let (tag, mut old, less) = sets(old, less)?;
    old.retain(|member| less.binary_search(member).is_err());
    Ok(if old.is_empty() { None } else { Some(set(tag, &old)) })
}

/// A set of one kind, with its members in order.
type Members<'a> = Vec<&'a [u8]>;

/// The tag and the members of two sets of one kind.
fn sets<'a>(one: Value<'a>, other: Value<'a>) -> Result<(u8, Members<'a>, Members<'a>), UpdateError> {
    match (members(one)?, members(other)?) {
        (Some((tag, one)), Some((other_tag, other))) if tag == other_tag => Ok((tag, one, other)),
        _ => Err(UpdateFault::OperandType.into()),
    }
}

/// The tag and the members of a value that is a set. Bytes of members are in order as members are.
fn members(value: Value<'_>) -> Result<Option<(u8, Members<'_>)>, Damaged> {
    let (tag, members) = match value {
        Value::SS(set) => {
            let members = set.members().map(|member| member.map(str::as_bytes));
            (tag::STRING_SET, members.collect::<Result<Members<'_>, _>>()?)
        }
        Value::NS(set) => {
            let members = set.members().map(|member| member.map(|number| number.as_bytes()));
            (tag::NUMBER_SET, members.collect::<Result<_, _>>()?)
        }
        Value::BS(set) => (tag::BINARY_SET, set.members().collect::<Result<_, _>>()?),
        _ => return Ok(None),
    };
    if members.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Err(Damaged("members of a set are not in order"));
    }
    Ok(Some((tag, members)))
}

/// A set; numbers too are written after their lengths, which take one byte.
fn set(tag: u8, members: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::with_capacity(members.iter().map(|member| member.len() + 2).sum());
    push_length(&mut body, members.len());
    for member in members {
        push_length(&mut body, member.len());
        body.extend_from_slice(member);
    }
    container(tag, &body)
}

fn container(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 4);
    out.push(tag);
    push_length(&mut out, body.len());
    out.extend_from_slice(body);
    out
}
