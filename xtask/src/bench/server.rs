//! Servers under measurement: started on a free loopback port, found when they answer, ended.

use super::args::Tools;
use anyhow::{Context as _, Result, bail};
use holdfast_load::call;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(90);
/// How long a server may take to end when asked to.
const STOP_LIMIT: Duration = Duration::from_secs(60);

/// The kinds of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Holdfast on its embedded store, with history.
    Holdfast,
    /// Holdfast that keeps nothing.
    HoldfastInMemory,
    /// Holdfast on its embedded store with `--history off`.
    HoldfastWithoutHistory,
    /// dynoxide on a database file.
    Dynoxide,
    /// DynamoDB Local with `-dbPath`.
    DynamoDbLocal,
    /// The bare HTTP server.
    Echo,
}

impl Kind {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Holdfast => "holdfast",
            Kind::HoldfastInMemory => "holdfast --in-memory",
            Kind::HoldfastWithoutHistory => "holdfast --history off",
            Kind::Dynoxide => "dynoxide (file)",
            Kind::DynamoDbLocal => "DynamoDB Local (-dbPath)",
            Kind::Echo => "hyper echo",
        }
    }

    /// Whether there is a program to run.
    pub fn is_available(self, tools: &Tools) -> bool {
        match self {
            Kind::Holdfast | Kind::HoldfastInMemory | Kind::HoldfastWithoutHistory => {
                tools.holdfast.is_some()
            }
            Kind::Dynoxide => tools.dynoxide.is_some(),
            Kind::DynamoDbLocal => tools.dynamodb_local.is_some(),
            Kind::Echo => tools.echo.is_some(),
        }
    }

    /// Whether it compiles itself while it runs and needs long to be at its best.
    pub fn warms_up_slowly(self) -> bool {
        self == Kind::DynamoDbLocal
    }
}

/// A server that runs. It is killed when dropped.
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// Where it speaks DynamoDB.
    pub address: SocketAddr,
    /// Where Holdfast shows its metrics.
    pub console: Option<SocketAddr>,
    /// When its process was started.
    pub started: Instant,
    child: Child,
}

/// What Holdfast prints when it is ready.
#[derive(Deserialize)]
struct Ready {
    event: String,
    dynamodb: Option<String>,
    console: Option<String>,
}

impl Server {
    /// Starts a server over `folder`, which is made if it does not exist, and waits until it answers.
    pub fn start(kind: Kind, tools: &Tools, folder: &Path) -> Result<Server> {
        std::fs::create_dir_all(folder)?;
        match kind {
            Kind::Holdfast => start_holdfast(kind, tools, folder, &["--data-dir", "data"]),
            Kind::HoldfastInMemory => start_holdfast(kind, tools, folder, &["--in-memory"]),
            Kind::HoldfastWithoutHistory => {
                start_holdfast(kind, tools, folder, &["--data-dir", "data", "--history", "off"])
            }
            Kind::Dynoxide | Kind::DynamoDbLocal | Kind::Echo => start_on_port(kind, tools, folder),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end and waits; how long that took, and how it ended.
    pub fn stop(mut self) -> Result<(Duration, ExitStatus)> {
        let asked = Instant::now();
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(rustix::process::Pid::from_raw)
            .context("process id")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        while asked.elapsed() < STOP_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                return Ok((asked.elapsed(), status));
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("{} did not end within {STOP_LIMIT:?}", self.kind.name())
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_holdfast(kind: Kind, tools: &Tools, folder: &Path, store: &[&str]) -> Result<Server> {
    let program = tools.holdfast.as_deref().context("no holdfast to run")?;
    let mut command = Command::new(program);
    command.args(["serve", "--json", "--host", "127.0.0.1", "--port", "off", "--dynamodb-port", "0"]);
    command.args(["--console-port", "0", "--smtp-port", "off"]).args(store);
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file(folder)?);
    let started = Instant::now();
    let mut child = command.spawn()?;
    let output = child.stdout.take().context("no output")?;
    let (lines, first) = channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = String::new();
        if output.read_line(&mut line).is_ok() {
            // Nobody waits any more when the time for starting is over.
            let _ = lines.send(line);
        }
        // What follows is read away, so that the server never waits for this end of the pipe.
        let _ = std::io::copy(&mut output, &mut std::io::sink());
    });
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut server = Server { kind, address: nowhere, console: None, started, child };
    let line = match first.recv_timeout(START_LIMIT) {
        Ok(line) if !line.is_empty() => line,
        Ok(_) | Err(RecvTimeoutError::Disconnected) => bail!("ended at once:\n{}", log_text(folder)),
        Err(RecvTimeoutError::Timeout) => bail!("not ready within {START_LIMIT:?}:\n{}", log_text(folder)),
    };
    let ready: Ready = serde_json::from_str(&line).with_context(|| format!("not a ready line: {line}"))?;
    let address = |url: &str| url.trim_start_matches("http://").trim_end_matches('/').parse::<SocketAddr>();
    if ready.event != "ready" {
        bail!("not a ready line: {line}");
    }
    server.address =
        address(ready.dynamodb.as_deref().unwrap_or_default()).context("address in the ready line")?;
    server.console = ready.console.and_then(|url| address(&url).ok());
    Ok(server)
}

/// Starts a server that must be told a port, and asks it until it answers.
fn start_on_port(kind: Kind, tools: &Tools, folder: &Path) -> Result<Server> {
    let address = free_address()?;
    let mut command = command_with_port(kind, tools, address.port())?;
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file(folder)?);
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("starting {}", kind.name()))?;
    let mut server = Server { kind, address, console: None, started, child };
    loop {
        if call::operation(address, "ListTables", "{}").is_ok_and(|(status, _)| status == 200) {
            return Ok(server);
        }
        if let Some(status) = server.child.try_wait()? {
            bail!("{} ended with {status}:\n{}", kind.name(), log_text(folder));
        }
        if started.elapsed() > START_LIMIT {
            bail!("{} does not answer after {START_LIMIT:?}:\n{}", kind.name(), log_text(folder));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn command_with_port(kind: Kind, tools: &Tools, port: u16) -> Result<Command> {
    let port = port.to_string();
    let mut command;
    match kind {
        Kind::Dynoxide => {
            command = Command::new(tools.dynoxide.as_deref().context("no dynoxide to run")?);
            command.args(["serve", "--db-path", "dynoxide.db", "--log", "quiet", "--port", &port]);
        }
        Kind::DynamoDbLocal => {
            let jars = tools.dynamodb_local.as_deref().context("no DynamoDB Local to run")?.to_string_lossy();
            command = Command::new("java");
            command.arg(format!("-Djava.library.path={jars}")).arg(format!("-Djava.io.tmpdir={}", "."));
            command.args([
                "-cp",
                &format!("{jars}/*"),
                "software.amazon.dynamodb.services.local.main.ServerRunner",
            ]);
            command.args(["-port", &port, "-sharedDb", "-dbPath", ".", "-disableTelemetry"]);
        }
        Kind::Echo => {
            command = Command::new(tools.echo.as_deref().context("no echo to run")?);
            command.args(["--port", &port]);
        }
        Kind::Holdfast | Kind::HoldfastInMemory | Kind::HoldfastWithoutHistory => {
            bail!("{} finds its own port", kind.name())
        }
    }
    Ok(command)
}

/// A loopback address whose port nobody listens on now.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn log_file(folder: &Path) -> Result<File> {
    Ok(File::options().create(true).append(true).open(folder.join("stderr.log"))?)
}

/// The end of what the server said.
fn log_text(folder: &Path) -> String {
    let mut text = String::new();
    if let Ok(mut file) = File::open(folder.join("stderr.log")) {
        // An unreadable log only makes the message shorter.
        let _ = file.read_to_string(&mut text);
    }
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
