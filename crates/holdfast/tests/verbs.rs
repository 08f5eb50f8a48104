//! The verbs of the real binary, on a running server and on a stopped directory.

mod load;

use load::{Client, Files, Server};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
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
    assert_eq!(inner["tables"][0]["name"], "boats");
    assert_eq!(inner["tables"][0]["items"], 1);
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
fn trim_takes_history_of_both() {
    let (_home, data) = place();
    let said = verb(&data, &["trim", "--history", "1h"]);
    assert_eq!(said.code, Some(1), "there is no store to trim: {said:?}");
    assert!(said.messages.contains("no such directory") && !said.messages.contains("require"), "{said:?}");
    assert!(!data.exists(), "trim makes no store");

    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    let overwrite = |client: &mut Client| (0..20).for_each(|number| put(client, "boats", "ketch", number));
    overwrite(&mut client);
    let rows = server.metric("holdfast_history_rows");
    assert!(rows >= 19);
    let kept = json(&data, &["trim", "--history", "1h"]);
    assert_eq!((&kept["rows_removed"], &kept["rows"]), (&0.into(), &rows.into()));
    // Everything is trimmed but what happened in this very millisecond.
    overwrite(&mut client);
    let gone = json(&data, &["trim", "--history", "off"]);
    assert!(gone["rows_removed"].as_u64() >= Some(rows), "{gone}");
    overwrite(&mut client);
    assert_eq!(server.stop().0.code(), Some(0));

    let gone = json(&data, &["trim", "--history", "off"]);
    assert!(gone["rows_removed"].as_u64() > Some(0), "{gone}");
    let said = verb(&data, &["trim", "--history", "1h"]);
    assert!(said.code == Some(0) && said.out.is_empty(), "{said:?}");
    assert!(said.messages.contains("rows of history went"), "{said:?}");
}

#[test]
fn verbs_leave_history_off_where_it_was_off() {
    let (_home, data) = place();
    assert_eq!(Server::start(&data, &["--history", "off"]).stop().0.code(), Some(0));
    json(&data, &["trim", "--history", "1h"]);
    let said = verb(&data, &["reset", "--yes"]);
    assert!(said.code == Some(1) && said.messages.contains("\nhint: `--no-archive`"), "{said:?}");
    let done = json(&data, &["reset", "--yes", "--no-archive"]);
    assert_eq!(done["past_is_kept"], false);
    let server = Server::start(&data, &["--history", "off"]);
    assert_eq!(json(&data, &["status"])["server"]["history"]["kept"], false);
    drop(server);
}

#[test]
fn reset_drops_every_table_once_it_is_confirmed() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    for table in ["boats", "ropes", "sails"] {
        create(&mut client, table);
        put(&mut client, table, "one", 1);
    }
    let said = verb(&data, &["reset"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.messages.contains("\nhint: ") && said.messages.contains("`--yes`"), "{said:?}");
    assert!(tables(&mut client).contains("boats"));
    let done = json(&data, &["reset", "--yes"]);
    assert_eq!((&done["tables"], &done["past_is_kept"]), (&3.into(), &true.into()));
    assert_eq!(done["version_before"], 6);
    assert_eq!(tables(&mut client), r#"{"TableNames":[]}"#);
    create(&mut client, "boats");
    assert_eq!(server.stop().0.code(), Some(0));

    let done = json(&data, &["reset", "--yes", "--no-archive"]);
    assert_eq!(done["tables"], 1);
    let server = Server::start(&data, &[]);
    assert_eq!(tables(&mut server.client()), r#"{"TableNames":[]}"#);
    let said = verb(&data, &["reset", "--yes", "--no-archive"]);
    assert!(said.code == Some(0) && said.messages.contains("no tables"), "{said:?}");
}

#[test]
fn a_killed_server_leaves_a_socket_that_the_next_one_replaces() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let socket = std::fs::symlink_metadata(data.join("admin.sock")).expect("a socket");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600, "nobody else may connect");
    server.kill();
    assert!(data.join("admin.sock").exists());
    assert_eq!(json(&data, &["status"])["state"], "stopped");
    json(&data, &["trim", "--history", "1h"]);
    let server = Server::start(&data, &[]);
    assert_eq!(json(&data, &["status"])["pid"], server.id());
}

#[test]
fn a_directory_with_a_long_name_has_its_socket_too() {
    let (_home, data) = place();
    let data = data.join("d".repeat(120)).join("e".repeat(120));
    std::fs::create_dir_all(data.parent().expect("above")).expect("directories");
    let server = Server::start(&data, &[]);
    assert_eq!(json(&data, &["status"])["pid"], server.id());
    assert_eq!(server.stop().0.code(), Some(0));
    assert!(!data.join("admin.sock").exists());
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    std::fs::remove_file(data.join("admin.sock")).expect("removed");
    let accept = &["doctor", "--accept-loss"];
    for arguments in
        [&["status"][..], &["trim", "--history", "1h"], &["reset", "--yes", "--no-archive"], accept]
    {
        let said = verb(&data, arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.messages.contains(&format!("process {}", server.id())), "{said:?}");
        assert!(said.messages.contains("LOCK") && said.messages.contains("\nhint: "), "{said:?}");
    }
}

#[test]
fn garbage_on_the_socket_is_answered_and_does_no_harm() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let ask = |line: &str| {
        let mut stream = UnixStream::connect(data.join("admin.sock")).expect("connects");
        stream.write_all(line.as_bytes()).expect("sends");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        answer
    };
    for line in
        ["\n", "{}\n", "{\"verb\":\"dance\"}\n", "\"\\ud800\"\n", &format!("{}\n", "[".repeat(60_000))]
    {
        assert!(ask(line).starts_with(r#"{"failed":{"error":"#), "{line}");
    }
    assert!(ask("{\"verb\":\"status\"}\n").starts_with(r#"{"done":{"#));
    // One that says nothing does not keep the others, or the stop, waiting.
    let silent = UnixStream::connect(data.join("admin.sock")).expect("connects");
    assert_eq!(json(&data, &["status"])["state"], "running");
    assert_eq!(server.stop().0.code(), Some(0));
    drop(silent);
}

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
