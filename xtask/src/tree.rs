//! Where the repository is.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The repository's top folder.
pub fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask is not inside a repository")?.to_owned())
}
