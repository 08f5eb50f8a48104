//! A server in memory, tables with three indexes and random items, and the plain model of what is in them.

use holdfast_aws::Error;
use holdfast_dynamodb::Prepared;
use holdfast_dynamodb::number::Number;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

pub struct Server(Store);

impl Server {
    pub fn new() -> Self {
        Self(Store::open(Options::in_memory()).expect("a store in memory opens"))
    }

    fn try_ask(&self, operation: &str, request: &Value) -> Result<Value, Error> {
        let context = holdfast_testkit::context::context(1_764_000_000_123);
        let body = match holdfast_dynamodb::prepare(&context, operation, request.to_string().as_bytes())? {
            Prepared::Read(read) => read.run(&self.0.snapshot())?,
            Prepared::Write(write) => {
                let (submission, outcome) = self.0.execute(Submission::new(write));
                outcome.expect("the store in memory takes every write");
                submission.answer()?
            }
        };
        Ok(serde_json::from_slice(&body).expect("an answer is JSON"))
    }

    pub fn ask(&self, operation: &str, request: &Value) -> Value {
        self.try_ask(operation, request).unwrap_or_else(|error| panic!("{operation} {request}: {error}"))
    }
}

/// A value of a key attribute; values of one type are in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    S(String),
    N(i32),
    B(Vec<u8>),
}

impl Key {
    pub fn json(&self) -> Value {
        use base64::Engine as _;
        match self {
            Self::S(text) => json!({ "S": text }),
            Self::N(number) => json!({ "N": number.to_string() }),
            Self::B(bytes) => json!({ "B": base64::engine::general_purpose::STANDARD.encode(bytes) }),
        }
    }

    fn hash(&self) -> u64 {
        match self {
            Self::S(text) => xxh3_64(text.as_bytes()),
            Self::N(number) => {
                xxh3_64(Number::parse(&number.to_string()).expect("a number").to_bytes().as_bytes())
            }
            Self::B(bytes) => xxh3_64(bytes),
        }
    }

    /// The order of partitions.
    fn partition(&self) -> (u64, Self) {
        (self.hash(), self.clone())
    }
}

/// Few values of one type, so that they meet.
fn keys() -> impl Strategy<Value = Vec<Key>> {
    let text = "[a-b\\x00]{1,3}".prop_map(Key::S);
    let number = (-3i32..4).prop_map(|number| Key::N(number * 37));
    let binary = prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFF)], 1..4).prop_map(Key::B);
    let four = 1..5;
    prop_oneof![
        prop::collection::vec(text, four.clone()),
        prop::collection::vec(number, four.clone()),
        prop::collection::vec(binary, four),
    ]
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Table,
    Global,
    GlobalByHash,
    Local,
}

pub const TARGETS: [Target; 4] = [Target::Table, Target::Global, Target::GlobalByHash, Target::Local];

impl Target {
    pub fn index(self) -> Option<&'static str> {
        match self {
            Self::Table => None,
            Self::Global => Some("global"),
            Self::GlobalByHash => Some("by-hash"),
            Self::Local => Some("local"),
        }
    }

    /// Names of its key attributes.
    pub fn keys(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Table => ("pk", Some("sk")),
            Self::Global => ("g", Some("h")),
            Self::GlobalByHash => ("h", None),
            Self::Local => ("pk", Some("g")),
        }
    }

    pub fn shows(self, name: &str) -> bool {
        match self {
            Self::Table | Self::Global => true,
            Self::GlobalByHash => ["pk", "sk", "h"].contains(&name),
            Self::Local => ["pk", "sk", "g", "x"].contains(&name),
        }
    }
}

pub type Item = BTreeMap<&'static str, Key>;

/// The order of rows: by partition and sort key of what is read, then by those of the table.
pub type Row = ((u64, Key), Option<Key>, (u64, Key), Key);

/// What there is of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// All of the item that is shown where nothing is said.
    pub shown: Value,
    /// The item.
    pub whole: Value,
}

#[derive(Debug)]
pub struct Model(BTreeMap<(Key, Key), Item>);

impl Model {
    pub fn rows(&self, target: Target) -> BTreeMap<Row, Found> {
        let (partition, sort) = target.keys();
        let row = |item: &Item| {
            let sort = match sort {
                Some(sort) => Some(item.get(sort)?.clone()),
                None => None,
            };
            let object = |shows: &dyn Fn(&str) -> bool| {
                let shown = item.iter().filter(|(name, _)| shows(name));
                Value::Object(shown.map(|(name, key)| ((*name).to_owned(), key.json())).collect())
            };
            let found = Found { shown: object(&|name| target.shows(name)), whole: object(&|_| true) };
            let row = (item.get(partition)?.partition(), sort, item["pk"].partition(), item["sk"].clone());
            Some((row, found))
        };
        self.0.values().filter_map(row).collect()
    }
}

/// A table with three indexes and items.
#[derive(Debug, Clone)]
pub struct Data {
    /// Values of `pk`, `sk`, `g`, `h`.
    pub keys: [Vec<Key>; 4],
    /// For each item, which of the values it has; of `g` and `h` perhaps none; whether it is deleted again.
    items: Vec<([usize; 2], [Option<usize>; 2], bool)>,
}

pub fn data() -> impl Strategy<Value = Data> {
    let item =
        (prop::array::uniform2(0usize..4), prop::array::uniform2(prop::option::weighted(0.8, 0usize..4)));
    let item =
        (item, prop::bool::weighted(0.1)).prop_map(|((of_table, of_index), gone)| (of_table, of_index, gone));
    (prop::array::uniform4(keys()), prop::collection::vec(item, 0..25))
        .prop_map(|(keys, items)| Data { keys, items })
}

fn kind(keys: &[Key]) -> &'static str {
    match keys[0] {
        Key::S(_) => "S",
        Key::N(_) => "N",
        Key::B(_) => "B",
    }
}

impl Data {
    pub fn create(&self, server: &Server) {
        let definitions: Vec<Value> = ["pk", "sk", "g", "h"]
            .iter()
            .zip(&self.keys)
            .map(|(name, keys)| json!({ "AttributeName": name, "AttributeType": kind(keys) }))
            .collect();
        let schema = |target: Target| {
            let (partition, sort) = target.keys();
            let mut schema = vec![json!({ "AttributeName": partition, "KeyType": "HASH" })];
            schema.extend(sort.map(|sort| json!({ "AttributeName": sort, "KeyType": "RANGE" })));
            schema
        };
        let index = |target: Target, projection: Value| json!({ "IndexName": target.index(), "KeySchema": schema(target), "Projection": projection });
        server.ask(
            "CreateTable",
            &json!({
                "TableName": "Table", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": definitions,
                "KeySchema": schema(Target::Table),
                "GlobalSecondaryIndexes": [
                    index(Target::Global, json!({ "ProjectionType": "ALL" })),
                    index(Target::GlobalByHash, json!({ "ProjectionType": "KEYS_ONLY" })),
                ],
                "LocalSecondaryIndexes": [
                    index(Target::Local, json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"] })),
                ],
            }),
        );
    }

    pub fn fill(&self, server: &Server) -> Model {
        let mut model = BTreeMap::new();
        let value = |of: usize, at: usize| self.keys[of][at % self.keys[of].len()].clone();
        for (at, ([pk, sk], [g, h], gone)) in self.items.iter().enumerate() {
            let mut item: Item = BTreeMap::from([("pk", value(0, *pk)), ("sk", value(1, *sk))]);
            item.extend(g.map(|g| ("g", value(2, g))));
            item.extend(h.map(|h| ("h", value(3, h))));
            item.insert(
                if at % 2 == 0 { "x" } else { "y" },
                Key::N(i32::try_from(at).expect("a small number")),
            );
            let json: Map<String, Value> =
                item.iter().map(|(name, key)| ((*name).to_owned(), key.json())).collect();
            let key = (item["pk"].clone(), item["sk"].clone());
            server.ask("PutItem", &json!({ "TableName": "Table", "Item": json }));
            if *gone {
                let key = json!({ "pk": key.0.json(), "sk": key.1.json() });
                server.ask("DeleteItem", &json!({ "TableName": "Table", "Key": key }));
            }
            if *gone {
                model.remove(&key);
            } else {
                model.insert(key, item);
            }
        }
        Model(model)
    }
}
