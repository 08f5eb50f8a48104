//! Starts that are refused: the exit code is not 0, the message names file and cause and says what helps, and nothing was
//! changed.

mod load;

use holdfast_store::dir::format::Format;
use holdfast_store::io::real::RealDisk;
use load::{Files, Refused, Server};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user that owns nothing.
const NOBODY: u32 = 65_534;

fn place() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().expect("a directory");
    let data = home.path().join("data");
    (home, data)
}

/// A stopped store with a table in it, some of it in the index.
fn store() -> (tempfile::TempDir, PathBuf) {
    let (home, data) = place();
    let server = Server::start(&data, &[]);
    fill(&server, 20);
    assert_eq!(server.stop().0.code(), Some(0));
    (home, data)
}

fn fill(server: &Server, items: u32) {
    let mut client = server.client();
    let table = r#"{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;
    assert_eq!(client.call("CreateTable", table).expect("answers").0, 200);
    for number in 0..items {
        let body = format!(r#"{{"TableName":"tab","Item":{{"id":{{"S":"{number}"}}}}}}"#);
        assert_eq!(client.call("PutItem", &body).expect("answers").0, 200);
    }
}

/// Starts, which must be refused with all of these texts in the message, and must leave every file as it was.
fn assert_refused(dir: &Path, file: &Path, texts: &[&str]) {
    let before = dir.is_dir().then(|| Files::read(dir));
    let Err(Refused { code, messages }) = Server::try_start(dir, &[]) else { panic!("it started") };
    assert_eq!(code, Some(1), "{messages}");
    let file = file.display().to_string();
    for text in [&["error: ", &file, "\nhint: "], texts].concat() {
        assert!(messages.contains(text), "{text} in {messages}");
    }
    let after = dir.is_dir().then(|| Files::read(dir));
    assert!(before == after, "nothing was changed: {messages}");
}

#[test]
fn a_port_that_is_taken_leaves_no_new_directory() {
    let (_home, data) = place();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["--dynamodb-port", "0", "--console-port", "0", "--port", &port, "--data-dir"])
        .arg(&data)
        .output()
        .expect("the binary runs");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{messages}");
    assert!(messages.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{messages}");
    assert!(messages.contains("\nhint: ") && messages.contains("`--port`"), "{messages}");
    assert!(!data.exists());
}

#[test]
fn a_directory_in_use_is_refused_with_its_process_and_served_on() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let id = server.id().to_string();
    for _ in 0..2 {
        let Err(Refused { code, messages }) = Server::try_start(&data, &[]) else { panic!("it started") };
        assert_eq!(code, Some(1));
        let (process, kill) = (format!("process {id}"), format!("`kill {id}`"));
        for text in ["LOCK: ", &process, &format!("serves at http://{}", server.address()), "\nhint: ", &kill]
        {
            assert!(messages.contains(text), "{text} in {messages}");
        }
    }
    fill(&server, 1);
    assert!(data.join("admin.sock").exists(), "the socket is still the first server's");
}

#[test]
fn a_newer_format_is_refused() {
    let (_home, data) = store();
    let format = Format::read(&RealDisk, &data).expect("read").expect("there");
    std::fs::remove_file(data.join("FORMAT")).expect("removed");
    Format { number: 7, ..format }.write(&RealDisk, &data).expect("written");
    assert_refused(&data, &data.join("FORMAT"), &["format 7", "up to format 1", "--version"]);
}

#[test]
fn a_foreign_directory_is_refused() {
    let (_home, data) = place();
    std::fs::create_dir(&data).expect("a directory");
    std::fs::write(data.join("notes.txt"), "mine").expect("a file");
    assert_refused(&data, &data.join("notes.txt"), &["not holdfast's", "--data-dir"]);

    let (_home, file) = place();
    std::fs::write(&file, "mine").expect("a file");
    assert_refused(&file, &file, &["not a directory"]);
}

#[test]
fn a_missing_parent_is_refused() {
    let (_home, data) = place();
    assert_refused(&data.join("a/b"), &data.join("a"), &["does not exist", "mkdir -p"]);
    assert!(!data.exists());
}

#[test]
fn a_missing_index_file_is_refused() {
    let (_home, data) = store();
    let tables = std::fs::read_dir(data.join("index")).expect("a directory");
    let table = tables.map(|entry| entry.expect("an entry").path()).next().expect("a table");
    std::fs::remove_file(&table).expect("removed");
    assert_refused(&data, &table, &["doctor"]);
}

#[test]
fn missing_parts_are_refused() {
    for name in ["checkpoint", "witness", "FORMAT"] {
        let (_home, data) = store();
        std::fs::remove_file(data.join(name)).expect("removed");
        assert_refused(&data, &data.join(name), &["doctor"]);
    }
}

#[test]
fn a_damaged_log_is_refused() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    fill(&server, 60);
    server.kill();
    let mut segments: Vec<_> = std::fs::read_dir(data.join("log"))
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    segments.sort();
    // Frames begin behind the header, at byte 512, and follow each other there. Which segment has them depends on how soon the
    // next one was prepared: one has more than twelve, so that the tenth is followed by valid ones.
    let at = 512 * 10 + 100;
    let read = |path: &PathBuf| (path.clone(), std::fs::read(path).expect("read"));
    let (segment, mut bytes) = segments
        .iter()
        .map(read)
        .find(|(_, bytes)| {
            bytes.get(512 * 12..512 * 13).is_some_and(|frame| frame.iter().any(|byte| *byte != 0))
        })
        .expect("a segment with more than twelve frames");
    bytes[at] ^= 1;
    let segment = &segment;
    std::fs::write(segment, &bytes).expect("written");
    assert_refused(&data, segment, &["byte", "doctor"]);
}

/// As root every directory can be written: then the server runs as somebody else.
#[test]
fn a_read_only_directory_is_refused() {
    let (home, data) = place();
    let program = env!("CARGO_BIN_EXE_holdfast");
    std::fs::set_permissions(home.path(), PermissionsExt::from_mode(0o755)).expect("a mode");
    std::fs::create_dir(&data).expect("a directory");
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o555)).expect("a mode");
    let is_root = std::fs::metadata(&data).expect("metadata").uid() == 0;
    let start = || {
        let mut command = Command::new(program);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let ports = ["--port", "off", "--dynamodb-port", "off", "--console-port", "off"];
        command.args(ports).arg("--data-dir").arg(&data).output()
    };
    let refused = |texts: &[&str]| {
        let output = match start() {
            Ok(output) => output,
            Err(error) => {
                println!("skipped: user {NOBODY} cannot run {program}: {error}");
                return;
            }
        };
        let messages = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{messages}");
        for text in [&["error: ", data.to_str().expect("text"), "\nhint: "], texts].concat() {
            assert!(messages.contains(text), "{text} in {messages}");
        }
        assert_eq!(std::fs::read_dir(&data).expect("a directory").count(), 0);
    };
    if is_root {
        refused(&["belongs to user 0", "chown"]);
        chown(&data, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    refused(&["may not use it", "chmod"]);
}
