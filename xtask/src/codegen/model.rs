//! The parts of a botocore `service-2.json` that the generator reads. Order is the model's.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// A service's model.
#[derive(Deserialize)]
pub struct Model {
    pub operations: BTreeMap<String, Operation>,
    pub shapes: BTreeMap<String, Shape>,
}

#[derive(Deserialize)]
pub struct Operation {
    pub input: Option<ShapeRef>,
    pub output: Option<ShapeRef>,
}

#[derive(Deserialize)]
pub struct ShapeRef {
    pub shape: String,
}

/// A shape of any type; members that its type does not have are empty.
#[derive(Deserialize)]
pub struct Shape {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    pub members: Ordered<ShapeRef>,
    pub member: Option<ShapeRef>,
    pub key: Option<ShapeRef>,
    pub value: Option<ShapeRef>,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub pattern: Option<String>,
    #[serde(rename = "enum", default)]
    pub values: Vec<String>,
    #[serde(default)]
    pub exception: bool,
}

/// What is known of the server and not in its model, kept by hand in `xtask/models/overrides.json`.
#[derive(Deserialize)]
pub struct Overrides {
    /// Text shapes whose values are checked as table names or ARNs, whatever the model says.
    pub table_names: Vec<String>,
    /// By structure: the members whose constraints are reported first, in this order.
    pub first_checked: BTreeMap<String, Vec<String>>,
    /// By `Structure.Member`: the most elements the server takes where the model gives no bound.
    pub most_elements: BTreeMap<String, i64>,
    /// Lists whose length is wrong that error texts show whole.
    pub shown_lists: Vec<String>,
    /// By enumeration: the order in which error texts list its values.
    pub enum_orders: BTreeMap<String, Vec<String>>,
}

/// A JSON object in the order in which it is written.
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}
