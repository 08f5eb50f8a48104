//! The real binary: it says when it is ready, answers in AWS's form, and ends with 0 when told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A running server, killed if the test fails.
struct Server {
    child: Child,
    ready: serde_json::Value,
}

impl Server {
    fn start(dir: &std::path::Path) -> Self {
        Self::start_for(dir, "dynamodb")
    }

    /// Starts for clients of some services.
    fn start_for(dir: &std::path::Path, services: &str) -> Self {
        Self::start_with(dir, services, &[])
    }

    fn start_with(dir: &std::path::Path, services: &str, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["serve", "--json", "--port", "0", "--dynamodb-port", "0", "--console-port", "0"])
            .args(flags)
            .env("SERVICES", services)
            .arg("--data-dir")
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, ready }
    }

    /// Sends a request to a listener; answers head (in lower case) and body.
    fn ask(&self, listener: &str, request: &str, headers: &str, body: &str) -> (String, String) {
        let url = self.ready[listener].as_str().expect("a listener");
        let address = url.strip_prefix("http://").expect("http");
        let mut stream = TcpStream::connect(address).expect("connects");
        let length = body.len();
        let head = format!(
            "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).expect("sends");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        (head.to_lowercase(), body.to_owned())
    }

    /// Calls an operation of DynamoDB that must succeed.
    fn call(&self, operation: &str, body: &str) -> String {
        let headers = format!("{SIGNED}{JSON}X-Amz-Target: DynamoDB_20120810.{operation}\r\n");
        let (head, body) = self.ask("dynamodb", "POST /", &headers, body);
        assert!(head.starts_with("http/1.1 200"), "{operation}: {head} {body}");
        body
    }

    fn stop(&mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.child.wait().expect("ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 \
    Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=00\r\n";

const JSON: &str = "Content-Type: application/x-amz-json-1.0\r\n";

#[test]
fn it_serves_and_ends() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut server = Server::start(&dir.path().join("data"));
    assert_eq!(server.ready["event"], "ready");
    assert!(server.ready["data_dir"].as_str().is_some_and(|dir| dir.ends_with("data")));

    let (head, body) = server.ask("dynamodb", "GET /", "", "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, "healthy: dynamodb.us-east-1.amazonaws.com ");

    let (head, body) = server.ask(
        "dynamodb",
        "POST /",
        &format!("{JSON}X-Amz-Target: DynamoDB_20120810.ListTables\r\n"),
        "{}",
    );
    assert!(head.starts_with("http/1.1 400"), "{head}");
    assert!(body.contains("com.amazon.coral.service#MissingAuthenticationTokenException"), "{body}");

    for listener in ["dynamodb", "aws"] {
        let headers = format!("{SIGNED}{JSON}X-Amz-Target: DynamoDB_20120810.Nothing\r\n");
        let (head, body) = server.ask(listener, "POST /", &headers, "{}");
        assert!(head.starts_with("http/1.1 400"), "{head}");
        assert!(body.contains("com.amazon.coral.service#UnknownOperationException"), "{body}");
        for header in ["x-amzn-requestid: ", "x-amz-crc32: ", "content-type: application/x-amz-json-1.0"] {
            assert!(head.contains(header), "{header} in {head}");
        }
    }

    let (_, body) = server.ask("console", "GET /health", "", "");
    assert!(body.contains("\"dynamodb\": \"available\""), "{body}");
    let (_, body) = server.ask("console", "GET /metrics", "", "");
    assert!(body.contains("holdfast_commit_group_operations_count "), "{body}");
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn what_was_answered_is_there_after_a_kill() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let table = r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"k","KeyType":"HASH"}]}"#;
    server.call("CreateTable", table);
    server.call("PutItem", r#"{"TableName":"tab","Item":{"k":{"S":"a"},"v":{"N":"7"}}}"#);
    // Killed, not stopped: only what is durable can be there again.
    drop(server);
    let mut server = Server::start(&data);
    let answer = server.call("GetItem", r#"{"TableName":"tab","Key":{"k":{"S":"a"}},"ConsistentRead":true}"#);
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!(answer, serde_json::json!({"Item": {"k": {"S": "a"}, "v": {"N": "7"}}}));
    assert_eq!(server.stop().code(), Some(0));
}

#[test]
fn it_refuses_a_place_without_data_if_told_to() {
    let dir = tempfile::tempdir().expect("a directory");
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["--require-existing", "--port", "off", "--dynamodb-port", "off", "--console-port", "off"])
        .arg("--data-dir")
        .arg(dir.path().join("data"))
        .output()
        .expect("the binary runs");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{messages}");
    assert!(messages.starts_with("error: ") && messages.contains("\nhint: "), "{messages}");
}

#[test]
fn services_that_are_missing_are_announced_and_refused_in_their_protocol() {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start_for(&dir.path().join("data"), "s3,dynamodb,ses");
    for (listener, path) in [("aws", "/_localstack/health"), ("aws", "/health"), ("console", "/health")] {
        let (head, body) = server.ask(listener, &format!("GET {path}"), "", "");
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let services = r#""services": {"dynamodb": "available", "s3": "unavailable", "ses": "unavailable"}"#;
        assert!(body.contains(services), "{body}");
        let health: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert!(health["data_dir"].is_string() && health["durability"].is_string(), "{health}");
    }

    let signed = |service: &str| SIGNED.replace("/dynamodb/", &format!("/{service}/"));
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let target = |name: &str| format!("X-Amz-Target: {name}\r\n");
    let s3 = "<Error><Code>NotImplemented</Code>";
    let query = "<Code>NotImplemented</Code>";
    let json = "com.amazon.coral.service#UnknownOperationException";
    for (request, headers, service, shape) in [
        ("GET /", signed("s3"), "s3", s3),
        ("PUT /bucket", signed("s3"), "s3", s3),
        ("GET /b/k?X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request", String::new(), "s3", s3),
        ("POST /", signed("ses") + form, "ses", query),
        ("POST /", signed("sts") + form, "sts", query),
        ("POST /", target("AWSCognitoIdentityProviderService.InitiateAuth"), "cognito-idp", json),
        ("POST /", signed("sqs") + &target("AmazonSQS.SendMessage"), "sqs", json),
        ("GET /2015-03-31/functions", signed("lambda"), "lambda", r#""code":"NotImplemented""#),
    ] {
        let (head, body) = server.ask("aws", request, &headers, "");
        assert!(head.starts_with("http/1.1 501 "), "{request}: {head}");
        assert!(body.contains(shape), "{request}: {shape} in {body}");
        assert!(body.contains(&format!("does not serve {service} ")), "{request}: {body}");
        assert!(head.contains("request-id: ") || head.contains("x-amzn-requestid: "), "{head}");
    }
    let (_, metrics) = server.ask("console", "GET /metrics", "", "");
    assert!(metrics.contains("holdfast_unserved_requests_total{service=\"s3\"} 3\n"), "{metrics}");
    // What is there is served all the same, and a stranger's GET is a health check.
    assert_eq!(server.call("ListTables", "{}"), r#"{"TableNames":[]}"#);
    assert!(server.ask("aws", "GET /", "", "").1.starts_with("healthy: "));
}

#[test]
fn statuses_are_delayed_where_it_is_asked_for() {
    const TABLE: &str = r#"{"TableName":"Music","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}]}"#;
    for (flags, status) in [
        (&[][..], r#""TableStatus":"ACTIVE""#),
        (&["--delay-transient-statuses"], r#""TableStatus":"CREATING""#),
    ] {
        let dir = tempfile::tempdir().expect("a directory");
        let mut server = Server::start_with(&dir.path().join("data"), "dynamodb", flags);
        server.call("CreateTable", TABLE);
        let described = server.call("DescribeTable", r#"{"TableName":"Music"}"#);
        assert!(described.contains(status), "{described}");
        assert!(server.stop().success());
    }
}
