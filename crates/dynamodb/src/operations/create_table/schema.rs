//! Attribute definitions and key schemas of a table and its indexes.

use crate::errors::{self, tables};
use crate::key::ScalarType;
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{AttributeDefinition, KeySchemaElement};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Name and type of a key attribute.
pub(super) type Attribute = (String, ScalarType);

/// A partition key and perhaps a sort key.
pub(super) type Keys = (Attribute, Option<Attribute>);

/// The attribute definitions of a request. There may be as many as fit into it.
pub(super) struct Definitions {
    /// In the order in which they were sent.
    sent: Vec<Attribute>,
    /// Where each is, by its name.
    places: HashMap<String, usize>,
}

impl Definitions {
    /// Reads definitions that satisfy the model.
    ///
    /// # Errors
    /// If an attribute is defined twice.
    pub(super) fn read(definitions: &[AttributeDefinition]) -> Result<Self, Error> {
        let mut sent: Vec<Attribute> = Vec::with_capacity(definitions.len());
        let mut places = HashMap::with_capacity(definitions.len());
        for definition in definitions {
            // Both are there, and the type is one of the three, by the model.
            let name = definition.attribute_name.clone().unwrap_or_default();
            let kind = definition.attribute_type.as_deref().and_then(ScalarType::of).unwrap_or(ScalarType::S);
            match places.entry(name.clone()) {
                Entry::Occupied(_) => return Err(tables::attribute_duplicated(&name)),
                Entry::Vacant(place) => place.insert(sent.len()),
            };
            sent.push((name, kind));
        }
        Ok(Self { sent, places })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.sent.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The definitions, sorted by name, as AWS gives them back.
    pub(super) fn into_sorted(mut self) -> Vec<Attribute> {
        self.sent.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        self.sent
    }

    /// The keys of a schema; `same_name` words one attribute as both.
    ///
    /// # Errors
    /// If an attribute is not defined, is both keys, or is not of the kind that its place asks for.
    pub(super) fn keys(
        &self,
        schema: &[KeySchemaElement],
        same_name: impl FnOnce() -> Error,
    ) -> Result<Keys, Error> {
        let names = names(schema);
        let defined = |name: &&str| self.places.get(*name).and_then(|place| self.sent.get(*place));
        let keys: Option<Vec<&Attribute>> = names.iter().map(defined).collect();
        let Some(keys) = keys else {
            return Err(tables::keys_not_defined(&names, &self.names()));
        };
        if let [first, second] = keys[..]
            && first == second
        {
            return Err(same_name());
        }
        let kind = |at: usize| schema.get(at).and_then(|element| element.key_type.as_deref());
        if kind(0) != Some("HASH") {
            return Err(tables::first_key_not_hash());
        }
        if kind(1).is_some_and(|kind| kind != "RANGE") {
            return Err(tables::second_key_not_range());
        }
        match keys[..] {
            [partition] => Ok((partition.clone(), None)),
            [partition, sort] => Ok((partition.clone(), Some(sort.clone()))),
            // The model allows one or two.
            _ => Err(errors::internal(&"a key schema has neither one nor two elements")),
        }
    }
}

/// The attributes of a key schema.
pub(super) fn names(schema: &[KeySchemaElement]) -> Vec<&str> {
    schema.iter().map(|element| element.attribute_name.as_deref().unwrap_or_default()).collect()
}
