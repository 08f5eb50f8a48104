//! Any bytes as a stored item: reading them finds an item or damage, never anything else.

#![no_main]

use holdfast_dynamodb::item::codec::encode_item;
use holdfast_dynamodb::item::json::render_item;
use holdfast_dynamodb::item::size::of_item;
use holdfast_dynamodb::item::view::Item;
use holdfast_shapes::AttributeMap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(item) = Item::new(data) else { return };
    let size = of_item(item);
    let mut json = Vec::new();
    if render_item(item, &mut json).is_err() {
        return;
    }
    // What can be rendered can be measured, and read again: as JSON always, as an item unless a set of it is empty or
    // has duplicates, which the encoder never writes.
    let size = size.expect("what can be rendered can be measured");
    let read: AttributeMap = serde_json::from_slice(&json).expect("an item is rendered as attributes");
    for (name, _) in &read.0 {
        assert!(item.get(name).is_ok(), "{name:?}");
    }
    if let Ok(encoded) = encode_item(&read)
        && encoded.bytes == data
    {
        assert_eq!(encoded.size, size);
    }
});
