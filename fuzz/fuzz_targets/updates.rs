//! Any text as an update of any stored item: `EXPRESSION`, names as JSON, values as JSON, a line each, then an item, as JSON
//! or as stored bytes. Names and values that are empty lines stand for usual ones. What is made of a sound item is the
//! item that the encoder would write.

#![no_main]

use holdfast_dynamodb::errors::{Wording, updates};
use holdfast_dynamodb::expression::{Placeholders, Update};
use holdfast_dynamodb::item::codec::{Encoded, encode_item};
use holdfast_dynamodb::item::edit::{Stored, UpdateError};
use holdfast_dynamodb::item::json::render_item;
use holdfast_dynamodb::item::size::of_item;
use holdfast_dynamodb::item::view::Item;
use holdfast_shapes::{AttributeMap, AttributeValue, Pairs};
use libfuzzer_sys::fuzz_target;

const NAMES: &str = r##"{"#a":"a","#l":"l","#x":"x.y"}"##;
const VALUES: &str = r#"{":p":{"S":"a"},":v":{"S":"b"},":n":{"N":"1"},":m":{"N":"-2.5"},":ss":{"SS":["a","c"]},
    ":ns":{"NS":["1","7"]},":bs":{"BS":["AQ=="]},":l":{"L":[{"S":"x"}]},":map":{"M":{"k":{"L":[]}}},
    ":big":{"N":"99999999999999999999999999999999999999"}}"#;

fn parsed(expression: &str, names: &str, values: &str) -> Option<Update> {
    let names: Option<Pairs<String>> =
        serde_json::from_str(if names.is_empty() { NAMES } else { names }).ok();
    let values: Option<AttributeMap> =
        serde_json::from_str(if values.is_empty() { VALUES } else { values }).ok();
    let mut placeholders = Placeholders::new(names, values, Wording::Bare).ok()?;
    match Update::parse(expression, &mut placeholders) {
        Ok(update) => Some(update),
        Err(error) => {
            assert_eq!(error.status, 400, "{error:?}");
            None
        }
    }
}

/// The attributes of an item that the encoder could have written.
fn sound(bytes: &[u8]) -> Option<AttributeMap> {
    let mut json = Vec::new();
    render_item(Item::new(bytes).ok()?, &mut json).ok()?;
    let attributes: AttributeMap = serde_json::from_slice(&json).ok()?;
    encode_item(&attributes).is_ok_and(|encoded| encoded.bytes == bytes).then_some(attributes)
}

fn check(answer: Result<Option<Encoded>, UpdateError>, of_sound: bool) {
    match answer {
        Ok(None) => {}
        Ok(Some(after)) => {
            if of_sound {
                let size = Item::new(&after.bytes).and_then(of_item);
                assert_eq!(size, Ok(after.size));
                assert!(sound(&after.bytes).is_some(), "{after:?}");
            }
        }
        Err(error @ UpdateError::Refused(_)) => assert_eq!(updates::update(&error).status, 400),
        Err(UpdateError::Damaged(damaged)) => assert!(!of_sound, "{damaged}"),
    }
}

fuzz_target!(|data: &[u8]| {
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut line = || lines.next().and_then(|line| str::from_utf8(line).ok());
    let (Some(expression), Some(names), Some(values)) = (line(), line(), line()) else { return };
    let item = lines.next().unwrap_or_default();
    let Some(update) = parsed(expression, names, values) else { return };
    assert!(update.cost() > 0 && !update.read_paths().iter().any(|path| path.attribute.is_empty()));
    check(update.apply(None, &[("pk".to_owned(), AttributeValue::S("k".to_owned()))]), true);
    if let Ok(attributes) = serde_json::from_slice::<AttributeMap>(item) {
        let Ok(encoded) = encode_item(&attributes) else { return };
        check(update.apply(Some(Stored { bytes: &encoded.bytes, size: encoded.size }), &[]), true);
        return;
    }
    let size = Item::new(item).and_then(of_item).unwrap_or(100);
    check(update.apply(Some(Stored { bytes: item, size }), &[]), sound(item).is_some());
});
