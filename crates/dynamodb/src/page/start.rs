//! `ExclusiveStartKey` and `LastEvaluatedKey`: a row by the attributes of its key.
//!
//! Of a table these are its key attributes; of an index, its own and the table's. Query and Scan check them in the same order,
//! that of AWS (recorded by a public project until 2019): how many there are, those of what is read, those of the table.

use super::source::Source;
use crate::errors::reads::{self, Reader};
use crate::item::{Damaged, json};
use crate::key::{self, KeyAttribute, KeySchema, Part, Role, ScalarType};
use crate::{errors, index};
use holdfast_aws::Error;
use holdfast_shapes::{AttributeMap, AttributeValue};
use holdfast_state::key::KeyReader;

/// An `ExclusiveStartKey` that is being checked.
pub(crate) struct StartKey<'a> {
    attributes: &'a AttributeMap,
    source: &'a Source<'a>,
    reader: Reader,
}

/// The key attributes of a table and those of its index that the table's key does not have.
fn attributes<'s>(source: &'s Source<'_>) -> impl Iterator<Item = KeyAttribute<'s>> {
    let table = [Some(source.table_keys.partition), source.table_keys.sort];
    let is_new = move |attribute: &KeyAttribute<'_>| {
        table.iter().flatten().all(|of_table| of_table.name != attribute.name)
    };
    let index = source.index().map(|index| index.keys.all());
    table.into_iter().flatten().chain(index.into_iter().flatten().copied().filter(is_new))
}

impl<'a> StartKey<'a> {
    /// Takes values that were checked already.
    ///
    /// # Errors
    /// If there are more or fewer than the keys have.
    pub(crate) fn open(
        attributes: &'a AttributeMap,
        source: &'a Source<'a>,
        reader: Reader,
    ) -> Result<Self, Error> {
        if attributes.len() != self::attributes(source).count() {
            return Err(reads::start_key(reader, source.index().is_some()));
        }
        Ok(Self { attributes, source, reader })
    }

    /// The values of the partition key of what is read.
    ///
    /// # Errors
    /// If one is missing or cannot be one.
    pub(crate) fn partition(&self) -> Result<Vec<Part<'a>>, Error> {
        let attributes = self.source.keys().partition();
        attributes.iter().map(|attribute| self.part(attribute, Role::Partition)).collect()
    }

    /// The values of the sort key of what is read.
    ///
    /// # Errors
    /// As [`StartKey::partition`].
    pub(crate) fn sort(&self) -> Result<Vec<Part<'a>>, Error> {
        self.source.keys().sort().iter().map(|attribute| self.part(attribute, Role::Sort)).collect()
    }

    fn part(&self, attribute: &KeyAttribute<'_>, role: Role) -> Result<Part<'a>, Error> {
        let value: &AttributeValue = self
            .attributes
            .get(attribute.name)
            .ok_or_else(|| reads::start_key(self.reader, self.source.index().is_some()))?;
        Part::of(value, attribute, role).map_err(|error| errors::lookup_key(&error))
    }

    /// The key of the row.
    ///
    /// # Errors
    /// If the part that is the table's key cannot be one.
    pub(crate) fn row(&self) -> Result<Vec<u8>, Error> {
        let item = key::of_item(&self.attributes.0, &self.source.table_keys)
            .map_err(|error| reads::start_key_of_table(&error))?;
        if self.source.index().is_none() {
            return Ok(item);
        }
        let (partition, sort) = (self.partition()?, self.sort()?);
        Ok(index::write(&raw(&partition), &raw(&sort), &item))
    }
}

/// Types and bytes of values.
fn raw<'p>(parts: &'p [Part<'_>]) -> Vec<index::Part<'p>> {
    parts.iter().map(|part| (part.kind(), part.as_bytes())).collect()
}

/// Appends the key of a row as a JSON object.
///
/// # Errors
/// If the row's key is damaged.
pub(super) fn render(source: &Source<'_>, row: &[u8], out: &mut Vec<u8>) -> Result<(), Damaged> {
    const DAMAGED: Damaged = Damaged("the key of a row cannot be taken apart");
    let mut reader = KeyReader::new(source.family(), row).map_err(|_| DAMAGED)?;
    let mut parts: Vec<(KeyAttribute<'_>, Vec<u8>)> = Vec::with_capacity(4);
    if let Some(index) = source.index() {
        reader.u64().map_err(|_| DAMAGED)?;
        for attribute in index.keys.all() {
            read_kind(&mut reader, attribute.kind).ok_or(DAMAGED)?;
            parts.push((*attribute, reader.bytes().map_err(|_| DAMAGED)?));
        }
    }
    read_partition(&mut reader, &source.table_keys, &mut parts).ok_or(DAMAGED)?;
    if let Some(sort) = source.table_keys.sort {
        read_kind(&mut reader, sort.kind).ok_or(DAMAGED)?;
        parts.push((sort, reader.raw().to_vec()));
    }
    reader.finish().map_err(|_| DAMAGED)?;
    let mut separator = b'{';
    for attribute in attributes(source) {
        let (_, bytes) = parts.iter().find(|(part, _)| part.name == attribute.name).ok_or(DAMAGED)?;
        out.push(separator);
        separator = b',';
        json::render_key(&attribute, bytes, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn read_partition<'s>(
    reader: &mut KeyReader<'_>,
    keys: &KeySchema<'s>,
    parts: &mut Vec<(KeyAttribute<'s>, Vec<u8>)>,
) -> Option<()> {
    reader.u64().ok()?;
    read_kind(reader, keys.partition.kind)?;
    parts.push((keys.partition, reader.bytes().ok()?));
    Some(())
}

fn read_kind(reader: &mut KeyReader<'_>, expected: ScalarType) -> Option<()> {
    (reader.u8().ok()? == expected.tag()).then_some(())
}
