//! What BatchGetItem has no room for.

use crate::model::Server;
use serde_json::{Value, json};

#[test]
fn a_batch_gets_what_there_is_room_for() {
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
    for id in 1..=42 {
        let item = json!({ "id": { "N": id.to_string() }, "v": { "S": text } });
        server.ask("PutItem", &json!({ "TableName": "Big", "Item": item }));
    }
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
