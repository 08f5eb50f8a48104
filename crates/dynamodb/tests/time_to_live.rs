//! Time to live against a plain model: after any writes there is a row of expiry for exactly the items whose attribute is a
//! number that comes; the job takes away exactly those whose time has come, with their rows in indexes, and does nothing while
//! nothing is due; what was there before it was enabled expires too.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_dynamodb::inspect::check::{self, HOLD};
use holdfast_dynamodb::inspect::history;
use holdfast_dynamodb::table::TableDefinition;
use holdfast_dynamodb::{DataSet, NamedTable, Prepared, jobs};
use holdfast_state::catalog;
use holdfast_state::operation::Submission;
use holdfast_store::{Options, Origin, Read, SpaceId, Store, TimeSource};
use holdfast_testkit::clock::VirtualClock;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

const NOW: u64 = 1_795_000_000;
const FIVE_YEARS: u64 = 5 * 365 * 86_400;

struct Server {
    store: Store,
    clock: Arc<VirtualClock>,
}

fn table() -> NamedTable {
    NamedTable { data_set: DataSet::shared(), name: "Sessions".to_owned() }
}

impl Server {
    /// With a table that has an index by the time itself.
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::at(NOW * 1_000));
        let time: Arc<dyn TimeSource> = Arc::<VirtualClock>::clone(&clock);
        let options = Options { clock: time, trimmer: false, jobs: jobs::kinds(), ..Options::in_memory() };
        let server = Self { store: Store::open(options).unwrap(), clock };
        server.call(
            "CreateTable",
            json!({
                "TableName": "Sessions",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "AttributeDefinitions": [
                    { "AttributeName": "id", "AttributeType": "S" },
                    { "AttributeName": "user", "AttributeType": "S" },
                ],
                "GlobalSecondaryIndexes": [{
                    "IndexName": "by-user",
                    "KeySchema": [{ "AttributeName": "user", "KeyType": "HASH" }],
                    "Projection": { "ProjectionType": "ALL" },
                }],
            }),
        );
        server
    }

    fn call(&self, operation: &str, body: Value) -> Value {
        let context = holdfast_testkit::context::context(self.store.clock().service_now_ms());
        let answer =
            match holdfast_dynamodb::prepare(&context, operation, body.to_string().as_bytes()).unwrap() {
                Prepared::Read(read) => read.run(&self.store.snapshot()),
                Prepared::Write(write) => {
                    let (submission, outcome) = self.store.execute(Submission::new(write));
                    outcome.unwrap();
                    submission.answer()
                }
            };
        serde_json::from_slice(&answer.unwrap()).unwrap()
    }

    fn switch(&self, enabled: bool) {
        let specification = json!({ "AttributeName": "ttl", "Enabled": enabled });
        self.call(
            "UpdateTimeToLive",
            json!({ "TableName": "Sessions", "TimeToLiveSpecification": specification }),
        );
    }

    fn status(&self) -> String {
        let described = self.call("DescribeTimeToLive", json!({ "TableName": "Sessions" }));
        described["TimeToLiveDescription"]["TimeToLiveStatus"].as_str().unwrap().to_owned()
    }

    fn put(&self, id: &str, ttl: &Value) {
        self.call("PutItem", json!({ "TableName": "Sessions", "Item": item(id, ttl) }));
    }

    /// Ids of the items that the table, or its index, shows.
    fn ids(&self, index: Option<&str>) -> Vec<String> {
        let mut body = json!({ "TableName": "Sessions" });
        if let Some(index) = index {
            body["IndexName"] = index.into();
        }
        let answer = self.call("Scan", body);
        let items = answer["Items"].as_array().unwrap().iter();
        let mut ids: Vec<String> = items.map(|item| item["id"]["S"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    }

    /// Runs steps of jobs until none is due; how many ran.
    fn run_jobs(&self) -> usize {
        (0..).take_while(|_| self.store.run_job_step().unwrap()).count()
    }

    fn jobs(&self) -> Vec<&'static str> {
        self.store.status().unwrap().jobs.iter().map(|job| job.name.unwrap()).collect()
    }

    fn space(&self) -> Option<SpaceId> {
        let now = self.store.snapshot();
        let entries = catalog::list_all(&now, None, 9).unwrap();
        TableDefinition::derived(&entries[0].1.record.definition).unwrap().2.map(|expiry| expiry.space)
    }

    /// The seconds of the rows of expiry.
    fn seconds(&self) -> Vec<u64> {
        let now = self.store.snapshot();
        let rows = now.range(self.space().unwrap(), Bound::Unbounded, Bound::Unbounded, false);
        rows.map(|row| u64::from_be_bytes(row.unwrap().0[1..9].try_into().unwrap())).collect()
    }

    fn assert_healthy(&self) {
        let newest = || self.store.snapshot();
        let checked = check::table(&newest, &table(), HOLD, &mut |_| true).unwrap().unwrap();
        assert_eq!((checked.findings, checked.counters_not_compared), (Vec::new(), None));
    }
}

fn item(id: &str, ttl: &Value) -> Value {
    let mut item = json!({ "id": { "S": id }, "user": { "S": format!("u{}", id.len()) } });
    if !ttl.is_null() {
        item["ttl"] = ttl.clone();
    }
    item
}

fn number(text: impl ToString) -> Value {
    json!({ "N": text.to_string() })
}

#[test]
fn items_go_when_their_time_has_come_and_not_before() {
    let server = Server::new();
    server.switch(true);
    assert_eq!(server.status(), "ENABLED");
    for (id, ttl) in [
        ("soon", number(NOW + 10)),
        ("later", number(NOW + 11)),
        ("part", number(format!("{}.001", NOW + 9))),
        ("ages", number(NOW - FIVE_YEARS - 1)),
        ("past", number(NOW - FIVE_YEARS + 60)),
        ("text", json!({ "S": (NOW - 5).to_string() })),
        ("never", Value::Null),
    ] {
        server.put(id, &ttl);
    }
    assert_eq!(server.run_jobs(), 1);
    assert_eq!(server.ids(None), ["ages", "later", "never", "part", "soon", "text"]);
    let version = server.store.status().unwrap().version;
    let commits = server.store.status().unwrap().commit;
    server.clock.set((NOW + 10) * 1_000 - 1);
    assert_eq!(server.run_jobs(), 0, "nothing is due");
    assert_eq!(server.store.status().unwrap().commit, commits, "and nothing was written");
    server.clock.set((NOW + 10) * 1_000);
    assert_eq!(server.run_jobs(), 1);
    assert_eq!(server.store.status().unwrap().version, version + 1);
    for index in [None, Some("by-user")] {
        assert_eq!(server.ids(index), ["ages", "later", "never", "text"]);
    }
    assert_eq!(server.seconds(), [NOW - FIVE_YEARS - 1, NOW + 11]);
    server.assert_healthy();

    let history = history::of_item(&server.store.snapshot(), &table(), "soon", 9).unwrap();
    let commit = history.versions[0].commit.as_ref().unwrap();
    assert_eq!((history.versions[0].version, commit.origin), (version + 1, Origin::Ttl));
    assert_eq!((&*commit.operation, &*commit.principal), ("TimeToLive", "dynamodb.amazonaws.com"));
}

#[test]
fn items_that_were_there_before_expire_too() {
    let server = Server::new();
    for at in 0..500_u64 {
        server.put(&format!("i{at}"), &number(NOW + at));
    }
    server.switch(true);
    assert_eq!(server.status(), "ENABLING");
    assert_eq!(server.jobs(), ["dynamodb expiry build", "dynamodb expiry"]);
    server.assert_healthy();
    // Between the steps, writes go on.
    let mut at = 0;
    while server.status() == "ENABLING" {
        assert!(server.store.run_job_step().unwrap());
        server.put(&format!("i{at}"), &number(NOW + 1_000));
        server.put(&format!("new{at}"), &number(NOW + 1_000));
        server.call(
            "DeleteItem",
            json!({ "TableName": "Sessions", "Key": { "id": { "S": format!("i{}", 499 - at) } } }),
        );
        server.assert_healthy();
        at += 1;
    }
    assert!(at > 2, "it took several steps");
    assert_eq!(server.seconds().len(), server.ids(None).len());
    server.clock.set((NOW + 999) * 1_000);
    server.run_jobs();
    assert_eq!(server.ids(None).len(), server.seconds().len());
    assert!(server.seconds().iter().all(|second| *second == NOW + 1_000));
    assert_eq!(server.jobs(), ["dynamodb expiry"]);
    server.assert_healthy();
}

#[test]
fn jobs_end_with_time_to_live_and_with_the_table() {
    let server = Server::new();
    server.put("one", &number(NOW + 5));
    server.switch(true);
    let space = server.space().unwrap();
    server.switch(false);
    assert_eq!((server.status().as_str(), server.space()), ("DISABLED", None));
    server.clock.set((NOW + 6) * 1_000);
    server.run_jobs();
    assert_eq!((server.ids(None), server.jobs()), (vec!["one".to_owned()], Vec::new()));
    server.switch(true);
    assert_ne!(server.space(), Some(space));
    assert_eq!(server.jobs().len(), 2);
    server.call("DeleteTable", json!({ "TableName": "Sessions" }));
    server.run_jobs();
    assert!(!server.jobs().iter().any(|job| job.starts_with("dynamodb")), "{:?}", server.jobs());
    let live: Vec<_> = catalog::list_all(&server.store.snapshot(), None, 9).unwrap();
    assert!(live.is_empty());
    assert_eq!(server.store.status().unwrap().data.items, 0, "no row of expiry is left");
}

#[test]
fn a_later_table_of_the_name_is_not_touched() {
    let server = Server::new();
    server.switch(true);
    server.put("one", &number(NOW - 1));
    server.call("DeleteTable", json!({ "TableName": "Sessions" }));
    let again = json!({
        "TableName": "Sessions",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
    });
    server.call("CreateTable", again);
    server.put("one", &number(NOW - 1));
    server.run_jobs();
    assert_eq!(server.ids(None), ["one"]);
}

/// What happens to the table.
#[derive(Debug, Clone)]
enum Event {
    Put(u8, Option<Time>),
    Update(u8, Option<Time>),
    Delete(u8),
    Batch(Vec<(u8, Option<Time>)>),
    Transact(u8, u8, Time),
    /// Enabled or disabled, if it is not so.
    Switch(bool),
    /// A step of a job.
    Step,
    /// So many seconds later.
    Later(u64),
}

/// The attribute of an item, as seconds from the start, or something that is none.
#[derive(Debug, Clone, Copy)]
enum Time {
    At(u64),
    Text,
    Ages,
}

impl Time {
    fn attribute(self) -> Value {
        match self {
            Self::At(second) => number(NOW + second),
            Self::Text => json!({ "S": "soon" }),
            Self::Ages => number(5),
        }
    }
}

fn events() -> impl Strategy<Value = Event> {
    let time =
        || prop_oneof![8 => (0_u64..60).prop_map(Time::At), 1 => Just(Time::Text), 1 => Just(Time::Ages)];
    let maybe = move || prop::option::weighted(0.8, time());
    let id = || 0_u8..12;
    prop_oneof![
        6 => (id(), maybe()).prop_map(|(id, time)| Event::Put(id, time)),
        3 => (id(), maybe()).prop_map(|(id, time)| Event::Update(id, time)),
        2 => id().prop_map(Event::Delete),
        1 => prop::collection::btree_map(id(), maybe(), 1..5).prop_map(|items| Event::Batch(items.into_iter().collect())),
        1 => (0_u8..6, 6_u8..12, time()).prop_map(|(put, delete, time)| Event::Transact(put, delete, time)),
        2 => any::<bool>().prop_map(Event::Switch),
        4 => Just(Event::Step),
        2 => (0_u64..20).prop_map(Event::Later),
    ]
}

/// A plain model: items by id with their times, and whether they expire.
#[derive(Default)]
struct Model {
    items: BTreeMap<u8, Option<Time>>,
    enabled: bool,
    second: u64,
}

impl Model {
    /// Takes away what is due.
    fn expire(&mut self) {
        let (enabled, second) = (self.enabled, self.second);
        self.items.retain(|_, time| !enabled || !matches!(time, Some(Time::At(at)) if *at <= second));
    }

    fn ids(&self) -> Vec<String> {
        self.items.keys().map(|id| name(*id)).collect()
    }
}

fn name(id: u8) -> String {
    format!("i{id:02}")
}

fn key(id: u8) -> Value {
    json!({ "id": { "S": name(id) } })
}

fn attribute(time: Option<Time>) -> Value {
    time.map_or(Value::Null, Time::attribute)
}

fn apply(server: &Server, model: &mut Model, event: &Event) {
    match event {
        Event::Put(id, time) => {
            server.put(&name(*id), &attribute(*time));
            model.items.insert(*id, *time);
        }
        Event::Update(id, time) => {
            let mut body = json!({ "TableName": "Sessions", "Key": key(*id), "UpdateExpression": "REMOVE #t",
                "ExpressionAttributeNames": { "#t": "ttl" } });
            if let Some(time) = time {
                body["UpdateExpression"] = "SET #t = :t".into();
                body["ExpressionAttributeValues"] = json!({ ":t": time.attribute() });
            }
            server.call("UpdateItem", body);
            // To remove something makes no item.
            if time.is_some() || model.items.contains_key(id) {
                model.items.insert(*id, *time);
            }
        }
        Event::Delete(id) => {
            server.call("DeleteItem", json!({ "TableName": "Sessions", "Key": key(*id) }));
            model.items.remove(id);
        }
        Event::Batch(items) => {
            let put = |(id, time): &(u8, Option<Time>)| json!({ "PutRequest": { "Item": item(&name(*id), &attribute(*time)) } });
            let requests: Vec<Value> = items.iter().map(put).collect();
            server.call("BatchWriteItem", json!({ "RequestItems": { "Sessions": requests } }));
            model.items.extend(items.iter().copied());
        }
        Event::Transact(put, delete, time) => {
            let items = json!([
                { "Put": { "TableName": "Sessions", "Item": item(&name(*put), &time.attribute()) } },
                { "Delete": { "TableName": "Sessions", "Key": key(*delete) } },
            ]);
            server.call("TransactWriteItems", json!({ "TransactItems": items }));
            model.items.insert(*put, Some(*time));
            model.items.remove(delete);
        }
        Event::Switch(enabled) if *enabled != model.enabled => {
            server.switch(*enabled);
            model.enabled = *enabled;
        }
        Event::Switch(_) => {}
        Event::Step => {
            server.store.run_job_step().unwrap();
        }
        Event::Later(seconds) => {
            model.second += seconds;
            server.clock.set((NOW + model.second) * 1_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn rows_are_what_the_items_say_and_what_is_due_goes(
        events in prop::collection::vec(events(), 1..60),
    ) {
        let server = Server::new();
        let mut model = Model::default();
        for event in &events {
            apply(&server, &mut model, event);
            server.assert_healthy();
            if let Event::Step = event {
                // What a single step has taken away was due; what else is due may still be there.
                let left = server.ids(None);
                let gone: Vec<u8> = model.items.keys().copied().filter(|id| !left.contains(&name(*id))).collect();
                for id in gone {
                    prop_assert!(model.enabled);
                    let time = model.items.remove(&id);
                    prop_assert!(matches!(time, Some(Some(Time::At(at))) if at <= model.second), "{time:?}");
                }
            }
            prop_assert_eq!(server.ids(None), model.ids());
        }
        server.run_jobs();
        model.expire();
        prop_assert_eq!(server.ids(None), model.ids());
        server.assert_healthy();
        if model.enabled {
            let mut expected: Vec<u64> = model.items.values().filter_map(|time| match time {
                Some(Time::At(at)) => Some(NOW + at),
                Some(Time::Ages) => Some(5),
                Some(Time::Text) | None => None,
            }).collect();
            expected.sort_unstable();
            prop_assert_eq!(server.seconds(), expected);
            prop_assert_eq!(server.status(), "ENABLED");
        }
    }
}
