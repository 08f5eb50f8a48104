//! What people see: the banner, and errors with a hint. Data go to stdout, messages to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the one place that prints")]

use crate::about::{About, PROGRAM_VERSION, Signatures};
use crate::admin::clock::ClockStatus;
use crate::config::{Serve, Window};
use holdfast_aws::context::IsolateBy;
use holdfast_store::OpenError;
use holdfast_store::dir::Refusal;
use std::io::Write;

/// A failure that comes with what helps.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Hinted {
    /// What went wrong.
    pub error: String,
    /// What helps: a sentence or two.
    pub hint: String,
}

/// Shows an error and, where one is known, what helps.
pub fn error(error: &anyhow::Error) {
    say(&format!("error: {error:#}"));
    let of_open = || error.downcast_ref::<OpenError>().and_then(OpenError::hint);
    let of_refusal = || error.downcast_ref::<Refusal>().map(Refusal::hint);
    let of_others = || error.downcast_ref::<Hinted>().map(|hinted| hinted.hint.as_str());
    if let Some(hint) = of_open().or_else(of_refusal).or_else(of_others) {
        say(&format!("hint: {hint}"));
    }
}

/// Shows data, on stdout.
///
/// # Errors
/// If stdout is closed.
pub fn data(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// Shows what a verb has done: one JSON object on stdout, or a message.
///
/// # Errors
/// If stdout is closed.
pub fn done(json: bool, value: &impl serde::Serialize, text: &str) -> anyhow::Result<()> {
    if json {
        return data(&serde_json::to_string(value)?);
    }
    say(text);
    Ok(())
}

/// Tells what is to be known beside the data, on stderr.
pub fn note(text: &str) {
    say(text);
}

/// Asks something on the terminal.
pub fn ask(text: &str) {
    eprint!("{text}");
}

/// Says that the server is ready, where it listens and where the data are.
///
/// # Errors
/// If stdout is closed.
pub fn ready(options: &Serve, about: &About, clock: &ClockStatus, created: bool) -> anyhow::Result<()> {
    let dir = about.data.data_dir.as_deref();
    if options.json {
        let mut line = serde_json::Map::new();
        line.insert("event".to_owned(), "ready".into());
        line.extend(about.listening.urls().map(|(name, url)| (name.to_owned(), url.into())));
        if let Some(dir) = dir {
            line.insert("data_dir".to_owned(), dir.display().to_string().into());
        }
        data(&serde_json::Value::Object(line).to_string())?;
    }
    say(&format!("Holdfast {PROGRAM_VERSION}"));
    let line = |name: &str, text: &str| say(&format!("  {name:<10} {text}"));
    match dir {
        Some(dir) => {
            let mount = about.data.mount.as_deref().unwrap_or("unknown file system");
            line("data", &format!("{} ({mount}); {}", dir.display(), about.data.durability));
        }
        None => line("data", &about.data.durability),
    }
    if let Some(warning) = &about.data.warning {
        line("warning", warning);
    }
    if !clock.is_real() {
        line("clock", &format!("{clock}; `holdfast clock resume --real` ends that"));
    }
    if created {
        line("new", "the directory was just created: there were no data here before");
    }
    match options.history {
        Window::Keep(ms) => line("history", &crate::status::time(ms / 1_000)),
        Window::Off => line("history", "off: no earlier state can be read"),
    }
    match about.signatures {
        Signatures::Any => {}
        Signatures::Test => line("signatures", "checked; the key `test` with the secret `test` is known"),
        Signatures::OwnKeys => line("signatures", "checked against the keys that were given"),
    }
    if about.isolate_by != IsolateBy::default() {
        line("tables", &format!("{} has its own", crate::status::separated(about.isolate_by)));
    }
    if !about.unavailable.is_empty() {
        let names = about.unavailable.join(", ");
        line("missing", &format!("{names}: not in this version, each call is refused"));
    }
    about.listening.urls().for_each(|(name, url)| line(name, &url));
    Ok(())
}

/// Prints a line on stderr. Nobody reads it where stderr is closed: no reason to end.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
