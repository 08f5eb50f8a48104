//! `holdfast doctor`.

use super::load::{Client, Files, Server};
use super::{Said, create, json, place, put, verb};
use serde_json::Value;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn doctor_of_a_running_server_reads_its_tables() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    create(&mut server.client(), "boats");
    assert_eq!(server.stop().0.code(), Some(0));
    let server = Server::start(&data, &[]);
    let checked = json(&data, &["doctor"]);
    assert!(
        checked["files"].as_u64() > Some(0) && checked["damage"] == Value::Array(Vec::new()),
        "{checked}"
    );
    let members = (&checked["state"], &checked["healthy"], &checked["data_dir"]);
    assert_eq!(members, (&"running".into(), &true.into(), &data.to_str().into()), "{checked}");
    let said = verb(&data, &["doctor"]);
    assert!(said.code == Some(0) && said.out.contains("Nothing is damaged"), "{said:?}");

    // Rot in two tables: the running server finds both, as a stopped one does, says so, and goes on.
    let tables = std::fs::read_dir(data.join("index")).expect("a directory");
    let mut tables: Vec<PathBuf> = tables.map(|entry| entry.expect("an entry").path()).collect();
    tables.sort();
    tables.truncate(2);
    for table in &tables {
        let mut bytes = std::fs::read(table).expect("read");
        bytes[20] ^= 1;
        std::fs::write(table, bytes).expect("written");
    }
    let names: Vec<&str> = tables
        .iter()
        .map(|table| table.file_name().and_then(|name| name.to_str()).expect("a name"))
        .collect();
    let names_all = |text: &str| names.len() == 2 && names.iter().all(|name| text.contains(name));
    let said = verb(&data, &["doctor"]);
    assert!(said.code == Some(1) && names_all(&said.out), "{said:?}");
    let said = verb(&data, &["doctor", "--json"]);
    let checked: Value = serde_json::from_str(&said.out).expect("JSON");
    assert!(said.code == Some(1) && checked["healthy"] == false, "{checked}");
    assert_eq!(checked["damage"].as_array().map(Vec::len), Some(2), "{checked}");
    let status = json(&data, &["status"]);
    assert!(names_all(&status["server"]["damage"].to_string()), "{status}");
    let console = status["listening"]["console"].as_str().expect("a listener");
    let health = Client::connect(console.trim_start_matches("http://")).get("/health").expect("answers");
    assert!(health.0 == 200 && health.1.contains("\"dynamodb\": \"available\""), "{health:?}");
    assert_eq!(server.stop().0.code(), Some(0));
    let before = Files::read(&data);
    let said = verb(&data, &["doctor"]);
    assert!(said.code == Some(1) && names_all(&said.out), "{said:?}");
    assert!(before == Files::read(&data), "nothing was written");
}

#[test]
fn doctor_of_a_stopped_directory_tells_what_is_there() {
    let (_home, data) = place();
    let said = verb(&data, &["doctor"]);
    assert!(said.code == Some(1) && said.out.contains("no such directory"), "{said:?}");
    let server = Server::start(&data, &[]);
    create(&mut server.client(), "boats");
    assert_eq!(server.stop().0.code(), Some(0));

    let before = Files::read(&data);
    let report = json(&data, &["doctor"]);
    assert_eq!((&report["healthy"], &report["starts"]), (&true.into(), &true.into()), "{report}");
    assert_eq!(report["witness"]["version"], 1, "{report}");
    assert_eq!(report["witness"]["commit"], report["log"]["last_commit"], "{report}");
    let said = verb(&data, &["doctor"]);
    assert!(said.code == Some(0) && said.out.contains("The store starts."), "{said:?}");
    assert!(before == Files::read(&data), "nothing was written");

    let said = verb(&data, &["doctor", "--accept-loss"]);
    assert!(said.code == Some(1) && said.messages.contains("nothing is lost"), "{said:?}");
    assert!(before == Files::read(&data), "nothing was written");
}

#[test]
fn doctor_is_the_way_out_of_a_damaged_log() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    (0..20).for_each(|number| put(&mut client, "boats", &format!("boat{number}"), number));
    server.kill();
    let segment = data.join("log").join("0000000000000001.log");
    let mut bytes = std::fs::read(&segment).expect("read");
    bytes[512 * 10 + 100] ^= 1;
    std::fs::write(&segment, bytes).expect("written");

    let refused = Server::try_start(&data, &[]).err().expect("damage is refused");
    assert!(refused.messages.contains("holdfast doctor"), "{refused:?}");
    let said = verb(&data, &["doctor"]);
    assert!(said.code == Some(1) && said.out.contains("--accept-loss"), "{said:?}");
    let loss = json(&data, &["doctor", "--accept-loss"]);
    assert!(loss["last_lost_version_proven"].as_u64() >= loss["first_lost_version"].as_u64(), "{loss}");
    assert!(Path::new(loss["kept"][0].as_str().expect("a path")).exists(), "{loss}");

    let server = Server::start(&data, &[]);
    let status = json(&data, &["status"]);
    assert_eq!(status["server"]["losses"][0]["first_version"], loss["first_lost_version"]);
    assert!(verb(&data, &["status"]).out.contains("were lost and given up"));
    let (status, body) = server
        .client()
        .call("GetItem", r#"{"TableName":"boats","Key":{"id":{"S":"boat0"}}}"#)
        .expect("answers");
    assert!(status == 200 && body.contains("boat0"), "what was before the damage is there: {body}");
    put(&mut server.client(), "boats", "boat19", 7);
}

/// A table with an index, and items in both.
fn create_indexed(client: &mut Client) {
    let body = r#"{"TableName":"ships","BillingMode":"PAY_PER_REQUEST",
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
        "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
        "GlobalSecondaryIndexes":[{"IndexName":"by-n","KeySchema":[{"AttributeName":"n","KeyType":"HASH"}],
            "Projection":{"ProjectionType":"ALL"}}]}"#;
    let (status, body) = client.call("CreateTable", body).expect("answers");
    assert_eq!(status, 200, "{body}");
    (0..50).for_each(|number| put(client, "ships", &format!("ship{number}"), number % 9));
}

/// Removes a row of the one index, past every operation.
struct RemoveRow;

impl holdfast_store::Operation for RemoveRow {
    fn info(&self) -> holdfast_store::CommitInfo {
        holdfast_store::CommitInfo::default()
    }

    fn run(&mut self, tx: &mut holdfast_store::Transaction<'_>) -> holdfast_store::Verdict {
        let entries = holdfast_state::catalog::list_all(tx, None, 9).expect("reads");
        let indexes = holdfast_dynamodb::inspect::indexes(&entries[0].1.record.definition).expect("reads");
        let space = indexes[0].space;
        let row = holdfast_store::Read::range(tx, space, Bound::Unbounded, Bound::Unbounded, false).next();
        let (row, _) = row.expect("a row").expect("reads");
        assert!(tx.delete(space, &row).expect("deletes"));
        holdfast_store::Verdict::Keep
    }
}

#[test]
fn doctor_deep_compares_items_index_rows_and_counters() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    create_indexed(&mut server.client());
    let status = json(&data, &["status"]);
    let index = &status["tables"][0]["indexes"][0];
    assert_eq!(
        (&index["name"], &index["scope"], &index["items"]),
        (&"by-n".into(), &"global".into(), &50.into())
    );
    assert!(index["bytes"].as_u64() > Some(0) && index["state"] == "ACTIVE", "{index}");
    assert!(verb(&data, &["status"]).out.contains("by-n (global index, ACTIVE)"));

    let sound = |contents: &Value| {
        assert_eq!((&contents["tables"], &contents["items"]), (&1.into(), &50.into()), "{contents}");
        assert_eq!((&contents["index_rows"], &contents["findings"]), (&50.into(), &Value::Array(Vec::new())));
    };
    assert_eq!(json(&data, &["doctor"])["contents"], Value::Null);
    sound(&json(&data, &["doctor", "--deep"])["contents"]);
    let said = verb(&data, &["doctor", "--deep"]);
    assert!(said.code == Some(0) && said.out.contains("looked at 50 items and 50 rows"), "{said:?}");
    assert_eq!(server.stop().0.code(), Some(0));
    let before = Files::read(&data);
    let report = json(&data, &["doctor", "--deep"]);
    sound(&report["contents"]);
    assert!(before == Files::read(&data), "nothing was written");

    let options = holdfast_store::Options { trimmer: false, ..holdfast_store::Options::at(&data) };
    let store = holdfast_store::Store::open(options).expect("opens");
    store.execute(RemoveRow).1.expect("commits");
    store.close(Duration::from_secs(60)).expect("closes");
    drop(store);
    // A program that another test starts at this moment has a copy of the lock until it runs.
    let in_use = |said: &Said| said.out.contains("in use by another process");
    while in_use(&verb(&data, &["doctor"])) {}
    let finds = |said: Said| {
        assert_eq!(said.code, Some(1), "{said:?}");
        for text in [
            "damage   table ships, index by-n, item {\"id\":{\"S\":\"ship",
            "the index has no row for the item",
        ] {
            assert!(said.out.contains(text), "{said:?}");
        }
    };
    finds(verb(&data, &["doctor", "--deep"]));
    assert_eq!(verb(&data, &["doctor"]).code, Some(0), "every file is as it was written");
    let server = Server::start(&data, &[]);
    finds(verb(&data, &["doctor", "--deep"]));
    let said = verb(&data, &["doctor", "--deep", "--json"]);
    let checked: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((said.code, &checked["healthy"]), (Some(1), &false.into()), "{checked}");
    let finding = &checked["contents"]["findings"][0];
    assert_eq!((&finding["table"], &finding["index"]), (&"ships".into(), &"by-n".into()), "{checked}");
    drop(server);
}

#[test]
fn doctor_deep_raises_no_false_alarm_under_load() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    create_indexed(&mut server.client());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for first in 0..3 {
            let (server, done) = (&server, &done);
            scope.spawn(move || {
                let mut client = server.client();
                let mut number = first;
                while !done.load(Ordering::Relaxed) {
                    number += 7;
                    put(&mut client, "ships", &format!("ship{}", number % 400), number % 13);
                }
            });
        }
        for _ in 0..5 {
            let contents = json(&data, &["doctor", "--deep"])["contents"].clone();
            let expected = (&Value::Array(Vec::new()), &Value::Array(Vec::new()));
            assert_eq!((&contents["findings"], &contents["notes"]), expected, "{contents}");
            assert!(contents["items"].as_u64() >= Some(50), "{contents}");
        }
        done.store(true, Ordering::Relaxed);
    });
}
