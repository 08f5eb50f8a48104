//! Tables in the status: counts, sizes, indexes.

use holdfast_dynamodb::inspect;
use holdfast_state::catalog::{self, CatalogKey};
use holdfast_store::{Read, Snapshot};
use serde::{Deserialize, Serialize};

/// Tables that are listed; of more, only that there are more is said.
const TABLES_MAX: usize = 1_000;

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableStatus {
    /// Service that it belongs to.
    pub service: String,
    /// What it is there.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Items in it.
    pub items: u64,
    /// Their size, as the service counts it.
    pub bytes: u64,
    /// Its secondary indexes, in the order of their names.
    pub indexes: Vec<TableIndexStatus>,
    /// Why its definition, and so its indexes, cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// A secondary index.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableIndexStatus {
    /// Its name.
    pub name: String,
    /// `global` or `local`.
    pub scope: String,
    /// Items in it.
    pub items: u64,
    /// Size of what it projects of them.
    pub bytes: u64,
    /// `ACTIVE`, or what it is becoming.
    pub state: String,
}

/// Up to [`TABLES_MAX`] tables, and whether there are more.
///
/// # Errors
/// If the names or a counter cannot be read.
pub(super) fn all(snapshot: &Snapshot) -> anyhow::Result<(Vec<TableStatus>, bool)> {
    let mut entries = catalog::list_all(snapshot, None, TABLES_MAX + 1)?;
    let more = entries.len() > TABLES_MAX;
    entries.truncate(TABLES_MAX);
    let mut tables = Vec::with_capacity(entries.len());
    for (key, entry) in entries {
        let counters = snapshot.counters(entry.record.space)?;
        let mut unreadable = None;
        let indexes = match inspect::indexes(&entry.record.definition) {
            Ok(indexes) => indexes,
            Err(error) => {
                unreadable = Some(error.to_string());
                Vec::new()
            }
        };
        let indexes = indexes.into_iter().map(|index| {
            let counters = snapshot.counters(index.space)?;
            let (name, scope, state) = (index.name, index.scope.to_owned(), index.state.to_owned());
            Ok(TableIndexStatus { name, scope, items: counters.items, bytes: counters.bytes, state })
        });
        let indexes = indexes.collect::<anyhow::Result<_>>()?;
        let CatalogKey { service, kind, name, .. } = key;
        let (items, bytes) = (counters.items, counters.bytes);
        tables.push(TableStatus { service, kind, name, items, bytes, indexes, unreadable });
    }
    Ok((tables, more))
}
