//! Indexes against a plain model: after any writes, refused ones among them, each index shows exactly the items that have
//! its keys, and what it projects of them, and its counts are exact.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_testkit::contrary::Temper;
use holdfast_testkit::twice::Twins;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Items by partition and sort key, with all their attributes.
type Model = BTreeMap<(u8, u8), Map<String, Value>>;

#[derive(Debug, Clone)]
enum Write {
    Put(Item),
    Delete(u8, u8),
    Batch(Vec<Write>),
}

/// An item of the table; what is absent is left out.
#[derive(Debug, Clone)]
struct Item {
    pk: u8,
    sk: u8,
    /// Key of the index `global` and sort key of `keys`; 9 stands for a value of the wrong type, 8 for an empty one.
    a: Option<u8>,
    /// Partition key of the index `keys`.
    b: Option<u8>,
    /// Sort key of the index `local`.
    c: Option<u8>,
    x: Option<u8>,
}

impl Item {
    fn attributes(&self) -> Map<String, Value> {
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

    fn is_refused(&self) -> bool {
        matches!(self.a, Some(8 | 9))
    }
}

fn items() -> impl Strategy<Value = Item> {
    let few = || prop::option::of(1u8..4);
    let a = prop_oneof![8 => few(), 1 => Just(Some(8)), 1 => Just(Some(9))];
    (1u8..4, 1u8..4, a, few(), few(), few()).prop_map(|(pk, sk, a, b, c, x)| Item { pk, sk, a, b, c, x })
}

fn writes() -> impl Strategy<Value = Write> {
    let one = || {
        prop_oneof![
            3 => items().prop_map(Write::Put),
            1 => (1u8..4, 1u8..4).prop_map(|(pk, sk)| Write::Delete(pk, sk)),
        ]
    };
    prop_oneof![4 => one(), 1 => prop::collection::vec(one(), 1..6).prop_map(distinct)]
}

/// A batch names each key once.
fn distinct(writes: Vec<Write>) -> Write {
    let mut by_key = BTreeMap::new();
    for write in writes {
        let key = match &write {
            Write::Put(item) => (item.pk, item.sk),
            Write::Delete(pk, sk) => (*pk, *sk),
            Write::Batch(_) => continue,
        };
        by_key.insert(key, write);
    }
    Write::Batch(by_key.into_values().collect())
}

fn key(pk: u8, sk: u8) -> Value {
    json!({ "pk": { "S": format!("p{pk}") }, "sk": { "N": sk.to_string() } })
}

/// Changes the model; answers whether the write is accepted.
fn change(model: &mut Model, write: &Write) -> bool {
    match write {
        Write::Put(item) if item.is_refused() => return false,
        Write::Put(item) => drop(model.insert((item.pk, item.sk), item.attributes())),
        Write::Delete(pk, sk) => drop(model.remove(&(*pk, *sk))),
        Write::Batch(writes) => {
            let mut after = model.clone();
            if !writes.iter().all(|write| change(&mut after, write)) {
                return false;
            }
            *model = after;
        }
    }
    true
}

fn request(write: &Write) -> (&'static str, Value) {
    match write {
        Write::Put(item) => ("PutItem", json!({ "TableName": "table", "Item": item.attributes() })),
        Write::Delete(pk, sk) => ("DeleteItem", json!({ "TableName": "table", "Key": key(*pk, *sk) })),
        Write::Batch(writes) => {
            let requests: Vec<Value> = writes
                .iter()
                .map(|write| match write {
                    Write::Put(item) => json!({ "PutRequest": { "Item": item.attributes() } }),
                    Write::Delete(pk, sk) => json!({ "DeleteRequest": { "Key": key(*pk, *sk) } }),
                    Write::Batch(_) => json!(null),
                })
                .collect();
            ("BatchWriteItem", json!({ "RequestItems": { "table": requests } }))
        }
    }
}

/// Name, keys, and the attributes projected, all if none are named.
type Index = (&'static str, &'static [&'static str], Option<&'static [&'static str]>);

const INDEXES: [Index; 3] = [
    ("global", &["a"], None),
    ("keys", &["b", "a"], Some(&["a", "b", "pk", "sk"])),
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
        ],
        "LocalSecondaryIndexes": [
            { "IndexName": "local", "KeySchema": [key("pk", "HASH"), key("c", "RANGE")],
              "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"] } },
        ],
    })
}

/// One server, on an engine that refuses, forgets and answers late.
struct Server {
    twins: Twins,
    requests: u64,
}

impl Server {
    fn request(&mut self, operation: &str, body: &Value) -> Result<Value, String> {
        self.requests += 1;
        let context = holdfast_testkit::context::context(1_764_000_000_000 + self.requests);
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

fn check(server: &mut Server, model: &Model) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn indexes_are_what_the_items_say(
        seed in any::<u64>(),
        writes in prop::collection::vec(writes(), 1..40),
        restart in prop::bool::weighted(0.2),
    ) {
        let mut server = Server { twins: Twins::new(seed, Temper::CONTRARY), requests: 0 };
        server.request("CreateTable", &create()).unwrap();
        let mut model = Model::new();
        for write in &writes {
            let (operation, body) = request(write);
            let answer = server.request(operation, &body);
            let before = model.clone();
            if change(&mut model, write) {
                prop_assert!(answer.is_ok(), "{answer:?} to {body}");
            } else {
                prop_assert!(answer.is_err(), "{answer:?} to {body}");
                prop_assert_eq!(&before, &model);
            }
        }
        check(&mut server, &model);
        if restart {
            server.twins.restart();
            check(&mut server, &model);
        }
    }
}
