//! Capacity units, and what a read costs.

use std::ops::{Add, AddAssign};

/// A read of up to so many bytes costs a read unit. Source: DynamoDB Developer Guide, "DynamoDB read and write operations".
const READ_BLOCK_BYTES: u64 = 4096;
/// A write of up to so many bytes costs a write unit. Source: as [`READ_BLOCK_BYTES`].
const WRITE_BLOCK_BYTES: u64 = 1024;

/// Capacity units, counted in halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Units {
    pub(super) halves: u64,
}

impl Units {
    /// No units.
    pub const ZERO: Self = Self { halves: 0 };

    /// So many half units.
    #[must_use]
    pub const fn halves(halves: u64) -> Self {
        Self { halves }
    }

    /// So many whole units.
    #[must_use]
    pub const fn whole(units: u64) -> Self {
        Self { halves: 2 * units }
    }

    /// Twice as many.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self { halves: 2 * self.halves }
    }

    /// Appends them as a number with one digit behind the point, as AWS writes doubles: `0.5`, `12.0`.
    pub fn render(self, out: &mut Vec<u8>) {
        let point: &[u8] = if self.halves.is_multiple_of(2) { b".0" } else { b".5" };
        out.extend_from_slice((self.halves / 2).to_string().as_bytes());
        out.extend_from_slice(point);
    }
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { halves: self.halves + other.halves }
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// How a read is asked for. Every read is strongly consistent here; what it costs follows the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// Half a unit for each 4 KB.
    Eventual,
    /// One unit.
    Strong,
    /// Two units: part of a transaction.
    Transactional,
}

impl Consistency {
    /// That of `ConsistentRead`.
    #[must_use]
    pub fn of(consistent: bool) -> Self {
        if consistent { Self::Strong } else { Self::Eventual }
    }
}

/// What a read of so many bytes costs: those of one item, or all that a page looked at, before filters and projections. Reading
/// nothing costs as much as one block. Source: as the constants; that an empty page costs the minimum too is known, not recorded.
#[must_use]
pub fn of_read(bytes: u64, consistency: Consistency) -> Units {
    let blocks = bytes.div_ceil(READ_BLOCK_BYTES).max(1);
    match consistency {
        Consistency::Eventual => Units::halves(blocks),
        Consistency::Strong => Units::whole(blocks),
        Consistency::Transactional => Units::whole(blocks).doubled(),
    }
}

/// What a write of so many bytes costs; one of nothing costs as much as one block.
pub(super) fn of_written(bytes: u64) -> Units {
    Units::whole(bytes.div_ceil(WRITE_BLOCK_BYTES).max(1))
}
