//! Latencies in log-linear buckets: 64 buckets in each power of two, so a percentile is at most 1.6 % too high.
//! The longest value is kept exactly.

use std::time::Duration;

/// Buckets in one power of two, as a power of two.
const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;
/// Index of the bucket that holds `u64::MAX`, plus one.
const BUCKETS: usize = (65 - SUB_BITS as usize) << SUB_BITS;

/// A histogram of durations, resolved in nanoseconds.
#[derive(Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    sum_ns: u128,
    max_ns: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Histogram { buckets: vec![0; BUCKETS], count: 0, sum_ns: 0, max_ns: 0 }
    }

    /// Counts one value.
    pub fn record(&mut self, value: Duration) {
        let nanos = u64::try_from(value.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(nanos)] += 1;
        self.count += 1;
        self.sum_ns += u128::from(nanos);
        self.max_ns = self.max_ns.max(nanos);
    }

    /// Adds everything that `other` counted.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// How many values were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest value, exactly; zero when empty.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max_ns)
    }

    /// The mean; zero when empty.
    pub fn mean(&self) -> Duration {
        let mean = self.sum_ns.checked_div(u128::from(self.count)).unwrap_or(0);
        Duration::from_nanos(u64::try_from(mean).unwrap_or(u64::MAX))
    }

    /// The value that `fraction` (0 to 1) of all values do not exceed, rounded up to the end of its bucket.
    pub fn quantile(&self, fraction: f64) -> Duration {
        // A count is far below 2^52, so the product is exact enough and not negative.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rank = ((self.count as f64 * fraction).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(end_of(bucket).min(self.max_ns));
            }
        }
        self.max()
    }
}

/// The bucket of a value. Values below 64 have one bucket each.
fn bucket_of(value: u64) -> usize {
    let index = if value < SUB {
        value
    } else {
        let shift = 63 - value.leading_zeros() - SUB_BITS;
        (u64::from(shift + 1) << SUB_BITS) + ((value >> shift) & (SUB - 1))
    };
    // Below BUCKETS for every value.
    usize::try_from(index).unwrap_or(BUCKETS - 1)
}

/// The largest value of a bucket.
fn end_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < SUB {
        return bucket;
    }
    let shift = (bucket >> SUB_BITS) - 1;
    let first = (SUB + (bucket & (SUB - 1))) << shift;
    first + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_of_the_range_have_buckets() {
        assert_eq!(bucket_of(0), 0);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!(end_of(BUCKETS - 1), u64::MAX);
    }

    #[test]
    fn empty_is_all_zero() {
        let empty = Histogram::new();
        assert_eq!((empty.max(), empty.mean(), empty.quantile(0.5)), Default::default());
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_value_within_two_percent(value: u64) {
            let bucket = bucket_of(value);
            prop_assert!(end_of(bucket) >= value);
            prop_assert!(bucket == 0 || end_of(bucket - 1) < value);
            prop_assert!((end_of(bucket) - value) as f64 <= value as f64 * 0.016);
        }

        #[test]
        fn quantiles_agree_with_sorting(mut values in prop::collection::vec(0u64..5_000_000_000, 1..200), cut in 0.0f64..1.0) {
            let (left, right) = values.split_at(values.len() / 2);
            let mut all = Histogram::new();
            let mut rest = Histogram::new();
            left.iter().for_each(|nanos| all.record(Duration::from_nanos(*nanos)));
            right.iter().for_each(|nanos| rest.record(Duration::from_nanos(*nanos)));
            all.merge(&rest);
            values.sort_unstable();
            prop_assert_eq!(all.count(), values.len() as u64);
            prop_assert_eq!(all.max(), Duration::from_nanos(values[values.len() - 1]));
            let within = values.iter().zip(1..).find(|(_, rank)| f64::from(*rank) >= values.len() as f64 * cut);
            let exact = *within.unwrap().0 as f64;
            let found = all.quantile(cut).as_nanos() as f64;
            prop_assert!(found >= exact && found <= exact * 1.016 + 1.0);
        }
    }
}
