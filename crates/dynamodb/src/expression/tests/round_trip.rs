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

/// A value of `any_value` and the name that a printed tree gives it.
fn sent_as(value: &Value) -> (String, AttributeValue) {
    let sent = match value.view().unwrap() {
        crate::item::view::Value::S(text) => AttributeValue::S(text.to_owned()),
        crate::item::view::Value::N(number) => AttributeValue::N(number.read().unwrap().to_string()),
        crate::item::view::Value::Bool(flag) => AttributeValue::Bool(flag),
        crate::item::view::Value::L(_) => AttributeValue::L(Vec::new()),
        _ => AttributeValue::SS(vec!["x".into(), "y".into()]),
    };
    (value.to_string(), sent)
}

/// The values that a printed tree names, by the names that it gives them.
fn values_of(condition: &Condition, found: &mut Vec<(String, AttributeValue)>) {
    let operand = |operand: &Operand| {
        if let Operand::Value(value) = operand {
            found.push(sent_as(value));
        }
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

/// Placeholders with values, each of which may be there twice.
fn known(names: Option<Pairs<String>>, mut values: Vec<(String, AttributeValue)>) -> Placeholders {
    values.sort_by(|left, right| left.0.cmp(&right.0));
    values.dedup_by(|left, right| left.0 == right.0);
    let values = (!values.is_empty()).then_some(AttributeMap(values));
    Placeholders::new(names, values, Wording::Bare).unwrap()
}

fn read_back(text: &str, names: Option<Pairs<String>>, tree: &Condition) -> Result<Condition, String> {
    let mut values = Vec::new();
    values_of(tree, &mut values);
    let mut placeholders = known(names, values);
    let read = Condition::parse(ExpressionKind::Condition, text, &mut placeholders);
    read.and_then(|condition| placeholders.check_used().map(|()| condition))
        .map_err(|error| format!("{text}: {}", error.message))
}

fn sent(value: &AttributeValue) -> Arc<Value> {
    Arc::new(Value::new(value).unwrap())
}

fn number() -> impl Strategy<Value = Arc<Value>> {
    any::<i32>().prop_map(|number| sent(&AttributeValue::N(number.to_string())))
}

fn set() -> Arc<Value> {
    sent(&AttributeValue::SS(vec!["x".into(), "y".into()]))
}

/// What a list can be appended to, or a number added to: `value`, a path, or one of them if there is nothing.
fn set_operand(value: impl Strategy<Value = Arc<Value>> + 'static) -> impl Strategy<Value = SetOperand> {
    let leaf = prop_oneof![path("q").prop_map(SetOperand::Path), value.prop_map(SetOperand::Value)];
    leaf.prop_recursive(3, 3, 1, |inner| {
        (path("p"), inner).prop_map(|(path, otherwise)| SetOperand::IfNotExists(path, Box::new(otherwise)))
    })
}

fn set_value() -> impl Strategy<Value = SetValue> {
    let list = || set_operand(Just(sent(&AttributeValue::L(Vec::new()))));
    let any = any_value().prop_filter_map("a value", |operand| match operand {
        Operand::Value(value) => Some(value),
        _ => None,
    });
    prop_oneof![
        set_operand(any).prop_map(SetValue::Operand),
        (list(), list()).prop_map(|(first, second)| {
            SetValue::Operand(SetOperand::ListAppend(Box::new(first), Box::new(second)))
        }),
        (set_operand(number()), set_operand(number())).prop_map(|(left, right)| SetValue::Sum(left, right)),
        (set_operand(number()), set_operand(number()))
            .prop_map(|(left, right)| SetValue::Difference(left, right)),
    ]
}

/// Each action at an attribute of its own, in clauses in any order.
fn updates() -> impl Strategy<Value = Update> {
    let added = prop_oneof![number(), Just(set())];
    let clauses = [
        prop::collection::vec(set_value(), 0..4)
            .prop_map(|values| {
                values.into_iter().map(|value| Action::Set(nowhere(), value)).collect::<Vec<_>>()
            })
            .boxed(),
        (0usize..4).prop_map(|count| vec![Action::Remove(nowhere()); count]).boxed(),
        prop::collection::vec(added, 0..4)
            .prop_map(|values| values.into_iter().map(|value| Action::Add(nowhere(), value)).collect())
            .boxed(),
        (0usize..4).prop_map(|count| vec![Action::Delete(nowhere(), set()); count]).boxed(),
    ];
    let steps = prop::collection::vec(prop::collection::vec(step(), 0..4), 12);
    let clauses = (clauses, Just([0usize, 1, 2, 3]).prop_shuffle());
    let placed = (clauses, steps).prop_map(|((mut clauses, order), steps)| {
        let actions = order.into_iter().flat_map(|clause| std::mem::take(&mut clauses[clause]));
        let actions = actions.zip(steps).enumerate().map(|(position, (action, steps))| {
            let path = Path { attribute: format!("t{position}").into(), steps };
            match action {
                Action::Set(_, value) => Action::Set(path, value),
                Action::Remove(_) => Action::Remove(path),
                Action::Add(_, value) => Action::Add(path, value),
                Action::Delete(_, value) => Action::Delete(path, value),
            }
        });
        Update { actions: actions.collect() }
    });
    placed.prop_filter("no action", |update| !update.actions.is_empty())
}

fn nowhere() -> Path {
    Path { attribute: "".into(), steps: Vec::new() }
}

fn values_of_operand(operand: &SetOperand, found: &mut Vec<(String, AttributeValue)>) {
    match operand {
        SetOperand::Path(_) => {}
        SetOperand::Value(value) => found.push(sent_as(value)),
        SetOperand::IfNotExists(_, otherwise) => values_of_operand(otherwise, found),
        SetOperand::ListAppend(first, second) => {
            values_of_operand(first, found);
            values_of_operand(second, found);
        }
    }
}

fn values_of_update(update: &Update) -> Vec<(String, AttributeValue)> {
    let mut found = Vec::new();
    for action in &update.actions {
        match action {
            Action::Set(_, SetValue::Operand(operand)) => values_of_operand(operand, &mut found),
            Action::Set(_, SetValue::Sum(left, right) | SetValue::Difference(left, right)) => {
                values_of_operand(left, &mut found);
                values_of_operand(right, &mut found);
            }
            Action::Add(_, value) | Action::Delete(_, value) => found.push(sent_as(value)),
            Action::Remove(_) => {}
        }
    }
    found
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
    fn printed_updates_are_read_back(update in updates()) {
        let mut placeholders = known(None, values_of_update(&update));
        let text = update.to_string();
        let read = Update::parse(&text, &mut placeholders);
        let read = read.and_then(|update| placeholders.check_used().map(|()| update));
        prop_assert_eq!(read.map_err(|error| error.message), Ok(update), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![soup(), any::<String>(), "[ -~]{0,40}"]) {
        let mut known = placeholders("#a :p :n");
        for kind in [ExpressionKind::KeyCondition, ExpressionKind::Filter] {
            match Condition::parse(kind, &text, &mut known) {
                Ok(condition) => {
                    let _ = KeyCondition::new(condition)
                        .and_then(|condition| condition.resolve(&schema(Some(ScalarType::S)).into(), None));
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
