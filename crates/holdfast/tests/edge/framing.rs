//! How bodies arrive: chunked, asked for, broken off, pipelined, split anywhere.

use super::server::{Server, call_head, call_headers};
use std::process::Command;

const TABLES: &str = r#"{"TableNames":[]}"#;

fn list_tables(body: &str) -> String {
    format!("{}{body}", call_head("ListTables", &format!("Content-Length: {}\r\n", body.len())))
}

#[test]
fn pipelined_requests_split_anywhere_are_answered_in_order_on_one_connection() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let bytes = format!("{}{}{}", list_tables("{}"), list_tables("{"), list_tables("{}")).into_bytes();
    for size in [1, 7, 100, bytes.len()] {
        for piece in bytes.chunks(size) {
            assert!(connection.send(piece));
        }
        for status in [200, 400, 200] {
            let answer = connection.answer().expect("an answer");
            assert_eq!(answer.status, status, "pieces of {size}: {answer:?}");
        }
    }
}

#[test]
fn chunked_bodies_are_read_with_their_trailers() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    let head = call_head("ListTables", "Transfer-Encoding: chunked\r\n");
    for body in ["2\r\n{}\r\n0\r\n\r\n", "1;a=b\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: y\r\n\r\n"] {
        connection.send(format!("{head}{body}"));
        let answer = connection.answer().expect("an answer");
        assert_eq!((answer.status, answer.text()), (200, TABLES));
    }
    connection.send(format!("{head}zz\r\n"));
    let answer = connection.answer();
    assert!(answer.is_none_or(|answer| answer.status == 400), "a chunk of no length");
}

#[test]
fn who_asks_first_is_told_to_send_and_is_not_asked_for_what_is_refused() {
    let server = Server::start(&[]);
    let mut connection = server.connect();
    connection.send(call_head("ListTables", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
    assert_eq!(connection.answer().expect("the word").status, 100);
    connection.send("{}");
    assert_eq!(connection.answer().expect("an answer").text(), TABLES);

    connection
        .send(call_head("ListTables", &format!("Expect: 100-continue\r\nContent-Length: {}\r\n", 64 << 20)));
    assert_eq!(connection.answer().expect("an answer").status, 413);

    let mut connection = server.connect();
    let head = call_head("ListTables", "Expect: 100-continue\r\nContent-Length: 2\r\n");
    connection.send(head.replace("POST", "PUT"));
    assert_eq!(connection.answer().expect("an answer").status, 404);
}

#[test]
fn a_length_that_is_not_that_of_the_body_does_no_harm() {
    let server = Server::start(&[]);
    // Less than was announced: what never came is never done, and nobody else waits.
    let mut short = server.connect();
    short.send(call_head("ListTables", "Content-Length: 10\r\n"));
    short.send("{}");
    short.finish();
    assert!(short.answer().is_none_or(|answer| answer.status == 400));
    // More than was announced is another request, and this one is none.
    let mut long = server.connect();
    long.send(call_head("ListTables", "Content-Length: 2\r\n"));
    long.send("{}{}{}\r\n\r\n");
    assert_eq!(long.answer().expect("an answer").text(), TABLES);
    assert_eq!(long.answer().expect("an answer").status, 400);
    assert!(long.answer().is_none());
    // Two lengths.
    let mut two = server.connect();
    two.send(call_head("ListTables", "Content-Length: 2\r\nContent-Length: 4\r\n"));
    two.send("{}{}");
    assert_eq!(two.answer().expect("an answer").status, 400);
    assert!(two.answer().is_none());
    // A length beside chunks: chunks count, and what follows cannot be taken for a body.
    let mut both = server.connect();
    both.send(call_head("ListTables", "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"));
    both.send("2\r\n{}\r\n0\r\n\r\n");
    let answer = both.answer().expect("an answer");
    assert!(answer.status == 400 || answer.text() == TABLES, "{answer:?}");
    // No length at all is no body.
    let mut none = server.connect();
    none.send(call_head("ListTables", ""));
    assert_eq!(none.answer().expect("an answer").status, 400);
    assert_eq!(server.connect().call("ListTables", "{}").text(), TABLES);
}

#[test]
fn old_and_foreign_protocols_are_answered_or_closed() {
    let server = Server::start(&[]);
    let mut old = server.connect();
    old.send(list_tables("{}").replace("HTTP/1.1", "HTTP/1.0"));
    assert_eq!(old.answer().expect("an answer").text(), TABLES);
    assert!(old.answer().is_none(), "HTTP/1.0 ends with the answer");
    let mut tls = server.connect();
    tls.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n");
    assert_eq!(tls.answer().map(|answer| answer.status), Some(400));
    assert!(tls.answer().is_none(), "and the connection is closed");
    let mut long = server.connect();
    long.send(format!("POST / HTTP/1.1\r\nHost: h\r\nX-Long: {}\r\n\r\n", "x".repeat(200 << 10)));
    assert!(long.answer().is_none_or(|answer| answer.status == 431));
    let mut many = server.connect();
    many.send(format!("POST / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X: y\r\n".repeat(1_000)));
    assert!(many.answer().is_none_or(|answer| answer.status == 431));
    assert_eq!(server.connect().call("ListTables", "{}").text(), TABLES);
}

#[test]
fn a_stop_closes_idle_and_half_sent_connections_and_ends_with_0() {
    let mut server = Server::start(&[]);
    let mut idle = server.connect();
    assert_eq!(idle.ask("POST /", &call_headers("ListTables"), "{}").status, 200);
    let mut half = server.connect();
    half.send("POST / HTTP/1.1\r\nHost: h\r\n");
    let silent = server.connect();
    let id = server.child().id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    assert_eq!(server.child().wait().expect("ends").code(), Some(0));
    for mut connection in [idle, half, silent] {
        assert!(connection.answer().is_none());
    }
}
