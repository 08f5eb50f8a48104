//! Structures are read from JSON objects only.
//!
//! The visitors that serde derives also take sequences, by the order of the members. DynamoDB does not, so the derived
//! code of every structure of an input reads through [`Structure`], which lets nothing but objects pass.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A deserializer whose structures are objects. It costs nothing where an object is sent.
pub(crate) struct Structure<D> {
    /// What is read from.
    pub(crate) from: D,
    /// What an error says was expected; [`crate::request::read`] makes DynamoDB's text of it.
    pub(crate) expected: &'static str,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Structure<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.from.deserialize_map(Members { visitor, expected: self.expected })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Passes an object on, and refuses all else.
struct Members<V> {
    visitor: V,
    expected: &'static str,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Members<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(map)
    }
}

/// Gives a structure that derives its members' code with `#[serde(remote = "Self")]` the traits themselves.
macro_rules! read_from_objects {
    ($name:ident, $expected:literal) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                // The derived function, not this one: an inherent one comes first.
                $name::deserialize(crate::structure::Structure { from, expected: $expected })
            }
        }
    };
    ($name:ident, $expected:literal, written) => {
        crate::structure::read_from_objects!($name, $expected);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, to)
            }
        }
    };
}
pub(crate) use read_from_objects;
