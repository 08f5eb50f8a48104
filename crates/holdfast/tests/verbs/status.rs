//! `holdfast status`.

use super::load::{Files, Server};
use super::{create, json, place, put, verb};
use serde_json::Value;

#[test]
fn status_tells_of_a_running_server() {
    let (_home, data) = place();
    let server = Server::start(&data, &["--history", "12h", "--services", "s3,dynamodb"]);
    let mut client = server.client();
    create(&mut client, "boats");
    put(&mut client, "boats", "ketch", 1);
    put(&mut client, "boats", "ketch", 2);

    let status = json(&data, &["status"]);
    assert_eq!(status["state"], "running");
    assert_eq!(status["pid"], server.id());
    assert_eq!(status["data_dir"], data.to_str().expect("text"));
    assert_eq!(status["version"], 3);
    assert_eq!(status["writing_ended"], Value::Null);
    assert!(status["listening"]["dynamodb"].as_str().is_some_and(|url| url.ends_with(&server.address())));
    assert!(status["mount"].is_string() && status["durability"].is_string());
    assert!(status["disk"]["free_bytes"].as_u64() <= status["disk"]["total_bytes"].as_u64());
    let inner = &status["server"];
    assert_eq!(inner["history"]["window_ms"], 12 * 3_600_000);
    assert!(inner["history"]["rows"].as_u64() >= Some(1), "the first item is in the past: {inner}");
    assert_eq!(status["tables"][0]["name"], "boats");
    assert_eq!(status["tables"][0]["items"], 1);
    assert!(inner["syncs"]["count"].as_u64() >= Some(3));
    for name in ["queue", "memtables", "block cache", "log without a table"] {
        let buffers = inner["buffers"].as_array().expect("buffers");
        let buffer = buffers.iter().find(|buffer| buffer["name"] == name).expect("a buffer");
        assert!(buffer["used"].as_u64() <= buffer["max"].as_u64(), "{buffer}");
        assert!(buffer["max"].as_u64() > Some(0), "{buffer}");
    }

    let said = verb(&data, &["status"]);
    assert_eq!((said.code, said.messages.as_str()), (Some(0), ""), "{said:?}");
    for text in ["running for ", "history      12 hours", "boats ", "queue ", "in reserve"] {
        assert!(said.out.contains(text), "{text} in {}", said.out);
    }
}

#[test]
fn status_of_a_stopped_directory_changes_nothing() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    create(&mut server.client(), "boats");
    assert_eq!(server.stop().0.code(), Some(0));
    assert!(!data.join("admin.sock").exists(), "it goes with the server");

    let before = Files::read(&data);
    let status = json(&data, &["status"]);
    assert_eq!((&status["state"], &status["version"]), (&"stopped".into(), &1.into()));
    assert_eq!(status["files"]["format"], 1);
    assert_eq!((&status["tables"][0]["name"], &status["more_tables"]), (&"boats".into(), &false.into()));
    assert!(status["files"]["parts"]["log"].as_u64() > Some(0));
    let said = verb(&data, &["status"]);
    assert!(said.out.contains("not running") && said.code == Some(0), "{said:?}");
    assert!(before == Files::read(&data), "nothing was written");

    let nothing = data.join("nothing");
    let said = verb(&nothing, &["status"]);
    assert_eq!(said.code, Some(1));
    assert!(said.messages.contains("no such directory") && said.messages.contains("\nhint: "), "{said:?}");
    assert!(!nothing.exists());
}

#[test]
fn status_tells_the_states_of_tables_and_indexes() {
    let (_home, data) = place();
    let server = Server::start(&data, &["--delay-transient-statuses"]);
    let body = r#"{"TableName":"ships","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
        "GlobalSecondaryIndexes":[{"IndexName":"by-n","KeySchema":[{"AttributeName":"n","KeyType":"HASH"}],
            "Projection":{"ProjectionType":"ALL"}}]}"#;
    let (code, body) = server.client().call("CreateTable", body).expect("answers");
    assert_eq!(code, 200, "{body}");
    let table = json(&data, &["status"])["tables"][0].clone();
    assert_eq!(table["state"], table["indexes"][0]["state"], "{table}");
    // Which of the two is a matter of time.
    assert!(["CREATING", "ACTIVE"].map(Value::from).contains(&table["state"]), "{table}");
}
