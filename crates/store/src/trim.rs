//! Trimming and reclaiming: the only ways in which the past goes.
//!
//! Both run as operations of their own in small steps; a step raises the horizon in the same commit that releases the
//! first row below it. A row may go only if it was superseded at or before the horizon and no pin lies in
//! `[since, superseded)`.

use crate::commit_row::{Change, CommitRow, Touched};
use crate::engine::ReadError;
use crate::finish::release;
use crate::keys::{self, family};
use crate::read::{damaged, open_envelope};
use crate::records::{Pin, SpaceRecord};
use crate::transaction::Transaction;
use crate::{CommitInfo, Need, Operation, Origin, SpaceId, Value, Verdict, Version};
use bytes::Bytes;

/// Rows that one step looks at; keeps it well under 5 ms.
const STEP_ROWS_MAX: usize = 256;

/// Bytes that one step of reclaiming reads.
const STEP_BYTES_MAX: usize = 1 << 20;

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
        trim_row(tx, &pins, version, (&key, bytes.len()), row)?;
        tx.meta.horizon = tx.meta.horizon.max(version);
        tx.meta.trimmed_to = version + 1;
        if looked_at >= STEP_ROWS_MAX {
            return Ok(true);
        }
    }
    let reclaimed = reclaim(tx, &pins)?;
    Ok(reclaimed || (looked_at > 0 && taken == STEP_ROWS_MAX))
}

/// Releases what the commit of `version` superseded, as far as no pin needs it.
fn trim_row(
    tx: &mut Transaction<'_>,
    pins: &[Pin],
    version: Version,
    (key, row_bytes): (&Bytes, usize),
    mut row: CommitRow,
) -> Result<(), ReadError> {
    let mut kept: Vec<Touched> = Vec::new();
    for touched in std::mem::take(&mut row.touched) {
        if touched.change == Change::Insert {
            continue;
        }
        let history = keys::history(touched.space, &touched.key, version);
        let Some(bytes) = tx.raw_get(&history)? else { continue };
        let envelope = open_envelope(&history, &bytes)?;
        if pins.iter().any(|pin| pin.needs(touched.space, envelope.since(), version)) {
            kept.push(touched);
            continue;
        }
        remove_row(tx, history, &bytes, envelope.into_value(), true)?;
    }
    let key = Bytes::copy_from_slice(key);
    tx.meta.history_bytes = tx.meta.history_bytes.saturating_sub((key.len() + row_bytes) as u64);
    if kept.is_empty() {
        tx.raw.insert(key, None);
    } else {
        row.deltas.clear();
        row.touched = kept;
        let row = row.encode();
        tx.meta.history_bytes += (key.len() + row.len()) as u64;
        tx.raw.insert(key, Some(row.into()));
    }
    Ok(())
}

fn remove_row(
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

/// Removes rows of a dropped space that nothing can read any more. Answers whether there was work.
fn reclaim(tx: &mut Transaction<'_>, pins: &[Pin]) -> Result<bool, ReadError> {
    let Some((space, _)) = reclaimable(tx, pins)? else { return Ok(false) };
    for family in [family::CURRENT, family::HISTORY] {
        let (from, to) = keys::whole_space(family, space);
        let mut bytes = 0;
        let rows: Vec<_> = tx
            .raw_range(&from, &to, false)
            .take(STEP_ROWS_MAX)
            .take_while(|row| {
                let before = bytes;
                bytes += row.as_ref().map_or(0, |(_, value)| value.len());
                before < STEP_BYTES_MAX
            })
            .collect::<Result<_, _>>()?;
        if rows.is_empty() {
            continue;
        }
        for (key, bytes) in rows {
            let value = open_envelope(&key, &bytes)?.into_value();
            remove_row(tx, key, &bytes, value, family == family::HISTORY)?;
        }
        return Ok(true);
    }
    tx.raw.insert(keys::counters(space), None);
    tx.raw.insert(keys::spaces(space), None);
    Ok(true)
}

/// The first dropped space that lies wholly below the horizon, with no pin in its life.
fn reclaimable(tx: &Transaction<'_>, pins: &[Pin]) -> Result<Option<(SpaceId, SpaceRecord)>, ReadError> {
    let (from, to) = keys::whole(family::SPACES);
    let horizon = crate::history::horizon(&tx.meta, tx.meta.last_version());
    for row in tx.raw_range(&from, &to, false) {
        let (key, bytes) = row?;
        let record = SpaceRecord::decode(&bytes).map_err(|cause| damaged(&key, cause))?;
        let number = key[1..].try_into().map_err(|_| damaged(&key, "the key has no space".to_owned()))?;
        let space = SpaceId(u32::from_be_bytes(number));
        let Some(dropped) = record.dropped else { continue };
        let held = pins.iter().any(|pin| pin.needs(space, record.created, dropped));
        if dropped <= horizon && !held {
            return Ok(Some((space, record)));
        }
    }
    Ok(None)
}
