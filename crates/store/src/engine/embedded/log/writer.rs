//! Appends frames, and keeps the next segment ready so that no commit waits for one to be made.
//!
//! A segment that was prepared is filled with zeros and synced: overwriting written blocks needs no journal commit of the
//! file system, which halves the time of a sync (measured: 4 KiB append + `fdatasync` p50 183 µs, overwrite 85 µs).

use super::frame::FrameBuffer;
use super::segment::{self, SegmentHeader};
use super::{LogPosition, SEGMENT_BYTES, StoreId};
use crate::io::{Disk, DiskFile, SECTOR_BYTES};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How far beyond [`SEGMENT_BYTES`] a segment may grow while the next one is not ready.
const OVERRUN_BYTES_MAX: u64 = 16 << 20;
/// Zeros are written and synced in pieces of this size, so that no sync of the log waits behind a large one.
const FILL_BYTES: usize = 512 << 10;

/// A segment that takes frames.
#[derive(Debug)]
struct Segment {
    number: u64,
    file: Box<dyn DiskFile>,
    /// Where the next frame goes.
    end: u64,
    /// Up to here the file's blocks are written, so that a sync needs no journal commit.
    filled: u64,
}

/// Where a segment ready for use is handed from the preparer to the writer.
#[derive(Debug, Default)]
struct Slot {
    /// Number of the segment to prepare, if one is wanted.
    wanted: Option<u64>,
    ready: Option<Segment>,
}

/// Makes segments. Shared by the writer (at need) and a background thread (ahead of time).
#[derive(Debug, Clone)]
pub(crate) struct SegmentPreparer {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    store: StoreId,
    slot: Arc<Mutex<Slot>>,
    /// Held while a segment is being made: the temporary name belongs to one maker.
    making: Arc<Mutex<()>>,
    /// Numbers and lengths of all segments on disk, for sizes and cutting.
    lengths: Arc<Mutex<BTreeMap<u64, u64>>>,
}

impl SegmentPreparer {
    /// Makes the wanted segment, filled with zeros, if there is one wanted. Returns whether it made one.
    ///
    /// # Errors
    /// What the disk said; nothing is left behind but perhaps the temporary file.
    pub(crate) fn prepare(&self) -> io::Result<bool> {
        let _making = self.making.lock();
        let Some(number) = self.slot.lock().wanted else { return Ok(false) };
        let segment = self.make(&SegmentHeader { store: self.store, number, takes_over: None }, &[], true)?;
        let mut slot = self.slot.lock();
        assert_eq!(slot.wanted, Some(number), "only a maker takes what is wanted");
        slot.wanted = None;
        slot.ready = Some(segment);
        Ok(true)
    }

    /// Whether a segment is wanted.
    pub(crate) fn is_wanted(&self) -> bool {
        self.slot.lock().wanted.is_some()
    }

    /// Creates a segment with frames in it, complete or not at all.
    fn make(&self, header: &SegmentHeader, frames: &[u8], fill: bool) -> io::Result<Segment> {
        let temporary = self.dir.join(segment::TEMPORARY);
        let made = self.make_as(&temporary, header, frames, fill);
        if made.is_err()
            && let Err(error) = self.disk.remove(&temporary)
        {
            // Best effort: on a full disk its room is needed at once. The next one made removes what is left.
            tracing::debug!(%error, "an incomplete segment cannot be removed");
        }
        made
    }

    fn make_as(
        &self,
        temporary: &Path,
        header: &SegmentHeader,
        frames: &[u8],
        fill: bool,
    ) -> io::Result<Segment> {
        if self.disk.len(temporary)?.is_some() {
            self.disk.remove(temporary)?;
        }
        let file = self.disk.create(temporary)?;
        file.write_at(&header.encode(), 0)?;
        file.write_at(frames, SECTOR_BYTES)?;
        let end = SECTOR_BYTES + frames.len() as u64;
        let mut filled = end;
        if fill {
            let zeros = vec![0u8; FILL_BYTES];
            while filled < SEGMENT_BYTES {
                let piece = zeros.len().min((SEGMENT_BYTES - filled) as usize);
                file.write_at(&zeros[..piece], filled)?;
                file.sync()?;
                filled += piece as u64;
            }
        }
        file.sync()?;
        let path = segment::path(&self.dir, header.number);
        self.disk.rename(temporary, &path)?;
        self.disk.sync_dir(&self.dir)?;
        self.lengths.lock().insert(header.number, filled);
        Ok(Segment { number: header.number, file, end, filled })
    }
}

/// The one appender. Used by one thread at a time.
#[derive(Debug)]
pub(crate) struct LogWriter {
    preparer: SegmentPreparer,
    current: Segment,
}

impl LogWriter {
    /// Makes a new segment that takes over from `position` with `frames` (whole, to be placed anew), and writes from there.
    ///
    /// `lengths` are the numbers and lengths of the segments that are there already.
    pub(crate) fn take_over(
        disk: Arc<dyn Disk>,
        dir: &Path,
        store: StoreId,
        lengths: BTreeMap<u64, u64>,
        position: Option<LogPosition>,
        frames: &[bytes::Bytes],
    ) -> io::Result<Self> {
        let number = lengths.last_key_value().map_or(1, |(last, _)| last + 1);
        let mut placed = Vec::new();
        let mut buffer = FrameBuffer::default();
        for frame in frames {
            buffer.copy_from(frame);
            let offset = SECTOR_BYTES + placed.len() as u64;
            placed.extend_from_slice(buffer.place(&store, number, offset));
        }
        let preparer = SegmentPreparer {
            disk,
            dir: dir.to_path_buf(),
            store,
            slot: Arc::default(),
            making: Arc::default(),
            lengths: Arc::new(Mutex::new(lengths)),
        };
        let header = SegmentHeader { store, number, takes_over: position };
        let current = {
            let _making = preparer.making.lock();
            preparer.make(&header, &placed, false)?
        };
        preparer.slot.lock().wanted = Some(number + 1);
        Ok(Self { preparer, current })
    }

    /// Removes the segments between the one that was taken over from and this one: nothing in them counts any more. Without
    /// it every start that is killed would leave its prepared segment behind.
    pub(crate) fn remove_dead(&self, position: LogPosition) -> io::Result<()> {
        let preparer = &self.preparer;
        let between = position.segment + 1..self.current.number;
        let dead: Vec<u64> = preparer.lengths.lock().range(between).map(|(number, _)| *number).collect();
        for number in dead {
            preparer.disk.remove(&segment::path(&preparer.dir, number))?;
            preparer.lengths.lock().remove(&number);
        }
        Ok(())
    }

    /// The maker of segments, for the background thread.
    pub(crate) fn preparer(&self) -> SegmentPreparer {
        self.preparer.clone()
    }

    /// Where the frame of commit `commit` will begin if nothing else is appended first.
    ///
    /// It may in fact begin in a later segment: recovery reads on from here.
    pub(crate) fn position(&self, commit: u64) -> LogPosition {
        LogPosition { segment: self.current.number, offset: self.current.end, commit }
    }

    /// Writes a frame behind the last one. It is durable only after [`LogWriter::sync`].
    ///
    /// # Errors
    /// On an error nothing counts as written: the next frame goes to the same place.
    pub(crate) fn append(&mut self, frame: &mut FrameBuffer) -> io::Result<u64> {
        let bytes = frame.frame_bytes();
        self.switch_if_due(bytes)?;
        let placed = frame.place(&self.preparer.store, self.current.number, self.current.end);
        assert_eq!(placed.len() as u64, bytes, "a frame is as long as it said");
        self.current.file.write_at(placed, self.current.end)?;
        self.current.end += bytes;
        if self.current.end > self.current.filled {
            self.current.filled = self.current.end;
            self.preparer.lengths.lock().insert(self.current.number, self.current.end);
        }
        Ok(bytes)
    }

    /// Makes sure that a frame whose append failed is never read as one, whatever part of it was written.
    ///
    /// The refused frame may stand whole in the file (an error can come after its last byte), and the next frame may go
    /// to another segment: so its first sector is cleared and synced before anything else happens.
    pub(crate) fn discard(&self) -> io::Result<()> {
        if self.current.file.len()? <= self.current.end {
            return Ok(());
        }
        self.current.file.write_at(&[0; SECTOR_BYTES as usize], self.current.end)?;
        self.current.file.sync()
    }

    /// Makes everything appended durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.current.file.sync()
    }

    /// Goes on in the next segment if the frame would need blocks that are not written yet.
    ///
    /// Invariant: everything in the current segment has been synced when this runs, so that a segment is only left behind
    /// whole.
    fn switch_if_due(&mut self, frame_bytes: u64) -> io::Result<()> {
        let end = self.current.end + frame_bytes;
        if end <= self.current.filled {
            return Ok(());
        }
        if self.current.end >= SEGMENT_BYTES + OVERRUN_BYTES_MAX
            && let Err(error) = self.preparer.prepare()
        {
            // No reason to refuse anything: the log goes on in the segment it has.
            tracing::warn!(%error, "the next log segment cannot be made yet");
        }
        let mut slot = self.preparer.slot.lock();
        let Some(next) = slot.ready.take() else { return Ok(()) };
        assert_eq!(next.number, self.current.number + 1, "segments follow each other");
        slot.wanted = Some(next.number + 1);
        self.current = next;
        Ok(())
    }

    /// Removes the segments below `position`, which a durable checkpoint no longer needs.
    pub(crate) fn cut(preparer: &SegmentPreparer, position: LogPosition) -> io::Result<()> {
        let old: Vec<u64> =
            preparer.lengths.lock().range(..position.segment).map(|(number, _)| *number).collect();
        for number in &old {
            preparer.disk.remove(&segment::path(&preparer.dir, *number))?;
            preparer.lengths.lock().remove(number);
        }
        if old.is_empty() { Ok(()) } else { preparer.disk.sync_dir(&preparer.dir) }
    }
}

impl SegmentPreparer {
    /// Bytes of all segment files.
    pub(crate) fn log_bytes(&self) -> u64 {
        self.lengths.lock().values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::simulated::{Fault, Kind, SimulatedDisk};

    #[test]
    fn a_segment_that_finds_no_room_leaves_its_part_of_it() {
        let disk = SimulatedDisk::new(1);
        let dir = Path::new("/log");
        disk.put_dir(dir);
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let writer = LogWriter::take_over(shared, dir, [5; 16], BTreeMap::new(), None, &[]).unwrap();
        disk.fail_after_kind(3, Kind::Write, Fault::NoRoom);
        writer.preparer().prepare().unwrap_err();
        let names: Vec<PathBuf> = disk.files().into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, [segment::path(dir, 1)]);
        assert!(writer.preparer().prepare().unwrap(), "the next try succeeds");
    }
}
