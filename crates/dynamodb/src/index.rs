//! Rows of indexes: which row an item has in an index, and its key byte by byte.
//!
//! | part | bytes |
//! |---|---|
//! | family | 1, the tag of [`Family::DYNAMODB_INDEX_ROW`] |
//! | hash | 8, big endian: XXH3-64 with seed 0 of the bytes of the index's partition key |
//! | type of the partition key | 1: `53` string, `4E` number, `42` binary (`S`, `N`, `B`) |
//! | partition key | `00` becomes `00 FF`; ends with `00 01` |
//! | type of the sort key | 1, as above; absent together with the sort key |
//! | sort key | `00` becomes `00 FF`; ends with `00 01` |
//! | item | the item's key without its family, to the end |
//!
//! A row has no value: what it projects is read from the item. An item without one of the index's key attributes has no
//! row. Rows of one partition are in the order of their sort keys, those of equal keys in the order of their items' keys.

use crate::item::view::{Item, RawValue, Value};
use crate::item::{Damaged, size};
use crate::key::{self, KeyAttribute, KeyError, KeySchema, Role, ScalarType};
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
    let part = |attribute: &KeyAttribute<'_>, role| match indexed.item.get(attribute.name)? {
        Some(value) => Ok::<_, Damaged>(part(index, attribute, role, value)?.map(Some)),
        None => Ok(Ok(None)),
    };
    // A value that cannot be a key is refused also where the other key attribute is absent.
    let partition = match part(&index.keys.partition, Role::Partition)? {
        Ok(partition) => partition,
        Err(error) => return Ok(Err(error)),
    };
    let sort = match index.keys.sort.as_ref().map(|sort| part(sort, Role::Sort)).transpose()? {
        Some(Err(error)) => return Ok(Err(error)),
        Some(Ok(None)) => return Ok(Ok(None)),
        Some(Ok(Some(sort))) => Some(sort),
        None => None,
    };
    let Some(partition) = partition else { return Ok(Ok(None)) };
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

/// The key of a row from the values of the index's key attributes and the key of the item.
pub(crate) fn write(partition: Part<'_>, sort: Option<Part<'_>>, item_key: &[u8]) -> Vec<u8> {
    let room = 24 + partition.1.len() + sort.map_or(0, |(_, bytes)| bytes.len()) + item_key.len();
    let mut key = key::of_partition(Family::DYNAMODB_INDEX_ROW, partition, room);
    if let Some((kind, bytes)) = sort {
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
    let keys = [Some(table.partition), table.sort, Some(index.keys.partition), index.keys.sort];
    let mut names: Vec<&str> = keys.into_iter().flatten().map(|attribute| attribute.name).collect();
    if let ProjectionView::Include(included) = &index.projection {
        names.extend(included);
    }
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests;
