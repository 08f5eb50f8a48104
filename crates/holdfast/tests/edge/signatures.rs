//! `--sigv4 required`: what AWS's own signer signs is served, and nothing else.

use super::server::{Answer, JSON, SIGNED, Server, call_headers};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use holdfast_aws::sigv4::time::Timestamp;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// What a request is signed with.
#[derive(Clone, Copy)]
struct Signer<'a> {
    server: &'a Server,
    key: &'a str,
    secret: &'a str,
    service: &'a str,
    /// Seconds from the server's time.
    ahead_s: i64,
    /// Lifetime of a presigned URL.
    expires_s: Option<u64>,
    token: Option<&'a str>,
}

impl<'a> Signer<'a> {
    fn new(server: &'a Server, key: &'a str, secret: &'a str) -> Self {
        Self { server, key, secret, service: "dynamodb", ahead_s: 0, expires_s: None, token: None }
    }

    /// Signs a call and sends it, perhaps with another body.
    fn call(&self, operation: &str, body: &str, sent: &str) -> Answer {
        let host = self.server.address("dynamodb");
        let target = format!("DynamoDB_20120810.{operation}");
        let headers = [
            ("host", host),
            ("x-amz-target", target.as_str()),
            ("content-type", "application/x-amz-json-1.0"),
        ];
        let identity =
            Credentials::new(self.key, self.secret, self.token.map(str::to_owned), None, "test").into();
        let mut settings = SigningSettings::default();
        if let Some(seconds) = self.expires_s {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(Duration::from_secs(seconds));
        }
        let seconds = u64::try_from(time_of(self.server) + self.ahead_s).expect("after 1970");
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name(self.service)
            .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .settings(settings)
            .build()
            .expect("parameters")
            .into();
        let uri = format!("http://{host}/");
        let signable =
            SignableRequest::new("POST", &uri, headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
        let signed = sign(signable.expect("signable"), &params).expect("signs");
        let mut request = http::Request::post(&uri).body(()).expect("a request");
        signed.into_parts().0.apply_to_request_http1x(&mut request);
        let mut text = format!("{JSON}X-Amz-Target: {target}\r\n");
        for (name, value) in request.headers() {
            text.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
        }
        let path = request.uri().path_and_query().expect("a path");
        let mut connection = self.server.connect();
        let length = sent.len();
        connection.send(format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{text}\r\n{sent}"
        ));
        connection.answer().expect("an answer")
    }
}

/// The server's time, out of its own words.
fn time_of(server: &Server) -> i64 {
    let headers = format!("{}X-Amz-Date: 20200101T000000Z\r\n", call_headers("ListTables"));
    let answer = server.connect().ask("POST /", &headers, "{}");
    let text = answer.text();
    let (_, rest) = text.split_once(" (").unwrap_or_else(|| panic!("{text}"));
    Timestamp::read(&rest[..16]).expect("a time").unix_seconds()
}

fn assert_refused(answer: &Answer, code: &str, text: &str) {
    assert_eq!(answer.status, 400);
    let start = format!(r#"{{"__type":"com.amazon.coral.service#{code}","message":"{text}"#);
    assert!(answer.text().starts_with(&start), "{start} in {}", answer.text());
}

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
    Access Key and signing method. Consult the service documentation for details.\"}";

#[test]
fn only_what_is_signed_with_a_known_secret_is_served() {
    let server = Server::start(&[
        "--sigv4",
        "required",
        "--access-key",
        "AKONE:s3cr/et+",
        "--access-key",
        "AKTWO:second:half",
    ]);
    let one = Signer::new(&server, "AKONE", "s3cr/et+");
    let two = Signer::new(&server, "AKTWO", "second:half");
    let presigned = Signer { expires_s: Some(3_600), ..one };
    let with_token = Signer { token: Some("a token/+="), ..one };
    for signer in
        [one, two, presigned, with_token, Signer { ahead_s: -290, ..one }, Signer { ahead_s: 290, ..one }]
    {
        let answer = signer.call("ListTables", "{}", "{}");
        assert_eq!((answer.status, answer.text()), (200, r#"{"TableNames":[]}"#));
    }
    let long = format!(r#"{{"Limit":1{}}}"#, " ".repeat(200_000));
    assert_eq!(one.call("ListTables", &long, &long).status, 200, "hashed beside the edge's threads");

    let invalid = "InvalidSignatureException";
    for (answer, code, text) in [
        (one.call("ListTables", "{}", "{ }"), invalid, MISMATCH),
        (presigned.call("ListTables", "{}", "{ }"), invalid, MISMATCH),
        (Signer { secret: "other", ..one }.call("ListTables", "{}", "{}"), invalid, MISMATCH),
        (
            Signer { key: "AKTHREE", ..one }.call("ListTables", "{}", "{}"),
            "UnrecognizedClientException",
            "The security token included in the request is invalid.\"}",
        ),
        (
            Signer { service: "s3", ..one }.call("ListTables", "{}", "{}"),
            invalid,
            "Credential should be scoped to correct service: 'dynamodb'. \"}",
        ),
        (Signer { ahead_s: -400, ..one }.call("ListTables", "{}", "{}"), invalid, "Signature expired: "),
        (
            Signer { ahead_s: 400, ..one }.call("ListTables", "{}", "{}"),
            invalid,
            "Signature not yet current: ",
        ),
        (
            Signer { ahead_s: -100, expires_s: Some(60), ..one }.call("ListTables", "{}", "{}"),
            invalid,
            "Signature expired: ",
        ),
    ] {
        assert_refused(&answer, code, text);
    }
    // What is not JSON is that first; what lacks a date is refused only here.
    assert_eq!(
        Signer { key: "AKTHREE", ..one }.call("ListTables", "{", "{").text(),
        r#"{"__type":"com.amazon.coral.service#SerializationException"}"#
    );
    let answer = server.connect().call("ListTables", "{}");
    let text = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256\"}";
    assert_refused(&answer, "IncompleteSignatureException", text);
    // Health checks are not signed.
    assert_eq!(server.connect().ask("GET /", "", "").status, 200);
}

#[test]
fn one_pair_is_known_where_none_was_given_and_none_is_needed_without_the_flag() {
    let server = Server::start(&["--sigv4", "required"]);
    assert_eq!(Signer::new(&server, "test", "test").call("ListTables", "{}", "{}").status, 200);
    let answer = Signer::new(&server, "test", "tset").call("ListTables", "{}", "{}");
    assert_refused(&answer, "InvalidSignatureException", MISMATCH);
    let off = Server::start(&["--access-key", "AKONE:unused"]);
    assert_eq!(off.connect().call("ListTables", "{}").status, 200);
    assert!(SIGNED.contains("Signature=00"));
}

#[test]
fn secrets_never_show() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(arguments)
            .env("HOLDFAST_ACCESS_KEYS", "AKONE:hidden-one,hidden-two")
            .env("RUST_LOG", "trace")
            .output()
            .expect("the binary runs");
        let all = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&all).into_owned())
    };
    let ports = ["--in-memory", "--port", "off", "--dynamodb-port", "off", "--console-port", "off"];
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&ports, 1),
        (&[&ports[..], &["--access-key", "hidden-three"]].concat(), 1),
        (&[&ports[..], &["--access-key", "/:hidden-three"]].concat(), 1),
        (&["--access-key", "hidden-three", "--no-such-flag"], 2),
    ] {
        let (found, text) = run(arguments);
        assert_eq!(found, Some(code), "{arguments:?}: {text}");
        assert!(!text.contains("hidden"), "{arguments:?}: {text}");
    }
}
