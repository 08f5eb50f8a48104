//! The file `witness`: proves what was acknowledged, independently of the log.
//!
//! Two slots of 512 bytes, written in turn, so that a torn write spoils at most the older of the two.
//! ```text
//! offset size
//!      0    8  magic "HFWITNS\x01"
//!      8    8  checksum: xxh3-64 of bytes 16 .. 512
//!     16   16  store id
//!     32    8  counter: + 1 per record; slot = counter mod 2
//!     40    8  highest acknowledged commit number
//!     48    8  highest acknowledged version
//!     56    8  flags: bit 0 = a sync has failed and writing has ended
//!     64       zeros
//! ```
//! All integers are little-endian. [`Witness::record`] is called before answers leave and only writes; the sync follows
//! once a second. So after a power cut the last second may be missing here, after a kill nothing is.

use super::Refusal;
use crate::io::{Disk, DiskFile, SECTOR_BYTES};
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::xxh3_64;

/// A sync has failed and writing has ended: what the index holds since the checkpoint is not to be trusted.
pub const FLAG_SYNC_FAILED: u64 = 1;

const MAGIC: [u8; 8] = *b"HFWITNS\x01";
/// Size of a slot: one sector.
const SLOT_BYTES: usize = 512;
const _: () = assert!(SLOT_BYTES as u64 == SECTOR_BYTES);
/// Slots in the file.
const SLOTS: usize = 2;

/// What a slot says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Highest acknowledged commit number; 0: none.
    pub commit: u64,
    /// Highest acknowledged version; 0: none.
    pub version: u64,
    /// How many records were made before this one.
    pub counter: u64,
    /// [`FLAG_SYNC_FAILED`] or 0.
    pub flags: u64,
}

/// A slot that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSlot {
    /// 0 or 1.
    pub slot: usize,
    /// What is wrong with it, as a phrase.
    pub cause: &'static str,
}

/// What a witness file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The highest record; `None` if both slots are bad.
    pub best: Option<Record>,
    /// Slots that cannot be used: warn about one; two prove nothing any more.
    pub bad: Vec<BadSlot>,
    /// Highest counter of the usable slots.
    counter: Option<u64>,
}

/// The open witness. One thread records, another may sync.
#[derive(Debug)]
pub struct Witness {
    file: Box<dyn DiskFile>,
    store: [u8; 16],
    /// Counter and content of the next record's predecessor.
    last: Mutex<Record>,
    /// Counter of the last record that was written.
    written: AtomicU64,
    /// Counter up to which records are durable.
    synced: AtomicU64,
}

impl Witness {
    /// Makes the witness of a new store, which has acknowledged nothing, and syncs it; the caller syncs the directory. A
    /// file left by an interrupted creation is replaced.
    ///
    /// # Errors
    /// What the disk said.
    pub fn create(disk: &dyn Disk, path: &Path, store: [u8; 16]) -> io::Result<Self> {
        if disk.len(path)?.is_some() {
            disk.remove(path)?;
        }
        let file = disk.create(path)?;
        let first = Record { commit: 0, version: 0, counter: 0, flags: 0 };
        let second = Record { counter: 1, ..first };
        let mut bytes = Vec::with_capacity(SLOTS * SLOT_BYTES);
        bytes.extend_from_slice(&encode(&store, &first));
        bytes.extend_from_slice(&encode(&store, &second));
        file.write_at(&bytes, 0)?;
        file.sync()?;
        Ok(Self::new(file, store, second))
    }

    fn new(file: Box<dyn DiskFile>, store: [u8; 16], last: Record) -> Self {
        let (written, synced) = (AtomicU64::new(last.counter), AtomicU64::new(last.counter));
        Self { file, store, last: Mutex::new(last), written, synced }
    }

    /// Opens the witness of the store in `dir`, ready for further records. What was found may still be in the page cache
    /// only: make a record and sync before relying on it.
    ///
    /// # Errors
    /// A refusal if the file is missing, cannot be read, or belongs to another store. Bad slots are no error here.
    pub fn open(disk: &dyn Disk, dir: &Path, store: [u8; 16]) -> Result<(Self, Found), Refusal> {
        let path = path(dir);
        let file = disk.open(&path).map_err(|e| refusal(dir, &path, &e))?;
        let found = find(&*file, dir, &path, &store)?;
        // With one bad slot the counter goes on from the good one, so that the bad one is written next.
        let last = match (found.best, found.counter) {
            (Some(best), Some(counter)) => Record { counter, ..best },
            _ => Record { commit: 0, version: 0, counter: 1, flags: 0 },
        };
        Ok((Self::new(file, store, last), found))
    }

    /// Reads the witness of the store in `dir` without opening it for writing.
    ///
    /// # Errors
    /// As [`Witness::open`].
    pub fn read(disk: &dyn Disk, dir: &Path, store: [u8; 16]) -> Result<Found, Refusal> {
        let path = path(dir);
        let file = disk.open_read(&path).map_err(|e| refusal(dir, &path, &e))?;
        find(&*file, dir, &path, &store)
    }

    /// Writes the next slot, without a sync: what is in it survives the process, not yet a power cut.
    ///
    /// # Errors
    /// What the disk said. The slot before is untouched, and the next call writes the same slot again.
    ///
    /// # Panics
    /// If `commit` or `version` is lower than in the record before: acknowledged once is acknowledged for ever.
    pub fn record(&self, commit: u64, version: u64, flags: u64) -> io::Result<()> {
        let mut last = self.last.lock();
        assert!(commit >= last.commit && version >= last.version, "the witness never goes back");
        let record = Record { commit, version, counter: last.counter + 1, flags };
        self.file.write_at(&encode(&self.store, &record), offset(record.counter))?;
        *last = record;
        self.written.store(record.counter, Ordering::Release);
        Ok(())
    }

    /// Records flags beside what was acknowledged last. May run beside [`Witness::record`] on another thread.
    ///
    /// # Errors
    /// As [`Witness::record`].
    pub fn flag(&self, flags: u64) -> io::Result<()> {
        let mut last = self.last.lock();
        let record = Record { counter: last.counter + 1, flags, ..*last };
        self.file.write_at(&encode(&self.store, &record), offset(record.counter))?;
        *last = record;
        self.written.store(record.counter, Ordering::Release);
        Ok(())
    }

    /// Makes all records so far durable; does nothing if they are. Does not hold up [`Witness::record`].
    ///
    /// # Errors
    /// As every failed sync, fatal to writing.
    pub fn sync(&self) -> io::Result<()> {
        let written = self.written.load(Ordering::Acquire);
        if self.synced.load(Ordering::Acquire) < written {
            self.file.sync()?;
            self.synced.fetch_max(written, Ordering::AcqRel);
        }
        Ok(())
    }

    /// The newest record.
    #[must_use]
    pub fn last(&self) -> Record {
        *self.last.lock()
    }
}

/// Whether the file at `path` proves that a commit was acknowledged, by whatever store.
pub(super) fn proves_commit(disk: &dyn Disk, path: &Path) -> io::Result<bool> {
    let slots = read_slots(&*disk.open_read(path)?)?;
    Ok(slots.into_iter().flatten().any(|(_, record)| record.commit > 0))
}

/// Path of the witness in a data directory.
#[must_use]
pub fn path(dir: &Path) -> PathBuf {
    dir.join(super::layout::WITNESS)
}

fn refusal(dir: &Path, path: &Path, error: &io::Error) -> Refusal {
    if error.kind() == io::ErrorKind::NotFound {
        return Refusal::missing_file(dir, path, "it does not exist");
    }
    Refusal::from_io(path, error)
}

fn find(file: &dyn DiskFile, dir: &Path, path: &Path, store: &[u8; 16]) -> Result<Found, Refusal> {
    let mut bad = Vec::new();
    let mut good: Vec<Record> = Vec::new();
    for (slot, found) in read_slots(file).map_err(|e| refusal(dir, path, &e))?.into_iter().enumerate() {
        match found {
            Ok((owner, _)) if owner != *store => {
                return Err(Refusal::damaged(dir, path, "it belongs to another store"));
            }
            Ok((_, record)) => good.push(record),
            Err(cause) => bad.push(BadSlot { slot, cause }),
        }
    }
    let counter = good.iter().map(|record| record.counter).max();
    Ok(Found { best: good.into_iter().max(), bad, counter })
}

type Slot = Result<([u8; 16], Record), &'static str>;

fn read_slots(file: &dyn DiskFile) -> io::Result<Vec<Slot>> {
    let mut bytes = [0; SLOTS * SLOT_BYTES];
    let read = file.read_at(&mut bytes, 0)?;
    let slot = |slot: usize| {
        let bytes = bytes[..read].get(slot * SLOT_BYTES..(slot + 1) * SLOT_BYTES);
        bytes.ok_or("the file is too short").and_then(|bytes| decode(bytes, slot))
    };
    Ok((0..SLOTS).map(slot).collect())
}

fn offset(counter: u64) -> u64 {
    (counter % SLOTS as u64) * SECTOR_BYTES
}

fn encode(store: &[u8; 16], record: &Record) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[..8].copy_from_slice(&MAGIC);
    slot[16..32].copy_from_slice(store);
    let numbers = [record.counter, record.commit, record.version, record.flags];
    for (place, number) in slot[32..64].chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    let checksum = xxh3_64(&slot[16..]);
    slot[8..16].copy_from_slice(&checksum.to_le_bytes());
    slot
}

fn decode(slot: &[u8], index: usize) -> Slot {
    let number = |at: usize| slot[at..at + 8].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    if slot[..8] != MAGIC {
        return Err("this is not a witness slot");
    }
    if xxh3_64(&slot[16..]) != number(8) {
        return Err("the checksum is wrong");
    }
    let record = Record { counter: number(32), commit: number(40), version: number(48), flags: number(56) };
    if offset(record.counter) != index as u64 * SECTOR_BYTES {
        return Err("the slot stands in the place of the other one");
    }
    let mut store = [0; 16];
    store.copy_from_slice(&slot[16..32]);
    Ok((store, record))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dir::RefusalKind;
    use crate::io::simulated::{Fault, Kind, SimulatedDisk};

    const STORE: [u8; 16] = [5; 16];

    fn file() -> PathBuf {
        path(Path::new("/data"))
    }

    fn fresh(seed: u64) -> (SimulatedDisk, Witness) {
        let disk = SimulatedDisk::new(seed);
        disk.put_dir(Path::new("/data"));
        let witness = Witness::create(&disk, &file(), STORE).unwrap();
        disk.sync_dir(Path::new("/data")).unwrap();
        (disk, witness)
    }

    fn open(disk: &SimulatedDisk) -> (Witness, Found) {
        Witness::open(disk, Path::new("/data"), STORE).unwrap()
    }

    fn found(disk: &SimulatedDisk) -> Found {
        let found = Witness::read(disk, Path::new("/data"), STORE).unwrap();
        assert_eq!(open(disk).1, found);
        found
    }

    fn best(disk: &SimulatedDisk) -> Record {
        found(disk).best.unwrap()
    }

    #[test]
    fn it_remembers_the_newest_record() {
        let (disk, witness) = fresh(1);
        assert_eq!(best(&disk).commit, 0);
        for commit in 1..=5 {
            witness.record(commit, commit * 10, 0).unwrap();
            assert_eq!(best(&disk), witness.last());
            assert!(found(&disk).bad.is_empty());
        }
        let (reopened, _) = open(&disk);
        reopened.record(5, 50, FLAG_SYNC_FAILED).unwrap();
        let newest = best(&disk);
        assert_eq!((newest.commit, newest.version, newest.flags), (5, 50, FLAG_SYNC_FAILED));
        reopened.record(5, 50, 0).unwrap();
        assert_eq!(best(&disk).flags, 0);
    }

    #[test]
    fn every_flipped_byte_spoils_one_slot_only() {
        let (disk, witness) = fresh(1);
        witness.record(1, 1, 0).unwrap();
        witness.record(2, 2, 0).unwrap();
        let image = disk.image();
        for at in 0..1024 {
            let bad = SimulatedDisk::from_image(1, &image);
            assert!(bad.flip(&file(), at));
            let (witness, found_bad) = open(&bad);
            assert_eq!(found_bad.bad.len(), 1, "byte {at}");
            // Counters 2 and 3 are in slots 0 and 1.
            assert_eq!(found_bad.best.unwrap().commit, if at < 512 { 2 } else { 1 });
            witness.record(2, 2, 0).unwrap();
            assert!(found(&bad).bad.is_empty(), "the bad slot is written next");
            assert_eq!(best(&bad).commit, 2);
        }
    }

    #[test]
    fn halves_and_strangers() {
        let (disk, witness) = fresh(1);
        witness.record(1, 1, 0).unwrap();
        assert!(disk.halve(&file()));
        assert_eq!((best(&disk).commit, found(&disk).bad.len()), (1, 1));
        assert!(disk.halve(&file()));
        let (witness, nothing) = open(&disk);
        assert_eq!((nothing.best, nothing.bad.len()), (None, 2));
        witness.record(9, 9, 0).unwrap();
        assert_eq!(best(&disk).commit, 9);

        let (disk, _) = fresh(1);
        let stranger = Witness::open(&disk, Path::new("/data"), [6; 16]).unwrap_err();
        assert_eq!(stranger.kind, RefusalKind::Damaged);
        disk.delete(&file());
        let missing = Witness::open(&disk, Path::new("/data"), STORE).unwrap_err();
        assert_eq!(missing.kind, RefusalKind::MissingFile);
    }

    #[test]
    fn swapped_slots_are_bad() {
        let (disk, witness) = fresh(1);
        witness.record(1, 1, 0).unwrap();
        disk.edit(&file(), |bytes| bytes.rotate_left(512));
        assert_eq!(found(&disk).bad.len(), 2);
    }

    #[test]
    fn a_power_cut_loses_at_most_what_was_not_synced_and_a_kill_nothing() {
        for seed in 0..500 {
            let (disk, witness) = fresh(seed);
            (1..=seed % 7).for_each(|n| witness.record(n, n, 0).unwrap());
            witness.sync().unwrap();
            let synced = witness.last();
            // One more record than is synced never spoils the slot that was: this is why there are two.
            witness.record(synced.commit + 1, synced.version + 1, 0).unwrap();
            disk.kill();
            assert_eq!(best(&disk.restart()).commit, synced.commit + 1);
            disk.crash();
            assert!(best(&disk.restart()).commit >= synced.commit, "seed {seed}");
        }
    }

    #[test]
    fn a_failed_write_leaves_the_other_slot_alone() {
        for seed in 0..200 {
            let (disk, witness) = fresh(seed);
            witness.record(1, 1, 0).unwrap();
            for _ in 0..3 {
                disk.fail_after_kind(1, Kind::Write, Fault::NoRoom);
                witness.record(2, 2, 0).unwrap_err();
                assert!(best(&disk).commit >= 1);
            }
            witness.record(2, 2, 0).unwrap();
            assert_eq!(best(&disk).commit, 2);
        }
    }

    #[test]
    fn a_failed_sync_is_reported_and_tried_again() {
        let (disk, witness) = fresh(1);
        witness.sync().unwrap();
        witness.record(1, 1, 0).unwrap();
        disk.fail_after_kind(1, Kind::Sync, Fault::Io);
        witness.sync().unwrap_err();
        witness.sync().unwrap();
        assert_eq!(disk.faults_waiting(), 0);
    }
}
