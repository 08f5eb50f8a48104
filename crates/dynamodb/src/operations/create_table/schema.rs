//! Attribute definitions and key schemas of a table and its indexes.

use crate::errors::{self, tables};
use crate::key::ScalarType;
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{AttributeDefinition, KeySchemaElement};

/// Name and type of a key attribute.
pub(super) type Attribute = (String, ScalarType);

/// A partition key and perhaps a sort key.
pub(super) type Keys = (Attribute, Option<Attribute>);

/// The attribute definitions of a request, in the order in which they were sent.
pub(super) struct Definitions(Vec<Attribute>);

impl Definitions {
    /// Reads definitions that satisfy the model.
    ///
    /// # Errors
    /// If an attribute is defined twice.
    pub(super) fn read(definitions: &[AttributeDefinition]) -> Result<Self, Error> {
        let mut attributes: Vec<Attribute> = Vec::with_capacity(definitions.len());
        for definition in definitions {
            // Both are there, and the type is one of the three, by the model.
            let name = definition.attribute_name.clone().unwrap_or_default();
            let kind = definition.attribute_type.as_deref().and_then(ScalarType::of).unwrap_or(ScalarType::S);
            if attributes.iter().any(|(other, _)| *other == name) {
                return Err(tables::attribute_duplicated(&name));
            }
            attributes.push((name, kind));
        }
        Ok(Self(attributes))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Their names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The definitions, sorted by name, as AWS gives them back.
    pub(super) fn into_sorted(mut self) -> Vec<Attribute> {
        self.0.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        self.0
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
        let defined = |name: &&str| self.0.iter().find(|(other, _)| other == name);
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
