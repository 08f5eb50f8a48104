//! `holdfast status`: what there is to know of a running server, or of a stopped directory, which it only looks at.

use crate::admin::{Request, client};
use crate::banner;
use crate::config::Status;
use crate::status;

/// Shows the status.
///
/// # Errors
/// If the server cannot be asked, or the directory holds no store that can be read.
pub fn run(options: &Status) -> anyhow::Result<()> {
    let dir = options.data_dir.absolute()?;
    let value = match client::ask(&dir, &Request::Status)? {
        Some(value) => value,
        None => serde_json::to_value(status::of_directory(&dir)?)?,
    };
    if options.json {
        return banner::data(&value.to_string());
    }
    let status: status::Status = serde_json::from_value(value)?;
    banner::data(status.to_string().trim_end())
}
