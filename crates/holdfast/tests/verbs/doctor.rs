//! `holdfast doctor`.

use super::load::{Client, Files, Server};
use super::{create, json, place, put, verb};
use serde_json::Value;
use std::path::{Path, PathBuf};

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
