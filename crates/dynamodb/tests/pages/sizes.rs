//! What answers have no room for: whole items count, whatever is shown of them.

use crate::model::Server;
use serde_json::{Value, json};

/// A table of items of 400,000 bytes.
fn big(items: u32) -> Server {
    let server = Server::new();
    server.ask(
        "CreateTable",
        &json!({
            "TableName": "Big", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "N" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        }),
    );
    // 400,000 bytes each: the name and number of the key, the name and text of the other attribute.
    let text = "x".repeat(400_000 - 2 - 2 - 1);
    for id in 1..=items {
        let item = json!({ "id": { "N": id.to_string() }, "v": { "S": text } });
        server.ask("PutItem", &json!({ "TableName": "Big", "Item": item }));
    }
    server
}

#[test]
fn a_batch_gets_what_there_is_room_for() {
    let server = big(42);
    let keys = |ids: std::ops::RangeInclusive<u32>| -> Vec<Value> {
        ids.map(|id| json!({ "id": { "N": id.to_string() } })).collect()
    };
    let ask = |keys: Vec<Value>| {
        server.ask(
            "BatchGetItem",
            &json!({ "RequestItems": { "Big": { "Keys": keys, "ConsistentRead": true } } }),
        )
    };
    let answer = ask(keys(1..=40));
    assert_eq!(answer["Responses"]["Big"].as_array().unwrap().len(), 40);
    assert_eq!(answer["UnprocessedKeys"], json!({}));
    let answer = ask(keys(1..=42));
    assert_eq!(answer["Responses"]["Big"].as_array().unwrap().len(), 40);
    assert_eq!(
        answer["UnprocessedKeys"],
        json!({ "Big": { "Keys": keys(41..=42), "ConsistentRead": true } })
    );
    // Whole items count, though next to nothing of them is shown.
    let shown = json!({ "ProjectionExpression": "#i", "ExpressionAttributeNames": { "#i": "id" } });
    let mut request = shown.clone();
    request["Keys"] = json!(keys(1..=42));
    let answer = server.ask("BatchGetItem", &json!({ "RequestItems": { "Big": request } }));
    assert_eq!(answer["Responses"]["Big"], json!(keys(1..=40)));
    let mut rest = shown;
    rest["Keys"] = json!(keys(41..=42));
    assert_eq!(answer["UnprocessedKeys"], json!({ "Big": rest }));
}

#[test]
fn a_page_ends_at_a_megabyte_whatever_comes_back() {
    let server = big(5);
    let scan = |more: Value| {
        let mut request = json!({ "TableName": "Big", "ReturnConsumedCapacity": "TOTAL" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.ask("Scan", &request)
    };
    let whole = scan(json!({}));
    assert_eq!((&whole["Count"], &whole["ScannedCount"]), (&json!(3), &json!(3)));
    // 1,200,000 bytes are 293 blocks of 4 KB.
    assert_eq!(whole["ConsumedCapacity"]["CapacityUnits"], json!(146.5));
    let last = &whole["LastEvaluatedKey"];
    assert!(last.is_object());
    let filtered = scan(json!({ "FilterExpression": "attribute_not_exists(v)" }));
    let expected = json!({
        "Items": [], "Count": 0, "ScannedCount": 3, "LastEvaluatedKey": last,
        "ConsumedCapacity": whole["ConsumedCapacity"],
    });
    assert_eq!(filtered, expected);
    let shown = scan(json!({ "ProjectionExpression": "nope" }));
    let mut expected = expected;
    expected["Items"] = json!([{}, {}, {}]);
    expected["Count"] = json!(3);
    assert_eq!(shown, expected);
    let rest = scan(
        json!({ "FilterExpression": "attribute_exists(v)", "ExclusiveStartKey": last, "Select": "COUNT" }),
    );
    let units = json!({ "CapacityUnits": 98.0, "TableName": "Big" });
    assert_eq!(rest, json!({ "Count": 2, "ScannedCount": 2, "ConsumedCapacity": units }));
}

/// A filter of 4 KB that compares every item with a value of 400 KB 1,300 times would hold a thread for hours.
#[test]
fn a_page_ends_where_its_filter_has_looked_through_much() {
    let server = big(2);
    for id in 3..=4 {
        server.ask(
            "PutItem",
            &json!({ "TableName": "Big", "Item": { "id": { "N": id.to_string() }, "v": { "S": "y" } } }),
        );
    }
    let list = vec![":x"; 99].join(",");
    let filter = vec![format!("v IN (:y,{list})"); 13].join(" OR ");
    let mut request = json!({
        "TableName": "Big", "FilterExpression": filter, "ConsistentRead": true,
        "ExpressionAttributeValues": { ":x": { "S": "z".repeat(409_000) }, ":y": { "S": "y" } },
    });
    let mut found = Vec::new();
    for _ in 0..2 {
        let page = server.ask("Scan", &request);
        // Each costs a little less than 512 MB.
        assert_eq!(page["ScannedCount"], json!(2));
        found.extend(page["Items"].as_array().unwrap().iter().map(|item| item["id"]["N"].clone()));
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
    found.sort_by_key(Value::to_string);
    assert_eq!(found, [json!("3"), json!("4")]);
    assert_eq!(server.ask("Scan", &request)["ScannedCount"], json!(0));
}
