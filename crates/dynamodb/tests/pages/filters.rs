//! Filters and projections over pages are filters and projections over everything.

use super::{Asked, asked, limits, pages, request};
use crate::model::{Found, Server, TARGETS, Target, data};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A filter: its text, the attributes that it looks at, and which items it takes for a value of `:f`.
type Filter = (&'static str, &'static [&'static str], fn(&Value, i64) -> bool);

const FILTERS: [Filter; 7] = [
    ("x > :f", &["x"], |item, f| number(item, "x").is_some_and(|x| x > f)),
    ("NOT x > :f", &["x"], |item, f| number(item, "x").is_none_or(|x| x <= f)),
    ("x BETWEEN :f AND :f", &["x"], |item, f| number(item, "x") == Some(f)),
    ("y <> :f", &["y"], |item, f| number(item, "y") != Some(f)),
    ("attribute_exists(y) OR x = :f", &["x", "y"], |item, f| {
        number(item, "y").is_some() || number(item, "x") == Some(f)
    }),
    ("attribute_not_exists(x) AND y <= :f", &["x", "y"], |item, f| {
        number(item, "x").is_none() && number(item, "y").is_some_and(|y| y <= f)
    }),
    ("attribute_type(:f, :t) AND NOT contains(x, :f)", &["x"], |_, _| true),
];

fn number(item: &Value, name: &str) -> Option<i64> {
    item[name]["N"].as_str().map(|text| text.parse().expect("a small number"))
}

/// Perhaps which of [`FILTERS`] and its value, and which of the attributes are to be shown.
type Look = (Option<(usize, i64)>, [bool; 6]);

fn look() -> impl Strategy<Value = Look> {
    (prop::option::weighted(0.8, (0..FILTERS.len(), 0i64..25)), any::<[bool; 6]>())
}

/// Adds what is looked for to a request; answers what comes back of the rows.
fn apply(request: &mut Value, target: Target, rows: &[Found], (filter, shown): Look) -> Vec<Value> {
    let is_query = request.get("KeyConditionExpression").is_some();
    // A query refuses what an index does not project.
    let filter = filter
        .map(|(at, f)| (FILTERS[at], f))
        .filter(|((_, looks_at, _), _)| !is_query || looks_at.iter().all(|name| target.shows(name)));
    if let Some(((text, ..), f)) = filter {
        request["FilterExpression"] = json!(text);
        request["ExpressionAttributeValues"][":f"] = json!({ "N": f.to_string() });
        if text.contains(":t") {
            request["ExpressionAttributeValues"][":t"] = json!({ "S": "N" });
        }
    }
    // A local index fetches what it does not project, a global one refuses it.
    let names = ["h", "x", "pk", "y", "g", "sk"].into_iter().zip(shown);
    let names = names.filter(|(name, shown)| *shown && (target == Target::Local || target.shows(name)));
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    if !names.is_empty() {
        request["ProjectionExpression"] = json!(names.join(","));
    }
    let taken = rows.iter().filter(|found| filter.is_none_or(|((.., takes), f)| takes(&found.shown, f)));
    let project = |found: &Found| match (&found.whole, names.is_empty()) {
        (Value::Object(whole), false) => {
            let shown = whole.iter().filter(|(name, _)| names.contains(&name.as_str()));
            shown.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
        }
        _ => found.shown.clone(),
    };
    taken.map(project).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn of_scans(data in data(), limits in limits(), looks in prop::collection::vec(look(), 1..6)) {
        let server = Server::new();
        data.create(&server);
        let model = data.fill(&server);
        for (target, look) in TARGETS.iter().flat_map(|target| looks.iter().map(move |look| (*target, *look))) {
            let rows: Vec<Found> = model.rows(target).into_values().collect();
            let mut request = request(target);
            let expected = apply(&mut request, target, &rows, look);
            prop_assert_eq!(
                pages(&server, "Scan", &request, &limits), (expected, rows.len() as u64), "{}", request
            );
        }
    }

    #[test]
    fn of_queries(
        data in data(), limits in limits(), asked in asked(), looks in prop::collection::vec(look(), 1..4),
    ) {
        let server = Server::new();
        data.create(&server);
        let model = data.fill(&server);
        for (target, look) in TARGETS.iter().flat_map(|target| looks.iter().map(move |look| (*target, *look))) {
            for asked in &asked {
                let asked: Asked = *asked;
                let (mut request, rows) = data.query(&model, target, asked);
                let expected = apply(&mut request, target, &rows, look);
                prop_assert_eq!(
                    pages(&server, "Query", &request, &limits), (expected, rows.len() as u64), "{}", request
                );
            }
        }
    }
}
