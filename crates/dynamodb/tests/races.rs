//! What is planned before the executor may be old when it runs.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::{Context, Error};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::{Extent, Submission, WriteOperation};
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

/// A transaction that puts an item where there is none, with a token.
fn transact(name: &str, token: &str) -> Submission<Error> {
    let body = format!(
        r#"{{"TransactItems":[{{"Put":{{"TableName":"Music","Item":{{"one":{{"S":"{name}"}}}},
            "ConditionExpression":"attribute_not_exists(one)"}}}}],"ClientRequestToken":"{token}"}}"#
    );
    Submission::new(write("TransactWriteItems", &body))
}

#[test]
fn a_token_takes_effect_once_though_many_send_it_at_once() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let threads = 16;
    let start = std::sync::Barrier::new(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let transaction = transact("a", "t");
                start.wait();
                // All but the first find the item there; that they repeat it comes before that.
                assert_eq!(execute(&store, transaction).unwrap(), "{}");
            });
        }
    });
    assert_eq!(execute(&store, transact("b", "t")).unwrap_err().code, "IdempotentParameterMismatchException");
    let newest = store.snapshot();
    assert_eq!(execute(&store, transact("a", "t")).unwrap(), "{}");
    assert_eq!(holdfast_store::Read::version(&store.snapshot()), holdfast_store::Read::version(&newest));
}

#[test]
fn what_came_between_plan_and_run_decides_a_transaction() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let (first, second) = (transact("a", "1"), transact("a", "2"));
    first.prefetch(&store.snapshot());
    second.prefetch(&store.snapshot());
    execute(&store, first).unwrap();
    let error = execute(&store, second).unwrap_err();
    assert!(error.message.ends_with("[ConditionalCheckFailed]"), "{error}");
}

#[test]
fn a_transaction_planned_for_another_definition_is_planned_anew() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let (planned, gone) = (transact("a", "1"), transact("a", "2"));
    planned.prefetch(&store.snapshot());
    gone.prefetch(&store.snapshot());
    drop_table(&store);
    assert_eq!(execute(&store, gone).unwrap_err().code, "ResourceNotFoundException");
    create(&store, "two");
    let error = execute(&store, planned).unwrap_err();
    assert!(error.message.ends_with("[ValidationError]"), "{error}");
    let reasons = error.extra.iter().find(|(name, _)| *name == "CancellationReasons").unwrap();
    let text = "One or more parameter values were invalid: Missing the key two in the item";
    let reasons: serde_json::Value = serde_json::from_str(&reasons.1).unwrap();
    assert_eq!(reasons[0]["Message"], text);
}

/// An update that counts while the counter is below a limit, and shows it.
fn count(limit: u32) -> Submission<Error> {
    let body = format!(
        r#"{{"TableName":"Music","Key":{{"one":{{"S":"a"}}}},"UpdateExpression":"ADD n :one","ReturnValues":"UPDATED_NEW",
            "ConditionExpression":"attribute_not_exists(n) OR n < :limit",
            "ExpressionAttributeValues":{{":one":{{"N":"1"}},":limit":{{"N":"{limit}"}}}}}}"#
    );
    Submission::new(write("UpdateItem", &body))
}

#[test]
fn updates_planned_for_one_item_each_see_the_one_before() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    // Planned for no item, all of them: conditions that hold, and items after, of what is not there any more when they run.
    let updates: Vec<_> = (0..5).map(|_| count(3)).collect();
    updates.iter().for_each(|update| update.prefetch(&store.snapshot()));
    let answers: Vec<_> = updates.into_iter().map(|update| execute(&store, update)).collect();
    let shown = |n: u32| format!(r#"{{"Attributes":{{"n":{{"N":"{n}"}}}}}}"#);
    for (at, answer) in (1..).zip(&answers) {
        match answer {
            Ok(body) => assert_eq!(*body, shown(at)),
            Err(error) => {
                assert!(at > 3, "{at}: {error}");
                assert_eq!(error.code, "ConditionalCheckFailedException");
            }
        }
    }
    assert!(answers[3..].iter().all(Result::is_err));
    // Planned to be refused, and taken when it runs.
    let late = count(3);
    late.prefetch(&store.snapshot());
    let delete = r#"{"TableName":"Music","Key":{"one":{"S":"a"}}}"#;
    execute(&store, Submission::new(write("DeleteItem", delete))).unwrap();
    assert_eq!(execute(&store, late).unwrap(), shown(1));
    assert_eq!(get(&store, delete).unwrap(), r#"{"Item":{"n":{"N":"1"},"one":{"S":"a"}}}"#);
}

#[test]
fn a_refusal_of_an_update_is_planned_for_one_item() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let copy = || {
        let body = r#"{"TableName":"Music","Key":{"one":{"S":"a"}},"UpdateExpression":"SET three = two"}"#;
        Submission::new(write("UpdateItem", body))
    };
    let [early, late] = [copy(), copy()];
    for update in [&early, &late] {
        update.prefetch(&store.snapshot());
    }
    let text = "The provided expression refers to an attribute that does not exist in the item";
    assert_eq!(execute(&store, early).unwrap_err().message, text);
    execute(&store, Submission::new(write("PutItem", ITEM))).unwrap();
    execute(&store, late).unwrap();
    let key = r#"{"TableName":"Music","Key":{"one":{"S":"a"}}}"#;
    assert_eq!(get(&store, key).unwrap(), r#"{"Item":{"one":{"S":"a"},"three":{"S":"b"},"two":{"S":"b"}}}"#);
}

#[test]
fn writes_that_look_at_much_are_planned_on_the_pool() {
    let by_paths = |paths: usize| {
        let paths: Vec<String> = (0..paths).map(|at| format!("a{at}")).collect();
        format!(
            r#"{{"TableName":"Music","Key":{{"one":{{"S":"a"}}}},"UpdateExpression":"REMOVE {}"}}"#,
            paths.join(",")
        )
    };
    let transaction = |update: &str| format!(r#"{{"TransactItems":[{{"Update":{update}}}]}}"#);
    // One path, and a value of 100 KB so many times.
    let by_values = |times: usize| {
        let list = vec![":v"; times].join(",");
        format!(
            r#"{{"TableName":"Music","Key":{{"one":{{"S":"a"}}}},"UpdateExpression":"REMOVE a","ConditionExpression":"a IN ({list})",
                "ExpressionAttributeValues":{{":v":{{"S":"{}"}}}}}}"#,
            "x".repeat(100_000)
        )
    };
    for (update, extent) in [
        (by_paths(32), Extent::Point),
        (by_paths(33), Extent::Pages),
        (by_values(40), Extent::Point),
        (by_values(42), Extent::Pages),
    ] {
        assert_eq!(write("UpdateItem", &update).extent(), extent);
        assert_eq!(write("TransactWriteItems", &transaction(&update)).extent(), extent);
    }
}

/// 50 paths in an item of 400 KB, or a value of 400 KB 50 times: nothing for the executor.
#[test]
fn long_work_is_planned_again_and_not_done_where_all_wait() {
    let store = Store::open(Options::in_memory()).unwrap();
    create(&store, "one");
    let text = "x".repeat(400_000);
    let put = format!(r#"{{"TableName":"Music","Item":{{"one":{{"S":"a"}},"text":{{"S":"{text}"}}}}}}"#);
    execute(&store, Submission::new(write("PutItem", &put))).unwrap();
    let key = r#"{"TableName":"Music","Key":{"one":{"S":"a"}},"ProjectionExpression":"one,a0"}"#;
    let conditions: Vec<String> = (0..49).map(|at| format!("attribute_not_exists(b{at})")).collect();
    let by_paths = format!(
        r#"{{"TableName":"Music","Key":{{"one":{{"S":"a"}}}},"UpdateExpression":"REMOVE a0","ConditionExpression":"{}"}}"#,
        conditions.join(" AND ")
    );
    let by_values = format!(
        r#"{{"TableName":"Music","Key":{{"one":{{"S":"a"}}}},"UpdateExpression":"REMOVE a0",
            "ConditionExpression":"NOT one IN ({})","ExpressionAttributeValues":{{":v":{{"S":"{text}"}}}}}}"#,
        [":v"; 50].join(",")
    );
    let transaction = format!(r#"{{"TransactItems":[{{"Update":{by_paths}}}]}}"#);
    let touch = r#"{"TableName":"Music","Key":{"one":{"S":"a"}},"UpdateExpression":"SET a0 = one"}"#;
    for (operation, body) in
        [("UpdateItem", &by_paths), ("UpdateItem", &by_values), ("TransactWriteItems", &transaction)]
    {
        let planned = Submission::new(write(operation, body));
        planned.prefetch(&store.snapshot());
        execute(&store, Submission::new(write("UpdateItem", touch))).unwrap();
        let error = execute(&store, planned).unwrap_err();
        assert_eq!((error.status, &*error.code), (503, "ServiceUnavailableException"), "{operation}");
        assert_eq!(get(&store, key).unwrap(), r#"{"Item":{"a0":{"S":"a"},"one":{"S":"a"}}}"#);
        execute(&store, Submission::new(write(operation, body))).unwrap();
        assert_eq!(get(&store, key).unwrap(), r#"{"Item":{"one":{"S":"a"}}}"#);
    }
}
