//! The deep check of the tokens of transactions: whether rows by token and rows by time are those of each other, none is
//! before their start, and the counters are what is there.
//!
//! Like a table they are looked at page by page. The first state is held for a moment, which is all that is needed as a rule;
//! after it each page is looked at in the newest state, and counters are not compared.

use super::InspectError;
use crate::data_set::DataSet;
use crate::transaction::tokens::{self, Row};
use holdfast_state::catalog;
use holdfast_state::families::Resource;
use holdfast_state::{Space, StateError};
use holdfast_store::{Counters, Read, Snapshot};
use std::ops::Bound;
use std::time::{Duration, Instant};

/// Rows of a page.
const PAGE_ROWS: usize = 500;
/// Findings that are kept; of more, only how many.
const FINDINGS_MAX: usize = 100;

/// What a check of the tokens has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedTokens {
    /// Rows that were looked at.
    pub rows: u64,
    /// What is wrong, as sentences; at most a hundred.
    pub findings: Vec<String>,
    /// How much else is.
    pub further_findings: u64,
    /// Whether counters were compared.
    pub counters_compared: bool,
    /// Whether the check was stopped before it was done.
    pub stopped: bool,
}

/// The data sets that have tokens.
///
/// # Errors
/// If the catalog cannot be read.
pub fn data_sets(read: &Snapshot) -> Result<Vec<DataSet>, InspectError> {
    let entries = catalog::list_all_of(read, Resource::DYNAMODB_TOKENS, None, usize::MAX)?;
    Ok(entries.into_iter().map(|(key, _)| DataSet::new(&key.account, &key.region)).collect())
}

/// Checks the tokens of a data set. `newest` takes a new snapshot; `hold` is for how long the first may be held;
/// `go_on` is asked after every page.
///
/// # Errors
/// If the tokens cannot be found because of a failed read. Damage further down is a finding.
pub fn check(
    data_set: &DataSet,
    newest: &dyn Fn() -> Snapshot,
    hold: Duration,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<CheckedTokens, InspectError> {
    let mut checked = CheckedTokens::default();
    let mut state = newest();
    let Some(space) = tokens::space(&state, data_set)? else { return Ok(checked) };
    let (counters, since) = (space.counters(&state)?, Instant::now());
    let mut counted = Counters::default();
    let (mut after, mut exact) = (None::<Vec<u8>>, true);
    loop {
        if since.elapsed() >= hold {
            (state, exact) = (newest(), false);
        }
        let space = match Space::open(&state, space.id(), space.kind()) {
            // They went with a reset.
            Err(StateError::NoSuchSpace { .. }) => return Ok(checked),
            opened => opened?,
        };
        let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = 0;
        for entry in space.range(&state, from, Bound::Unbounded, false).take(PAGE_ROWS) {
            let (key, value) = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    checked.find(format!("they cannot be read further than row {}: {error}", checked.rows));
                    return Ok(checked);
                }
            };
            rows += 1;
            checked.rows += 1;
            counted.items += 1;
            counted.bytes += value.size;
            if let Some(what) = wrong(&state, space, &key, &value.payload) {
                checked.find(what);
            }
            after = Some(key.to_vec());
        }
        if rows < PAGE_ROWS {
            break;
        }
        if !go_on() {
            checked.stopped = true;
            return Ok(checked);
        }
    }
    checked.counters_compared = exact;
    if exact && counted != counters {
        checked.find(format!(
            "their counters say {} rows of {} bytes, and there are {} of {} bytes",
            counters.items, counters.bytes, counted.items, counted.bytes
        ));
    }
    Ok(checked)
}

impl CheckedTokens {
    fn find(&mut self, what: String) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(what);
        } else {
            self.further_findings += 1;
        }
    }
}

/// What is wrong with a row.
fn wrong(read: &impl Read, space: Space, key: &[u8], payload: &[u8]) -> Option<String> {
    let row = match tokens::row(key, payload) {
        Ok(row) => row,
        Err(cause) => {
            let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
            return Some(format!("the row {hex} cannot be read: {cause}"));
        }
    };
    let found = match &row {
        Row::Token { token, at_ms } => tokens::has_time(read, space, token, *at_ms).map(|has| {
            (!has).then(|| format!("token {token} was used at {at_ms}, and is not among those of that time"))
        }),
        Row::Time { token, at_ms } => tokens::times_of(read, space, token).map(|(used, start)| {
            if used != Some(*at_ms) {
                Some(format!("token {token} is among those of {at_ms}, and was not used then"))
            } else if start.is_none_or(|start| *at_ms < start) {
                Some(format!("token {token} of {at_ms} is before the start of all tokens"))
            } else {
                None
            }
        }),
        Row::Start => Ok(None),
    };
    found.unwrap_or_else(|error| Some(error.to_string()))
}
