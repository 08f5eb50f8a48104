//! The disk reserve: room that ordinary writes leave free, so that there is always a way to free space.
//!
//! The threshold is the less of 256 MiB and 10 % of the disk, or what is configured. Below it only what frees space may
//! write; below a quarter of it only trimming, `reset --no-archive` and the engine's own flush, checkpoint and compaction.
//!
//! # How current a level is
//! Asking the system for each group would cost a call, on network mounts a slow one. So the room is measured again once this
//! process has written, since the last measurement, 1 MiB or half of what was left above the threshold, whichever is less;
//! and at every call while the level is not [`Level::Plenty`], so that freed room is noticed at once. What other programs
//! write in between is noticed at the next measurement; until then the system's own refusal (`ENOSPC`) holds.

use crate::io::{Disk, Room};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Default threshold in bytes, unless a tenth of the disk is less.
pub const RESERVE_BYTES_MAX: u64 = 256 << 20;
/// Part of the disk that the default threshold is at most.
const PART_OF_DISK: u64 = 10;
/// Bytes written by this process after which the room is measured again at the latest.
const MEASURE_AFTER_BYTES_MAX: u64 = 1 << 20;

/// How much room there is, as far as it decides what may run. Ordered: more room is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Less than a quarter of the reserve: only trimming, reset without archive, and the engine's own work.
    BelowQuarter,
    /// Less than the reserve: also deletes, drops and reset.
    BelowReserve,
    /// Everything may run.
    Plenty,
}

/// Watches the room on the disk that holds the data directory.
#[derive(Debug)]
pub struct Reserve {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// `None`: the default for the size of the disk.
    configured: Option<u64>,
    /// Free bytes at the last measurement.
    free_bytes: AtomicU64,
    /// Size of the disk at the last measurement.
    total_bytes: AtomicU64,
    /// Bytes that may still be written before the next measurement.
    allowance: AtomicU64,
}

impl Reserve {
    /// Watches the disk that holds `dir`, which must exist; measures it once. `configured` is `--reserve` in bytes; 0 keeps
    /// nothing free.
    ///
    /// # Errors
    /// The room could not be measured.
    pub fn new(disk: Arc<dyn Disk>, dir: &Path, configured: Option<u64>) -> io::Result<Self> {
        let reserve = Self {
            disk,
            dir: dir.to_path_buf(),
            configured,
            free_bytes: AtomicU64::new(0),
            total_bytes: AtomicU64::new(0),
            allowance: AtomicU64::new(0),
        };
        reserve.measure()?;
        Ok(reserve)
    }

    /// The threshold in bytes.
    #[must_use]
    pub fn threshold_bytes(&self) -> u64 {
        let tenth = self.total_bytes.load(Ordering::Relaxed) / PART_OF_DISK;
        self.configured.unwrap_or(tenth.min(RESERVE_BYTES_MAX))
    }

    /// The room at the last measurement.
    #[must_use]
    pub fn room(&self) -> Room {
        Room {
            free_bytes: self.free_bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes.load(Ordering::Relaxed),
        }
    }

    /// Tells that this process has written so many bytes anywhere on the disk: log, tables, blobs, archives.
    pub fn wrote(&self, bytes: u64) {
        let left = self.allowance.load(Ordering::Relaxed);
        // Two threads at once may lose a little of the count; the next call makes up for it.
        self.allowance.store(left.saturating_sub(bytes), Ordering::Relaxed);
    }

    /// Makes the next [`Reserve::level`] measure, for example after `ENOSPC` or after files were removed.
    pub fn expire(&self) {
        self.allowance.store(0, Ordering::Relaxed);
    }

    /// The level now, as current as the module's description says. If the system cannot tell, the last level stands.
    pub fn level(&self) -> Level {
        if self.allowance.load(Ordering::Relaxed) == 0
            && let Err(error) = self.measure()
        {
            tracing::warn!(%error, "the room on the disk could not be measured");
        }
        self.level_of(self.free_bytes.load(Ordering::Relaxed))
    }

    /// The level if `bytes` more were written: for an upload, before it begins.
    pub fn level_after(&self, bytes: u64) -> Level {
        self.level();
        self.level_of(self.free_bytes.load(Ordering::Relaxed).saturating_sub(bytes))
    }

    fn level_of(&self, free: u64) -> Level {
        let threshold = self.threshold_bytes();
        if free >= threshold {
            Level::Plenty
        } else if free >= threshold / 4 {
            Level::BelowReserve
        } else {
            Level::BelowQuarter
        }
    }

    fn measure(&self) -> io::Result<()> {
        let room = self.disk.room(&self.dir)?;
        self.free_bytes.store(room.free_bytes, Ordering::Relaxed);
        self.total_bytes.store(room.total_bytes, Ordering::Relaxed);
        let above = room.free_bytes.saturating_sub(self.threshold_bytes());
        self.allowance.store((above / 2).min(MEASURE_AFTER_BYTES_MAX), Ordering::Relaxed);
        Ok(())
    }

    /// What a refused client and the operator are told: directory, free bytes, what still runs, what helps.
    #[must_use]
    pub fn message(&self, level: Level) -> String {
        let free = readable(self.room().free_bytes);
        let reserve = readable(self.threshold_bytes());
        let dir = self.dir.display();
        match level {
            Level::Plenty => format!("the disk that holds {dir} is full ({free} free). {REMEDY}"),
            Level::BelowReserve => format!(
                "the disk that holds {dir} has {free} free, less than the reserve of {reserve}: only deletes, drops, \
                 trimming and reset run. {REMEDY}"
            ),
            Level::BelowQuarter => format!(
                "the disk that holds {dir} has {free} free, less than a quarter of the reserve of {reserve}: only \
                 trimming and reset without an archive run. Free space with `holdfast trim --history 1h` or \
                 `holdfast reset --no-archive`, or remove other files from that disk."
            ),
        }
    }
}

const REMEDY: &str =
    "Free space with `holdfast trim --history 1h`, by deleting items or tables, or with `holdfast reset`.";

/// Bytes for people: `812 bytes`, `12.3 MiB`.
#[must_use]
pub fn readable(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    // Tenths of a unit, in whole numbers.
    let mut tenths = u128::from(bytes) * 10 / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < units.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::simulated::{Fault, Kind, SimulatedDisk};

    const MIB: u64 = 1 << 20;

    fn set(disk: &SimulatedDisk, free_bytes: u64) {
        disk.set_room(Room { free_bytes, total_bytes: 1000 * MIB });
    }

    fn reserve(free: u64, configured: Option<u64>) -> (SimulatedDisk, Reserve) {
        let disk = SimulatedDisk::new(1);
        disk.put_dir(Path::new("/data"));
        set(&disk, free);
        let reserve = Reserve::new(Arc::new(disk.clone()), Path::new("/data"), configured).unwrap();
        (disk, reserve)
    }

    #[test]
    fn levels_and_thresholds() {
        let (disk, watched) = reserve(900 * MIB, None);
        assert_eq!(watched.threshold_bytes(), 100 * MIB);
        assert_eq!(watched.level(), Level::Plenty);
        for (free, level) in [
            (100 * MIB, Level::Plenty),
            (100 * MIB - 1, Level::BelowReserve),
            (25 * MIB, Level::BelowReserve),
            (25 * MIB - 1, Level::BelowQuarter),
            (0, Level::BelowQuarter),
        ] {
            set(&disk, free);
            watched.expire();
            assert_eq!(watched.level(), level, "{free}");
        }
        assert!(Level::BelowQuarter < Level::BelowReserve && Level::BelowReserve < Level::Plenty);
        disk.set_room(Room { free_bytes: 1 << 40, total_bytes: 1 << 42 });
        assert_eq!(watched.level(), Level::Plenty);
        assert_eq!(watched.threshold_bytes(), RESERVE_BYTES_MAX);
        assert_eq!(reserve(10 * MIB, Some(5 * MIB)).1.level(), Level::Plenty);
        assert_eq!(reserve(0, Some(0)).1.level(), Level::Plenty);
        assert_eq!(watched.level_after((1 << 40) - MIB), Level::BelowQuarter);
    }

    #[test]
    fn it_measures_again_after_enough_was_written() {
        let (disk, watched) = reserve(900 * MIB, None);
        let before = disk.operations();
        set(&disk, 10 * MIB);
        watched.wrote(MIB - 1);
        assert_eq!(watched.level(), Level::Plenty);
        assert_eq!(disk.operations(), before, "no call to the disk");
        watched.wrote(1);
        assert_eq!(watched.level(), Level::BelowQuarter);
        // Below the reserve every call measures.
        set(&disk, 900 * MIB);
        assert_eq!(watched.level(), Level::Plenty);
        // Close to the threshold half of the distance is enough.
        set(&disk, 100 * MIB + 1000);
        watched.expire();
        assert_eq!(watched.level(), Level::Plenty);
        set(&disk, 99 * MIB);
        watched.wrote(500);
        assert_eq!(watched.level(), Level::BelowReserve);
    }

    #[test]
    fn if_it_cannot_measure_the_last_level_stands() {
        let (disk, watched) = reserve(50 * MIB, None);
        disk.fail_after_kind(1, Kind::Read, Fault::Io);
        assert_eq!(watched.level(), Level::BelowReserve);
        assert_eq!(disk.faults_waiting(), 0);
    }

    #[test]
    fn messages_name_directory_room_and_remedy() {
        let (_, watched) = reserve(50 * MIB, None);
        assert_eq!(
            watched.message(Level::BelowReserve),
            "the disk that holds /data has 50.0 MiB free, less than the reserve of 100.0 MiB: only deletes, drops, \
             trimming and reset run. Free space with `holdfast trim --history 1h`, by deleting items or tables, or \
             with `holdfast reset`."
        );
        assert_eq!(
            watched.message(Level::BelowQuarter),
            "the disk that holds /data has 50.0 MiB free, less than a quarter of the reserve of 100.0 MiB: only \
             trimming and reset without an archive run. Free space with `holdfast trim --history 1h` or `holdfast \
             reset --no-archive`, or remove other files from that disk."
        );
        let full = watched.message(Level::Plenty);
        assert!(
            full.starts_with("the disk that holds /data is full (50.0 MiB free). Free space with "),
            "{full}"
        );
    }

    #[test]
    fn bytes_are_readable() {
        let shown = [0, 1023, 1024, 1536, MIB - 1, MIB, 256 * MIB, 1 << 40, u64::MAX].map(readable);
        let expected = [
            "0 bytes",
            "1023 bytes",
            "1.0 KiB",
            "1.5 KiB",
            "1023.9 KiB",
            "1.0 MiB",
            "256.0 MiB",
            "1.0 TiB",
            "15.9 EiB",
        ];
        assert_eq!(shown, expected);
    }
}
