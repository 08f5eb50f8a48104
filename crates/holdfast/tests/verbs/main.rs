//! The verbs of the real binary, on a running server and on a stopped directory.

mod change;
mod clock;
mod console;
mod doctor;
mod env;
mod expiry;
mod history;
mod isolate;
#[path = "../load/mod.rs"]
mod load;
mod socket;
mod status;

use load::Client;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a verb has said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    messages: String,
}

/// Runs a verb on a directory, with nobody at the terminal.
fn verb(dir: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Said { code: output.status.code(), out: text(output.stdout), messages: text(output.stderr) }
}

/// Runs a verb that must succeed with `--json`; the object it prints.
fn json(dir: &Path, arguments: &[&str]) -> Value {
    let said = verb(dir, &[arguments, &["--json"]].concat());
    assert_eq!(said.code, Some(0), "{said:?}");
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn create(client: &mut Client, table: &str) {
    let body = format!(
        r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],"AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}]}}"#
    );
    let (status, body) = client.call("CreateTable", &body).expect("answers");
    assert_eq!(status, 200, "{body}");
}

fn put(client: &mut Client, table: &str, key: &str, number: u32) {
    let body = format!(r#"{{"TableName":"{table}","Item":{{"id":{{"S":"{key}"}},"n":{{"N":"{number}"}}}}}}"#);
    let (status, body) = client.call("PutItem", &body).expect("answers");
    assert_eq!(status, 200, "{body}");
}

fn tables(client: &mut Client) -> String {
    client.call("ListTables", "{}").expect("answers").1
}

/// A directory that does not exist yet, in one that goes with the test.
fn place() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    (home, data)
}
