//! How an embedded engine is opened, and what it tells of itself.

use crate::Need;
use crate::StoreError;
use crate::dir::reserve::{Level, Reserve};
use crate::executor::metrics::HistogramValues;
use crate::executor::stage::RoomGauge;
use std::path::PathBuf;
use std::sync::Arc;

/// How an embedded engine is opened.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The data directory.
    pub dir: PathBuf,
    /// Refuse to make a new store.
    pub require_existing: bool,
    /// Bytes of the disk that ordinary writes leave free, if not the default.
    pub reserve_bytes: Option<u64>,
    /// Size at which a memtable is sealed, if not the default.
    pub memtable_bytes: Option<u64>,
}

impl EmbeddedOptions {
    /// Defaults for a directory.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), require_existing: false, reserve_bytes: None, memtable_bytes: None }
    }
}

/// Sizes in bytes and latencies of an embedded engine.
#[derive(Debug, Clone, Default)]
pub struct EmbeddedStats {
    /// All segments of the log.
    pub log_bytes: u64,
    /// Written to the log since the start.
    pub log_bytes_written: u64,
    /// Log that no table holds yet, and beyond how much commits wait for the flush.
    pub unflushed_bytes: u64,
    /// See `unflushed_bytes`.
    pub unflushed_bytes_max: u64,
    /// Memtables.
    pub memtable_bytes: u64,
    /// Size at which one memtable is sealed; 0 if the index has none.
    pub memtable_bytes_max: u64,
    /// Memtables that wait for their flush, and beyond how many commits wait for it.
    pub sealed_memtables: usize,
    /// See `sealed_memtables`.
    pub sealed_memtables_max: usize,
    /// Tables on disk.
    pub table_bytes: u64,
    /// Their number.
    pub tables: usize,
    /// Overlapping runs that wait for compaction.
    pub level0_runs: usize,
    /// Blocks in the cache, and the most it holds.
    pub cache_bytes: u64,
    /// See `cache_bytes`.
    pub cache_bytes_max: u64,
    /// Latency of the log's syncs in microseconds.
    pub sync_latency_us: HistogramValues,
    /// Why writing has ended, if it has.
    pub ended: Option<String>,
    /// Room on the disk, if somebody watches it.
    pub room: Option<DiskRoom>,
}

/// Room on the disk that holds the data directory, measured now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskRoom {
    /// What may run.
    pub level: Level,
    /// Bytes that this process may still write.
    pub free_bytes: u64,
    /// Size of the file system in bytes.
    pub total_bytes: u64,
    /// Bytes that ordinary writes leave free.
    pub reserve_bytes: u64,
}

impl DiskRoom {
    /// Measures.
    #[must_use]
    pub fn measure(reserve: &Reserve) -> Self {
        reserve.expire();
        let level = reserve.level();
        let room = reserve.room();
        Self {
            level,
            free_bytes: room.free_bytes,
            total_bytes: room.total_bytes,
            reserve_bytes: reserve.threshold_bytes(),
        }
    }
}

/// The disk reserve, as the executor asks it.
pub(crate) struct ReserveGauge {
    pub(crate) reserve: Arc<Reserve>,
    pub(crate) dir: PathBuf,
}

impl RoomGauge for ReserveGauge {
    fn check(&self, need: Need) -> Result<(), StoreError> {
        let level = self.reserve.level();
        let allowed = match level {
            Level::Plenty => true,
            Level::BelowReserve => matches!(need, Need::Free | Need::Trim),
            Level::BelowQuarter => need == Need::Trim,
        };
        if allowed {
            return Ok(());
        }
        let remedy = self.reserve.message(level);
        Err(StoreError::NoRoom { dir: self.dir.clone(), free_bytes: self.reserve.room().free_bytes, remedy })
    }
}
