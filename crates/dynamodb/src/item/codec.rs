//! From a request's attributes to stored bytes.

use super::{NAME_BYTES_MAX, NESTING_MAX, SetKind, VERSION, ValueError, size, tag};
use crate::number::Number;
use crate::number::bytes::NumberBytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_shapes::{AttributeMap, AttributeValue};
use std::collections::HashSet;

/// An item, or a value, in its stored form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The stored bytes.
    pub bytes: Vec<u8>,
    /// What DynamoDB accounts for it, in bytes.
    pub size: u64,
}

/// Encodes an item. Of attributes with the same name the last one counts.
///
/// # Errors
/// The first fault in AWS's order: an empty name of an attribute of the item, a value that is too deep, then the others.
/// Source: recorded AWS answers (ten regions, October 2026). The size limit is not checked here, since its wording
/// depends on the operation.
pub fn encode_item(item: &AttributeMap) -> Result<Encoded, ValueError> {
    let attributes = &item.0;
    if attributes.iter().any(|(name, _)| name.is_empty()) {
        return Err(ValueError::EmptyName);
    }
    for (_, value) in attributes {
        check_depth(value, 1)?;
    }
    let mut encoder = Encoder { out: Vec::with_capacity(estimate(attributes)), size: 0 };
    encoder.out.push(VERSION);
    encoder.members(attributes, 0)?;
    Ok(Encoded { bytes: encoder.out, size: encoder.size })
}

/// Encodes one value as it stands in an item: equal values have equal bytes.
///
/// # Errors
/// As [`encode_item`].
pub fn encode_value(value: &AttributeValue) -> Result<Encoded, ValueError> {
    check_depth(value, 1)?;
    let mut encoder = Encoder { out: Vec::new(), size: 0 };
    encoder.value(value)?;
    Ok(Encoded { bytes: encoder.out, size: encoder.size })
}

/// Checks the values of a request's `Key` without encoding it.
///
/// # Errors
/// As [`encode_item`].
pub fn check_key(key: &AttributeMap) -> Result<(), ValueError> {
    let quick = key.0.iter().all(|(name, value)| match value {
        AttributeValue::S(_) | AttributeValue::B(_) => !name.is_empty(),
        AttributeValue::N(text) => !name.is_empty() && Number::parse(text).is_ok(),
        _ => false,
    });
    // No table has such a key, but its faults come before that.
    if quick { Ok(()) } else { encode_item(key).map(|_| ()) }
}

fn check_depth(value: &AttributeValue, level: usize) -> Result<(), ValueError> {
    if level > NESTING_MAX {
        return Err(ValueError::TooDeep);
    }
    match value {
        AttributeValue::M(map) => map.iter().try_for_each(|(_, value)| check_depth(value, level + 1)),
        AttributeValue::L(list) => list.iter().try_for_each(|value| check_depth(value, level + 1)),
        _ => Ok(()),
    }
}

/// Room for a flat item; a guess for nested ones.
fn estimate(attributes: &[(String, AttributeValue)]) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        _ => 32,
    };
    attributes.iter().fold(8, |sum, (name, attribute)| sum + name.len() + value(attribute) + 6)
}

struct Encoder {
    out: Vec<u8>,
    size: u64,
}

impl Encoder {
    /// A count, then names and values in the order of the names. `overhead` is accounted for each.
    fn members(&mut self, members: &[(String, AttributeValue)], overhead: u64) -> Result<(), ValueError> {
        let mut sorted: Vec<&(String, AttributeValue)> = members.iter().collect();
        sorted.sort_by(|left, right| left.0.cmp(&right.0));
        if sorted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            keep_last(&mut sorted);
        }
        self.length(sorted.len());
        for (name, value) in sorted {
            if name.is_empty() {
                return Err(ValueError::EmptyName);
            }
            if name.len() > NAME_BYTES_MAX {
                return Err(ValueError::NameTooLong(name.len()));
            }
            self.text(name.as_bytes());
            self.size += size::of(name.len()) + overhead;
            self.value(value)?;
        }
        Ok(())
    }

    fn value(&mut self, value: &AttributeValue) -> Result<(), ValueError> {
        match value {
            AttributeValue::S(text) => {
                match u8::try_from(text.len()) {
                    Ok(length) if length < 0x80 => self.out.push(tag::SHORT_STRING + length),
                    _ => {
                        self.out.push(tag::LONG_STRING);
                        self.length(text.len());
                    }
                }
                self.out.extend_from_slice(text.as_bytes());
                self.size += size::of(text.len());
            }
            AttributeValue::N(text) => {
                let number = read_number(text)?;
                let bytes = number.as_bytes();
                self.number_tag(tag::NUMBER, bytes);
            }
            AttributeValue::B(bytes) => {
                self.out.push(tag::BINARY);
                self.text(bytes);
                self.size += size::of(bytes.len());
            }
            AttributeValue::Bool(value) => {
                self.out.push(if *value { tag::TRUE } else { tag::FALSE });
                self.size += size::FLAG;
            }
            AttributeValue::Null(true) => {
                self.out.push(tag::NULL);
                self.size += size::FLAG;
            }
            AttributeValue::Null(false) => return Err(ValueError::NullFalse),
            AttributeValue::M(map) => {
                self.size += size::DOCUMENT;
                self.container(tag::MAP, |encoder| encoder.members(map, size::ELEMENT))?;
            }
            AttributeValue::L(list) => {
                self.size += size::DOCUMENT;
                self.container(tag::LIST, |encoder| {
                    encoder.length(list.len());
                    list.iter().try_for_each(|value| {
                        encoder.size += size::ELEMENT;
                        encoder.value(value)
                    })
                })?;
            }
            AttributeValue::SS(members) => self.strings(SetKind::String, members)?,
            AttributeValue::BS(members) => self.strings(SetKind::Binary, members)?,
            AttributeValue::NS(members) => self.numbers(members)?,
        }
        Ok(())
    }

    fn strings<T: AsRef<[u8]> + Member>(&mut self, set: SetKind, members: &[T]) -> Result<(), ValueError> {
        let mut sorted: Vec<&[u8]> = members.iter().map(AsRef::as_ref).collect();
        sorted.sort_unstable();
        if sorted.is_empty() {
            return Err(ValueError::EmptySet(set));
        }
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            let sent = members.iter().map(Member::name).collect();
            return Err(ValueError::Duplicates { set, members: list_duplicates(members), sent });
        }
        let tag = if set == SetKind::String { tag::STRING_SET } else { tag::BINARY_SET };
        self.container(tag, |encoder| {
            encoder.length(sorted.len());
            for member in sorted {
                encoder.text(member);
                encoder.size += size::of(member.len());
            }
            Ok(())
        })
    }

    fn numbers(&mut self, members: &[String]) -> Result<(), ValueError> {
        let mut sorted = members.iter().map(|text| read_number(text)).collect::<Result<Vec<_>, _>>()?;
        sorted.sort_unstable_by(|left, right| left.as_bytes().cmp(right.as_bytes()));
        if sorted.is_empty() {
            return Err(ValueError::EmptySet(SetKind::Number));
        }
        if sorted.windows(2).any(|pair| pair[0].as_bytes() == pair[1].as_bytes()) {
            let (members, sent) = (Vec::new(), Vec::new());
            return Err(ValueError::Duplicates { set: SetKind::Number, members, sent });
        }
        self.container(tag::NUMBER_SET, |encoder| {
            encoder.length(sorted.len());
            for member in sorted {
                encoder.number_tag(0, member.as_bytes());
            }
            Ok(())
        })
    }

    /// A tag, the length of what `write` appends, and that.
    fn container(
        &mut self,
        tag: u8,
        write: impl FnOnce(&mut Self) -> Result<(), ValueError>,
    ) -> Result<(), ValueError> {
        self.out.push(tag);
        // Most are below 128 bytes: leave one byte for the length and make room if it takes more.
        let at = self.out.len();
        self.out.push(0);
        write(self)?;
        let length = self.out.len() - at - 1;
        if let Ok(byte @ 0..0x80) = u8::try_from(length) {
            self.out[at] = byte;
        } else {
            let mut varint = Self { out: Vec::with_capacity(5), size: 0 };
            varint.length(length);
            self.out.splice(at..=at, varint.out);
        }
        Ok(())
    }

    fn number_tag(&mut self, tag: u8, number: &[u8]) {
        // At most 22 bytes.
        self.out.push(tag + u8::try_from(number.len()).unwrap_or(0));
        self.out.extend_from_slice(number);
        self.size += size::of(number.len());
    }

    /// A length and bytes.
    fn text(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    /// LEB128 in its shortest form.
    fn length(&mut self, length: usize) {
        push_length(&mut self.out, length);
    }
}

/// Appends a length as LEB128 in its shortest form.
pub(super) fn push_length(out: &mut Vec<u8>, length: usize) {
    let mut rest = length;
    while rest >= 0x80 {
        out.push(0x80 | (rest & 0x7F).to_le_bytes()[0]);
        rest >>= 7;
    }
    out.push(rest.to_le_bytes()[0]);
}

/// Of members with equal names, which are neighbours in the order in which they were sent, keeps the last.
#[cold]
fn keep_last(sorted: &mut Vec<&(String, AttributeValue)>) {
    sorted.reverse();
    sorted.dedup_by(|later, earlier| later.0 == earlier.0);
    sorted.reverse();
}

fn read_number(text: &str) -> Result<NumberBytes, ValueError> {
    match Number::parse(text) {
        Ok(number) => Ok(number.to_bytes()),
        Err(error) => Err(ValueError::Number { text: text.to_owned(), error }),
    }
}

/// A member of a set of strings or binaries.
trait Member {
    /// As messages name it.
    fn name(&self) -> String;
}

impl Member for String {
    fn name(&self) -> String {
        self.clone()
    }
}

impl Member for Vec<u8> {
    fn name(&self) -> String {
        STANDARD.encode(self)
    }
}

/// Members of a set with duplicates in AWS's order: up to the first repeat by their bytes, then as sent. Source: recorded
/// AWS answers (four regions, October 2026).
fn list_duplicates<T: AsRef<[u8]> + Member>(members: &[T]) -> Vec<String> {
    let mut seen = HashSet::new();
    let repeat = members.iter().position(|member| !seen.insert(member.as_ref())).unwrap_or(members.len());
    let (before, after) = members.split_at(repeat);
    let mut sorted: Vec<&T> = before.iter().collect();
    sorted.sort_by(|left, right| left.as_ref().cmp(right.as_ref()));
    sorted.into_iter().chain(after).map(Member::name).collect()
}
