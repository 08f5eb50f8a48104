//! Global indexes come and go on tables with items, step by step, while items change.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::Error;
use holdfast_dynamodb::inspect::check::{self, HOLD};
use holdfast_dynamodb::{DataSet, NamedTable, Prepared, jobs};
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Item by number: the value of the index's key attribute, if it has one; a number where a string should be if it is negative.
type Model = BTreeMap<u32, Option<i32>>;

struct Server(Store);

impl Server {
    fn new() -> Self {
        let options = Options { trimmer: false, jobs: jobs::kinds(), ..Options::in_memory() };
        let server = Self(Store::open(options).unwrap());
        let table = json!({"TableName": "boats", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]});
        server.call("CreateTable", &table).unwrap();
        server
    }

    fn call(&self, operation: &str, body: &Value) -> Result<Value, Error> {
        let context = holdfast_testkit::context::context(1_764_000_000_000);
        let body = match holdfast_dynamodb::prepare(&context, operation, body.to_string().as_bytes())? {
            Prepared::Read(read) => read.run(&self.0.snapshot()),
            Prepared::Write(write) => {
                let (submission, outcome) = self.0.execute(Submission::new(write));
                outcome.unwrap();
                submission.answer()
            }
        };
        body.map(|body| serde_json::from_slice(&body).unwrap())
    }

    fn change(&self, change: Value) -> Result<Value, Error> {
        self.call(
            "UpdateTable",
            &json!({"TableName": "boats", "GlobalSecondaryIndexUpdates": [change],
                "AttributeDefinitions": [{"AttributeName": "port", "AttributeType": "S"}]}),
        )
    }

    fn create(&self, name: &str) -> Result<Value, Error> {
        self.change(json!({"Create": {"IndexName": name, "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "port", "KeyType": "HASH"}]}}))
    }

    fn drop(&self, name: &str) -> Result<Value, Error> {
        self.change(json!({"Delete": {"IndexName": name}}))
    }

    fn put(&self, number: u32, port: Option<i32>) -> Result<Value, Error> {
        let mut item = json!({"id": {"S": number.to_string()}});
        match port {
            Some(port) if port < 0 => item["port"] = json!({"N": port.to_string()}),
            Some(port) => item["port"] = json!({"S": port.to_string()}),
            None => {}
        }
        self.call("PutItem", &json!({"TableName": "boats", "Item": item}))
    }

    fn delete(&self, number: u32) {
        let key = json!({"id": {"S": number.to_string()}});
        self.call("DeleteItem", &json!({"TableName": "boats", "Key": key})).unwrap();
    }

    fn table(&self) -> Value {
        self.call("DescribeTable", &json!({"TableName": "boats"})).unwrap()["Table"].clone()
    }

    /// Status of the only index, if there is one, and whether it is backfilling.
    fn index(&self) -> (Option<String>, Value) {
        let table = self.table();
        let index = &table["GlobalSecondaryIndexes"][0];
        (index["IndexStatus"].as_str().map(str::to_owned), index["Backfilling"].clone())
    }

    /// Numbers of the items in an index.
    fn scan(&self, index: &str) -> Result<Vec<u32>, Error> {
        let answer = self.call("Scan", &json!({"TableName": "boats", "IndexName": index}))?;
        let items = answer["Items"].as_array().unwrap();
        let mut numbers: Vec<u32> =
            items.iter().map(|item| item["id"]["S"].as_str().unwrap().parse().unwrap()).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn finish(&self) -> usize {
        let mut steps = 0;
        while self.0.run_job_step().unwrap() {
            steps += 1;
        }
        steps
    }

    /// Looks at every item and row.
    fn check(&self) {
        let table = NamedTable { data_set: DataSet::shared(), name: "boats".to_owned() };
        let checked = check::table(&|| self.0.snapshot(), &table, HOLD, &mut |_| true).unwrap().unwrap();
        assert!(checked.findings.is_empty(), "{:?}", checked.findings);
    }
}

fn expected(model: &Model) -> Vec<u32> {
    model.iter().filter(|(_, port)| port.is_some_and(|port| port >= 0)).map(|(number, _)| *number).collect()
}

#[derive(Debug, Clone)]
enum Act {
    Put(u32, Option<i32>),
    Delete(u32),
    Step,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0u32..300, prop::option::of(0i32..5)).prop_map(|(number, port)| Act::Put(number, port)),
        2 => (0u32..300).prop_map(Act::Delete),
        1 => Just(Act::Step),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens between the steps: when the index is there, it has the items that it would always have had.
    #[test]
    fn an_index_that_is_added_has_what_it_would_have_had(
        before in prop::collection::btree_map(0u32..300, prop::option::of(-2i32..5), 0..300),
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let server = Server::new();
        let mut model: Model = before;
        for (number, port) in &model {
            server.put(*number, *port).unwrap();
        }
        let answer = server.create("by-port").unwrap();
        let index = &answer["TableDescription"]["GlobalSecondaryIndexes"][0];
        prop_assert_eq!(&answer["TableDescription"]["TableStatus"], "UPDATING");
        prop_assert_eq!((&index["IndexStatus"], &index["Backfilling"]), (&json!("CREATING"), &json!(false)));
        for act in acts {
            match act {
                Act::Put(number, port) => {
                    server.put(number, port).unwrap();
                    model.insert(number, port);
                }
                Act::Delete(number) => {
                    server.delete(number);
                    model.remove(&number);
                }
                Act::Step => {
                    server.0.run_job_step().unwrap();
                }
            }
            if server.index().1 == json!(true) {
                prop_assert!(server.scan("by-port").is_err());
            }
        }
        server.check();
        server.finish();
        prop_assert_eq!(server.index(), (Some("ACTIVE".to_owned()), Value::Null));
        prop_assert_eq!(&server.table()["TableStatus"], "ACTIVE");
        prop_assert_eq!(server.scan("by-port").unwrap(), expected(&model));
        let count = expected(&model).len();
        prop_assert_eq!(&server.table()["GlobalSecondaryIndexes"][0]["ItemCount"], &json!(count));
        server.check();
    }
}

#[test]
fn one_index_at_a_time_and_values_of_its_type_from_the_beginning() {
    let server = Server::new();
    for number in 0..200 {
        server.put(number, Some(if number % 2 == 0 { 1 } else { -1 })).unwrap();
    }
    server.create("first").unwrap();
    assert!(server.0.run_job_step().unwrap());
    assert_eq!(server.index(), (Some("CREATING".to_owned()), json!(true)));
    let refused = server.create("second").unwrap_err();
    assert_eq!(refused.code, "LimitExceededException");
    assert_eq!(server.drop("second").unwrap_err().code, "LimitExceededException");
    let refused = server.scan("first").unwrap_err();
    assert_eq!(refused.message, "Cannot read from backfilling global secondary index: first");
    assert!(server.put(1, Some(-5)).is_err(), "of another type");
    server.finish();
    assert_eq!(server.scan("first").unwrap().len(), 100);
    assert!(server.create("first").unwrap_err().message.contains("already exists"));
    server.create("second").unwrap();
    server.finish();
    assert_eq!(server.scan("second").unwrap().len(), 100);
    server.check();
}

#[test]
fn an_index_can_be_dropped_while_it_is_built_and_made_again() {
    let server = Server::new();
    for number in 0..300 {
        server.put(number, Some(1)).unwrap();
    }
    server.create("ports").unwrap();
    assert!(server.0.run_job_step().unwrap());
    let answer = server.drop("ports").unwrap();
    assert_eq!(answer["TableDescription"]["GlobalSecondaryIndexes"][0]["IndexStatus"], "DELETING");
    assert_eq!(server.index(), (None, Value::Null));
    assert_eq!(server.table()["AttributeDefinitions"].as_array().unwrap().len(), 1);
    server.put(7, Some(-7)).unwrap();
    server.create("ports").unwrap();
    // The job of the one before finds its index gone, and takes nothing for it that belongs to this one.
    server.finish();
    assert_eq!(server.scan("ports").unwrap().len(), 299);
    assert_eq!(server.drop("none").unwrap_err().code, "ResourceNotFoundException");
    server.drop("ports").unwrap();
    assert!(server.scan("ports").is_err());
    server.check();
}

#[test]
fn the_job_ends_when_the_table_goes() {
    let server = Server::new();
    for number in 0..300 {
        server.put(number, Some(1)).unwrap();
    }
    server.create("ports").unwrap();
    assert!(server.0.run_job_step().unwrap());
    server.call("DeleteTable", &json!({"TableName": "boats"})).unwrap();
    server.finish();
    let names: Vec<_> = server.0.status().unwrap().jobs.into_iter().map(|job| job.name).collect();
    assert!(!names.contains(&Some("dynamodb index build")), "{names:?}");
}
