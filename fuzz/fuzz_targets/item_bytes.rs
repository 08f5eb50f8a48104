//! Any bytes as a stored item: reading them, whole, in part or by a condition, finds an item or damage, never anything else.

#![no_main]

use holdfast_dynamodb::errors::Wording;
use holdfast_dynamodb::expression::{Condition, ExpressionKind, Outline, Placeholders, Projection};
use holdfast_dynamodb::item::codec::encode_item;
use holdfast_dynamodb::item::json::{render_item, render_outlined};
use holdfast_dynamodb::item::size::of_item;
use holdfast_dynamodb::item::view::Item;
use holdfast_shapes::AttributeMap;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Parts of items as the seeds have them.
static PARTS: LazyLock<Outline> = LazyLock::new(|| {
    let mut placeholders = Placeholders::new(None, None, Wording::Bare).expect("no names");
    let text = "pk, a.b[1], a.c, m.a.b, m.x, l[0], l[2].a, l[2].b[0], v[1], s.x";
    Outline::from(&Projection::parse(text, &mut placeholders).expect("a projection"))
});

static CONDITION: LazyLock<Condition> = LazyLock::new(|| {
    let mut placeholders = Placeholders::new(None, None, Wording::Bare).expect("no names");
    let text =
        "NOT contains(a, pk) AND (size(l) < size(m.a) OR l[2].a <> v[1] OR begins_with(a, v) OR s >= x)";
    Condition::parse(ExpressionKind::Filter, text, &mut placeholders).expect("a condition")
});

fuzz_target!(|data: &[u8]| {
    let Ok(item) = Item::new(data) else { return };
    let mut part = Vec::new();
    if render_outlined(item, &PARTS, &mut part).is_ok() {
        serde_json::from_slice::<AttributeMap>(&part).expect("a part of an item is rendered as attributes");
    }
    let holds = CONDITION.holds(Some(item));
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
    assert!(holds.is_ok(), "{holds:?}");
    let all = Outline::of_attributes(read.0.iter().map(|(name, _)| &name[..]));
    part.clear();
    let any = render_outlined(item, &all, &mut part).expect("what can be rendered can be rendered in parts");
    assert_eq!((any, &part), (!read.0.is_empty(), &json));
    if let Ok(encoded) = encode_item(&read)
        && encoded.bytes == data
    {
        assert_eq!(encoded.size, size);
    }
});
