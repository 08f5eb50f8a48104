//! How long the item layer takes for one 430-byte item: `cargo bench -p holdfast-dynamodb --bench item`.
#![allow(clippy::print_stdout, missing_docs)]

use holdfast_dynamodb::item::{codec, json, view::Item};
use holdfast_dynamodb::key::{self, KeyAttribute, KeySchema, ScalarType};
use holdfast_dynamodb::number::Number;
use holdfast_shapes::{AttributeMap, AttributeValue};
use std::hint::black_box;
use std::time::Instant;

fn item() -> AttributeMap {
    let text = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    let number = |name: &str, value: &str| (name.to_owned(), AttributeValue::N(value.to_owned()));
    AttributeMap(vec![
        text("userId", "user-00000000000000000042"),
        number("createdAt", "1764000000123"),
        text("email", "somebody.somewhere@example.com"),
        text("name", "Somebody Somewhere"),
        number("balance", "-1234567.89"),
        ("active".to_owned(), AttributeValue::Bool(true)),
        ("roles".to_owned(), AttributeValue::SS(vec!["reader".into(), "editor".into()])),
        (
            "address".to_owned(),
            AttributeValue::M(vec![
                text("street", "1 Long Street"),
                text("city", "Harbour"),
                number("zip", "12345"),
            ]),
        ),
        text("note", &"lorem ipsum dolor sit amet ".repeat(8)),
    ])
}

/// Nanoseconds per call: the best of several rounds.
fn measure<T>(name: &str, mut run: impl FnMut() -> T) {
    const CALLS: u32 = 20_000;
    let mut best = f64::MAX;
    for _ in 0..15 {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(run());
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    println!("{name:<28} {best:>8.1} ns");
}

fn main() {
    let item = item();
    let schema = KeySchema {
        partition: KeyAttribute { name: "userId", kind: ScalarType::S },
        sort: Some(KeyAttribute { name: "createdAt", kind: ScalarType::N }),
    };
    let encoded = codec::encode_item(&item).expect("the item is valid");
    println!("{} bytes stored, {} bytes accounted", encoded.bytes.len(), encoded.size);
    let view = Item::new(&encoded.bytes).expect("the item is valid");
    let long = Number::parse("12345678901234567890123456789012345678").expect("a number");
    measure("encode item", || codec::encode_item(black_box(&item)));
    measure("item key", || key::of_item(black_box(&item.0), &schema));
    measure("render item", || {
        let mut out = Vec::with_capacity(1024);
        json::render_item(black_box(view), &mut out).map(|()| out)
    });
    measure("find one attribute", || view.get(black_box("note")));
    measure("parse 13 digits", || Number::parse(black_box("1764000000123")));
    measure("parse 38 digits", || Number::parse(black_box("12345678901234567890123456789012345.678")));
    measure("38 digits to bytes", || black_box(long).to_bytes());
    measure("38 digits from bytes", || Number::from_bytes(black_box(long.to_bytes().as_bytes())));
}
