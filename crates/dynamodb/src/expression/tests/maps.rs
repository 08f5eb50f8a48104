//! `ExpressionAttributeNames` and `ExpressionAttributeValues`.

use super::*;

fn names(names: &[(&str, &str)]) -> Option<Pairs<String>> {
    Some(Pairs(names.iter().map(|(key, name)| ((*key).to_owned(), (*name).to_owned())).collect()))
}

fn values(values: &[(&str, AttributeValue)]) -> Option<AttributeMap> {
    Some(AttributeMap(values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()))
}

fn made(names: Option<Pairs<String>>, values: Option<AttributeMap>, wording: Wording) -> String {
    message(Placeholders::new(names, values, wording))
}

fn text() -> AttributeValue {
    AttributeValue::S("a".into())
}

#[test]
fn malformed_names() {
    let of = |key: &str, name: &str| made(names(&[(key, name)]), None, Wording::Bare);
    assert_eq!(of("#a_1", "x"), "OK");
    assert_eq!(of("#1", "a.b"), "OK");
    for key in ["x", "#", "#a-b", "#\u{e9}", ":a"] {
        assert_eq!(
            of(key, "a"),
            format!("ExpressionAttributeNames contains invalid key: Syntax error; key: \"{key}\"")
        );
    }
    assert_eq!(
        of("", "a"),
        "ExpressionAttributeNames contains invalid key: The expression attribute map contains an empty key;"
    );
    let long = "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too \
                long; size of key: 256";
    assert_eq!(of(&format!("#{}", "a".repeat(255)), "a"), long);
    assert_eq!(of(&format!("#{}-", "a".repeat(254)), "a"), long);
    assert_eq!(of(&format!("#{}", "a".repeat(254)), "a"), "OK");
    let value = "ExpressionAttributeNames contains invalid value: ";
    assert_eq!(of("#a", ""), format!("{value}Empty attribute name for key #a"));
    assert_eq!(of("#a", &"a".repeat(65_536)), "Attribute name is too large, must be less than 65536 bytes");
    assert_eq!(
        made(names(&[("#a", &"a".repeat(65_536))]), None, Wording::Older),
        format!("{value}Attribute name is too large, must be less than 65536 bytes for key #a")
    );
    assert_eq!(made(names(&[]), None, Wording::Bare), "ExpressionAttributeNames must not be empty");
}

#[test]
fn malformed_values() {
    let of = |key: &str, value| made(None, values(&[(key, value)]), Wording::Bare);
    for key in ["x", ":", ":a-b", "#a"] {
        assert_eq!(
            of(key, text()),
            format!("ExpressionAttributeValues contains invalid key: Syntax error; key: \"{key}\"")
        );
    }
    assert_eq!(
        of(&format!(":{}", "a".repeat(255)), text()),
        "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;"
    );
    assert_eq!(made(None, values(&[]), Wording::Bare), "ExpressionAttributeValues must not be empty");
    let both = made(names(&[("x", "a")]), values(&[]), Wording::Bare);
    assert_eq!(both, "ExpressionAttributeNames contains invalid key: Syntax error; key: \"x\"");
}

/// One fault in the words of each kind of operation.
#[test]
fn faulty_values() {
    let of = |wording, value| made(None, values(&[(":v", value)]), wording);
    let number = |text: &str| AttributeValue::N(text.into());
    let text = "The parameter cannot be converted to a numeric value: abc";
    assert_eq!(of(Wording::Bare, number("abc")), text);
    assert_eq!(of(Wording::Enveloped, number("abc")), format!("1 validation error detected: {text}"));
    let wrapped = |text| format!("ExpressionAttributeValues contains invalid value: {text} for key :v");
    assert_eq!(of(Wording::Older, number("abc")), wrapped(text));
    assert_eq!(
        of(Wording::Older, number("")),
        wrapped("The parameter cannot be converted to a numeric value")
    );
    assert_eq!(
        of(Wording::Older, AttributeValue::SS(vec!["b".into(), "a".into(), "b".into()])),
        wrapped("One or more parameter values were invalid: Input collection [b, a, b] contains duplicates.")
    );
}

/// Each value, each map, and both of them have a size that they cannot exceed.
#[test]
fn sizes() {
    const MEGABYTES: usize = 2 << 20;
    let value = |bytes: usize| AttributeValue::S("x".repeat(bytes));
    let too_large = "Item size has exceeded the maximum allowed size";
    let one = |bytes, wording| made(None, values(&[(":v", value(bytes))]), wording);
    assert_eq!(one(409_600, Wording::Enveloped), "OK");
    assert_eq!(one(409_601, Wording::Enveloped), format!("1 validation error detected: {too_large}"));
    assert_eq!(one(409_601, Wording::Bare), too_large);
    assert_eq!(
        one(409_601, Wording::Older),
        format!("ExpressionAttributeValues contains invalid value: {too_large} for key :v")
    );
    let of_values = |last: usize| {
        let keys: Vec<String> = (0..6).map(|at| format!(":{at}")).collect();
        let sent = keys.iter().map(|key| (key.as_str(), value(if key == ":5" { last } else { 400_000 })));
        values(&sent.collect::<Vec<_>>())
    };
    let of_names = |count: usize, last: usize| {
        let pairs =
            (0..count).map(|at| (format!("#{at:03}"), "n".repeat(if at == 0 { last } else { 60_000 })));
        Some(Pairs(pairs.collect()))
    };
    let rest = MEGABYTES - 5 * 400_000 - 12;
    assert_eq!(made(None, of_values(rest), Wording::Bare), "OK");
    assert_eq!(made(None, of_values(rest + 1), Wording::Bare), "ExpressionAttributeValues exceeds max size");
    let rest = MEGABYTES - 34 * 60_000 - 35 * 4;
    assert_eq!(made(of_names(35, rest), None, Wording::Bare), "OK");
    assert_eq!(
        made(of_names(35, rest + 1), None, Wording::Bare),
        "ExpressionAttributeNames exceeds max size"
    );
    let both = "Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max size";
    assert_eq!(made(of_names(2, 60_000), of_values(1), Wording::Bare), both);
    assert_eq!(made(of_names(1, 60_000), of_values(1), Wording::Bare), "OK");
}

#[test]
fn unused_ones() {
    let of = |text: &str, wording| {
        let names = names(&[("#a", "x"), ("#b", "y")]);
        let values = values(&[(":p", AttributeValue::Bool(true)), (":v", AttributeValue::Bool(true))]);
        let mut placeholders = Placeholders::new(names, values, wording).unwrap();
        message(
            Condition::parse(ExpressionKind::Condition, text, &mut placeholders)
                .and_then(|_| placeholders.check_used()),
        )
    };
    let unused =
        |of, keys| format!("Value provided in ExpressionAttribute{of} unused in expressions: keys: {keys}");
    assert_eq!(of("c = :p", Wording::Bare), unused("Names", "{#a, #b}"));
    assert_eq!(of("c.#b = :p", Wording::Bare), unused("Names", "{#a}"));
    assert_eq!(of("#a.#b = :p", Wording::Bare), unused("Values", "{:v}"));
    assert_eq!(of("#a.#b IN (:p, :v)", Wording::Bare), "OK");
    let envelope = "1 validation error detected: ";
    assert_eq!(of("c = :p", Wording::Enveloped), format!("{envelope}{}", unused("Names", "{#a, #b}")));
    assert_eq!(
        of("= :p", Wording::Enveloped),
        format!("{envelope}Invalid ConditionExpression: Syntax error; token: \"=\", near: \"= :p\"")
    );
    assert_eq!(
        of("c = :x", Wording::Enveloped),
        format!(
            "{envelope}Invalid ConditionExpression: An expression attribute value used in expression is not defined; \
             attribute value: :x"
        )
    );
}

#[test]
fn maps_without_expressions() {
    use crate::errors::expression as errors;
    let name = "ExpressionAttributeNames can only be specified when using expressions";
    let value = "ExpressionAttributeValues can only be specified when using expressions";
    let both = [ExpressionKind::Filter, ExpressionKind::KeyCondition];
    let texts = [
        errors::names_without_expression(Wording::Bare),
        errors::names_without_expression(Wording::Enveloped),
        errors::values_without_expression(Wording::Enveloped, &[ExpressionKind::Condition]),
        errors::values_without_expression(Wording::Older, &[ExpressionKind::Filter]),
        errors::values_without_expression(Wording::Bare, &both),
    ];
    assert_eq!(
        texts.map(|error| error.message.into_owned()),
        [
            name.to_owned(),
            format!("1 validation error detected: {name}"),
            format!("1 validation error detected: {value}"),
            format!("{value}: FilterExpression is null"),
            format!("{value}: FilterExpression and KeyConditionExpression are null"),
        ]
    );
}
