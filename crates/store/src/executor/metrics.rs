//! Counters and histograms of the executor, as plain numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the histogram of operations per group.
pub const GROUP_BOUNDS: [u64; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000];
/// Upper bounds of latency histograms, in microseconds.
pub const LATENCY_BOUNDS_US: [u64; 14] =
    [50, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 100_000, 300_000, 1_000_000];

/// A histogram with fixed bounds.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: [u64; N],
    buckets: [AtomicU64; N],
    above: AtomicU64,
    sum: AtomicU64,
    max: AtomicU64,
}

/// What a histogram showed at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistogramValues {
    /// Upper bounds, inclusive.
    pub bounds: Vec<u64>,
    /// Observations per bound (not cumulative); one more for those above the last.
    pub counts: Vec<u64>,
    /// Sum of all observations.
    pub sum: u64,
    /// Largest observation.
    pub max: u64,
}

impl<const N: usize> Histogram<N> {
    /// An empty histogram.
    #[must_use]
    pub fn new(bounds: [u64; N]) -> Self {
        Self {
            bounds,
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            above: AtomicU64::new(0),
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }

    /// Adds an observation.
    pub fn observe(&self, value: u64) {
        let index = self.bounds.partition_point(|bound| *bound < value);
        self.buckets.get(index).unwrap_or(&self.above).fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
        self.max.fetch_max(value, Ordering::Relaxed);
    }

    /// The values now.
    #[must_use]
    pub fn values(&self) -> HistogramValues {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = self.buckets.iter().chain(std::iter::once(&self.above)).map(load).collect();
        HistogramValues { bounds: self.bounds.to_vec(), counts, sum: load(&self.sum), max: load(&self.max) }
    }
}

/// What the executor counts.
#[derive(Debug)]
pub(crate) struct ExecutorMetrics {
    groups: Histogram<11>,
}

impl ExecutorMetrics {
    pub(crate) fn new() -> Self {
        Self { groups: Histogram::new(GROUP_BOUNDS) }
    }

    pub(crate) fn group(&self, operations: u64) {
        self.groups.observe(operations);
    }

    pub(crate) fn groups(&self) -> HistogramValues {
        self.groups.values()
    }
}
