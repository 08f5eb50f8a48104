use super::*;
use crate::expression::Placeholders;
use crate::item::codec::encode_item;
use crate::item::json::render_outlined;
use crate::item::view::Item;
use holdfast_shapes::{AttributeMap, AttributeValue};
use proptest::prelude::*;

fn outline(text: &str) -> Outline {
    let mut placeholders = Placeholders::new(None, None, crate::errors::Wording::Bare).unwrap();
    Outline::from(&Projection::parse(text, &mut placeholders).unwrap())
}

/// What is shown of an item, and whether that is anything.
fn shown(attributes: &AttributeMap, outline: &Outline) -> (String, bool) {
    let encoded = encode_item(attributes).unwrap();
    let mut out = b"before".to_vec();
    let any = render_outlined(Item::new(&encoded.bytes).unwrap(), outline, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    (text.strip_prefix("before").unwrap().to_owned(), any)
}

fn item(json: &str) -> AttributeMap {
    serde_json::from_str(json).unwrap()
}

#[test]
fn shows_what_paths_find() {
    let item = item(
        r#"{"pk":{"S":"a"},"ss":{"SS":["q"]},
        "m":{"M":{"x":{"S":"1"},"y":{"M":{"z":{"N":"1"},"w":{"N":"2"}}},"e":{"M":{}}}},
        "l":{"L":[{"S":"0"},{"M":{"a":{"S":"A"},"b":{"S":"B"}}},{"S":"2"},{"L":[{"S":"n"},{"S":"o"}]}]}}"#,
    );
    for (text, expected) in [
        ("pk", r#"{"pk":{"S":"a"}}"#),
        ("m.x", r#"{"m":{"M":{"x":{"S":"1"}}}}"#),
        ("m.y.z, m.x", r#"{"m":{"M":{"x":{"S":"1"},"y":{"M":{"z":{"N":"1"}}}}}}"#),
        ("m.y.w, m.y.z, pk", r#"{"m":{"M":{"y":{"M":{"w":{"N":"2"},"z":{"N":"1"}}}}},"pk":{"S":"a"}}"#),
        ("m.e", r#"{"m":{"M":{"e":{"M":{}}}}}"#),
        ("l[0]", r#"{"l":{"L":[{"S":"0"}]}}"#),
        ("l[3], l[0]", r#"{"l":{"L":[{"S":"0"},{"L":[{"S":"n"},{"S":"o"}]}]}}"#),
        ("l[3][1], l[1].b", r#"{"l":{"L":[{"M":{"b":{"S":"B"}}},{"L":[{"S":"o"}]}]}}"#),
        ("l[0].a, l[2]", r#"{"l":{"L":[{"S":"2"}]}}"#),
        ("l[1].c, l[7], l[2], l[3][5]", r#"{"l":{"L":[{"S":"2"}]}}"#),
        ("ss, nope", r#"{"ss":{"SS":["q"]}}"#),
    ] {
        assert_eq!(shown(&item, &outline(text)), (expected.to_owned(), true), "{text}");
    }
    for text in [
        "m.q",
        "m.x.q",
        "m.e.x",
        "l[9]",
        "l[1].c",
        "m[0]",
        "l.x",
        "ss[0]",
        "nope, pk.x",
        "m.q, m.y.q, l[0][0]",
    ] {
        assert_eq!(shown(&item, &outline(text)), ("{}".to_owned(), false), "{text}");
    }
}

#[test]
fn a_path_within_another_adds_nothing() {
    let member = |name: &str| Step::Member(name.into());
    let path = |steps: &[Step]| Path { attribute: "a".into(), steps: steps.to_vec() };
    let (short, long) = (path(&[member("b")]), path(&[member("b"), Step::Element(0)]));
    let whole = Outline::of([&short]);
    assert_eq!(Outline::of([&short, &long]), whole);
    assert_eq!(Outline::of([&long, &short]), whole);
    assert_eq!(Outline::of([&long, &path(&[])]), Outline::of_attributes(["a"]));
    assert_eq!(Outline::of_attributes(["b", "a", "b"]).names().collect::<Vec<_>>(), ["a", "b"]);
}

fn value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        "[a-c]{0,2}".prop_map(AttributeValue::S),
        (0u8..9).prop_map(|number| AttributeValue::N(number.to_string())),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            prop::collection::btree_map("[a-c]", inner, 0..4)
                .prop_map(|map| AttributeValue::M(map.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = Path> {
    let step =
        prop_oneof!["[a-c]".prop_map(|name| Step::Member(name.into())), (0u32..4).prop_map(Step::Element),];
    let name = "[a-c]";
    (name, prop::collection::vec(step, 0..4)).prop_map(|(name, steps)| Path { attribute: name.into(), steps })
}

/// The model: a value as far as the rest of some path leads to it.
fn model(value: &AttributeValue, rests: &[&[Step]]) -> Option<AttributeValue> {
    if rests.iter().any(|rest| rest.is_empty()) {
        return Some(value.clone());
    }
    let below = |step: &Step| -> Vec<&[Step]> {
        rests.iter().filter(|rest| rest[0] == *step).map(|rest| &rest[1..]).collect()
    };
    match value {
        AttributeValue::M(map) => {
            let member = |(name, value): &(String, AttributeValue)| {
                Some((name.clone(), model(value, &below(&Step::Member(name.as_str().into())))?))
            };
            let shown: Vec<_> = map.iter().filter_map(member).collect();
            (!shown.is_empty()).then_some(AttributeValue::M(shown))
        }
        AttributeValue::L(list) => {
            let element = |(at, value): (u32, &AttributeValue)| model(value, &below(&Step::Element(at)));
            let shown: Vec<_> = (0u32..).zip(list).filter_map(element).collect();
            (!shown.is_empty()).then_some(AttributeValue::L(shown))
        }
        _ => None,
    }
}

proptest! {
    #[test]
    fn shows_what_the_model_shows(
        values in prop::collection::btree_map("[a-c]", value(), 0..4), paths in prop::collection::vec(path(), 0..6),
    ) {
        let attributes = AttributeMap(values.clone().into_iter().collect());
        let expected: Vec<_> = values
            .iter()
            .filter_map(|(name, value)| {
                let rests: Vec<&[Step]> =
                    paths.iter().filter(|path| *path.attribute == **name).map(|path| &path.steps[..]).collect();
                Some((name.clone(), model(value, &rests)?))
            })
            .collect();
        let any = !expected.is_empty();
        let mut whole = Vec::new();
        let encoded = encode_item(&AttributeMap(expected)).unwrap();
        crate::item::json::render_item(Item::new(&encoded.bytes).unwrap(), &mut whole).unwrap();
        prop_assert_eq!(shown(&attributes, &Outline::of(&paths)), (String::from_utf8(whole).unwrap(), any));
    }
}
