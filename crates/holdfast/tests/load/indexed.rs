//! Items in two global indexes and a local one: what a write puts into each, and whether each shows just that.
//!
//! A write's number says which index keys its item has: every index is sparse, and most writes of a key move its rows.

use super::Client;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An item as JSON.
pub type Item = Map<String, Value>;

/// An index of the table.
struct Index {
    name: &'static str,
    partition: &'static str,
    sort: Option<&'static str>,
    /// What it projects beside keys; everything if `None`.
    included: Option<&'static [&'static str]>,
}

const TABLE_KEY: [&str; 2] = ["id", "k"];
const GLOBAL: [Index; 2] = [
    Index { name: "by-g", partition: "g", sort: None, included: None },
    Index { name: "by-m", partition: "m", sort: Some("n"), included: Some(&["p"]) },
];
const LOCAL: Index = Index { name: "by-l", partition: "id", sort: Some("l"), included: Some(&[]) };

fn indexes() -> impl Iterator<Item = &'static Index> {
    GLOBAL.iter().chain([&LOCAL])
}

/// The key of `writer-number`: an item collection for each writer.
pub fn key(key: &str) -> Item {
    let (id, number) = key.split_once('-').expect("a key of a writer");
    Item::from_iter([("id".to_owned(), json!({"S": id})), ("k".to_owned(), json!({"S": number}))])
}

/// The item of a write, but for its padding.
pub fn item(name: &str, number: u64) -> Item {
    let mut item = key(name);
    let mut add = |name: &str, value: Value| item.insert(name.to_owned(), value);
    add("n", json!({"S": number.to_string()}));
    if !number.is_multiple_of(4) {
        add("g", json!({"S": format!("g{}", number % 5)}));
    }
    if number % 6 != 1 {
        add("m", json!({"N": (1 + number % 3).to_string()}));
    }
    if number % 5 != 2 {
        add("l", json!({"S": format!("l{}", number % 10)}));
    }
    item
}

/// The body that makes the table.
pub fn definition(table: &str) -> Value {
    let schema = |partition: &str, sort: Option<&str>| -> Value {
        let parts = [Some(partition), sort].into_iter().flatten().zip(["HASH", "RANGE"]);
        parts.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})).collect()
    };
    let index = |index: &Index| {
        let projection = match index.included {
            None => json!({"ProjectionType": "ALL"}),
            Some([]) => json!({"ProjectionType": "KEYS_ONLY"}),
            Some(names) => json!({"ProjectionType": "INCLUDE", "NonKeyAttributes": names}),
        };
        json!({"IndexName": index.name, "KeySchema": schema(index.partition, index.sort), "Projection": projection})
    };
    let attributes = [("id", "S"), ("k", "S"), ("g", "S"), ("m", "N"), ("n", "S"), ("l", "S")];
    json!({
        "TableName": table, "BillingMode": "PAY_PER_REQUEST", "KeySchema": schema("id", Some("k")),
        "AttributeDefinitions": attributes.map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind})),
        "GlobalSecondaryIndexes": GLOBAL.iter().map(index).collect::<Value>(),
        "LocalSecondaryIndexes": [index(&LOCAL)],
    })
}

/// Logical size of an item. Source: names and strings count their bytes; a number of one digit counts 2.
pub fn size(item: &Item) -> u64 {
    let value = |value: &Value| value["S"].as_str().map_or(2, str::len);
    item.iter().map(|(name, of)| (name.len() + value(of)) as u64).sum()
}

impl Index {
    /// What it shows of an item; `None` if the item is not in it.
    fn project(&self, item: &Item) -> Option<Item> {
        let keys = || [Some(self.partition), self.sort].into_iter().flatten();
        if !keys().all(|name| item.contains_key(name)) {
            return None;
        }
        let Some(included) = self.included else { return Some(item.clone()) };
        let shown: BTreeSet<&str> = keys().chain(TABLE_KEY).chain(included.iter().copied()).collect();
        Some(
            item.iter()
                .filter(|(name, _)| shown.contains(name.as_str()))
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect(),
        )
    }

    /// What tells a row from another: keys, and the size that is accounted for it.
    fn row(&self, item: &Item) -> Option<(Vec<Value>, u64)> {
        let shown = self.project(item)?;
        let names = [Some(self.partition), self.sort].into_iter().flatten().chain(TABLE_KEY);
        Some((names.map(|name| shown[name].clone()).collect(), size(&shown)))
    }
}

/// How many rows of indexes are superseded when `before` becomes `after`.
pub fn superseded(before: &Item, after: Option<&Item>) -> u64 {
    let changed = |index: &&Index| {
        let row = index.row(before);
        row.is_some() && row != after.and_then(|after| index.row(after))
    };
    indexes().filter(changed).count() as u64
}

/// The table and each index show just these items, whole and in order, and count them exactly.
pub fn check(client: &mut Client, table: &str, items: &[Item], what: &str) {
    let same = |mut found: Vec<Item>, mut wanted: Vec<Item>, what: &str| {
        let text = |item: &Item| Value::Object(item.clone()).to_string();
        found.sort_by_key(text);
        wanted.sort_by_key(text);
        assert_eq!(found, wanted, "{what}");
    };
    same(ask(client, "Scan", &json!({"TableName": table})), items.to_vec(), what);
    let described = call(client, "DescribeTable", &json!({"TableName": table}));
    for index in indexes() {
        let what = format!("{what}, {}", index.name);
        let wanted: Vec<Item> = items.iter().filter_map(|item| index.project(item)).collect();
        same(
            ask(client, "Scan", &json!({"TableName": table, "IndexName": index.name})),
            wanted.clone(),
            &what,
        );
        let counters = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
            .into_iter()
            .filter_map(|kind| described["Table"][kind].as_array())
            .flatten()
            .find(|described| described["IndexName"] == index.name)
            .map(|described| (described["ItemCount"].as_u64(), described["IndexSizeBytes"].as_u64()));
        let bytes = wanted.iter().map(size).sum();
        assert_eq!(
            counters,
            Some((Some(wanted.len() as u64), Some(bytes))),
            "{what}: the counters are exact"
        );
        let mut partitions: BTreeMap<String, Vec<Item>> = BTreeMap::new();
        for item in wanted {
            partitions.entry(item[index.partition].to_string()).or_default().push(item);
        }
        for (partition, wanted) in partitions {
            let partition: Value = serde_json::from_str(&partition).expect("JSON");
            let query = |forward: bool| {
                json!({
                    "TableName": table, "IndexName": index.name, "ScanIndexForward": forward,
                    "KeyConditionExpression": "#p = :p", "ExpressionAttributeNames": {"#p": index.partition},
                    "ExpressionAttributeValues": {":p": partition},
                })
            };
            let forward = ask(client, "Query", &query(true));
            let mut backward = ask(client, "Query", &query(false));
            backward.reverse();
            assert_eq!(forward, backward, "{what}: both directions");
            if let Some(sort) = index.sort {
                let sorts = |item: &Item| item[sort]["S"].as_str().map(str::to_owned);
                assert!(forward.is_sorted_by_key(sorts), "{what}: {forward:?}");
            }
            same(forward, wanted, &what);
        }
    }
}

fn call(client: &mut Client, operation: &str, body: &Value) -> Value {
    let (status, answer) = client.call(operation, &body.to_string()).expect("answers");
    assert_eq!(status, 200, "{operation} {body}: {answer}");
    serde_json::from_str(&answer).expect("JSON")
}

/// The items of an answer that fits into one page.
fn ask(client: &mut Client, operation: &str, body: &Value) -> Vec<Item> {
    let mut answer = call(client, operation, body);
    assert!(answer.get("LastEvaluatedKey").is_none(), "one page: {body}");
    let Value::Array(items) = answer["Items"].take() else { panic!("{answer}") };
    let items: Vec<Item> = items.into_iter().map(|item| item.as_object().expect("an item").clone()).collect();
    assert_eq!(answer["Count"].as_u64(), Some(items.len() as u64), "{body}");
    items
}
