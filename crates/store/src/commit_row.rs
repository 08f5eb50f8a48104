//! A row of `commits`: who changed what, when, and by how much.
//!
//! ```text
//! version byte 1 | varint real ms | varint service ms | varint origin | text root | text service | text operation |
//! text request id | text principal | varint count of spaces | per space: varint space, signed items, signed bytes |
//! until the end, per key: varint change (0 insert, 1 modify, 2 remove), varint space, bytes user key
//! ```
//! When every key of a row that the trimmer walked is released, the row goes; until then it is cut down to those keys.

use crate::encoding::{FieldReader, push_bytes, push_signed, push_varint};
use crate::{Origin, SpaceId};
use bytes::Bytes;

const FORMAT: u8 = 1;

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It did not exist before.
    Insert,
    /// It had another value before.
    Modify,
    /// It is gone now.
    Remove,
}

/// One key that a commit touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Its space.
    pub space: SpaceId,
    /// The user key.
    pub key: Bytes,
    /// What happened to it.
    pub change: Change,
}

/// How a commit changed the counters of one space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// The space.
    pub space: SpaceId,
    /// Change of the number of items.
    pub items: i64,
    /// Change of the sum of logical sizes in bytes.
    pub bytes: i64,
}

/// One committed operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRow {
    /// Real time in milliseconds since 1970; never less than that of the commit before.
    pub real_ms: u64,
    /// Service time in milliseconds since 1970.
    pub service_ms: u64,
    /// Who caused it.
    pub origin: Origin,
    /// Root it was made under.
    pub root: Box<str>,
    /// Service and operation, in AWS's words.
    pub service: Box<str>,
    /// See `service`.
    pub operation: Box<str>,
    /// Request id that the client was given.
    pub request_id: Box<str>,
    /// Access key or user.
    pub principal: Box<str>,
    /// Counter changes, one per space.
    pub deltas: Vec<Delta>,
    /// Keys in order.
    pub touched: Vec<Touched>,
}

impl CommitRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let keys: usize = self.touched.iter().map(|t| t.key.len() + 6).sum();
        let mut out = Vec::with_capacity(128 + keys);
        out.push(FORMAT);
        push_varint(&mut out, self.real_ms);
        push_varint(&mut out, self.service_ms);
        push_varint(&mut out, self.origin as u64);
        for text in [&self.root, &self.service, &self.operation, &self.request_id, &self.principal] {
            push_bytes(&mut out, text.as_bytes());
        }
        push_varint(&mut out, self.deltas.len() as u64);
        for delta in &self.deltas {
            push_varint(&mut out, u64::from(delta.space.0));
            push_signed(&mut out, delta.items);
            push_signed(&mut out, delta.bytes);
        }
        for touched in &self.touched {
            push_varint(&mut out, touched.change as u64);
            push_varint(&mut out, u64::from(touched.space.0));
            push_bytes(&mut out, &touched.key);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("commit", FORMAT, bytes)?;
        let space = |number: u64| u32::try_from(number).map(SpaceId).map_err(|e| e.to_string());
        let mut row = Self {
            real_ms: fields.varint()?,
            service_ms: fields.varint()?,
            origin: Origin::from_number(fields.varint()?).ok_or("a commit record has an unknown origin")?,
            root: fields.text()?,
            service: fields.text()?,
            operation: fields.text()?,
            request_id: fields.text()?,
            principal: fields.text()?,
            deltas: Vec::new(),
            touched: Vec::new(),
        };
        for _ in 0..fields.varint()? {
            row.deltas.push(Delta {
                space: space(fields.varint()?)?,
                items: fields.signed()?,
                bytes: fields.signed()?,
            });
        }
        while !fields.is_done() {
            let change = match fields.varint()? {
                0 => Change::Insert,
                1 => Change::Modify,
                2 => Change::Remove,
                other => return Err(format!("a commit record has an unknown change {other}")),
            };
            let space = space(fields.varint()?)?;
            row.touched.push(Touched { space, key: Bytes::copy_from_slice(fields.bytes()?), change });
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip() {
        let row = CommitRow {
            real_ms: 1,
            service_ms: 2,
            origin: Origin::Job,
            root: "main".into(),
            service: "dynamodb".into(),
            operation: "PutItem".into(),
            request_id: "ABC".into(),
            principal: "test".into(),
            deltas: vec![Delta { space: SpaceId(4), items: -1, bytes: 300 }],
            touched: vec![Touched {
                space: SpaceId(4),
                key: Bytes::from_static(b"k"),
                change: Change::Remove,
            }],
        };
        // Stores of format 1 exist: these bytes must be read for ever.
        let texts = b"\x04main\x08dynamodb\x07PutItem\x03ABC\x04test";
        let bytes = [&[1, 1, 2, 2][..], texts, &[1, 4, 1, 0xD8, 4], b"\x02\x04\x01k"].concat();
        assert_eq!(row.encode(), bytes);
        assert_eq!(CommitRow::decode(&row.encode()), Ok(row));
        assert!(CommitRow::decode(&[1, 2]).is_err());
    }
}
