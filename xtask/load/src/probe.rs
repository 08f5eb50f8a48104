//! Raw syncs: 4 KiB appended to a file and fdatasync, again and again. No write that is synced by itself can be
//! quicker, so this is what durable writes are held against.

use crate::histogram::Histogram;
use crate::report::{Latency, SyncReport, rounded};
use anyhow::{Context as _, Result};
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes appended before each sync.
const BLOCK_BYTES: usize = 4096;

/// A file under probing.
pub struct Probe {
    file: File,
    block: Vec<u8>,
    histogram: Histogram,
    begun: Instant,
}

impl Probe {
    /// Makes the file `path`, which must not exist. It is left in place: removing it would disturb what follows.
    pub fn create(path: &Path) -> Result<Probe> {
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let file = file.with_context(|| format!("creating {}", path.display()))?;
        Ok(Probe { file, block: vec![0x5a; BLOCK_BYTES], histogram: Histogram::new(), begun: Instant::now() })
    }

    /// Appends and syncs once.
    pub fn once(&mut self) -> Result<()> {
        let start = Instant::now();
        self.file.write_all(&self.block).context("appending")?;
        self.file.sync_data().context("fdatasync")?;
        self.histogram.record(start.elapsed());
        Ok(())
    }

    /// What was measured so far.
    pub fn report(&self) -> SyncReport {
        let count = self.histogram.count();
        SyncReport {
            count,
            per_second: rounded(count as f64 / self.begun.elapsed().as_secs_f64().max(1e-9)),
            latency: Latency::from(&self.histogram),
        }
    }
}

/// Probes without pause for `limit`.
pub fn run(path: &Path, limit: Duration) -> Result<SyncReport> {
    let mut probe = Probe::create(path)?;
    let end = Instant::now() + limit;
    while Instant::now() < end {
        probe.once()?;
    }
    Ok(probe.report())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_a_block_each_time_and_never_to_an_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("probe");
        let mut probe = Probe::create(&path).unwrap();
        (0..3).for_each(|_| probe.once().unwrap());
        assert_eq!(path.metadata().unwrap().len(), 3 * BLOCK_BYTES as u64);
        assert_eq!(probe.report().count, 3);
        assert!(Probe::create(&path).is_err());
    }
}
