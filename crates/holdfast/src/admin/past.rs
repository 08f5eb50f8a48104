//! The past of an item: of a running server's store, or of a stopped one.

use crate::rfc3339;
use holdfast_dynamodb::inspect::history::{self, ItemVersion, What};
use holdfast_dynamodb::{DataSet, NamedTable};
use holdfast_store::{CommitRow, Origin, Snapshot, Version};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Most versions of an item that are told at once.
pub const VERSIONS_MAX: usize = 10_000;

/// The versions of an item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The table.
    pub table: String,
    /// The item's key.
    pub key: Value,
    /// Newest first.
    pub versions: Vec<VersionOfItem>,
    /// Whether there are older ones beyond the limit.
    pub more: bool,
    /// Above this version everything is told; what is older may be missing.
    pub complete_above: Version,
}

/// One version of an item.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionOfItem {
    /// The version.
    pub version: Version,
    /// When, as RFC 3339 in UTC. It and what follows are nothing where the commit is not kept any more.
    pub time: Option<String>,
    /// `insert`, `modify`, `remove`, `drop` (it went with its table), `write` (an insert or a modify), or `unknown`.
    pub what: String,
    /// Size in bytes as DynamoDB accounts it, if the item was there from then on and this state is kept.
    pub size: Option<u64>,
    /// Operation that did it.
    pub operation: Option<String>,
    /// `client`, `ttl`, `job`, `restore` or `system`.
    pub origin: Option<String>,
    /// Access key.
    pub principal: Option<String>,
    /// Request that did it.
    pub request_id: Option<String>,
}

/// An item as of a version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ItemThen {
    /// The table.
    pub table: String,
    /// The version.
    pub version: Version,
    /// The item, or nothing if there was none.
    pub item: Option<Value>,
}

/// Whose table is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Whose {
    /// The access key whose table it is.
    #[serde(rename = "of_key", skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The region that it is seen in.
    #[serde(rename = "of_region", skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl Whose {
    /// The table of a name. Where it is not said whose, there must be only one.
    fn table(&self, read: &Snapshot, name: &str) -> anyhow::Result<NamedTable> {
        if *self == Self::default() {
            return Ok(history::named(read, name)?);
        }
        let data_set = DataSet::isolated(self.access_key.as_deref(), self.region.as_deref());
        Ok(NamedTable { data_set, name: name.to_owned() })
    }
}

/// What is asked for with `--at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// This version.
    Version(Version),
    /// The newest version of this time or earlier, in milliseconds since 1970.
    RealMs(u64),
}

impl std::str::FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let version = text.parse().ok().map(Self::Version);
        version.or_else(|| rfc3339::read(text).map(Self::RealMs)).ok_or_else(|| {
            format!("`{text}` is neither a version nor a time such as 2026-11-24T13:05:59.123Z")
        })
    }
}

/// The versions of an item, newest first.
///
/// # Errors
/// If there is no such table, `key` is no key of it, or a read fails.
pub fn history(
    read: &Snapshot,
    whose: &Whose,
    table: &str,
    key: &str,
    limit: usize,
) -> anyhow::Result<History> {
    let found = history::of_item(read, &whose.table(read, table)?, key, limit.min(VERSIONS_MAX))?;
    Ok(History {
        table: table.to_owned(),
        key: serde_json::from_str(&found.key)?,
        versions: found.versions.iter().map(VersionOfItem::of).collect(),
        more: found.more,
        complete_above: found.horizon,
    })
}

/// An item as of a version or time.
///
/// # Errors
/// If that cannot be read any more, there was no such table, `key` is no key of it, or a read fails.
pub fn item_at(read: &Snapshot, whose: &Whose, table: &str, key: &str, at: At) -> anyhow::Result<ItemThen> {
    let version = match at {
        At::Version(version) => version,
        At::RealMs(ms) => read.version_at(ms)?,
    };
    let item = history::item_at(&read.as_of(version)?, &whose.table(read, table)?, key)?;
    let item = item.map(|item| serde_json::from_str(&item)).transpose()?;
    Ok(ItemThen { table: table.to_owned(), version, item })
}

impl VersionOfItem {
    fn of(version: &ItemVersion) -> Self {
        let what = match version.what {
            What::Insert => "insert",
            What::Modify => "modify",
            What::Remove => "remove",
            What::Drop => "drop",
            What::Write => "write",
            What::Unknown => "unknown",
        };
        let commit = version.commit.as_ref();
        let text = |of: fn(&CommitRow) -> &str| commit.map(|commit| of(commit).to_owned());
        Self {
            version: version.version,
            time: commit.map(|commit| rfc3339::write(commit.real_ms)),
            what: what.to_owned(),
            size: version.size,
            operation: text(|commit| &commit.operation),
            origin: commit.map(|commit| origin(commit.origin).to_owned()),
            principal: text(|commit| &commit.principal),
            request_id: text(|commit| &commit.request_id),
        }
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Client => "client",
        Origin::Ttl => "ttl",
        Origin::Job => "job",
        Origin::Restore => "restore",
        Origin::System => "system",
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            ["version", "time", "what", "size", "operation", "origin", "by", "request"].map(str::to_owned);
        let rows: Vec<[String; 8]> =
            std::iter::once(head).chain(self.versions.iter().map(VersionOfItem::cells)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; 8] = std::array::from_fn(width);
        for row in rows.iter().filter(|_| !self.versions.is_empty()) {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

impl History {
    /// How far the versions go back, for people.
    pub fn extent(&self) -> String {
        if self.more {
            return "There are older versions: `--limit` shows more.".to_owned();
        }
        let none = if self.versions.is_empty() { "There never was such an item. " } else { "" };
        match self.complete_above {
            0 => format!("{none}That is everything since the store was made."),
            version if self.versions.is_empty() => {
                format!(
                    "There was no such item after version {version}: what was before is not kept any more."
                )
            }
            version => {
                format!("That is everything after version {version}; of what was before, only what is kept.")
            }
        }
    }
}

impl VersionOfItem {
    fn cells(&self) -> [String; 8] {
        // Names come from clients: nothing of them may move the cursor.
        let text = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or("-");
            text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
        };
        let size = self.size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        [
            self.version.to_string(),
            text(&self.time),
            self.what.clone(),
            size,
            text(&self.operation),
            text(&self.origin),
            text(&self.principal),
            text(&self.request_id),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn versions_are_columns() {
        let newest = VersionOfItem {
            version: 12,
            time: Some(rfc3339::write(1_795_525_559_123)),
            what: "modify".to_owned(),
            size: Some(300),
            operation: Some("PutItem".to_owned()),
            origin: Some("client".to_owned()),
            principal: Some("te\u{1b}[2Jst".to_owned()),
            request_id: Some("ABC".to_owned()),
        };
        let oldest =
            VersionOfItem { version: 3, what: "write".to_owned(), size: Some(7), ..Default::default() };
        let history = History { versions: vec![newest, oldest], complete_above: 8, ..History::default() };
        expect![[r#"
            version  time                      what    size  operation  origin  by        request
            12       2026-11-24T13:05:59.123Z  modify  300   PutItem    client  te�[2Jst  ABC
            3        -                         write   7     -          -       -         -
            That is everything after version 8; of what was before, only what is kept.
        "#]]
        .assert_eq(&format!("{history}{}\n", history.extent()));
        assert_eq!(History::default().to_string(), "");
        assert!(History::default().extent().contains("never was"));
    }

    #[test]
    fn versions_and_times_are_told_apart() {
        assert_eq!("17".parse(), Ok(At::Version(17)));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(At::RealMs(1_000)));
        assert!("yesterday".parse::<At>().is_err() && "-1".parse::<At>().is_err());
    }
}
