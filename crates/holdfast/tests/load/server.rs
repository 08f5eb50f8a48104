//! The real binary as a process.

use super::{Client, say};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// A start that takes longer fails the test.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A process that was started and has not said yet whether it serves; killed when it is dropped.
pub struct Starting {
    child: Option<Child>,
    line: Receiver<String>,
    messages: JoinHandle<String>,
}

/// A running server, killed when it is dropped.
pub struct Server {
    child: Child,
    ready: serde_json::Value,
    messages: Option<JoinHandle<String>>,
}

/// A start that was refused.
#[derive(Debug)]
pub struct Refused {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it said on stderr.
    pub messages: String,
}

impl Starting {
    /// Starts the binary on a directory, on free ports.
    pub fn new(dir: &Path, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["serve", "--json", "--port", "off", "--dynamodb-port", "0", "--console-port", "0"])
            .arg("--data-dir")
            .arg(dir)
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (stdout, stderr) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (sender, line) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            // An empty line says that the process has ended. Nobody may wait for it any more.
            if BufReader::new(stdout).read_line(&mut line).is_ok() {
                drop(sender.send(line));
            }
        });
        let messages = std::thread::spawn(move || {
            let mut text = Vec::new();
            drop(BufReader::new(stderr).read_to_end(&mut text));
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { child: Some(child), line, messages }
    }

    /// Waits until it serves or has ended.
    pub fn finish(mut self) -> Result<Server, Refused> {
        let line = self.line.recv_timeout(START_LIMIT).expect("a start ends in time");
        let mut child = self.child.take().expect("there until now");
        let messages = std::mem::replace(&mut self.messages, std::thread::spawn(String::new));
        if line.is_empty() {
            let code = child.wait().expect("ends").code();
            return Err(Refused { code, messages: messages.join().expect("read") });
        }
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Ok(Server { child, ready, messages: Some(messages) })
    }

    /// Lets it run for a time, or until it is ready if that is earlier.
    pub fn run_for(&self, time: Duration) {
        let outcome = self.line.recv_timeout(time);
        assert_ne!(outcome, Err(RecvTimeoutError::Disconnected), "stdout can be read");
        assert_ne!(outcome.as_deref(), Ok(""), "the start is not refused");
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

impl Server {
    /// Starts the binary on a directory; it must serve.
    pub fn start(dir: &Path, arguments: &[&str]) -> Self {
        Starting::new(dir, arguments).finish().unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    /// Starts the binary on a directory; it may refuse.
    pub fn try_start(dir: &Path, arguments: &[&str]) -> Result<Self, Refused> {
        Starting::new(dir, arguments).finish()
    }

    /// Host and port of DynamoDB.
    pub fn address(&self) -> String {
        self.listener("dynamodb")
    }

    fn listener(&self, name: &str) -> String {
        let url = self.ready[name].as_str().expect("a listener");
        url.strip_prefix("http://").expect("http").to_owned()
    }

    /// A new connection to DynamoDB.
    pub fn client(&self) -> Client {
        Client::connect(&self.address())
    }

    /// A number from `/metrics`.
    pub fn metric(&self, name: &str) -> u64 {
        let (status, text) = Client::connect(&self.listener("console")).get("/metrics").expect("answers");
        assert_eq!(status, 200, "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("asks").is_some()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal");
    }

    /// Kills it; what it said on stderr.
    pub fn kill(mut self) -> String {
        self.child.kill().expect("kills");
        self.ended().1
    }

    /// Asks it to stop, and waits; exit code and what it said on stderr.
    pub fn stop(mut self) -> (ExitStatus, String) {
        self.signal(Signal::TERM);
        self.ended()
    }

    fn ended(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("ends");
        let messages = self.messages.take().expect("taken once").join().expect("read");
        (status, messages)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
        if let Some(messages) = self.messages.take()
            && std::thread::panicking()
        {
            say(&messages.join().unwrap_or_default());
        }
    }
}
