//! The store's own records: `meta`, spaces, pins, counters, blobs. Each starts with a version byte.

use crate::encoding::{FieldReader, push_bytes, push_varint};
use crate::{Counters, SpaceId, Version};

const META: u8 = 1;
const SPACE: u8 = 1;
const PIN: u8 = 1;
const COUNTERS: u8 = 1;
const BLOB: u8 = 1;

/// The one row of family `meta`. Numbers in it only grow, but for the service clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Meta {
    /// Version that the next operation gets.
    pub next_version: Version,
    pub next_space: u32,
    pub next_pin: u64,
    /// Number of this start; committed before first use.
    pub epoch: u64,
    /// Highest epoch whose orphaned blob files were swept.
    pub swept_epoch: u64,
    /// Real time of the newest commit, milliseconds since 1970: never goes back.
    pub real_ms: u64,
    /// Oldest version that can be read, in every space that has no later horizon of its own.
    pub horizon: Version,
    /// Bytes of keys and values in `history` and `commits`, and the number of rows in `history`.
    pub history_bytes: u64,
    pub history_rows: u64,
    /// Commits rows below this version were walked by the trimmer already: what remains of them is pinned, or
    /// the horizon's own, which keeps its time.
    pub trimmed_to: Version,
    /// Whether history is off: then the horizon of what nothing holds is always now.
    pub history_off: bool,
    pub clock: ServiceClock,
    /// Version of the last change of a name, a root or a space; see [`Structure`](crate::Structure).
    pub structure: Version,
    /// Id that the next job gets.
    pub next_job: u64,
}

/// How the service clock differs from the real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServiceClock {
    /// Frozen at this time (milliseconds since 1970), if frozen.
    pub frozen_ms: Option<u64>,
    /// Otherwise this many milliseconds ahead of the real clock.
    pub ahead_ms: i64,
}

impl ServiceClock {
    /// Service time at a real time, both in milliseconds since 1970.
    #[must_use]
    pub fn at(self, real_ms: u64) -> u64 {
        self.frozen_ms.unwrap_or_else(|| real_ms.saturating_add_signed(self.ahead_ms))
    }
}

impl Meta {
    pub(crate) fn new() -> Self {
        Self { next_version: 1, next_space: 1, next_pin: 1, next_job: 1, ..Self::default() }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![META];
        for number in [
            self.next_version,
            u64::from(self.next_space),
            self.next_pin,
            self.epoch,
            self.swept_epoch,
            self.real_ms,
            self.horizon,
            self.history_bytes,
            self.history_rows,
            self.trimmed_to,
            u64::from(self.history_off),
            self.clock.frozen_ms.map_or(0, |ms| ms + 1),
            self.structure,
            self.next_job,
        ] {
            push_varint(&mut out, number);
        }
        crate::encoding::push_signed(&mut out, self.clock.ahead_ms);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("meta", META, bytes)?;
        let mut meta = Self {
            next_version: fields.varint()?,
            next_space: u32::try_from(fields.varint()?).map_err(|e| e.to_string())?,
            next_pin: fields.varint()?,
            epoch: fields.varint()?,
            swept_epoch: fields.varint()?,
            real_ms: fields.varint()?,
            horizon: fields.varint()?,
            history_bytes: fields.varint()?,
            history_rows: fields.varint()?,
            trimmed_to: fields.varint()?,
            history_off: fields.varint()? == 1,
            clock: ServiceClock { frozen_ms: fields.varint()?.checked_sub(1), ahead_ms: 0 },
            structure: fields.varint()?,
            next_job: fields.varint()?,
        };
        meta.clock.ahead_ms = fields.signed()?;
        fields.done()?;
        Ok(meta)
    }

    /// The last version that was given out.
    pub(crate) fn last_version(&self) -> Version {
        self.next_version - 1
    }
}

/// What is known of a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceRecord {
    /// Version that created it.
    pub created: Version,
    /// Version that dropped it, if it was dropped: readable for versions in `[created, dropped)`.
    pub dropped: Option<Version>,
    /// First version from which its contents are complete (a restored space starts late).
    pub complete_from: Version,
    /// What the layer above keeps in it; see the registry in the state crate.
    pub kind: u16,
    /// Its own horizon, if later than the global one.
    pub horizon: Version,
    /// Its own history window in milliseconds, if it has one.
    pub retention_ms: Option<u64>,
    /// When the trimmer saw that it was dropped, in milliseconds since 1970, if it has a window of its own: what is left of it
    /// is kept that much longer.
    pub dropped_ms: Option<u64>,
    /// The space and version that it was derived from; not used yet.
    pub derived_from: Option<(SpaceId, Version)>,
}

impl SpaceRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![SPACE];
        push_varint(&mut out, self.created);
        push_varint(&mut out, self.dropped.unwrap_or(0));
        push_varint(&mut out, self.complete_from);
        push_varint(&mut out, u64::from(self.kind));
        push_varint(&mut out, self.horizon);
        push_varint(&mut out, self.retention_ms.map_or(0, |ms| ms + 1));
        let (space, version) = self.derived_from.map_or((0, 0), |(space, version)| (space.0, version));
        push_varint(&mut out, u64::from(space));
        push_varint(&mut out, version);
        push_varint(&mut out, self.dropped_ms.map_or(0, |ms| ms + 1));
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("space", SPACE, bytes)?;
        let created = fields.varint()?;
        let dropped = Some(fields.varint()?).filter(|version| *version != 0);
        let complete_from = fields.varint()?;
        let kind = u16::try_from(fields.varint()?).map_err(|e| e.to_string())?;
        let horizon = fields.varint()?;
        let retention_ms = fields.varint()?.checked_sub(1);
        let parent = u32::try_from(fields.varint()?).map_err(|e| e.to_string())?;
        let version = fields.varint()?;
        let dropped_ms = fields.varint()?.checked_sub(1);
        fields.done()?;
        let derived_from = (parent != 0).then_some((SpaceId(parent), version));
        Ok(Self { created, dropped, complete_from, kind, horizon, retention_ms, dropped_ms, derived_from })
    }
}

/// Holds history back: every state of its spaces at exactly its version stays readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The version held.
    pub version: Version,
    /// The root it belongs to.
    pub root: Box<str>,
    /// The one space it covers, or all of the root.
    pub space: Option<SpaceId>,
    /// Name or purpose, for people.
    pub label: Box<str>,
}

impl Pin {
    /// Whether this pin needs a row of `space` that was the state from `since` until just before `superseded`.
    pub(crate) fn needs(&self, space: SpaceId, since: Version, superseded: Version) -> bool {
        self.covers(space) && since <= self.version && self.version < superseded
    }

    pub(crate) fn covers(&self, space: SpaceId) -> bool {
        self.space.is_none_or(|own| own == space)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![PIN];
        push_varint(&mut out, self.version);
        push_bytes(&mut out, self.root.as_bytes());
        push_varint(&mut out, u64::from(self.space.map_or(0, |space| space.0)));
        push_bytes(&mut out, self.label.as_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("pin", PIN, bytes)?;
        let version = fields.varint()?;
        let root = fields.text()?;
        let space = u32::try_from(fields.varint()?).map_err(|e| e.to_string())?;
        let label = fields.text()?;
        fields.done()?;
        Ok(Self { version, root, space: (space != 0).then_some(SpaceId(space)), label })
    }
}

impl Counters {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut out = vec![COUNTERS];
        push_varint(&mut out, self.items);
        push_varint(&mut out, self.bytes);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("counters", COUNTERS, bytes)?;
        let counters = Self { items: fields.varint()?, bytes: fields.varint()? };
        fields.done()?;
        Ok(counters)
    }
}

/// A large body outside the engine, and how many stored rows name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRecord {
    /// Length of the file in bytes.
    pub len: u64,
    /// xxh3-128 of its contents.
    pub checksum: [u8; 16],
    /// Rows of `current` and `history` whose envelope names it. At 0 it is garbage.
    pub references: u64,
}

impl BlobRecord {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![BLOB];
        push_varint(&mut out, self.len);
        push_bytes(&mut out, &self.checksum);
        push_varint(&mut out, self.references);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let mut fields = FieldReader::new("blob", BLOB, bytes)?;
        let len = fields.varint()?;
        let checksum =
            fields.bytes()?.try_into().map_err(|_| "a blob record has a checksum of the wrong length")?;
        let references = fields.varint()?;
        fields.done()?;
        Ok(Self { len, checksum, references })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip() {
        let mut meta = Meta::new();
        meta.clock = ServiceClock { frozen_ms: Some(0), ahead_ms: -5 };
        meta.history_off = true;
        assert_eq!(Meta::decode(&meta.encode()), Ok(meta));
        let space = SpaceRecord {
            created: 3,
            dropped: Some(9),
            complete_from: 4,
            kind: 2,
            horizon: 1,
            retention_ms: Some(0),
            dropped_ms: Some(0),
            derived_from: Some((SpaceId(1), 2)),
        };
        assert_eq!(SpaceRecord::decode(&space.encode()), Ok(space));
        let pin = Pin { version: 5, root: "main".into(), space: Some(SpaceId(3)), label: "x".into() };
        assert_eq!(Pin::decode(&pin.encode()), Ok(pin));
        let blob = BlobRecord { len: 1, checksum: [2; 16], references: 3 };
        assert_eq!(BlobRecord::decode(&blob.encode()), Ok(blob));
        let counters = Counters { items: 1, bytes: 300 };
        assert_eq!(Counters::decode(&counters.encode()), Ok(counters));
    }

    /// Stores of format 1 exist: these bytes, those of `docs/storage-format.md`, must be read for ever.
    #[test]
    fn the_bytes_of_format_1_are_fixed() {
        let meta = Meta {
            next_version: 300,
            next_space: 2,
            next_pin: 3,
            epoch: 4,
            swept_epoch: 5,
            real_ms: 6,
            horizon: 7,
            history_bytes: 8,
            history_rows: 9,
            trimmed_to: 10,
            history_off: true,
            clock: ServiceClock { frozen_ms: Some(0), ahead_ms: -5 },
            structure: 11,
            next_job: 12,
        };
        assert_eq!(meta.encode(), [1, 0xAC, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1, 1, 11, 12, 9]);
        let space = SpaceRecord {
            created: 3,
            dropped: Some(9),
            complete_from: 4,
            kind: 2,
            horizon: 6,
            retention_ms: Some(0),
            dropped_ms: Some(7),
            derived_from: Some((SpaceId(1), 2)),
        };
        assert_eq!(space.encode(), [1, 3, 9, 4, 2, 6, 1, 1, 2, 8]);
        let pin = Pin { version: 5, root: "main".into(), space: Some(SpaceId(3)), label: "x".into() };
        assert_eq!(pin.encode(), b"\x01\x05\x04main\x03\x01x");
        assert_eq!(Counters { items: 1, bytes: 300 }.encode(), [1, 1, 0xAC, 2]);
        let blob = BlobRecord { len: 1, checksum: [2; 16], references: 3 };
        assert_eq!(blob.encode(), [&[1, 1, 16][..], &[2; 16], &[3]].concat());
        let job = crate::jobs::JobRecord {
            kind: 64,
            label: "l".into(),
            space: None,
            cursor: vec![7, 8].into(),
            steps: 9,
            started: 10,
        };
        assert_eq!(job.encode(), b"\x01\x40\x01l\x00\x02\x07\x08\x09\x0A");
        let loss = crate::Loss {
            first_version: 8,
            last_version: 9,
            resumes_version: 10,
            first_commit: 3,
            last_commit: 4,
            resumes_commit: 5,
            real_ms: 6,
            cause: "c".into(),
        };
        assert_eq!(loss.encode(), b"\x01\x09\x0A\x03\x04\x05\x06\x01c");
        let blob = crate::BlobId { epoch: 1, counter: 2 };
        let value = [&[1, 0, 5][..], &[0; 7], &[6, 1, 1], &[0; 7], &[2], &[0; 7], b"p"].concat();
        assert_eq!(crate::envelope::encode(5, 6, &[blob], b"p"), value);
    }

    #[test]
    fn a_newer_record_is_refused() {
        assert!(Meta::decode(&[9]).expect_err("newer").contains("version 9"));
        assert!(Pin::decode(&[]).is_err());
    }
}
