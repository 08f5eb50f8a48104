//! One file per verb.

mod clock;
mod doctor;
mod env;
mod history;
mod reset;
mod serve;
mod status;
mod trim;

use crate::config::{Cli, Verb};
use crate::status::no_store;
use holdfast_store::dir::RefusalKind;
use holdfast_store::engine::embedded::EmbeddedOptions;
use holdfast_store::{OpenError, Options, Place, Stopped, Store};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long closing a store may take after a verb. Everything it did is durable without it.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// Runs what the command line asks for.
///
/// # Errors
/// What stops the verb; see [`banner::error`](crate::banner::error) for how it is shown.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.verb {
        Some(Verb::Serve(options)) => serve::run(&options)?,
        Some(Verb::Status(options)) => status::run(&options)?,
        Some(Verb::History(options)) => return history::run(&options),
        Some(Verb::Clock(options)) => clock::run(&options)?,
        Some(Verb::Env(options)) => env::run(&options)?,
        Some(Verb::Doctor(options)) => return doctor::run(&options),
        Some(Verb::Trim(options)) => trim::run(&options)?,
        Some(Verb::Reset(options)) => reset::run(&options)?,
        None => serve::run(&cli.serve)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the store of a stopped directory as its next start would find it; changes nothing. Servers are kept out meanwhile.
fn read_stopped(dir: &Path) -> anyhow::Result<Stopped> {
    Stopped::open(dir).map_err(|refusal| match refusal.kind {
        RefusalKind::Missing => no_store(dir).into(),
        _ => refusal.into(),
    })
}

/// Does something to the store of a stopped directory. The lock of a running server refuses this.
fn on_stopped<T>(dir: &Path, work: impl FnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut place = EmbeddedOptions::new(dir);
    // Where there is no store there is nothing to do: do not make one.
    place.require_existing = true;
    let store = Store::open(Options {
        place: Place::Directory(place),
        // Only what was asked for is done here, not what the limits of a server would.
        trimmer: false,
        switch_history: false,
        ..Options::in_memory()
    })
    .map_err(|error| match error {
        OpenError::Refused(refusal) if refusal.kind == RefusalKind::Missing => no_store(dir).into(),
        error => anyhow::Error::from(error),
    })?;
    let done = work(&store);
    store.close(CLOSE_LIMIT)?;
    done
}
