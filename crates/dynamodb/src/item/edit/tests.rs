//! Updates of one known item, and of any item against a plain model.

use super::*;
use crate::errors::{Wording, updates};
use crate::expression::{Placeholders, Value as Sent};
use crate::item::{NESTING_MAX, size};
use std::collections::BTreeMap;
use std::sync::Arc;

mod model;

const ITEM: &str = r#"{"pk":{"S":"k"},"s":{"S":"x"},"n":{"N":"5"},"l":{"L":[{"S":"0"},{"S":"1"},{"S":"2"},{"S":"3"}]},
    "m":{"M":{"x":{"S":"mx"},"l":{"L":[{"N":"1"},{"N":"2"}]},"m":{"M":{"y":{"N":"1"}}}}},"ss":{"SS":["a","b","c"]},
    "ns":{"NS":["1","2"]},"z":{"NULL":true},"bo":{"BOOL":true},"bi":{"B":"AQ=="},"bs":{"BS":["AQ==","AgM="]},
    "lset":{"L":[{"SS":["q"]},{"S":"r"}]},"lm":{"L":[{"M":{"k":{"S":"1"}}},{"M":{"k":{"S":"2"}}}]}}"#;
const VALUES: &str = r#"{":p":{"S":"a"},":v":{"S":"b"},":n":{"N":"1"},":m":{"N":"2.5"},":ss":{"SS":["a"]},":s2":{"SS":["a","b"]},
    ":s3":{"SS":["a","b","c","d"]},":sx":{"SS":["q"]},":ns":{"NS":["1"]},":ns2":{"NS":["3","2","1","-7"]},":bs":{"BS":["AQ=="]},
    ":bs2":{"BS":["","AgM=","BA=="]},":l":{"L":[]},":l1":{"L":[{"S":"x"}]},":map1":{"M":{"k":{"S":"v"}}},":e":{"S":""},
    ":big":{"N":"99999999999999999999999999999999999999"},":huge":{"N":"9.9E125"},":tiny":{"N":"1E-130"},":one":{"N":"1"},
    ":p11":{"N":"1.1E-130"},":neg":{"N":"-5"}}"#;

fn map(json: &str) -> AttributeMap {
    serde_json::from_str(json).unwrap()
}

fn parsed(text: &str, values: AttributeMap) -> Update {
    let mut placeholders = Placeholders::new(None, Some(values), Wording::Bare).unwrap();
    Update::parse(text, &mut placeholders).unwrap_or_else(|error| panic!("{text}: {}", error.message))
}

fn stored(encoded: &Encoded) -> Stored<'_> {
    Stored { bytes: &encoded.bytes, size: encoded.size }
}

fn apply(update: &Update, before: &AttributeMap) -> Result<Encoded, UpdateError> {
    let before = encode_item(before).unwrap();
    update.apply(Some(stored(&before)), &[]).map(Option::unwrap)
}

/// The stored item must be the one that the encoder would write.
#[test]
fn answers() {
    let before = map(ITEM);
    let mut cases = 0;
    for line in include_str!("tests/cases.txt").lines().filter(|line| !line.starts_with("//")) {
        let (text, expected) = line.split_once('\t').unwrap();
        let answer =
            apply(&parsed(text, map(VALUES)), &before).map_err(|error| updates::update(&error).message);
        let Ok(changes) = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(expected) else {
            assert_eq!(answer.unwrap_err(), expected, "{text}");
            continue;
        };
        let mut after: BTreeMap<_, _> = before.0.clone().into_iter().collect();
        for (name, value) in changes {
            match value {
                serde_json::Value::Null => after.remove(&name),
                value => after.insert(name, serde_json::from_value(value).unwrap()),
            };
        }
        assert_eq!(answer, Ok(encode_item(&AttributeMap(after.into_iter().collect())).unwrap()), "{text}");
        cases += 1;
    }
    assert!(cases > 90);
}

#[test]
fn without_an_item() {
    let key = map(r#"{"pk":{"S":"k"},"sk":{"N":"1"}}"#);
    let answer = |text: &str| {
        let answer = parsed(text, map(VALUES)).apply(None, &key.0);
        answer.map_err(|error| updates::update(&error).message)
    };
    let made = |attributes: &str| Ok(Some(encode_item(&map(attributes)).unwrap()));
    assert_eq!(
        answer("SET a = :p ADD n :n REMOVE b DELETE c :ss"),
        made(r#"{"pk":{"S":"k"},"sk":{"N":"1"},"a":{"S":"a"},"n":{"N":"1"}}"#)
    );
    assert_eq!(
        answer("SET a = pk, b = sk + sk"),
        made(r#"{"pk":{"S":"k"},"sk":{"N":"1"},"a":{"S":"k"},"b":{"N":"2"}}"#)
    );
    // An update that only removes makes no item, and does not look at paths.
    for text in ["REMOVE a", "REMOVE a.b, c[0]", "DELETE a :ss", "REMOVE a DELETE b :ss"] {
        assert_eq!(answer(text), Ok(None), "{text}");
    }
    let invalid = "The document path provided in the update expression is invalid for update";
    for text in ["SET a.b = :p", "ADD a[0] :n", "SET a = :p REMOVE b.c"] {
        assert_eq!(answer(text).unwrap_err(), invalid, "{text}");
    }
}

fn nested(levels: usize) -> AttributeValue {
    (1..levels).fold(AttributeValue::S("leaf".into()), |value, _| AttributeValue::L(vec![value]))
}

#[test]
fn nesting_ends_at_32_levels() {
    let values = |levels: usize| AttributeMap(vec![(":v".into(), nested(levels))]);
    let before = map(ITEM);
    let deep = |text: &str, levels: usize| apply(&parsed(text, values(levels)), &before).map(|_| ());
    let too_deep = UpdateError::Refused(UpdateFault::Value(ValueError::TooDeep));
    let refused = Err(too_deep.clone());
    for (text, depth) in [
        ("SET a = :v", 0),
        ("SET m.a = :v", 1),
        ("SET l[9] = :v", 1),
        ("SET m.l[0] = :v", 2),
        ("SET lm[0].k = :v", 2),
    ] {
        assert_eq!(deep(text, NESTING_MAX - depth), Ok(()), "{text}");
        if depth > 0 {
            assert_eq!(deep(text, NESTING_MAX - depth + 1), refused, "{text}");
        }
    }
    let deep = AttributeMap(vec![("x".into(), nested(NESTING_MAX)), ("y".into(), nested(NESTING_MAX - 1))]);
    let copied = |text| apply(&parsed(text, map(VALUES)), &deep).map(|_| ());
    assert_eq!(copied("SET x[0] = y"), Ok(()));
    assert_eq!(copied("SET y[0] = x"), refused);
    assert_eq!(updates::update(&too_deep).message, {
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
    });
}

/// Counts and lengths that take another number of bytes than before.
#[test]
fn lengths_grow_and_shrink() {
    let elements = |count: usize| AttributeValue::L(vec![AttributeValue::Null(true); count]);
    let members = |count: usize| {
        AttributeValue::M((0..count).map(|at| (format!("n{at:05}"), AttributeValue::Null(true))).collect())
    };
    for count in [125, 126, 127, 128, 129, 16_380, 16_383, 16_384] {
        let mut before = AttributeMap(vec![("l".into(), elements(count)), ("m".into(), members(count))]);
        let more = parsed("SET l[20000] = :p, m.a = :p", map(VALUES));
        let less = parsed("REMOVE l[20000], m.a", map(VALUES));
        let larger = apply(&more, &before).unwrap();
        if let [(_, AttributeValue::L(list)), (_, AttributeValue::M(map))] = &mut before.0[..] {
            list.push(AttributeValue::S("a".into()));
            map.push(("a".into(), AttributeValue::S("a".into())));
        }
        assert_eq!(larger, encode_item(&before).unwrap());
        assert_eq!(apply(&less, &before).unwrap().size, larger.size - 3);
        let last = parsed(&format!("REMOVE l[{count}], m.a"), map(VALUES));
        let smaller = last.apply(Some(stored(&larger)), &[]).unwrap().unwrap();
        let expected = AttributeMap(vec![("l".into(), elements(count)), ("m".into(), members(count))]);
        assert_eq!(smaller, encode_item(&expected).unwrap());
    }
}

/// A short text can name a large value often: no item is made of it, and other faults still come first.
#[test]
fn values_that_are_too_large_together() {
    let before =
        AttributeMap(vec![("l".into(), AttributeValue::L(vec![AttributeValue::Null(true); 100_000]))]);
    let copies = |value: &str| (0..80).map(|at| format!("a{at} = {value}")).collect::<Vec<_>>().join(", ");
    let fault = |text: &str| apply(&parsed(text, map(VALUES)), &before).unwrap_err();
    for value in ["l", "list_append(l, l)", "if_not_exists(q, l)"] {
        let text = format!("SET {}", copies(value));
        assert_eq!(fault(&text), UpdateFault::TooLarge.into(), "{value}");
        for (text, other) in [
            (format!("{text}, z = q"), UpdateFault::MissingAttribute),
            (format!("SET z = q, {}", copies(value)), UpdateFault::MissingAttribute),
            (format!("ADD l.q :n {text}"), UpdateFault::InvalidPath),
            (format!("{text}, z = :huge + :huge"), UpdateFault::Number(NumberError::Overflow)),
        ] {
            assert_eq!(fault(&text), other.into(), "{text}");
        }
    }
    // 200,003 bytes each: what there was before does not count.
    let replaced = apply(&parsed("SET q = l REMOVE l", map(VALUES)), &before).unwrap();
    assert_eq!(replaced.size, encode_item(&before).unwrap().size);
}

/// Damage that is not read stays as it is; what is read of it is told.
#[test]
fn damage() {
    let encoded = encode_item(&map(r#"{"a":{"S":"1"},"b":{"SS":["x","y"]},"c":{"S":"2"}}"#)).unwrap();
    let mut bytes = encoded.bytes.clone();
    let at = bytes.windows(4).position(|window| window == [1, b'x', 1, b'y']).unwrap();
    bytes[at + 3] = b'a';
    let before = Stored { bytes: &bytes, size: encoded.size };
    let apply = |text: &str| parsed(text, map(VALUES)).apply(Some(before), &[]);
    let after = apply("SET c = :p").unwrap().unwrap();
    assert!(after.bytes.windows(4).any(|window| window == [1, b'x', 1, b'a']));
    for text in ["ADD b :ss", "DELETE b :ss"] {
        assert!(matches!(apply(text), Err(UpdateError::Damaged(_))), "{text}");
    }
    let wrong_size = Stored { bytes: &encoded.bytes, size: 1 };
    assert!(matches!(
        parsed("REMOVE b", map(VALUES)).apply(Some(wrong_size), &[]),
        Err(UpdateError::Damaged(_))
    ));
}
