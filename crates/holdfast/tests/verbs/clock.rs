//! `holdfast clock`.

use super::load::{Client, Files, Server};
use super::{create, json, place, verb};
use serde_json::Value;

/// When a table was created, as DynamoDB tells it: seconds since 1970.
fn created(client: &mut Client, table: &str) -> f64 {
    let (status, body) =
        client.call("DescribeTable", &format!(r#"{{"TableName":"{table}"}}"#)).expect("answers");
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).expect("JSON");
    body["Table"]["CreationDateTime"].as_f64().expect("a time")
}

/// Whether the clock differs from the real one, as `status` says it to people.
fn line_of_status(data: &std::path::Path) -> Option<String> {
    let said = verb(data, &["status"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    said.out.lines().find_map(|line| Some(line.strip_prefix("clock ")?.trim().to_owned()))
}

#[test]
fn the_clock_of_a_running_server_stands_moves_and_runs() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    let shown = json(&data, &["clock"]);
    assert_eq!((&shown["state"], &shown["ahead_ms"]), (&"real".into(), &0.into()));
    assert_eq!(line_of_status(&data), None);
    assert_eq!(json(&data, &["status"])["clock"]["state"], "real");

    let frozen = json(&data, &["clock", "freeze"]);
    assert_eq!((&frozen["state"], &frozen["version"]), (&"frozen".into(), &1.into()));
    create(&mut client, "boats");
    let at = frozen["service_ms"].as_f64().expect("a time") / 1_000.0;
    assert_eq!(created(&mut client, "boats"), at);
    let set = json(&data, &["clock", "set", "2031-02-03T04:05:06.7Z"]);
    assert_eq!((&set["time"], &set["state"]), (&"2031-02-03T04:05:06.700Z".into(), &"frozen".into()));
    assert_eq!(set["version"], 3);
    let advanced = json(&data, &["clock", "advance", "1d12h"]);
    assert_eq!(advanced["time"], "2031-02-04T16:05:06.700Z");
    let line = line_of_status(&data).expect("it is not real");
    assert!(line.starts_with("2031-02-04T16:05:06.700Z: it STANDS, "), "{line}");
    create(&mut client, "ropes");
    assert_eq!(created(&mut client, "ropes"), 1_927_987_506.7);

    // It is one setting of the store, and stays.
    assert_eq!(server.stop().0.code(), Some(0));
    let server = Server::start(&data, &[]);
    assert_eq!(json(&data, &["clock", "show"])["time"], "2031-02-04T16:05:06.700Z");
    let runs = json(&data, &["clock", "resume"]);
    assert_eq!(runs["state"], "moved");
    assert!(runs["service_ms"].as_u64() >= Some(1_927_987_506_700), "{runs}");
    let early = json(&data, &["clock", "set", "1000000000"]);
    assert_eq!(early["state"], "moved");
    assert!(early["ahead_ms"].as_i64() < Some(0), "{early}");
    assert!(
        line_of_status(&data)
            .is_some_and(|line| line.contains("it runs, ") && line.ends_with("behind real time"))
    );
    let real = json(&data, &["clock", "resume", "--real"]);
    assert_eq!((&real["state"], &real["ahead_ms"]), (&"real".into(), &0.into()));
    assert_eq!(line_of_status(&data), None);

    let said = verb(&data, &["clock", "advance", "9000w", "--json"]);
    assert_eq!(said.code, Some(0), "within the years: {said:?}");
    let said = verb(&data, &["clock", "advance", "500000w"]);
    assert!(said.code == Some(1) && said.messages.contains("the year 9999"), "{said:?}");
    assert!(server.stop().1.contains("Holdfast"));
    // Who starts it again is told.
    let (_, messages) = Server::start(&data, &[]).stop();
    assert!(
        messages.contains("clock      ") && messages.contains("`holdfast clock resume --real`"),
        "{messages}"
    );
}

#[test]
fn the_clock_of_a_stopped_directory() {
    let (_home, data) = place();
    for arguments in [&["clock"][..], &["clock", "freeze"]] {
        let said = verb(&data, arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.messages.contains("no such directory") && !data.exists(), "{said:?}");
    }
    let server = Server::start(&data, &[]);
    create(&mut server.client(), "boats");
    assert_eq!(server.stop().0.code(), Some(0));
    let set = json(&data, &["clock", "set", "2030-01-01T00:00:00Z"]);
    assert_eq!((&set["state"], &set["version"]), (&"moved".into(), &2.into()));
    let frozen = json(&data, &["clock", "freeze"]);

    let before = Files::read(&data);
    assert_eq!(json(&data, &["clock"])["time"], frozen["time"]);
    assert_eq!(json(&data, &["status"])["clock"]["time"], frozen["time"]);
    assert!(line_of_status(&data).is_some_and(|line| line.starts_with("2030-01-01T00:")));
    assert!(before == Files::read(&data), "nothing was written");
    for wrong in [["set", "yesterday"], ["advance", "5"], ["advance", "-5d"], ["set", "1795525559000"]] {
        let said = verb(&data, &[&["clock"][..], &wrong].concat());
        assert_eq!(said.code, Some(2), "{said:?}");
    }
    assert!(before == Files::read(&data), "nothing was written");

    let server = Server::start(&data, &[]);
    assert_eq!(json(&data, &["clock"])["time"], frozen["time"]);
    drop(server);
}

#[test]
fn what_waits_for_service_time_runs_when_it_is_moved() {
    let (_home, data) = place();
    let server = Server::start(&data, &["--delay-transient-statuses"]);
    let mut client = server.client();
    json(&data, &["clock", "freeze"]);
    create(&mut client, "boats");
    json(&data, &["clock", "advance", "3s"]);
    let (status, body) = client.call("DeleteTable", r#"{"TableName":"boats"}"#).expect("answers");
    assert_eq!(status, 200, "{body}");
    let jobs = || json(&data, &["status"])["server"]["jobs"].as_array().expect("jobs").len();
    // Service time stands: however long it takes, the table is in deletion.
    assert_eq!(jobs(), 1);
    assert_eq!(json(&data, &["status"])["tables"][0]["state"], "DELETING");
    json(&data, &["clock", "advance", "1h"]);
    while jobs() > 0 {}
    drop(server);
}
