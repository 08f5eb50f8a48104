//! Any text as an item: what is taken has one stored form, which is rendered, measured and read back as it was.

#![no_main]

use holdfast_dynamodb::item::codec::encode_item;
use holdfast_dynamodb::item::json::render_item;
use holdfast_dynamodb::item::size::of_item;
use holdfast_dynamodb::item::view::Item;
use holdfast_shapes::AttributeMap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(read) = serde_json::from_slice::<AttributeMap>(data) else { return };
    let Ok(encoded) = encode_item(&read) else { return };
    let item = Item::new(&encoded.bytes).expect("what was encoded is an item");
    assert_eq!(of_item(item).expect("it can be measured"), encoded.size);
    let mut json = Vec::new();
    render_item(item, &mut json).expect("it can be rendered");
    let again: AttributeMap = serde_json::from_slice(&json).expect("it is rendered as attributes");
    assert_eq!(encode_item(&again).expect("they are taken again"), encoded);
    for (name, _) in &read.0 {
        assert!(item.get(name).expect("it can be read").is_some(), "{name:?}");
    }
});
