//! One file per verb.

mod serve;
mod trim;

pub use serve::Listening;

use crate::config::{Cli, Verb};

/// Runs what the command line asks for.
///
/// # Errors
/// What stops the verb; see [`banner::error`](crate::banner::error) for how it is shown.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.verb {
        Some(Verb::Serve(options)) => serve::run(&options),
        Some(Verb::Trim(options)) => trim::run(&options),
        None => serve::run(&cli.serve),
    }
}
