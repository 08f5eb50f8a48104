//! Pages put together are everything once and in order: Scan and Query against a plain model, of a table and its indexes, by
//! random limits, segments, conditions, filters, projections and directions, with keys of every type; and what answers
//! have no room for.

mod filters;
mod model;
mod sizes;

use model::{Data, Found, Key, Model, Server, TARGETS, Target, data};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Reads page by page until there is no more, with limits in turn; checks each page's counts. Answers the items, and how many rows
/// were looked at.
fn pages(server: &Server, operation: &str, request: &Value, limits: &[Option<u64>]) -> (Vec<Value>, u64) {
    let mut request = request.clone();
    request["ReturnConsumedCapacity"] = json!("INDEXES");
    let (mut items, mut total) = (Vec::new(), 0);
    for limit in limits.iter().cycle() {
        request["Limit"] = json!(limit);
        let page = server.ask(operation, &request);
        let found = page["Items"].as_array().expect("a list");
        assert_eq!(page["Count"], json!(found.len()));
        let scanned = page["ScannedCount"].as_u64().expect("a number");
        assert!(page["Count"].as_u64() <= Some(scanned));
        assert!(limit.is_none_or(|limit| scanned <= limit));
        assert!(page["LastEvaluatedKey"].is_null() || Some(scanned) == *limit, "{page}");
        let mut counted = request.clone();
        counted["Select"] = json!("COUNT");
        let mut expected = page.clone();
        expected.as_object_mut().expect("an object").remove("Items");
        if counted.as_object_mut().expect("an object").remove("ProjectionExpression").is_some() {
            // It may have had to fetch items, which counting them does not.
            expected["ConsumedCapacity"] = server.ask(operation, &counted)["ConsumedCapacity"].clone();
        }
        assert_eq!(server.ask(operation, &counted), expected);
        items.extend(found.iter().cloned());
        total += scanned;
        match page.get("LastEvaluatedKey") {
            Some(last) => request["ExclusiveStartKey"] = last.clone(),
            None => break,
        }
    }
    (items, total)
}

/// All rows as they are shown, and how many there are.
fn shown(rows: &[Found]) -> (Vec<Value>, u64) {
    (rows.iter().map(|found| found.shown.clone()).collect(), rows.len() as u64)
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
    fn query(&self, model: &Model, target: Target, asked: Asked) -> (Value, Vec<Found>) {
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
        let mut found: Vec<Found> = rows.map(|(_, found)| found).collect();
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
            let expected = shown(&model.rows(target).into_values().collect::<Vec<_>>());
            let request = request(target);
            prop_assert_eq!(pages(&server, "Scan", &request, &limits), expected.clone(), "{:?}", target);
            let mut together = (Vec::new(), 0);
            for segment in 0..segments {
                let mut request = request.clone();
                request["Segment"] = json!(segment);
                request["TotalSegments"] = json!(segments);
                let (items, scanned) = pages(&server, "Scan", &request, &limits);
                together.0.extend(items);
                together.1 += scanned;
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
            prop_assert_eq!(pages(&server, "Query", &request, &limits), shown(&expected), "{}", request);
        }
    }
}
