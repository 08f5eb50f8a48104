//! `Segment` and `TotalSegments`: the part of all hashes that a scan reads.

use crate::errors::reads;
use holdfast_aws::Error;
use holdfast_state::families::Family;

/// Segment `number` of `total`: hashes from ⌈number · 2^64 / total⌉ on, up to where the next segment begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    number: u64,
    total: u64,
}

impl Segment {
    /// Everything.
    pub(crate) const WHOLE: Self = Self { number: 0, total: 1 };

    /// Reads two values within the model's bounds.
    ///
    /// # Errors
    /// If one is missing, or there is no such segment.
    pub(crate) fn read(number: Option<i64>, total: Option<i64>) -> Result<Self, Error> {
        // The model's bounds make both positive.
        match (number.map(i64::unsigned_abs), total.map(i64::unsigned_abs)) {
            (None, None) => Ok(Self::WHOLE),
            (Some(_), None) => Err(reads::total_segments_required()),
            (None, Some(_)) => Err(reads::segment_required()),
            (Some(number), Some(total)) if number >= total => Err(reads::segment_out_of_range(number, total)),
            (Some(number), Some(total)) => Ok(Self { number, total }),
        }
    }

    /// The first hash of segment `number`; `None` behind the last one.
    fn first_hash(self, number: u64) -> Option<u64> {
        let start = (u128::from(number) << 64).div_ceil(u128::from(self.total));
        u64::try_from(start).ok()
    }

    /// Bounds of the keys of its rows: from the first, inclusive, to the second, exclusive; no second is no bound.
    pub(crate) fn bounds(self, family: Family) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = |hash: u64| {
            let mut key = vec![family.tag];
            key.extend(hash.to_be_bytes());
            key
        };
        (key(self.first_hash(self.number).unwrap_or(u64::MAX)), self.first_hash(self.number + 1).map(key))
    }

    /// Refuses to start behind a row that is not of this segment.
    ///
    /// # Errors
    /// If the key of the row has a hash of another segment.
    pub(crate) fn check_start(self, row: &[u8], family: Family) -> Result<(), Error> {
        let (from, to) = self.bounds(family);
        if row < &from[..] || to.is_some_and(|to| row >= &to[..]) {
            return Err(reads::start_key_of_other_segment(self.number, self.total));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn segments_begin_where_the_ones_before_end() {
        let bounds = |number, total| Segment { number, total }.bounds(Family::DYNAMODB_ITEM);
        let key = |hash: u64| [&[1][..], &hash.to_be_bytes()].concat();
        assert_eq!(Segment::WHOLE.bounds(Family::DYNAMODB_ITEM), (key(0), None));
        assert_eq!(bounds(0, 2), (key(0), Some(key(1 << 63))));
        assert_eq!(bounds(1, 2), (key(1 << 63), None));
        assert_eq!(bounds(0, 3), (key(0), Some(key(0x5555_5555_5555_5556))));
        assert_eq!(bounds(2, 3), (key(0xAAAA_AAAA_AAAA_AAAB), None));
    }

    proptest! {
        #[test]
        fn each_hash_is_in_one_segment(total in 1u64..2_000, hash in any::<u64>()) {
            let row = [&[1][..], &hash.to_be_bytes(), b"Sa\x00\x01"].concat();
            let mut within = 0..total;
            let has = |number: &u64| {
                Segment { number: *number, total }.check_start(&row, Family::DYNAMODB_ITEM).is_ok()
            };
            let found = within.by_ref().filter(has).collect::<Vec<_>>();
            let expected = u64::try_from((u128::from(hash) * u128::from(total)) >> 64).unwrap();
            prop_assert_eq!(found, [expected]);
        }
    }
}
