//! Reading the log at start.
//!
//! The rule: a bad frame is *damage* if something proves that its commit was acknowledged (a later valid frame, the
//! checkpoint, the witness); otherwise it is a *torn tail*, and ends the log. Nothing is changed while reading.

use super::frame::{self, FrameHeader, HEADER_BYTES, MAGIC};
use super::segment::{self, SegmentHeader};
use super::{LogPosition, StoreId};
use crate::engine::{Batch, CommitNumber, Epoch};
use crate::io::{Disk, DiskFile, SECTOR_BYTES};
use bytes::{Bytes, BytesMut};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// How much is read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The log contradicts itself or the checkpoint: acknowledged data is missing.
    #[error("{}: {cause}", file.display())]
    Damaged { file: PathBuf, cause: String },
    /// A segment could not be read.
    #[error("{}: {cause}", file.display())]
    Io { file: PathBuf, cause: io::Error },
}

/// What reading the log found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Number of the last commit in the log, or the one before the start position if it holds none.
    pub last_commit: CommitNumber,
    /// Last version, if any frame was read.
    pub last_version: Option<u64>,
    /// Highest epoch in any frame read, if any.
    pub epoch: Option<Epoch>,
    /// From where the next segment takes over: the start of `tail`, or the start position if nothing was found there.
    /// Segments that hold no frame are never part of what follows: their names may not be durable.
    pub take_over: LogPosition,
    /// The accepted tail: frames that may not have been synced, whole, in order.
    pub tail: Vec<Bytes>,
    /// Numbers and lengths of all segments.
    pub lengths: BTreeMap<u64, u64>,
    /// Whether the log ended in a frame that was not whole.
    pub torn: bool,
    /// The file and offset where it ended, for messages.
    pub end: (PathBuf, u64),
}

/// Reads every frame from `start` on, in order, and calls `apply` for each.
///
/// # Errors
/// [`LogError::Damaged`] names the file and what proves the damage.
pub(crate) fn recover(
    disk: &dyn Disk,
    dir: &Path,
    store: &StoreId,
    start: LogPosition,
    mut apply: impl FnMut(CommitNumber, Batch),
) -> Result<Recovered, LogError> {
    let (segments, lengths) = open_segments(disk, dir, store, start.segment)?;
    let lineage = lineage(dir, &segments, start)?;
    let mut next = start.commit;
    let mut found = Recovered {
        last_commit: start.commit - 1,
        last_version: None,
        epoch: None,
        take_over: start,
        tail: Vec::new(),
        lengths,
        torn: false,
        end: (segment::path(dir, start.segment), start.offset),
    };
    for part in &lineage {
        let mut reader = SegmentReader::new(part, dir, store);
        while let Some((header, bytes)) = reader.next_frame()? {
            if header.commit < next && part.copied_from.is_some_and(|copied| header.commit >= copied) {
                continue;
            }
            if header.commit != next {
                return Err(
                    reader.damage(format!("commit {next} is missing: commit {} follows", header.commit))
                );
            }
            let offset = reader.at - header.frame_bytes();
            let bytes = Bytes::from(bytes);
            let Some(batch) = frame::decode(&bytes, &header) else {
                return Err(
                    reader.damage(format!("commit {next} cannot be decoded though its checksum is right"))
                );
            };
            apply(next, batch);
            found.accept(&header, LogPosition { segment: part.number, offset, commit: next }, bytes);
            next += 1;
        }
        // A part without frames ends the log nowhere: a prepared segment may follow the one with the torn tail.
        let torn = reader.is_torn()?;
        if reader.at > part.from || (torn && !found.torn) {
            found.end = (part.path(dir), reader.at);
            found.torn = torn;
        }
        // A later part may go on with `next`: a refused frame can be left behind at the end of a segment. If it goes on
        // with a later commit, the check above says so.
        if let Some((offset, commit)) = reader.frame_behind(next)? {
            return Err(reader.damage(format!(
                "commit {next} is missing or damaged at byte {}, yet commit {commit} at byte {offset} proves that it \
                 was acknowledged",
                reader.at
            )));
        }
    }
    Ok(found)
}

impl Recovered {
    /// Takes a valid frame: it becomes the tail, together with those before it that it does not call durable.
    fn accept(&mut self, header: &FrameHeader, at: LogPosition, bytes: Bytes) {
        assert_eq!(header.commit, self.last_commit + 1, "frames are accepted in order");
        let known = self.tail.len() as u64;
        let first_kept = header.durable + 1;
        let first_in_tail = header.commit - known;
        let release = first_kept.saturating_sub(first_in_tail).min(known) as usize;
        self.tail.drain(..release);
        if self.tail.is_empty() {
            self.take_over = at;
        }
        self.tail.push(bytes);
        self.last_commit = header.commit;
        self.last_version = Some(header.last_version);
        self.epoch = Some(self.epoch.unwrap_or(0).max(header.epoch));
    }
}

/// A segment that was opened.
#[derive(Debug)]
struct OpenSegment {
    header: SegmentHeader,
    file: Box<dyn DiskFile>,
    len: u64,
}

type Segments = BTreeMap<u64, OpenSegment>;

/// Opens all segments at or above `first` and checks their headers.
fn open_segments(
    disk: &dyn Disk,
    dir: &Path,
    store: &StoreId,
    first: u64,
) -> Result<(Segments, BTreeMap<u64, u64>), LogError> {
    let entries = disk.list(dir).map_err(|cause| LogError::Io { file: dir.to_path_buf(), cause })?;
    let mut segments = Segments::new();
    let mut lengths = BTreeMap::new();
    for entry in entries {
        let Some(number) = segment::number(&entry.name) else { continue };
        lengths.insert(number, entry.len);
        if number < first {
            continue;
        }
        let path = segment::path(dir, number);
        let io = |cause| LogError::Io { file: path.clone(), cause };
        let file = disk.open_read(&path).map_err(io)?;
        let mut sector = vec![0u8; SECTOR_BYTES as usize];
        let read = file.read_at(&mut sector, 0).map_err(io)?;
        let header = SegmentHeader::decode(&sector[..read], number, store)
            .map_err(|cause| LogError::Damaged { file: path.clone(), cause: cause.to_owned() })?;
        segments.insert(number, OpenSegment { header, file, len: entry.len });
    }
    Ok((segments, lengths))
}

/// The part of a segment that counts.
#[derive(Debug)]
struct Part<'a> {
    number: u64,
    file: &'a dyn DiskFile,
    /// Where reading begins.
    from: u64,
    /// Where reading ends: the end of the file, or the point from which a later segment took over.
    to: u64,
    /// Whether `to` is such a point: then whatever stands beyond was given up long ago.
    cut: bool,
    /// First commit that was copied into this segment at a start.
    copied_from: Option<CommitNumber>,
}

impl Part<'_> {
    fn path(&self, dir: &Path) -> PathBuf {
        segment::path(dir, self.number)
    }
}

/// Orders the segments that count, oldest first, from the one that holds `start`.
fn lineage<'a>(dir: &Path, segments: &'a Segments, start: LogPosition) -> Result<Vec<Part<'a>>, LogError> {
    let missing = |number: u64, why: &str| LogError::Damaged {
        file: segment::path(dir, number),
        cause: format!("this log segment is missing ({why})"),
    };
    let mut parts = Vec::new();
    let Some((&newest, _)) = segments.last_key_value() else {
        return Err(missing(start.segment, "the checkpoint needs it"));
    };
    let mut number = newest;
    let mut cut: Option<u64> = None;
    loop {
        let Some(open) = segments.get(&number) else {
            return Err(missing(number, "a newer one follows it"));
        };
        let from = if number == start.segment { start.offset } else { SECTOR_BYTES };
        let to = cut.unwrap_or(open.len).max(from);
        parts.push(Part {
            number,
            file: open.file.as_ref(),
            from,
            to,
            cut: cut.is_some(),
            copied_from: open.header.takes_over.map(|position| position.commit),
        });
        if number == start.segment {
            if from > open.len {
                let cause =
                    format!("the file ends at byte {}, before byte {from} where the log goes on", open.len);
                return Err(LogError::Damaged { file: segment::path(dir, number), cause });
            }
            break;
        }
        match open.header.takes_over {
            Some(position) if position.segment < start.segment => {
                return Err(missing(start.segment, "the segments that follow do not continue it"));
            }
            Some(position) => {
                number = position.segment;
                cut = Some(position.offset);
            }
            None => {
                number -= 1;
                cut = None;
            }
        }
        if number < start.segment {
            return Err(missing(start.segment, "the checkpoint needs it"));
        }
    }
    parts.reverse();
    Ok(parts)
}

/// Reads the frames of one part of a segment.
struct SegmentReader<'a> {
    part: &'a Part<'a>,
    path: PathBuf,
    store: &'a StoreId,
    /// Where the next frame begins.
    at: u64,
    window: BytesMut,
    window_at: u64,
}

impl<'a> SegmentReader<'a> {
    fn new(part: &'a Part<'a>, dir: &Path, store: &'a StoreId) -> Self {
        Self {
            part,
            path: part.path(dir),
            store,
            at: part.from,
            window: BytesMut::new(),
            window_at: part.from,
        }
    }

    fn damage(&self, cause: String) -> LogError {
        LogError::Damaged { file: self.path.clone(), cause }
    }

    /// Bytes `at .. at + len`, fewer at the end of the part.
    fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8], LogError> {
        let len = len.min(self.part.to.saturating_sub(at) as usize);
        let window_end = self.window_at + self.window.len() as u64;
        if at < self.window_at || at + len as u64 > window_end {
            let want = len.max(WINDOW_BYTES).min(self.part.to.saturating_sub(at) as usize);
            self.window.resize(want, 0);
            let read = self
                .part
                .file
                .read_at(&mut self.window, at)
                .map_err(|cause| LogError::Io { file: self.path.clone(), cause })?;
            self.window.truncate(read);
            self.window_at = at;
        }
        let start = (at - self.window_at) as usize;
        let end = (start + len).min(self.window.len());
        Ok(&self.window[start..end])
    }

    /// The frame at `at`, if it is whole and right.
    fn frame_at(&mut self, at: u64) -> Result<Option<(FrameHeader, Vec<u8>)>, LogError> {
        let Some(header) = FrameHeader::parse(self.bytes(at, HEADER_BYTES)?) else { return Ok(None) };
        let (store, number) = (*self.store, self.part.number);
        let bytes = self.bytes(at, HEADER_BYTES + header.payload_bytes)?;
        let valid = frame::is_valid(bytes, &header, &store, number, at);
        Ok(valid.then(|| (header, bytes.to_vec())))
    }

    fn next_frame(&mut self) -> Result<Option<(FrameHeader, Vec<u8>)>, LogError> {
        let frame = self.frame_at(self.at)?;
        if let Some((header, _)) = &frame {
            self.at += header.frame_bytes();
        }
        Ok(frame)
    }

    /// Whether something that is not zeros stands where the next frame would begin.
    fn is_torn(&mut self) -> Result<bool, LogError> {
        let at = self.at;
        Ok(!self.part.cut && self.bytes(at, HEADER_BYTES)?.iter().any(|byte| *byte != 0))
    }

    /// The first valid frame at or behind the end that belongs to commit `next` or later.
    fn frame_behind(&mut self, next: CommitNumber) -> Result<Option<(u64, CommitNumber)>, LogError> {
        if self.part.cut {
            return Ok(None);
        }
        let mut at = self.at + SECTOR_BYTES;
        while at < self.part.to {
            let here = self.bytes(at, SECTOR_BYTES as usize)?;
            if here.starts_with(&MAGIC)
                && let Some((header, _)) = self.frame_at(at)?
                && header.commit >= next
            {
                return Ok(Some((at, header.commit)));
            }
            at += SECTOR_BYTES;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame::FrameBuffer;
    use super::super::writer::LogWriter;
    use super::*;
    use crate::engine::Write;
    use crate::io::simulated::SimulatedDisk;
    use std::sync::Arc;

    const STORE: StoreId = [5; 16];

    /// Segment 1 with so many commits, and a prepared segment 2 without any.
    fn log(commits: u64) -> SimulatedDisk {
        let disk = SimulatedDisk::new(1);
        let dir = Path::new("/log");
        disk.put_dir(dir);
        let shared: Arc<dyn Disk> = Arc::new(disk.clone());
        let mut writer = LogWriter::take_over(shared, dir, STORE, BTreeMap::new(), None, &[]).unwrap();
        let mut frame = FrameBuffer::default();
        for commit in 1..=commits {
            let write = Write { key: Bytes::from_static(b"k"), value: Some(vec![7; 2_000].into()) };
            let batch = Batch { writes: vec![write], first_version: commit, last_version: commit };
            frame.fill(&batch, commit, 1, commit - 1);
            writer.append(&mut frame).unwrap();
            writer.sync().unwrap();
        }
        assert!(writer.preparer().prepare().unwrap());
        disk
    }

    fn read(disk: &SimulatedDisk) -> Recovered {
        let start = LogPosition { segment: 1, offset: SECTOR_BYTES, commit: 1 };
        recover(disk, Path::new("/log"), &STORE, start, |_, _| {}).unwrap()
    }

    #[test]
    fn a_torn_tail_is_seen_though_an_empty_segment_follows() {
        let disk = log(3);
        let found = read(&disk);
        let first = PathBuf::from("/log/0000000000000001.log");
        assert_eq!((found.last_commit, found.torn), (3, false));
        assert_eq!(found.end, (first.clone(), 3 * 2_560 + SECTOR_BYTES));
        disk.flip(&first, 2 * 2_560 + SECTOR_BYTES + 1_000);
        let found = read(&disk);
        assert_eq!((found.last_commit, found.torn), (2, true));
        assert_eq!(found.end, (first, 2 * 2_560 + SECTOR_BYTES));
    }
}
