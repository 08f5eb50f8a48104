//! A value of a request in the stored form, which is what conditions compare and keys are made of.

use crate::item::codec::{Encoded, encode_value};
use crate::item::size::ITEM_BYTES_MAX;
use crate::item::view::{self, RawValue};
use crate::item::{Damaged, ValueError};
use crate::key::ScalarType;
use holdfast_shapes::AttributeValue;
use std::fmt::{self, Display, Formatter};

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
    /// Set of strings.
    SS,
    /// Set of numbers.
    NS,
    /// Set of binaries.
    BS,
    /// Map.
    M,
    /// List.
    L,
    /// Null.
    Null,
    /// Boolean.
    Bool,
}

impl ValueType {
    const ALL: [Self; 10] =
        [Self::S, Self::N, Self::B, Self::SS, Self::NS, Self::BS, Self::M, Self::L, Self::Null, Self::Bool];

    /// As requests and messages name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::SS => "SS",
            Self::NS => "NS",
            Self::BS => "BS",
            Self::M => "M",
            Self::L => "L",
            Self::Null => "NULL",
            Self::Bool => "BOOL",
        }
    }

    /// As messages about the clauses of updates name it.
    #[must_use]
    pub fn long_name(self) -> &'static str {
        match self {
            Self::S => "STRING",
            Self::N => "NUMBER",
            Self::B => "BINARY",
            Self::SS => "STRING_SET",
            Self::NS => "NUMBER_SET",
            Self::BS => "BINARY_SET",
            Self::M => "MAP",
            Self::L => "LIST",
            Self::Null => "NULL",
            Self::Bool => "BOOL",
        }
    }

    /// The type of a name, in capital letters.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The type of a value.
    #[must_use]
    pub fn of(value: &AttributeValue) -> Self {
        match value {
            AttributeValue::S(_) => Self::S,
            AttributeValue::N(_) => Self::N,
            AttributeValue::B(_) => Self::B,
            AttributeValue::SS(_) => Self::SS,
            AttributeValue::NS(_) => Self::NS,
            AttributeValue::BS(_) => Self::BS,
            AttributeValue::M(_) => Self::M,
            AttributeValue::L(_) => Self::L,
            AttributeValue::Null(_) => Self::Null,
            AttributeValue::Bool(_) => Self::Bool,
        }
    }

    /// The type of a stored value.
    #[must_use]
    pub fn of_stored(value: &view::Value<'_>) -> Self {
        match value {
            view::Value::S(_) => Self::S,
            view::Value::N(_) => Self::N,
            view::Value::B(_) => Self::B,
            view::Value::SS(_) => Self::SS,
            view::Value::NS(_) => Self::NS,
            view::Value::BS(_) => Self::BS,
            view::Value::M(_) => Self::M,
            view::Value::L(_) => Self::L,
            view::Value::Null => Self::Null,
            view::Value::Bool(_) => Self::Bool,
        }
    }

    /// Whether values of the type have an order: strings, numbers, binaries.
    #[must_use]
    pub fn is_ordered(self) -> bool {
        matches!(self, Self::S | Self::N | Self::B)
    }
}

/// A value of a request. Two are equal in DynamoDB's sense exactly if they are equal here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    kind: ValueType,
    stored: Box<[u8]>,
    size: u64,
}

impl Value {
    /// Checks and encodes a value.
    ///
    /// # Errors
    /// If it cannot be a value of an attribute.
    pub fn new(value: &AttributeValue) -> Result<Self, ValueError> {
        let Encoded { bytes, size } = encode_value(value)?;
        if size > ITEM_BYTES_MAX {
            return Err(ValueError::TooLarge(size));
        }
        Ok(Self { kind: ValueType::of(value), stored: bytes.into_boxed_slice(), size })
    }

    /// What DynamoDB accounts for it, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> ValueType {
        self.kind
    }

    /// The value as it would stand in an item: to be compared with, and read like, a value of one.
    ///
    /// # Errors
    /// Never for a value of [`Value::new`].
    pub fn view(&self) -> Result<view::Value<'_>, Damaged> {
        RawValue::new(&self.stored).read()
    }

    /// The stored bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.stored
    }

    /// Type and bytes as they stand in keys, in whose order bytes compare as values do; nothing of a value that has no
    /// order. The bytes may be empty or longer than a key's.
    #[must_use]
    pub fn scalar(&self) -> Option<(ScalarType, &[u8])> {
        match self.view().ok()? {
            view::Value::S(text) => Some((ScalarType::S, text.as_bytes())),
            view::Value::N(number) => Some((ScalarType::N, number.as_bytes())),
            view::Value::B(bytes) => Some((ScalarType::B, bytes)),
            _ => None,
        }
    }
}

/// As a placeholder: `:` and the stored bytes in hexadecimal.
impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(":")?;
        self.stored.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: &AttributeValue) -> Value {
        Value::new(value).unwrap()
    }

    #[test]
    fn scalars_are_as_in_keys() {
        let long = "x".repeat(200);
        for (sent, kind, bytes) in [
            (AttributeValue::S(String::new()), ScalarType::S, &b""[..]),
            (AttributeValue::S("abc".into()), ScalarType::S, b"abc"),
            (AttributeValue::S(long.clone()), ScalarType::S, long.as_bytes()),
            (AttributeValue::B(vec![0, 255]), ScalarType::B, &[0, 255]),
            (AttributeValue::N("42.0".into()), ScalarType::N, b"\xC1\x2B"),
        ] {
            assert_eq!(value(&sent).scalar(), Some((kind, bytes)));
        }
        assert_eq!(value(&AttributeValue::Bool(true)).scalar(), None);
    }

    #[test]
    fn equality_is_of_values() {
        let number = |text: &str| value(&AttributeValue::N(text.into()));
        assert_eq!(number("1"), number("1.00"));
        assert_ne!(number("1"), value(&AttributeValue::S("1".into())));
        let set = |members: &[&str]| {
            value(&AttributeValue::SS(members.iter().map(|&member| member.into()).collect()))
        };
        assert_eq!(set(&["a", "b"]), set(&["b", "a"]));
    }

    #[test]
    fn types_and_their_names() {
        for kind in ValueType::ALL {
            assert_eq!(ValueType::of_name(kind.name()), Some(kind));
        }
        assert_eq!(ValueType::of_name("s"), None);
    }
}
