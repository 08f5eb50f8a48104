//! What `doctor --deep` looks at: items, the rows of indexes, and counters, of a running server or of a stopped directory.

use holdfast_dynamodb::inspect::check::{self, CheckedTable, HOLD};
use holdfast_dynamodb::inspect::tokens;
use holdfast_dynamodb::{DataSet, NamedTable};
use holdfast_store::Snapshot;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::{Duration, Instant};

/// Tables that are listed at once.
const TABLES: usize = 100;
/// Findings that are kept of all tables together; of more, only how many.
const FINDINGS_MAX: usize = 1_000;
/// How often it is told how far a check is.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contents {
    /// Tables that were looked at.
    pub tables: u64,
    /// Their items.
    pub items: u64,
    /// Rows of their indexes.
    pub index_rows: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How much else is.
    pub further_findings: u64,
    /// What could not be compared, and why: nothing that is known to be wrong.
    pub notes: Vec<String>,
    /// Whether it ended before everything was looked at.
    pub interrupted: bool,
}

/// Something that is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// The table; empty if it is about the tokens of transactions.
    pub table: String,
    /// The access key whose table it is, if it is one key's only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The region that it is seen in, if it is one region's only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Its index, if it is one's.
    pub index: Option<String>,
    /// Key of the item, if it is one's.
    pub key: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl Contents {
    /// Whether everything was looked at and nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.findings.is_empty() && self.further_findings == 0 && !self.interrupted
    }

    fn add(&mut self, table: &NamedTable, checked: CheckedTable) {
        self.tables += 1;
        self.items += checked.items;
        self.index_rows += checked.rows;
        self.further_findings += checked.further_findings;
        self.interrupted |= checked.stopped;
        if let Some(why) = checked.counters_not_compared {
            self.notes.push(format!("table {table}: counters were not compared: {why}"));
        }
        for check::Finding { index, key, what } in checked.findings {
            self.find(Finding { index, key, what, ..Finding::of(table) });
        }
    }

    fn add_tokens(&mut self, data_set: &DataSet, checked: tokens::CheckedTokens) {
        self.further_findings += checked.further_findings;
        self.interrupted |= checked.stopped;
        for what in checked.findings {
            let whose = NamedTable { data_set: data_set.clone(), name: String::new() };
            self.find(Finding { what, ..Finding::of(&whose) });
        }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        } else {
            self.further_findings += 1;
        }
    }
}

impl Finding {
    /// One that does not say yet what is wrong.
    fn of(table: &NamedTable) -> Self {
        let NamedTable { data_set, name } = table;
        Self {
            table: name.clone(),
            access_key: data_set.access_key().map(str::to_owned),
            region: Some(data_set.region().to_owned()).filter(|region| !region.is_empty()),
            ..Self::default()
        }
    }

    /// Whose it is, for people, if it is not everybody's.
    fn owner(&self) -> String {
        let data_set = DataSet::isolated(self.access_key.as_deref(), self.region.as_deref());
        if data_set.is_shared() { String::new() } else { format!(" of {data_set}") }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tables, items, index_rows, .. } = self;
        writeln!(f, "looked at {items} items and {index_rows} rows of indexes, of {tables} tables")?;
        for finding in &self.findings {
            match finding.table.as_str() {
                "" => write!(f, "damage   tokens of transactions")?,
                table => write!(f, "damage   table {table}")?,
            }
            f.write_str(&finding.owner())?;
            if let Some(index) = &finding.index {
                write!(f, ", index {index}")?;
            }
            if let Some(key) = &finding.key {
                write!(f, ", item {key}")?;
            }
            writeln!(f, ": {}", finding.what)?;
        }
        if self.further_findings > 0 {
            writeln!(f, "damage   and {} more", self.further_findings)?;
        }
        for note in &self.notes {
            writeln!(f, "note     {note}")?;
        }
        if self.interrupted {
            writeln!(f, "It ended before everything was looked at.")?;
        }
        Ok(())
    }
}

/// Looks at every table, and at the tokens of transactions. `tell` is asked after every page whether to go on, and told once a second how far it
/// is.
///
/// # Errors
/// If the names of the tables, or the tokens, cannot be found because of a failed read.
pub fn check(
    newest: &dyn Fn() -> Snapshot,
    tell: &mut dyn FnMut(Option<String>) -> bool,
) -> anyhow::Result<Contents> {
    let mut contents = Contents::default();
    let mut told = Instant::now();
    let mut after: Option<NamedTable> = None;
    loop {
        let tables = check::tables(&newest(), after.as_ref(), TABLES)?;
        for table in &tables {
            let checked = check::table(newest, table, HOLD, &mut |progress| {
                if told.elapsed() < PROGRESS_EVERY {
                    return tell(None);
                }
                told = Instant::now();
                tell(Some(format!("table {table}: {} of {} rows", progress.done, progress.all)))
            });
            match checked {
                Ok(Some(checked)) => contents.add(table, checked),
                // It was deleted meanwhile.
                Ok(None) => {}
                Err(error) => {
                    let what = format!("{:#}", anyhow::Error::from(error));
                    contents.find(Finding { what, ..Finding::of(table) });
                }
            }
            if contents.interrupted {
                return Ok(contents);
            }
        }
        match tables.last() {
            Some(last) if tables.len() == TABLES => after = Some(last.clone()),
            _ => break,
        }
    }
    for data_set in tokens::data_sets(&newest())? {
        contents.add_tokens(&data_set, tokens::check(&data_set, newest, HOLD, &mut || tell(None))?);
        if contents.interrupted {
            break;
        }
    }
    Ok(contents)
}
