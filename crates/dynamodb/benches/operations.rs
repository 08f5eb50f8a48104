//! How long operations take from body to answer, without HTTP and disk: `cargo bench -p holdfast-dynamodb --bench
//! operations`. Beside the whole, the part before the store is shown.
#![allow(clippy::print_stdout, missing_docs)]

use holdfast_aws::Context;
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use std::hint::black_box;
use std::time::Instant;

const TABLE: &str = r#"{"TableName":"Users","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
    "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}"#;
const ITEMS: usize = 10_000;

fn context() -> Context {
    holdfast_testkit::context::context(1_764_000_000_000)
}

fn put_body(id: usize) -> String {
    let note = "lorem ipsum dolor sit amet ".repeat(8);
    format!(
        r#"{{"TableName":"Users","Item":{{"id":{{"S":"user-{id:020}"}},"createdAt":{{"N":"1764000000123"}},
        "email":{{"S":"somebody.somewhere@example.com"}},"active":{{"BOOL":true}},
        "roles":{{"SS":["reader","editor"]}},"address":{{"M":{{"street":{{"S":"1 Long Street"}},
        "zip":{{"N":"12345"}}}}}},"note":{{"S":"{note}"}}}}}}"#
    )
}

fn get_body(id: usize) -> String {
    format!(r#"{{"TableName":"Users","Key":{{"id":{{"S":"user-{id:020}"}}}},"ConsistentRead":true}}"#)
}

/// Microseconds per call: the best of several rounds.
fn measure(name: &str, mut run: impl FnMut(usize)) {
    let mut best = f64::MAX;
    for _ in 0..7 {
        let start = Instant::now();
        for id in 0..ITEMS {
            run(id);
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e6 / ITEMS as f64);
    }
    println!("{name:<28} {best:>8.2} µs");
}

fn main() {
    let context = context();
    let store = Store::open(Options::in_memory()).expect("a store in memory opens");
    let prepare = |operation: &str, body: &str| {
        holdfast_dynamodb::prepare(&context, operation, body.as_bytes()).expect("the request is valid")
    };
    let run = |operation: &str, body: &str| match prepare(operation, body) {
        Prepared::Read(read) => read.run(&store.snapshot()).expect("it is answered"),
        Prepared::Write(write) => {
            let (submission, outcome) = store.execute(Submission::new(write));
            outcome.expect("the store takes it");
            submission.answer().expect("it is answered")
        }
    };
    run("CreateTable", TABLE);
    let puts: Vec<String> = (0..ITEMS).map(put_body).collect();
    let gets: Vec<String> = (0..ITEMS).map(get_body).collect();
    measure("PutItem, prepare", |id| {
        black_box(prepare("PutItem", &puts[id]));
    });
    measure("PutItem, alone in its group", |id| {
        black_box(run("PutItem", &puts[id]));
    });
    measure("GetItem, prepare", |id| {
        black_box(prepare("GetItem", &gets[id]));
    });
    measure("GetItem", |id| {
        black_box(run("GetItem", &gets[id]));
    });
}
