//! One simulated file: what is on the medium, what the page cache shows, and what a crash makes of the difference.

use super::content::Content;
use super::random::Random;
use crate::io::SECTOR_BYTES;
use std::ops::Range;

/// A change that no sync has made durable yet.
#[derive(Debug, Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    SetLen(u64),
}

/// A file. Reads come from `cache`; only `durable`, and what chance keeps of `pending`, survives a power cut.
#[derive(Debug, Clone, Default)]
pub(super) struct FileNode {
    durable: Content,
    cache: Content,
    /// In the order in which they were made.
    pending: Vec<Change>,
    /// Whether a failed sync has dropped changes that the cache still shows.
    dropped: bool,
}

/// What becomes of one sector of an unsynced write when the power goes.
enum Fate {
    Kept,
    Lost,
    /// Only the first bytes arrived.
    Torn,
    /// The whole sector reads as zeros, also bytes of it that this write did not touch.
    Zeroed,
}

impl FileNode {
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let durable = Content::from_bytes(bytes);
        Self { cache: durable.clone(), durable, ..Self::default() }
    }

    pub(super) fn len(&self) -> u64 {
        self.cache.len()
    }

    pub(super) fn allocated_bytes(&self) -> u64 {
        self.cache.allocated_bytes()
    }

    /// How many of the first of `len` bytes can be written at `offset` with `free_bytes` of room.
    pub(super) fn fitting(&self, offset: u64, len: usize, free_bytes: u64) -> usize {
        self.cache.fitting(offset, len, free_bytes)
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        self.cache.to_vec()
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        self.cache.read(offset, buffer)
    }

    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.cache.write(offset, bytes);
            self.pending.push(Change::Write { offset, bytes: bytes.to_vec() });
        }
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.cache.set_len(len);
        self.pending.push(Change::SetLen(len));
    }

    /// Whether a power cut could leave anything else than what the cache shows.
    pub(super) fn is_synced(&self) -> bool {
        self.pending.is_empty() && !self.dropped
    }

    /// Makes the pending changes durable. What an earlier failed sync has dropped stays lost, though the cache shows it.
    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write { offset, bytes } => self.durable.write(offset, &bytes),
                Change::SetLen(len) => self.durable.set_len(len),
            }
        }
    }

    /// A sync that fails: each sector of each change is now durable, still pending, or silently dropped.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        // A change may not become durable before a change of length that precedes it.
        let mut behind_a_cut = false;
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::SetLen(len) => match random.below(3) {
                    0 if !behind_a_cut => self.durable.set_len(len),
                    1 => {
                        self.pending.push(Change::SetLen(len));
                        behind_a_cut = true;
                    }
                    _ => self.dropped = true,
                },
                Change::Write { offset, bytes } => {
                    for range in sectors(offset, offset + bytes.len() as u64) {
                        let piece = within(&bytes, offset, &range);
                        match random.below(3) {
                            0 if !behind_a_cut => self.durable.write(range.start, piece),
                            1 => self
                                .pending
                                .push(Change::Write { offset: range.start, bytes: piece.to_vec() }),
                            _ => self.dropped = true,
                        }
                    }
                }
            }
        }
    }

    /// A power cut: what is left is durable, and the cache is gone.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let changes = std::mem::take(&mut self.pending);
        if !changes.is_empty() {
            self.settle(&changes, random);
        }
        self.cache = self.durable.clone();
        self.dropped = false;
    }

    fn settle(&mut self, changes: &[Change], random: &mut Random) {
        // Changes of length reach the medium in order, up to some point: none, all, or any in between.
        let until = match random.below(3) {
            0 => 0,
            1 => changes.len(),
            _ => random.index(changes.len() + 1),
        };
        for change in &changes[..until] {
            match change {
                Change::Write { offset, bytes } => self.durable.grow(offset + bytes.len() as u64),
                Change::SetLen(len) => self.durable.set_len(*len),
            }
        }
        let visible = visible_ends(changes, until);
        let mut pieces: Vec<(usize, Range<u64>)> = Vec::new();
        for (i, change) in changes.iter().enumerate() {
            if let Change::Write { offset, bytes } = change {
                let end = (offset + bytes.len() as u64).min(visible[i]).min(self.durable.len());
                pieces.extend(sectors(*offset, end).map(|range| (i, range)));
            }
        }
        if random.chance(50) {
            random.shuffle(&mut pieces);
        }
        let kept_percent = [0, 10, 50, 90, 100][random.index(5)];
        for (i, range) in pieces {
            let Change::Write { offset, bytes } = &changes[i] else { continue };
            let piece = within(bytes, *offset, &range);
            match fate(kept_percent, random) {
                Fate::Kept => self.durable.write(range.start, piece),
                Fate::Lost => {}
                Fate::Torn => self.durable.write(range.start, &piece[..random.index(piece.len())]),
                Fate::Zeroed => {
                    let sector = range.start / SECTOR_BYTES * SECTOR_BYTES;
                    self.durable.zero(sector..sector + SECTOR_BYTES);
                }
            }
        }
    }
}

fn fate(kept_percent: u64, random: &mut Random) -> Fate {
    if random.chance(kept_percent) {
        return Fate::Kept;
    }
    match random.below(4) {
        0 => Fate::Torn,
        1 => Fate::Zeroed,
        _ => Fate::Lost,
    }
}

/// For each change, the end of what can be seen of it: a cut between it and the surviving length hides what was beyond.
///
/// A write before `until` is hidden by the cuts after it that took place; a write after `until` went to blocks that the
/// file does not have if a cut that did not take place came before it.
fn visible_ends(changes: &[Change], until: usize) -> Vec<u64> {
    let mut ends = vec![u64::MAX; changes.len()];
    let mut cut = u64::MAX;
    for i in (0..until).rev() {
        ends[i] = cut;
        if let Change::SetLen(len) = changes[i] {
            cut = cut.min(len);
        }
    }
    cut = u64::MAX;
    for i in until..changes.len() {
        ends[i] = cut;
        if let Change::SetLen(len) = changes[i] {
            cut = cut.min(len);
        }
    }
    ends
}

/// Splits a byte range at sector boundaries.
fn sectors(start: u64, end: u64) -> impl Iterator<Item = Range<u64>> {
    let mut at = start;
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let stop = end.min((at / SECTOR_BYTES + 1) * SECTOR_BYTES);
        let range = at..stop;
        at = stop;
        Some(range)
    })
}

/// The bytes of a write at `offset` that fall into `range`.
fn within<'a>(bytes: &'a [u8], offset: u64, range: &Range<u64>) -> &'a [u8] {
    let index = |at: u64| usize::try_from(at - offset).expect("a range of this write");
    &bytes[index(range.start)..index(range.end)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
        Sync,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..6000_u64, 1..255_u8, 1..3000_usize).prop_map(|(o, b, n)| Step::Write(o, vec![b; n])),
            1 => (0..6000_u64).prop_map(Step::SetLen),
            2 => Just(Step::Sync),
        ]
    }

    proptest! {
        /// Whatever the seed: sectors untouched since the last sync are as they were synced, and every other byte is one
        /// that was written there, or zero.
        #[test]
        fn synced_data_survives(steps in prop::collection::vec(step(), 1..25), seed: u64) {
            let mut file = FileNode::default();
            let mut synced: Vec<u8> = Vec::new();
            let mut touched = [false; 32];
            let mut ever: Vec<Vec<u8>> = vec![vec![0]; 9216];
            let mut shortest = u64::MAX;
            for step in steps {
                match step {
                    Step::Write(offset, bytes) => {
                        file.write(offset, &bytes);
                        let end = offset + bytes.len() as u64;
                        for s in offset / 512..=(end - 1) / 512 {
                            touched[usize::try_from(s).unwrap()] = true;
                        }
                        (offset..end).for_each(|at| ever[usize::try_from(at).unwrap()].push(bytes[0]));
                    }
                    Step::SetLen(len) => {
                        shortest = shortest.min(len);
                        file.set_len(len);
                    }
                    Step::Sync => {
                        file.sync();
                        prop_assert!(file.is_synced());
                        synced = file.to_vec();
                        touched = [false; 32];
                        shortest = u64::MAX;
                    }
                }
            }
            file.crash(&mut Random::new(seed));
            let after = file.to_vec();
            prop_assert!(after.len() as u64 >= shortest.min(synced.len() as u64));
            for (at, byte) in after.iter().enumerate() {
                prop_assert!(ever[at].contains(byte), "byte {at} was never written");
                if at < synced.len() && !touched[at / 512] && (at as u64) < shortest {
                    prop_assert_eq!(*byte, synced[at]);
                }
            }
            file.crash(&mut Random::new(seed ^ 1));
            prop_assert_eq!(after, file.to_vec(), "what a crash left is durable");
        }
    }

    #[test]
    fn a_crash_keeps_loses_tears_and_zeroes() {
        let (mut old, mut new, mut torn, mut zeroed, mut short) = (0, 0, 0, 0, 0);
        for seed in 0..1000 {
            let mut file = FileNode::from_bytes(&[1; 512]);
            file.write(0, &[2; 1024]);
            file.crash(&mut Random::new(seed));
            let bytes = file.to_vec();
            short += u32::from(bytes.len() == 512);
            match &bytes[..512] {
                b if b.iter().all(|b| *b == 1) => old += 1,
                b if b.iter().all(|b| *b == 2) => new += 1,
                b if b.iter().all(|b| *b == 0) => zeroed += 1,
                _ => torn += 1,
            }
        }
        assert!([old, new, torn, zeroed, short].iter().all(|count| *count > 50));
    }

    #[test]
    fn the_order_of_overlapping_writes_is_not_kept() {
        let survivors: Vec<u8> = (0..200)
            .map(|seed| {
                let mut file = FileNode::from_bytes(&[0; 512]);
                (1..=3).for_each(|byte| file.write(0, &[byte; 512]));
                file.crash(&mut Random::new(seed));
                file.to_vec()[0]
            })
            .collect();
        (0..=3).for_each(|byte| assert!(survivors.contains(&byte), "{byte} never won"));
    }

    #[test]
    fn a_failed_sync_drops_silently() {
        let (mut lost, mut durable, mut later) = (0, 0, 0);
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let mut file = FileNode::from_bytes(&[1; 512]);
            file.write(0, &[2; 512]);
            file.fail_sync(&mut random);
            assert_eq!(file.to_vec(), [2; 512], "the cache still shows it");
            let pending = !file.pending.is_empty();
            file.sync();
            file.crash(&mut random);
            match (file.to_vec()[0], pending) {
                (1, _) => lost += 1,
                (_, true) => later += 1,
                (_, false) => durable += 1,
            }
        }
        assert!(lost > 50 && durable > 50 && later > 50);
    }

    #[test]
    fn what_is_written_and_synced_after_a_failed_sync_is_durable() {
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let mut file = FileNode::from_bytes(&[1; 2048]);
            file.write(0, &[2; 1024]);
            file.fail_sync(&mut random);
            file.write(0, &[3; 2048]);
            file.sync();
            file.crash(&mut random);
            assert_eq!(file.to_vec(), [3; 2048]);
        }
    }
}
