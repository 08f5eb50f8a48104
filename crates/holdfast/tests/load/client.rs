//! A client of DynamoDB's protocol on one kept-alive connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Nothing here takes that long: a server that does not answer by then fails the test.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    host: String,
    /// Access key and region.
    signer: (String, String),
}

impl Client {
    pub fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("connects");
        stream.set_read_timeout(Some(ANSWER_LIMIT)).expect("a limit");
        stream.set_nodelay(true).expect("an option");
        Self {
            stream: BufReader::new(stream),
            host: address.to_owned(),
            signer: ("test".to_owned(), "us-east-1".to_owned()),
        }
    }

    /// The same connection for another access key and region.
    #[allow(dead_code, reason = "not every test needs it")]
    pub fn signed_by(self, key: &str, region: &str) -> Self {
        Self { signer: (key.to_owned(), region.to_owned()), ..self }
    }

    /// Status and body, or `None` if the server is gone.
    pub fn call(&mut self, operation: &str, body: &str) -> Option<(u16, String)> {
        let (key, region) = &self.signer;
        let request = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-amz-json-1.0\r\n\
             X-Amz-Target: DynamoDB_20120810.{operation}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.exchange(&request)
    }

    /// Status and body of `GET path`, or `None` if the server is gone.
    pub fn get(&mut self, path: &str) -> Option<(u16, String)> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.host))
    }

    fn exchange(&mut self, request: &str) -> Option<(u16, String)> {
        self.stream.get_mut().write_all(request.as_bytes()).ok()?;
        let (mut status, mut length) = (0, 0);
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
