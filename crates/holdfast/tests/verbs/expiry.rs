//! Time to live on the real binary: by the service clock, over restarts, and in the history of an item.

use super::load::{Client, Server};
use super::{json, place};
use serde_json::{Value, json as value};
use std::path::Path;

fn call(client: &mut Client, operation: &str, body: &Value) -> Value {
    let (status, body) = client.call(operation, &body.to_string()).expect("answers");
    assert_eq!(status, 200, "{operation}: {body}");
    serde_json::from_str(&body).expect("JSON")
}

fn create(client: &mut Client) {
    call(
        client,
        "CreateTable",
        &value!({
            "TableName": "sessions",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "AttributeDefinitions": [
                { "AttributeName": "id", "AttributeType": "S" },
                { "AttributeName": "user", "AttributeType": "S" },
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-user",
                "KeySchema": [{ "AttributeName": "user", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "ALL" },
            }],
        }),
    );
}

fn switch(client: &mut Client, enabled: bool) {
    let specification = value!({ "AttributeName": "ttl", "Enabled": enabled });
    call(
        client,
        "UpdateTimeToLive",
        &value!({ "TableName": "sessions", "TimeToLiveSpecification": specification }),
    );
}

fn put(client: &mut Client, id: &str, second: u64) {
    let item = value!({ "id": { "S": id }, "user": { "S": "u" }, "ttl": { "N": second.to_string() } });
    call(client, "PutItem", &value!({ "TableName": "sessions", "Item": item }));
}

/// How many items the table, or its index, shows.
fn count(client: &mut Client, index: Option<&str>) -> u64 {
    let mut body = value!({ "TableName": "sessions", "Select": "COUNT" });
    if let Some(index) = index {
        body["IndexName"] = index.into();
    }
    call(client, "Scan", &body)["Count"].as_u64().expect("a count")
}

/// Service time in seconds since 1970.
fn now(data: &Path) -> u64 {
    json(data, &["clock"])["service_ms"].as_u64().expect("a time") / 1_000
}

#[test]
fn items_expire_by_the_service_clock() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client);
    json(&data, &["clock", "freeze"]);
    let at = now(&data);
    put(&mut client, "before", at + 29 * 86_400);
    switch(&mut client, true);
    put(&mut client, "after", at + 30 * 86_400);
    put(&mut client, "later", at + 31 * 86_400);
    json(&data, &["clock", "advance", "30d"]);
    while count(&mut client, None) > 1 {}
    assert_eq!(count(&mut client, Some("by-user")), 1);
    let version = json(&data, &["history", "sessions", "after"])["versions"][0].clone();
    let told = [&version["what"], &version["origin"], &version["operation"], &version["principal"]];
    assert_eq!(told, ["remove", "ttl", "TimeToLive", "dynamodb.amazonaws.com"]);

    // It goes on after a restart, and nothing is written while nothing is due.
    assert_eq!(server.stop().0.code(), Some(0));
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    let described = call(&mut client, "DescribeTimeToLive", &value!({ "TableName": "sessions" }));
    let expected = value!({ "AttributeName": "ttl", "TimeToLiveStatus": "ENABLED" });
    assert_eq!(described["TimeToLiveDescription"], expected);
    let status = json(&data, &["status"]);
    let kinds: Vec<_> =
        status["server"]["jobs"].as_array().expect("jobs").iter().map(|job| &job["kind"]).collect();
    assert_eq!(kinds, ["dynamodb expiry"]);
    json(&data, &["clock", "advance", "1d"]);
    while count(&mut client, None) > 0 {}
    assert_eq!(json(&data, &["doctor", "--deep"])["healthy"], true);
    let status = json(&data, &["status"]);
    assert_eq!(status["version"], json(&data, &["status"])["version"]);
    assert_eq!(server.stop().0.code(), Some(0));
    assert_eq!(json(&data, &["doctor", "--deep"])["healthy"], true);
}

/// Both jobs are killed between their steps, wherever that is; they go on, and in the end everything is as the items say.
#[test]
fn a_killed_server_goes_on_making_rows_of_expiry_and_deleting() {
    const ITEMS: u64 = 3_000;
    let (_home, data) = place();
    let mut server = Server::start(&data, &["--memtable-bytes", "65536"]);
    let mut client = server.client();
    create(&mut client);
    json(&data, &["clock", "freeze"]);
    let at = now(&data);
    for first in (0..ITEMS).step_by(25) {
        let put = |number: u64| {
            let second = at + 60 + number % 2 * 86_400;
            let item = value!({ "id": { "S": format!("i{number}") }, "user": { "S": "u" }, "ttl": { "N": second.to_string() } });
            value!({ "PutRequest": { "Item": item } })
        };
        let requests: Vec<Value> = (first..first + 25).map(put).collect();
        call(&mut client, "BatchWriteItem", &value!({ "RequestItems": { "sessions": requests } }));
    }
    switch(&mut client, true);
    let status = |client: &mut Client| {
        let described = call(client, "DescribeTimeToLive", &value!({ "TableName": "sessions" }));
        described["TimeToLiveDescription"]["TimeToLiveStatus"].as_str().expect("a status").to_owned()
    };
    let mut kills = 0;
    while status(&mut client) == "ENABLING" && kills < 3 {
        server.kill();
        assert_eq!(json(&data, &["doctor", "--deep"])["healthy"], true);
        server = Server::start(&data, &["--memtable-bytes", "65536"]);
        client = server.client();
        kills += 1;
    }
    while status(&mut client) == "ENABLING" {}
    json(&data, &["clock", "advance", "1h"]);
    for _ in 0..3 {
        server.kill();
        assert_eq!(json(&data, &["doctor", "--deep"])["healthy"], true);
        server = Server::start(&data, &["--memtable-bytes", "65536"]);
        client = server.client();
    }
    // A scan may end with a page: the count of the table is exact.
    let items = |client: &mut Client| {
        let table = call(client, "DescribeTable", &value!({ "TableName": "sessions" }))["Table"].clone();
        let index = table["GlobalSecondaryIndexes"][0]["ItemCount"].as_u64();
        (table["ItemCount"].as_u64().expect("a count"), index.expect("a count"))
    };
    while items(&mut client).0 > ITEMS / 2 {}
    assert_eq!(items(&mut client), (ITEMS / 2, ITEMS / 2));
    assert_eq!(json(&data, &["doctor", "--deep"])["healthy"], true);
    switch(&mut client, false);
    assert_eq!(status(&mut client), "DISABLED");
    drop(server);
}
