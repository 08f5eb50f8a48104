//! `holdfast trim`: takes away old history, to make room.

use super::on_stopped;
use crate::admin::verbs::{self, Trimmed};
use crate::admin::{Request, client};
use crate::banner;
use crate::config::{Trim, Window};

/// Trims the running server's history, or that of a stopped directory.
///
/// # Errors
/// If the store refuses to open or a step fails.
pub fn run(options: &Trim) -> anyhow::Result<()> {
    let window_ms = match options.history {
        Window::Keep(ms) => ms,
        Window::Off => 0,
    };
    let dir = options.data_dir.absolute()?;
    let trimmed: Trimmed = match client::ask(&dir, &Request::Trim { window_ms })? {
        Some(done) => serde_json::from_value(done)?,
        None => on_stopped(&dir, |store| verbs::trim(store, window_ms))?,
    };
    banner::done(options.json, &trimmed, &trimmed.to_string())
}
