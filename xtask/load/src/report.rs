//! Results as the binary prints them, one line of JSON.

use crate::histogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Percentiles of a set of durations, in microseconds.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean_us: f64,
    /// Half of all values are not longer.
    pub p50_us: f64,
    /// Nine of ten are not longer.
    pub p90_us: f64,
    /// 99 of 100 are not longer.
    pub p99_us: f64,
    /// 999 of 1,000 are not longer.
    pub p999_us: f64,
    /// The longest, exactly.
    pub max_us: f64,
}

impl From<&Histogram> for Latency {
    fn from(histogram: &Histogram) -> Self {
        Latency {
            mean_us: micros(histogram.mean()),
            p50_us: micros(histogram.quantile(0.5)),
            p90_us: micros(histogram.quantile(0.9)),
            p99_us: micros(histogram.quantile(0.99)),
            p999_us: micros(histogram.quantile(0.999)),
            max_us: micros(histogram.max()),
        }
    }
}

/// Appended 4 KiB writes, each followed by fdatasync.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct SyncReport {
    /// How many were made.
    pub count: u64,
    /// How many a second were made; meaningless where the probe paused between them.
    pub per_second: f64,
    /// How long write and sync took together.
    pub latency: Latency,
}

/// What else the machine did meanwhile.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Machine {
    /// Load averages over one minute at start and end.
    pub load_average: [f64; 2],
    /// Cores that were not idle, on average; all of the machine, time in interrupts included.
    pub busy_cores: f64,
    /// Of these, what neither the generator nor the server used.
    pub foreign_cores: f64,
}

/// The server process while it was measured.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Server {
    /// Processor time, user and system, in seconds.
    pub cpu_s: f64,
    /// Processor time of one request, in microseconds.
    pub cpu_us_per_request: f64,
    /// Resident memory at start and end, in bytes.
    pub resident: [u64; 2],
    /// Largest resident memory seen, sampled every 50 ms, in bytes.
    pub resident_max: u64,
}

/// One measured stretch of load.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Report {
    /// Which requests, by the name on the command line.
    pub mix: String,
    /// Connections, each with one request under way at a time.
    pub connections: usize,
    /// Threads of the generator.
    pub threads: usize,
    /// Size of the item, in bytes.
    pub item_bytes: usize,
    /// Seconds between the first request that counts and the last answer.
    pub elapsed_s: f64,
    /// Answers that were counted.
    pub requests: u64,
    /// Answers a second.
    pub per_second: f64,
    /// Items that answers to Query and Scan held.
    #[serde(default)]
    pub items: u64,
    /// These items a second.
    #[serde(default)]
    pub items_per_second: f64,
    /// Length of all bodies that were counted, in bytes.
    #[serde(default)]
    pub body_bytes: u64,
    /// Whole walks over the table that ended, warm-up included.
    #[serde(default)]
    pub walks: u64,
    /// From before sending to the whole answer.
    pub latency: Latency,
    /// When the longest one ended, in seconds after the start.
    pub longest_at_s: f64,
    /// Answers in each second, warm-up included.
    pub each_second: Vec<u64>,
    /// Answers other than 200, by status.
    pub refused: BTreeMap<u16, u64>,
    /// Answers 200 that did not hold what must be there: no item, another number of items than was written.
    pub absent: u64,
    /// Connections that ended early.
    pub broken: u64,
    /// The first thing that went wrong, in words.
    pub first_error: Option<String>,
    /// Processor time of the generator for one request, in microseconds.
    pub own_cpu_us_per_request: f64,
    /// The server, where its process id was given.
    pub server: Option<Server>,
    /// The machine.
    pub machine: Machine,
    /// Raw syncs made now and then during the load, where asked for.
    pub probe: Option<SyncReport>,
}

impl Report {
    /// Whether every answer was 200 and held what must be there, and no connection broke.
    pub fn is_clean(&self) -> bool {
        self.refused.is_empty() && self.absent == 0 && self.broken == 0 && self.requests > 0
    }
}

/// A duration in microseconds, rounded to a tenth.
pub fn micros(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e7).round() / 10.0
}

/// A figure rounded to three decimals: what comes after is noise in the raw files.
pub fn rounded(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}
