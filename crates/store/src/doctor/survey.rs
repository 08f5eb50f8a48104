//! Everything that can still be read of a log, whatever is wrong with it.
//!
//! Recovery stops at the first contradiction. This reads each segment sector by sector instead, also segments whose header is
//! bad, unreadable sectors (as zeros), and those that an interrupted acceptance of a loss has put aside. A frame's checksum is
//! seeded with store, segment and offset, so what is found is what was written there.
//!
//! A commit may be found in two places: at the end of one segment, and copied into a later one that took over. Frames of the
//! same number hold the same writes; the copy that counts is preferred.

use crate::engine::CommitNumber;
use crate::engine::embedded::log::frame::{self, FrameHeader, HEADER_BYTES, MAGIC, PAYLOAD_BYTES_MAX};
use crate::engine::embedded::log::segment::{self, SegmentHeader};
use crate::engine::embedded::log::{LogPosition, SEGMENT_BYTES, StoreId};
use crate::engine::{Batch, Epoch};
use crate::io::{Disk, DiskFile, SECTOR_BYTES};
use bytes::Bytes;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Ending of a segment that an acceptance of a loss has put aside. Nothing else reads such a file.
pub(super) const ASIDE: &str = ".lost";
/// No segment is longer: it may outgrow its size by as much again, and then take one frame of the greatest size.
const SEGMENT_BYTES_MAX: u64 = 2 * SEGMENT_BYTES + PAYLOAD_BYTES_MAX as u64 + (1 << 20);

/// A segment file.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) len: u64,
    /// Whether an interrupted acceptance of a loss has put it aside.
    pub(super) aside: bool,
    /// What its first sector says, or what is wrong with that.
    pub(super) header: Result<SegmentHeader, String>,
    /// Offsets of sectors that the disk could not read.
    pub(super) unreadable: Vec<u64>,
}

/// Where a valid frame stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) segment: u64,
    pub(super) offset: u64,
    pub(super) header: FrameHeader,
}

/// What there is of a log.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) segments: BTreeMap<u64, Segment>,
    frames: BTreeMap<CommitNumber, Vec<Place>>,
}

impl Survey {
    /// Reads all segments from number `first` on. A log directory that does not exist holds nothing.
    ///
    /// # Errors
    /// If the directory cannot be listed or a file cannot be opened.
    pub(super) fn read(disk: &dyn Disk, log_dir: &Path, store: &StoreId, first: u64) -> io::Result<Self> {
        let mut survey = Self::default();
        let entries = match disk.list(log_dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(survey),
            Err(error) => return Err(error),
        };
        for entry in entries.into_iter().filter(|entry| !entry.directory) {
            let name = entry.name.strip_suffix(ASIDE);
            let Some(number) = segment::number(name.unwrap_or(&entry.name)) else { continue };
            if number >= first {
                survey.segment(disk, log_dir.join(&entry.name), number, entry.len, name.is_some(), store)?;
            }
        }
        Ok(survey)
    }

    fn segment(
        &mut self,
        disk: &dyn Disk,
        path: PathBuf,
        number: u64,
        len: u64,
        aside: bool,
        store: &StoreId,
    ) -> io::Result<()> {
        let file = disk.open_read(&path)?;
        let (bytes, unreadable) = read_all(file.as_ref(), len.min(SEGMENT_BYTES_MAX));
        let first_sector = &bytes[..bytes.len().min(SECTOR_BYTES as usize)];
        let header = match SegmentHeader::decode(first_sector, number, store) {
            Err(_) if unreadable.first() == Some(&0) => Err("the header cannot be read".to_owned()),
            header => header.map_err(str::to_owned),
        };
        let mut at = SECTOR_BYTES as usize;
        while at < bytes.len() {
            match frame_at(&bytes[at..], store, number, at as u64) {
                Some(header) => {
                    let place = Place { segment: number, offset: at as u64, header };
                    self.frames.entry(header.commit).or_default().push(place);
                    at += header.frame_bytes() as usize;
                }
                None => at += SECTOR_BYTES as usize,
            }
        }
        self.segments.insert(number, Segment { path, len, aside, header, unreadable });
        Ok(())
    }

    /// The sound beginning of the log: for each commit from `start` on a frame, up to the first commit that has none.
    pub(super) fn sound(&self, start: LogPosition) -> Vec<Place> {
        let mut cuts: BTreeMap<u64, u64> = BTreeMap::new();
        let headers = self.segments.values().filter_map(|segment| segment.header.as_ref().ok());
        for position in headers.filter_map(|header| header.takes_over) {
            let cut = cuts.entry(position.segment).or_insert(position.offset);
            *cut = position.offset.min(*cut);
        }
        let given_up = |place: &Place| cuts.get(&place.segment).is_some_and(|cut| place.offset >= *cut);
        let mut sound: Vec<Place> = Vec::new();
        for commit in start.commit.. {
            let mut places = self.frames.get(&commit).cloned().unwrap_or_default();
            places.sort_by_key(|place| (given_up(place), Reverse(place.segment)));
            // What does not continue the frame before belongs to no history that leads here.
            let continues = |place: &Place| {
                let FrameHeader { first_version, last_version, epoch, .. } = place.header;
                first_version <= last_version
                    && sound.last().is_none_or(|last| {
                        first_version >= last.header.last_version && epoch >= last.header.epoch
                    })
            };
            let Some(place) = places.into_iter().find(continues) else { break };
            sound.push(place);
        }
        sound
    }

    /// The valid frame with the highest commit number.
    pub(super) fn highest(&self) -> Option<&Place> {
        self.frames.last_key_value().and_then(|(_, places)| places.last())
    }

    /// Lowest and highest commit number of any valid frame.
    pub(super) fn commits(&self) -> Option<(CommitNumber, CommitNumber)> {
        Some((*self.frames.first_key_value()?.0, *self.frames.last_key_value()?.0))
    }

    /// The highest epoch in any valid frame.
    pub(super) fn epoch(&self) -> Epoch {
        self.frames.values().flatten().map(|place| place.header.epoch).max().unwrap_or(0)
    }

    /// Reads the writes of a frame that was found.
    ///
    /// # Errors
    /// If the file has changed since.
    pub(super) fn batch(&self, disk: &dyn Disk, store: &StoreId, place: &Place) -> io::Result<Batch> {
        let changed = || io::Error::other("the log changes while it is read");
        let segment = self.segments.get(&place.segment).ok_or_else(changed)?;
        let mut bytes = vec![0u8; HEADER_BYTES + place.header.payload_bytes];
        disk.open_read(&segment.path)?.read_at(&mut bytes, place.offset)?;
        match FrameHeader::parse(&bytes) {
            Some(header) if frame::is_valid(&bytes, &header, store, place.segment, place.offset) => {
                frame::decode(&Bytes::from(bytes), &header).ok_or_else(changed)
            }
            _ => Err(changed()),
        }
    }
}

/// The frame at the beginning of `bytes`, if it is whole, right, and can be decoded.
fn frame_at(bytes: &[u8], store: &StoreId, segment: u64, offset: u64) -> Option<FrameHeader> {
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let header = FrameHeader::parse(bytes)?;
    let bytes = bytes.get(..HEADER_BYTES + header.payload_bytes)?;
    let valid = frame::is_valid(bytes, &header, store, segment, offset);
    (valid && frame::decode(&Bytes::copy_from_slice(bytes), &header).is_some()).then_some(header)
}

/// Reads a file; sectors that the disk cannot read are zeros in the answer, and their offsets are told.
fn read_all(file: &dyn DiskFile, len: u64) -> (Vec<u8>, Vec<u64>) {
    let mut bytes = vec![0u8; usize::try_from(len).unwrap_or(0)];
    if let Ok(read) = file.read_at(&mut bytes, 0) {
        bytes.truncate(read);
        return (bytes, Vec::new());
    }
    let mut unreadable = Vec::new();
    // Nothing but single bad sectors is worth the time that this takes.
    for (index, sector) in bytes.chunks_mut(SECTOR_BYTES as usize).enumerate() {
        let offset = index as u64 * SECTOR_BYTES;
        if file.read_at(sector, offset).is_err() {
            sector.fill(0);
            unreadable.push(offset);
        }
    }
    (bytes, unreadable)
}
