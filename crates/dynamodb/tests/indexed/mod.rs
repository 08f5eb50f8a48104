//! A table with indexes, and a plain model of it: each index shows exactly the items that have its keys, and what it projects
//! of them, and its counts are exact.

use holdfast_testkit::contrary::Temper;
use holdfast_testkit::twice::Twins;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Items by partition and sort key, with all their attributes.
pub type Model = BTreeMap<(u8, u8), Map<String, Value>>;

/// An item of the table; what is absent is left out.
#[derive(Debug, Clone)]
pub struct Item {
    pub pk: u8,
    pub sk: u8,
    /// Key of the index `global` and sort key of `keys`; 9 stands for a value of the wrong type, 8 for an empty one.
    pub a: Option<u8>,
    /// Partition key of the index `keys`.
    pub b: Option<u8>,
    /// Sort key of the index `local`.
    pub c: Option<u8>,
    pub x: Option<u8>,
}

impl Item {
    pub fn attributes(&self) -> Map<String, Value> {
        let mut item = Map::new();
        item.insert("pk".into(), json!({ "S": format!("p{}", self.pk) }));
        item.insert("sk".into(), json!({ "N": self.sk.to_string() }));
        let mut add = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                item.insert(name.into(), value);
            }
        };
        add(
            "a",
            self.a.map(|a| match a {
                9 => json!({ "BOOL": true }),
                8 => json!({ "S": "" }),
                _ => json!({ "S": format!("a{a}") }),
            }),
        );
        add("b", self.b.map(|b| json!({ "N": b.to_string() })));
        add("c", self.c.map(|c| json!({ "S": format!("c{c}") })));
        add("x", self.x.map(|x| json!({ "S": "x".repeat(usize::from(x)) })));
        item
    }
}

pub fn items() -> impl Strategy<Value = Item> {
    let few = || prop::option::of(1u8..4);
    let a = prop_oneof![8 => few(), 1 => Just(Some(8)), 1 => Just(Some(9))];
    (1u8..4, 1u8..4, a, few(), few(), few()).prop_map(|(pk, sk, a, b, c, x)| Item { pk, sk, a, b, c, x })
}

pub fn key(pk: u8, sk: u8) -> Value {
    json!({ "pk": { "S": format!("p{pk}") }, "sk": { "N": sk.to_string() } })
}

/// Name, keys, and the attributes projected, all if none are named.
type Index = (&'static str, &'static [&'static str], Option<&'static [&'static str]>);

const INDEXES: [Index; 4] = [
    ("global", &["a"], None),
    ("keys", &["b", "a"], Some(&["a", "b", "pk", "sk"])),
    ("multi", &["b", "c", "sk", "a"], Some(&["a", "b", "c", "pk", "sk"])),
    ("local", &["pk", "c"], Some(&["c", "pk", "sk", "x"])),
];

fn create() -> Value {
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let definitions = [("pk", "S"), ("sk", "N"), ("a", "S"), ("b", "N"), ("c", "S")]
        .map(|(name, kind)| json!({ "AttributeName": name, "AttributeType": kind }));
    json!({
        "TableName": "table",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "AttributeDefinitions": definitions,
        "GlobalSecondaryIndexes": [
            { "IndexName": "global", "KeySchema": [key("a", "HASH")], "Projection": { "ProjectionType": "ALL" } },
            { "IndexName": "keys", "KeySchema": [key("b", "HASH"), key("a", "RANGE")],
              "Projection": { "ProjectionType": "KEYS_ONLY" } },
            { "IndexName": "multi",
              "KeySchema": [key("b", "HASH"), key("c", "HASH"), key("sk", "RANGE"), key("a", "RANGE")],
              "Projection": { "ProjectionType": "KEYS_ONLY" } },
        ],
        "LocalSecondaryIndexes": [
            { "IndexName": "local", "KeySchema": [key("pk", "HASH"), key("c", "RANGE")],
              "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"] } },
        ],
    })
}

/// One server, on an engine that refuses, forgets and answers late.
pub struct Server {
    pub twins: Twins,
    /// Service time of the last request, in milliseconds since 1970; each is one later.
    pub now_ms: u64,
}

impl Server {
    /// With the table.
    pub fn new(seed: u64) -> Self {
        let mut server = Self { twins: Twins::new(seed, Temper::CONTRARY), now_ms: 1_764_000_000_000 };
        server.request("CreateTable", &create()).unwrap();
        server
    }

    pub fn request(&mut self, operation: &str, body: &Value) -> Result<Value, String> {
        self.now_ms += 1;
        let context = holdfast_testkit::context::context(self.now_ms);
        let body = body.to_string();
        let answer = self.twins.request(|| holdfast_dynamodb::prepare(&context, operation, body.as_bytes()));
        answer
            .map(|body| serde_json::from_slice(&body).unwrap())
            .map_err(|error| format!("{}: {}", error.code, error.message))
    }

    fn scan(&mut self, index: &str) -> Vec<Map<String, Value>> {
        let answer = self.request("Scan", &json!({ "TableName": "table", "IndexName": index })).unwrap();
        let items = answer["Items"].as_array().unwrap();
        items.iter().map(|item| item.as_object().unwrap().clone()).collect()
    }
}

/// The items that an index shows, as the model has them, in the order of their keys in the model.
fn expected(model: &Model, keys: &[&str], projected: Option<&[&str]>) -> Vec<Map<String, Value>> {
    let has_keys = |item: &&Map<String, Value>| keys.iter().all(|key| item.contains_key(*key));
    let shown = |item: &Map<String, Value>| {
        let keep = |name: &String| projected.is_none_or(|names| names.contains(&name.as_str()));
        item.iter()
            .filter(|(name, _)| keep(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    model.values().filter(has_keys).map(shown).collect()
}

/// Size of an item of this test: names, texts, and 2 bytes for each number below 100.
fn size(item: &Map<String, Value>) -> usize {
    let value = |value: &Value| value["S"].as_str().map_or(2, str::len);
    item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
}

/// What an index holds of an item: its key there, and what is projected.
type Held = (Vec<Value>, Map<String, Value>);

fn held(item: Option<&Map<String, Value>>, keys: &[&str], projected: Option<&[&str]>) -> Option<Held> {
    let item = item?;
    let key = keys.iter().map(|key| item.get(*key).cloned()).collect::<Option<Vec<_>>>()?;
    let keep = |name: &String| projected.is_none_or(|names| names.contains(&name.as_str()));
    Some((key, item.clone().into_iter().filter(|(name, _)| keep(name)).collect()))
}

/// What `ConsumedCapacity` says of some units; `kind` names them a second time, as in transactions.
pub fn part(units: usize, kind: Option<&str>) -> Value {
    let mut part = json!({ "CapacityUnits": units as f64 });
    if let Some(kind) = kind {
        part[kind] = part["CapacityUnits"].clone();
    }
    part
}

/// `ConsumedCapacity` of a write of some keys: a unit for each item, since all of this test take less than 1 KB, and those of
/// the indexes that hold something else after it. In a transaction each counts twice.
pub fn consumed(before: &Model, after: &Model, keys: &[(u8, u8)], in_transaction: bool) -> Value {
    let mut by_index = BTreeMap::new();
    for key in keys {
        for (index, index_keys, projected) in INDEXES {
            let old = held(before.get(key), index_keys, projected);
            let new = held(after.get(key), index_keys, projected);
            *by_index.entry(index).or_insert(0) += match (old, new) {
                (old, new) if old == new => 0,
                (Some((old, _)), Some((new, _))) if old != new => 2,
                _ => 1,
            };
        }
    }
    by_index.retain(|_, units| *units > 0);
    let part = |units: usize| match in_transaction {
        true => part(2 * units, Some("WriteCapacityUnits")),
        false => part(units, None),
    };
    let mut consumed = part(keys.len() + by_index.values().sum::<usize>());
    for (index, units) in by_index {
        let kind = if index == "local" { "LocalSecondaryIndexes" } else { "GlobalSecondaryIndexes" };
        consumed[kind][index] = part(units);
    }
    consumed["Table"] = part(keys.len());
    consumed["TableName"] = "table".into();
    consumed
}

pub fn check(server: &mut Server, model: &Model) {
    let by_key = |item: &Map<String, Value>| (item["pk"].to_string(), item["sk"].to_string());
    let table = server.request("DescribeTable", &json!({ "TableName": "table" })).unwrap()["Table"].clone();
    assert_eq!(table["ItemCount"], model.len());
    assert_eq!(table["TableSizeBytes"], model.values().map(size).sum::<usize>());
    for (index, keys, projected) in INDEXES {
        let expected = expected(model, keys, projected);
        let mut found = server.scan(index);
        found.sort_by_key(by_key);
        assert_eq!(found, expected, "{index}");
        let kinds = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"];
        let described = kinds.iter().flat_map(|kind| table[kind].as_array().unwrap());
        let described = described.filter(|description| description["IndexName"] == index).collect::<Vec<_>>();
        assert_eq!(described.len(), 1, "{index}");
        assert_eq!(described[0]["ItemCount"], expected.len(), "{index}");
        let bytes: usize = expected.iter().map(size).sum();
        assert_eq!(described[0]["IndexSizeBytes"], bytes, "{index}");
    }
}
