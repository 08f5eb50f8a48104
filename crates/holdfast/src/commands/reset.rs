//! `holdfast reset`: drops every table. What they held stays in history, if the past is kept.

use super::on_stopped;
use crate::admin::verbs::{self, WasReset};
use crate::admin::{Request, client};
use crate::banner::{self, Hinted};
use crate::config::Reset;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

/// Drops every table of the running server, or of a stopped directory.
///
/// # Errors
/// If it is not confirmed, the store refuses to open, or a step fails.
pub fn run(options: &Reset) -> anyhow::Result<()> {
    let dir = options.data_dir.absolute()?;
    if !options.yes {
        confirm(&dir)?;
    }
    let done: WasReset = match client::ask(&dir, &Request::Reset { no_archive: options.no_archive })? {
        Some(done) => serde_json::from_value(done)?,
        None => on_stopped(&dir, |store| verbs::reset(store, options.no_archive))?,
    };
    banner::done(options.json, &done, &done.to_string())
}

/// Asks on a terminal; refuses where there is nobody to ask.
fn confirm(dir: &Path) -> anyhow::Result<()> {
    let hint = "`--yes` drops them without asking.".to_owned();
    if !std::io::stdin().is_terminal() {
        let error =
            format!("`reset` drops every table in {}, and nobody is there to confirm it", dir.display());
        return Err(Hinted { error, hint }.into());
    }
    banner::ask(&format!("Drop every table in {}? Type yes: ", dir.display()));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() != "yes" {
        return Err(Hinted { error: "nothing was dropped".to_owned(), hint }.into());
    }
    Ok(())
}
