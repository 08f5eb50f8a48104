//! What an operation leaves behind when it ends: current rows, history rows, counters, blob references, its `commits` row.

use crate::commit_row::{Change, CommitRow, Delta, Touched};
use crate::engine::ReadError;
use crate::envelope::{self, Envelope};
use crate::keys;
use crate::overlay::Staged;
use crate::read::{damaged, open_envelope};
use crate::records::{BlobRecord, Meta, Pin};
use crate::transaction::{NewValue, Transaction};
use crate::{BlobId, CommitInfo, Counters, Read, SpaceId, Value, Version};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Engine writes of one operation.
pub(crate) struct Effects {
    pub(crate) writes: Vec<(Bytes, Option<Bytes>)>,
    pub(crate) meta: Meta,
    /// The version it got, or the last one before it if it changed nothing.
    pub(crate) version: Version,
}

/// Computes what `tx` leaves behind.
///
/// An operation that changes no bytes leaves nothing, and gets no version.
pub(crate) fn finish(
    tx: &mut Transaction<'_>,
    info: &CommitInfo,
    pins: &[Pin],
    real_ms: u64,
) -> Result<Effects, ReadError> {
    let version = tx.meta.next_version;
    let structural = tx.changes_structure();
    let mut finisher = Finisher {
        version,
        writes: Vec::with_capacity(tx.items.len() * 2 + tx.raw.len() + 4),
        deltas: BTreeMap::new(),
        references: BTreeMap::new(),
        touched: Vec::new(),
        history: (0, 0),
    };
    // A pin that this very operation made holds what the operation overwrites.
    let pins_changed = tx.raw.keys().any(|key| key[0] == keys::family::PINS);
    let own_pins: Vec<Pin>;
    let pins = if pins_changed {
        own_pins = tx.pins()?.into_iter().map(|(_, pin)| pin).collect();
        &own_pins
    } else {
        pins
    };
    let items = std::mem::take(&mut tx.items);
    for (key, new) in items {
        finisher.item(tx, pins, key, new)?;
    }
    let clock_changed = tx.changes_clock();
    // A step of a job that moved its cursor and nothing else: no permitted read can see a change.
    let cursors = |raw: &Staged| raw.keys().all(|key| key[0] == keys::family::JOBS);
    let seen = !finisher.writes.is_empty() || clock_changed || !cursors(&tx.raw);
    if finisher.writes.is_empty() && tx.raw.is_empty() && !clock_changed {
        let meta = tx.meta.clone();
        return Ok(Effects { writes: Vec::new(), version: meta.last_version(), meta });
    }
    finisher.counters(tx)?;
    finisher.blobs(tx)?;
    let mut meta = tx.meta.clone();
    meta.history_bytes += finisher.history.0;
    meta.history_rows += finisher.history.1;
    meta.real_ms = meta.real_ms.max(real_ms);
    // What has no version (reclaiming a dropped space) changes nothing that a name leads to.
    if structural && tx.versioned && seen {
        meta.structure = version;
    }
    if tx.versioned && seen {
        meta.next_version += 1;
        let row = finisher.commit_row(info, meta.real_ms, tx.service_ms).encode();
        let key = keys::commits(version);
        meta.history_bytes += (key.len() + row.len()) as u64;
        finisher.writes.push((key, Some(row.into())));
    } else {
        assert!(finisher.touched.is_empty(), "only operations with a version change what a read can see");
    }
    finisher.writes.extend(std::mem::take(&mut tx.raw));
    let version = meta.last_version();
    Ok(Effects { writes: finisher.writes, meta, version })
}

struct Finisher {
    version: Version,
    writes: Vec<(Bytes, Option<Bytes>)>,
    deltas: BTreeMap<SpaceId, Delta>,
    references: BTreeMap<BlobId, i64>,
    touched: Vec<Touched>,
    /// Bytes and rows added to `history`.
    history: (u64, u64),
}

impl Finisher {
    fn item(
        &mut self,
        tx: &Transaction<'_>,
        pins: &[Pin],
        key: Bytes,
        new: Option<NewValue>,
    ) -> Result<(), ReadError> {
        let before = tx.base.get(&key)?;
        let old = match &before {
            Some(bytes) => Some(open_envelope(&key, bytes)?),
            None => None,
        };
        let old_value = match &old {
            Some(Envelope::Value(value)) => Some(value),
            _ => None,
        };
        if is_same(old_value, new.as_ref()) {
            return Ok(());
        }
        let (space, user_key, _) =
            keys::split(&key).ok_or_else(|| damaged(&key, "the key cannot be taken apart".to_owned()))?;
        let change = match (old_value, &new) {
            (None, _) => Change::Insert,
            (Some(_), Some(_)) => Change::Modify,
            (Some(_), None) => Change::Remove,
        };
        let delta = self.deltas.entry(space).or_insert(Delta { space, items: 0, bytes: 0 });
        if let Some(value) = old_value {
            delta.items -= 1;
            delta.bytes -= value.size as i64;
        }
        if let Some(value) = &new {
            delta.items += 1;
            delta.bytes += value.size as i64;
        }
        if let (Some(bytes), Some(old)) = (&before, &old) {
            self.supersede(tx, pins, space, &user_key, bytes, old)?;
        }
        let row = new.map(|value| {
            for blob in &value.blobs {
                *self.references.entry(*blob).or_default() += 1;
            }
            envelope::encode(self.version, value.size, &value.blobs, &value.payload)
        });
        self.touched.push(Touched { space, key: user_key.into(), change });
        self.writes.push((key, row));
        Ok(())
    }

    /// Moves the old value into `history`, if history is kept or something holds that state.
    fn supersede(
        &mut self,
        tx: &Transaction<'_>,
        pins: &[Pin],
        space: SpaceId,
        user_key: &[u8],
        bytes: &Bytes,
        old: &Envelope,
    ) -> Result<(), ReadError> {
        let pinned = || pins.iter().any(|pin| pin.needs(space, old.since(), self.version));
        let retained =
            || Ok::<_, ReadError>(tx.space(space)?.is_some_and(|record| record.retention_ms.is_some()));
        if !tx.meta.history_off || pinned() || retained()? {
            // A value read from a table is a window into its whole block: staging the window would keep the block.
            let key = keys::history(space, user_key, self.version);
            self.history.0 += (key.len() + bytes.len()) as u64;
            self.history.1 += 1;
            self.writes.push((key, Some(Bytes::copy_from_slice(bytes))));
        } else if let Envelope::Value(value) = old {
            for blob in &value.blobs {
                *self.references.entry(*blob).or_default() -= 1;
            }
        }
        Ok(())
    }

    fn counters(&mut self, tx: &Transaction<'_>) -> Result<(), ReadError> {
        self.deltas.retain(|_, delta| delta.items != 0 || delta.bytes != 0);
        for delta in self.deltas.values() {
            let key = keys::counters(delta.space);
            let before = match tx.base.get(&key)? {
                Some(bytes) => Counters::decode(&bytes).map_err(|cause| damaged(&key, cause))?,
                None => Counters::default(),
            };
            let apply = |count: u64, by: i64| {
                count
                    .checked_add_signed(by)
                    .ok_or_else(|| damaged(&key, format!("{count} cannot change by {by}")))
            };
            let after = Counters {
                items: apply(before.items, delta.items)?,
                bytes: apply(before.bytes, delta.bytes)?,
            };
            self.writes.push((key, Some(after.encode().into())));
        }
        Ok(())
    }

    /// Keeps the number of references of each blob that a stored row gained or lost; one without any becomes garbage.
    fn blobs(&mut self, tx: &mut Transaction<'_>) -> Result<(), ReadError> {
        for (key, row) in tx.raw.range(keys::blobs(BlobId { epoch: 0, counter: 0 })..) {
            if key[0] != keys::family::BLOBS {
                break;
            }
            if row.is_none() {
                // Trimming released its last reference: it is garbage already.
                continue;
            }
            let number = |range: std::ops::Range<usize>| keys::version(&key[range]).unwrap_or_default();
            self.references.entry(BlobId { epoch: number(1..9), counter: number(9..17) }).or_default();
        }
        for (blob, change) in std::mem::take(&mut self.references) {
            let Some(record) = tx.blob(blob)? else {
                return Err(damaged(
                    &keys::blobs(blob),
                    "a stored value names a blob that is not known".to_owned(),
                ));
            };
            release(&mut tx.raw, blob, record, change)?;
        }
        Ok(())
    }

    fn commit_row(&mut self, info: &CommitInfo, real_ms: u64, service_ms: u64) -> CommitRow {
        CommitRow {
            real_ms,
            service_ms,
            origin: info.origin,
            root: "main".into(),
            service: info.service.into(),
            operation: info.operation.into(),
            request_id: info.request_id.clone(),
            principal: info.principal.clone(),
            deltas: self.deltas.values().copied().collect(),
            touched: std::mem::take(&mut self.touched),
        }
    }
}

/// Changes a blob's number of references by `change`, in `raw`.
pub(crate) fn release(
    raw: &mut crate::overlay::Staged,
    blob: BlobId,
    mut record: BlobRecord,
    change: i64,
) -> Result<(), ReadError> {
    record.references = record.references.checked_add_signed(change).ok_or_else(|| {
        damaged(&keys::blobs(blob), format!("{} references cannot change by {change}", record.references))
    })?;
    if record.references == 0 {
        raw.insert(keys::blobs(blob), None);
        raw.insert(keys::garbage(blob), Some(Bytes::new()));
    } else {
        raw.insert(keys::blobs(blob), Some(record.encode().into()));
    }
    Ok(())
}

fn is_same(old: Option<&Value>, new: Option<&NewValue>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            old.payload == new.payload && old.size == new.size && old.blobs == new.blobs
        }
        _ => false,
    }
}
