//! Transactions against a plain model: done whole or not at all, with every reason in its place; indexes follow; a token takes
//! effect once in ten minutes.
#![allow(clippy::unwrap_used, reason = "tests")]

mod indexed;

use holdfast_dynamodb::{DataSet, NamedTable, inspect};
use holdfast_store::Read;
use indexed::{Item, Model, Server, check, consumed, items, key, part};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const MINUTE_MS: u64 = 60_000;

/// A transaction, and how long after the one before it is sent.
#[derive(Debug, Clone)]
struct Transaction {
    actions: Vec<Action>,
    token: Option<u8>,
    minutes: u64,
}

#[derive(Debug, Clone)]
struct Action {
    pk: u8,
    sk: u8,
    change: Change,
    condition: Condition,
    /// Whether the partition key is sent as a number, which it is not.
    wrong_key: bool,
}

#[derive(Debug, Clone)]
enum Change {
    Put(Item),
    Delete,
    Check,
    /// Sets the key of an index; 9 stands for a value of the wrong type, 8 for an empty one.
    SetA(u8),
    SetX(u8),
    RemoveB,
    /// Sets `x` to an attribute that is nowhere.
    SetMissing,
}

#[derive(Debug, Clone, Copy)]
enum Condition {
    Always,
    Exists,
    NotExists,
    XIs(u8),
    NoB,
}

#[derive(Debug, PartialEq, Clone, Copy)]
enum Reason {
    None,
    ConditionalCheckFailed,
    ValidationError,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    /// It was done before.
    Repeated,
    /// Refused as a whole; the text has this in it.
    Refused(&'static str),
    Cancelled(Vec<Reason>),
}

/// What an action makes of an item.
enum Decision {
    Stays,
    Becomes(Option<Map<String, Value>>),
    Not(Reason),
    /// The whole request is refused.
    Refuses(Outcome),
}

fn actions() -> impl Strategy<Value = Action> {
    let set_a = prop_oneof![8 => 1u8..4, 1 => Just(8u8), 1 => Just(9)];
    let change = prop_oneof![
        4 => items().prop_map(Change::Put),
        2 => Just(Change::Delete),
        2 => Just(Change::Check),
        2 => set_a.prop_map(Change::SetA),
        2 => (1u8..4).prop_map(Change::SetX),
        1 => Just(Change::RemoveB),
        1 => Just(Change::SetMissing),
    ];
    let condition = prop_oneof![
        12 => Just(Condition::Always),
        1 => Just(Condition::Exists),
        1 => Just(Condition::NotExists),
        1 => (1u8..4).prop_map(Condition::XIs),
        1 => Just(Condition::NoB),
    ];
    (1u8..4, 1u8..4, change, condition, prop::bool::weighted(0.02)).prop_map(
        |(pk, sk, change, condition, wrong_key)| match change {
            Change::Put(item) => {
                Action { pk: item.pk, sk: item.sk, change: Change::Put(item), condition, wrong_key }
            }
            // A check has a condition.
            Change::Check if matches!(condition, Condition::Always) => {
                Action { pk, sk, change, condition: Condition::NoB, wrong_key }
            }
            change => Action { pk, sk, change, condition, wrong_key },
        },
    )
}

fn transactions() -> impl Strategy<Value = Transaction> {
    let token = prop::option::weighted(0.5, 0u8..6);
    let minutes = prop_oneof![6 => Just(0u64), 1 => 1u64..12];
    (prop::collection::vec(actions(), 1..5), token, minutes).prop_map(|(mut actions, token, minutes)| {
        // Now and then one item is named twice.
        let mut seen = BTreeSet::new();
        if actions.len() != 4 {
            actions.retain(|action| seen.insert((action.pk, action.sk)));
        }
        Transaction { actions, token, minutes }
    })
}

impl Condition {
    fn holds(self, item: Option<&Map<String, Value>>) -> bool {
        match self {
            Self::Always => true,
            Self::Exists => item.is_some(),
            Self::NotExists => item.is_none(),
            Self::XIs(x) => item.is_some_and(|item| item.get("x") == Some(&x_value(x))),
            Self::NoB => item.is_none_or(|item| !item.contains_key("b")),
        }
    }

    fn text(self) -> Option<&'static str> {
        Some(match self {
            Self::Always => return None,
            Self::Exists => "attribute_exists(pk)",
            Self::NotExists => "attribute_not_exists(pk)",
            Self::XIs(_) => "x = :is",
            Self::NoB => "attribute_not_exists(b)",
        })
    }
}

fn x_value(x: u8) -> Value {
    json!({ "S": "x".repeat(usize::from(x)) })
}

fn a_value(a: u8) -> Value {
    let item = Item { pk: 0, sk: 0, a: Some(a), b: None, c: None, x: None };
    item.attributes()["a"].clone()
}

impl Action {
    fn request(&self) -> Value {
        let (kind, subject, update) = match &self.change {
            Change::Put(item) => ("Put", Value::Object(item.attributes()), None),
            Change::Delete => ("Delete", key(self.pk, self.sk), None),
            Change::Check => ("ConditionCheck", key(self.pk, self.sk), None),
            Change::SetA(_) => ("Update", key(self.pk, self.sk), Some("SET a = :set")),
            Change::SetX(_) => ("Update", key(self.pk, self.sk), Some("SET x = :set")),
            Change::RemoveB => ("Update", key(self.pk, self.sk), Some("REMOVE b")),
            Change::SetMissing => ("Update", key(self.pk, self.sk), Some("SET x = nowhere")),
        };
        let mut body = json!({ "TableName": "table" });
        let mut values = Map::new();
        match self.change {
            Change::SetA(a) => drop(values.insert(":set".to_owned(), a_value(a))),
            Change::SetX(x) => drop(values.insert(":set".to_owned(), x_value(x))),
            _ => {}
        }
        if let Condition::XIs(x) = self.condition {
            values.insert(":is".to_owned(), x_value(x));
        }
        let member = if kind == "Put" { "Item" } else { "Key" };
        body[member] = subject;
        if self.wrong_key {
            body[member]["pk"] = json!({ "N": "7" });
        }
        if let Some(update) = update {
            body["UpdateExpression"] = update.into();
        }
        if let Some(condition) = self.condition.text() {
            body["ConditionExpression"] = condition.into();
        }
        if !values.is_empty() {
            body["ExpressionAttributeValues"] = values.into();
        }
        json!({ kind: body })
    }

    fn decide(&self, model: &Model) -> Decision {
        const EMPTY: Outcome = Outcome::Refused("secondary index key");
        let old = model.get(&(self.pk, self.sk));
        if let Change::Put(item) = &self.change {
            match item.a {
                Some(8) => return Decision::Refuses(EMPTY),
                Some(9) => return Decision::Not(Reason::ValidationError),
                _ => {}
            }
        }
        if !self.condition.holds(old) {
            return Decision::Not(Reason::ConditionalCheckFailed);
        }
        let mut updated = match old {
            Some(old) => old.clone(),
            None => key(self.pk, self.sk).as_object().unwrap().clone(),
        };
        match &self.change {
            Change::Put(item) => return Decision::Becomes(Some(item.attributes())),
            Change::Delete => return Decision::Becomes(None),
            Change::Check => return Decision::Stays,
            // An update that only removes makes no item.
            Change::RemoveB if old.is_none() => return Decision::Stays,
            Change::SetA(8) => return Decision::Refuses(EMPTY),
            Change::SetA(9) | Change::SetMissing => return Decision::Not(Reason::ValidationError),
            Change::SetA(a) => drop(updated.insert("a".to_owned(), a_value(*a))),
            Change::SetX(x) => drop(updated.insert("x".to_owned(), x_value(*x))),
            Change::RemoveB => drop(updated.remove("b")),
        }
        Decision::Becomes(Some(updated))
    }
}

/// Everything that requests can tell.
#[derive(Debug, Default)]
struct World {
    items: Model,
    /// Tokens with the time and the actions of their requests.
    tokens: BTreeMap<u8, (u64, String)>,
}

impl World {
    fn run(&mut self, transaction: &Transaction, now_ms: u64, sent: &str) -> Outcome {
        let mut seen = BTreeSet::new();
        for action in transaction.actions.iter().filter(|action| !action.wrong_key) {
            if !seen.insert((action.pk, action.sk)) {
                return Outcome::Refused("multiple operations on one item");
            }
        }
        let used = transaction.token.and_then(|token| self.tokens.get(&token));
        if let Some((_, before)) = used.filter(|(at_ms, _)| now_ms - at_ms < 10 * MINUTE_MS) {
            return if before == sent {
                Outcome::Repeated
            } else {
                Outcome::Refused("different request parameters")
            };
        }
        let (mut reasons, mut after) = (Vec::new(), self.items.clone());
        for action in &transaction.actions {
            let decision = match action.wrong_key {
                true => Decision::Not(Reason::ValidationError),
                false => action.decide(&self.items),
            };
            let mut reason = Reason::None;
            match decision {
                Decision::Stays => {}
                Decision::Becomes(Some(item)) => drop(after.insert((action.pk, action.sk), item)),
                Decision::Becomes(None) => drop(after.remove(&(action.pk, action.sk))),
                Decision::Not(not) => reason = not,
                Decision::Refuses(outcome) => return outcome,
            }
            reasons.push(reason);
        }
        if reasons.iter().any(|reason| *reason != Reason::None) {
            return Outcome::Cancelled(reasons);
        }
        self.items = after;
        if let Some(token) = transaction.token {
            self.tokens.insert(token, (now_ms, sent.to_owned()));
        }
        Outcome::Done
    }
}

/// All items with the keys of this test, in one transaction.
fn check_items(server: &mut Server, model: &Model) {
    let keys: Vec<(u8, u8)> = (1u8..4).flat_map(|pk| (1u8..4).map(move |sk| (pk, sk))).collect();
    let gets: Vec<Value> = keys
        .iter()
        .map(|(pk, sk)| json!({ "Get": { "TableName": "table", "Key": key(*pk, *sk) } }))
        .collect();
    let found = server.request("TransactGetItems", &json!({ "TransactItems": gets })).unwrap();
    let expected: Vec<Value> =
        keys.iter().map(|key| model.get(key).map_or(json!({}), |item| json!({ "Item": item }))).collect();
    assert_eq!(found, json!({ "Responses": expected }));
}

/// What a deep check has to say.
fn findings(server: &Server) -> Vec<String> {
    let newest = || server.twins.store().snapshot();
    let table = NamedTable { data_set: DataSet::shared(), name: "table".to_owned() };
    let table = inspect::check::table(&newest, &table, Duration::MAX, &mut |_| true).unwrap().unwrap();
    let tokens = inspect::tokens::check(&DataSet::shared(), &newest, Duration::MAX, &mut || true).unwrap();
    table.findings.into_iter().map(|finding| finding.what).chain(tokens.findings).collect()
}

fn send(server: &mut Server, transaction: &Transaction) -> (String, Result<Value, String>) {
    let actions: Vec<Value> = transaction.actions.iter().map(Action::request).collect();
    let sent = json!(actions).to_string();
    let mut body = json!({ "TransactItems": actions, "ReturnConsumedCapacity": "INDEXES" });
    if let Some(token) = transaction.token {
        body["ClientRequestToken"] = format!("token {token}").into();
    }
    server.now_ms += transaction.minutes * MINUTE_MS;
    let answer = server.request("TransactWriteItems", &body);
    (sent, answer)
}

/// What a repeat tells: that each item would be read twice.
fn reread(actions: usize) -> Value {
    let part = |units| part(units, Some("ReadCapacityUnits"));
    let mut consumed = part(2 * actions);
    consumed["Table"] = part(2 * actions);
    consumed["TableName"] = "table".into();
    consumed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn transactions_are_done_whole_or_not_at_all(
        seed in any::<u64>(),
        transactions in prop::collection::vec(transactions(), 1..30),
        restart in prop::bool::weighted(0.2),
    ) {
        let mut server = Server::new(seed);
        let mut world = World::default();
        for (at, transaction) in transactions.iter().enumerate() {
            let before = server.twins.store().snapshot().version();
            let (sent, answer) = send(&mut server, transaction);
            let items = world.items.clone();
            let expected = world.run(transaction, server.now_ms, &sent);
            let keys: Vec<_> = transaction.actions.iter().map(|action| (action.pk, action.sk)).collect();
            match &expected {
                Outcome::Done => {
                    let told = json!({ "ConsumedCapacity": [consumed(&items, &world.items, &keys, true)] });
                    prop_assert_eq!(answer, Ok(told), "{:?}", transaction);
                }
                Outcome::Repeated => {
                    let told = json!({ "ConsumedCapacity": [reread(keys.len())] });
                    prop_assert_eq!(answer, Ok(told), "{:?}", transaction);
                }
                Outcome::Refused(what) => {
                    let error = answer.unwrap_err();
                    prop_assert!(error.contains(what), "{error} to {transaction:?}");
                    prop_assert!(!error.starts_with("TransactionCanceledException"), "{error} to {transaction:?}");
                }
                Outcome::Cancelled(reasons) => {
                    let reasons: Vec<String> = reasons.iter().map(|reason| format!("{reason:?}")).collect();
                    let text = format!(
                        "TransactionCanceledException: Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                        reasons.join(", ")
                    );
                    prop_assert_eq!(answer, Err(text), "{:?}", transaction);
                }
            }
            if expected != Outcome::Done {
                prop_assert_eq!(server.twins.store().snapshot().version(), before);
            }
            if restart && at == transactions.len() / 2 {
                server.twins.restart();
            }
            check_items(&mut server, &world.items);
        }
        check(&mut server, &world.items);
        prop_assert_eq!(findings(&server), Vec::<String>::new());
    }
}
