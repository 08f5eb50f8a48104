//! Refusals that show items: they are made where nobody waits, and of bounded size.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::Error;
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::{Submission, WriteOperation};
use holdfast_store::{Operation, Options, Store, Transaction, Verdict};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn write(operation: &str, request: &Value) -> Box<dyn WriteOperation<Error>> {
    let context = holdfast_testkit::context::context(1_764_000_000_000);
    match holdfast_dynamodb::prepare(&context, operation, request.to_string().as_bytes()).unwrap() {
        Prepared::Write(write) => write,
        Prepared::Read(_) => panic!("{operation} is a write"),
    }
}

fn execute(store: &Store, operation: &str, request: &Value) -> Result<Vec<u8>, Error> {
    let (submission, outcome) = store.execute(Submission::new(write(operation, request)));
    outcome.unwrap();
    submission.answer()
}

/// A store with items of nearly 400 KB, `00` and so on.
fn filled(items: usize) -> Store {
    let store = Store::open(Options::in_memory()).unwrap();
    let table = json!({
        "TableName": "Music", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    execute(&store, "CreateTable", &table).unwrap();
    let text = "x".repeat(409_000);
    for item in 0..items {
        let item = json!({"pk": {"S": format!("{item:02}")}, "text": {"S": text}});
        execute(&store, "PutItem", &json!({"TableName": "Music", "Item": item})).unwrap();
    }
    store
}

/// A check of an item that fails and shows it.
fn check(item: usize) -> Value {
    json!({"ConditionCheck": {
        "TableName": "Music", "Key": {"pk": {"S": format!("{item:02}")}},
        "ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }})
}

#[test]
fn reasons_show_items_of_4_mb_at_most() {
    let store = filled(12);
    let actions: Vec<Value> = (0..12).map(check).collect();
    let error = execute(&store, "TransactWriteItems", &json!({"TransactItems": actions})).unwrap_err();
    assert_eq!(error.message.matches("ConditionalCheckFailed").count(), 12);
    let body: Value = serde_json::from_slice(&error.body()).unwrap();
    for (item, reason) in body["CancellationReasons"].as_array().unwrap().iter().enumerate() {
        assert_eq!(reason["Code"], "ConditionalCheckFailed");
        assert_eq!(reason["Message"], "The conditional request failed");
        let expected = if item < 10 { json!({"S": format!("{item:02}")}) } else { Value::Null };
        assert_eq!(reason["Item"]["pk"], expected, "{item}");
    }
}

/// An operation, and how many members the body of its refusal had when the executor was done with it.
struct Watched {
    operation: Box<dyn WriteOperation<Error>>,
    members: Arc<Mutex<Option<usize>>>,
}

impl Operation for Watched {
    fn info(&self) -> holdfast_store::CommitInfo {
        self.operation.info()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        *self.members.lock().unwrap() = self.operation.run(tx).err().map(|error| error.extra.len());
        Verdict::Discard
    }
}

#[test]
fn the_executor_encodes_no_item_of_a_refusal() {
    let store = filled(1);
    let put = json!({
        "TableName": "Music", "Item": {"pk": {"S": "00"}}, "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    for (operation, request, member) in [
        ("PutItem", put, "Item"),
        ("TransactWriteItems", json!({"TransactItems": [check(0)]}), "CancellationReasons"),
    ] {
        let members = Arc::new(Mutex::new(None));
        let watched = Watched { operation: write(operation, &request), members: Arc::clone(&members) };
        store.execute(watched).1.unwrap();
        assert_eq!(*members.lock().unwrap(), Some(0), "{operation}");
        let error = execute(&store, operation, &request).unwrap_err();
        assert_eq!(error.extra.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [member]);
    }
}
