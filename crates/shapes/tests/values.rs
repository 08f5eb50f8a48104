//! Attribute values against their definition: whatever is rendered is read back, and nothing that is sent panics.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_shapes::{AttributeMap, AttributeValue, read};
use proptest::prelude::*;
use serde_json::{Value, json};

fn value() -> impl Strategy<Value = AttributeValue> {
    use AttributeValue as V;
    let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
    let text = || proptest::collection::vec(any::<char>(), 0..6).prop_map(String::from_iter);
    let leaf = prop_oneof![
        text().prop_map(V::S),
        text().prop_map(V::N),
        bytes().prop_map(V::B),
        proptest::collection::vec(text(), 0..4).prop_map(V::SS),
        proptest::collection::vec(text(), 0..4).prop_map(V::NS),
        proptest::collection::vec(bytes(), 0..4).prop_map(V::BS),
        any::<bool>().prop_map(V::Null),
        any::<bool>().prop_map(V::Bool),
    ];
    leaf.prop_recursive(6, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(V::L),
            // A map sorts its names, as the model below does.
            proptest::collection::btree_map(text(), inner, 0..5)
                .prop_map(|map| V::M(map.into_iter().collect())),
        ]
    })
}

/// The value as the API documents its JSON.
fn rendered(value: &AttributeValue) -> Value {
    use AttributeValue as V;
    let inner = match value {
        V::S(text) | V::N(text) => json!(text),
        V::B(bytes) => json!(STANDARD.encode(bytes)),
        V::SS(members) | V::NS(members) => json!(members),
        V::BS(members) => members.iter().map(|bytes| json!(STANDARD.encode(bytes))).collect(),
        V::M(members) => members.iter().map(|(name, value)| (name.clone(), rendered(value))).collect(),
        V::L(elements) => elements.iter().map(rendered).collect(),
        V::Null(flag) | V::Bool(flag) => json!(flag),
    };
    json!({ value.type_name(): inner })
}

proptest! {
    #[test]
    fn what_is_rendered_is_read_back(value in value()) {
        let json = json!({ "name": rendered(&value) }).to_string();
        let map: AttributeMap = read(json.as_bytes()).unwrap();
        prop_assert_eq!(map.0, [("name".to_owned(), value)]);
    }

    #[test]
    fn damaged_json_never_panics(value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut json = rendered(&value).to_string().into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        let _ = read::<AttributeValue>(&json);
        let _ = read::<AttributeValue>(&json[..at]);
    }
}
