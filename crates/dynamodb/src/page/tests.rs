use crate::catalog::{Scope, TableName};
use crate::{Prepared, key};
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeValue;
use holdfast_state::operation::{Submission, WriteOperation};
use holdfast_store::{CommitInfo, Options, Store, Transaction};

fn context() -> Context {
    holdfast_testkit::context::context(1_764_000_000_123)
}

fn ask(store: &Store, operation: &str, request: &str) -> Result<String, Error> {
    let body = match crate::prepare(&context(), operation, request.as_bytes())? {
        Prepared::Read(read) => read.run(&store.snapshot())?,
        Prepared::Write(write) => {
            let (submission, outcome) = store.execute(Submission::new(write));
            outcome.unwrap();
            submission.answer()?
        }
    };
    Ok(String::from_utf8(body).unwrap())
}

/// Takes an item away and leaves its row in the index, as no operation does.
struct Damage;

impl WriteOperation<Error> for Damage {
    fn info(&self) -> CommitInfo {
        CommitInfo::default()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let table = Scope::of(&context()).table(tx, &TableName::read("Table".to_owned()).unwrap())?.unwrap();
        let attributes = [("pk".to_owned(), AttributeValue::S("b".to_owned()))];
        let key = key::of_key(&attributes, &table.key_schema()?).unwrap();
        assert!(table.space.delete(tx, &key).unwrap());
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
}

#[test]
fn a_row_without_its_item_is_damage() {
    let store = Store::open(Options::in_memory()).unwrap();
    let schema = |name: &str| format!(r#"[{{"AttributeName":"{name}","KeyType":"HASH"}}]"#);
    let create = format!(
        r#"{{"TableName":"Table","BillingMode":"PAY_PER_REQUEST","KeySchema":{},
        "AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}},{{"AttributeName":"g","AttributeType":"N"}}],
        "GlobalSecondaryIndexes":[{{"IndexName":"index","KeySchema":{},"Projection":{{"ProjectionType":"KEYS_ONLY"}}}}]}}"#,
        schema("pk"),
        schema("g")
    );
    ask(&store, "CreateTable", &create).unwrap();
    for pk in ["a", "b", "c"] {
        let put = format!(r#"{{"TableName":"Table","Item":{{"pk":{{"S":"{pk}"}},"g":{{"N":"1"}}}}}}"#);
        ask(&store, "PutItem", &put).unwrap();
    }
    let scan = r#"{"TableName":"Table","IndexName":"index"}"#;
    assert!(ask(&store, "Scan", scan).unwrap().contains(r#""Count":3"#));
    let (submission, outcome) = store.execute(Submission::new(Box::new(Damage)));
    outcome.unwrap();
    submission.answer().unwrap();
    let error = ask(&store, "Scan", scan).unwrap_err();
    assert_eq!((error.status, &error.code[..]), (500, "InternalServerError"));
    assert!(error.message.ends_with("index index has a row for an item that is not there"), "{error}");
}
