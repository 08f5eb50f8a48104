//! Snapshots of the index: a commit number, the memtables and the set of tables, all shared.

use super::super::super::{CommitNumber, Pair, Range, ReadError, View};
use super::memtable::{MemRange, Memtable};
use super::set::{FamilyTables, TableSet, within};
use super::table::{Entry, TableFile, TableRange};
use bytes::Bytes;
use std::ops::Bound;
use std::sync::Arc;

/// What the index consists of at one moment.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Takes writes.
    pub active: Arc<Memtable>,
    /// Wait for their flush, newest first.
    pub sealed: Vec<Arc<Memtable>>,
    /// Everything flushed.
    pub tables: Arc<TableSet>,
}

/// A snapshot. Values it returns may be windows into blocks of 4 KiB or more: copy what is kept for long.
#[derive(Debug)]
pub(super) struct LsmView {
    commit: CommitNumber,
    state: Arc<State>,
}

impl LsmView {
    pub(super) fn new(commit: CommitNumber, state: Arc<State>) -> Self {
        Self { commit, state }
    }

    fn memtables(&self) -> impl Iterator<Item = &Arc<Memtable>> {
        std::iter::once(&self.state.active).chain(&self.state.sealed)
    }
}

impl View for LsmView {
    fn commit_number(&self) -> CommitNumber {
        self.commit
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        for memtable in self.memtables() {
            if let Some(found) = memtable.get(key, self.commit) {
                return Ok(found);
            }
        }
        self.state.tables.get(key)
    }

    fn range(&self, from: Bound<&[u8]>, to: Bound<&[u8]>) -> Range<'_> {
        if is_empty(from, to) {
            return Box::new(std::iter::empty());
        }
        let (from, to) = (from.map(Bytes::copy_from_slice), to.map(Bytes::copy_from_slice));
        let mut sources: Vec<Source<'_>> = Vec::new();
        for memtable in self.memtables() {
            sources.push(Source::Memory(memtable.range(from.clone(), to.clone(), self.commit)));
        }
        for family in &self.state.tables.families {
            add_family(&mut sources, family, &from, &to);
        }
        Box::new(MergeRange { sources: sources.into_iter().map(Ends::new).collect(), failed: false })
    }
}

/// Whether no key can lie within bounds.
fn is_empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(from), Bound::Included(to)) => from > to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => {
            from >= to
        }
    }
}

fn add_family<'v>(
    sources: &mut Vec<Source<'v>>,
    family: &'v FamilyTables,
    from: &Bound<Bytes>,
    to: &Bound<Bytes>,
) {
    for (level, tables) in family.levels.iter().enumerate() {
        let runs: Box<dyn Iterator<Item = &'v [Arc<TableFile>]>> =
            if level == 0 { Box::new(tables.chunks(1)) } else { Box::new(std::iter::once(&tables[..])) };
        for run in runs {
            let tables = within(run, from, to);
            if !tables.is_empty() {
                let (from, to) = (from.clone(), to.clone());
                sources.push(Source::Run(RunRange { tables, from, to, front: None, back: None }));
            }
        }
    }
}

/// Entries of one memtable or one run of tables, each key once.
enum Source<'v> {
    Memory(MemRange<'v>),
    Run(RunRange<'v>),
}

impl Source<'_> {
    fn next(&mut self) -> Option<Result<Entry, ReadError>> {
        match self {
            Source::Memory(range) => range.next().map(Ok),
            Source::Run(range) => range.next(),
        }
    }

    fn next_back(&mut self) -> Option<Result<Entry, ReadError>> {
        match self {
            Source::Memory(range) => range.next_back().map(Ok),
            Source::Run(range) => range.next_back(),
        }
    }
}

/// Entries of tables that do not overlap, opened as they are reached.
struct RunRange<'v> {
    /// Not yet opened.
    tables: &'v [Arc<TableFile>],
    from: Bound<Bytes>,
    to: Bound<Bytes>,
    front: Option<TableRange>,
    back: Option<TableRange>,
}

impl Iterator for RunRange<'_> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.front.as_mut().and_then(Iterator::next) {
                return Some(entry);
            }
            let Some((first, rest)) = self.tables.split_first() else {
                self.front = None;
                return self.back.as_mut()?.next();
            };
            self.tables = rest;
            self.front = Some(first.range(&self.from, &self.to));
        }
    }
}

impl DoubleEndedIterator for RunRange<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.back.as_mut().and_then(DoubleEndedIterator::next_back) {
                return Some(entry);
            }
            let Some((last, rest)) = self.tables.split_last() else {
                self.back = None;
                return self.front.as_mut()?.next_back();
            };
            self.tables = rest;
            self.back = Some(last.range(&self.from, &self.to));
        }
    }
}

/// A source with the entries that were taken from its ends but not used yet.
struct Ends<'v> {
    source: Source<'v>,
    front: Option<Entry>,
    back: Option<Entry>,
}

impl<'v> Ends<'v> {
    fn new(source: Source<'v>) -> Self {
        Self { source, front: None, back: None }
    }

    fn fill_front(&mut self) -> Result<(), ReadError> {
        if self.front.is_none() {
            self.front = self.source.next().transpose()?.or_else(|| self.back.take());
        }
        Ok(())
    }

    fn fill_back(&mut self) -> Result<(), ReadError> {
        if self.back.is_none() {
            self.back = self.source.next_back().transpose()?.or_else(|| self.front.take());
        }
        Ok(())
    }
}

/// Merges sources, newest first: the first source that has a key decides. Ends after the first error.
struct MergeRange<'v> {
    sources: Vec<Ends<'v>>,
    failed: bool,
}

impl MergeRange<'_> {
    fn first(&mut self) -> Result<Option<Entry>, ReadError> {
        let mut best: Option<usize> = None;
        for at in 0..self.sources.len() {
            self.sources[at].fill_front()?;
            let Some((key, _)) = &self.sources[at].front else { continue };
            let better =
                best.and_then(|best| self.sources[best].front.as_ref()).is_none_or(|(least, _)| key < least);
            if better {
                best = Some(at);
            }
        }
        let Some(entry) = best.and_then(|best| self.sources[best].front.take()) else { return Ok(None) };
        for older in &mut self.sources[best.unwrap_or(0)..] {
            if older.front.as_ref().is_some_and(|(key, _)| *key == entry.0) {
                older.front = None;
            }
        }
        Ok(Some(entry))
    }

    fn last(&mut self) -> Result<Option<Entry>, ReadError> {
        let mut best: Option<usize> = None;
        for at in 0..self.sources.len() {
            self.sources[at].fill_back()?;
            let Some((key, _)) = &self.sources[at].back else { continue };
            let better =
                best.and_then(|best| self.sources[best].back.as_ref()).is_none_or(|(most, _)| key > most);
            if better {
                best = Some(at);
            }
        }
        let Some(entry) = best.and_then(|best| self.sources[best].back.take()) else { return Ok(None) };
        for older in &mut self.sources[best.unwrap_or(0)..] {
            if older.back.as_ref().is_some_and(|(key, _)| *key == entry.0) {
                older.back = None;
            }
        }
        Ok(Some(entry))
    }

    fn advance(
        &mut self,
        step: impl Fn(&mut Self) -> Result<Option<Entry>, ReadError>,
    ) -> Option<Result<Pair, ReadError>> {
        if self.failed {
            return None;
        }
        loop {
            match step(self) {
                Ok(Some((key, Some(value)))) => return Some(Ok((key, value))),
                Ok(Some((_, None))) => {}
                Ok(None) => return None,
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl Iterator for MergeRange<'_> {
    type Item = Result<Pair, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance(Self::first)
    }
}

impl DoubleEndedIterator for MergeRange<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.advance(Self::last)
    }
}
