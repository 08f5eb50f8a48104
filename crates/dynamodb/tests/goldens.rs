//! Runs the golden requests of `goldens/<operation>/*.json`, each file on an empty store in memory.
//!
//! A file is an object with `about`, which says what it shows and where its answers come from, and `steps`. A step has an
//! `operation`, a `request` (or a `body` as text, where it is no JSON), and either the `answer` or the `error` with `code`,
//! `message` and its further members; an answer without a body is `""`. Texts of the form `<x*2049>` stand for 2049 times `x`. Time, randomness, account and region are fixed:
//! the clock of each step is one second after the step before. With `delayed` in the file, tables show `CREATING` and `DELETING`
//! for a while.

use holdfast_aws::{Context, Error};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use holdfast_testkit::contrary::{Tally, Temper};
use holdfast_testkit::twice::Twins;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FIRST_MS: u64 = 1_764_000_000_123;

fn context(step: usize, delayed: bool) -> Context {
    Context {
        delay_transient_statuses: delayed,
        ..holdfast_testkit::context::context(FIRST_MS + 1000 * step as u64)
    }
}

fn run(store: &Store, context: &Context, operation: &str, body: &[u8]) -> Result<Vec<u8>, Error> {
    match holdfast_dynamodb::prepare(context, operation, body)? {
        Prepared::Read(read) => read.run(&store.snapshot()),
        Prepared::Write(write) => {
            let (submission, outcome) = store.execute(Submission::new(write));
            outcome.expect("the store in memory takes every write");
            submission.answer()
        }
    }
}

/// Replaces texts like `<x*2049>`.
fn expand(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(expand_text(text)),
        Value::Array(elements) => elements.iter().map(expand).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), expand(value))).collect(),
        other => other.clone(),
    }
}

fn expand_text(text: &str) -> String {
    let inner = text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let parts = inner.and_then(|inner| inner.rsplit_once('*'));
    match parts.and_then(|(part, count)| Some((part, count.parse::<usize>().ok()?))) {
        Some((part, count)) => part.repeat(count),
        None => text.to_owned(),
    }
}

fn shown(result: Result<Vec<u8>, Error>) -> Value {
    let parsed = |json: &str| serde_json::from_str(json).expect("a member is JSON");
    match result {
        Ok(body) if body.is_empty() => json!({ "answer": "" }),
        Ok(body) => json!({ "answer": serde_json::from_slice::<Value>(&body).expect("an answer is JSON") }),
        Err(error) => {
            let mut members = serde_json::Map::new();
            members.insert("code".to_owned(), json!(error.code));
            members.insert("message".to_owned(), json!(error.message));
            members.extend(error.extra.iter().map(|(name, value)| ((*name).to_owned(), parsed(value))));
            json!({ "error": members })
        }
    }
}

/// Runs the steps of a golden; `run` answers each.
fn check(path: &Path, mut run: impl FnMut(&Context, &str, &[u8]) -> Result<Vec<u8>, Error>) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a golden can be read");
    let golden: Value = serde_json::from_str(&text).expect("a golden is JSON");
    assert!(golden["about"].is_string(), "{} says what it is about", path.display());
    let delayed = golden["delayed"].as_bool().unwrap_or(false);
    let steps = golden["steps"].as_array().expect("a golden has steps");
    let mut wrong = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let operation = step["operation"].as_str().expect("a step has an operation");
        let body = match &step["body"] {
            Value::String(body) => body.clone(),
            _ => expand(&step["request"]).to_string(),
        };
        let mut expected = serde_json::Map::new();
        for member in ["answer", "error"] {
            if let Some(value) = step.get(member) {
                expected.insert(member.to_owned(), expand(value));
            }
        }
        let got = shown(run(&context(at, delayed), operation, body.as_bytes()));
        if got != Value::Object(expected.clone()) {
            let name = path.strip_prefix(root()).unwrap_or(path).display();
            wrong.push(format!(
                "{name}, step {} ({operation}):\n  expected {}\n  got      {got}",
                at + 1,
                Value::Object(expected)
            ));
        }
    }
    wrong
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    paths.sort();
    paths
}

#[test]
fn goldens() {
    let paths: Vec<PathBuf> = files(&root()).iter().flat_map(|folder| files(folder)).collect();
    let on_empty_store = |path: &PathBuf| {
        let store = Store::open(Options::in_memory()).expect("a store in memory opens");
        check(path, |context, operation, body| run(&store, context, operation, body))
    };
    let wrong: Vec<String> = paths.iter().flat_map(on_empty_store).collect();
    assert!(wrong.is_empty(), "{} of the goldens' steps went wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every operation gives the same answers and leaves the same rows, byte for byte, when the engine below refuses, leaves
/// outcomes unknown, takes little at once and gives one row at a time, and when the operation runs more than once.
#[test]
fn goldens_hold_on_a_contrary_engine() {
    let paths: Vec<PathBuf> = files(&root()).iter().flat_map(|folder| files(folder)).collect();
    let (mut wrong, mut faults) = (Vec::new(), 0);
    for seed in 0..24 {
        for path in &paths {
            let mut twins = Twins::new(seed, Temper::CONTRARY);
            wrong.extend(check(path, |context, operation, body| {
                twins.request(|| holdfast_dynamodb::prepare(context, operation, body))
            }));
            let Tally { refused, unknown, .. } = twins.tally();
            faults += refused + unknown;
        }
    }
    assert!(wrong.is_empty(), "{} of the goldens' steps went wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(faults > 100, "{faults} faults");
}

#[test]
fn every_operation_that_is_there_has_a_golden() {
    for operation in holdfast_dynamodb::OPERATIONS {
        let mut folder = String::new();
        for letter in operation.name.chars() {
            if letter.is_uppercase() && !folder.is_empty() {
                folder.push('_');
            }
            folder.push(letter.to_ascii_lowercase());
        }
        let there = root().join(&folder).is_dir();
        assert_eq!(there, operation.status != holdfast_dynamodb::Status::Missing, "goldens/{folder}");
    }
}
