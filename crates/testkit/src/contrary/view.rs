//! Views of the contrary engine: ranges that fetch every row by itself, rows that cannot be read.

use bytes::Bytes;
use holdfast_store::engine::{CommitNumber, Pair, Range, ReadError, View};
use std::ops::Bound;
use std::sync::Arc;

/// A view of another engine, made awkward.
pub(super) struct ContraryView {
    pub(super) inner: Arc<dyn View>,
    pub(super) one_row_pages: bool,
    pub(super) broken: Arc<[Vec<u8>]>,
}

impl ContraryView {
    fn check(&self, key: &[u8]) -> Result<(), ReadError> {
        let contains =
            |part: &Vec<u8>| part.is_empty() || key.windows(part.len()).any(|window| window == part);
        if self.broken.iter().any(contains) {
            let file = format!("the row with key {}", key.escape_ascii());
            return Err(ReadError { file, cause: "the contrary engine broke it".to_owned() });
        }
        Ok(())
    }

    fn checked(&self, pair: Result<Pair, ReadError>) -> Result<Pair, ReadError> {
        let pair = pair?;
        self.check(&pair.0)?;
        Ok(pair)
    }
}

impl View for ContraryView {
    fn commit_number(&self) -> CommitNumber {
        self.inner.commit_number()
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        self.check(key)?;
        self.inner.get(key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_> {
        if self.one_row_pages {
            Box::new(OneRowPages { view: self, from: owned(from), to: owned(to) })
        } else {
            Box::new(self.inner.range(from, to).map(|pair| self.checked(pair)))
        }
    }
}

fn owned(bound: Bound<&[u8]>) -> Bound<Bytes> {
    bound.map(Bytes::copy_from_slice)
}

fn borrowed(bound: &Bound<Bytes>) -> Bound<&[u8]> {
    bound.as_ref().map(AsRef::as_ref)
}

/// A range that opens a new range for each row. Goes on behind a row that cannot be read.
struct OneRowPages<'a> {
    view: &'a ContraryView,
    from: Bound<Bytes>,
    to: Bound<Bytes>,
}

impl Iterator for OneRowPages<'_> {
    type Item = Result<Pair, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let pair = self.view.inner.range(borrowed(&self.from), borrowed(&self.to)).next()?;
        if let Ok((key, _)) = &pair {
            self.from = Bound::Excluded(key.clone());
        }
        Some(self.view.checked(pair))
    }
}

impl DoubleEndedIterator for OneRowPages<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let pair = self.view.inner.range(borrowed(&self.from), borrowed(&self.to)).next_back()?;
        if let Ok((key, _)) = &pair {
            self.to = Bound::Excluded(key.clone());
        }
        Some(self.view.checked(pair))
    }
}
