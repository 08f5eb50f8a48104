//! Key conditions.

use super::*;
use proptest::prelude::*;

#[test]
fn ranges_of_keys() {
    let b = || b"b".to_vec();
    assert_eq!(range("pk = :p"), SortRange::All);
    assert_eq!(range("(pk) = (:p)"), SortRange::All);
    assert_eq!(range(":p = pk"), SortRange::All);
    assert_eq!(range("pk = :p AND sk = :v"), SortRange::Equal(b()));
    assert_eq!(range("sk = :v AND pk = :p"), SortRange::Equal(b()));
    assert_eq!(range("(pk = :p) and (sk < :v)"), SortRange::Less(b()));
    assert_eq!(range("(pk = :p AND (sk <= :v))"), SortRange::LessOrEqual(b()));
    assert_eq!(range("pk = :p AND :v < sk"), SortRange::Greater(b()));
    assert_eq!(range("pk = :p AND sk >= :v"), SortRange::GreaterOrEqual(b()));
    assert_eq!(range("pk = :p AND :v >= sk"), SortRange::LessOrEqual(b()));
    assert_eq!(range("sk between :p and :v AND pk = :p"), SortRange::Between(b"a".to_vec(), b()));
    assert_eq!(range("pk = :p AND begins_with (sk, :v)"), SortRange::BeginsWith(b()));
    let number = resolve("pk = :p AND sk > :m", Some(ScalarType::N)).unwrap().sort;
    assert_eq!(number, SortRange::Greater(b"\xC1\x03\x33".to_vec()));
}

const REFUSALS: &[(&str, &str)] = &[
    (
        "a = :p OR b = :v",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
    ),
    ("NOT pk = :p", "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: NOT"),
    ("pk <> :p", "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: <>"),
    ("pk IN (:p)", "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: IN"),
    (
        "attribute_exists(pk)",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: attribute_exists",
    ),
    (
        "attribute_not_exists(pk)",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: attribute_not_exists",
    ),
    (
        "attribute_type(pk, :t)",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: attribute_type",
    ),
    (
        "contains(pk, :p)",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: contains",
    ),
    (
        "size(pk) = :p",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
    ),
    (
        "pk = size(:p)",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
    ),
    (
        "size(pk) < :p",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
    ),
    (
        "pk BETWEEN size(sk) AND :p",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot contain nested operations",
    ),
    (
        "pk.a = :p",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    ),
    (
        "pk = :p AND sk[0] = :v",
        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes",
    ),
    (
        "pk = sk",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
    ),
    (
        "pk > sk.b",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
    ),
    (
        "begins_with(pk, sk)",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
    ),
    (
        "pk BETWEEN sk AND :p",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
    ),
    (
        ":p = :v",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: No key attribute specified",
    ),
    (
        ":p BETWEEN pk AND :v",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand",
    ),
    (
        "begins_with(:p, pk)",
        "Invalid KeyConditionExpression: Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand",
    ),
    (
        "pk = :p AND pk = :v",
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
    ),
    (
        "pk = :p AND sk > :p AND sk < :v",
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
    ),
    (
        "pk = :p AND (sk = :v OR sk = :p)",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
    ),
    (
        "pk = :p AND sk = :v OR c = :p",
        "Invalid KeyConditionExpression: Invalid operator used in KeyConditionExpression: OR",
    ),
    (
        "pk = :p AND sk = :v AND c = :n",
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    ),
    ("sk = :v", "Query condition missed key schema element: pk"),
    ("c = :v", "Query condition missed key schema element: pk"),
    ("pk = :p AND c = :v", "Query condition missed key schema element: sk"),
    ("pk < :p", "Query key condition not supported"),
    ("begins_with(pk, :p)", "Query key condition not supported"),
    ("pk BETWEEN :p AND :v", "Query key condition not supported"),
    (
        "pk < :n",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    ("begins_with(pk, :p) AND sk = :n", "Query key condition not supported"),
    ("sk = :n AND pk < :p", "Query key condition not supported"),
    (
        "pk = :n AND sk = :e",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :e AND sk = :n",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
    ),
    (
        "sk = :e AND pk = :n",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :n AND c = :n",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :p AND sk = :n",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :n",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :b",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :p AND sk = :b",
        "One or more parameter values were invalid: Condition parameter type does not match schema type",
    ),
    (
        "pk = :p AND sk < :b",
        "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
    ),
    (
        "pk = :e",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk",
    ),
    (
        "pk = :p AND sk = :e",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk",
    ),
    (
        "pk = :p AND begins_with(sk, :e)",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk",
    ),
    (
        "pk = :p AND sk BETWEEN :e AND :v",
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk",
    ),
    (
        "pk = :p AND sk = :long",
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    ),
    (
        "pk = :p AND begins_with(sk, :long)",
        "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes",
    ),
    (
        "pk = :p AND sk BETWEEN :v AND :p",
        "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}",
    ),
];

#[test]
fn refusals() {
    all(key, REFUSALS);
}

#[test]
fn refusals_by_schema() {
    let of = |text, sort| message(resolve(text, sort));
    let too_many = |conditions, attributes| {
        format!(
            "The number of query conditions ({conditions}) exceeds the number of key attributes defined in the schema \
             ({attributes})"
        )
    };
    let number = Some(ScalarType::N);
    assert_eq!(of("pk = :p AND sk = :v", None), too_many(2, 1));
    assert_eq!(of("c = :p AND sk = :v", None), too_many(2, 1));
    assert_eq!(of("pk = :p AND sk > :n AND c = :n", number), too_many(3, 2));
    let wrong =
        "One or more parameter values were invalid: Condition parameter type does not match schema type";
    assert_eq!(of("pk = :p AND begins_with(sk, :v)", number), wrong);
    assert_eq!(of("pk = :p AND sk = :b", number), wrong);
    assert_eq!(of("pk = :p AND sk BETWEEN :p AND :v", number), wrong);
    let operand = |operator, kind| {
        format!(
            "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: \
             {operator}, operand type: {kind}"
        )
    };
    assert_eq!(of("pk = :p AND begins_with(sk, :n)", number), operand("begins_with", "N"));
    assert_eq!(of("pk = :p AND :b >= sk", number), operand(">=", "BOOL"));
    assert_eq!(of("pk = :p AND sk BETWEEN :b AND :z", number), operand("BETWEEN", "BOOL"));
    assert_eq!(of("pk = :p AND begins_with(sk, :n) AND sk > :v", number), operand("begins_with", "N"));
}

/// Values that are faulty on their own are refused before any expression is read.
#[test]
fn unused_names_come_before_the_key_condition() {
    let unused = |text: &str| {
        let names = Pairs(vec![("#x".to_owned(), "a".to_owned()), ("#y".to_owned(), "b".to_owned())]);
        let mut placeholders = Placeholders::new(Some(names), used(text), Wording::Bare).unwrap();
        let condition = KeyCondition::parse(text, &mut placeholders)?;
        placeholders.check_used()?;
        KeyCondition::new(condition).map(drop)
    };
    let text = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#x, #y}";
    assert_eq!(message(unused("pk <> :p")), text);
    assert_eq!(
        message(unused("pk = :p AND")),
        "Invalid KeyConditionExpression: Syntax error; token: \"<EOF>\", near: \"AND\""
    );
}

#[test]
fn bounds_of_prefixes() {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let bounds = |prefix: &[u8]| SortRange::BeginsWith(prefix.to_vec()).bounds();
    assert_eq!(bounds(b"ab"), (Included(b"ab".to_vec()), Excluded(b"ac".to_vec())));
    assert_eq!(bounds(b"a\xFF\xFF"), (Included(b"a\xFF\xFF".to_vec()), Excluded(b"b".to_vec())));
    assert_eq!(bounds(b"\xFF"), (Included(b"\xFF".to_vec()), Unbounded));
}

fn some_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFE), Just(0xFF)], 1..4)
}

proptest! {
    #[test]
    fn bounds_say_what_contains_says(one in some_bytes(), two in some_bytes(), key in some_bytes()) {
        for range in [
            SortRange::All,
            SortRange::Equal(one.clone()),
            SortRange::Less(one.clone()),
            SortRange::LessOrEqual(one.clone()),
            SortRange::Greater(one.clone()),
            SortRange::GreaterOrEqual(one.clone()),
            SortRange::Between(one.clone(), two),
            SortRange::BeginsWith(one),
        ] {
            let bounds = range.bounds();
            prop_assert_eq!(std::ops::RangeBounds::contains(&bounds, &key), range.contains(&key));
        }
    }
}
