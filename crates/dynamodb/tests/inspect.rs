//! Looks at what is stored: the past of items.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::{Context, RequestId};
use holdfast_dynamodb::inspect::history::{self, ItemHistory, What};
use holdfast_dynamodb::{DataSet, NamedTable, Prepared, prepare};
use holdfast_state::operation::Submission;
use holdfast_store::{HistoryLimits, Options, Store, TimeSource};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock that moves on by a millisecond with each look.
#[derive(Debug, Default)]
struct Ticking(AtomicU64);

impl TimeSource for Ticking {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// One of everybody's tables.
fn table(name: &str) -> NamedTable {
    NamedTable { data_set: DataSet::shared(), name: name.to_owned() }
}

fn store() -> Store {
    let clock = Arc::new(Ticking::default());
    Store::open(Options { trimmer: false, clock, ..Options::in_memory() }).unwrap()
}

/// A write by the access key `sailor`; the version after it.
fn write(store: &Store, operation: &str, body: &str) -> u64 {
    let context = Context {
        request_id: RequestId::from_random([7; 52]),
        ..Context::new("us-east-1", "sailor", 5).unwrap()
    };
    let Prepared::Write(write) = prepare(&context, operation, body.as_bytes()).unwrap() else { panic!() };
    let (submission, outcome) = store.execute(Submission::new(write));
    submission.answer().unwrap();
    outcome.unwrap()
}

fn create(store: &Store, key: &str) -> u64 {
    let body = format!(
        r#"{{"TableName":"boats","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"{key}","KeyType":"HASH"}}],"AttributeDefinitions":[{{"AttributeName":"{key}","AttributeType":"S"}}]}}"#
    );
    write(store, "CreateTable", &body)
}

fn put(store: &Store, name: &str, length: u32) -> u64 {
    let body =
        format!(r#"{{"TableName":"boats","Item":{{"id":{{"S":"{name}"}},"length":{{"N":"{length}"}}}}}}"#);
    write(store, "PutItem", &body)
}

fn delete(store: &Store, name: &str) -> u64 {
    write(store, "DeleteItem", &format!(r#"{{"TableName":"boats","Key":{{"id":{{"S":"{name}"}}}}}}"#))
}

fn events(history: &ItemHistory) -> Vec<(u64, What)> {
    history.versions.iter().map(|version| (version.version, version.what)).collect()
}

#[test]
fn the_past_of_an_item_goes_back_over_dropped_tables() {
    let store = store();
    let unknown = history::of_item(&store.snapshot(), &table("boats"), "ketch", 9).unwrap_err();
    assert!(unknown.to_string().contains("no table boats"), "{unknown}");
    create(&store, "id");
    let mut expected = vec![(put(&store, "ketch", 1), What::Insert)];
    put(&store, "yawl", 1);
    expected.push((put(&store, "ketch", 2), What::Modify));
    expected.push((delete(&store, "ketch"), What::Remove));
    expected.push((put(&store, "ketch", 333), What::Insert));
    expected.push((write(&store, "DeleteTable", r#"{"TableName":"boats"}"#), What::Drop));
    // A table with another key was there for a while.
    create(&store, "name");
    write(&store, "DeleteTable", r#"{"TableName":"boats"}"#);
    create(&store, "id");
    expected.push((put(&store, "ketch", 4), What::Insert));
    expected.reverse();

    let now = store.snapshot();
    let history = history::of_item(&now, &table("boats"), "ketch", 99).unwrap();
    assert_eq!(events(&history), expected);
    assert_eq!((history.key.as_str(), history.more, history.horizon), (r#"{"id":{"S":"ketch"}}"#, false, 0));
    let newest = history.versions[0].commit.as_ref().unwrap();
    let told = (&*newest.operation, &*newest.principal, newest.request_id.len());
    assert_eq!(told, ("PutItem", "sailor", 52));
    let sizes: Vec<_> = history.versions.iter().map(|version| version.size).collect();
    // id + ketch + length + number.
    let small = Some(2 + 5 + 6 + 2);
    assert_eq!(sizes, [small, None, Some(2 + 5 + 6 + 3), None, small, small]);
    assert_eq!(&*history.versions[1].commit.as_ref().unwrap().operation, "DeleteTable");

    let some = history::of_item(&now, &table("boats"), r#"{"id":{"S":"ketch"}}"#, 2).unwrap();
    assert!(some.more && events(&some) == expected[..2]);
    let all = history::of_item(&now, &table("boats"), "id=ketch", 6).unwrap();
    assert!(!all.more && all.versions.len() == 6);
    assert!(history::of_item(&now, &table("boats"), "name=ketch", 9).unwrap().versions.is_empty());
    // A key of a table in between.
    assert!(history::of_item(&now, &table("boats"), r#"{"name":{"S":"a"}}"#, 9).unwrap().versions.is_empty());
    assert!(history::of_item(&now, &table("boats"), r#"{"mast":{"S":"a"}}"#, 9).is_err());

    for pair in expected.windows(2) {
        let [(after, what), (before, _)] = pair else { panic!() };
        let exists = matches!(what, What::Insert | What::Modify);
        let item = history::item_at(&store.as_of(*after).unwrap(), &table("boats"), "ketch");
        match what {
            What::Drop => {
                assert!(item.unwrap_err().to_string().contains("there was no table boats at version"))
            }
            _ => assert_eq!(item.unwrap().is_some(), exists, "{after} {before}"),
        }
    }
    let item =
        history::item_at(&store.as_of(expected[4].0).unwrap(), &table("boats"), "ketch").unwrap().unwrap();
    assert_eq!(item, r#"{"id":{"S":"ketch"},"length":{"N":"2"}}"#);
    assert_eq!(history::item_at(&now, &table("boats"), "dinghy").unwrap(), None);
}

#[test]
fn an_item_is_found_though_a_later_table_of_the_name_has_another_key() {
    let store = store();
    create(&store, "id");
    let inserted = put(&store, "5", 1);
    let dropped = write(&store, "DeleteTable", r#"{"TableName":"boats"}"#);
    let create_with = |name: &str, kind: &str| {
        let body = format!(
            r#"{{"TableName":"boats","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"{name}","KeyType":"HASH"}}],"AttributeDefinitions":[{{"AttributeName":"{name}","AttributeType":"{kind}"}}]}}"#
        );
        write(&store, "CreateTable", &body);
    };
    let of = |key: &str| history::of_item(&store.snapshot(), &table("boats"), key, 9);
    create_with("name", "B");
    for key in [r#"{"id":{"S":"5"}}"#, "5"] {
        let found = of(key).unwrap();
        assert_eq!(events(&found), [(dropped, What::Drop), (inserted, What::Insert)], "{key}");
        assert_eq!(found.key, r#"{"id":{"S":"5"}}"#);
    }
    // What is no key of any of them is refused for the newest.
    let refused = of(r#"{"no":{"S":"a"}}"#).unwrap_err().to_string();
    assert!(refused.contains(r#"{"name":{"B":"…"}}"#), "{refused}");
    write(&store, "DeleteTable", r#"{"TableName":"boats"}"#);
    // A key without a type is the newest table's key, not also that of another type.
    create_with("id", "N");
    let number = of("5").unwrap();
    assert_eq!((number.key.as_str(), number.versions.len()), (r#"{"id":{"N":"5"}}"#, 0));
    assert_eq!(of(r#"{"id":{"S":"5"}}"#).unwrap().versions.len(), 2);
}

#[test]
fn where_the_past_ends_is_told() {
    let store = store();
    create(&store, "id");
    (0..5).for_each(|length| {
        put(&store, "ketch", length);
    });
    let last = put(&store, "ketch", 9);
    while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).unwrap() {}
    let history = history::of_item(&store.snapshot(), &table("boats"), "ketch", 9).unwrap();
    assert_eq!(history.horizon, last);
    let [only] = &history.versions[..] else { panic!("{history:?}") };
    assert_eq!((only.version, only.size), (last, Some(15)));
    assert!(matches!(only.what, What::Write | What::Modify), "{only:?}");
    let next = put(&store, "ketch", 1);
    let history = history::of_item(&store.snapshot(), &table("boats"), "ketch", 9).unwrap();
    assert_eq!(events(&history)[0], (next, What::Modify));
    assert_eq!(history.versions.len(), 2);
}

#[test]
fn states_follow_the_time() {
    use holdfast_dynamodb::inspect::state;
    use holdfast_dynamodb::key::ScalarType;
    use holdfast_dynamodb::table::{BillingMode, StateTimes, TableDefinition};
    use holdfast_state::record::Record;
    let at = |active_ms, gone_ms| {
        let keys = (("id".to_owned(), ScalarType::S), None);
        let definition = TableDefinition {
            states: StateTimes { active_ms, gone_ms, changed_ms: 0 },
            ..TableDefinition::new(keys, "1".to_owned(), 0, BillingMode::PayPerRequest)
        };
        [4, 5, 9].map(|now_ms| state(&definition.to_bytes(), now_ms).unwrap())
    };
    assert_eq!(at(0, 0), ["ACTIVE"; 3]);
    assert_eq!(at(5, 0), ["CREATING", "ACTIVE", "ACTIVE"]);
    assert_eq!(at(0, 5), ["DELETING"; 3]);
    assert!(state(&[99], 0).is_err());
}
