//! Requests with as many entries as fit into them: each is answered after one look at every entry. Where each would be compared
//! with each, these tests would take minutes.

use serde_json::{Value, json};

const MANY: usize = 100_000;

fn refusal(operation: &str, request: &Value) -> String {
    let context = holdfast_testkit::context::context(1);
    let prepared = holdfast_dynamodb::prepare(&context, operation, request.to_string().as_bytes());
    prepared.expect_err("too many of anything").message.to_string()
}

fn definitions(count: usize) -> Vec<Value> {
    (0..count).map(|at| json!({ "AttributeName": format!("a{at:06}"), "AttributeType": "S" })).collect()
}

fn create(definitions: &[Value], indexes: &[Value]) -> Value {
    json!({
        "TableName": "Many", "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": definitions,
        "KeySchema": [{ "AttributeName": "a000000", "KeyType": "HASH" }],
        "GlobalSecondaryIndexes": indexes,
    })
}

fn index(at: usize) -> Value {
    json!({
        "IndexName": format!("i{at:06}"), "Projection": { "ProjectionType": "ALL" },
        "KeySchema": [{ "AttributeName": format!("a{at:06}"), "KeyType": "HASH" }],
    })
}

#[test]
fn definitions_and_indexes() {
    let definitions = definitions(MANY);
    let indexes: Vec<Value> = (0..MANY).map(index).collect();
    let text = refusal("CreateTable", &create(&definitions, &indexes));
    assert!(text.ends_with("GlobalSecondaryIndex count exceeds the per-table limit of 20"), "{text}");
    let text = refusal("CreateTable", &create(&definitions, &indexes[..1]));
    assert!(
        text.starts_with("One or more parameter values were invalid: Some AttributeDefinitions"),
        "{text:.200}"
    );
}

#[test]
fn placeholders() {
    // All are refused together, after the expression has found thousands among them.
    let values: serde_json::Map<String, Value> =
        (0..MANY).map(|at| (format!(":v{at:06}"), json!({ "N": "1" }))).collect();
    let names: serde_json::Map<String, Value> =
        (0..MANY).map(|at| (format!("#n{at:06}"), json!("a"))).collect();
    let used: Vec<String> = (MANY - 90..MANY).map(|at| format!("#n{at:06} <> :v{at:06}")).collect();
    let text = refusal(
        "Query",
        &json!({
            "TableName": "Many", "KeyConditionExpression": used.join(" OR "),
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
        }),
    );
    assert!(text.contains("unused in expressions: keys: {#n000000, #n000001, "), "{text:.200}");
}
