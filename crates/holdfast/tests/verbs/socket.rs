//! `admin.sock`.

use super::load::Server;
use super::{json, place, verb};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;

#[test]
fn a_killed_server_leaves_a_socket_that_the_next_one_replaces() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let socket = std::fs::symlink_metadata(data.join("admin.sock")).expect("a socket");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600, "nobody else may connect");
    server.kill();
    assert!(data.join("admin.sock").exists());
    assert_eq!(json(&data, &["status"])["state"], "stopped");
    json(&data, &["trim", "--history", "1h"]);
    let server = Server::start(&data, &[]);
    assert_eq!(json(&data, &["status"])["pid"], server.id());
}

#[test]
fn a_directory_with_a_long_name_has_its_socket_too() {
    let (_home, data) = place();
    let data = data.join("d".repeat(120)).join("e".repeat(120));
    std::fs::create_dir_all(data.parent().expect("above")).expect("directories");
    let server = Server::start(&data, &[]);
    assert_eq!(json(&data, &["status"])["pid"], server.id());
    assert_eq!(server.stop().0.code(), Some(0));
    assert!(!data.join("admin.sock").exists());
}

#[test]
fn a_server_that_cannot_be_reached_is_named() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    std::fs::remove_file(data.join("admin.sock")).expect("removed");
    let accept = &["doctor", "--accept-loss"];
    for arguments in
        [&["status"][..], &["trim", "--history", "1h"], &["reset", "--yes", "--no-archive"], accept]
    {
        let said = verb(&data, arguments);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(said.messages.contains(&format!("process {}", server.id())), "{said:?}");
        assert!(said.messages.contains("LOCK") && said.messages.contains("\nhint: "), "{said:?}");
    }
}

#[test]
fn garbage_on_the_socket_is_answered_and_does_no_harm() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let ask = |line: &str| {
        let mut stream = UnixStream::connect(data.join("admin.sock")).expect("connects");
        stream.write_all(line.as_bytes()).expect("sends");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("an answer");
        answer
    };
    for line in
        ["\n", "{}\n", "{\"verb\":\"dance\"}\n", "\"\\ud800\"\n", &format!("{}\n", "[".repeat(60_000))]
    {
        assert!(ask(line).starts_with(r#"{"failed":{"error":"#), "{line}");
    }
    assert!(ask("{\"verb\":\"status\"}\n").starts_with(r#"{"done":{"#));
    // One that says nothing does not keep the others, or the stop, waiting.
    let silent = UnixStream::connect(data.join("admin.sock")).expect("connects");
    assert_eq!(json(&data, &["status"])["state"], "running");
    assert_eq!(server.stop().0.code(), Some(0));
    drop(silent);
}
