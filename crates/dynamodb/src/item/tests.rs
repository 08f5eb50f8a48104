//! Tests of the whole item layer against a plain model.

use super::codec::{Encoded, encode_item, encode_value};
use super::view::{Item, RawValue, Value};
use super::{Damaged, NESTING_MAX, SetKind, ValueError, json, size};
use crate::number::{Number, NumberError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_shapes::{AttributeMap, AttributeValue};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn item(attributes: &[(&str, AttributeValue)]) -> AttributeMap {
    AttributeMap(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}

fn string(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

fn map(members: &[(&str, AttributeValue)]) -> AttributeValue {
    AttributeValue::M(item(members).0)
}

/// What reading must give back: sorted, with numbers as they are rendered.
fn normal(value: &AttributeValue) -> AttributeValue {
    let numeric = |text: &String| Number::parse(text).unwrap();
    match value {
        AttributeValue::N(text) => number(&numeric(text).to_string()),
        AttributeValue::NS(set) => {
            let sorted: BTreeSet<Number> = set.iter().map(numeric).collect();
            AttributeValue::NS(sorted.iter().map(Number::to_string).collect())
        }
        AttributeValue::SS(set) => {
            AttributeValue::SS(set.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())
        }
        AttributeValue::BS(set) => {
            AttributeValue::BS(set.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect())
        }
        AttributeValue::L(list) => AttributeValue::L(list.iter().map(normal).collect()),
        AttributeValue::M(map) => AttributeValue::M(normal_map(map).0),
        other => other.clone(),
    }
}

fn normal_map(map: &[(String, AttributeValue)]) -> AttributeMap {
    let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name.clone(), normal(value))).collect();
    AttributeMap(sorted.into_iter().collect())
}

pub(super) fn read_value(value: RawValue<'_>) -> Result<AttributeValue, Damaged> {
    let text = |text: Result<&str, Damaged>| text.map(str::to_owned);
    Ok(match value.read()? {
        Value::S(text) => string(text),
        Value::N(stored) => number(&stored.read()?.to_string()),
        Value::B(bytes) => AttributeValue::B(bytes.to_vec()),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Null => AttributeValue::Null(true),
        Value::M(map) => AttributeValue::M(read_members(map.members())?.0),
        Value::L(list) => {
            AttributeValue::L(list.elements().map(|value| read_value(value?)).collect::<Result<_, _>>()?)
        }
        Value::SS(set) => AttributeValue::SS(set.members().map(text).collect::<Result<_, _>>()?),
        Value::NS(set) => AttributeValue::NS(
            set.members().map(|stored| Ok(stored?.read()?.to_string())).collect::<Result<_, _>>()?,
        ),
        Value::BS(set) => AttributeValue::BS(
            set.members().map(|bytes| bytes.map(<[u8]>::to_vec)).collect::<Result<_, _>>()?,
        ),
    })
}

fn read_members(members: super::view::Members<'_>) -> Result<AttributeMap, Damaged> {
    let members = members.map(|member| {
        let (name, value) = member?;
        Ok((name.to_owned(), read_value(value)?))
    });
    members.collect::<Result<_, _>>().map(AttributeMap)
}

fn json_value(value: &AttributeValue) -> serde_json::Value {
    use serde_json::json;
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(text) => json!({ "N": text }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::Null(value) => json!({ "NULL": value }),
        AttributeValue::SS(set) => json!({ "SS": set }),
        AttributeValue::NS(set) => json!({ "NS": set }),
        AttributeValue::BS(set) => {
            json!({ "BS": set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>() })
        }
        AttributeValue::L(list) => json!({ "L": list.iter().map(json_value).collect::<Vec<_>>() }),
        AttributeValue::M(map) => json!({ "M": json_map(map) }),
    }
}

fn json_map(map: &[(String, AttributeValue)]) -> serde_json::Value {
    map.iter().map(|(name, value)| (name.clone(), json_value(value))).collect()
}

/// The size by the rules of the Developer Guide, written down a second time.
fn plain_size(value: &AttributeValue) -> u64 {
    let numeric = |text: &String| Number::parse(text).unwrap().size() as u64;
    match value {
        AttributeValue::S(text) => text.len() as u64,
        AttributeValue::N(text) => numeric(text),
        AttributeValue::B(bytes) => bytes.len() as u64,
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::SS(set) => set.iter().map(|text| text.len() as u64).sum(),
        AttributeValue::NS(set) => set.iter().map(numeric).sum(),
        AttributeValue::BS(set) => set.iter().map(|bytes| bytes.len() as u64).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + plain_size(value)).sum::<u64>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, value)| 1 + name.len() as u64 + plain_size(value)).sum::<u64>()
        }
    }
}

fn plain_item_size(map: &AttributeMap) -> u64 {
    map.0.iter().map(|(name, value)| name.len() as u64 + plain_size(value)).sum()
}

fn decimal() -> impl Strategy<Value = String> {
    prop_oneof!["[+-]?[0-9]{1,20}(\\.[0-9]{0,18})?", "-?[1-9]\\.[0-9]{0,30}E[+-]?[1-9][0-9]?"]
}

fn values() -> impl Strategy<Value = AttributeValue> {
    let text = prop_oneof![".{0,12}", "[a-c\"\\\\\u{0}-\u{1f}é😀]{0,8}", "[a-z]{120,140}"];
    let leaf = prop_oneof![
        text.clone().prop_map(AttributeValue::S),
        decimal().prop_map(AttributeValue::N),
        prop::collection::vec(any::<u8>(), 0..150).prop_map(AttributeValue::B),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null(true)),
        prop::collection::btree_set(text, 1..5)
            .prop_map(|set| AttributeValue::SS(set.into_iter().rev().collect())),
        prop::collection::btree_set(any::<i32>(), 1..5)
            .prop_map(|set| AttributeValue::NS(set.iter().rev().map(i32::to_string).collect())),
        prop::collection::btree_set(prop::collection::vec(any::<u8>(), 0..6), 1..5)
            .prop_map(|set| AttributeValue::BS(set.into_iter().rev().collect())),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(AttributeValue::L),
            prop::collection::hash_map("[a-z]{1,3}|.{1,4}", inner, 0..6)
                .prop_map(|map| AttributeValue::M(map.into_iter().collect())),
        ]
    })
}

fn items() -> impl Strategy<Value = AttributeMap> {
    prop::collection::hash_map("[a-z]{1,3}|.{1,4}", values(), 0..8)
        .prop_map(|map| AttributeMap(map.into_iter().collect()))
}

/// Reads all there is, in every way, and throws it away.
fn read_everything(bytes: &[u8]) {
    if let Ok(item) = Item::new(bytes) {
        let _ = read_members(item.attributes());
        let _ = json::render_item(item, &mut Vec::new());
        let _ = size::of_item(item);
        let _ = item.get("b");
    }
}

proptest! {
    #[test]
    fn items_are_read_back(item in items()) {
        let Encoded { bytes, size } = encode_item(&item).unwrap();
        let view = Item::new(&bytes).unwrap();
        prop_assert_eq!(view.len(), item.0.len());
        prop_assert_eq!(read_members(view.attributes()).unwrap(), normal_map(&item.0));
        prop_assert_eq!(size, plain_item_size(&item));
        prop_assert_eq!(size, size::of_item(view).unwrap());
        for (name, value) in &item.0 {
            let raw = view.get(name).unwrap().unwrap();
            prop_assert_eq!(read_value(raw).unwrap(), normal(value));
            prop_assert_eq!(raw.as_bytes(), &encode_value(value).unwrap().bytes[..]);
        }
        prop_assert_eq!(view.get("not an attribute").unwrap(), None);
    }

    /// Going on finds what looking from the start does.
    #[test]
    fn names_in_their_order(item in items(), more in prop::collection::btree_set("[a-e]{0,3}", 0..6), skip in 0usize..3) {
        let encoded = encode_item(&item).unwrap();
        let view = Item::new(&encoded.bytes).unwrap();
        let mut names = more;
        names.extend(item.0.iter().skip(skip).map(|(name, _)| name.clone()));
        let mut attributes = view.attributes();
        for name in &names {
            prop_assert_eq!(attributes.seek(name).unwrap(), view.get(name).unwrap(), "{}", name);
        }
    }

    #[test]
    fn json_is_what_serde_would_write(item in items()) {
        let encoded = encode_item(&item).unwrap();
        let mut rendered = Vec::new();
        json::render_item(Item::new(&encoded.bytes).unwrap(), &mut rendered).unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&rendered).unwrap();
        prop_assert_eq!(&parsed, &json_map(&normal_map(&item.0).0));
        prop_assert_eq!(String::from_utf8(rendered).unwrap(), parsed.to_string());
    }

    #[test]
    fn one_item_has_one_form(item in items(), seed in any::<u64>()) {
        let mut shuffled = normal_map(&item.0);
        // Any other order will do.
        shuffled.0.sort_by_key(|(name, _)| xxhash_rust::xxh3::xxh3_64_with_seed(name.as_bytes(), seed));
        prop_assert_eq!(encode_item(&shuffled), encode_item(&item));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
        let mut versioned = vec![super::VERSION];
        versioned.extend(bytes);
        read_everything(&versioned);
    }

    #[test]
    fn damaged_items_are_read_or_refused(
        item in items(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode_item(&item).unwrap().bytes;
        let at = at.index(bytes.len());
        bytes[at] ^= byte;
        read_everything(&bytes);
        let cut = cut.index(bytes.len());
        read_everything(&bytes[..cut]);
        bytes.insert(at, byte);
        read_everything(&bytes);
    }

    #[test]
    fn a_cut_item_is_refused(item in items(), cut in any::<prop::sample::Index>()) {
        let bytes = encode_item(&item).unwrap().bytes;
        let cut = &bytes[..cut.index(bytes.len())];
        let all = Item::new(cut).and_then(|item| read_members(item.attributes()));
        prop_assert!(all.is_err());
    }
}

#[test]
fn bytes_of_the_document() {
    let item = item(&[
        ("id", string("a1")),
        ("n", number("-1234.5")),
        ("on", AttributeValue::Bool(true)),
        ("tags", AttributeValue::SS(vec!["b".into(), "a".into()])),
        ("m", map(&[("l", AttributeValue::L(vec![AttributeValue::Null(true), number("0")]))])),
        ("b", AttributeValue::B(vec![0xFF])),
    ]);
    let mut expected = vec![0x01, 0x06];
    expected.extend([0x01, b'b', 0x04, 0x01, 0xFF]);
    expected.extend([0x02, b'i', b'd', 0x82, b'a', b'1']);
    expected.extend([0x01, b'm', 0x05, 0x09, 0x01, 0x01, b'l', 0x06, 0x04, 0x02, 0x00, 0x41, 0x80]);
    expected.extend([0x01, b'n', 0x45, 0x3D, 0x59, 0x43, 0x33, 0x66]);
    expected.extend([0x02, b'o', b'n', 0x02]);
    expected.extend([0x04, b't', b'a', b'g', b's', 0x07, 0x05, 0x02, 0x01, b'a', 0x01, b'b']);
    let encoded = encode_item(&item).unwrap();
    assert_eq!(encoded.bytes, expected);
}

#[test]
fn long_strings_and_documents() {
    let long = "x".repeat(100_000);
    let item = item(&[("l", AttributeValue::L(vec![string(&long), string("y")])), ("z", number("1"))]);
    let encoded = encode_item(&item).unwrap();
    assert_eq!(encoded.size, 1 + 3 + 1 + 100_000 + 1 + 1 + 1 + 2);
    let view = Item::new(&encoded.bytes).unwrap();
    assert_eq!(read_members(view.attributes()).unwrap(), item);
}

#[test]
fn of_equal_names_the_last_counts() {
    let twice = item(&[("a", string("1")), ("b", string("2")), ("a", string("3"))]);
    assert_eq!(encode_item(&twice), encode_item(&item(&[("a", string("3")), ("b", string("2"))])));
}

fn nested(levels: usize) -> AttributeValue {
    (1..levels).fold(string("leaf"), |value, _| map(&[("n", value)]))
}

#[test]
fn nesting_ends_at_32_levels() {
    assert!(encode_item(&item(&[("d", nested(NESTING_MAX))])).is_ok());
    assert_eq!(encode_item(&item(&[("d", nested(NESTING_MAX + 1))])), Err(ValueError::TooDeep));
    let deep_list =
        (0..NESTING_MAX).fold(AttributeValue::L(vec![]), |value, _| AttributeValue::L(vec![value]));
    assert_eq!(encode_value(&deep_list), Err(ValueError::TooDeep));
    // Depth comes before an empty name inside, an empty name of the item before depth.
    let both = item(&[("a", map(&[("", string("x"))])), ("d", nested(40))]);
    assert_eq!(encode_item(&both), Err(ValueError::TooDeep));
    let both = item(&[("d", nested(40)), ("", string("x"))]);
    assert_eq!(encode_item(&both), Err(ValueError::EmptyName));
    assert_eq!(encode_item(&item(&[("a", map(&[("", string("x"))]))])), Err(ValueError::EmptyName));
}

#[test]
fn endlessly_nested_bytes_do_not_exhaust_the_stack() {
    let mut value = vec![0x00];
    for _ in 0..20_000 {
        let mut list = vec![0x06];
        let mut length = value.len() + 1;
        while length >= 0x80 {
            list.push(u8::try_from(length & 0x7F).unwrap() | 0x80);
            length >>= 7;
        }
        list.push(u8::try_from(length).unwrap());
        list.push(0x01);
        list.append(&mut value);
        value = list;
    }
    let mut bytes = vec![super::VERSION, 0x01, 0x01, b'a'];
    bytes.append(&mut value);
    let view = Item::new(&bytes).unwrap();
    assert!(json::render_item(view, &mut Vec::new()).is_err());
    assert!(size::of_item(view).is_err());
}

#[test]
fn values_that_aws_refuses() {
    let refused = |value| encode_item(&item(&[("a", value)])).unwrap_err();
    assert_eq!(refused(AttributeValue::Null(false)), ValueError::NullFalse);
    let named = |bytes: usize| item(&[(&"n".repeat(bytes), string(""))]);
    assert!(encode_item(&named(65_535)).is_ok());
    assert_eq!(encode_item(&named(65_536)), Err(ValueError::NameTooLong(65_536)));
    assert_eq!(refused(AttributeValue::M(named(65_536).0)), ValueError::NameTooLong(65_536));
    assert_eq!(refused(AttributeValue::SS(vec![])), ValueError::EmptySet(SetKind::String));
    assert_eq!(refused(AttributeValue::NS(vec![])), ValueError::EmptySet(SetKind::Number));
    assert_eq!(
        refused(AttributeValue::L(vec![AttributeValue::BS(vec![])])),
        ValueError::EmptySet(SetKind::Binary)
    );
    assert_eq!(
        refused(number("abc")),
        ValueError::Number { text: "abc".into(), error: NumberError::NotNumeric }
    );
    assert_eq!(
        refused(AttributeValue::NS(vec!["1".into(), "1e126".into()])),
        ValueError::Number { text: "1e126".into(), error: NumberError::Overflow }
    );
}

/// Each set as AWS was asked with, and the members as it listed them.
#[test]
fn duplicates_are_listed_as_aws_lists_them() {
    let refused = |value| match encode_value(&value).unwrap_err() {
        ValueError::Duplicates { set, members, sent } => {
            assert_eq!(sent.len(), members.len());
            (set, members.join(","))
        }
        other => panic!("{other:?}"),
    };
    let texts = |members: &[&str]| members.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(refused(AttributeValue::SS(texts(&["b", "a", "b"]))), (SetKind::String, "a,b,b".to_owned()));
    assert_eq!(
        refused(AttributeValue::SS(texts(&["c", "a", "c", "z", "b"]))),
        (SetKind::String, "a,c,c,z,b".to_owned())
    );
    assert_eq!(
        refused(AttributeValue::BS(vec![vec![0xFF], vec![0], vec![0]])),
        (SetKind::Binary, "AA==,/w==,AA==".to_owned())
    );
    assert_eq!(refused(AttributeValue::NS(texts(&["2", "1", "2.0"]))), (SetKind::Number, String::new()));
    assert_eq!(refused(AttributeValue::SS(texts(&["", ""]))), (SetKind::String, ",".to_owned()));
}
