//! The real binary as a process, and a client that sees every byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Nothing here takes that long: a server that does not answer by then fails the test.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A running server in memory, killed when it is dropped.
pub struct Server {
    child: Child,
    ready: serde_json::Value,
}

impl Server {
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(Command::new(env!("CARGO_BIN_EXE_holdfast")), arguments)
    }

    /// Starts it with no more than a number of file descriptors.
    pub fn start_limited(descriptors: u32, arguments: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        let binary = env!("CARGO_BIN_EXE_holdfast");
        shell.args(["-c", &format!("ulimit -n {descriptors} && exec \"$0\" \"$@\""), binary]);
        Self::of(shell, arguments)
    }

    fn of(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(["--in-memory", "--json", "--port", "0", "--dynamodb-port", "0", "--console-port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).expect("the ready line");
        Self { child, ready }
    }

    /// Host and port of a listener.
    pub fn address(&self, listener: &str) -> &str {
        let url = self.ready[listener].as_str().expect("a listener");
        url.strip_prefix("http://").expect("http")
    }

    /// A new connection to DynamoDB.
    pub fn connect(&self) -> Connection {
        self.connect_to("dynamodb")
    }

    pub fn connect_to(&self, listener: &str) -> Connection {
        let stream = TcpStream::connect(self.address(listener)).expect("connects");
        stream.set_read_timeout(Some(ANSWER_LIMIT)).expect("a limit");
        stream.set_write_timeout(Some(ANSWER_LIMIT)).expect("a limit");
        stream.set_nodelay(true).expect("an option");
        Connection { stream: BufReader::new(stream) }
    }

    /// Creates the table `tab` with the key `k`.
    pub fn with_table(self) -> Self {
        let table = r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
            "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],
            "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}]}"#;
        assert_eq!(self.connect().call("CreateTable", table).status, 200);
        self
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An answer as it was sent.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("text")
    }
}

/// One connection.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Sends bytes, as far as the server takes them.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    /// The receiving side, for another thread.
    pub fn reader(&self) -> Self {
        Self { stream: BufReader::new(self.stream.get_ref().try_clone().expect("a second handle")) }
    }

    /// Says that nothing more is sent.
    pub fn finish(&mut self) {
        self.stream.get_mut().shutdown(Shutdown::Write).expect("shuts down");
    }

    /// The next answer; `None` once the connection is closed.
    pub fn answer(&mut self) -> Option<Answer> {
        let mut answer = self.answer_to_head()?;
        let length = answer.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        answer.bytes.resize(length, 0);
        self.stream.read_exact(&mut answer.bytes).ok()?;
        Some(answer)
    }

    /// The head of the next answer.
    pub fn answer_to_head(&mut self) -> Option<Answer> {
        let (mut status, mut headers) = (0, Vec::new());
        loop {
            let mut line = String::new();
            match self.stream.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => {
                    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "no answer in {ANSWER_LIMIT:?}");
                    return None;
                }
            }
            let line = line.trim_end();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 ")) {
                status = rest.get(..3)?.parse().ok()?;
            } else if let Some((name, value)) = line.split_once(": ") {
                headers.push((name.to_ascii_lowercase(), value.to_owned()));
            } else if line.is_empty() {
                break;
            }
        }
        Some(Answer { status, headers, bytes: Vec::new() })
    }

    /// Sends a request and takes its answer.
    pub fn ask(&mut self, request: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
        let body = body.as_ref();
        self.send(format!(
            "{request} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        ));
        self.send(body);
        self.answer().expect("an answer")
    }

    /// Calls an operation.
    pub fn call(&mut self, operation: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask("POST /", &call_headers(operation), body)
    }
}

/// A signature that nobody checks.
pub const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 \
    Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n";
/// DynamoDB's content type.
pub const JSON: &str = "Content-Type: application/x-amz-json-1.0\r\n";

/// Headers of a call, but for its length.
pub fn call_headers(operation: &str) -> String {
    format!("{SIGNED}{JSON}X-Amz-Target: DynamoDB_20120810.{operation}\r\n")
}

/// The whole head of a call.
pub fn call_head(operation: &str, rest: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: h\r\n{}{rest}\r\n", call_headers(operation))
}
