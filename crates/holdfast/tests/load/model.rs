//! A load on few keys, and what each key may show afterwards.
//!
//! Each writer has keys of its own and one request under way, so that after any crash a key shows the last answered
//! write or the one under way, and nothing else. From what it shows follows which of them happened: counters and the
//! number of rows of history are exact.

use super::indexed::{self, Item};
use super::{Client, Server};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Writers of a load.
pub const WRITERS: u64 = 8;
/// Keys of each, named `writer-number`.
const KEYS_PER_WRITER: u64 = 4;
/// A load that brings no answer for so long fails the test.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// What one key may show: the number of the write whose item is there, `None` for no item.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    answered: Option<u64>,
    asked: Option<u64>,
}

/// What a table must show.
#[derive(Debug, Clone)]
pub struct Model {
    table: &'static str,
    /// Most bytes of padding in an item.
    padding_max: u64,
    /// Whether the table has the indexes of [`indexed`].
    indexed: bool,
    keys: BTreeMap<String, Key>,
    /// Values that were superseded, of items and of indexes, each of them a row of history.
    superseded: u64,
    /// Writes answered with success.
    pub answered: u64,
}

impl Model {
    /// An empty table; items get up to `padding_max` bytes beside key and number.
    pub fn new(table: &'static str, padding_max: u64) -> Self {
        Self { table, padding_max, indexed: false, keys: BTreeMap::new(), superseded: 0, answered: 0 }
    }

    /// As [`Model::new`], of a table with indexes; its keys are those of writers.
    pub fn indexed(table: &'static str, padding_max: u64) -> Self {
        Self { indexed: true, ..Self::new(table, padding_max) }
    }

    /// Makes the table.
    pub fn create_table(&self, client: &mut Client) {
        let body = if self.indexed {
            indexed::definition(self.table)
        } else {
            json!({
                "TableName": self.table, "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            })
        };
        let (status, body) = client.call("CreateTable", &body.to_string()).expect("answers");
        assert_eq!(status, 200, "{body}");
    }

    /// The padding of a write: its length and its letters say which write it was.
    fn padding(&self, number: u64) -> String {
        let length = if self.padding_max == 0 { 0 } else { number.wrapping_mul(7_919) % self.padding_max };
        let letter = |at: u64| char::from(b'a' + (number.wrapping_add(at) % 23) as u8);
        (0..length).map(letter).collect()
    }

    /// The key's attributes.
    fn key(&self, key: &str) -> Item {
        if self.indexed { indexed::key(key) } else { Item::from_iter([("id".to_owned(), json!({"S": key}))]) }
    }

    /// The item of a write.
    fn item(&self, key: &str, number: u64) -> Item {
        let mut item = if self.indexed { indexed::item(key, number) } else { self.key(key) };
        item.insert("n".to_owned(), json!({"S": number.to_string()}));
        item.insert("p".to_owned(), json!({"S": self.padding(number)}));
        item
    }

    /// Operation and body that put (or delete) a key; the old item is asked for.
    pub fn request(&self, key: &str, wanted: Option<u64>) -> (&'static str, String) {
        let table = self.table;
        let (operation, member, value) = match wanted {
            Some(number) => ("PutItem", "Item", self.item(key, number)),
            None => ("DeleteItem", "Key", self.key(key)),
        };
        (operation, json!({"TableName": table, member: value, "ReturnValues": "ALL_OLD"}).to_string())
    }

    /// The body of a BatchWriteItem that puts and deletes keys.
    pub fn batch(&self, writes: &[(String, Option<u64>)]) -> String {
        let request = |(key, wanted): &(String, Option<u64>)| match wanted {
            Some(number) => json!({"PutRequest": {"Item": self.item(key, *number)}}),
            None => json!({"DeleteRequest": {"Key": self.key(key)}}),
        };
        json!({"RequestItems": {self.table: writes.iter().map(request).collect::<Vec<_>>()}}).to_string()
    }

    /// A write is about to be sent.
    pub fn ask(&mut self, key: &str, wanted: Option<u64>) {
        self.keys.entry(key.to_owned()).or_default().asked = wanted;
    }

    /// The write that was asked for last was answered with success: `body` holds what was there before.
    pub fn answer(&mut self, key: &str, body: &str) {
        let before = self.keys[key].answered;
        self.shows(key, before, body, "Attributes");
        self.answer_unseen(key);
    }

    /// As [`Model::answer`], where the answer does not say what was there before.
    pub fn answer_unseen(&mut self, key: &str) {
        let asked = self.keys[key].asked;
        self.settle(key, asked);
        self.answered += 1;
    }

    /// The write that was asked for last was refused: it has not happened and never will.
    pub fn refuse(&mut self, key: &str) {
        let before = self.keys[key].answered;
        self.settle(key, before);
    }

    fn settle(&mut self, key: &str, found: Option<u64>) {
        let before = self.keys[key].answered;
        if let Some(before) = before.filter(|_| before != found) {
            self.superseded += 1;
            if self.indexed {
                let after = found.map(|number| self.item(key, number));
                self.superseded += indexed::superseded(&self.item(key, before), after.as_ref());
            }
        }
        self.keys.insert(key.to_owned(), Key { answered: found, asked: found });
    }

    /// Writes and waits for the answer: status and body.
    pub fn write(&mut self, client: &mut Client, key: &str, wanted: Option<u64>) -> (u16, String) {
        let (operation, body) = self.request(key, wanted);
        self.ask(key, wanted);
        let (status, body) = client.call(operation, &body).expect("answers");
        if status == 200 {
            self.answer(key, &body);
        } else {
            self.refuse(key);
        }
        (status, body)
    }

    /// Checks that an answer's member holds exactly the item of a write.
    fn shows(&self, key: &str, wanted: Option<u64>, body: &str, member: &str) {
        let found = self.read(key, body, member);
        assert_eq!(found, wanted, "{key}");
    }

    /// Which write's item an answer holds; the whole item must be that write's.
    fn read(&self, key: &str, body: &str, member: &str) -> Option<u64> {
        let answer: serde_json::Value = serde_json::from_str(body).expect("json");
        let item = answer.get(member)?;
        let number = item["n"]["S"].as_str().and_then(|n| n.parse().ok()).expect("a number");
        let whole = serde_json::Value::Object(self.item(key, number));
        assert_eq!(*item, whole, "{key}: not the item of write {number}");
        Some(number)
    }

    /// Reads a key: which write it shows, or the refusal.
    fn get(&self, client: &mut Client, key: &str) -> Result<Option<u64>, (u16, String)> {
        let body = json!({"TableName": self.table, "Key": self.key(key), "ConsistentRead": true}).to_string();
        match client.call("GetItem", &body).expect("answers") {
            (200, body) => Ok(self.read(key, &body, "Item")),
            refusal => Err(refusal),
        }
    }

    /// Every key shows the last answered write or the one under way; from then on that is what is known. Answers the
    /// reads that failed, with their messages: what is read is never wrong, but it may be unreadable.
    pub fn check_readable(&mut self, client: &mut Client, what: &str) -> Vec<(u16, String)> {
        let mut failed = Vec::new();
        let keys: Vec<(String, Key)> = self.keys.iter().map(|(key, known)| (key.clone(), *known)).collect();
        for (key, Key { answered, asked }) in keys {
            match self.get(client, &key) {
                Ok(found) => {
                    assert!(
                        found == answered || found == asked,
                        "{what}, {key}: {found:?}, not {answered:?} or {asked:?}"
                    );
                    self.settle(&key, found);
                }
                Err(refusal) => failed.push(refusal),
            }
        }
        failed
    }

    /// As [`Model::check_readable`], where every read must succeed.
    pub fn check(&mut self, client: &mut Client, what: &str) {
        let failed = self.check_readable(client, what);
        assert!(failed.is_empty(), "{what}: {failed:?}");
        let (_, body) =
            client.call("DescribeTable", &format!(r#"{{"TableName":"{}"}}"#, self.table)).expect("answers");
        let table: serde_json::Value = serde_json::from_str(&body).expect("json");
        let known = self.keys.iter();
        let shown: Vec<Item> =
            known.filter_map(|(key, known)| Some(self.item(key, known.answered?))).collect();
        let (items, bytes) = (shown.len() as u64, shown.iter().map(indexed::size).sum());
        let counters = (table["Table"]["ItemCount"].as_u64(), table["Table"]["TableSizeBytes"].as_u64());
        assert_eq!(counters, (Some(items), Some(bytes)), "{what}: the counters are exact");
        if self.indexed {
            indexed::check(client, self.table, &shown, what);
        }
    }

    /// As [`Model::check`], and no row of history is missing or too many. Only where nothing was trimmed.
    pub fn check_with_history(&mut self, server: &Server, what: &str) {
        self.check(&mut server.client(), what);
        assert_eq!(server.metric("holdfast_history_rows"), self.superseded, "{what}: one row for each value");
    }
}

/// Writers at work on one server.
pub struct Load {
    writers: Vec<JoinHandle<()>>,
    answers: Receiver<()>,
    /// Set when answers no longer count.
    over: Arc<AtomicBool>,
}

impl Load {
    /// Starts writers. `round` numbers their writes: each round of a model needs its own.
    pub fn start(server: &Server, model: &Arc<Mutex<Model>>, round: u64) -> Self {
        let (sender, answers) = channel();
        let over = Arc::new(AtomicBool::new(false));
        let writers = (0..WRITERS)
            .map(|writer| {
                let (address, model, over) = (server.address(), Arc::clone(model), Arc::clone(&over));
                let sender = sender.clone();
                std::thread::spawn(move || write(&address, writer, round << 32, &model, &over, &sender))
            })
            .collect();
        Self { writers, answers, over }
    }

    /// Waits until so many writes were answered.
    pub fn wait(&self, answers: u64) {
        for _ in 0..answers {
            match self.answers.recv_timeout(ANSWER_LIMIT) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no write was answered in {ANSWER_LIMIT:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the server ended by itself"),
            }
        }
    }

    /// From now on no answer counts, and writers end with the next one.
    pub fn discount(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    /// Waits for the writers, who end when the server is gone.
    pub fn join(self) {
        for writer in self.writers {
            writer.join().expect("a writer");
        }
    }
}

/// Writes until the server is gone or answers no longer count.
fn write(
    address: &str,
    writer: u64,
    first: u64,
    model: &Mutex<Model>,
    over: &AtomicBool,
    answers: &Sender<()>,
) {
    let mut client = Client::connect(address);
    let (batches, mut number) = (model.lock().expect("lock").indexed, first);
    let wanted = |number: u64| {
        let key = format!("w{writer}-{}", number % KEYS_PER_WRITER);
        (key, (!number.is_multiple_of(7)).then_some(number))
    };
    loop {
        let count = if batches && number % 11 == 3 { KEYS_PER_WRITER } else { 1 };
        let writes: Vec<_> = (number..number + count).map(wanted).collect();
        number += count;
        let (operation, body) = {
            let mut model = model.lock().expect("lock");
            writes.iter().for_each(|(key, wanted)| model.ask(key, *wanted));
            match &writes[..] {
                [(key, wanted)] => model.request(key, *wanted),
                writes => ("BatchWriteItem", model.batch(writes)),
            }
        };
        match client.call(operation, &body) {
            // Read before the flag was set: so it left the server before that.
            Some((200, body)) if !over.load(Ordering::SeqCst) => {
                let mut model = model.lock().expect("lock");
                if let [(key, _)] = &writes[..] {
                    model.answer(key, &body);
                } else {
                    assert_eq!(body, r#"{"UnprocessedItems":{}}"#);
                    writes.iter().for_each(|(key, _)| model.answer_unseen(key));
                }
                // Nobody waits any more once the server is killed.
                let _ = answers.send(());
            }
            Some((200, _)) | None => return,
            Some((status, body)) => panic!("{status}: {body}"),
        }
    }
}
