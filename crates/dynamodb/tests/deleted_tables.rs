//! Where statuses are delayed, a deleted table goes though nobody asks for it again.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::{Context, Error};
use holdfast_dynamodb::table::{TRANSIENT_MS, TableDefinition};
use holdfast_dynamodb::{Prepared, jobs};
use holdfast_state::catalog::{self, CatalogEntry};
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Read, SpaceId, Store, TimeSource};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const START_MS: u64 = 1_764_000_000_000;

/// A clock that stands where it was put.
#[derive(Debug)]
struct Hands(AtomicU64);

impl TimeSource for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Server {
    store: Store,
    hands: Arc<Hands>,
}

impl Server {
    fn new() -> Self {
        let hands = Arc::new(Hands(AtomicU64::new(START_MS)));
        let clock = Arc::clone(&hands) as Arc<dyn TimeSource>;
        let options = Options { clock, trimmer: false, jobs: jobs::kinds(), ..Options::in_memory() };
        Self { store: Store::open(options).unwrap(), hands }
    }

    fn call(&self, operation: &str, body: &str) -> Result<String, Error> {
        let context = Context {
            delay_transient_statuses: true,
            ..holdfast_testkit::context::context(self.hands.now_ms())
        };
        let body = match holdfast_dynamodb::prepare(&context, operation, body.as_bytes())? {
            Prepared::Read(read) => read.run(&self.store.snapshot()),
            Prepared::Write(write) => {
                let (submission, outcome) = self.store.execute(Submission::new(write));
                outcome.unwrap();
                submission.answer()
            }
        };
        body.map(|body| String::from_utf8(body).unwrap())
    }

    fn create(&self) {
        let body = r#"{"TableName":"Music","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
            "GlobalSecondaryIndexes":[{"IndexName":"all","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
                "Projection":{"ProjectionType":"ALL"}}]}"#;
        self.call("CreateTable", body).unwrap();
        self.wait(TRANSIENT_MS);
    }

    fn delete(&self) {
        self.call("DeleteTable", r#"{"TableName":"Music"}"#).unwrap();
    }

    fn wait(&self, ms: u64) {
        self.hands.0.fetch_add(ms, Ordering::Relaxed);
    }

    fn entries(&self) -> Vec<CatalogEntry> {
        let entries = catalog::list_all(&self.store.snapshot(), None, 10).unwrap();
        entries.into_iter().map(|(_, entry)| entry.record).collect()
    }

    /// Whether any of the spaces is still there.
    fn any(&self, spaces: &[SpaceId]) -> bool {
        let now = self.store.snapshot();
        spaces.iter().any(|space| now.space(*space).unwrap().is_some_and(|record| record.dropped.is_none()))
    }
}

/// The spaces of a table and its indexes.
fn spaces(entry: &CatalogEntry) -> Vec<SpaceId> {
    let derived = TableDefinition::derived_spaces(&entry.definition).unwrap();
    derived.into_iter().map(|(space, _)| space).chain([entry.space]).collect()
}

#[test]
fn a_deleted_table_goes_by_itself() {
    let server = Server::new();
    server.create();
    let spaces = spaces(&server.entries()[0]);
    server.delete();
    server.wait(TRANSIENT_MS - 1);
    assert!(!server.store.run_job_step().unwrap(), "not yet");
    assert!(server.any(&spaces) && server.entries().len() == 1);
    server.wait(1);
    let gone = server.call("DescribeTable", r#"{"TableName":"Music"}"#).unwrap_err();
    assert_eq!(gone.code, "ResourceNotFoundException", "gone on time, though the job has not come");
    assert!(server.store.run_job_step().unwrap());
    assert!(!server.any(&spaces) && server.entries().is_empty());
    assert!(!server.store.run_job_step().unwrap(), "that was all");
}

#[test]
fn the_job_of_a_deleted_table_leaves_a_later_one_of_its_name_alone() {
    let server = Server::new();
    server.create();
    let first = spaces(&server.entries()[0]);
    server.delete();
    server.wait(TRANSIENT_MS);
    server.create();
    assert!(!server.any(&first), "the name was taken anew before the job came");
    let second = spaces(&server.entries()[0]);
    assert!(server.store.run_job_step().unwrap());
    assert!(server.any(&second) && server.entries().len() == 1);
    assert!(server.store.status().unwrap().jobs.is_empty());
}
