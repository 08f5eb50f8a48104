//! Requests of every operation, one after the other on an empty store in memory: `Operation body`, a line each.
//!
//! Whatever they say, each is answered with JSON or nothing, or refused, and never as a fault of the server.

#![no_main]

use holdfast_aws::context::IsolateBy;
use holdfast_aws::{Context, Error, RequestId};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use libfuzzer_sys::fuzz_target;

/// More requests of one input add time and nothing new.
const REQUESTS_MAX: usize = 16;

fn context(step: u64) -> Context {
    Context {
        account: "000000000000".into(),
        region: "eu-west-1".into(),
        access_key: "test".into(),
        host: "localhost:8000".into(),
        request_id: RequestId::from_random([7; 52]),
        now_ms: 1_764_000_000_000 + step,
        random: [7; 16],
        isolate_by: IsolateBy::default(),
        delay_transient_statuses: false,
    }
}

/// The operation that a text names; any other text stands for one of the list too.
fn operation(name: &[u8]) -> &'static str {
    let known = holdfast_dynamodb::OPERATIONS;
    let named = known.iter().find(|operation| operation.name.as_bytes() == name);
    let by_sum = || &known[name.iter().map(|byte| usize::from(*byte)).sum::<usize>() % known.len()];
    named.unwrap_or_else(by_sum).name
}

fn run(store: &Store, step: u64, operation: &str, body: &[u8]) -> Result<Vec<u8>, Error> {
    match holdfast_dynamodb::prepare(&context(step), operation, body)? {
        Prepared::Read(read) => read.run(&store.snapshot()),
        Prepared::Write(write) => {
            let (submission, outcome) = store.execute(Submission::new(write));
            outcome.expect("the store in memory takes every write");
            submission.answer()
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let store = Store::open(Options::in_memory()).expect("a store in memory opens");
    let lines = data.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    for (step, line) in lines.take(REQUESTS_MAX).enumerate() {
        let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, body) = (&line[..end], &line[(end + 1).min(line.len())..]);
        let operation = operation(name);
        match run(&store, step as u64, operation, body) {
            // Answers about tags have no body.
            Ok(answer) if answer.is_empty() => {}
            Ok(answer) => {
                let read: Result<serde_json::Value, _> = serde_json::from_slice(&answer);
                assert!(read.is_ok(), "{operation}: no JSON: {}", String::from_utf8_lossy(&answer));
            }
            Err(error) => assert!(error.status < 500, "{operation}: {error:?}"),
        }
    }
});
