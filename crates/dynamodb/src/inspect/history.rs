//! The versions of an item, and an item as of a version.

use super::{InspectError, key_text};
use crate::data_set::{DataSet, NamedTable};
use crate::item::json;
use crate::item::view::Item;
use crate::table::TableDefinition;
use holdfast_state::catalog;
use holdfast_state::families::{Resource, SpaceKind};
use holdfast_state::past::{self, PastSpace};
use holdfast_store::{Change, CommitRow, KeyState, Read, Snapshot, SpaceId, Version};

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It came.
    Insert,
    /// It had another value before.
    Modify,
    /// It went.
    Remove,
    /// It went with its table.
    Drop,
    /// It was written; whether there was one before is not kept any more.
    Write,
    /// It changed in a way that is not kept any more.
    Unknown,
}

/// One version of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemVersion {
    /// The version.
    pub version: Version,
    /// What happened.
    pub what: What,
    /// Size in bytes, as DynamoDB accounts it, if there was an item from then on and it is still kept.
    pub size: Option<u64>,
    /// Who did it, and when, without the keys that it touched; `None` if that is not kept any more.
    pub commit: Option<CommitRow>,
}

/// The past of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemHistory {
    /// The key as DynamoDB's JSON.
    pub key: String,
    /// Its versions, newest first.
    pub versions: Vec<ItemVersion>,
    /// Whether there are older ones beyond the limit.
    pub more: bool,
    /// Above this version everything is known; what is older may be missing.
    pub horizon: Version,
}

/// The versions of an item, newest first, at most `limit`: of the table that has the name now, and before them those of
/// tables that had it earlier, as far as the key is one of theirs.
///
/// # Errors
/// If there is no such table, the text is no key of any that had the name, or a read fails.
pub fn of_item(
    read: &Snapshot,
    table: &NamedTable,
    key: &str,
    limit: usize,
) -> Result<ItemHistory, InspectError> {
    let mut spaces: Vec<SpaceId> = Vec::new();
    let mut history: Option<ItemHistory> = None;
    let mut refused = None;
    for entry in past::of_name(read, &table.data_set.tables(), &table.name)? {
        // One entry for each definition: the same space may be there several times, with the same key.
        if spaces.contains(&entry.record.space) {
            continue;
        }
        spaces.push(entry.record.space);
        let Some(space) = PastSpace::open(read, entry.record.space, SpaceKind::DYNAMODB_TABLE)? else {
            continue;
        };
        let schema = TableDefinition::key_schema(&entry.record.definition)?;
        // A text without types may be the keys of several tables: the newest says which key is meant.
        let text = history.as_ref().map_or(key, |history| &history.key);
        let key = match key_text::read(text, &schema) {
            Ok(key) => key,
            // Tables of the name had different keys. If it is none of any, the newest table says why.
            Err(error) => {
                refused.get_or_insert(error);
                continue;
            }
        };
        let history = history.get_or_insert_with(|| ItemHistory {
            key: key.json,
            versions: Vec::new(),
            more: false,
            horizon: space.horizon(),
        });
        collect(read, &space, &key.stored, limit, history)?;
        if history.more {
            break;
        }
    }
    match (history, refused) {
        (Some(history), _) => Ok(history),
        (None, Some(error)) => Err(error.into()),
        (None, None) => Err(InspectError::NoSuchTable(table.to_string())),
    }
}

/// Appends the versions of a key in one space.
fn collect(
    read: &Snapshot,
    space: &PastSpace,
    key: &[u8],
    limit: usize,
    history: &mut ItemHistory,
) -> Result<(), InspectError> {
    let mut first = true;
    for found in space.versions_of(read, key)? {
        let found = found?;
        let was_there = matches!(found.state, KeyState::Value(_));
        if let Some(dropped) = space.record().dropped.filter(|_| first && was_there) {
            let commit = read.commit_of(dropped)?.map(without_keys);
            push(history, limit, ItemVersion { version: dropped, what: What::Drop, size: None, commit });
        }
        first = false;
        let what = match (found.change, &found.state) {
            (Some(Change::Insert), _) => What::Insert,
            (Some(Change::Modify), _) => What::Modify,
            (Some(Change::Remove), _) => What::Remove,
            (None, KeyState::Value(_)) => What::Write,
            (None, _) => What::Unknown,
        };
        let size = match &found.state {
            KeyState::Value(value) => Some(value.size),
            KeyState::Absent | KeyState::Trimmed => None,
        };
        let commit = found.commit.map(without_keys);
        push(history, limit, ItemVersion { version: found.version, what, size, commit });
        if history.more {
            break;
        }
    }
    Ok(())
}

/// A commit may have touched many keys, and changed many spaces.
fn without_keys(commit: CommitRow) -> CommitRow {
    CommitRow { touched: Vec::new(), deltas: Vec::new(), ..commit }
}

fn push(history: &mut ItemHistory, limit: usize, version: ItemVersion) {
    if history.versions.len() < limit {
        history.versions.push(version);
    } else {
        history.more = true;
    }
}

/// The table that is meant by a name alone: everybody's, if there is or was one; else the only one of that name that is there now.
///
/// # Errors
/// If several data sets have a table of that name and everybody has none, or a read fails.
pub fn named(read: &Snapshot, name: &str) -> Result<NamedTable, InspectError> {
    let of = |data_set| NamedTable { data_set, name: name.to_owned() };
    let shared = DataSet::shared();
    if !past::of_name(read, &shared.tables(), name)?.is_empty() {
        return Ok(of(shared));
    }
    let all = catalog::list_all_of(read, Resource::DYNAMODB_TABLE, None, usize::MAX)?;
    let mut found: Vec<DataSet> = all
        .into_iter()
        .filter(|(key, _)| key.name == name)
        .map(|(key, _)| DataSet::new(&key.account, &key.region))
        .collect();
    match found.len() {
        0 => Ok(of(shared)),
        1 => Ok(of(found.remove(0))),
        _ => {
            let sets: Vec<String> = found.iter().map(ToString::to_string).collect();
            Err(InspectError::ManyTables { table: name.to_owned(), data_sets: sets.join("; ") })
        }
    }
}

/// An item as DynamoDB's JSON in the state `read`; `None` if it did not exist there.
///
/// # Errors
/// If there was no such table, the text is no key of it, or a read fails.
pub fn item_at(
    read: &(impl Read + ?Sized),
    table: &NamedTable,
    key: &str,
) -> Result<Option<String>, InspectError> {
    let found = catalog::resolve(read, &table.data_set.tables(), &table.name)?;
    let (space, entry) = found
        .ok_or_else(|| InspectError::NoSuchTableThen { table: table.to_string(), version: read.version() })?;
    let schema = TableDefinition::key_schema(&entry.record.definition)?;
    let key = key_text::read(key, &schema)?;
    let Some(item) = space.get(read, &key.stored)? else { return Ok(None) };
    let mut out = Vec::with_capacity(item.payload.len() * 2);
    json::render_item(Item::new(&item.payload)?, &mut out)?;
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}
