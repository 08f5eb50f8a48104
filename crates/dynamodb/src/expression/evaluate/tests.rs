use crate::errors::Wording;
use crate::expression::{Condition, ExpressionKind, Placeholders};
use crate::item::codec::encode_item;
use crate::item::view::Item;
use holdfast_shapes::{AttributeMap, Pairs};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

fn attributes(json: &Json) -> AttributeMap {
    serde_json::from_value(json.clone()).unwrap()
}

/// Evaluates a condition in which `:name` stands for the value of that name.
fn holds(text: &str, values: &Json, item: Option<&Json>) -> bool {
    let values = (!values.as_object().unwrap().is_empty()).then(|| attributes(values));
    let names = text.contains("#size").then(|| Pairs(vec![("#size".to_owned(), "size".to_owned())]));
    let mut placeholders = Placeholders::new(names, values, Wording::Bare).unwrap();
    let condition = Condition::parse(ExpressionKind::Condition, text, &mut placeholders).unwrap();
    placeholders.check_used().unwrap();
    let item = item.map(|item| encode_item(&attributes(item)).unwrap().bytes);
    condition.holds(item.as_deref().map(|bytes| Item::new(bytes).unwrap())).unwrap()
}

fn item() -> Json {
    json!({
        "s": {"S": "härbor"}, "n": {"N": "10"}, "b": {"B": "AQID"}, "yes": {"BOOL": true}, "nil": {"NULL": true},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["1", "2.50"]}, "bs": {"BS": ["AQ==", "Ag=="]}, "blank": {"S": ""},
        "l": {"L": [{"S": "a"}, {"L": [{"N": "3"}]}, {"M": {"k": {"S": "v"}}}]},
        "m": {"M": {"x": {"N": "1"}, "l": {"L": [{"S": "z"}]}}},
    })
}

/// Checks conditions on [`item`], each with the values that it names out of `values`.
fn check(values: &Json, cases: &[(&str, bool)]) {
    for (text, expected) in cases {
        let named =
            |key: &str| text.split(|c: char| c != ':' && !c.is_alphanumeric()).any(|word| word == key);
        let all = values.as_object().unwrap().iter();
        let used: serde_json::Map<_, _> =
            all.filter(|(key, _)| named(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        assert_eq!(holds(text, &Json::Object(used), Some(&item())), *expected, "{text}");
    }
}

#[test]
fn comparisons() {
    let values = json!({":s": {"S": "härbor"}, ":t": {"S": "z"}, ":ten": {"N": "1E1"}, ":nine": {"N": "9"},
        ":b": {"B": "AQID"}, ":c": {"B": "/w=="}, ":yes": {"BOOL": true}, ":no": {"BOOL": false}, ":nil": {"NULL": true},
        ":ss": {"SS": ["b", "a"]}, ":l": {"L": [{"S": "z"}]}});
    check(
        &values,
        &[
            ("s = :s", true),
            ("s <> :s", false),
            ("s < :t", true),
            ("s >= :t", false),
            ("n = :ten", true),
            ("n > :nine", true),
            ("n <= :nine", false),
            ("b = :b", true),
            ("b < :c", true),
            ("yes = :yes", true),
            ("yes = :no", false),
            ("nil = :nil", true),
            ("ss = :ss", true),
            ("m.l = :l", true),
            ("m.l[0] = :t", true),
            // Two types are neither equal nor in order.
            ("n = :s", false),
            ("n <> :s", true),
            ("n < :s", false),
            ("n > :s", false),
            // What is not there is equal to nothing.
            ("gone = :s", false),
            ("gone <> :s", true),
            ("gone < :s", false),
            ("m.gone = :s", false),
            ("s.x = :s", false),
            ("l[9] = :s", false),
            ("n[0] = :s", false),
            ("s = m.gone", false),
        ],
    );
}

#[test]
fn ranges_and_lists() {
    let values = json!({":a": {"N": "9"}, ":b": {"N": "10"}, ":c": {"N": "11"}, ":s": {"S": "härbor"}, ":t": {"S": "x"}});
    check(
        &values,
        &[
            ("n BETWEEN :a AND :b", true),
            ("n BETWEEN :b AND :c", true),
            ("n BETWEEN :a AND :a", false),
            ("s BETWEEN :a AND :b", false),
            ("gone BETWEEN :a AND :b", false),
            ("n BETWEEN :a AND gone", false),
            ("n IN (:a, :b)", true),
            ("n IN (:a, :s)", false),
            ("s IN (:a, :s)", true),
            ("gone IN (:a, :s)", false),
            ("s IN (gone, :s)", true),
        ],
    );
}

#[test]
fn functions() {
    let values = json!({":p": {"S": "hä"}, ":e": {"S": ""}, ":n": {"N": "1"}, ":two": {"N": "2"}, ":three": {"N": "3"},
        ":six": {"N": "6"}, ":B": {"B": "AQI="}, ":m": {"B": "Ag=="}, ":a": {"S": "a"}, ":S": {"S": "S"}, ":SS": {"S": "SS"},
        ":NULL": {"S": "NULL"}, ":N": {"S": "N"}, ":half": {"N": "2.5"}, ":v": {"M": {"k": {"S": "v"}}}});
    check(
        &values,
        &[
            ("attribute_exists(m.l[0])", true),
            ("attribute_exists(m.l[1])", false),
            ("attribute_not_exists(gone)", true),
            ("attribute_not_exists(s)", false),
            ("attribute_type(s, :S)", true),
            ("attribute_type(ss, :SS)", true),
            ("attribute_type(nil, :NULL)", true),
            ("attribute_type(gone, :S)", false),
            ("begins_with(s, :p)", true),
            ("begins_with(s, :e)", true),
            ("begins_with(b, :B)", true),
            ("begins_with(b, :p)", false),
            ("begins_with(n, :p)", false),
            ("begins_with(gone, :p)", false),
            ("contains(s, :p)", true),
            ("contains(blank, :e)", true),
            ("contains(b, :m)", true),
            ("contains(ss, :a)", true),
            ("contains(ss, :p)", false),
            ("contains(ns, :half)", true),
            ("contains(ns, :three)", false),
            ("contains(bs, :m)", true),
            ("contains(l, :a)", true),
            ("contains(l, :v)", true),
            ("contains(l, :n)", false),
            ("contains(m, :a)", false),
            ("contains(n, :n)", false),
            ("contains(gone, :a)", false),
            ("size(s) = :six", true),
            ("size(b) = :three", true),
            ("size(ss) = :two", true),
            ("size(l) >= :three", true),
            ("size(m) < :three", true),
            ("size(m) = size(ss)", true),
            ("size(n) = :n", false),
            ("size(n) <> :n", true),
            ("size(gone) < :n", false),
            ("size(s) = s", false),
        ],
    );
}

#[test]
fn logic() {
    let values = json!({":ten": {"N": "10"}, ":one": {"N": "1"}});
    check(
        &values,
        &[
            ("n = :ten AND m.x = :one", true),
            ("n = :one OR m.x = :one", true),
            ("n = :one OR n = :ten AND m.x = :ten", false),
            ("(n = :one OR n = :ten) AND m.x = :one", true),
            ("NOT n = :one AND NOT (m.x = :ten OR n = :one)", true),
            ("NOT NOT n = :ten", true),
            // Not in order is not the same as in the other order.
            ("NOT gone < :one", true),
        ],
    );
}

#[test]
fn nothing_is_at_any_path_without_an_item() {
    let one = json!({":n": {"N": "1"}});
    assert!(holds("attribute_not_exists(n)", &json!({}), None));
    assert!(!holds("attribute_exists(n)", &json!({}), None));
    assert!(!holds("n = :n", &one, None));
    assert!(holds("n <> :n", &one, None));
    assert!(holds("NOT n < :n", &one, None));
}

proptest! {
    /// Against the order of numbers, and De Morgan's laws.
    #[test]
    fn numbers_compare_by_value(stored in -50i32..50, low in -50i32..50, high in -50i32..50) {
        let number = |value: i32| json!({"N": format!("{value}.0")});
        let item = json!({"n": number(stored)});
        let values = json!({":l": number(low), ":h": number(high)});
        let of = |text: &str| holds(text, &values, Some(&item));
        prop_assert_eq!(of("n > :l AND n < :h"), stored > low && stored < high);
        prop_assert_eq!(of("n >= :l OR n <> :h"), stored >= low || stored != high);
        prop_assert_eq!(of("NOT (n <= :l OR n = :h)"), of("NOT n <= :l AND NOT n = :h"));
        if low <= high {
            prop_assert_eq!(of("n BETWEEN :l AND :h"), stored >= low && stored <= high);
        }
    }
}
