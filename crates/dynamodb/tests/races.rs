//! What is planned before the executor may be old when it runs.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::{Context, Error};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::{Submission, WriteOperation};
use holdfast_store::{Operation, Options, Store};

fn context() -> Context {
    holdfast_testkit::context::context(1_764_000_000_000)
}

fn write(operation: &str, body: &str) -> Box<dyn WriteOperation<Error>> {
    match holdfast_dynamodb::prepare(&context(), operation, body.as_bytes()) {
        Ok(Prepared::Write(write)) => write,
        other => panic!("{operation} is a write: {other:?}"),
    }
}

fn execute(store: &Store, submission: Submission<Error>) -> Result<String, Error> {
    let (submission, outcome) = store.execute(submission);
    outcome.unwrap();
    submission.answer().map(|body| String::from_utf8(body).unwrap())
}

fn get(store: &Store, body: &str) -> Result<String, Error> {
    match holdfast_dynamodb::prepare(&context(), "GetItem", body.as_bytes())? {
        Prepared::Read(read) => read.run(&store.snapshot()).map(|body| String::from_utf8(body).unwrap()),
        Prepared::Write(_) => panic!("GetItem is a read"),
    }
}

fn create(store: &Store, key: &str) {
    let body = format!(
        r#"{{"TableName":"Music","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{{"AttributeName":"{key}","AttributeType":"S"}}],
            "KeySchema":[{{"AttributeName":"{key}","KeyType":"HASH"}}]}}"#
    );
    execute(store, Submission::new(write("CreateTable", &body))).unwrap();
}

fn drop_table(store: &Store) {
    execute(store, Submission::new(write("DeleteTable", r#"{"TableName":"Music"}"#))).unwrap();
}

const ITEM: &str = r#"{"TableName":"Music","Item":{"one":{"S":"a"},"two":{"S":"b"}}}"#;

#[test]
fn a_key_planned_for_another_definition_is_made_anew() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let put = Submission::new(write("PutItem", ITEM));
    put.prefetch(&store.snapshot());
    drop_table(&store);
    create(&store, "two");
    execute(&store, put).unwrap();
    let by = |key: &str| get(&store, &format!(r#"{{"TableName":"Music","Key":{key}}}"#));
    assert_eq!(by(r#"{"two":{"S":"b"}}"#).unwrap(), r#"{"Item":{"one":{"S":"a"},"two":{"S":"b"}}}"#);
    assert_eq!(
        by(r#"{"one":{"S":"a"}}"#).unwrap_err().message,
        "The provided key element does not match the schema"
    );
}

#[test]
fn a_refusal_planned_for_another_definition_is_not_given() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "three");
    let put = Submission::new(write("PutItem", ITEM));
    put.prefetch(&store.snapshot());
    drop_table(&store);
    create(&store, "two");
    assert_eq!(execute(&store, put).unwrap(), "{}");
}

#[test]
fn a_table_that_went_meanwhile_is_not_written() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let put = Submission::new(write("PutItem", ITEM));
    put.prefetch(&store.snapshot());
    drop_table(&store);
    assert_eq!(execute(&store, put).unwrap_err().code, "ResourceNotFoundException");
    create(&store, "one");
    assert_eq!(get(&store, r#"{"TableName":"Music","Key":{"one":{"S":"a"}}}"#).unwrap(), "{}");
}

#[test]
fn a_name_is_given_once() {
    let store = Store::open(Options::in_memory()).unwrap();
    let body = r#"{"TableName":"Music","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}"#;
    let (first, second) =
        (Submission::new(write("CreateTable", body)), Submission::new(write("CreateTable", body)));
    first.prefetch(&store.snapshot());
    second.prefetch(&store.snapshot());
    execute(&store, first).unwrap();
    assert_eq!(execute(&store, second).unwrap_err().code, "ResourceInUseException");
}
