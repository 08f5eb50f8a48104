//! Rows of indexes: which row an item has in an index, and its key byte by byte.
//!
//! | part | bytes |
//! |---|---|
//! | family | 1, the tag of [`Family::DYNAMODB_INDEX_ROW`] |
//! | hash | 8, big endian: XXH3-64 with seed 0 of the bytes of the index's partition key; of several attributes, of the parts below |
//! | type of the partition key | 1: `53` string, `4E` number, `42` binary (`S`, `N`, `B`) |
//! | partition key | `00` becomes `00 FF`; ends with `00 01` |
//! | type of the sort key | 1, as above; absent together with the sort key |
//! | sort key | `00` becomes `00 FF`; ends with `00 01` |
//! | item | the item's key without its family, to the end |
//!
//! A key of several attributes has the type and the bytes of each, one after another, in the order of the key schema.
//!
//! A row has no value: what it projects is read from the item. An item without one of the index's key attributes has no
//! row. Rows of one partition are in the order of their sort keys, those of equal keys in the order of their items' keys.

use crate::item::view::{Item, RawValue, Value};
use crate::item::{Damaged, size};
use crate::key::{self, ATTRIBUTES_MAX, KeyAttribute, KeyError, KeySchema, Role, ScalarType};
use crate::table::{IndexView, ProjectionView};
use holdfast_state::families::Family;

/// The row of an item in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Its key in the index's space.
    pub key: Vec<u8>,
    /// What DynamoDB accounts for the attributes that the index projects, in bytes.
    pub size: u64,
}

/// Why an item cannot have a row: a key attribute is there, but its value cannot be a key. `errors/indexes.rs` has AWS's
/// wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexKeyError {
    /// It is of another type.
    #[error("key attribute {name} of index {index} is {actual}, not {}", .expected.name())]
    WrongType {
        /// Name of the index.
        index: String,
        /// Name of the attribute.
        name: String,
        /// Type of the index's schema.
        expected: ScalarType,
        /// Type of the value, as messages name it.
        actual: &'static str,
    },
    /// An empty string or binary.
    #[error("key attribute {name} of index {index} is empty")]
    Empty {
        /// Name of the index.
        index: String,
        /// Name of the attribute.
        name: String,
        /// Its type.
        kind: ScalarType,
    },
    /// Longer than a key may be.
    #[error("the {0:?} key of an index is too long")]
    TooLong(Role),
    /// Attributes of one role that are longer together than a key may be.
    #[error("the {role:?} key attributes of index {index} are {size} bytes long")]
    TooLongTogether {
        /// Name of the index.
        index: String,
        /// Which of its attributes.
        role: Role,
        /// Their names.
        names: Vec<String>,
        /// Their bytes together.
        size: usize,
    },
}

/// An item as rows are made from it.
#[derive(Debug, Clone, Copy)]
pub struct Indexed<'a> {
    /// Its key in the table's space.
    pub key: &'a [u8],
    /// Its attributes.
    pub item: Item<'a>,
    /// Its size in bytes, as DynamoDB accounts it.
    pub size: u64,
}

/// The row of an item in an index; none if the item lacks one of the index's key attributes.
///
/// # Errors
/// The outer one if the item is damaged, the inner one if its values cannot be keys of the index.
pub fn row(
    indexed: &Indexed<'_>,
    index: &IndexView<'_>,
    table: &KeySchema<'_>,
) -> Result<Result<Option<IndexRow>, IndexKeyError>, Damaged> {
    let keys = &index.keys;
    let mut parts: [Part<'_>; 2 * ATTRIBUTES_MAX] = [(ScalarType::S, &[]); 2 * ATTRIBUTES_MAX];
    let mut complete = true;
    let roles =
        keys.partition().iter().map(|_| Role::Partition).chain(keys.sort().iter().map(|_| Role::Sort));
    for ((attribute, role), place) in keys.all().iter().zip(roles).zip(&mut parts) {
        match indexed.item.get(attribute.name)? {
            // A value that cannot be a key is refused also where another key attribute is absent.
            None => complete = false,
            Some(value) => match part(index, attribute, role, value)? {
                Ok(part) => *place = part,
                Err(error) => return Ok(Err(error)),
            },
        }
    }
    if !complete {
        return Ok(Ok(None));
    }
    let (partition, rest) = parts.split_at(keys.partition().len());
    let sort = &rest[..keys.sort().len()];
    if keys.is_multiple() {
        for (role, parts, attributes) in
            [(Role::Partition, partition, keys.partition()), (Role::Sort, sort, keys.sort())]
        {
            if let Err(error) = check_together(index, role, parts, attributes) {
                return Ok(Err(error));
            }
        }
    }
    let key = write(partition, sort, indexed.key);
    let size = projected_size(indexed, index, table)?;
    Ok(Ok(Some(IndexRow { key, size })))
}

/// A key value: its type and bytes.
pub(crate) type Part<'a> = (ScalarType, &'a [u8]);

fn part<'a>(
    index: &IndexView<'_>,
    attribute: &KeyAttribute<'_>,
    role: Role,
    value: RawValue<'a>,
) -> Result<Result<Part<'a>, IndexKeyError>, Damaged> {
    let value = value.read()?;
    let bytes = match (&value, attribute.kind) {
        (Value::S(text), ScalarType::S) => text.as_bytes(),
        (Value::B(bytes), ScalarType::B) => bytes,
        (Value::N(number), ScalarType::N) => number.as_bytes(),
        _ => {
            return Ok(Err(IndexKeyError::WrongType {
                index: index.name.to_owned(),
                name: attribute.name.to_owned(),
                expected: attribute.kind,
                actual: value.type_name(),
            }));
        }
    };
    let fault = match key::check_length(bytes, attribute, role) {
        Ok(()) => return Ok(Ok((attribute.kind, bytes))),
        Err(KeyError::TooLong(role)) => IndexKeyError::TooLong(role),
        // The only other fault of a length.
        Err(_) => IndexKeyError::Empty {
            index: index.name.to_owned(),
            name: attribute.name.to_owned(),
            kind: attribute.kind,
        },
    };
    Ok(Err(fault))
}

/// Refuses values that are a key each, but too long together. Source: the local emulator, which names DynamoDB's limits of one
/// key for all attributes of a role.
fn check_together(
    index: &IndexView<'_>,
    role: Role,
    parts: &[Part<'_>],
    attributes: &[KeyAttribute<'_>],
) -> Result<(), IndexKeyError> {
    let (size, limit) = (parts.iter().map(|(_, bytes)| bytes.len()).sum(), role.bytes_max());
    if size <= limit {
        return Ok(());
    }
    let names = attributes.iter().map(|attribute| attribute.name.to_owned()).collect();
    Err(IndexKeyError::TooLongTogether { index: index.name.to_owned(), role, names, size })
}

/// The key of a row from the values of the index's key attributes, in the order of its schema, and the key of the item.
pub(crate) fn write(partition: &[Part<'_>], sort: &[Part<'_>], item_key: &[u8]) -> Vec<u8> {
    let values: usize = partition.iter().chain(sort).map(|(_, bytes)| 3 + bytes.len()).sum();
    let mut key = key::of_partitions(Family::DYNAMODB_INDEX_ROW, partition, 18 + values + item_key.len());
    for (kind, bytes) in sort {
        key.u8(kind.tag()).bytes(bytes);
    }
    key.raw(item_key.get(1..).unwrap_or_default());
    key.finish()
}

/// What the attributes that an index projects are accounted for.
///
/// # Errors
/// If the item is damaged.
pub fn projected_size(
    indexed: &Indexed<'_>,
    index: &IndexView<'_>,
    table: &KeySchema<'_>,
) -> Result<u64, Damaged> {
    if index.projection == ProjectionView::All {
        return Ok(indexed.size);
    }
    let mut size = 0;
    let mut attributes = indexed.item.attributes();
    for name in projected_names(index, table) {
        if let Some(value) = attributes.seek(name)? {
            size += size::of(name.len()) + size::of_value(value.read()?, 1)?;
        }
    }
    Ok(size)
}

/// Names of the attributes that an index with a projection other than `ALL` projects: sorted, each once.
#[must_use]
pub fn projected_names<'a>(index: &IndexView<'a>, table: &KeySchema<'a>) -> Vec<&'a str> {
    let table = [Some(table.partition), table.sort].into_iter().flatten();
    let keys = table.chain(index.keys.all().iter().copied());
    let mut names: Vec<&str> = keys.map(|attribute| attribute.name).collect();
    if let ProjectionView::Include(included) = &index.projection {
        names.extend(included);
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests;
