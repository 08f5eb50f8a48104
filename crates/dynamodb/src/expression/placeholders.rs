//! `ExpressionAttributeNames` and `ExpressionAttributeValues` of a request, and which of them its expressions use.

use super::lexer::is_placeholder;
use super::value::Value;
use crate::errors::Wording;
use crate::errors::expression::{self as errors, Placeholder};
use crate::item::NAME_BYTES_MAX;
use holdfast_aws::Error;
use holdfast_shapes::{AttributeMap, AttributeValue, Pairs};
use std::sync::Arc;

/// Longest key of either map in bytes. Source: DynamoDB Developer Guide, "Constraints", "Expression parameters".
pub const PLACEHOLDER_BYTES_MAX: usize = 255;
/// Most bytes of the keys and values of both maps together. Source: as [`PLACEHOLDER_BYTES_MAX`].
pub const PLACEHOLDERS_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// The names and values that a request's expressions can use.
#[derive(Debug)]
pub struct Placeholders {
    /// Sorted by their keys: an expression may use thousands, of as many as a request has room for.
    names: Vec<Name>,
    /// As `names`.
    values: Vec<Named>,
    wording: Wording,
}

#[derive(Debug)]
struct Name {
    key: String,
    attribute: Arc<str>,
    used: bool,
}

#[derive(Debug)]
struct Named {
    key: String,
    sent: AttributeValue,
    value: Arc<Value>,
    used: bool,
}

impl Placeholders {
    /// Checks both maps and encodes the values. `wording` is how the operation words faults of them and of the expressions
    /// that use them.
    ///
    /// # Errors
    /// The first of: an empty map of names, the first malformed entry of it in the order sent, a map that is too large; the
    /// same of values; both too large together. Source of the order: recorded (2016), and the local emulator.
    pub fn new(
        names: Option<Pairs<String>>,
        values: Option<AttributeMap>,
        wording: Wording,
    ) -> Result<Self, Error> {
        let read = || {
            let names = names.map(|names| read_names(names.0, wording)).transpose()?.unwrap_or_default();
            let names_size = names.iter().map(|name| bytes(&name.key) + bytes(&name.attribute)).sum();
            check_size(names_size, || errors::placeholders_too_large(Placeholder::Name))?;
            let values = values.map(|values| read_values(values.0, wording)).transpose()?.unwrap_or_default();
            let values_size = values.iter().map(|named| bytes(&named.key) + named.value.size()).sum();
            check_size(values_size, || errors::placeholders_too_large(Placeholder::Value))?;
            check_size(names_size + values_size, errors::placeholders_together_too_large)?;
            Ok(Self { names, values, wording })
        };
        read().map_err(|error| errors::worded(wording, error))
    }

    /// A refusal of an expression as the operation words it.
    pub(super) fn worded(&self, error: Error) -> Error {
        errors::worded(self.wording, error)
    }

    /// The attribute that a name stands for; it counts as used.
    pub(super) fn name(&mut self, key: &str) -> Option<Arc<str>> {
        let place = self.names.binary_search_by(|name| name.key.as_str().cmp(key)).ok()?;
        let name = self.names.get_mut(place)?;
        name.used = true;
        Some(Arc::clone(&name.attribute))
    }

    /// The value of a name; it counts as used.
    pub(super) fn value(&mut self, key: &str) -> Option<Arc<Value>> {
        let place = self.values.binary_search_by(|named| named.key.as_str().cmp(key)).ok()?;
        let named = self.values.get_mut(place)?;
        named.used = true;
        Some(Arc::clone(&named.value))
    }

    /// A value as it was sent, for an error's text.
    pub(super) fn sent(&self, value: &Arc<Value>) -> Option<&AttributeValue> {
        self.values.iter().find(|named| Arc::ptr_eq(&named.value, value)).map(|named| &named.sent)
    }

    /// To be called after the last expression of the request.
    ///
    /// # Errors
    /// If there is a name, or a value, that no expression used.
    pub fn check_used(&self) -> Result<(), Error> {
        let names = self.names.iter().filter(|name| !name.used).map(|name| name.key.as_str());
        let names = refuse_unused(Placeholder::Name, &names.collect::<Vec<_>>());
        let values = self.values.iter().filter(|named| !named.used).map(|named| named.key.as_str());
        names
            .and_then(|()| refuse_unused(Placeholder::Value, &values.collect::<Vec<_>>()))
            .map_err(|error| self.worded(error))
    }
}

/// AWS lists them in the order of a hash table; ours is that of their bytes.
fn refuse_unused(of: Placeholder, keys: &[&str]) -> Result<(), Error> {
    if keys.is_empty() { Ok(()) } else { Err(errors::placeholders_unused(of, keys)) }
}

fn check_key(of: Placeholder, key: &str) -> Result<(), Error> {
    let sigil = if of == Placeholder::Name { b'#' } else { b':' };
    if key.len() > PLACEHOLDER_BYTES_MAX {
        return Err(errors::placeholder_too_long(of, key.len()));
    }
    if is_placeholder(key, sigil) { Ok(()) } else { Err(errors::placeholder_malformed(of, key)) }
}

fn bytes(text: &str) -> u64 {
    text.len() as u64
}

fn check_size(bytes: u64, refusal: impl FnOnce() -> Error) -> Result<(), Error> {
    if bytes > PLACEHOLDERS_BYTES_MAX { Err(refusal()) } else { Ok(()) }
}

fn read_names(names: Vec<(String, String)>, wording: Wording) -> Result<Vec<Name>, Error> {
    if names.is_empty() {
        return Err(errors::placeholders_empty(Placeholder::Name));
    }
    let read = |(key, attribute): (String, String)| {
        check_key(Placeholder::Name, &key)?;
        if attribute.is_empty() {
            return Err(errors::placeholder_names_nothing(&key));
        }
        if attribute.len() > NAME_BYTES_MAX {
            return Err(errors::placeholder_names_too_much(wording, &key));
        }
        Ok(Name { key, attribute: attribute.into(), used: false })
    };
    let mut names: Vec<Name> = names.into_iter().map(read).collect::<Result<_, Error>>()?;
    names.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(names)
}

fn read_values(values: Vec<(String, AttributeValue)>, wording: Wording) -> Result<Vec<Named>, Error> {
    if values.is_empty() {
        return Err(errors::placeholders_empty(Placeholder::Value));
    }
    for (key, _) in &values {
        check_key(Placeholder::Value, key)?;
    }
    let read = |(key, sent): (String, AttributeValue)| match Value::new(&sent) {
        Ok(value) => Ok(Named { key, sent, value: Arc::new(value), used: false }),
        Err(error) => Err(errors::placeholder_value(wording, &key, &error)),
    };
    let mut values: Vec<Named> = values.into_iter().map(read).collect::<Result<_, Error>>()?;
    values.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(values)
}
