//! Texts of broken constraints, as DynamoDB in us-east-1 gives them (observed October 2026).

use holdfast_shapes::dynamodb::{
    BatchGetItemInput, BatchWriteItemInput, CreateTableInput, DeleteItemInput, DescribeTableInput,
    PutItemInput, QueryInput, ScanInput, TransactGetItemsInput, TransactWriteItemsInput, UpdateItemInput,
};
use holdfast_shapes::{AttributeValue, Fault, Input, read};

fn text<T: Input>(body: &str) -> String {
    read::<T>(body.as_bytes()).expect("a readable body").check().expect_err("broken constraints")
}

#[test]
fn an_empty_table_name_is_reported_alone_in_the_current_form() {
    let expected = "1 validation error detected: Value at 'TableName' failed to satisfy constraint: Member must have length greater than or equal to 1";
    assert_eq!(text::<PutItemInput>(r#"{"TableName":"","Item":{},"ReturnValues":"INVALID"}"#), expected);
    assert_eq!(text::<UpdateItemInput>(r#"{"TableName":"","Key":{}}"#), expected);
}

#[test]
fn an_unknown_return_values_is_in_the_current_form_and_alone_only_for_update_item() {
    let body = r#"{"TableName":"abc","Key":{},"ReturnValues":"INVALID","ReturnConsumedCapacity":"INVALID"}"#;
    let values = "Failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]";
    let capacity = "Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
    assert_eq!(text::<UpdateItemInput>(body), format!("1 validation error detected: {values}"));
    assert_eq!(text::<DeleteItemInput>(body), format!("2 validation errors detected: {capacity}; {values}"));
    assert_eq!(
        text::<PutItemInput>(
            r#"{"TableName":"abc","Item":{},"ReturnValues":"I","ReturnConsumedCapacity":"INVALID","ReturnItemCollectionMetrics":"I"}"#
        ),
        format!(
            "3 validation errors detected: {capacity}; {values}; Value 'I' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]"
        )
    );
}

#[test]
fn members_are_reported_in_the_order_of_a_hash_table() {
    let order = |text: String| -> Vec<String> {
        text.split("; ")
            .map(|one| {
                one.split(" at '")
                    .nth(1)
                    .unwrap_or_default()
                    .split('\'')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(
        order(text::<CreateTableInput>(
            r#"{"TableName":"abc;","AttributeDefinitions":[{"AttributeName":"a"}],"KeySchema":[],"ProvisionedThroughput":{}}"#
        )),
        [
            "attributeDefinitions.1.member.attributeType",
            "tableName",
            "provisionedThroughput.writeCapacityUnits",
            "provisionedThroughput.readCapacityUnits",
            "keySchema"
        ]
    );
    assert_eq!(
        order(text::<PutItemInput>(
            r#"{"TableName":"a;","ReturnConsumedCapacity":"I","ReturnItemCollectionMetrics":"I","ReturnValues":"I"}"#
        )),
        [
            "returnConsumedCapacity",
            "tableName",
            "tableName",
            "item",
            "returnValues",
            "returnItemCollectionMetrics"
        ]
    );
}

#[test]
fn a_missing_key_brings_back_the_older_form() {
    assert_eq!(
        text::<UpdateItemInput>(
            r#"{"TableName":"","ReturnConsumedCapacity":"INVALID","ReturnValues":"INVALID"}"#
        ),
        "4 validation errors detected: \
         Value 'INVALID' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]; \
         Value '' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 1; \
         Value 'INVALID' at 'returnValues' failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]; \
         Value null at 'key' failed to satisfy constraint: Member must not be null"
    );
    assert_eq!(
        text::<UpdateItemInput>(r#"{"TableName":"abc","ConditionalOperator":"XOR","Key":null}"#),
        "2 validation errors detected: Value 'XOR' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]; \
         Value null at 'key' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn queries() {
    assert_eq!(
        text::<QueryInput>(r#"{"TableName":"abc","Limit":0}"#),
        "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
    );
    assert_eq!(
        text::<ScanInput>(r#"{"TableName":"abc","Limit":0}"#),
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
    );
    assert_eq!(
        text::<QueryInput>(r#"{"TableName":"abc","ConditionalOperator":"XOR","Select":"BOGUS"}"#),
        "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]"
    );
    assert!(
        text::<QueryInput>(r#"{"TableName":"abc","ReturnConsumedCapacity":"I"}"#)
            .contains("'returnConsumedCapacity'")
    );
}

#[test]
fn names_of_indexes_are_reported_by_their_path_global_ones_first() {
    let index = |name: &str| {
        format!(
            r#"[{{"IndexName":"{name}","KeySchema":[{{"AttributeName":"a","KeyType":"HASH"}}],"Projection":{{"ProjectionType":"ALL"}}}}]"#
        )
    };
    let body = format!(
        r#"{{"TableName":"abc","AttributeDefinitions":[{{"AttributeName":"pk","AttributeType":"S"}}],"KeySchema":[{{"AttributeName":"pk","KeyType":"HASH"}}],"LocalSecondaryIndexes":{},"GlobalSecondaryIndexes":{}}}"#,
        index("aa"),
        index("zz")
    );
    assert_eq!(
        text::<CreateTableInput>(&body),
        "2 validation errors detected: Value 'zz' at 'globalSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3; \
         Value 'aa' at 'localSecondaryIndexes.1.member.indexName' failed to satisfy constraint: Member must have length greater than or equal to 3"
    );
}

#[test]
fn table_definitions() {
    let body = |more: &str| format!(r#"{{"TableName":"abc","AttributeDefinitions":[]{more}}}"#);
    let three = r#"{"AttributeName":"a","KeyType":"HASH"}"#;
    let shown = "KeySchemaElement(attributeName=a, keyType=HASH)";
    assert_eq!(
        text::<CreateTableInput>(&body(&format!(r#","KeySchema":[{three},{three},{three}]"#))),
        format!(
            "1 validation error detected: Value '[{shown}, {shown}, {shown}]' at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2"
        )
    );
    assert_eq!(
        text::<CreateTableInput>(&body(&format!(r#","BillingMode":"INVALID_MODE","KeySchema":[{three}]"#))),
        "1 validation error detected: Value 'INVALID_MODE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"
    );
}

#[test]
fn batches_and_transactions() {
    let rcc = "Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
    let ricm = "Value 'BOGUS2' at 'returnItemCollectionMetrics' failed to satisfy constraint: Member must satisfy enum value set: [SIZE, NONE]";
    assert_eq!(
        text::<BatchWriteItemInput>(
            r#"{"RequestItems":{"abc":[{"DeleteRequest":{"Key":{}}}]},"ReturnConsumedCapacity":"BOGUS","ReturnItemCollectionMetrics":"BOGUS2"}"#
        ),
        format!("2 validation errors detected: {rcc}; {ricm}")
    );
    let names = "at 'requestItems' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 255, Member must have length greater than or equal to 3, Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]";
    assert_eq!(
        text::<BatchGetItemInput>(
            r#"{"RequestItems":{"bad!name":{"Keys":[{"pk":{"S":"a"}}]}},"ReturnConsumedCapacity":"BOGUS"}"#
        ),
        format!(
            "2 validation errors detected: Value '{}' {names}; {rcc}",
            r#"{"bad!name":{"Keys":[{"pk":{"S":"a"}}]}}"#
        )
    );
    let write = |more: &str| {
        text::<BatchWriteItemInput>(&format!(
            r#"{{"RequestItems":{{"bad!name":[{{"PutRequest":{{"Item":{{}}}}}}]}}{more}}}"#
        ))
    };
    assert_eq!(write(""), format!("1 validation error detected: Value {names}"));
    assert_eq!(write(r#","ReturnConsumedCapacity":"BOGUS""#), format!("1 validation error detected: {rcc}"));
    assert_eq!(
        text::<TransactWriteItemsInput>(r#"{"TransactItems":[]}"#),
        "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1"
    );
    let many = vec![r#"{"Get":{"TableName":"abc","Key":{}}}"#; 101];
    assert_eq!(
        text::<TransactGetItemsInput>(&format!(r#"{{"TransactItems":[{}]}}"#, many.join(","))),
        format!(
            "1 validation error detected: Value '[{}]' at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to 100",
            many.join(", ").replace(r#""TableName":"abc","Key":{}"#, r#""Key":{},"TableName":"abc""#)
        )
    );
    let token = "x".repeat(37);
    assert_eq!(
        text::<TransactWriteItemsInput>(&format!(
            r#"{{"TransactItems":[{{"Put":{{"TableName":"abc","Item":{{}}}}}}],"ClientRequestToken":"{token}","ReturnConsumedCapacity":"BOGUS","ReturnItemCollectionMetrics":"BOGUS2"}}"#
        )),
        format!(
            "3 validation errors detected: Value '{token}' at 'clientRequestToken' failed to satisfy constraint: Member must have length less than or equal to 36; {rcc}; {ricm}"
        )
    );
    assert!(
        text::<TransactWriteItemsInput>(r#"{"TransactItems":[{"Put":{"TableName":"abc"}}]}"#)
            .contains("Value null at 'transactItems.1.member.put.item' failed")
    );
}

#[test]
fn table_names_may_be_arns() {
    let check = |name: &str| {
        DescribeTableInput { table_name: Some(name.to_owned()) }.check().err().unwrap_or_default()
    };
    assert_eq!(check("a.b"), "");
    assert_eq!(check("arn:aws:dynamodb:us-east-1:000000000000:table/abc"), "");
    assert_eq!(check(&"a".repeat(255)), "");
    assert!(check(&"a".repeat(256)).contains("less than or equal to 255"));
    assert!(check("x!").starts_with("2 validation errors detected: Value 'x!' at 'tableName'"));
}

#[test]
fn reading_tells_malformed_bodies_from_wrong_values() {
    let put = |item: &str| {
        read::<PutItemInput>(format!(r#"{{"TableName":"abc","Item":{item},"New":[1]}}"#).as_bytes())
    };
    let input = put(r#"{"pk":{"S":"a"}}"#).unwrap();
    assert_eq!(input.members_set(), ["TableName", "Item"]);
    assert_eq!(input.item.unwrap().get("pk"), Some(&AttributeValue::S("a".to_owned())));
    assert!(matches!(put(r#"{"pk":{}}"#), Err(Fault::Value(text)) if text.contains("is empty")));
    assert!(
        matches!(put(r#"{"pk":{"S":"a","N":"1"}}"#), Err(Fault::Value(text)) if text.contains("more than one"))
    );
    for item in [r#"{"pk":{"S":1}}"#, "[]", "{"] {
        assert!(matches!(put(item), Err(Fault::Malformed(_))), "{item}");
    }
    assert!(matches!(read::<PutItemInput>(b""), Err(Fault::Malformed(_))));
}

#[test]
fn members_of_the_wrong_json_type_get_the_text_of_the_wire() {
    for (body, expected) in [
        (r#"{"TableName":23}"#, "NUMBER_VALUE cannot be converted to String"),
        (r#"{"TableName":true}"#, "TRUE_VALUE cannot be converted to String"),
        (r#"{"TableName":34.5}"#, "DECIMAL_VALUE cannot be converted to String"),
        (r#"{"TableName":[]}"#, "Unrecognized collection type class java.lang.String"),
        (r#"{"TableName":{}}"#, "Start of structure or map found where not expected"),
        (r#"{"Limit":"1"}"#, "STRING_VALUE cannot be converted to Integer"),
        (r#"{"ConsistentRead":"a, expected b"}"#, "Unexpected token received from parser"),
        (r#"{"ConsistentRead":1}"#, "NUMBER_VALUE cannot be converted to Boolean"),
        (r#"{"Limit":9999999999999999999}"#, "NUMBER_VALUE cannot be converted to Integer"),
        (r#"{"Limit":[]}"#, "Unrecognized collection type class java.lang.Integer"),
        (r#"{"AttributesToGet":1}"#, "Unexpected field type"),
        (r#"{"AttributesToGet":{}}"#, "Start of structure or map found where not expected"),
        (
            r#"{"ExpressionAttributeNames":[]}"#,
            "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>",
        ),
        (
            r#"{"KeyConditions":{"a":["EQ"]}}"#,
            "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.Condition",
        ),
        (r#"["a"]"#, "Start of list found where not expected"),
        ("1", ""),
        ("", ""),
        (r#"{"ExclusiveStartKey":{"a":{"N":1}}}"#, "NUMBER_VALUE cannot be converted to String"),
        (
            r#"{"ExclusiveStartKey":{"a":{"N":{"S":"a"}}}}"#,
            "Start of structure or map found where not expected",
        ),
        (r#"{"ExclusiveStartKey":"a"}"#, "Unexpected field type"),
    ] {
        assert_eq!(read::<QueryInput>(body.as_bytes()), Err(Fault::Malformed(expected.to_owned())), "{body}");
    }
}

#[test]
fn lengths_inside_batches() {
    let at = |path: &str, demand: &str| {
        format!(
            "1 validation error detected: Value at '{path}' failed to satisfy constraint: Member must have length {demand}"
        )
    };
    let empty = at("RequestItems", "greater than or equal to 1");
    assert_eq!(text::<BatchGetItemInput>(r#"{"RequestItems":{}}"#), empty);
    assert_eq!(
        text::<BatchWriteItemInput>(r#"{"RequestItems":{}}"#),
        "The requestItems parameter is required for BatchWriteItem"
    );
    assert_eq!(
        text::<BatchWriteItemInput>(r#"{"RequestItems":{},"ReturnConsumedCapacity":"BOGUS"}"#),
        "1 validation error detected: Value 'BOGUS' at 'returnConsumedCapacity' failed to satisfy constraint: \
         Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
    );
    let keys = |count: usize| {
        format!(r#"{{"RequestItems":{{"abc":{{"Keys":[{}]}}}}}}"#, vec!["{}"; count].join(","))
    };
    assert_eq!(
        text::<BatchGetItemInput>(&keys(101)),
        at("RequestItems.abc.member.Keys", "less than or equal to 100")
    );
    assert_eq!(
        text::<BatchGetItemInput>(&keys(0)),
        at("RequestItems.abc.member.Keys", "greater than or equal to 1")
    );
    let writes = |count: usize| format!(r#"{{"RequestItems":{{"abc":[{}]}}}}"#, vec!["{}"; count].join(","));
    assert_eq!(
        text::<BatchWriteItemInput>(&writes(26)),
        at("RequestItems.abc.member", "less than or equal to 25")
    );
    assert_eq!(
        text::<BatchWriteItemInput>(&writes(0)),
        "1 validation error detected: Value '{abc=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: \
         [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"
    );
}
