//! Whole answers byte by byte: members in the order of their names, units as AWS writes them.
#![allow(clippy::unwrap_used, reason = "tests")]

use expect_test::{Expect, expect};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Store};
use serde_json::{Value, json};

struct Server(Store);

impl Server {
    fn new() -> Self {
        Self(Store::open(Options::in_memory()).unwrap())
    }

    fn ask(&self, operation: &str, request: &Value) -> String {
        let context = holdfast_testkit::context::context(1_764_000_000_123);
        let body = request.to_string();
        let body = match holdfast_dynamodb::prepare(&context, operation, body.as_bytes()).unwrap() {
            Prepared::Read(read) => read.run(&self.0.snapshot()).unwrap(),
            Prepared::Write(write) => {
                let (submission, outcome) = self.0.execute(Submission::new(write));
                outcome.unwrap();
                submission.answer().unwrap()
            }
        };
        String::from_utf8(body).unwrap()
    }

    /// A table `pk`, `sk` with a global and a local index.
    fn create(&self, table: &str) {
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let definitions =
            ["g", "l", "pk", "sk"].map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
        let create = json!({
            "TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": definitions,
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "GlobalSecondaryIndexes": [{
                "IndexName": "global", "KeySchema": [key("g", "HASH")], "Projection": { "ProjectionType": "ALL" },
            }],
            "LocalSecondaryIndexes": [{
                "IndexName": "local", "KeySchema": [key("pk", "HASH"), key("l", "RANGE")],
                "Projection": { "ProjectionType": "KEYS_ONLY" },
            }],
        });
        self.ask("CreateTable", &create);
    }

    fn check(&self, operation: &str, request: Value, expected: &Expect) {
        expected.assert_eq(&self.ask(operation, &request));
    }
}

fn item(sk: &str) -> Value {
    json!({ "pk": { "S": "p" }, "sk": { "S": sk }, "g": { "S": "g" }, "l": { "S": "l" } })
}

fn key(sk: &str) -> Value {
    json!({ "pk": { "S": "p" }, "sk": { "S": sk } })
}

/// Lengths and checksums are those that came with answers of AWS: of a put (us-east-1, November 2025), of a batch (us-east-1,
/// November 2023), and of a query as an SDK of AWS has it in its tests.
#[test]
fn promise_answers_are_those_of_aws_byte_by_byte() {
    let server = Server::new();
    let check = |operation: &str, request: Value, length: usize, crc32: u32| {
        let body = server.ask(operation, &request);
        assert_eq!((body.len(), crc32fast::hash(body.as_bytes())), (length, crc32), "{body}");
    };
    let (reply, mails) = ("de-c2w1-dynamodb-Reply", "core-mail-data-1");
    server.create(reply);
    server.create(mails);
    let put = json!({ "TableName": reply, "Item": key("1"), "ReturnConsumedCapacity": "TOTAL" });
    check("PutItem", put, 79, 4_237_884_917);
    let put = |at: usize| json!({ "PutRequest": { "Item": key(&at.to_string()) } });
    let puts: Vec<Value> = (0..20).map(put).collect();
    let batch = json!({ "RequestItems": { mails: puts }, "ReturnConsumedCapacity": "TOTAL" });
    check("BatchWriteItem", batch, 98, 2_598_397_897);
    let query = json!({
        "TableName": reply, "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": { ":p": { "S": "none" } },
    });
    check("Query", query, 39, 3_413_411_624);
}

#[test]
fn members_of_writes_stand_in_the_order_of_their_names() {
    let server = Server::new();
    server.create("table");
    server.check(
        "PutItem",
        json!({
            "TableName": "table", "Item": item("1"), "ReturnConsumedCapacity": "INDEXES",
            "ReturnItemCollectionMetrics": "SIZE",
        }),
        &expect![[r#"{"ConsumedCapacity":{"CapacityUnits":3.0,"GlobalSecondaryIndexes":{"global":{"CapacityUnits":1.0}},"LocalSecondaryIndexes":{"local":{"CapacityUnits":1.0}},"Table":{"CapacityUnits":1.0},"TableName":"table"},"ItemCollectionMetrics":{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}}"#]],
    );
    server.check(
        "DeleteItem",
        json!({
            "TableName": "table", "Key": key("1"), "ReturnValues": "ALL_OLD", "ReturnConsumedCapacity": "TOTAL",
            "ReturnItemCollectionMetrics": "SIZE",
        }),
        &expect![[r#"{"Attributes":{"g":{"S":"g"},"l":{"S":"l"},"pk":{"S":"p"},"sk":{"S":"1"}},"ConsumedCapacity":{"CapacityUnits":3.0,"TableName":"table"},"ItemCollectionMetrics":{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}}"#]],
    );
    server.check(
        "BatchWriteItem",
        json!({
            "RequestItems": { "table": [{ "PutRequest": { "Item": item("1") } }] },
            "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE",
        }),
        &expect![[r#"{"ConsumedCapacity":[{"CapacityUnits":3.0,"GlobalSecondaryIndexes":{"global":{"CapacityUnits":1.0}},"LocalSecondaryIndexes":{"local":{"CapacityUnits":1.0}},"Table":{"CapacityUnits":1.0},"TableName":"table"}],"ItemCollectionMetrics":{"table":[{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}]},"UnprocessedItems":{}}"#]],
    );
    server.check(
        "TransactWriteItems",
        json!({
            "TransactItems": [{ "Put": { "TableName": "table", "Item": item("2") } }],
            "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE",
        }),
        &expect![[r#"{"ConsumedCapacity":[{"CapacityUnits":6.0,"GlobalSecondaryIndexes":{"global":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0}},"LocalSecondaryIndexes":{"local":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0}},"Table":{"CapacityUnits":2.0,"WriteCapacityUnits":2.0},"TableName":"table","WriteCapacityUnits":6.0}],"ItemCollectionMetrics":{"table":[{"ItemCollectionKey":{"pk":{"S":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}]}}"#]],
    );
}

#[test]
fn members_of_reads_stand_in_the_order_of_their_names() {
    let server = Server::new();
    server.create("table");
    for sk in ["1", "2"] {
        server.ask("PutItem", &json!({ "TableName": "table", "Item": item(sk) }));
    }
    let get = json!({ "TableName": "table", "Key": key("1"), "ReturnConsumedCapacity": "INDEXES" });
    server.check("GetItem", get, &expect![[r#"{"ConsumedCapacity":{"CapacityUnits":0.5,"Table":{"CapacityUnits":0.5},"TableName":"table"},"Item":{"g":{"S":"g"},"l":{"S":"l"},"pk":{"S":"p"},"sk":{"S":"1"}}}"#]]);
    server.check(
        "Query",
        json!({
            "TableName": "table", "IndexName": "local", "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": { ":p": { "S": "p" } }, "Limit": 1, "ReturnConsumedCapacity": "INDEXES",
            "ConsistentRead": true, "Select": "ALL_ATTRIBUTES",
        }),
        &expect![[r#"{"ConsumedCapacity":{"CapacityUnits":2.0,"LocalSecondaryIndexes":{"local":{"CapacityUnits":1.0}},"Table":{"CapacityUnits":1.0},"TableName":"table"},"Count":1,"Items":[{"g":{"S":"g"},"l":{"S":"l"},"pk":{"S":"p"},"sk":{"S":"1"}}],"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"1"},"l":{"S":"l"}},"ScannedCount":1}"#]],
    );
    let scan = json!({ "TableName": "table", "IndexName": "global", "ReturnConsumedCapacity": "TOTAL" });
    server.check("Scan", scan, &expect![[r#"{"ConsumedCapacity":{"CapacityUnits":0.5,"TableName":"table"},"Count":2,"Items":[{"g":{"S":"g"},"l":{"S":"l"},"pk":{"S":"p"},"sk":{"S":"1"}},{"g":{"S":"g"},"l":{"S":"l"},"pk":{"S":"p"},"sk":{"S":"2"}}],"ScannedCount":2}"#]]);
    server.check(
        "Scan",
        json!({ "TableName": "table", "Select": "COUNT", "Limit": 1 }),
        &expect![[r#"{"Count":1,"LastEvaluatedKey":{"pk":{"S":"p"},"sk":{"S":"1"}},"ScannedCount":1}"#]],
    );
    server.check(
        "BatchGetItem",
        json!({
            "RequestItems": { "table": { "Keys": [key("1"), key("3")] } }, "ReturnConsumedCapacity": "INDEXES",
        }),
        &expect![[r#"{"ConsumedCapacity":[{"CapacityUnits":1.0,"Table":{"CapacityUnits":1.0},"TableName":"table"}],"Responses":{"table":[{"g":{"S":"g"},"l":{"S":"l"},"pk":{"S":"p"},"sk":{"S":"1"}}]},"UnprocessedKeys":{}}"#]],
    );
    server.check(
        "TransactGetItems",
        json!({
            "TransactItems": [{ "Get": { "TableName": "table", "Key": key("1"), "ProjectionExpression": "l" } }],
            "ReturnConsumedCapacity": "INDEXES",
        }),
        &expect![[r#"{"ConsumedCapacity":[{"CapacityUnits":2.0,"ReadCapacityUnits":2.0,"Table":{"CapacityUnits":2.0,"ReadCapacityUnits":2.0},"TableName":"table"}],"Responses":[{"Item":{"l":{"S":"l"}}}]}"#]],
    );
}
