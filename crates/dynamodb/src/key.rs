//! The key of an item within the space of its table.
//!
//! | part | bytes |
//! |---|---|
//! | family | 1, the tag of [`Family::DYNAMODB_ITEM`] |
//! | hash | 8, big endian: XXH3-64 with seed 0 of the bytes of the partition key |
//! | type of the partition key | 1: `53` string, `4E` number, `42` binary (`S`, `N`, `B`) |
//! | partition key | `00` becomes `00 FF`; ends with `00 01` |
//! | type of the sort key | 1, as above; absent together with the sort key |
//! | sort key | as it is, to the end |
//!
//! The bytes of a string are its UTF-8, of a binary itself, of a number those of [`crate::number::bytes`]. Items of one
//! partition key are neighbours in the order of their sort keys; partitions are in the order of their hashes, so that a
//! scan's order tells nothing and segments of a parallel scan are ranges of hashes. All of this is format for ever.

use crate::number::Number;
use crate::number::bytes::NumberBytes;
use holdfast_shapes::AttributeValue;
use holdfast_state::families::Family;
use holdfast_state::key::{KeyReader, KeyWriter};
use xxhash_rust::xxh3::xxh3_64;

mod lists;

pub use self::lists::{ATTRIBUTES_MAX, KeyLists};

/// Longest partition key in bytes. Source: DynamoDB Developer Guide, "Constraints", "Partition key length".
pub const PARTITION_BYTES_MAX: usize = 2048;
/// Longest sort key in bytes. Source: as [`PARTITION_BYTES_MAX`], "Sort key length".
pub const SORT_BYTES_MAX: usize = 1024;

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl ScalarType {
    /// As requests and messages name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }

    /// The type of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "S" => Some(Self::S),
            "N" => Some(Self::N),
            "B" => Some(Self::B),
            _ => None,
        }
    }

    /// The byte that stands for it in keys and records.
    #[must_use]
    pub fn tag(self) -> u8 {
        self.name().as_bytes()[0]
    }

    /// The type of a byte.
    #[must_use]
    pub fn of_tag(tag: u8) -> Option<Self> {
        match tag {
            b'S' => Some(Self::S),
            b'N' => Some(Self::N),
            b'B' => Some(Self::B),
            _ => None,
        }
    }
}

/// A key attribute's name and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAttribute<'a> {
    /// Name.
    pub name: &'a str,
    /// Type.
    pub kind: ScalarType,
}

/// The key attributes of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySchema<'a> {
    /// `HASH`
    pub partition: KeyAttribute<'a>,
    /// `RANGE`
    pub sort: Option<KeyAttribute<'a>>,
}

/// Which of the key attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Partition key.
    Partition,
    /// Sort key.
    Sort,
}

impl Role {
    /// Most bytes of the key in this role, all its attributes together.
    #[must_use]
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Partition => PARTITION_BYTES_MAX,
            Self::Sort => SORT_BYTES_MAX,
        }
    }

    /// As key schemas and messages name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Partition => "HASH",
            Self::Sort => "RANGE",
        }
    }
}

/// Why attributes are not a key. `errors.rs` has AWS's wording, which depends on the operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key attribute is absent.
    #[error("key attribute {0} is missing")]
    Missing(String),
    /// A key attribute is of another type.
    #[error("key attribute {name} is {actual}, not {}", .expected.name())]
    WrongType {
        /// Name of the attribute.
        name: String,
        /// Type of the schema.
        expected: ScalarType,
        /// Type sent, as messages name it.
        actual: &'static str,
    },
    /// Attributes beyond the key, where only a key is taken.
    #[error("attributes beyond the key")]
    Extra,
    /// An empty string or binary.
    #[error("key attribute {name} is empty")]
    Empty {
        /// Name of the attribute.
        name: String,
        /// Its type.
        kind: ScalarType,
    },
    /// Longer than [`PARTITION_BYTES_MAX`] or [`SORT_BYTES_MAX`].
    #[error("{0:?} key is too long")]
    TooLong(Role),
    /// A number that is none; operations check numbers before keys.
    #[error("key attribute {0} is not a number")]
    NotANumber(String),
}

/// Whether a value is neither empty nor too long for a key attribute.
pub(crate) fn check_length(bytes: &[u8], attribute: &KeyAttribute<'_>, role: Role) -> Result<(), KeyError> {
    let limit = role.bytes_max();
    if bytes.is_empty() {
        Err(KeyError::Empty { name: attribute.name.to_owned(), kind: attribute.kind })
    } else if bytes.len() > limit {
        Err(KeyError::TooLong(role))
    } else {
        Ok(())
    }
}

/// The value of one key attribute: its type and its bytes, as they stand in keys before they are escaped.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// A string or a binary.
    Bytes(ScalarType, &'a [u8]),
    /// A number.
    Number(NumberBytes),
}

impl<'a> Part<'a> {
    /// Takes a value that can be a key.
    pub(crate) fn of(
        value: &'a AttributeValue,
        attribute: &KeyAttribute<'_>,
        role: Role,
    ) -> Result<Self, KeyError> {
        let bytes = match (value, attribute.kind) {
            (AttributeValue::S(text), ScalarType::S) => text.as_bytes(),
            (AttributeValue::B(bytes), ScalarType::B) => bytes,
            (AttributeValue::N(text), ScalarType::N) => {
                let number =
                    Number::parse(text).map_err(|_| KeyError::NotANumber(attribute.name.to_owned()))?;
                return Ok(Self::Number(number.to_bytes()));
            }
            _ => {
                return Err(KeyError::WrongType {
                    name: attribute.name.to_owned(),
                    expected: attribute.kind,
                    actual: value.type_name(),
                });
            }
        };
        check_length(bytes, attribute, role)?;
        Ok(Self::Bytes(attribute.kind, bytes))
    }

    /// Its type.
    pub(crate) fn kind(&self) -> ScalarType {
        match self {
            Self::Bytes(kind, _) => *kind,
            Self::Number(_) => ScalarType::N,
        }
    }

    /// Its bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(_, bytes) => bytes,
            Self::Number(number) => number.as_bytes(),
        }
    }
}

/// The stored key of an item with at least the key attributes.
///
/// # Errors
/// If a key attribute is absent or its value cannot be a key. The partition key comes first.
pub fn of_item(attributes: &[(String, AttributeValue)], schema: &KeySchema<'_>) -> Result<Vec<u8>, KeyError> {
    // Of attributes with the same name the last one counts, as when the item is stored.
    let find = |attribute: &KeyAttribute<'_>| {
        let found = attributes.iter().rev().find(|(name, _)| name == attribute.name);
        found.map(|(_, value)| value).ok_or_else(|| KeyError::Missing(attribute.name.to_owned()))
    };
    let partition = find(&schema.partition)?;
    let sort = schema.sort.as_ref().map(&find).transpose()?;
    let partition = Part::of(partition, &schema.partition, Role::Partition)?;
    let sort = match (&schema.sort, sort) {
        (Some(attribute), Some(value)) => Some(Part::of(value, attribute, Role::Sort)?),
        _ => None,
    };
    Ok(write(&partition, sort.as_ref()))
}

/// The stored key of a request's `Key`: the key attributes and nothing else.
///
/// # Errors
/// As [`of_item`], or if there are other attributes.
pub fn of_key(attributes: &[(String, AttributeValue)], schema: &KeySchema<'_>) -> Result<Vec<u8>, KeyError> {
    let expected = 1 + usize::from(schema.sort.is_some());
    let key = of_item(attributes, schema)?;
    if attributes.len() > expected { Err(KeyError::Extra) } else { Ok(key) }
}

/// The start of the keys of a partition, of a table's items or an index's rows; `room` is what the whole key may take.
pub(crate) fn of_partition(family: Family, (kind, bytes): (ScalarType, &[u8]), room: usize) -> KeyWriter {
    let mut key = KeyWriter::with_capacity(family, room);
    key.u64(xxh3_64(bytes)).u8(kind.tag()).bytes(bytes);
    key
}

/// The start of the keys of a partition of an index, which may have several partition key attributes.
pub(crate) fn of_partitions(family: Family, parts: &[(ScalarType, &[u8])], room: usize) -> KeyWriter {
    if let [only] = parts {
        return of_partition(family, *only, room);
    }
    let mut joined = KeyWriter::with_capacity(family, room);
    for (kind, bytes) in parts {
        joined.u8(kind.tag()).bytes(bytes);
    }
    let joined = joined.finish();
    let parts = joined.get(1..).unwrap_or_default();
    let mut key = KeyWriter::with_capacity(family, room);
    key.u64(xxh3_64(parts)).raw(parts);
    key
}

fn write(partition: &Part<'_>, sort: Option<&Part<'_>>) -> Vec<u8> {
    let bytes = partition.as_bytes();
    let room = 16 + bytes.len() + sort.map_or(0, |sort| sort.as_bytes().len());
    let mut key = of_partition(Family::DYNAMODB_ITEM, (partition.kind(), bytes), room);
    if let Some(sort) = sort {
        key.u8(sort.kind().tag()).raw(sort.as_bytes());
    }
    key.finish()
}

/// A stored key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// Hash of the partition key.
    pub hash: u64,
    /// Type and bytes of the partition key.
    pub partition: (ScalarType, Vec<u8>),
    /// Type and bytes of the sort key.
    pub sort: Option<(ScalarType, Vec<u8>)>,
}

impl StoredKey {
    /// Reads a stored key. Never panics.
    ///
    /// # Errors
    /// If the bytes are not the key of an item.
    pub fn read(bytes: &[u8]) -> Result<Self, holdfast_state::key::KeyError> {
        let mut reader = KeyReader::new(Family::DYNAMODB_ITEM, bytes)?;
        let impossible =
            |byte| holdfast_state::key::KeyError::Impossible { part: "type of a key attribute", byte };
        let kind = |byte: u8| ScalarType::of_tag(byte).ok_or_else(|| impossible(byte));
        let hash = reader.u64()?;
        let partition = (kind(reader.u8()?)?, reader.bytes()?);
        let rest = reader.raw();
        let sort = match rest.split_first() {
            Some((tag, bytes)) => Some((kind(*tag)?, bytes.to_vec())),
            None => None,
        };
        Ok(Self { hash, partition, sort })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    fn schema(partition: ScalarType, sort: Option<ScalarType>) -> KeySchema<'static> {
        KeySchema {
            partition: KeyAttribute { name: "pk", kind: partition },
            sort: sort.map(|kind| KeyAttribute { name: "sk", kind }),
        }
    }

    fn attributes(
        partition: &AttributeValue,
        sort: Option<&AttributeValue>,
    ) -> Vec<(String, AttributeValue)> {
        let mut attributes = vec![("pk".to_owned(), partition.clone())];
        attributes.extend(sort.map(|value| ("sk".to_owned(), value.clone())));
        attributes
    }

    fn kind(value: &AttributeValue) -> ScalarType {
        ScalarType::of(value.type_name()).unwrap()
    }

    fn encode(partition: &AttributeValue, sort: Option<&AttributeValue>) -> Vec<u8> {
        let schema = schema(kind(partition), sort.map(kind));
        of_key(&attributes(partition, sort), &schema).unwrap()
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    /// Values of one type.
    fn alike<const N: usize>() -> impl Strategy<Value = [AttributeValue; N]> {
        let texts = prop::array::uniform("[\\x00-\\x02a-c]{1,6}");
        let zeros = prop_oneof![Just(0u8), Just(0xFF), any::<u8>()];
        let binaries = prop::array::uniform(prop::collection::vec(zeros, 1..6));
        let numbers = prop::array::uniform(crate::number::tests::numbers());
        prop_oneof![
            texts.prop_map(|texts: [String; N]| texts.map(AttributeValue::S)),
            binaries.prop_map(|binaries: [Vec<u8>; N]| binaries.map(AttributeValue::B)),
            numbers
                .prop_map(|numbers: [Number; N]| numbers.map(|number| AttributeValue::N(number.to_string()))),
        ]
    }

    fn parts() -> impl Strategy<Value = AttributeValue> {
        alike().prop_map(|[value]| value)
    }

    fn order(left: &AttributeValue, right: &AttributeValue) -> Ordering {
        match (left, right) {
            (AttributeValue::N(left), AttributeValue::N(right)) => {
                Number::parse(left).unwrap().cmp(&Number::parse(right).unwrap())
            }
            (AttributeValue::S(left), AttributeValue::S(right)) => left.cmp(right),
            (AttributeValue::B(left), AttributeValue::B(right)) => left.cmp(right),
            _ => left.type_name().cmp(right.type_name()),
        }
    }

    /// The format for ever. If this test fails, data on disk can no longer be found.
    #[test]
    fn bytes_of_the_document() {
        let key = encode(&text("a"), Some(&AttributeValue::N("42".into())));
        let mut expected = vec![0x01];
        expected.extend(0xE6C6_32B6_1E96_4E1Fu64.to_be_bytes());
        expected.extend(*b"Sa\x00\x01N\xC1\x2B");
        assert_eq!(key, expected);
        assert_eq!(encode(&AttributeValue::B(vec![0]), None)[9..], *b"B\x00\xFF\x00\x01");
    }

    #[test]
    fn numbers_are_the_same_key_however_they_are_written() {
        let key = |text: &str| encode(&AttributeValue::N(text.into()), None);
        assert_eq!(key("1"), key("1.0"));
        assert_eq!(key("100"), key("+1e2"));
        assert_ne!(key("1"), key("-1"));
    }

    #[test]
    fn what_cannot_be_a_key() {
        let composite = schema(ScalarType::S, Some(ScalarType::N));
        let key = |attributes: &[(&str, AttributeValue)]| {
            let attributes: Vec<_> =
                attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            (of_item(&attributes, &composite).err(), of_key(&attributes, &composite).err())
        };
        let both = |error: KeyError| (Some(error.clone()), Some(error));
        let one = AttributeValue::N("1".into());
        assert_eq!(key(&[("pk", text("a")), ("sk", one.clone())]), (None, None));
        assert_eq!(
            key(&[("pk", text("a")), ("sk", one.clone()), ("x", text("y"))]),
            (None, Some(KeyError::Extra))
        );
        assert_eq!(key(&[("sk", one.clone())]), both(KeyError::Missing("pk".into())));
        assert_eq!(key(&[("pk", text("a"))]), both(KeyError::Missing("sk".into())));
        assert_eq!(
            key(&[("pk", text("a")), ("sk", text("b"))]),
            both(KeyError::WrongType { name: "sk".into(), expected: ScalarType::N, actual: "S" })
        );
        assert_eq!(
            key(&[("pk", text("")), ("sk", one.clone())]),
            both(KeyError::Empty { name: "pk".into(), kind: ScalarType::S })
        );
        assert_eq!(key(&[("pk", text(&"a".repeat(2048))), ("sk", one.clone())]), (None, None));
        assert_eq!(
            key(&[("pk", text(&"a".repeat(2049))), ("sk", one)]),
            both(KeyError::TooLong(Role::Partition))
        );
        let long = AttributeValue::B(vec![1; 1025]);
        let binary = schema(ScalarType::S, Some(ScalarType::B));
        assert_eq!(
            of_item(&attributes(&text("a"), Some(&long)), &binary),
            Err(KeyError::TooLong(Role::Sort))
        );
    }

    proptest! {
        #[test]
        fn keys_are_read_back(partition in parts(), sort in prop::option::of(parts())) {
            let stored = StoredKey::read(&encode(&partition, sort.as_ref())).unwrap();
            let bytes = |value: &AttributeValue| match value {
                AttributeValue::S(text) => text.as_bytes().to_vec(),
                AttributeValue::B(bytes) => bytes.clone(),
                AttributeValue::N(text) => Number::parse(text).unwrap().to_bytes().as_bytes().to_vec(),
                other => panic!("{other:?}"),
            };
            prop_assert_eq!(stored.hash, xxh3_64(&bytes(&partition)));
            prop_assert_eq!(stored.partition, (kind(&partition), bytes(&partition)));
            prop_assert_eq!(stored.sort, sort.map(|sort| (kind(&sort), bytes(&sort))));
        }

        #[test]
        fn sort_keys_of_one_partition_are_in_order(partition in parts(), [left, right] in alike()) {
            let (one, other) = (encode(&partition, Some(&left)), encode(&partition, Some(&right)));
            prop_assert_eq!(one.cmp(&other), order(&left, &right));
        }

        #[test]
        fn partitions_do_not_mix([one, other] in alike(), [first, last, between] in alike()) {
            prop_assume!(order(&one, &other).is_ne());
            let (low, high) = (encode(&one, Some(&first)), encode(&one, Some(&last)));
            let foreign = encode(&other, Some(&between));
            prop_assert_eq!(foreign < low, foreign < high);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = StoredKey::read(&bytes);
            let mut tagged = vec![Family::DYNAMODB_ITEM.tag];
            tagged.extend(bytes);
            let _ = StoredKey::read(&tagged);
        }
    }
}
