//! Tables in the status: counts, sizes, indexes.

use holdfast_dynamodb::{DataSet, inspect};
use holdfast_state::catalog::{self, CatalogKey};
use holdfast_state::families::Resource;
use holdfast_store::{Counters, Read, Snapshot};
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
    /// The access key whose table it is, if it is one key's only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The region that it is seen in, if it is one region's only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `CREATING`, `ACTIVE` or `DELETING`; nothing if its definition cannot be read.
    pub state: String,
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

impl TableStatus {
    /// Whose it is, for people, if it is not everybody's: ` of key KEY, region REGION`.
    pub fn owner(&self) -> String {
        let data_set = DataSet::isolated(self.access_key.as_deref(), self.region.as_deref());
        if data_set.is_shared() { String::new() } else { format!(" of {data_set}") }
    }
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
    /// That of its table.
    pub state: String,
}

/// Up to [`TABLES_MAX`] tables as they are at a service time, and whether there are more.
///
/// # Errors
/// If the names or a counter cannot be read.
pub(super) fn all(snapshot: &Snapshot, now_ms: u64) -> anyhow::Result<(Vec<TableStatus>, bool)> {
    let mut entries = catalog::list_all_of(snapshot, Resource::DYNAMODB_TABLE, None, TABLES_MAX + 1)?;
    let more = entries.len() > TABLES_MAX;
    entries.truncate(TABLES_MAX);
    let mut tables = Vec::with_capacity(entries.len());
    for (key, entry) in entries {
        let CatalogKey { account, region, service, kind, name } = key;
        let data_set = DataSet::new(&account, &region);
        let access_key = data_set.access_key().map(str::to_owned);
        let region = Some(region).filter(|region| !region.is_empty());
        let Counters { items, bytes } = snapshot.counters(entry.record.space)?;
        let mut table =
            TableStatus { service, kind, name, access_key, region, items, bytes, ..TableStatus::default() };
        let definition = &entry.record.definition;
        match inspect::state(definition, now_ms).and_then(|state| Ok((state, inspect::indexes(definition)?)))
        {
            Ok((state, indexes)) => {
                table.state = state.to_owned();
                for index in indexes {
                    let Counters { items, bytes } = snapshot.counters(index.space)?;
                    let (scope, state) = (index.scope.to_owned(), state.to_owned());
                    table.indexes.push(TableIndexStatus { name: index.name, scope, items, bytes, state });
                }
            }
            Err(error) => table.unreadable = Some(error.to_string()),
        }
        tables.push(table);
    }
    Ok((tables, more))
}
