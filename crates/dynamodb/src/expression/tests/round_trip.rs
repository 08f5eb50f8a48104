//! What is printed is read back as the same tree, and no text makes the parser panic.

use super::*;
use crate::expression::ast::{Comparator, Step};
use proptest::prelude::*;
use std::sync::Arc;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::sample::select(vec!["Bx", "C_d", "Zz"]).prop_map(|name| Step::Member(name.into())),
        (0..=i32::MAX.unsigned_abs()).prop_map(Step::Element),
    ]
}

/// Paths below one attribute.
fn path(attribute: &'static str) -> impl Strategy<Value = Path> {
    prop::collection::vec(step(), 0..4).prop_map(|steps| Path { attribute: attribute.into(), steps })
}

fn string() -> impl Strategy<Value = Operand> {
    "[a-c]{0,3}".prop_map(|text| operand(&AttributeValue::S(text)))
}

fn operand(value: &AttributeValue) -> Operand {
    Operand::Value(Arc::new(Value::new(value).unwrap()))
}

fn any_value() -> impl Strategy<Value = Operand> {
    prop_oneof![
        string(),
        any::<i32>().prop_map(|number| operand(&AttributeValue::N(number.to_string()))),
        any::<bool>().prop_map(|flag| operand(&AttributeValue::Bool(flag))),
        Just(operand(&AttributeValue::SS(vec!["x".into(), "y".into()]))),
    ]
}

/// What can be ordered with a path of another attribute.
fn ordered() -> impl Strategy<Value = Operand> {
    prop_oneof![
        string(),
        path("q").prop_map(Operand::Path),
        path("a").prop_map(|path| Operand::Size(Box::new(Operand::Path(path)))),
    ]
}

fn comparator() -> impl Strategy<Value = Comparator> {
    prop::sample::select(vec![
        Comparator::Equal,
        Comparator::NotEqual,
        Comparator::Less,
        Comparator::LessOrEqual,
        Comparator::Greater,
        Comparator::GreaterOrEqual,
    ])
}

fn left() -> impl Strategy<Value = Operand> {
    prop_oneof![
        3 => path("a").prop_map(Operand::Path),
        1 => path("a").prop_map(|path| Operand::Size(Box::new(Operand::Path(path)))),
    ]
}

fn leaf() -> impl Strategy<Value = Condition> {
    let list = prop::collection::vec(any_value(), 1..5);
    let kinds = vec![ValueType::S, ValueType::Null, ValueType::Bool, ValueType::NS];
    prop_oneof![
        (comparator(), left(), ordered()).prop_map(|(how, left, right)| Condition::Compare(how, left, right)),
        (ordered(), path("p"))
            .prop_map(|(left, right)| { Condition::Compare(Comparator::Less, left, Operand::Path(right)) }),
        (left(), any_value()).prop_map(|(left, right)| Condition::Compare(Comparator::Equal, left, right)),
        (left(), "[a-m]{1,2}", "[n-z]{1,2}").prop_map(|(left, low, high)| {
            Condition::Between(left, operand(&AttributeValue::S(low)), operand(&AttributeValue::S(high)))
        }),
        (left(), list).prop_map(|(left, list)| Condition::In(left, list)),
        path("a").prop_map(Condition::Exists),
        path("a").prop_map(Condition::NotExists),
        (left(), prop::sample::select(kinds)).prop_map(|(left, kind)| Condition::OfType(left, kind)),
        (path("a"), string()).prop_map(|(path, prefix)| Condition::BeginsWith(Operand::Path(path), prefix)),
        (left(), any_value()).prop_map(|(left, part)| Condition::Contains(left, part)),
    ]
}

fn tree() -> impl Strategy<Value = Condition> {
    leaf().prop_recursive(5, 24, 4, |inner| {
        let members = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            members.clone().prop_map(Condition::And),
            members.prop_map(Condition::Or),
            inner.prop_map(|condition| Condition::Not(Box::new(condition))),
        ]
    })
}

/// The values that a printed tree names, by the names that it gives them.
fn values_of(condition: &Condition, found: &mut Vec<(String, AttributeValue)>) {
    let operand = |operand: &Operand| {
        let Operand::Value(value) = operand else { return };
        let sent = match value.view().unwrap() {
            crate::item::view::Value::S(text) => AttributeValue::S(text.to_owned()),
            crate::item::view::Value::N(number) => AttributeValue::N(number.read().unwrap().to_string()),
            crate::item::view::Value::Bool(flag) => AttributeValue::Bool(flag),
            _ => AttributeValue::SS(vec!["x".into(), "y".into()]),
        };
        found.push((operand.to_string(), sent));
    };
    match condition {
        Condition::And(members) | Condition::Or(members) => {
            members.iter().for_each(|member| values_of(member, found));
        }
        Condition::Not(member) => values_of(member, found),
        Condition::Compare(_, one, two) | Condition::BeginsWith(one, two) | Condition::Contains(one, two) => {
            [one, two].into_iter().for_each(operand);
        }
        Condition::Between(one, two, three) => [one, two, three].into_iter().for_each(operand),
        Condition::In(one, list) => std::iter::once(one).chain(list).for_each(operand),
        Condition::OfType(_, kind) => {
            found.push((format!(":{}", kind.name()), AttributeValue::S(kind.name().to_owned())));
        }
        Condition::Exists(_) | Condition::NotExists(_) => {}
    }
}

fn read_back(text: &str, names: Option<Pairs<String>>, tree: &Condition) -> Result<Condition, String> {
    let mut values = Vec::new();
    values_of(tree, &mut values);
    values.sort_by(|left, right| left.0.cmp(&right.0));
    values.dedup_by(|left, right| left.0 == right.0);
    let values = (!values.is_empty()).then_some(AttributeMap(values));
    let mut placeholders = Placeholders::new(names, values, Wording::Bare).unwrap();
    let read = Condition::parse(ExpressionKind::Condition, text, &mut placeholders);
    read.and_then(|condition| placeholders.check_used().map(|()| condition))
        .map_err(|error| format!("{text}: {}", error.message))
}

/// Words, signs and white space in any order.
fn soup() -> impl Strategy<Value = String> {
    let parts = vec![
        "a",
        "b",
        "#a",
        "#u",
        ":p",
        ":n",
        ":u",
        "=",
        "<>",
        "<",
        ">=",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "0",
        "12",
        ".",
        ",",
        "AND",
        "or",
        "NOT",
        "BETWEEN",
        "IN",
        "size",
        "begins_with",
        "attribute_exists",
        "contains",
        "foo",
        "name",
        "SET",
        " ",
        "  ",
        "\n",
        "+",
        "\u{e9}",
        "\u{1F600}",
        "#",
        ":",
    ];
    prop::collection::vec(prop::sample::select(parts), 0..24).prop_map(|parts| parts.join(" "))
}

proptest! {
    #[test]
    fn printed_trees_are_read_back(tree in tree()) {
        let text = tree.to_string();
        prop_assert_eq!(read_back(&text, None, &tree), Ok(tree));
    }

    /// A name from `ExpressionAttributeNames` is the same as a literal one.
    #[test]
    fn names_are_the_same_however_they_are_written(tree in tree()) {
        let mut names = Vec::new();
        let mut text = tree.to_string();
        for name in ["Bx", "C_d", "Zz"] {
            if text.contains(name) {
                text = text.replace(name, &format!("#x{name}"));
                names.push((format!("#x{name}"), name.to_owned()));
            }
        }
        let names = (!names.is_empty()).then_some(Pairs(names));
        prop_assert_eq!(read_back(&text, names, &tree), Ok(tree));
    }

    #[test]
    fn printed_projections_are_read_back(steps in prop::collection::vec(prop::collection::vec(step(), 0..4), 1..5)) {
        let path = |(position, steps): (usize, Vec<Step>)| Path { attribute: format!("p{position}").into(), steps };
        let projection = Projection { paths: steps.into_iter().enumerate().map(path).collect() };
        let read = Projection::parse(&projection.to_string(), &mut placeholders(""));
        prop_assert_eq!(read.unwrap(), projection);
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![soup(), any::<String>(), "[ -~]{0,40}"]) {
        let mut known = placeholders("#a :p :n");
        for kind in [ExpressionKind::KeyCondition, ExpressionKind::Filter] {
            match Condition::parse(kind, &text, &mut known) {
                Ok(condition) => {
                    let _ = KeyCondition::new(condition)
                        .and_then(|condition| condition.resolve(&schema(Some(ScalarType::S))));
                }
                Err(error) => {
                    let prefix = format!("Invalid {kind}: ");
                    prop_assert!(error.message.starts_with(&prefix), "{}", error.message);
                }
            }
        }
        for text in [text.as_str(), &format!("SET a = {text}"), &format!("ADD a :n REMOVE {text}")] {
            if let Err(error) = Update::parse(text, &mut known) {
                prop_assert!(error.message.starts_with("Invalid UpdateExpression: "), "{}", error.message);
            }
        }
        let _ = Projection::parse(&text, &mut known);
    }
}
