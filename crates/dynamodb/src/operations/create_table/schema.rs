//! Attribute definitions and key schemas of a table and its indexes.

use crate::errors::{self, tables};
use crate::key::{ATTRIBUTES_MAX, Role, ScalarType};
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{AttributeDefinition, KeySchemaElement};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

/// Name and type of a key attribute.
pub(in crate::operations) type Attribute = (String, ScalarType);

/// A partition key and perhaps a sort key.
pub(in crate::operations) type Keys = (Attribute, Option<Attribute>);

/// The attributes of an index's partition key and those of its sort key.
pub(in crate::operations) type KeysOfIndex = (Vec<Attribute>, Vec<Attribute>);

/// The attribute definitions of a request. There may be as many as fit into it.
pub(in crate::operations) struct Definitions {
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
    pub(in crate::operations) fn read(definitions: &[AttributeDefinition]) -> Result<Self, Error> {
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

    /// The keys of the schema of a table or a local index.
    ///
    /// # Errors
    /// If an attribute is not defined, is both keys, or is not of the kind that its place asks for.
    pub(super) fn keys(&self, schema: &[KeySchemaElement]) -> Result<Keys, Error> {
        let keys = self.attributes(schema)?;
        if let [first, second] = keys[..]
            && first == second
        {
            return Err(tables::same_key_twice());
        }
        if !is_hash(schema.first()) {
            return Err(tables::first_key_not_hash());
        }
        if is_hash(schema.get(1)) {
            return Err(tables::second_key_not_range());
        }
        match keys[..] {
            [partition] => Ok((partition.clone(), None)),
            [partition, sort] => Ok((partition.clone(), Some(sort.clone()))),
            // The model allows one or two.
            _ => Err(errors::internal(&"a key schema has neither one nor two elements")),
        }
    }

    /// The keys of the schema of a global index, which may have several attributes in each role.
    ///
    /// # Errors
    /// If an attribute is not defined, is there twice, or is not of the kind that its place asks for; if there are too many.
    pub(in crate::operations) fn keys_of_global_index(
        &self,
        schema: &[KeySchemaElement],
    ) -> Result<KeysOfIndex, Error> {
        let keys = self.attributes(schema)?;
        let mut names = HashSet::with_capacity(keys.len());
        if !keys.iter().all(|(name, _)| names.insert(name.as_str())) {
            return Err(tables::same_key_twice_in_index());
        }
        if !is_hash(schema.first()) {
            return Err(tables::first_key_not_hash());
        }
        let partition = schema.iter().take_while(|element| is_hash(Some(element))).count();
        if schema.iter().skip(partition).any(|element| is_hash(Some(element))) {
            return Err(tables::hash_key_behind_range_key());
        }
        for (role, attributes) in [(Role::Partition, partition), (Role::Sort, schema.len() - partition)] {
            if attributes > ATTRIBUTES_MAX {
                return Err(tables::too_many_key_attributes(role));
            }
        }
        let mut keys = keys.into_iter().cloned();
        Ok((keys.by_ref().take(partition).collect(), keys.collect()))
    }

    /// The definitions of a schema's attributes.
    fn attributes(&self, schema: &[KeySchemaElement]) -> Result<Vec<&Attribute>, Error> {
        let names = names(schema);
        let defined = |name: &&str| self.places.get(*name).and_then(|place| self.sent.get(*place));
        let keys: Option<Vec<&Attribute>> = names.iter().map(defined).collect();
        keys.ok_or_else(|| tables::keys_not_defined(&names, &self.names()))
    }
}

fn is_hash(element: Option<&KeySchemaElement>) -> bool {
    element.and_then(|element| element.key_type.as_deref()) == Some("HASH")
}

/// The attributes of a key schema.
pub(super) fn names(schema: &[KeySchemaElement]) -> Vec<&str> {
    schema.iter().map(|element| element.attribute_name.as_deref().unwrap_or_default()).collect()
}
