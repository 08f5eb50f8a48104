//! Attribute values as they travel in requests, read straight from JSON into typed values.
//!
//! Each value is an object with exactly one member that names its type: `{"N": "12"}`. Reading one makes no
//! intermediate JSON tree. Depth is bounded by [`MAX_PARSED_DEPTH`], so hostile input cannot exhaust the stack.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::wording;

/// Levels of maps and lists that are read. What lies deeper is left out, and an empty list stands for the map or list that held it,
/// one level below: so such a value is always beyond DynamoDB's own limit of 32, and operations refuse it in their own words
/// where its turn comes. Low enough that the JSON reader's own limit of 128 levels (two of them per map or list) is
/// never the one that is hit.
pub const MAX_PARSED_DEPTH: usize = 52;

/// DynamoDB's answer to a value with two type members.
pub const MORE_THAN_ONE_TYPE: &str = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
/// DynamoDB's answer to a value with no type member.
pub const NO_TYPE: &str =
    "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";

/// One attribute value of a request, not yet checked: numbers are texts, sets may hold duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names are DynamoDB's type descriptors.
pub enum AttributeValue {
    S(String),
    N(String),
    B(Vec<u8>),
    SS(Vec<String>),
    NS(Vec<String>),
    BS(Vec<Vec<u8>>),
    M(Vec<(String, AttributeValue)>),
    L(Vec<AttributeValue>),
    Null(bool),
    Bool(bool),
}

impl AttributeValue {
    /// How many maps and lists enclose the deepest leaf: 0 for a scalar or a set.
    pub fn nesting(&self) -> usize {
        match self {
            Self::M(members) => 1 + members.iter().map(|(_, value)| value.nesting()).max().unwrap_or(0),
            Self::L(elements) => 1 + elements.iter().map(Self::nesting).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// The type descriptor, as it stands in requests: `S`, `NULL`, …
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::SS(_) => "SS",
            Self::NS(_) => "NS",
            Self::BS(_) => "BS",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Null(_) => "NULL",
            Self::Bool(_) => "BOOL",
        }
    }
}

/// Named attribute values of a request in the order they were sent, each name once (the last one sent counts).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeMap(pub Vec<(String, AttributeValue)>);

impl AttributeMap {
    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&AttributeValue> {
        self.0.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value)
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no attribute.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Only for echoing a request in an error text; answers are [`Rendered`].
impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let name = self.type_name();
        match self {
            Self::S(text) | Self::N(text) => map.serialize_entry(name, text)?,
            Self::B(bytes) => map.serialize_entry(name, &STANDARD.encode(bytes))?,
            Self::SS(members) | Self::NS(members) => map.serialize_entry(name, members)?,
            Self::BS(members) => {
                let members: Vec<String> = members.iter().map(|bytes| STANDARD.encode(bytes)).collect();
                map.serialize_entry(name, &members)?;
            }
            Self::M(members) => map.serialize_entry(name, &Members(members))?,
            Self::L(elements) => map.serialize_entry(name, elements)?,
            Self::Null(flag) | Self::Bool(flag) => map.serialize_entry(name, flag)?,
        }
        map.end()
    }
}

impl Serialize for AttributeMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Members(&self.0).serialize(serializer)
    }
}

struct Members<'a>(&'a [(String, AttributeValue)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueSeed { depth: 0 }.deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for AttributeMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        MembersSeed { depth: 0 }.deserialize(deserializer).map(AttributeMap)
    }
}

/// JSON that the server has already rendered, written into an answer as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Rendered(pub Box<RawValue>);

impl Rendered {
    /// Takes rendered JSON; fails if it is not one JSON value.
    pub fn from_json(json: String) -> Result<Self, serde_json::Error> {
        RawValue::from_string(json).map(Rendered)
    }
}

/// Keeps one entry a name, the last one sent, in the place of the first.
pub(crate) fn keep_last<T>(entries: Vec<(String, T)>) -> Vec<(String, T)> {
    const FEW: usize = 8;
    let repeated = if entries.len() <= FEW {
        entries.iter().enumerate().any(|(at, (name, _))| entries[..at].iter().any(|(other, _)| other == name))
    } else {
        let mut names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    };
    if !repeated {
        return entries;
    }
    let mut places = std::collections::HashMap::new();
    let mut kept: Vec<(String, T)> = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let place = *places.entry(name.clone()).or_insert(kept.len());
        if place == kept.len() {
            kept.push((name, value));
        } else {
            kept[place].1 = value;
        }
    }
    kept
}

/// Reads one value that `depth` maps and lists enclose.
#[derive(Clone, Copy)]
struct ValueSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = AttributeValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<AttributeValue, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl ValueSeed {
    /// Reads the value of the type member `name`; None for a null and for a name that is no type.
    fn read<'de, A: MapAccess<'de>>(
        self,
        name: TypeName,
        map: &mut A,
    ) -> Result<Option<AttributeValue>, A::Error> {
        use AttributeValue as V;
        Ok(match name {
            TypeName::S => map.next_value::<Option<String>>()?.map(V::S),
            TypeName::N => map.next_value::<Option<String>>()?.map(V::N),
            TypeName::B => map.next_value::<Option<Base64>>()?.map(|bytes| V::B(bytes.0)),
            TypeName::Ss => map.next_value::<Option<Vec<String>>>()?.map(V::SS),
            TypeName::Ns => map.next_value::<Option<Vec<String>>>()?.map(V::NS),
            TypeName::Bs => map
                .next_value::<Option<Vec<Base64>>>()?
                .map(|members| V::BS(members.into_iter().map(|bytes| bytes.0).collect())),
            TypeName::M | TypeName::L if self.depth >= MAX_PARSED_DEPTH => {
                // The reader skips it without a stack of calls.
                map.next_value::<IgnoredAny>()?;
                Some(V::L(Vec::new()))
            }
            TypeName::M => map.next_value_seed(Nullable(MembersSeed { depth: self.depth + 1 }))?.map(V::M),
            TypeName::L => map.next_value_seed(Nullable(ElementsSeed { depth: self.depth + 1 }))?.map(V::L),
            TypeName::Null => map.next_value::<Option<bool>>()?.map(V::Null),
            TypeName::Bool => map.next_value::<Option<bool>>()?.map(V::Bool),
            TypeName::Unknown => {
                map.next_value::<IgnoredAny>()?;
                None
            }
        })
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("element AttributeValue")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AttributeValue, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<TypeName>()? {
            let Some(value) = self.read(name, &mut map)? else { continue };
            if found.replace(value).is_some() {
                return Err(A::Error::custom(MORE_THAN_ONE_TYPE));
            }
        }
        found.ok_or_else(|| A::Error::custom(NO_TYPE))
    }
}

/// The member that names a value's type.
#[derive(Deserialize, Clone, Copy)]
enum TypeName {
    S,
    N,
    B,
    #[serde(rename = "SS")]
    Ss,
    #[serde(rename = "NS")]
    Ns,
    #[serde(rename = "BS")]
    Bs,
    M,
    L,
    #[serde(rename = "NULL")]
    Null,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(other)]
    Unknown,
}

/// Reads names and values of a map.
#[derive(Clone, Copy)]
struct MembersSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for MembersSeed {
    type Value = Vec<(String, AttributeValue)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for MembersSeed {
    type Value = Vec<(String, AttributeValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "map of {}", wording::java_type("AttributeValue"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            entries.push((name, map.next_value_seed(ValueSeed { depth: self.depth })?));
        }
        Ok(keep_last(entries))
    }
}

/// Reads the elements of a list.
#[derive(Clone, Copy)]
struct ElementsSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for ElementsSeed {
    type Value = Vec<AttributeValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ElementsSeed {
    type Value = Vec<AttributeValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of attribute values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(value) = seq.next_element_seed(ValueSeed { depth: self.depth })? {
            elements.push(value);
        }
        Ok(elements)
    }
}

/// A seed whose place may also hold null.
struct Nullable<T>(T);

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Nullable<T> {
    type Value = Option<T::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: DeserializeSeed<'de>> Visitor<'de> for Nullable<T> {
    type Value = Option<T::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// Bytes that travel as base64 text.
struct Base64(Vec<u8>);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Base64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64 text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Base64, E> {
                STANDARD.decode(text).map(Base64).map_err(|_| E::custom(wording::base64(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests;
