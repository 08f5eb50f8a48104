//! Promise 1 on the real binary: what was answered survives `kill -9` under load.
//!
//! Writers overwrite and delete few keys, each its own, and note what was answered. The kill comes at a random moment,
//! now and then a second one while the server starts again. Then every key must show the last answered write or the one
//! under way, and the counters must be exact. Memtables are small, so that flushes, merges and checkpoints are under way
//! all the time. `HOLDFAST_TEST_KILLS` sets the number of rounds.

mod load;

use load::server::Starting;
use load::transfers::{self, Transfers};
use load::{Load, Model, Server};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// At most so many writes of a round are answered before the kill.
const WRITES_PER_ROUND_MAX: u64 = 2_000;
/// A start is killed after at most this time.
const START_US_MAX: u64 = 60_000;
const ARGUMENTS: [&str; 2] = ["--memtable-bytes", "200000"];

#[test]
fn promise_answered_writes_survive_kill_9() {
    rounds(Model::new("kills", 900));
}

/// The same on a table with two global indexes and a local one, all sparse, with batches among the writes: each index shows
/// what follows from the items, and counts it exactly.
#[test]
fn promise_indexes_follow_their_items_through_kill_9() {
    rounds(Model::indexed("kills", 900));
}

/// Transactions over two tables are there whole or not at all, and a token that is sent again after the restart has no second
/// effect. In the end everything fits, the tokens too.
#[test]
fn promise_transactions_are_whole_after_kill_9() {
    let rounds = load::number("HOLDFAST_TEST_KILLS", 3);
    let mut random = load::random();
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &ARGUMENTS);
    let mut writers = transfers::create_tables(&mut server.client());
    for round in 1..=rounds {
        let load = Transfers::start(&server, writers);
        load.wait(random.below(WRITES_PER_ROUND_MAX));
        server.kill();
        writers = load.join();
        if random.chance(300) {
            Starting::new(&data, &ARGUMENTS).run_for(Duration::from_micros(random.below(START_US_MAX)));
        }
        server = Server::start(&data, &ARGUMENTS);
        let mut client = server.client();
        writers.iter_mut().for_each(|writer| writer.check(&mut client, &format!("round {round}")));
    }
    server.stop();
    let doctor = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["doctor", "--deep", "--data-dir"])
        .arg(&data)
        .output()
        .expect("runs");
    assert!(doctor.status.success(), "{}", String::from_utf8_lossy(&doctor.stdout));
    let answered: u64 = writers.iter().map(transfers::Writer::answered).sum();
    load::say(&format!("{rounds} kills, {answered} transactions, each of them once"));
}

fn rounds(model: Model) {
    let rounds = load::number("HOLDFAST_TEST_KILLS", 3);
    let mut random = load::random();
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let model = Arc::new(Mutex::new(model));
    let mut server = Server::start(&data, &ARGUMENTS);
    model.lock().expect("lock").create_table(&mut server.client());
    for round in 1..=rounds {
        let load = Load::start(&server, &model, round);
        load.wait(random.below(WRITES_PER_ROUND_MAX));
        server.kill();
        load.join();
        if random.chance(300) {
            Starting::new(&data, &ARGUMENTS).run_for(Duration::from_micros(random.below(START_US_MAX)));
        }
        server = Server::start(&data, &ARGUMENTS);
        model.lock().expect("lock").check_with_history(&server, &format!("round {round}"));
    }
    load::say(&format!(
        "{rounds} kills, {} writes answered, none lost",
        model.lock().expect("lock").answered
    ));
}
