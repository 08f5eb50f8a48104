//! Queries of an index with two partition and three sort key attributes of different types against a plain model: every prefix
//! of the sort key by equality, with a range behind it, in both directions and page by page.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_dynamodb::Prepared;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use proptest::prelude::*;
use serde_json::{Value, json};

fn ask(store: &Store, operation: &str, request: &Value) -> Value {
    let context = holdfast_testkit::context::context(1_764_000_000_123);
    let body = match holdfast_dynamodb::prepare(&context, operation, request.to_string().as_bytes()).unwrap()
    {
        Prepared::Read(read) => read.run(&store.snapshot()).unwrap(),
        Prepared::Write(write) => {
            let (submission, outcome) = store.execute(Submission::new(write));
            outcome.unwrap();
            submission.answer().unwrap()
        }
    };
    serde_json::from_slice(&body).unwrap()
}

const NAMES: [&str; 5] = ["h", "n", "a", "b", "c"];
const KINDS: [&str; 5] = ["S", "N", "S", "N", "S"];
/// Of each type, in their order; with zero bytes and prefixes of each other.
const TEXTS: [&str; 4] = ["a", "a\0", "ab", "b"];
const NUMBERS: [&str; 4] = ["-37", "0", "9", "10"];

fn value(attribute: usize, of: usize) -> Value {
    match KINDS[attribute] {
        "S" => json!({ "S": TEXTS[of] }),
        _ => json!({ "N": NUMBERS[of] }),
    }
}

/// A test of the attribute behind the equalities, and whether a value passes it.
type Test = (&'static str, fn(usize, usize) -> bool);

const TESTS: [Test; 5] = [
    ("{} = :z", |value, bound| value == bound),
    ("{} < :z", |value, bound| value < bound),
    ("{} >= :z", |value, bound| value >= bound),
    ("{} > :z", |value, bound| value > bound),
    ("{} <= :z", |value, bound| value <= bound),
];

type Item = [Option<usize>; 5];

fn create(store: &Store) {
    let definition = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let mut definitions: Vec<Value> =
        NAMES.iter().zip(KINDS).map(|(name, kind)| definition(name, kind)).collect();
    definitions.push(definition("pk", "N"));
    let key =
        |at: usize| json!({ "AttributeName": NAMES[at], "KeyType": if at < 2 { "HASH" } else { "RANGE" } });
    ask(
        store,
        "CreateTable",
        &json!({
            "TableName": "Table", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": definitions,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "GlobalSecondaryIndexes": [{
                "IndexName": "multi", "KeySchema": (0..5).map(key).collect::<Vec<_>>(),
                "Projection": { "ProjectionType": "KEYS_ONLY" },
            }],
        }),
    );
}

/// The keys of the table that a query finds, all pages together.
fn found(store: &Store, mut request: Value) -> Vec<String> {
    let mut found = Vec::new();
    loop {
        let page = ask(store, "Query", &request);
        found.extend(
            page["Items"].as_array().unwrap().iter().map(|item| item["pk"]["N"].as_str().unwrap().to_owned()),
        );
        match page.get("LastEvaluatedKey") {
            Some(last) => {
                assert_eq!(last.as_object().unwrap().len(), 6);
                request["ExclusiveStartKey"] = last.clone();
            }
            None => return found,
        }
    }
}

proptest! {
    #[test]
    fn queries_find_what_the_items_say(
        items in prop::collection::vec(prop::array::uniform5(prop::option::weighted(0.95, 0usize..4)), 0..40),
        (partition, equal, bounds) in ((0usize..4, 0usize..4), 0usize..4, prop::array::uniform3(0usize..4)),
        test in 0..TESTS.len(),
        (reverse, limit) in (any::<bool>(), 1usize..6),
    ) {
        let store = Store::open(Options::in_memory()).unwrap();
        create(&store);
        // Two partitions, so that there are many rows in each.
        let halve = |at: usize, of: usize| if at < 2 { of % 2 } else { of };
        for (pk, item) in items.iter().enumerate() {
            let mut attributes = json!({ "pk": { "N": pk.to_string() } });
            for (at, of) in item.iter().enumerate() {
                if let Some(of) = of {
                    attributes[NAMES[at]] = value(at, halve(at, *of));
                }
            }
            ask(&store, "PutItem", &json!({ "TableName": "Table", "Item": attributes }));
        }
        let wanted = [partition.0 % 2, partition.1 % 2];
        let mut text = "n = :n AND h = :h".to_owned();
        let mut values = json!({ ":h": value(0, wanted[0]), ":n": value(1, wanted[1]) });
        for at in 0..equal {
            // The last one may be a range.
            let (of, name) = (2 + at, NAMES[2 + at]);
            let operator = if at + 1 == equal { TESTS[test].0.replace("{}", name) } else { format!("{name} = :z") };
            text = format!("{} AND {text}", operator.replace(":z", &format!(":{name}")));
            values[format!(":{name}")] = value(of, bounds[at]);
        }
        let takes = |item: &Item| {
            let Some(parts) = item.iter().copied().collect::<Option<Vec<_>>>() else { return false };
            (0..2).all(|at| parts[at] % 2 == wanted[at])
                && (0..equal).all(|at| {
                    let takes = if at + 1 == equal { TESTS[test].1 } else { TESTS[0].1 };
                    takes(parts[2 + at], bounds[at])
                })
        };
        let mut expected: Vec<_> = items.iter().enumerate().filter(|(_, item)| takes(item)).collect();
        expected.sort_by_key(|(_, item)| item[2..].to_vec());
        if reverse {
            expected.reverse();
        }
        let request = json!({
            "TableName": "Table", "IndexName": "multi", "KeyConditionExpression": text,
            "ExpressionAttributeValues": values, "ScanIndexForward": !reverse, "Limit": limit,
        });
        let found: Vec<usize> = found(&store, request).iter().map(|pk| pk.parse().unwrap()).collect();
        // Rows of equal keys are in an order of their own.
        let sort = |pk: &usize| items[*pk][2..].to_vec();
        let order: Vec<_> = found.iter().map(sort).collect();
        prop_assert_eq!(order, expected.iter().map(|(_, item)| item[2..].to_vec()).collect::<Vec<_>>());
        let set = |pks: Vec<usize>| pks.into_iter().collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(set(found), set(expected.iter().map(|(pk, _)| *pk).collect()));
    }
}
