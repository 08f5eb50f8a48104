//! What `holdfast status` shows. The names here are those of `--json`; sizes are in bytes unless the name says otherwise.

mod render;
mod stopped;
pub mod tables;

pub use render::time;
pub use stopped::{no_store, of_directory};
pub use tables::TableStatus;

use crate::about::{About, Data, PROGRAM_VERSION, Signatures};
use crate::admin::clock::ClockStatus;
use holdfast_aws::context::IsolateBy;
use holdfast_store::dir::reserve::Level;
use holdfast_store::engine::embedded::DiskRoom;
use holdfast_store::{HistogramValues, Store, TableDamage};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of a server, or of a stopped directory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// `running` or `stopped`.
    pub state: String,
    /// Version of the program: the server's, if one runs.
    pub holdfast: String,
    /// The server's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How long it has been serving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// URLs of its listeners, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub listening: BTreeMap<String, String>,
    /// Where the data are.
    #[serde(flatten)]
    pub data: Data,
    /// Newest version; of a stopped directory, the newest that is known to have been acknowledged.
    pub version: u64,
    /// Newest commit, in the same sense.
    pub commit: u64,
    /// Why nothing can be written until the next start.
    pub writing_ended: Option<String>,
    /// Room on the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<DiskStatus>,
    /// The service clock; nothing if it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockStatus>,
    /// Tables by name.
    pub tables: Vec<TableStatus>,
    /// Whether there are more than are listed.
    pub more_tables: bool,
    /// What only a running server knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerStatus>,
    /// What only files tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FilesStatus>,
}

/// Room on the disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DiskStatus {
    /// `plenty`, `below_reserve` or `below_quarter_of_reserve`.
    pub level: String,
    /// Room left.
    pub free_bytes: u64,
    /// Size of the file system.
    pub total_bytes: u64,
    /// What ordinary writes leave free.
    pub reserve_bytes: u64,
}

impl DiskStatus {
    /// Of a measurement.
    pub fn of(room: DiskRoom) -> Self {
        let level = match room.level {
            Level::Plenty => "plenty",
            Level::BelowReserve => "below_reserve",
            Level::BelowQuarter => "below_quarter_of_reserve",
        };
        let DiskRoom { free_bytes, total_bytes, reserve_bytes, .. } = room;
        Self { level: level.to_owned(), free_bytes, total_bytes, reserve_bytes }
    }
}

/// What only a running server knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerStatus {
    /// Number of this start.
    pub epoch: u64,
    /// Oldest version that can be read without a pin.
    pub horizon: u64,
    /// Whose signatures are taken.
    pub signatures: Signatures,
    /// What has tables of its own (`each access key`, …); nothing if everybody sees the same ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolated: Option<String>,
    /// What is kept of the past.
    pub history: HistoryStatus,
    /// What holds history back.
    pub pins: Vec<PinStatus>,
    /// Spaces with a history window of their own.
    pub windows: Vec<WindowStatus>,
    /// Work in the background that is not done.
    pub jobs: Vec<JobStatus>,
    /// Acknowledged versions that are lost, and that somebody has accepted to be.
    pub losses: Vec<LossStatus>,
    /// Tables that are damaged, as far as the scrub or `doctor` has found it since the start.
    pub damage: Vec<DamageStatus>,
    /// Everything that is bounded, with its bound.
    pub buffers: Vec<Buffer>,
    /// The log.
    pub log: LogStatus,
    /// Tables of the index on disk.
    pub index: IndexStatus,
    /// Syncs of the log since the start.
    pub syncs: Latency,
    /// Requests for services that are not there, by service.
    pub refused_services: BTreeMap<String, u64>,
}

/// What is kept of the past.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryStatus {
    /// Whether it is kept at all.
    pub kept: bool,
    /// For how many milliseconds.
    pub window_ms: Option<u64>,
    /// At most this much.
    pub bytes_max: Option<u64>,
    /// Rows now.
    pub rows: u64,
    /// Bytes now.
    pub bytes: u64,
}

/// A pin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PinStatus {
    /// Its number.
    pub id: u64,
    /// The version that it holds.
    pub version: u64,
    /// Name or purpose.
    pub label: String,
}

/// A history window of one space.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowStatus {
    /// Number of the space.
    pub space: u32,
    /// For how many milliseconds its past is kept.
    pub window_ms: u64,
    /// Oldest version of it that can be read without a pin.
    pub horizon: u64,
}

/// A job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobStatus {
    /// Its number.
    pub id: u64,
    /// What it does; nothing if this version of holdfast does not know that, and leaves it alone.
    pub kind: Option<String>,
    /// What it is about.
    pub label: String,
    /// How many steps were done.
    pub steps: u64,
    /// Version with which it was started.
    pub started: u64,
    /// Why its last step failed, if it did.
    pub error: Option<String>,
}

/// A loss that was accepted with `doctor --accept-loss`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LossStatus {
    /// First version of which nothing is left.
    pub first_version: u64,
    /// Version with which history went on.
    pub resumes_version: u64,
    /// When it was accepted, in milliseconds since 1970.
    pub accepted_ms: u64,
    /// What was damaged.
    pub cause: String,
}

/// A damaged table: reads of what is rotten in it fail.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DamageStatus {
    /// Its file.
    pub file: String,
    /// What is wrong with it.
    pub cause: String,
}

impl DamageStatus {
    fn of(damage: &TableDamage) -> Self {
        Self { file: damage.file.display().to_string(), cause: damage.cause.clone() }
    }
}

impl JobStatus {
    fn of(job: &holdfast_store::JobStatus) -> Self {
        Self {
            id: job.id.0,
            kind: job.name.map(str::to_owned),
            label: job.record.label.to_string(),
            steps: job.record.steps,
            started: job.record.started,
            error: job.error.clone(),
        }
    }
}

/// Something bounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Buffer {
    /// What it is.
    pub name: String,
    /// `bytes`, `operations`, `memtables` or `connections`.
    pub unit: String,
    /// How much of it is used now, where that is known.
    pub used: Option<u64>,
    /// The most.
    pub max: u64,
}

impl Buffer {
    fn new(name: &str, unit: &str, used: Option<u64>, max: u64) -> Self {
        Self { name: name.to_owned(), unit: unit.to_owned(), used, max }
    }
}

/// The log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogStatus {
    /// All segments.
    pub bytes: u64,
    /// Written since the start.
    pub bytes_written: u64,
}

/// Tables of the index on disk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IndexStatus {
    /// All of them.
    pub bytes: u64,
    /// Their number.
    pub files: usize,
    /// Overlapping runs that wait for compaction.
    pub level0_runs: usize,
}

/// A latency, from a histogram: percentiles are upper bounds of its buckets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// Observations.
    pub count: u64,
    /// Half of them were at most this long.
    pub p50_us: Option<u64>,
    /// 99 % of them were at most this long.
    pub p99_us: Option<u64>,
    /// The longest.
    pub max_us: u64,
}

impl Latency {
    /// Of a histogram in microseconds.
    pub fn of(values: &HistogramValues) -> Self {
        let count: u64 = values.counts.iter().sum();
        let percentile = |percent: u64| {
            let wanted = (count * percent).div_ceil(100);
            let mut seen = 0;
            let bucket = values.counts.iter().position(|in_bucket| {
                seen += in_bucket;
                seen >= wanted && seen > 0
            })?;
            // Above the last bound only the longest is known.
            Some(values.bounds.get(bucket).map_or(values.max, |bound| (*bound).min(values.max)))
        };
        Self { count, p50_us: percentile(50), p99_us: percentile(99), max_us: values.max }
    }
}

/// What only files tell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FilesStatus {
    /// Format number.
    pub format: u32,
    /// Identity of the store.
    pub store: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// Whether a sync had failed when the last server ended.
    pub sync_had_failed: bool,
    /// Halves of the witness that cannot be read, of two.
    pub bad_witness_slots: usize,
    /// Bytes of each part, by its name in the directory.
    pub parts: BTreeMap<String, u64>,
    /// Why the tables could not be read, if they could not: `doctor` says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tables_unread: Option<String>,
}

/// The status of a running server.
///
/// # Errors
/// If it cannot be read.
pub fn of_server(
    store: &Store,
    about: &About,
    refused_services: BTreeMap<String, u64>,
) -> anyhow::Result<Status> {
    let inner = store.status()?;
    let engine = inner.engine.clone().unwrap_or_default();
    let mut damage: Vec<DamageStatus> = inner.damage.iter().map(DamageStatus::of).collect();
    let (tables, more_tables) = tables::all(&store.snapshot(), store.clock().service_now_ms())
        .unwrap_or_else(|error| {
            damage.push(DamageStatus { file: "names of tables".to_owned(), cause: format!("{error:#}") });
            (Vec::new(), true)
        });
    let pins = inner.pins.iter().map(|(id, pin)| PinStatus {
        id: *id,
        version: pin.version,
        label: pin.label.to_string(),
    });
    let windows = inner.retained.iter().map(|(space, window_ms, horizon)| WindowStatus {
        space: space.0,
        window_ms: *window_ms,
        horizon: *horizon,
    });
    let losses = inner.losses.iter().map(|loss| LossStatus {
        first_version: loss.first_version,
        resumes_version: loss.resumes_version,
        accepted_ms: loss.real_ms,
        cause: loss.cause.to_string(),
    });
    let server = ServerStatus {
        epoch: inner.epoch,
        horizon: inner.horizon,
        signatures: about.signatures,
        isolated: (about.isolate_by != IsolateBy::default()).then(|| separated(about.isolate_by).to_owned()),
        history: HistoryStatus {
            kept: inner.history,
            window_ms: inner.history_limits.map(|limits| limits.window_ms),
            bytes_max: inner.history_limits.map(|limits| limits.bytes_max),
            rows: inner.history_rows,
            bytes: inner.history_bytes,
        },
        pins: pins.collect(),
        windows: windows.collect(),
        jobs: inner.jobs.iter().map(JobStatus::of).collect(),
        losses: losses.collect(),
        damage,
        buffers: buffers(&inner, about),
        log: LogStatus { bytes: engine.log_bytes, bytes_written: engine.log_bytes_written },
        index: IndexStatus {
            bytes: engine.table_bytes,
            files: engine.tables,
            level0_runs: engine.level0_runs,
        },
        syncs: Latency::of(&engine.sync_latency_us),
        refused_services,
    };
    Ok(Status {
        state: "running".to_owned(),
        holdfast: PROGRAM_VERSION.to_owned(),
        pid: Some(std::process::id()),
        uptime_seconds: Some(about.started.elapsed().as_secs()),
        listening: about.listening.urls().map(|(name, url)| (name.to_owned(), url)).collect(),
        data: about.data.clone(),
        version: inner.version,
        commit: inner.commit,
        writing_ended: engine.ended,
        disk: engine.room.map(DiskStatus::of),
        clock: Some(ClockStatus::of_store(store)),
        tables,
        more_tables,
        server: Some(server),
        files: None,
    })
}

/// Who has tables of their own, for people.
pub fn separated(isolate_by: IsolateBy) -> &'static str {
    match (isolate_by.key, isolate_by.region) {
        (true, true) => "each access key in each region",
        (true, false) => "each access key",
        (false, true) => "each region",
        (false, false) => "nobody",
    }
}

/// Everything that is bounded.
fn buffers(status: &holdfast_store::Status, about: &About) -> Vec<Buffer> {
    let mut buffers = vec![
        Buffer::new("queue", "operations", Some(status.queued as u64), status.queued_max as u64),
        Buffer::new("commit group", "operations", None, status.group_operations_max as u64),
        Buffer::new("commit group", "bytes", None, status.group_bytes_max as u64),
        Buffer::new("one operation", "bytes", None, status.operation_bytes_max as u64),
        Buffer::new("request body", "bytes", None, crate::edge::bodies::BODY_BYTES_MAX as u64),
        Buffer::new("large request bodies", "bytes", None, crate::edge::bodies::BODIES_BYTES_MAX as u64),
        Buffer::new("answers of long reads", "bytes", None, crate::edge::answers::ANSWERS_BYTES_MAX as u64),
        Buffer::new("connections of a port", "connections", None, about.connections_max as u64),
    ];
    if let Some(engine) = &status.engine {
        // One that takes writes, those that wait, and the one that is sealed while they do.
        let memtables = engine.sealed_memtables_max as u64 + 2;
        buffers.extend([
            Buffer::new(
                "memtables",
                "bytes",
                Some(engine.memtable_bytes),
                engine.memtable_bytes_max.saturating_mul(memtables),
            ),
            Buffer::new(
                "sealed memtables",
                "memtables",
                Some(engine.sealed_memtables as u64),
                engine.sealed_memtables_max as u64 + 1,
            ),
            Buffer::new("block cache", "bytes", Some(engine.cache_bytes), engine.cache_bytes_max),
            Buffer::new(
                "log without a table",
                "bytes",
                Some(engine.unflushed_bytes),
                engine.unflushed_bytes_max,
            ),
        ]);
    }
    buffers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_upper_bounds() {
        let values = HistogramValues { bounds: vec![10, 20, 30], counts: vec![5, 4, 0, 1], sum: 0, max: 700 };
        let expected = Latency { count: 10, p50_us: Some(10), p99_us: Some(700), max_us: 700 };
        assert_eq!(Latency::of(&values), expected);
        assert_eq!(Latency::of(&HistogramValues::default()), Latency::default());
        let one = HistogramValues { bounds: vec![10, 20], counts: vec![0, 1, 0], sum: 0, max: 12 };
        assert_eq!(Latency::of(&one).p50_us, Some(12));
    }

    #[test]
    fn what_another_version_says_can_be_read() {
        let status: Status =
            serde_json::from_str(r#"{"state":"running","durability":"d","later":1}"#).expect("read");
        assert_eq!((status.state.as_str(), status.version), ("running", 0));
    }
}
