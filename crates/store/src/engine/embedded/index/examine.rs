//! A look at the tables that a manifest names, one by one, without opening an index: for `doctor`.

use super::table::{Shelf, TableFile, file_name, parse_file_name};
use super::{IndexError, Manifest, manifest};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What was found of one table.
#[derive(Debug)]
pub(crate) struct ExaminedTable {
    /// Its file.
    pub path: PathBuf,
    /// Length in bytes, as the manifest says.
    pub len: u64,
    /// Keys in it, removals included, as the manifest says.
    pub items: u64,
    /// Whether an index could be opened on it: what stands in the middle of it may be rotten all the same.
    pub opens: bool,
    /// Whether it is what the manifest says.
    pub result: Result<(), IndexError>,
}

/// Compares every table that a manifest names with what the manifest says: existence, length, end; if `deep`, every block.
/// Changes nothing. One damaged table does not hide the next.
///
/// # Errors
/// If the manifest itself cannot be read, a sentence.
pub(crate) fn examine(
    dir: &Path,
    manifest: &Manifest,
    deep: bool,
    each: &mut dyn FnMut(ExaminedTable),
) -> Result<(), String> {
    if manifest.encoded.is_empty() {
        return Ok(());
    }
    // Small: every table is opened once, and no filter is needed.
    let shelf = Arc::new(Shelf::new(dir, 1 << 20, 4, 0));
    for (_, entry) in manifest::decode(&manifest.encoded)?.tables {
        let (path, len, items) = (dir.join(file_name(entry.id)), entry.len, entry.items);
        let opened = TableFile::open(&shelf, entry);
        let opens = opened.is_ok();
        let result = opened.and_then(|table| if deep { table.verify() } else { Ok(()) });
        each(ExaminedTable { path, len, items, opens, result });
    }
    Ok(())
}

/// Whether a file name is that of a table.
pub(crate) fn is_table(name: &str) -> bool {
    parse_file_name(name).is_some()
}
