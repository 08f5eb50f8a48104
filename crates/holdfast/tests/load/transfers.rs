//! Transactions under load: each adds one to an item of either of two tables, with a token of its own.
//!
//! Each writer has an item in both tables and one request under way. So after any crash both items show the same: how many of
//! its tokens were answered, or one more if one is under way; and once the tokens in doubt are sent again, how many there are.

use super::{Client, Server};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Writers of a load.
const WRITERS: u64 = 8;
/// A load that brings no answer for so long fails the test.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// The tables.
const TABLES: [&str; 2] = ["left", "right"];

/// What is known of one writer.
#[derive(Debug)]
pub struct Writer {
    name: String,
    /// Tokens that were sent, numbered from 1 on.
    sent: u64,
    /// How many of them were answered with success: all, or all but the last.
    answered: u64,
}

/// Writers at work on one server.
pub struct Transfers {
    writers: Vec<JoinHandle<Writer>>,
    answers: Receiver<()>,
}

/// Makes the tables; who will write to them.
pub fn create_tables(client: &mut Client) -> Vec<Writer> {
    for table in TABLES {
        let body = json!({
            "TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        });
        let (status, body) = client.call("CreateTable", &body.to_string()).expect("answers");
        assert_eq!(status, 200, "{body}");
    }
    (0..WRITERS).map(|number| Writer { name: format!("w{number}"), sent: 0, answered: 0 }).collect()
}

impl Transfers {
    /// Starts the writers.
    pub fn start(server: &Server, writers: Vec<Writer>) -> Self {
        let (sender, answers) = channel();
        let start = |mut writer: Writer| {
            let (address, sender) = (server.address(), sender.clone());
            std::thread::spawn(move || {
                writer.write(&mut Client::connect(&address), &sender);
                writer
            })
        };
        Self { writers: writers.into_iter().map(start).collect(), answers }
    }

    /// Waits until so many transactions were answered.
    pub fn wait(&self, answers: u64) {
        for _ in 0..answers {
            self.answers.recv_timeout(ANSWER_LIMIT).expect("an answer in time");
        }
    }

    /// Waits for the writers, who end when the server is gone.
    pub fn join(self) -> Vec<Writer> {
        self.writers.into_iter().map(|writer| writer.join().expect("a writer")).collect()
    }
}

impl Writer {
    /// How many of its transactions were answered.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    fn key(&self) -> Value {
        json!({"id": {"S": self.name}})
    }

    /// Adds one in both tables, if `more` allows it.
    fn request(&self, token: u64, more: Option<Value>) -> String {
        let add = |table| {
            json!({"Update": {
                "TableName": table, "Key": self.key(), "UpdateExpression": "ADD n :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            }})
        };
        let actions: Vec<Value> = TABLES.into_iter().map(add).chain(more).collect();
        json!({"TransactItems": actions, "ClientRequestToken": format!("{}-{token}", self.name)}).to_string()
    }

    /// Writes until the server is gone.
    fn write(&mut self, client: &mut Client, answers: &Sender<()>) {
        loop {
            if self.sent % 5 == 3 {
                // Cancelled, with the token that is next: it leaves nothing, and the token is as good as before.
                let never = json!({"ConditionCheck": {
                    "TableName": TABLES[0], "Key": {"id": {"S": "never"}},
                    "ConditionExpression": "attribute_exists(id)",
                }});
                match client.call("TransactWriteItems", &self.request(self.sent + 1, Some(never))) {
                    Some((400, body)) => {
                        assert!(body.contains("[None, None, ConditionalCheckFailed]"), "{body}")
                    }
                    Some((status, body)) => panic!("{status}: {body}"),
                    None => return,
                }
            }
            self.sent += 1;
            match client.call("TransactWriteItems", &self.request(self.sent, None)) {
                Some((200, body)) => assert_eq!(body, "{}"),
                Some((status, body)) => panic!("{status}: {body}"),
                None => return,
            }
            self.answered += 1;
            // Nobody waits any more once the server is killed.
            let _ = answers.send(());
        }
    }

    /// What both tables show; the same.
    fn shown(&self, client: &mut Client, what: &str) -> u64 {
        let [left, right] = TABLES.map(|table| {
            let body = json!({"TableName": table, "Key": self.key(), "ConsistentRead": true}).to_string();
            let (status, body) = client.call("GetItem", &body).expect("answers");
            assert_eq!(status, 200, "{body}");
            let answer: Value = serde_json::from_str(&body).expect("json");
            answer["Item"]["n"]["N"].as_str().map_or(0, |number| number.parse().expect("a number"))
        });
        assert_eq!(left, right, "{what}, {}: both or neither", self.name);
        left
    }

    /// After a restart: both tables show what was answered, or what is under way too; and sending tokens again does nothing
    /// that was done already.
    pub fn check(&mut self, client: &mut Client, what: &str) {
        let shown = self.shown(client, what);
        assert!(shown == self.answered || shown == self.sent, "{what}: {shown}, and {self:?}");
        for token in self.answered.max(1)..=self.sent {
            for _ in 0..2 {
                let (status, body) =
                    client.call("TransactWriteItems", &self.request(token, None)).expect("answers");
                assert_eq!((status, body.as_str()), (200, "{}"), "{what}");
            }
        }
        self.answered = self.sent;
        assert_eq!(self.shown(client, what), self.sent, "{what}, {}: once for each token", self.name);
    }
}
