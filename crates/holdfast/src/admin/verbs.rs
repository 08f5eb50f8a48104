//! What the verbs do to a store: the same for a running server's and for one that a verb has opened itself.

use super::contents::{self, Contents};
use crate::banner::Hinted;
use anyhow::{Context as _, bail};
use holdfast_dynamodb::table::TableDefinition;
use holdfast_state::Space;
use holdfast_state::catalog::{self, CatalogKey, Scope};
use holdfast_state::families::Resource;
use holdfast_store::dir::reserve::readable;
use holdfast_store::engine::embedded::TableCondition;
use holdfast_store::{CommitInfo, Need, Operation, Origin, Read, Store, Transaction, Verdict, Version};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// Tables that one transaction of a reset drops: keeps it well under 5 ms.
const RESET_TABLES_MAX: usize = 64;

/// What a trim has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trimmed {
    /// Milliseconds of history that stay.
    pub window_ms: u64,
    /// Rows of history that went, and how many are left.
    pub rows_removed: u64,
    /// See `rows_removed`.
    pub rows: u64,
    /// Bytes of history that went, and how many are left.
    pub bytes_removed: u64,
    /// See `bytes_removed`.
    pub bytes: u64,
}

impl fmt::Display for Trimmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [removed, left] = [self.bytes_removed, self.bytes].map(readable);
        write!(f, "{} rows of history went ({removed}), {} are left ({left})", self.rows_removed, self.rows)
    }
}

/// Takes away history older than `window_ms`.
///
/// # Errors
/// If a step fails.
pub fn trim(store: &Store, window_ms: u64) -> anyhow::Result<Trimmed> {
    let before = store.status()?;
    store.trim(window_ms)?;
    let after = store.status()?;
    Ok(Trimmed {
        window_ms,
        rows_removed: before.history_rows.saturating_sub(after.history_rows),
        rows: after.history_rows,
        bytes_removed: before.history_bytes.saturating_sub(after.history_bytes),
        bytes: after.history_bytes,
    })
}

/// What a reset has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasReset {
    /// How many tables it dropped.
    pub tables: usize,
    /// Newest version before: what was there can be read as of this version, if the past is kept.
    pub version_before: Version,
    /// Newest version now.
    pub version: Version,
    /// Whether history is on.
    pub past_is_kept: bool,
}

impl fmt::Display for WasReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tables {
            0 => return f.write_str("there were no tables"),
            1 => f.write_str("1 table was dropped")?,
            tables => write!(f, "{tables} tables were dropped")?,
        }
        match self.past_is_kept {
            true => write!(
                f,
                "; version {} still has what was there, as long as history reaches",
                self.version_before
            ),
            false => write!(f, "; history is off, so nothing of it is kept"),
        }
    }
}

/// Drops every table that is there now, in as many transactions as it takes. What they held stays in history.
///
/// # Errors
/// Where no history is kept, unless that is what is wanted (`no_archive`): then nothing would be left. If a step fails;
/// tables that earlier steps dropped stay dropped.
pub fn reset(store: &Store, no_archive: bool) -> anyhow::Result<WasReset> {
    if !no_archive && !store.status()?.history {
        return Err(Hinted {
            error:
                "history is off, and this version writes no archives yet: nothing would be left of the tables"
                    .to_owned(),
            hint: "`--no-archive` drops them all the same.".to_owned(),
        }
        .into());
    }
    let version_before = store.snapshot().version();
    let mut tables = 0;
    loop {
        let (step, outcome) =
            store.execute(ResetStep { until: version_before, dropped: Dropped::default(), failed: None });
        outcome?;
        if let Some(failed) = step.failed {
            bail!("after {tables} tables were dropped: {failed}");
        }
        if step.dropped.names == 0 {
            break;
        }
        tables += step.dropped.tables;
    }
    let status = store.status()?;
    Ok(WasReset { tables, version_before, version: status.version, past_is_kept: status.history })
}

/// What one transaction of a reset has dropped.
#[derive(Default)]
struct Dropped {
    /// Names of any kind.
    names: usize,
    /// Those of tables.
    tables: usize,
}

/// Drops some tables, and what else has a name.
struct ResetStep {
    /// Tables that came later stay: who creates tables all the time cannot keep a reset busy.
    until: Version,
    dropped: Dropped,
    failed: Option<String>,
}

impl Operation for ResetStep {
    fn info(&self) -> CommitInfo {
        CommitInfo {
            origin: Origin::Client,
            service: "holdfast",
            operation: "Reset",
            principal: "admin".into(),
            ..CommitInfo::default()
        }
    }

    /// Without an archive it writes next to nothing, and is a way to free room: it runs on an almost full disk too.
    fn need(&self) -> Need {
        Need::Trim
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        (self.dropped, self.failed) = (Dropped::default(), None);
        match drop_some(tx, self.until) {
            Ok(dropped) => {
                self.dropped = dropped;
                Verdict::Keep
            }
            Err(error) => {
                self.failed = Some(format!("{error:#}"));
                Verdict::Discard
            }
        }
    }
}

fn drop_some(tx: &mut Transaction<'_>, until: Version) -> anyhow::Result<Dropped> {
    let mut entries = catalog::list_all(tx, None, usize::MAX)?;
    entries.retain(|(_, entry)| entry.since <= until);
    entries.truncate(RESET_TABLES_MAX);
    let mut dropped = Dropped { names: entries.len(), tables: 0 };
    for (key, _) in &entries {
        let CatalogKey { account, region, service, kind, name } = key;
        let known = Resource::ALL.iter().find(|known| known.service == service && known.kind == kind);
        let Some(&resource) = known else {
            bail!("this version of holdfast does not know what a {service} {kind} is: {name} stays");
        };
        let entry = catalog::remove(tx, &Scope { account, region, resource }, name)?;
        if resource == Resource::DYNAMODB_TABLE {
            dropped.tables += 1;
            let spaces = TableDefinition::derived_spaces(&entry.definition)
                .with_context(|| format!("the definition of {name} cannot be read"))?;
            for (space, kind) in spaces {
                Space::open(tx, space, kind)?.drop(tx)?;
            }
        }
    }
    Ok(dropped)
}

/// What a check of a running store's tables has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Checked {
    /// `running`.
    pub state: String,
    /// The server's data directory.
    pub data_dir: Option<PathBuf>,
    /// Whether nothing at all is wrong.
    pub healthy: bool,
    /// Files that were read whole and are right.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong; each names its file.
    pub damage: Vec<String>,
    /// Why writing has ended, if it has.
    pub writing_ended: Option<String>,
    /// Whether the server stopped before everything was checked.
    pub interrupted: bool,
    /// What `--deep` has looked at besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Contents>,
}

impl Checked {
    /// What `healthy` says.
    pub fn is_healthy(&self) -> bool {
        let contents = self.contents.as_ref().is_none_or(Contents::is_healthy);
        self.damage.is_empty() && self.writing_ended.is_none() && !self.interrupted && contents
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "the running server read {} tables, {}, that are right",
            self.files,
            readable(self.bytes)
        )?;
        for damage in &self.damage {
            writeln!(f, "damage   {damage}")?;
        }
        if let Some(reason) = &self.writing_ended {
            writeln!(f, "damage   writing has ended until the next start: {reason}")?;
        }
        if let Some(contents) = &self.contents {
            contents.fmt(f)?;
        }
        if self.interrupted {
            writeln!(f, "The server stopped before everything was read.")?;
        }
        if self.is_healthy() {
            writeln!(f, "Nothing is damaged. Its log is looked at when it is stopped.")?;
        }
        Ok(())
    }
}

/// Reads every block of every table, and if `deep`, every item and row of an index. `tell` is asked now and then whether to
/// go on, and told how far it is.
///
/// # Errors
/// If the status, or what tables there are, cannot be read.
pub fn check(
    store: &Store,
    deep: bool,
    tell: &mut dyn FnMut(Option<String>) -> bool,
) -> anyhow::Result<Checked> {
    let mut checked = Checked::default();
    store.scrub(&mut |table| {
        match &table.condition {
            TableCondition::Sound => {
                checked.files += 1;
                checked.bytes += table.bytes;
            }
            TableCondition::Damaged(cause) => {
                checked.damage.push(format!("{}: {cause}", table.file.display()))
            }
            TableCondition::Unread(cause) => {
                checked.damage.push(format!("{} could not be checked: {cause}", table.file.display()));
            }
        }
        checked.interrupted = !tell(None);
        !checked.interrupted
    });
    if deep && !checked.interrupted {
        checked.contents = Some(contents::check(&|| store.snapshot(), tell)?);
    }
    let status = store.status()?;
    checked.writing_ended = status.engine.and_then(|engine| engine.ended);
    checked.state = "running".to_owned();
    checked.data_dir = status.dir;
    checked.healthy = checked.is_healthy();
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_dynamodb::key::ScalarType;
    use holdfast_dynamodb::table::{BillingMode, IndexDefinition, IndexScope, Projection};
    use holdfast_state::families::SpaceKind;
    use holdfast_state::record::Record;
    use holdfast_store::Options;

    /// Creates tables in one transaction.
    struct Create(Vec<String>);

    impl Operation for Create {
        fn info(&self) -> CommitInfo {
            CommitInfo::default()
        }

        fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
            // What is no table goes too, and is not counted as one.
            let tokens = Scope { account: "0", region: "", resource: Resource::DYNAMODB_TOKENS };
            catalog::create(tx, &tokens, "tokens", "tokens", &[]).expect("creates");
            for name in &self.0 {
                let scope = Scope { account: "0", region: "", resource: Resource::DYNAMODB_TABLE };
                let index = Space::create(tx, SpaceKind::DYNAMODB_INDEX).expect("creates");
                catalog::create(tx, &scope, name, name, &definition(index).to_bytes()).expect("creates");
            }
            Verdict::Keep
        }
    }

    fn definition(index: Space) -> TableDefinition {
        let partition = ("pk".to_owned(), ScalarType::S);
        let keys = (vec![partition.clone()], Vec::new());
        let index = IndexDefinition {
            space: index.id(),
            ..IndexDefinition::new("index".to_owned(), IndexScope::Global, keys, Projection::All)
        };
        let billing = BillingMode::PayPerRequest;
        let created = TableDefinition::new((partition, None), String::new(), 0, billing);
        TableDefinition { indexes: vec![index], ..created }
    }

    fn store() -> Store {
        Store::open(Options { trimmer: false, ..Options::in_memory() }).expect("opens")
    }

    #[test]
    fn a_reset_drops_everything_and_leaves_the_past() {
        let store = store();
        let nothing = reset(&store, false).expect("resets");
        assert_eq!((nothing.tables, nothing.version_before, nothing.version), (0, 0, 0));
        let names: Vec<String> = (0..RESET_TABLES_MAX * 2 + 1).map(|number| format!("t{number}")).collect();
        let created = store.execute(Create(names.clone())).1.expect("commits");
        let done = reset(&store, false).expect("resets");
        let expected = WasReset {
            tables: names.len(),
            version_before: created,
            version: created + 3,
            past_is_kept: true,
        };
        assert_eq!(done, expected);
        let left = catalog::list_all(&store.snapshot(), None, 10).expect("lists");
        assert!(left.is_empty());
        let dropped = |(space, kind)| Space::open(&store.snapshot(), space, kind).is_err();
        let past = store.as_of(created).expect("the past");
        for (_, entry) in catalog::list_all_of(&past, Resource::DYNAMODB_TABLE, None, 1_000).expect("lists") {
            let spaces = TableDefinition::derived_spaces(&entry.record.definition).expect("reads");
            assert!(spaces.len() == 1 && spaces.into_iter().all(dropped));
        }
        let before = store.as_of(created).expect("the past");
        assert_eq!(catalog::list_all(&before, None, 1_000).expect("lists").len(), names.len() + 1);
        assert_eq!(before.version(), created);
        assert_eq!(store.execute(Create(names)).1.expect("commits"), created + 4);
    }

    #[test]
    fn a_trim_says_what_went() {
        let store = store();
        store.execute(Create(vec!["a".to_owned()])).1.expect("commits");
        reset(&store, false).expect("resets");
        let rows = store.status().expect("status").history_rows;
        assert!(rows > 0);
        let all = trim(&store, u64::MAX).expect("trims");
        assert_eq!((all.rows_removed, all.rows), (0, rows));
    }

    #[test]
    fn a_store_without_tables_is_healthy() {
        let expected = Checked { state: "running".to_owned(), healthy: true, ..Checked::default() };
        assert_eq!(check(&store(), false, &mut |_| true).expect("checks"), expected);
    }
}
