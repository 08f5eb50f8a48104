//! The first user's tables, filled and asked: after a clean stop and after `kill -9` they answer the same, byte for byte.
//!
//! `HOLDFAST_TEST_LISTINGS` sets the number of listings (and in proportion of users, engines and so on).

#[path = "../load/mod.rs"]
mod load;

mod asking;
mod expected;
mod item;
mod records;
mod tables;
mod writing;

use expected::Loaded;
use load::{Server, say};
use records::Kind;
use std::time::Instant;

const LISTINGS: u64 = 2_000;

#[test]
fn promise_a_loaded_marketplace_answers_the_same_after_a_stop_and_a_kill() {
    let listings = load::number("HOLDFAST_TEST_LISTINGS", LISTINGS);
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let tables: &'static [tables::Table] = tables::head().leak();
    let mut server = Server::start(&data, &[]);
    let mut client = server.client();
    for table in tables {
        let (status, body) = client.call("CreateTable", &table.definition().to_string()).expect("answers");
        assert_eq!(status, 200, "{body}");
    }
    let kinds: Vec<_> = Kind::ALL
        .into_iter()
        .map(|kind| (kind, tables.iter().find(|table| table.name == kind.table()).expect("a table")))
        .collect();
    let began = Instant::now();
    let written = writing::load(&server, &kinds, listings);
    say(&format!("{written} items written in {:.1} s", began.elapsed().as_secs_f64()));

    let began = Instant::now();
    let loaded: Vec<Loaded> = Kind::ALL.into_iter().map(|kind| Loaded::new(kind, tables, listings)).collect();
    say(&format!("what they must be: {:.1} s", began.elapsed().as_secs_f64()));
    let ask = |server: &Server, items: bool, what: &str| {
        let began = Instant::now();
        let answers = asking::ask(server, &loaded, listings, items);
        say(&format!("{what}: {} questions in {:.1} s", answers.len(), began.elapsed().as_secs_f64()));
        answers
    };
    ask(&server, true, "every item and index");
    let first = ask(&server, false, "every index");
    let (status, messages) = server.stop();
    assert!(status.success(), "{messages}");
    server = Server::start(&data, &[]);
    assert!(ask(&server, false, "after a stop") == first, "the same answers after a stop");
    server.kill();
    server = Server::start(&data, &[]);
    assert!(ask(&server, false, "after kill -9") == first, "the same answers after kill -9");
    assert!(server.stop().0.success());
}
