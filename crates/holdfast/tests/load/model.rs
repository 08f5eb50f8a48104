//! A load on few keys, and what each key may show afterwards.
//!
//! Each writer has keys of its own and one request under way, so that after any crash a key shows the last answered
//! write or the one under way, and nothing else. From what it shows follows which of them happened: counters and the
//! number of rows of history are exact.

use super::{Client, Server};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Writers of a load.
pub const WRITERS: u64 = 8;
/// Keys of each.
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
    keys: BTreeMap<String, Key>,
    /// Values that were superseded, each of them a row of history.
    superseded: u64,
    /// Writes answered with success.
    pub answered: u64,
}

impl Model {
    /// An empty table; items get up to `padding_max` bytes beside key and number.
    pub fn new(table: &'static str, padding_max: u64) -> Self {
        Self { table, padding_max, keys: BTreeMap::new(), superseded: 0, answered: 0 }
    }

    /// Makes the table.
    pub fn create_table(&self, client: &mut Client) {
        let table = self.table;
        let body = format!(
            r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST","KeySchema":[{{"AttributeName":"id","KeyType":"HASH"}}],"AttributeDefinitions":[{{"AttributeName":"id","AttributeType":"S"}}]}}"#
        );
        let (status, body) = client.call("CreateTable", &body).expect("answers");
        assert_eq!(status, 200, "{body}");
    }

    /// The padding of a write: its length and its letters say which write it was.
    fn padding(&self, number: u64) -> String {
        let length = if self.padding_max == 0 { 0 } else { number.wrapping_mul(7_919) % self.padding_max };
        let letter = |at: u64| char::from(b'a' + (number.wrapping_add(at) % 23) as u8);
        (0..length).map(letter).collect()
    }

    /// Logical size of the item of a write. Source: names and strings count their bytes.
    fn size(&self, key: &str, number: u64) -> u64 {
        let number_bytes = number.to_string().len();
        ("id".len() + key.len() + "n".len() + number_bytes + "p".len() + self.padding(number).len()) as u64
    }

    /// Operation and body that put (or delete) a key; the old item is asked for.
    pub fn request(&self, key: &str, wanted: Option<u64>) -> (&'static str, String) {
        let table = self.table;
        match wanted {
            Some(number) => {
                let padding = self.padding(number);
                let item =
                    format!(r#"{{"id":{{"S":"{key}"}},"n":{{"S":"{number}"}},"p":{{"S":"{padding}"}}}}"#);
                let body = format!(r#"{{"TableName":"{table}","Item":{item},"ReturnValues":"ALL_OLD"}}"#);
                ("PutItem", body)
            }
            None => {
                let key = format!(r#"{{"id":{{"S":"{key}"}}}}"#);
                ("DeleteItem", format!(r#"{{"TableName":"{table}","Key":{key},"ReturnValues":"ALL_OLD"}}"#))
            }
        }
    }

    /// A write is about to be sent.
    pub fn ask(&mut self, key: &str, wanted: Option<u64>) {
        self.keys.entry(key.to_owned()).or_default().asked = wanted;
    }

    /// The write that was asked for last was answered with success: `body` holds what was there before.
    pub fn answer(&mut self, key: &str, body: &str) {
        let before = self.keys[key].answered;
        self.shows(key, before, body, "Attributes");
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
        let known = self.keys.get_mut(key).expect("a known key");
        if known.answered.is_some() && known.answered != found {
            self.superseded += 1;
        }
        *known = Key { answered: found, asked: found };
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
        let padding = self.padding(number);
        let whole =
            serde_json::json!({"id": {"S": key}, "n": {"S": number.to_string()}, "p": {"S": padding}});
        assert_eq!(*item, whole, "{key}: not the item of write {number}");
        Some(number)
    }

    /// Reads a key: which write it shows, or the refusal.
    fn get(&self, client: &mut Client, key: &str) -> Result<Option<u64>, (u16, String)> {
        let body = format!(
            r#"{{"TableName":"{}","Key":{{"id":{{"S":"{key}"}}}},"ConsistentRead":true}}"#,
            self.table
        );
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
        let shown = self.keys.iter().filter_map(|(key, known)| Some(self.size(key, known.answered?)));
        let (items, bytes) = shown.fold((0, 0), |(items, bytes), size| (items + 1, bytes + size));
        let counters = (table["Table"]["ItemCount"].as_u64(), table["Table"]["TableSizeBytes"].as_u64());
        assert_eq!(counters, (Some(items), Some(bytes)), "{what}: the counters are exact");
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
    for number in first.. {
        let key = format!("w{writer}-{}", number % KEYS_PER_WRITER);
        let wanted = (!number.is_multiple_of(7)).then_some(number);
        let (operation, body) = {
            let mut model = model.lock().expect("lock");
            model.ask(&key, wanted);
            model.request(&key, wanted)
        };
        match client.call(operation, &body) {
            // Read before the flag was set: so it left the server before that.
            Some((200, body)) if !over.load(Ordering::SeqCst) => {
                model.lock().expect("lock").answer(&key, &body);
                // Nobody waits any more once the server is killed.
                let _ = answers.send(());
            }
            Some((200, _)) | None => return,
            Some((status, body)) => panic!("{status}: {body}"),
        }
    }
}
