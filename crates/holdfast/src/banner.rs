//! What people see: the banner, and errors with a hint. Data go to stdout, messages to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place that prints")]

use crate::commands::Listening;
use crate::config::{Serve, Window};
use holdfast_store::dir::mount::Mount;
use holdfast_store::{OpenError, Store};
use std::io::Write;
use std::net::SocketAddr;

/// Shows an error and, where one is known, what helps.
pub fn error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
    if let Some(hint) = error.downcast_ref::<OpenError>().and_then(OpenError::hint) {
        eprintln!("hint: {hint}");
    }
}

/// Says that history was trimmed.
pub fn trimmed(dir: &std::path::Path, window_ms: u64) {
    eprintln!("history older than {} minutes was trimmed in {}", window_ms / 60_000, dir.display());
}

/// Says that the server is ready, where it listens and where the data are.
///
/// # Errors
/// If stdout is closed.
pub fn ready(options: &Serve, listening: &Listening, store: &Store, created: bool) -> anyhow::Result<()> {
    let url = |address: Option<SocketAddr>| address.map(|address| format!("http://{address}"));
    let dir = store.status()?.dir;
    if options.json {
        let mut line = serde_json::Map::new();
        line.insert("event".to_owned(), "ready".into());
        for (name, address) in
            [("dynamodb", listening.dynamodb), ("aws", listening.aws), ("console", listening.console)]
        {
            if let Some(url) = url(address) {
                line.insert(name.to_owned(), url.into());
            }
        }
        if let Some(dir) = &dir {
            line.insert("data_dir".to_owned(), dir.display().to_string().into());
        }
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", serde_json::Value::Object(line))?;
        out.flush()?;
    }
    eprintln!("Holdfast {}", env!("CARGO_PKG_VERSION"));
    match &dir {
        Some(dir) => {
            let mount = Mount::of(dir);
            eprintln!("  data       {} ({mount}); every answer is on disk before it is given", dir.display());
            if let Some(warning) = mount.warning() {
                eprintln!("  warning    {warning}");
            }
            if created {
                eprintln!("  new        the directory was just created: there were no data here before");
            }
        }
        None => eprintln!("  data       in memory only: everything is lost when this process ends"),
    }
    match options.history {
        Window::Keep(ms) => eprintln!("  history    {} hours", ms / 3_600_000),
        Window::Off => eprintln!("  history    off: no earlier state can be read"),
    }
    for (name, address) in
        [("dynamodb", listening.dynamodb), ("aws", listening.aws), ("console", listening.console)]
    {
        if let Some(url) = url(address) {
            eprintln!("  {name:<10} {url}");
        }
    }
    Ok(())
}
