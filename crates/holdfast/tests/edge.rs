//! The edge of the real binary, spoken to byte by byte: odd splits, too much, garbage, and a stop in the middle.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A running server in memory, killed if the test fails.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["--in-memory", "--json", "--port", "off", "--dynamodb-port", "0", "--console-port", "off"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("the ready line");
        let url = ready["dynamodb"].as_str().expect("a listener");
        let address = url.strip_prefix("http://").expect("http").to_owned();
        Self { child, address }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(TcpStream::connect(&self.address).expect("connects"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A signed ListTables.
fn list_tables(body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=host, Signature=00\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Status and body of the next answer on a connection; `None` once it is closed.
fn answer(stream: &mut BufReader<TcpStream>) -> Option<(u16, String)> {
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
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
    stream.read_exact(&mut body).ok()?;
    Some((status, String::from_utf8(body).ok()?))
}

#[test]
fn pipelined_requests_split_anywhere_are_answered_in_order_on_one_connection() {
    let server = Server::start();
    let mut stream = server.connect();
    let bytes = format!("{}{}{}", list_tables("{}"), list_tables("{"), list_tables("{}")).into_bytes();
    for size in [1, 7, 100, bytes.len()] {
        for piece in bytes.chunks(size) {
            stream.get_mut().write_all(piece).expect("sends");
        }
        for status in [200, 400, 200] {
            let (answered, body) = answer(&mut stream).expect("an answer");
            assert_eq!(answered, status, "pieces of {size}: {body}");
        }
    }
}

#[test]
fn too_much_is_refused_and_the_server_goes_on() {
    let server = Server::start();
    let mut stream = server.connect();
    let long = "x".repeat(200 << 10);
    // The server may close before everything is sent: then only the answer counts.
    let _ = write!(stream.get_mut(), "POST / HTTP/1.1\r\nHost: h\r\nX-Long: {long}\r\n\r\n");
    if let Some((status, body)) = answer(&mut stream) {
        assert_eq!(status, 431, "{body}");
    }

    let mut stream = server.connect();
    let head = list_tables("").replace("Content-Length: 0", &format!("Content-Length: {}", 64 << 20));
    stream.get_mut().write_all(head.as_bytes()).expect("sends");
    let (status, body) = answer(&mut stream).expect("an answer before the body");
    assert_eq!(status, 413, "{body}");

    let mut stream = server.connect();
    stream.get_mut().write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n").expect("sends");
    assert_eq!(answer(&mut stream).map(|(status, _)| status), Some(400));
    assert_eq!(answer(&mut stream), None, "and the connection is closed");

    let mut stream = server.connect();
    stream.get_mut().write_all(list_tables("{}").as_bytes()).expect("sends");
    assert_eq!(answer(&mut stream), Some((200, r#"{"TableNames":[]}"#.to_owned())));
}

#[test]
fn a_stop_closes_idle_and_half_sent_connections_and_ends_with_0() {
    let mut server = Server::start();
    let mut idle = server.connect();
    idle.get_mut().write_all(list_tables("{}").as_bytes()).expect("sends");
    assert_eq!(answer(&mut idle).map(|(status, _)| status), Some(200));
    let mut half = server.connect();
    half.get_mut().write_all(b"POST / HTTP/1.1\r\nHost: h\r\n").expect("sends");
    let silent = server.connect();

    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    assert_eq!(server.child.wait().expect("ends").code(), Some(0));
    for mut stream in [idle, half, silent] {
        assert_eq!(answer(&mut stream), None);
    }
}
