//! Any text as each kind of expression: `EXPRESSION`, names as JSON, values as JSON, a line each; names and values that
//! are missing stand for usual ones. What is taken as a key condition is a range whose two forms say the same.

#![no_main]

use holdfast_dynamodb::errors::Wording;
use holdfast_dynamodb::expression::{
    Condition, ExpressionKind, KeyCondition, Placeholders, Projection, Update,
};
use holdfast_dynamodb::key::{KeyAttribute, KeySchema, ScalarType};
use holdfast_shapes::{AttributeMap, Pairs};
use libfuzzer_sys::fuzz_target;
use std::ops::RangeBounds;

const NAMES: &str = r##"{"#p":"p","#s":"s","#x":"x.y"}"##;
const VALUES: &str = r#"{":p":{"S":"a"},":s":{"S":"b"},":t":{"S":""},":n":{"N":"-1.50"},":m":{"N":"7"},":b":{"B":"AP8="},":l":{"L":[]}}"#;

fn placeholders(names: &str, values: &str) -> Option<Placeholders> {
    let names: Option<Pairs<String>> = serde_json::from_str(names).ok();
    let values: Option<AttributeMap> = serde_json::from_str(values).ok();
    Placeholders::new(names, values, Wording::Bare).ok()
}

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let expression = lines.next().unwrap_or("");
    let (names, values) = (lines.next().unwrap_or(NAMES), lines.next().unwrap_or(VALUES));
    let Some(mut known) = placeholders(names, values) else { return };
    for kind in [ExpressionKind::Filter, ExpressionKind::Condition] {
        if let Err(error) = Condition::parse(kind, expression, &mut known) {
            assert_eq!(error.status, 400, "{error:?}");
        }
    }
    if let Err(error) = Projection::parse(expression, &mut known) {
        assert_eq!(error.status, 400, "{error:?}");
    }
    if let Err(error) = Update::parse(expression, &mut known) {
        assert_eq!(error.status, 400, "{error:?}");
    }
    let Some(mut known) = placeholders(names, values) else { return };
    let Ok(condition) = KeyCondition::parse(expression, &mut known) else { return };
    let Ok(condition) = KeyCondition::new(condition) else { return };
    for kind in [ScalarType::S, ScalarType::N, ScalarType::B] {
        for sort in [None, Some(KeyAttribute { name: "s", kind })] {
            let schema = KeySchema { partition: KeyAttribute { name: "p", kind: ScalarType::S }, sort };
            match condition.resolve(&schema.into(), None) {
                Err(error) => assert_eq!(error.status, 400, "{error:?}"),
                Ok(range) => {
                    assert!(!range.partition[0].1.is_empty(), "no key is empty");
                    let bounds = range.sort.bounds();
                    for probe in [
                        &b""[..],
                        b"a",
                        b"b",
                        b"b\0",
                        b"c",
                        &[0xff, 0xff],
                        text.as_bytes(),
                        &range.partition[0].1,
                    ] {
                        assert_eq!(
                            bounds.contains(&probe.to_vec()),
                            range.sort.contains(probe),
                            "{probe:?} {range:?}"
                        );
                    }
                }
            }
        }
    }
});
