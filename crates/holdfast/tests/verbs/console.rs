//! The page on port 8001.

use super::load::{Client, Server};
use super::{create, json, place, put};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Sends a request as it is; the whole answer. The connection ends with it.
fn ask(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).expect("sends");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answers");
    answer
}

fn address(status: &Value) -> String {
    let url = status["listening"]["console"].as_str().expect("a listener");
    url.trim_start_matches("http://").to_owned()
}

#[test]
fn the_page_shows_the_status_and_no_items() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    put(&mut client, "boats", "secret-ketch", 1);
    let status = json(&data, &["status"]);
    let mut console = Client::connect(&address(&status));
    let (code, page) = console.get("/").expect("answers");
    assert_eq!(code, 200);
    for text in
        ["<!DOCTYPE html>", "boats", data.to_str().expect("text"), "every answer is on disk", "7 days"]
    {
        assert!(page.contains(text), "{text} in {page}");
    }
    let (code, api) = console.get("/api/status").expect("answers");
    let api: Value = serde_json::from_str(&api).expect("JSON");
    assert_eq!(
        (code, &api["tables"][0]["name"], &api["tables"][0]["items"]),
        (200, &"boats".into(), &1.into())
    );
    assert_eq!((&api["version"], &api["pid"]), (&status["version"], &status["pid"]));
    assert!(!page.contains("secret-ketch") && !api.to_string().contains("secret-ketch"));
    assert_eq!(console.get("/nothing").expect("answers").0, 404);
    assert_eq!(console.get("/metrics").expect("answers").0, 200);
    assert_eq!(console.get("/health").expect("answers").0, 200);
}

#[test]
fn no_other_site_reaches_the_console() {
    let (_home, data) = place();
    let _server = Server::start(&data, &["--console-hosts", "holdfast,db.internal"]);
    let address = address(&json(&data, &["status"]));
    for path in ["/", "/api/status", "/metrics", "/health", "/nothing"] {
        for host in
            ["Host: evil.example", "Host: evil.example:80", "X: y", "Host: localhost\r\nHost: evil.example"]
        {
            let answer = ask(&address, &format!("GET {path} HTTP/1.1\r\n{host}"));
            assert!(answer.starts_with("HTTP/1.1 403 "), "{path} {host}: {answer}");
            assert!(answer.contains("--console-hosts") && !answer.contains("data_dir"), "{answer}");
        }
    }
    let absolute = ask(&address, "GET http://evil.example/ HTTP/1.1\r\nHost: localhost");
    assert!(absolute.starts_with("HTTP/1.1 403 "), "{absolute}");
    for host in ["localhost:8001", "127.0.0.1", "holdfast:8001", "DB.internal"] {
        let answer = ask(&address, &format!("GET /health HTTP/1.1\r\nHost: {host}"));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{host}: {answer}");
    }
}

#[test]
fn answers_are_not_kept_framed_or_changed_by() {
    let (_home, data) = place();
    let _server = Server::start(&data, &[]);
    let address = address(&json(&data, &["status"]));
    for path in ["/", "/api/status", "/metrics", "/nothing"] {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example");
        let answer = ask(&address, &head).to_ascii_lowercase();
        let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
        for header in [
            "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; ",
            "x-frame-options: deny",
            "x-content-type-options: nosniff",
            "cache-control: no-store",
            "referrer-policy: no-referrer",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(head.contains(header), "{header} in {head}");
        }
        assert!(!head.contains("access-control"), "{head}");
    }
    let head = ask(&address, "HEAD / HTTP/1.1\r\nHost: localhost");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = ask(&address, &format!("{method} / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0"));
        assert!(answer.starts_with("HTTP/1.1 405 ") && answer.contains("allow: GET, HEAD"), "{answer}");
    }
}
