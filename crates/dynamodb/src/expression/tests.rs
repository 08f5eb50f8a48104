//! What expressions are refused for, in which words, and what key conditions become.

use super::*;
use crate::errors::Wording;
use crate::key::{KeyAttribute, KeySchema, ScalarType};
use holdfast_aws::Error;
use holdfast_shapes::{AttributeMap, AttributeValue, Pairs};

/// Values that tests use, by the names that they go by.
fn sent(key: &str) -> Option<AttributeValue> {
    Some(match key {
        ":p" => AttributeValue::S("a".into()),
        ":v" => AttributeValue::S("b".into()),
        ":e" => AttributeValue::S(String::new()),
        ":n" => AttributeValue::N("1".into()),
        ":m" => AttributeValue::N("2.50".into()),
        ":b" => AttributeValue::Bool(true),
        ":z" => AttributeValue::Null(true),
        ":B" => AttributeValue::B(vec![1]),
        ":C" => AttributeValue::B(vec![0]),
        ":ss" => AttributeValue::SS(vec!["a".into()]),
        ":l" => AttributeValue::L(Vec::new()),
        ":map" => AttributeValue::M(Vec::new()),
        ":t" => AttributeValue::S("N".into()),
        ":T" => AttributeValue::S("X".into()),
        ":long" => AttributeValue::S("x".repeat(1025)),
        _ => return None,
    })
}

/// Those of the known values that a text names.
fn used(text: &str) -> Option<AttributeMap> {
    let mut values: Vec<(String, AttributeValue)> = Vec::new();
    for part in text.split(':').skip(1) {
        let word = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
        let key = format!(":{}", part.chars().take_while(word).collect::<String>());
        if let Some(value) = sent(&key)
            && !values.iter().any(|(known, _)| *known == key)
        {
            values.push((key, value));
        }
    }
    (!values.is_empty()).then_some(AttributeMap(values))
}

pub(super) fn placeholders(text: &str) -> Placeholders {
    let names = ["#a", "#b", "#name"].iter().filter(|name| text.contains(**name));
    let names: Vec<_> = names.map(|name| ((*name).to_owned(), name[1..].to_owned())).collect();
    let names = (!names.is_empty()).then_some(Pairs(names));
    Placeholders::new(names, used(text), Wording::Bare).unwrap()
}

fn condition(kind: ExpressionKind, text: &str) -> Result<Condition, Error> {
    let mut placeholders = placeholders(text);
    let condition = Condition::parse(kind, text, &mut placeholders)?;
    placeholders.check_used()?;
    Ok(condition)
}

fn message<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "OK".to_owned(),
        Err(error) => {
            let body: serde_json::Value = serde_json::from_slice(&error.body()).unwrap();
            body["message"].as_str().unwrap().to_owned()
        }
    }
}

fn filter(text: &str) -> String {
    let message = message(condition(ExpressionKind::Filter, text));
    message.strip_prefix("Invalid FilterExpression: ").unwrap_or(&message).to_owned()
}

fn projection(text: &str) -> String {
    let message = message(Projection::parse(text, &mut placeholders(text)));
    message.strip_prefix("Invalid ProjectionExpression: ").unwrap_or(&message).to_owned()
}

fn update(text: &str) -> String {
    let mut placeholders = placeholders(text);
    let update = Update::parse(text, &mut placeholders);
    let message = message(update.and_then(|_| placeholders.check_used()));
    message.strip_prefix("Invalid UpdateExpression: ").unwrap_or(&message).to_owned()
}

fn schema(sort: Option<ScalarType>) -> KeySchema<'static> {
    KeySchema {
        partition: KeyAttribute { name: "pk", kind: ScalarType::S },
        sort: sort.map(|kind| KeyAttribute { name: "sk", kind }),
    }
}

fn resolve(text: &str, sort: Option<ScalarType>) -> Result<KeyRange, Error> {
    let condition = condition(ExpressionKind::KeyCondition, text)?;
    KeyCondition::new(condition)?.resolve(&schema(sort).into(), None)
}

fn key(text: &str) -> String {
    message(resolve(text, Some(ScalarType::S)))
}

fn range(text: &str) -> SortRange {
    let range = resolve(text, Some(ScalarType::S)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(range.partition, [(ScalarType::S, b"a".to_vec())], "{text}");
    range.sort
}

fn all(answer: fn(&str) -> String, cases: &[(&str, &str)]) {
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, answer(text), expected))
        .filter(|(_, actual, expected)| actual != *expected)
        .collect();
    assert!(wrong.is_empty(), "text, actual, expected: {wrong:#?}");
}

mod keys;
mod limits;
mod maps;
mod operands;
mod paths;
mod round_trip;
mod syntax;
mod updates;
