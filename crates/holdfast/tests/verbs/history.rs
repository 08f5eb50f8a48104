//! `holdfast history`.

use super::load::{Files, Server};
use super::{create, json, place, put, tables, verb};
use serde_json::{Value, json};

#[test]
fn history_shows_the_versions_of_an_item_and_the_item_as_it_was() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    put(&mut client, "boats", "ketch", 1);
    put(&mut client, "boats", "yawl", 1);
    put(&mut client, "boats", "ketch", 2);
    let (status, body) =
        client.call("DeleteItem", r#"{"TableName":"boats","Key":{"id":{"S":"ketch"}}}"#).expect("answers");
    assert_eq!(status, 200, "{body}");

    // The same of the running server, of the stopped directory, and of the running server again.
    let mut server = Some(server);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let history = json(&data, &["history", "boats", r#"{"id":{"S":"ketch"}}"#]);
        let versions = history["versions"].as_array().expect("versions");
        let told: Vec<(u64, &str, &str)> = versions
            .iter()
            .map(|version| {
                let text = |name: &str| version[name].as_str().expect("text");
                (version["version"].as_u64().expect("a number"), text("what"), text("operation"))
            })
            .collect();
        let expected = [(5, "remove", "DeleteItem"), (4, "modify", "PutItem"), (2, "insert", "PutItem")];
        assert_eq!(told, expected);
        assert_eq!((&history["key"], &history["more"]), (&json!({"id":{"S":"ketch"}}), &false.into()));
        assert_eq!((&versions[0]["principal"], &versions[0]["origin"]), (&"test".into(), &"client".into()));
        assert_eq!((&versions[0]["size"], &versions[1]["size"]), (&Value::Null, &10.into()));

        let time = versions[1]["time"].as_str().expect("a time");
        for at in ["4", time] {
            let said = verb(&data, &["history", "boats", "ketch", "--at", at]);
            // Several versions may be of one millisecond: the newest of it counts.
            if said.code == Some(0) {
                assert_eq!(said.out, "{\"id\":{\"S\":\"ketch\"},\"n\":{\"N\":\"2\"}}\n", "{said:?}");
            }
            assert!(said.code == Some(0) || at == time, "{said:?}");
        }
        let then = json(&data, &["history", "boats", "id=ketch", "--at", "2"]);
        assert_eq!((&then["version"], &then["item"]["n"]), (&2.into(), &json!({"N":"1"})));
        let said = verb(&data, &["history", "boats", "ketch", "--at", "5"]);
        assert!(said.code == Some(1) && said.out.is_empty(), "{said:?}");
        assert!(said.messages.contains("no such item at version 5"), "{said:?}");

        // Longer than a key, and than what a running server reads.
        for length in [3_000, 70_000] {
            let said = verb(&data, &["history", "boats", &"k".repeat(length)]);
            assert!(said.code == Some(1) && said.messages.contains("too long"), "{said:?}");
        }

        let said = verb(&data, &["history", "boats", "ketch", "--limit", "1"]);
        assert!(said.out.starts_with("version  time ") && said.out.lines().count() == 2, "{said:?}");
        assert!(said.code == Some(0) && said.messages.contains("older versions"), "{said:?}");
        seen.push(verb(&data, &["history", "boats", "ketch"]).out);
        match server.take() {
            Some(server) => {
                assert_eq!(server.stop().0.code(), Some(0));
            }
            None => server = Some(Server::start(&data, &[])),
        }
    }
    assert!(seen[0].lines().count() == 4 && seen.iter().all(|text| *text == seen[0]), "{seen:?}");
}

#[test]
fn history_of_a_stopped_directory_changes_nothing_and_of_nothing_says_so() {
    let (_home, data) = place();
    let said = verb(&data, &["history", "boats", "ketch"]);
    assert!(said.code == Some(1) && said.messages.contains("no such directory"), "{said:?}");
    assert!(!data.exists());
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    put(&mut client, "boats", "ketch", 1);
    // What is in the log only is read too.
    server.kill();

    let before = Files::read(&data);
    assert_eq!(json(&data, &["history", "boats", "ketch"])["versions"].as_array().map(Vec::len), Some(1));
    for (arguments, message) in [
        (["history", "boats", "sloop"], "never was such an item"),
        (["history", "ships", "ketch"], "no table ships"),
        (["history", "boats", r#"{"name":{"S":"a"}}"#], "not a key of the table"),
        (["history", "boats", "{"], "not DynamoDB's JSON"),
        (["history", "boats", "id="], "is empty"),
    ] {
        let said = verb(&data, &arguments);
        assert!(said.code == Some(1) && said.messages.contains(message), "{said:?}");
    }
    for (at, code, message) in [
        ("1", 1, "no such item at version 1"),
        ("0", 1, "no table boats at version 0"),
        ("99", 1, "has not happened yet"),
        ("1999-12-31T00:00:00Z", 1, "no table boats at version 0"),
        ("yesterday", 2, "neither a version nor a time"),
    ] {
        let said = verb(&data, &["history", "boats", "ketch", "--at", at]);
        assert!(said.code == Some(code) && said.messages.contains(message), "{said:?}");
    }
    assert!(before == Files::read(&data), "nothing was written");
}

#[test]
fn history_ends_where_it_was_trimmed_and_outlives_its_table() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    put(&mut client, "boats", "ketch", 1);
    json(&data, &["reset", "--yes"]);
    assert_eq!(tables(&mut client), r#"{"TableNames":[]}"#);
    let history = json(&data, &["history", "boats", "ketch"]);
    assert_eq!(
        (&history["versions"][0]["what"], &history["versions"][0]["operation"]),
        (&"drop".into(), &"Reset".into())
    );
    assert_eq!(json(&data, &["history", "boats", "ketch", "--at", "2"])["item"]["n"], json!({"N":"1"}));

    create(&mut client, "boats");
    put(&mut client, "boats", "ketch", 2);
    put(&mut client, "boats", "ketch", 3);
    assert_eq!(json(&data, &["history", "boats", "ketch"])["versions"].as_array().map(Vec::len), Some(4));
    json(&data, &["trim", "--history", "off"]);
    // All but what happened in the very millisecond of the newest write may be gone.
    put(&mut client, "boats", "ketch", 4);
    json(&data, &["trim", "--history", "off"]);
    let history = json(&data, &["history", "boats", "ketch"]);
    let above = history["complete_above"].as_u64().expect("a version");
    assert!(above > 0, "{history}");
    let said = verb(&data, &["history", "boats", "ketch", "--at", "2"]);
    assert!(said.code == Some(1) && said.messages.contains("was trimmed"), "{said:?}");
    assert_eq!(server.stop().0.code(), Some(0));
}
