//! The deep check finds every kind of damage that is written past the operations, and raises no false alarm while
//! operations write.
#![allow(clippy::unwrap_used, reason = "tests")]

use holdfast_aws::{Context, RequestId};
use holdfast_dynamodb::inspect::check::{self, CheckedTable, HOLD};
use holdfast_dynamodb::table::TableDefinition;
use holdfast_dynamodb::{DataSet, NamedTable, Prepared, inspect, prepare};
use holdfast_state::catalog;
use holdfast_state::operation::Submission;
use holdfast_store::{
    CommitInfo, HistoryLimits, Operation, Options, Read, SpaceId, Store, Transaction, Verdict,
};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const TABLE: &str = r#"{"TableName":"boats","BillingMode":"PAY_PER_REQUEST",
    "AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"no","AttributeType":"N"},
        {"AttributeName":"port","AttributeType":"S"},{"AttributeName":"built","AttributeType":"N"}],
    "KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"no","KeyType":"RANGE"}],
    "GlobalSecondaryIndexes":[{"IndexName":"by-port","Projection":{"ProjectionType":"KEYS_ONLY"},
        "KeySchema":[{"AttributeName":"port","KeyType":"HASH"},{"AttributeName":"built","KeyType":"RANGE"}]}],
    "LocalSecondaryIndexes":[{"IndexName":"by-year","Projection":{"ProjectionType":"ALL"},
        "KeySchema":[{"AttributeName":"id","KeyType":"HASH"},{"AttributeName":"built","KeyType":"RANGE"}]}]}"#;

/// One of everybody's tables.
fn table(name: &str) -> NamedTable {
    NamedTable { data_set: DataSet::shared(), name: name.to_owned() }
}

fn write(store: &Store, operation: &str, body: &str) {
    let context = Context {
        request_id: RequestId::from_random([7; 52]),
        ..Context::new("us-east-1", "test", 5).unwrap()
    };
    let Prepared::Write(write) = prepare(&context, operation, body.as_bytes()).unwrap() else { panic!() };
    let (submission, outcome) = store.execute(Submission::new(write));
    outcome.unwrap();
    submission.answer().unwrap();
}

/// Puts an item; every third has no row in the global index.
fn put(store: &Store, number: u64, built: u64) {
    let port = if number.is_multiple_of(3) {
        String::new()
    } else {
        format!(r#","port":{{"S":"p{}"}}"#, number % 5)
    };
    write(
        store,
        "PutItem",
        &format!(
            r#"{{"TableName":"boats","Item":{{"id":{{"S":"boat{}"}},"no":{{"N":"{number}"}},"built":{{"N":"{built}"}}{port}}}}}"#,
            number % 7
        ),
    );
}

fn delete(store: &Store, number: u64) {
    write(
        store,
        "DeleteItem",
        &format!(
            r#"{{"TableName":"boats","Key":{{"id":{{"S":"boat{}"}},"no":{{"N":"{number}"}}}}}}"#,
            number % 7
        ),
    );
}

fn filled(options: Options) -> Store {
    let store = Store::open(Options { trimmer: false, ..options }).unwrap();
    write(&store, "CreateTable", TABLE);
    (0..30).for_each(|number| put(&store, number, 1_900 + number));
    store
}

/// A change past the operations.
struct Damage<F>(F);

impl<F: FnMut(&mut Transaction<'_>) + Send + 'static> Operation for Damage<F> {
    fn info(&self) -> CommitInfo {
        CommitInfo::default()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        (self.0)(tx);
        Verdict::Keep
    }
}

fn damage(store: &Store, body: impl FnMut(&mut Transaction<'_>) + Send + 'static) {
    store.execute(Damage(body)).1.unwrap();
}

/// The spaces of the table and its indexes.
fn spaces(store: &Store) -> [SpaceId; 3] {
    let entries = catalog::list_all(&store.snapshot(), None, 9).unwrap();
    let indexes = inspect::indexes(&entries[0].1.record.definition).unwrap();
    [entries[0].1.record.space, indexes[0].space, indexes[1].space]
}

fn rows(store: &Store, space: SpaceId) -> Vec<(Vec<u8>, Vec<u8>, u64)> {
    let now = store.snapshot();
    let rows = now.range(space, Bound::Unbounded, Bound::Unbounded, false);
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.payload.to_vec(), value.size)).unwrap())
        .collect()
}

fn check(store: &Store, hold: Duration) -> CheckedTable {
    check::table(&|| store.snapshot(), &table("boats"), hold, &mut |_| true).unwrap().unwrap()
}

/// The one finding, in both ways of reading: index, key, what.
fn found(store: &Store) -> Vec<(Option<String>, Option<String>, String)> {
    let [one, other] = [HOLD, Duration::ZERO].map(|hold| check(store, hold).findings);
    assert_eq!(one, other);
    one.into_iter().map(|finding| (finding.index, finding.key, finding.what)).collect()
}

#[test]
fn a_sound_table_has_no_findings() {
    let store = filled(Options::in_memory());
    for hold in [HOLD, Duration::ZERO] {
        let expected = CheckedTable { items: 30, rows: 20 + 30, ..CheckedTable::default() };
        assert_eq!(check(&store, hold), expected);
    }
    assert!(check::table(&|| store.snapshot(), &table("none"), HOLD, &mut |_| true).unwrap().is_none());
    assert_eq!(check::tables(&store.snapshot(), None, 9).unwrap(), [table("boats")]);
    assert!(check::tables(&store.snapshot(), Some(&table("boats")), 9).unwrap().is_empty());
}

/// Rows of items with many attributes are made of few of them, by another way than they are checked.
#[test]
fn rows_of_wide_items_are_those_of_others() {
    let store = filled(Options::in_memory());
    let wide: Vec<String> = (0..600).map(|at| format!(r#""{at:03}":{{"N":"{at}"}}"#)).collect();
    let key = r#""id":{"S":"wide"},"no":{"N":"1"}"#;
    let put = format!(
        r#"{{"TableName":"boats","Item":{{{key},"built":{{"N":"1"}},"port":{{"S":"p"}},{}}}}}"#,
        wide.join(",")
    );
    let update = |expression: &str| {
        let body = format!(r#"{{"TableName":"boats","Key":{{{key}}},"UpdateExpression":"{expression}"}}"#);
        write(&store, "UpdateItem", &body);
    };
    let rows = || {
        assert!(found(&store).is_empty());
        check(&store, HOLD).rows
    };
    write(&store, "PutItem", &put);
    assert_eq!(rows(), 20 + 30 + 2);
    let steps: [(&str, u64); 3] = [("SET built = built + built", 2), ("REMOVE port", 1), ("REMOVE built", 0)];
    for (expression, of_item) in steps {
        update(expression);
        assert_eq!(rows(), 20 + 30 + of_item);
    }
    write(&store, "PutItem", &put);
    write(&store, "PutItem", &put);
    assert_eq!(rows(), 20 + 30 + 2);
    write(&store, "DeleteItem", &format!(r#"{{"TableName":"boats","Key":{{{key}}}}}"#));
    assert_eq!(rows(), 20 + 30);
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    let store = filled(Options::in_memory());
    let [_, by_port, _] = spaces(&store);
    let (row, _, size) = rows(&store, by_port)[4].clone();
    let missing = row.clone();
    damage(&store, move |tx| assert!(tx.delete(by_port, &missing).unwrap()));
    let findings = found(&store);
    let [(Some(index), Some(key), what)] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((index.as_str(), what.as_str()), ("by-port", "the index has no row for the item"));
    assert!(key.starts_with(r#"{"id":{"S":"boat"#) && key.contains(r#""no":{"N":""#), "{key}");

    // Put back with another size: the row itself, and the counter that adds it up, which is right about it.
    let resized = row.clone();
    damage(&store, move |tx| tx.put(by_port, &resized, b"", size + 1).unwrap());
    let findings = found(&store);
    assert!(findings.len() == 1 && findings[0].2.contains("are accounted for the row"), "{findings:?}");
    damage(&store, move |tx| tx.put(by_port, &row, b"", size).unwrap());
    assert!(found(&store).is_empty());

    // A row of an item with another port, one of no item, and one that is no row.
    let mut other = rows(&store, by_port)[0].0.clone();
    other[1] ^= 1;
    damage(&store, move |tx| tx.put(by_port, &other, b"", size).unwrap());
    let mut nobody = rows(&store, by_port)[0].0.clone();
    *nobody.last_mut().unwrap() ^= 1;
    damage(&store, move |tx| tx.put(by_port, &nobody, b"", size).unwrap());
    damage(&store, move |tx| tx.put(by_port, &[1, 2, 3], b"", size).unwrap());
    let mut whats: Vec<String> = found(&store).into_iter().map(|finding| finding.2).collect();
    whats.sort();
    let expected = [
        "the index has a row for an item that is not there",
        "the index has a row that the item does not call for",
        "the key of the row 010203 cannot be taken apart",
    ];
    assert_eq!(whats, expected);
}

#[test]
fn items_that_are_not_what_they_should_be_are_found() {
    let store = filled(Options::in_memory());
    let [table, _, by_year] = spaces(&store);
    let items = rows(&store, table);
    let (key, payload, size) = items[3].clone();
    let put = |payload: &[u8], size| {
        let (key, payload) = (key.clone(), payload.to_vec());
        damage(&store, move |tx| tx.put(table, &key, &payload, size).unwrap());
    };
    put(&payload, size + 5);
    let findings = found(&store);
    assert!(findings[0].2.contains("are accounted for it") && findings[0].0.is_none(), "{findings:?}");
    put(b"\x01\xFF", size);
    assert!(found(&store)[0].2.contains("damaged"), "{:?}", found(&store));
    // Another item's attributes: its rows are not looked for under this key.
    put(&items[9].1, items[9].2);
    let findings = found(&store);
    assert_eq!(findings[0].2, "the item's attributes are not those of its key", "{findings:?}");
    put(&payload, size);
    assert!(found(&store).is_empty());

    // Past the indexes: the item is gone, its rows are there.
    let gone = key.clone();
    damage(&store, move |tx| assert!(tx.delete(table, &gone).unwrap()));
    assert!(found(&store).iter().any(|(index, _, what)| {
        index.as_deref() == Some("by-year") && what == "the index has a row for an item that is not there"
    }));
    for (row, ..) in rows(&store, by_year) {
        damage(&store, move |tx| assert!(tx.delete(by_year, &row).unwrap()));
    }
    assert_eq!(check(&store, HOLD).rows, 20);
    let missing =
        found(&store).into_iter().filter(|finding| finding.2 == "the index has no row for the item");
    assert_eq!(missing.count(), 29);
}

#[test]
fn findings_are_bounded_and_a_check_can_be_stopped() {
    let store = filled(Options::in_memory());
    let [_, _, by_year] = spaces(&store);
    (30..1_200).for_each(|number| put(&store, number, 5));
    for chunk in rows(&store, by_year).chunks(200) {
        let keys: Vec<_> = chunk.iter().map(|row| row.0.clone()).collect();
        damage(&store, move |tx| keys.iter().for_each(|key| assert!(tx.delete(by_year, key).unwrap())));
    }
    let checked = check(&store, HOLD);
    assert_eq!((checked.findings.len(), checked.further_findings), (100, 1_100));
    let mut told = Vec::new();
    let stopped = check::table(&|| store.snapshot(), &table("boats"), HOLD, &mut |progress| {
        told.push((progress.done, progress.all));
        told.len() < 2
    });
    let stopped = stopped.unwrap().unwrap();
    assert!(stopped.stopped && stopped.items == 1_000, "{stopped:?}");
    assert_eq!(told, [(500, 2_000), (1_000, 2_000)]);
}

/// Checks while another thread writes, until enough was checked and written; nothing may be found.
fn under_load(store: &Store, hold: Duration, meanwhile: impl Fn()) -> Vec<CheckedTable> {
    let (done, written) = (AtomicBool::new(false), AtomicU64::new(0));
    (0..1_100).for_each(|number| put(store, number, number % 11));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                let one = number * 7_919 % 1_500;
                if number % 3 == 0 {
                    delete(store, one)
                } else {
                    put(store, one, number % 13)
                }
                written.fetch_add(1, Ordering::Relaxed);
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let mut checks = Vec::new();
        while checks.len() < 5 || written.load(Ordering::Relaxed) < 200 {
            let pages = AtomicU64::new(0);
            let checked = check::table(&|| store.snapshot(), &table("boats"), hold, &mut |_| {
                // Something is written between any two pages.
                let before = written.load(Ordering::Relaxed);
                while written.load(Ordering::Relaxed) == before {
                    std::thread::yield_now();
                }
                pages.fetch_add(1, Ordering::Relaxed);
                meanwhile();
                true
            });
            assert!(pages.load(Ordering::Relaxed) >= 2);
            checks.push(checked.unwrap().unwrap());
        }
        done.store(true, Ordering::Relaxed);
        checks
    })
}

#[test]
fn there_are_no_false_alarms_under_load() {
    for hold in [HOLD, Duration::ZERO] {
        let store = filled(Options::in_memory());
        for checked in under_load(&store, hold, || {}) {
            assert_eq!((&checked.findings[..], checked.counters_not_compared), (&[][..], None));
        }
    }
}

#[test]
fn without_history_pages_are_compared_and_counters_are_not() {
    let store = filled(Options { history: None, ..Options::in_memory() });
    for checked in under_load(&store, Duration::ZERO, || {}) {
        assert!(checked.findings.is_empty() && checked.counters_not_compared.is_some(), "{checked:?}");
    }
    // Held at once, it is exact without any history.
    assert_eq!(check(&store, HOLD).counters_not_compared, None);
}

#[test]
fn history_that_is_trimmed_meanwhile_is_no_damage() {
    let store = filled(Options::in_memory());
    let trim = || while store.trim_once(HistoryLimits { window_ms: 0, bytes_max: 0 }).unwrap() {};
    for checked in under_load(&store, Duration::ZERO, trim) {
        assert!(checked.findings.is_empty() && checked.counters_not_compared.is_some(), "{checked:?}");
    }
}

#[test]
fn a_table_that_is_deleted_meanwhile_is_no_damage() {
    let store = filled(Options { history: None, ..Options::in_memory() });
    (0..1_100).for_each(|number| put(&store, number, number % 11));
    let mut pages = 0;
    let checked = check::table(&|| store.snapshot(), &table("boats"), Duration::ZERO, &mut |_| {
        if pages == 0 {
            write(&store, "DeleteTable", r#"{"TableName":"boats"}"#);
        }
        pages += 1;
        true
    });
    let checked = checked.unwrap().unwrap();
    assert_eq!((checked.items, &checked.findings[..]), (500, &[][..]));
    assert_eq!(checked.counters_not_compared, Some("the table was deleted while it was checked"));
}

/// Items expire by the year in which they were built.
fn switch_expiry(store: &Store, enabled: bool) {
    let body = format!(
        r#"{{"TableName":"boats","TimeToLiveSpecification":{{"AttributeName":"built","Enabled":{enabled}}}}}"#
    );
    write(store, "UpdateTimeToLive", &body);
}

#[test]
fn rows_of_expiry_that_are_missing_or_too_many_are_found() {
    let store = Store::open(Options { trimmer: false, ..Options::in_memory() }).unwrap();
    write(&store, "CreateTable", TABLE);
    switch_expiry(&store, true);
    (0..30).for_each(|number| put(&store, number, 1_900 + number));
    let expected = CheckedTable { items: 30, rows: 20 + 30 + 30, ..CheckedTable::default() };
    assert_eq!(check(&store, HOLD), expected);

    let entries = catalog::list_all(&store.snapshot(), None, 9).unwrap();
    let (_, _, expiry) = TableDefinition::derived(&entries[0].1.record.definition).unwrap();
    let space = expiry.unwrap().space;
    let (row, ..) = rows(&store, space)[4].clone();
    let missing = row.clone();
    damage(&store, move |tx| assert!(tx.delete(space, &missing).unwrap()));
    let key = r#"{"id":{"S":"boat4"},"no":{"N":"4"}}"#.to_owned();
    let expected = (None, Some(key.clone()), "there is no row of expiry for the item".to_owned());
    assert_eq!(found(&store), [expected]);

    let valued = row.clone();
    damage(&store, move |tx| tx.put(space, &valued, b"x", 0).unwrap());
    assert_eq!(found(&store), [(None, Some(key), "the row of expiry has a value".to_owned())]);
    damage(&store, move |tx| tx.put(space, &row, b"", 0).unwrap());

    // A row of another time, one of no item, and one that is no row.
    let mut other = rows(&store, space)[0].0.clone();
    other[8] ^= 1;
    damage(&store, move |tx| tx.put(space, &other, b"", 0).unwrap());
    let mut nobody = rows(&store, space)[9].0.clone();
    *nobody.last_mut().unwrap() ^= 1;
    damage(&store, move |tx| tx.put(space, &nobody, b"", 3).unwrap());
    damage(&store, move |tx| tx.put(space, &[1, 2, 3], b"", 0).unwrap());
    let mut whats: Vec<String> = found(&store).into_iter().map(|finding| finding.2).collect();
    whats.sort();
    let expected = [
        "the key of the row of expiry 010203 cannot be taken apart",
        "there is a row of expiry for an item that is not there",
        "there is a row of expiry that the item does not call for",
    ];
    assert_eq!(whats, expected);
}

#[test]
fn time_to_live_that_is_switched_meanwhile_is_no_damage() {
    let store = filled(Options::in_memory());
    switch_expiry(&store, true);
    let enabled = AtomicBool::new(true);
    let switch = || {
        let was = enabled.fetch_xor(true, Ordering::Relaxed);
        switch_expiry(&store, !was);
    };
    for hold in [HOLD, Duration::ZERO] {
        for checked in under_load(&store, hold, switch) {
            assert!(checked.findings.is_empty(), "{checked:?}");
        }
    }
}
