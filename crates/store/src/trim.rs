//! Trimming: together with reclaiming (see [`jobs::reclaim`](crate::jobs)) the only way in which the past goes.
//!
//! It runs in small steps, operations of their own; a step raises the horizon in the same commit that releases the first
//! row below it. A row may go only if it was superseded at or before the horizon and no pin lies in `[since, superseded)`.
//!
//! There is one horizon for all spaces, and one for each space that has a history window of its own, longer (then it is held
//! back beyond everybody's limits, also with history off) or shorter.

use crate::commit_row::{Change, CommitRow, Touched};
use crate::engine::ReadError;
use crate::finish::release;
use crate::keys::{self, family};
use crate::read::{damaged, open_envelope};
use crate::records::Pin;
use crate::transaction::Transaction;
use crate::{CommitInfo, Need, Operation, Origin, Read, Snapshot, SpaceId, Value, Verdict, Version};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Rows that one step looks at; keeps it well under 5 ms.
const STEP_ROWS_MAX: usize = 256;

/// How much of the past is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryLimits {
    /// Commits older than this are outside the window, in milliseconds of real time.
    pub window_ms: u64,
    /// History beyond this many bytes is trimmed, oldest first.
    pub bytes_max: u64,
}

/// One step of trimming.
#[derive(Debug)]
pub(crate) struct TrimStep {
    pub(crate) now_ms: u64,
    pub(crate) limits: HistoryLimits,
    /// Whether another step would find work.
    pub(crate) more: bool,
    pub(crate) failed: Option<String>,
}

impl Operation for TrimStep {
    fn info(&self) -> CommitInfo {
        CommitInfo { origin: Origin::Job, service: "store", operation: "trim", ..CommitInfo::default() }
    }

    fn need(&self) -> Need {
        Need::Trim
    }

    fn versioned(&self) -> bool {
        false
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        (self.more, self.failed) = (false, None);
        match step(tx, self.now_ms, self.limits) {
            Ok(more) => {
                self.more = more;
                Verdict::Keep
            }
            Err(error) => {
                self.failed = Some(error.to_string());
                Verdict::Discard
            }
        }
    }
}

fn step(tx: &mut Transaction<'_>, now_ms: u64, limits: HistoryLimits) -> Result<bool, ReadError> {
    let pins: Vec<Pin> = tx.pins()?.into_iter().map(|(_, pin)| pin).collect();
    let mut own_horizons = BTreeMap::new();
    let mut looked_at = 0;
    let from = keys::commits(tx.meta.trimmed_to);
    let (_, to) = keys::whole(family::COMMITS);
    let rows: Vec<_> = tx.raw_range(&from, &to, false).take(STEP_ROWS_MAX).collect();
    let taken = rows.len();
    let oldest_kept_ms = now_ms.saturating_sub(limits.window_ms);
    for row in rows {
        let (key, bytes) = row?;
        let version =
            keys::version(&key[1..]).ok_or_else(|| damaged(&key, "the key has no version".to_owned()))?;
        let row = CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
        // With history off nothing but pins holds anything; the horizon is the newest version anyway.
        let outside =
            row.real_ms < oldest_kept_ms || tx.meta.history_bytes > limits.bytes_max || tx.meta.history_off;
        if !outside || version > tx.meta.last_version() {
            break;
        }
        looked_at += 1 + row.touched.len();
        if version > tx.meta.horizon {
            forget_horizon(tx)?;
            tx.meta.horizon = version;
        }
        trim_row(tx, &pins, &mut own_horizons, version, (&key, bytes.len()), row)?;
        tx.meta.trimmed_to = version + 1;
        if looked_at >= STEP_ROWS_MAX {
            return Ok(true);
        }
    }
    Ok(looked_at > 0 && taken == STEP_ROWS_MAX)
}

/// Takes away the commit of the horizon, before that moves on, if it holds nothing any more.
fn forget_horizon(tx: &mut Transaction<'_>) -> Result<(), ReadError> {
    let key = keys::commits(tx.meta.horizon);
    let Some(bytes) = tx.raw_get(&key)? else { return Ok(()) };
    let row = CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
    // A row that was not walked yet is not the trimmer's to take away: the horizon was moved past it.
    if row.touched.is_empty() && tx.meta.horizon < tx.meta.trimmed_to {
        replace_commit(tx, &key, bytes.len(), None);
    }
    Ok(())
}

/// What stays of a commit that was walked: nothing if it holds nothing, unless the horizon is there. Then it tells from when
/// on the oldest readable state was the state.
fn rest_of(tx: &Transaction<'_>, version: Version, row: &CommitRow) -> Option<Vec<u8>> {
    (!row.touched.is_empty() || version == tx.meta.horizon).then(|| row.encode())
}

/// Releases what the commit of `version` superseded, as far as no pin needs it.
fn trim_row(
    tx: &mut Transaction<'_>,
    pins: &[Pin],
    own_horizons: &mut BTreeMap<SpaceId, Option<Version>>,
    version: Version,
    (key, row_bytes): (&Bytes, usize),
    mut row: CommitRow,
) -> Result<(), ReadError> {
    let mut kept: Vec<Touched> = Vec::new();
    for touched in std::mem::take(&mut row.touched) {
        let own = match own_horizons.get(&touched.space) {
            Some(own) => *own,
            None => {
                let record = tx.space(touched.space)?.filter(|record| record.retention_ms.is_some());
                let own = record.map(|record| record.horizon);
                own_horizons.insert(touched.space, own);
                own
            }
        };
        // Above its own horizon a space with its own window is trimmed by that alone.
        let held = own.is_some_and(|horizon| version > horizon) && touched.change != Change::Insert;
        if held || !release_superseded(tx, pins, &touched, version)? {
            kept.push(touched);
        }
    }
    row.deltas.clear();
    row.touched = kept;
    let rest = rest_of(tx, version, &row);
    replace_commit(tx, key, row_bytes, rest);
    Ok(())
}

/// Puts what is left of a `commits` row in its place.
fn replace_commit(tx: &mut Transaction<'_>, key: &Bytes, bytes_before: usize, rest: Option<Vec<u8>>) {
    // A key read from a table is a window into its whole block: staging the window would keep the block.
    let key = Bytes::copy_from_slice(key);
    tx.meta.history_bytes = tx.meta.history_bytes.saturating_sub((key.len() + bytes_before) as u64);
    if let Some(row) = &rest {
        tx.meta.history_bytes += (key.len() + row.len()) as u64;
    }
    tx.raw.insert(key, rest.map(Into::into));
}

/// Takes away a row of `current` or `history`, and its blobs' references.
pub(crate) fn remove_row(
    tx: &mut Transaction<'_>,
    key: Bytes,
    bytes: &Bytes,
    value: Option<Value>,
    history: bool,
) -> Result<(), ReadError> {
    // A key read from a table is a window into its whole block: staging the window would keep the block.
    let key = Bytes::copy_from_slice(&key);
    for blob in value.map(|value| value.blobs).unwrap_or_default() {
        if let Some(record) = tx.blob(blob)? {
            release(&mut tx.raw, blob, record, -1)?;
        }
    }
    if history {
        tx.meta.history_bytes = tx.meta.history_bytes.saturating_sub((key.len() + bytes.len()) as u64);
        tx.meta.history_rows = tx.meta.history_rows.saturating_sub(1);
    }
    tx.raw.insert(key, None);
    Ok(())
}

/// One step of trimming a space that has a history window of its own, longer or shorter than everybody else's.
///
/// Its horizon is its cursor: what was superseded up to there is gone, as far as no pin holds it.
#[derive(Debug)]
pub(crate) struct RetentionStep {
    pub(crate) space: SpaceId,
    pub(crate) now_ms: u64,
    pub(crate) failed: Option<String>,
}

impl Operation for RetentionStep {
    fn info(&self) -> CommitInfo {
        CommitInfo { origin: Origin::Job, service: "store", operation: "trim", ..CommitInfo::default() }
    }

    fn need(&self) -> Need {
        Need::Trim
    }

    fn versioned(&self) -> bool {
        false
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
        self.failed = retention_step(tx, self.space, self.now_ms).err().map(|error| error.to_string());
        if self.failed.is_none() { Verdict::Keep } else { Verdict::Discard }
    }
}

fn retention_step(tx: &mut Transaction<'_>, space: SpaceId, now_ms: u64) -> Result<(), ReadError> {
    let Some(mut record) = tx.space(space)? else { return Ok(()) };
    let Some(retention_ms) = record.retention_ms else { return Ok(()) };
    let pins: Vec<Pin> = tx.pins()?.into_iter().map(|(_, pin)| pin).collect();
    let from = keys::commits(record.horizon + 1);
    let (_, to) = keys::whole(family::COMMITS);
    let rows: Vec<_> = tx.raw_range(&from, &to, false).take(STEP_ROWS_MAX).collect();
    let oldest_kept_ms = now_ms.saturating_sub(retention_ms);
    let mut looked_at = 0;
    let mut more = rows.len() == STEP_ROWS_MAX;
    for row in rows {
        let (key, bytes) = row?;
        let version =
            keys::version(&key[1..]).ok_or_else(|| damaged(&key, "the key has no version".to_owned()))?;
        let row = CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
        if row.real_ms >= oldest_kept_ms {
            more = false;
            break;
        }
        if looked_at >= STEP_ROWS_MAX {
            more = true;
            break;
        }
        looked_at += 1 + row.touched.len();
        release_of(tx, &pins, space, version, (&key, bytes.len()), row)?;
        record.horizon = version;
    }
    if let Some(dropped) = record.dropped {
        // The commit that dropped it names no key of it, so that it may be gone: the time is noted here instead.
        let dropped_ms = *record.dropped_ms.get_or_insert(now_ms);
        if dropped_ms < oldest_kept_ms && !more {
            record.horizon = record.horizon.max(dropped);
        }
    }
    tx.raw.insert(keys::spaces(space), Some(record.encode().into()));
    Ok(())
}

/// Releases what the commit of `version` superseded in one space, as far as no pin needs it.
fn release_of(
    tx: &mut Transaction<'_>,
    pins: &[Pin],
    space: SpaceId,
    version: Version,
    (key, row_bytes): (&Bytes, usize),
    mut row: CommitRow,
) -> Result<(), ReadError> {
    let before = row.touched.len();
    let mut kept = Vec::with_capacity(before);
    for touched in std::mem::take(&mut row.touched) {
        if touched.space != space || !release_superseded(tx, pins, &touched, version)? {
            kept.push(touched);
        }
    }
    // Below `trimmed_to` a row is there only for what it still holds; above, it still tells what happened.
    if version < tx.meta.trimmed_to && kept.len() < before {
        row.touched = kept;
        let rest = rest_of(tx, version, &row);
        replace_commit(tx, key, row_bytes, rest);
    }
    Ok(())
}

/// Takes away what a commit superseded of one key, unless a pin needs it. Answers whether nothing is left of it.
fn release_superseded(
    tx: &mut Transaction<'_>,
    pins: &[Pin],
    touched: &Touched,
    version: Version,
) -> Result<bool, ReadError> {
    if touched.change == Change::Insert {
        return Ok(true);
    }
    let history = keys::history(touched.space, &touched.key, version);
    let Some(bytes) = tx.raw_get(&history)? else { return Ok(true) };
    let envelope = open_envelope(&history, &bytes)?;
    if pins.iter().any(|pin| pin.needs(touched.space, envelope.since(), version)) {
        return Ok(false);
    }
    remove_row(tx, history, &bytes, envelope.into_value(), true)?;
    Ok(true)
}

/// The first of these spaces, each with its own window, that has history outside of that window.
pub(crate) fn retention_due(
    snapshot: &Snapshot,
    retained: &[(SpaceId, u64)],
    now_ms: u64,
) -> Result<Option<SpaceId>, ReadError> {
    let (_, to) = keys::whole(family::COMMITS);
    for (space, retention_ms) in retained {
        let Some(record) = snapshot.space(*space)? else { continue };
        let oldest_kept_ms = now_ms.saturating_sub(*retention_ms);
        if let Some(dropped) = record.dropped
            && record.dropped_ms.is_none_or(|ms| ms < oldest_kept_ms && record.horizon < dropped)
        {
            return Ok(Some(*space));
        }
        let from = keys::commits(record.horizon + 1);
        let mut rows = snapshot.view().range(Bound::Included(&from), Bound::Excluded(&to));
        let Some((key, bytes)) = rows.next().transpose()? else { continue };
        let row = CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
        if row.real_ms < oldest_kept_ms {
            return Ok(Some(*space));
        }
    }
    Ok(None)
}

/// Whether the oldest commit is outside the limits.
pub(crate) fn is_due(snapshot: &Snapshot, limits: HistoryLimits, now_ms: u64) -> Result<bool, ReadError> {
    let meta = snapshot.meta()?;
    if meta.trimmed_to > meta.last_version() {
        return Ok(false);
    }
    let from = keys::commits(meta.trimmed_to);
    let (_, to) = keys::whole(family::COMMITS);
    let first = snapshot.view().range(Bound::Included(&from), Bound::Excluded(&to)).next();
    let Some((key, bytes)) = first.transpose()? else { return Ok(false) };
    let row = CommitRow::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
    let oldest_kept_ms = now_ms.saturating_sub(limits.window_ms);
    Ok(row.real_ms < oldest_kept_ms || meta.history_bytes > limits.bytes_max || meta.history_off)
}
