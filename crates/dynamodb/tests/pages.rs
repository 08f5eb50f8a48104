//! Pages put together are everything once and in order: Scan and Query against a plain model, of a table and its indexes, by
//! random limits, segments, conditions and directions, with keys of every type; and what BatchGetItem has no room for.

use holdfast_aws::Error;
use holdfast_dynamodb::Prepared;
use holdfast_dynamodb::number::Number;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

struct Server(Store);

impl Server {
    fn new() -> Self {
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

    fn ask(&self, operation: &str, request: &Value) -> Value {
        self.try_ask(operation, request).unwrap_or_else(|error| panic!("{operation} {request}: {error}"))
    }
}

/// A value of a key attribute; values of one type are in their order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    S(String),
    N(i32),
    B(Vec<u8>),
}

impl Key {
    fn json(&self) -> Value {
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
enum Target {
    Table,
    Global,
    GlobalByHash,
    Local,
}

const TARGETS: [Target; 4] = [Target::Table, Target::Global, Target::GlobalByHash, Target::Local];

impl Target {
    fn index(self) -> Option<&'static str> {
        match self {
            Self::Table => None,
            Self::Global => Some("global"),
            Self::GlobalByHash => Some("by-hash"),
            Self::Local => Some("local"),
        }
    }

    /// Names of its key attributes.
    fn keys(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Table => ("pk", Some("sk")),
            Self::Global => ("g", Some("h")),
            Self::GlobalByHash => ("h", None),
            Self::Local => ("pk", Some("g")),
        }
    }

    fn shows(self, name: &str) -> bool {
        match self {
            Self::Table | Self::Global => true,
            Self::GlobalByHash => ["pk", "sk", "h"].contains(&name),
            Self::Local => ["pk", "sk", "g", "x"].contains(&name),
        }
    }
}

type Item = BTreeMap<&'static str, Key>;

/// The order of rows: by partition and sort key of what is read, then by those of the table.
type Row = ((u64, Key), Option<Key>, (u64, Key), Key);

#[derive(Debug)]
struct Model(BTreeMap<(Key, Key), Item>);

impl Model {
    fn rows(&self, target: Target) -> BTreeMap<Row, Value> {
        let (partition, sort) = target.keys();
        let row = |item: &Item| {
            let sort = match sort {
                Some(sort) => Some(item.get(sort)?.clone()),
                None => None,
            };
            let shown = item.iter().filter(|(name, _)| target.shows(name));
            let shown: Map<String, Value> =
                shown.map(|(name, key)| ((*name).to_owned(), key.json())).collect();
            let row = (item.get(partition)?.partition(), sort, item["pk"].partition(), item["sk"].clone());
            Some((row, Value::Object(shown)))
        };
        self.0.values().filter_map(row).collect()
    }
}

/// A table with three indexes and items.
#[derive(Debug, Clone)]
struct Data {
    /// Values of `pk`, `sk`, `g`, `h`.
    keys: [Vec<Key>; 4],
    /// For each item, which of the values it has; of `g` and `h` perhaps none; whether it is deleted again.
    items: Vec<([usize; 2], [Option<usize>; 2], bool)>,
}

fn data() -> impl Strategy<Value = Data> {
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
    fn create(&self, server: &Server) {
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

    fn fill(&self, server: &Server) -> Model {
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

/// Reads page by page until there is no more, with limits in turn; checks each page's counts.
fn pages(server: &Server, operation: &str, request: &Value, limits: &[Option<u64>]) -> Vec<Value> {
    let mut request = request.clone();
    let mut items = Vec::new();
    for limit in limits.iter().cycle() {
        request["Limit"] = json!(limit);
        let page = server.ask(operation, &request);
        let found = page["Items"].as_array().expect("a list");
        assert_eq!((&page["Count"], &page["ScannedCount"]), (&json!(found.len()), &json!(found.len())));
        assert!(limit.is_none_or(|limit| found.len() as u64 <= limit));
        assert!(page["LastEvaluatedKey"].is_null() || Some(found.len() as u64) == *limit, "{page}");
        let mut counted = request.clone();
        counted["Select"] = json!("COUNT");
        let mut expected = page.clone();
        expected.as_object_mut().expect("an object").remove("Items");
        assert_eq!(server.ask(operation, &counted), expected);
        items.extend(found.iter().cloned());
        match page.get("LastEvaluatedKey") {
            Some(last) => request["ExclusiveStartKey"] = last.clone(),
            None => break,
        }
    }
    items
}

fn limits() -> impl Strategy<Value = Vec<Option<u64>>> {
    prop::collection::vec(prop::option::weighted(0.9, 1u64..6), 1..4)
}

fn request(target: Target) -> Value {
    match target.index() {
        Some(index) => json!({ "TableName": "Table", "IndexName": index }),
        None => json!({ "TableName": "Table" }),
    }
}

/// A condition on a sort key: its text, and which values it takes of those that `:a` and `:b` stand for.
type Test = (&'static str, fn(&Key, &Key, &Key) -> bool);

const TESTS: [Test; 8] = [
    ("", |_, _, _| true),
    (" AND #s = :a", |key, a, _| key == a),
    (" AND #s < :a", |key, a, _| key < a),
    (" AND :a >= #s", |key, a, _| key <= a),
    (" AND #s > :a", |key, a, _| key > a),
    (" AND #s >= :a", |key, a, _| key >= a),
    (" AND #s BETWEEN :a AND :b", |key, a, b| (a..=b).contains(&key)),
    (" AND begins_with(#s, :a)", |key, a, _| match (key, a) {
        (Key::S(text), Key::S(prefix)) => text.starts_with(prefix.as_str()),
        (Key::B(bytes), Key::B(prefix)) => bytes.starts_with(prefix),
        _ => false,
    }),
];

/// Which partition, which of [`TESTS`], values for it, and whether in descending order.
type Asked = (usize, usize, [usize; 2], bool);

fn asked() -> impl Strategy<Value = Vec<Asked>> {
    let asked = (0usize..4, 0..TESTS.len(), prop::array::uniform2(0usize..4), any::<bool>());
    prop::collection::vec(asked, 1..6)
}

impl Data {
    fn values(&self, name: &str) -> &[Key] {
        &self.keys[["pk", "sk", "g", "h"].iter().position(|of| *of == name).expect("a key attribute")]
    }

    /// A query, and what it finds of the rows of the model.
    fn query(&self, model: &Model, target: Target, asked: Asked) -> (Value, Vec<Value>) {
        let (at, test, sort_at, reverse) = asked;
        let (partition_name, sort_name) = target.keys();
        let value = |name: &str, at: usize| &self.values(name)[at % self.values(name).len()];
        let partition = value(partition_name, at);
        let mut request = request(target);
        let mut names = json!({ "#p": partition_name });
        let mut values = json!({ ":p": partition.json() });
        let (mut text, mut takes) = TESTS[0];
        let mut bounds = [partition; 2];
        if let Some(sort_name) = sort_name {
            bounds = sort_at.map(|at| value(sort_name, at));
            bounds.sort();
            let by_prefix = test == TESTS.len() - 1 && matches!(bounds[0], Key::N(_));
            (text, takes) = TESTS[if by_prefix { 0 } else { test }];
            for (placeholder, bound) in [":a", ":b"].into_iter().zip(bounds) {
                if text.contains(placeholder) {
                    values[placeholder] = bound.json();
                    names["#s"] = json!(sort_name);
                }
            }
        }
        request["KeyConditionExpression"] = json!(format!("#p = :p{text}"));
        request["ExpressionAttributeNames"] = names;
        request["ExpressionAttributeValues"] = values;
        request["ScanIndexForward"] = json!(!reverse);
        let rows = model.rows(target).into_iter().filter(|(((_, of), sort, ..), _)| {
            of == partition && sort.as_ref().is_none_or(|sort| takes(sort, bounds[0], bounds[1]))
        });
        let mut found: Vec<Value> = rows.map(|(_, item)| item).collect();
        if reverse {
            found.reverse();
        }
        (request, found)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn scans_are_everything_once_and_in_order(data in data(), limits in limits(), segments in 1u64..5) {
        let server = Server::new();
        data.create(&server);
        let model = data.fill(&server);
        for target in TARGETS {
            let expected: Vec<Value> = model.rows(target).into_values().collect();
            let request = request(target);
            prop_assert_eq!(&pages(&server, "Scan", &request, &limits), &expected, "{:?}", target);
            let mut together = Vec::new();
            for segment in 0..segments {
                let mut request = request.clone();
                request["Segment"] = json!(segment);
                request["TotalSegments"] = json!(segments);
                together.extend(pages(&server, "Scan", &request, &limits));
            }
            prop_assert_eq!(&together, &expected, "{:?} in {} segments", target, segments);
        }
    }

    #[test]
    fn queries_are_their_range_once_and_in_order(data in data(), limits in limits(), asked in asked()) {
        let server = Server::new();
        data.create(&server);
        let model = data.fill(&server);
        for (target, asked) in TARGETS.iter().flat_map(|target| asked.iter().map(move |asked| (*target, *asked))) {
            let (request, expected) = data.query(&model, target, asked);
            prop_assert_eq!(pages(&server, "Query", &request, &limits), expected, "{}", request);
        }
    }
}

#[test]
fn a_batch_gets_what_there_is_room_for() {
    let server = Server::new();
    server.ask(
        "CreateTable",
        &json!({
            "TableName": "Big", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "N" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        }),
    );
    // 400,000 bytes each: the name and number of the key, the name and text of the other attribute.
    let text = "x".repeat(400_000 - 2 - 2 - 1);
    for id in 1..=42 {
        let item = json!({ "id": { "N": id.to_string() }, "v": { "S": text } });
        server.ask("PutItem", &json!({ "TableName": "Big", "Item": item }));
    }
    let keys = |ids: std::ops::RangeInclusive<u32>| -> Vec<Value> {
        ids.map(|id| json!({ "id": { "N": id.to_string() } })).collect()
    };
    let ask = |keys: Vec<Value>| {
        server.ask(
            "BatchGetItem",
            &json!({ "RequestItems": { "Big": { "Keys": keys, "ConsistentRead": true } } }),
        )
    };
    let answer = ask(keys(1..=40));
    assert_eq!(answer["Responses"]["Big"].as_array().unwrap().len(), 40);
    assert_eq!(answer["UnprocessedKeys"], json!({}));
    let answer = ask(keys(1..=42));
    assert_eq!(answer["Responses"]["Big"].as_array().unwrap().len(), 40);
    assert_eq!(
        answer["UnprocessedKeys"],
        json!({ "Big": { "Keys": keys(41..=42), "ConsistentRead": true } })
    );
    // Whole items count, though next to nothing of them is shown.
    let shown = json!({ "ProjectionExpression": "#i", "ExpressionAttributeNames": { "#i": "id" } });
    let mut request = shown.clone();
    request["Keys"] = json!(keys(1..=42));
    let answer = server.ask("BatchGetItem", &json!({ "RequestItems": { "Big": request } }));
    assert_eq!(answer["Responses"]["Big"], json!(keys(1..=40)));
    let mut rest = shown;
    rest["Keys"] = json!(keys(41..=42));
    assert_eq!(answer["UnprocessedKeys"], json!({ "Big": rest }));
}
