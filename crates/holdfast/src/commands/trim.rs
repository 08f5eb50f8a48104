//! `holdfast trim`: takes away old history, to make room.

use crate::banner;
use crate::config::{Trim, Window};
use holdfast_store::engine::embedded::EmbeddedOptions;
use holdfast_store::{Options, Place, Store};
use std::time::Duration;

/// How long closing may take afterwards. Everything trimmed is durable without it.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// Trims a stopped directory. The lock of a running server refuses this, and its message says which process holds it.
///
/// # Errors
/// If the store refuses to open or a step fails.
pub fn run(options: &Trim) -> anyhow::Result<()> {
    let window_ms = match options.history {
        Window::Keep(ms) => ms,
        Window::Off => 0,
    };
    let mut place = EmbeddedOptions::new(std::path::absolute(&options.data_dir)?);
    // There is nothing to trim where there is no store: do not make one.
    place.require_existing = true;
    let store = Store::open(Options {
        place: Place::Directory(place),
        // Only what was asked for is taken away here, not what the default limits would.
        trimmer: false,
        // Whether history is kept is what the server was told, and stays.
        switch_history: false,
        ..Options::at(&options.data_dir)
    })?;
    let trimmed = store.trim(window_ms);
    store.close(CLOSE_LIMIT)?;
    trimmed?;
    banner::trimmed(&options.data_dir, window_ms);
    Ok(())
}
