//! `holdfast history`: the versions of an item, or the item as it was, of a running server or of a stopped directory, which
//! it only looks at.

use super::read_stopped;
use crate::admin::past::{self, ItemThen, Whose};
use crate::admin::{Request, client};
use crate::banner;
use crate::config::History;
use anyhow::bail;
use std::process::ExitCode;

/// Shows the versions, or the item. The code is 0 only if there is something to show.
///
/// # Errors
/// If the server cannot be asked, the store cannot be read, there is no such table, or the key is not one of it.
pub fn run(options: &History) -> anyhow::Result<ExitCode> {
    let dir = options.data_dir.absolute()?;
    let (table, key) = (options.table.clone(), options.key.clone());
    let whose = Whose { access_key: options.of_key.clone(), region: options.of_region.clone() };
    let request = match options.at {
        Some(at) => Request::ItemAt { table, whose, key, at },
        None => Request::History { table, whose, key, limit: options.limit as usize },
    };
    let found = match (client::ask(&dir, &request)?, request) {
        (Some(found), _) => found,
        (None, Request::ItemAt { table, whose, key, at }) => {
            serde_json::to_value(past::item_at(&read_stopped(&dir)?.snapshot(), &whose, &table, &key, at)?)?
        }
        (None, Request::History { table, whose, key, limit }) => {
            let found = past::history(&read_stopped(&dir)?.snapshot(), &whose, &table, &key, limit)?;
            serde_json::to_value(found)?
        }
        (None, other) => bail!("{other:?} does not ask for the past"),
    };
    let there = if options.at.is_some() { show_item(options, found)? } else { show(options, found)? };
    Ok(if there { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(options: &History, found: serde_json::Value) -> anyhow::Result<bool> {
    let history: past::History = serde_json::from_value(found.clone())?;
    let any = !history.versions.is_empty();
    if options.json {
        banner::data(&found.to_string())?;
        return Ok(any);
    }
    if any {
        banner::data(history.to_string().trim_end())?;
    }
    banner::note(&history.extent());
    Ok(any)
}

fn show_item(options: &History, found: serde_json::Value) -> anyhow::Result<bool> {
    let then: ItemThen = serde_json::from_value(found.clone())?;
    let there = then.item.is_some();
    match (options.json, then.item) {
        (true, _) => banner::data(&found.to_string())?,
        (false, Some(item)) => banner::data(&item.to_string())?,
        (false, None) => banner::note(&format!("there was no such item at version {}", then.version)),
    }
    Ok(there)
}
