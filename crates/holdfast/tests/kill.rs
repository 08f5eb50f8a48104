//! Promise 1 on the real binary: what was answered survives `kill -9` under load.
//!
//! Writers overwrite and delete few keys, each its own, and note what was answered. After each kill the server starts
//! again, and every key must show the last answered write, or the one that was under way. `HOLDFAST_TEST_KILLS` sets the
//! number of rounds.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

const WRITERS: u64 = 8;
const KEYS_PER_WRITER: u64 = 4;
/// The server is killed once this many writes of a round were answered.
const WRITES_PER_ROUND: u64 = 1_500;

fn start(dir: &Path) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["serve", "--json", "--port", "off", "--dynamodb-port", "0", "--console-port", "off"])
        .arg("--data-dir")
        .arg(dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
    let url = ready["dynamodb"].as_str().expect("a listener").to_owned();
    (child, url.strip_prefix("http://").expect("http").to_owned())
}

/// One kept-alive connection.
struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: &str) -> Self {
        Self { stream: BufReader::new(TcpStream::connect(address).expect("connects")) }
    }

    /// Status and body, or `None` if the server is gone.
    fn call(&mut self, operation: &str, body: &str) -> Option<(u16, String)> {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: DynamoDB_20120810.{operation}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3)?.parse().ok()?;
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().ok()?;
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((status, String::from_utf8(body).ok()?))
    }
}

/// Per key: what was last answered, and what was last asked for; `None` is a deleted item.
type Known = BTreeMap<String, (Option<u64>, Option<u64>)>;

fn write(address: &str, writer: u64, mut number: u64, known: &Mutex<Known>, answered: &AtomicU64) {
    let mut client = Client::connect(address);
    loop {
        number += 1;
        let key = format!("w{writer}-{}", number % KEYS_PER_WRITER);
        let delete = number.is_multiple_of(7);
        let wanted = (!delete).then_some(number);
        known.lock().expect("lock").entry(key.clone()).or_default().1 = wanted;
        let padding = "x".repeat((number % 900) as usize);
        let result = if delete {
            client.call("DeleteItem", &format!(r#"{{"TableName":"kills","Key":{{"id":{{"S":"{key}"}}}}}}"#))
        } else {
            let item = format!(r#"{{"id":{{"S":"{key}"}},"n":{{"N":"{number}"}},"p":{{"S":"{padding}"}}}}"#);
            client.call("PutItem", &format!(r#"{{"TableName":"kills","Item":{item}}}"#))
        };
        match result {
            Some((200, _)) => {
                known.lock().expect("lock").entry(key).or_default().0 = wanted;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Some((status, body)) => panic!("{status}: {body}"),
            None => return,
        }
    }
}

/// Every key shows the last answered write or the one under way; from then on that is what is known.
fn check(address: &str, known: &Mutex<Known>, round: u64) {
    let mut client = Client::connect(address);
    let mut alive = 0;
    for (key, (answered, asked)) in known.lock().expect("lock").iter_mut() {
        let body = format!(r#"{{"TableName":"kills","Key":{{"id":{{"S":"{key}"}}}}}}"#);
        let (status, body) = client.call("GetItem", &body).expect("answers");
        assert_eq!(status, 200, "{body}");
        let answer: serde_json::Value = serde_json::from_str(&body).expect("json");
        let found = answer["Item"]["n"]["N"].as_str().map(|n| n.parse::<u64>().expect("a number"));
        assert!(
            found == *answered || found == *asked,
            "round {round}, {key}: {found:?}, not {answered:?} or {asked:?}"
        );
        (*answered, *asked) = (found, found);
        alive += u64::from(found.is_some());
    }
    let (_, body) = client.call("DescribeTable", r#"{"TableName":"kills"}"#).expect("answers");
    let table: serde_json::Value = serde_json::from_str(&body).expect("json");
    assert_eq!(table["Table"]["ItemCount"].as_u64(), Some(alive), "round {round}: the counter is exact");
}

#[test]
fn promise_answered_writes_survive_kill_9() {
    let rounds = std::env::var("HOLDFAST_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3u64);
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let known = Arc::new(Mutex::new(Known::new()));
    let (mut child, mut address) = start(&data);
    let table = r#"{"TableName":"kills","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;
    let (status, body) = Client::connect(&address).call("CreateTable", table).expect("answers");
    assert_eq!(status, 200, "{body}");
    for round in 1..=rounds {
        let answered = Arc::new(AtomicU64::new(0));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (address, known, answered) = (address.clone(), Arc::clone(&known), Arc::clone(&answered));
                std::thread::spawn(move || write(&address, writer, round << 32, &known, &answered))
            })
            .collect();
        while answered.load(Ordering::Relaxed) < WRITES_PER_ROUND {
            assert!(child.try_wait().expect("asks").is_none(), "the server ended by itself");
            std::thread::yield_now();
        }
        child.kill().expect("kills");
        child.wait().expect("ends");
        for writer in writers {
            writer.join().expect("a writer");
        }
        (child, address) = start(&data);
        check(&address, &known, round);
    }
    child.kill().expect("kills");
    child.wait().expect("ends");
}
