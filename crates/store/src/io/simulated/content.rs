//! The bytes of one simulated file: sparse, and cheap to copy.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

const PAGE_BYTES: usize = 4096;

type Page = [u8; PAGE_BYTES];

/// Bytes from 0 to `len`. Pages that were never written are zeros and take no memory; clones share pages.
///
/// Invariant: bytes of pages beyond `len` are zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    len: u64,
    pages: BTreeMap<u64, Arc<Page>>,
}

impl Content {
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.write(0, bytes);
        content
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(self.len).expect("simulated files fit in memory")];
        self.read(0, &mut bytes);
        bytes
    }

    /// Reads up to the end; returns how many bytes were read.
    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let end = self.len.min(offset.saturating_add(buffer.len() as u64));
        if end <= offset {
            return 0;
        }
        let mut done = 0;
        for (page, within) in spans(offset, end) {
            let target = &mut buffer[done..done + within.len()];
            done += within.len();
            match self.pages.get(&page) {
                Some(bytes) => target.copy_from_slice(&bytes[within]),
                None => target.fill(0),
            }
        }
        done
    }

    /// Writes, growing the file if needed.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset + bytes.len() as u64;
        let mut done = 0;
        for (page, within) in spans(offset, end) {
            let source = &bytes[done..done + within.len()];
            done += within.len();
            let page = self.pages.entry(page).or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            Arc::make_mut(page)[within].copy_from_slice(source);
        }
        if !bytes.is_empty() {
            self.len = self.len.max(end);
        }
    }

    /// Bytes on the medium: whole pages, holes not counted.
    pub(super) fn allocated_bytes(&self) -> u64 {
        self.pages.len() as u64 * PAGE_BYTES as u64
    }

    /// How many of the first of `len` bytes can be written at `offset` if pages of `free_bytes` may be added.
    pub(super) fn fitting(&self, offset: u64, len: usize, free_bytes: u64) -> usize {
        let mut free_pages = free_bytes / PAGE_BYTES as u64;
        let mut fits = 0;
        for (page, within) in spans(offset, offset + len as u64) {
            if !self.pages.contains_key(&page) {
                if free_pages == 0 {
                    break;
                }
                free_pages -= 1;
            }
            fits += within.len();
        }
        fits
    }

    /// Fills with zeros what the file has of a range; never grows it.
    pub(super) fn zero(&mut self, range: Range<u64>) {
        for (page, within) in spans(range.start, range.end.min(self.len)) {
            if let Some(bytes) = self.pages.get_mut(&page) {
                Arc::make_mut(bytes)[within].fill(0);
            }
        }
    }

    /// Cuts, or extends with zeros.
    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.len {
            self.zero(len..self.len);
            self.pages.split_off(&len.div_ceil(PAGE_BYTES as u64));
        }
        self.len = len;
    }

    /// Extends with zeros if it is shorter.
    pub(super) fn grow(&mut self, len: u64) {
        self.len = self.len.max(len);
    }
}

/// The pages of a byte range: page number and range within the page, in order.
fn spans(start: u64, end: u64) -> impl Iterator<Item = (u64, Range<usize>)> {
    let page = PAGE_BYTES as u64;
    let mut at = start;
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let number = at / page;
        let stop = end.min((number + 1) * page);
        let within = usize::try_from(at - number * page).ok()?..usize::try_from(stop - number * page).ok()?;
        at = stop;
        Some((number, within))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    enum Step {
        Write(u64, Vec<u8>),
        SetLen(u64),
        Zero(u64, u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..20_000_u64, prop::collection::vec(any::<u8>(), 0..9000)).prop_map(|(o, b)| Step::Write(o, b)),
            (0..20_000_u64).prop_map(Step::SetLen),
            (0..20_000_u64, 0..20_000_u64).prop_map(|(a, b)| Step::Zero(a.min(b), a.max(b))),
        ]
    }

    proptest! {
        #[test]
        fn behaves_like_a_vector(steps in prop::collection::vec(step(), 1..30)) {
            let mut content = Content::default();
            let mut model: Vec<u8> = Vec::new();
            for step in steps {
                match step {
                    Step::Write(offset, bytes) => {
                        content.write(offset, &bytes);
                        let offset = usize::try_from(offset).unwrap();
                        if !bytes.is_empty() {
                            model.resize(model.len().max(offset + bytes.len()), 0);
                            model[offset..offset + bytes.len()].copy_from_slice(&bytes);
                        }
                    }
                    Step::SetLen(len) => {
                        content.set_len(len);
                        model.resize(usize::try_from(len).unwrap(), 0);
                    }
                    Step::Zero(from, to) => {
                        content.zero(from..to);
                        let to = usize::try_from(to).unwrap().min(model.len());
                        let from = usize::try_from(from).unwrap().min(to);
                        model[from..to].fill(0);
                    }
                }
                prop_assert_eq!(content.len(), model.len() as u64);
            }
            prop_assert_eq!(content.to_vec(), model);
        }
    }
}
