//! Indexes against a plain model: after any writes, refused ones among them, each index shows exactly the items that have
//! its keys, and what it projects of them, and its counts are exact; and each write tells what it changed of them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod indexed;

use indexed::{Item, Model, Server, check, consumed, items, key};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Write {
    Put(Item),
    Delete(u8, u8),
    Batch(Vec<Write>),
}

fn writes() -> impl Strategy<Value = Write> {
    let one = || {
        prop_oneof![
            3 => items().prop_map(Write::Put),
            1 => (1u8..4, 1u8..4).prop_map(|(pk, sk)| Write::Delete(pk, sk)),
        ]
    };
    prop_oneof![4 => one(), 1 => prop::collection::vec(one(), 1..6).prop_map(distinct)]
}

/// A batch names each key once.
fn distinct(writes: Vec<Write>) -> Write {
    let mut by_key = BTreeMap::new();
    for write in writes {
        let key = match &write {
            Write::Put(item) => (item.pk, item.sk),
            Write::Delete(pk, sk) => (*pk, *sk),
            Write::Batch(_) => continue,
        };
        by_key.insert(key, write);
    }
    Write::Batch(by_key.into_values().collect())
}

/// Changes the model; answers whether the write is accepted.
fn change(model: &mut Model, write: &Write) -> bool {
    match write {
        Write::Put(Item { a: Some(8 | 9), .. }) => return false,
        Write::Put(item) => drop(model.insert((item.pk, item.sk), item.attributes())),
        Write::Delete(pk, sk) => drop(model.remove(&(*pk, *sk))),
        Write::Batch(writes) => {
            let mut after = model.clone();
            if !writes.iter().all(|write| change(&mut after, write)) {
                return false;
            }
            *model = after;
        }
    }
    true
}

/// The keys that a write names.
fn keys(write: &Write) -> Vec<(u8, u8)> {
    match write {
        Write::Put(item) => vec![(item.pk, item.sk)],
        Write::Delete(pk, sk) => vec![(*pk, *sk)],
        Write::Batch(writes) => writes.iter().flat_map(keys).collect(),
    }
}

fn request(write: &Write) -> (&'static str, Value) {
    let (operation, mut body) = match write {
        Write::Put(item) => ("PutItem", json!({ "TableName": "table", "Item": item.attributes() })),
        Write::Delete(pk, sk) => ("DeleteItem", json!({ "TableName": "table", "Key": key(*pk, *sk) })),
        Write::Batch(writes) => {
            let requests: Vec<Value> = writes
                .iter()
                .map(|write| match write {
                    Write::Put(item) => json!({ "PutRequest": { "Item": item.attributes() } }),
                    Write::Delete(pk, sk) => json!({ "DeleteRequest": { "Key": key(*pk, *sk) } }),
                    Write::Batch(_) => json!(null),
                })
                .collect();
            ("BatchWriteItem", json!({ "RequestItems": { "table": requests } }))
        }
    };
    body["ReturnConsumedCapacity"] = "INDEXES".into();
    (operation, body)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn indexes_are_what_the_items_say(
        seed in any::<u64>(),
        writes in prop::collection::vec(writes(), 1..40),
        restart in prop::bool::weighted(0.2),
    ) {
        let mut server = Server::new(seed);
        let mut model = Model::new();
        for write in &writes {
            let (operation, body) = request(write);
            let answer = server.request(operation, &body);
            let before = model.clone();
            if change(&mut model, write) {
                prop_assert!(answer.is_ok(), "{answer:?} to {body}");
                let told = answer.unwrap()["ConsumedCapacity"].clone();
                let told = if told.is_array() { told[0].clone() } else { told };
                prop_assert_eq!(told, consumed(&before, &model, &keys(write), false), "{}", body);
            } else {
                prop_assert!(answer.is_err(), "{answer:?} to {body}");
                prop_assert_eq!(&before, &model);
            }
        }
        check(&mut server, &model);
        if restart {
            server.twins.restart();
            check(&mut server, &model);
        }
    }
}
