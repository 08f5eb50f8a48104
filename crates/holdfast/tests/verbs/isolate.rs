//! `serve --isolate-by`, and what verbs see of it.

use super::load::{Client, Server};
use super::{create, json, place, put, tables, verb};
use std::path::Path;
use std::process::Command;

fn client(server: &Server, key: &str, region: &str) -> Client {
    server.client().signed_by(key, region)
}

/// The names that each of four signers sees: two keys in two regions.
fn seen(server: &Server) -> [String; 4] {
    [("one", "eu-west-1"), ("one", "us-east-1"), ("two", "eu-west-1"), ("two", "us-east-1")].map(
        |(key, region)| {
            let listed: serde_json::Value =
                serde_json::from_str(&tables(&mut client(server, key, region))).expect("JSON");
            let names = listed["TableNames"].as_array().expect("names").iter();
            names.map(|name| name.as_str().expect("a name")).collect::<Vec<_>>().join(" ")
        },
    )
}

/// Starts with a separation, and lets the first signer create a table named after it.
fn start(data: &Path, isolate_by: &str, table: &str) -> Server {
    let server = Server::start(data, &["--isolate-by", isolate_by]);
    create(&mut client(&server, "one", "eu-west-1"), table);
    server
}

#[test]
fn who_is_separated_sees_tables_of_their_own_and_the_others_again_later() {
    let (_home, data) = place();
    for (isolate_by, expected) in [
        ("none", ["none", "none", "none", "none"]),
        ("key", ["key", "key", "", ""]),
        ("region", ["region", "none", "region", "none"]),
        ("key,region", ["both", "", "", ""]),
    ] {
        let name = if isolate_by == "key,region" { "both" } else { isolate_by };
        let server = Server::start(&data, &["--isolate-by", isolate_by]);
        // Regions without tables of their own do not show everybody's.
        let expected =
            expected.map(|names| if isolate_by == "region" && names == "none" { "" } else { names });
        create(&mut client(&server, "one", "eu-west-1"), name);
        assert_eq!(seen(&server), expected, "{isolate_by}");
        assert_eq!(server.stop().0.code(), Some(0));
    }
    // What was made with one separation is there under the same one only, and never gone.
    for (isolate_by, expected) in
        [("none", "none"), ("region,key", "both"), ("key", "key"), ("region", "region")]
    {
        let server = Server::start(&data, &["--isolate-by", isolate_by]);
        assert_eq!(seen(&server)[0], expected);
        let status = json(&data, &["status"]);
        assert_eq!(status["tables"].as_array().map(Vec::len), Some(4), "{status}");
    }
}

#[test]
fn names_items_tokens_and_deletions_are_those_of_one_data_set() {
    let (_home, data) = place();
    let server = start(&data, "key,region", "boats");
    let mut one = client(&server, "one", "eu-west-1");
    let mut two = client(&server, "two", "eu-west-1");
    create(&mut two, "boats");
    put(&mut one, "boats", "ketch", 1);
    put(&mut two, "boats", "yawl", 2);
    let get = r#"{"TableName":"boats","Key":{"id":{"S":"ketch"}}}"#;
    assert_eq!(
        one.call("GetItem", get).expect("answers").1,
        r#"{"Item":{"id":{"S":"ketch"},"n":{"N":"1"}}}"#
    );
    assert_eq!(two.call("GetItem", get).expect("answers").1, "{}");

    // A token means the same request to each of them, and another transaction.
    let transaction = |key: &str| {
        let put = format!(r#"{{"Put":{{"TableName":"boats","Item":{{"id":{{"S":"{key}"}}}}}}}}"#);
        format!(r#"{{"ClientRequestToken":"token","TransactItems":[{put}]}}"#)
    };
    for (is_first, key) in [(true, "sloop"), (false, "cutter"), (true, "sloop")] {
        let client = if is_first { &mut one } else { &mut two };
        let (status, body) = client.call("TransactWriteItems", &transaction(key)).expect("answers");
        assert_eq!(status, 200, "{body}");
    }
    let (status, body) = one.call("TransactWriteItems", &transaction("cutter")).expect("answers");
    assert!(status == 400 && body.contains("IdempotentParameterMismatch"), "{body}");

    // Regions and accounts in ARNs are those of requests; ARNs lead nowhere else.
    let (_, described) = two.call("DescribeTable", r#"{"TableName":"boats"}"#).expect("answers");
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/boats";
    assert!(described.contains(&format!(r#""TableArn":"{arn}""#)), "{described}");

    let local = r#"{"TableName":"arn:aws:dynamodb:ddblocal:000000000000:table/boats"}"#;
    let (_, described) = two.call("DescribeTable", local).expect("answers");
    assert!(described.contains(arn), "{described}");
    let mut abroad = client(&server, "two", "us-east-1");
    create(&mut abroad, "boats");
    for (client, status) in [(&mut two, 200), (&mut abroad, 400)] {
        for operation in
            ["DescribeTable", "Scan", "DeleteTable"].into_iter().take(if status == 200 { 2 } else { 3 })
        {
            let answer = client.call(operation, &format!(r#"{{"TableName":"{arn}"}}"#)).expect("answers");
            assert_eq!(answer.0, status, "{answer:?}");
            assert!(status == 200 || answer.1.contains("Invalid AWS region in 'arn:"), "{answer:?}");
        }
    }

    assert_eq!(two.call("DeleteTable", r#"{"TableName":"boats"}"#).expect("answers").0, 200);
    assert_eq!(tables(&mut one), r#"{"TableNames":["boats"]}"#);
    assert_eq!(tables(&mut two), r#"{"TableNames":[]}"#);
}

#[test]
fn delayed_deletions_find_their_data_set() {
    let (_home, data) = place();
    let server = Server::start(&data, &["--isolate-by", "key,region", "--delay-transient-statuses"]);
    let mut one = client(&server, "one", "eu-west-1");
    let mut two = client(&server, "two", "us-east-1");
    for client in [&mut one, &mut two] {
        create(client, "boats");
    }
    json(&data, &["clock", "freeze"]);
    json(&data, &["clock", "advance", "1h"]);
    assert_eq!(two.call("DeleteTable", r#"{"TableName":"boats"}"#).expect("answers").0, 200);
    json(&data, &["clock", "advance", "1h"]);
    assert_eq!(tables(&mut two), r#"{"TableNames":[]}"#);
    assert_eq!(tables(&mut one), r#"{"TableNames":["boats"]}"#);
    create(&mut two, "boats");
}

#[test]
fn verbs_see_the_tables_of_all() {
    let (_home, data) = place();
    let server = start(&data, "key,region", "boats");
    let mut one = client(&server, "one", "eu-west-1");
    let mut two = client(&server, "two", "us-east-1");
    create(&mut two, "boats");
    create(&mut two, "ships");
    put(&mut one, "boats", "ketch", 1);
    put(&mut two, "boats", "ketch", 2);
    put(&mut two, "ships", "brig", 3);

    let mut server = Some(server);
    for _ in 0..2 {
        let status = json(&data, &["status"]);
        let listed: Vec<_> = status["tables"].as_array().expect("tables").iter().collect();
        let told = listed.iter().map(|table| {
            ["access_key", "region", "name"].map(|name| table[name].as_str().unwrap_or("-")).join(" ")
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["one eu-west-1 boats", "two us-east-1 boats", "two us-east-1 ships"]
        );
        let said = verb(&data, &["status"]);
        assert!(said.out.contains("boats of key one, region eu-west-1"), "{said:?}");
        let deep = json(&data, &["doctor", "--deep"]);
        assert_eq!(
            (&deep["contents"]["tables"], &deep["contents"]["items"]),
            (&3.into(), &3.into()),
            "{deep}"
        );

        let said = verb(&data, &["history", "boats", "ketch"]);
        assert!(
            said.code == Some(1) && said.messages.contains("key one, region eu-west-1; key two"),
            "{said:?}"
        );
        let of = |key: &str, region: &str| {
            let asked = ["history", "boats", "ketch", "--of-key", key, "--of-region", region];
            let history = json(&data, &asked);
            let newest = history["versions"][0]["version"].to_string();
            json(&data, &[&asked[..], &["--at", &newest]].concat())["item"]["n"]["N"].clone()
        };
        assert_eq!([of("one", "eu-west-1"), of("two", "us-east-1")], ["1", "2"]);
        // The only one of its name needs no more.
        assert_eq!(json(&data, &["history", "ships", "brig"])["versions"].as_array().map(Vec::len), Some(1));
        let said = verb(&data, &["history", "boats", "ketch", "--of-key", "one"]);
        assert!(said.code == Some(1) && said.messages.contains("no table boats of key one"), "{said:?}");
        if let Some(server) = server.take() {
            assert_eq!(server.stop().0.code(), Some(0));
        }
    }

    let server = Server::start(&data, &["--isolate-by", "key,region"]);
    assert_eq!(json(&data, &["status"])["server"]["isolated"], "each access key in each region");
    assert_eq!(json(&data, &["reset", "--yes"])["tables"], 3);
    assert_eq!(tables(&mut client(&server, "two", "us-east-1")), r#"{"TableNames":[]}"#);
    let said = server.kill();
    assert!(said.contains("each access key in each region has its own"), "{said}");
}

#[test]
fn keys_of_any_characters_have_their_own_and_too_long_ones_are_refused() {
    let (_home, data) = place();
    let server = Server::start(&data, &["--isolate-by", "key"]);
    let longest = "k".repeat(128);
    let keys = ["000000000000", "te-st", "a.b_c", "a:b+c", "A", "a", &longest];
    for (at, key) in keys.iter().enumerate() {
        create(&mut client(&server, key, "r"), &format!("table{at}"));
    }
    for (at, key) in keys.iter().enumerate() {
        let expected = format!(r#"{{"TableNames":["table{at}"]}}"#);
        assert_eq!(tables(&mut client(&server, key, "another")), expected, "{key}");
    }
    for (key, region) in [(format!("{longest}k"), "r".to_owned()), ("k".to_owned(), "r".repeat(129))] {
        let refused = client(&server, &key, &region).call("ListTables", "{}").expect("answers");
        assert_eq!(refused.0, 400, "{refused:?}");
    }
}

#[test]
fn a_separation_that_is_none_ends_the_start() {
    let (_home, data) = place();
    let refused = Server::try_start(&data, &["--isolate-by", "account"]).err().expect("refused");
    assert!(refused.code == Some(2) && refused.messages.contains("`account`"), "{refused:?}");
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .env("HOLDFAST_ISOLATE_BY", "account")
        .args(["--in-memory"])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
