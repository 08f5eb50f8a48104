//! Pages of Query and Scan: from the rows of a table or an index to the answer's JSON.
//!
//! # Layout
//! - this file: one page
//! - [`bounds`]: from the keys that a query asks for to rows
//! - [`source`]: the table or the index that is read
//! - [`start`][]: `ExclusiveStartKey` and `LastEvaluatedKey`
//! - [`select`][]: `Select`; [`wanted`]: which rows come back, and what of them
//! - [`segment`][]: `Segment` and `TotalSegments`

use self::source::Source;
use self::wanted::{Shown, View};
use crate::capacity::{Consumed, Units};
use crate::catalog::failed;
use crate::errors;
use crate::item::json;
use crate::item::view::Item;
use crate::read_capacity::ReadCapacity;
use bytes::Bytes;
use holdfast_aws::Error;
use holdfast_store::{Snapshot, Value};
use std::io::Write as _;
use std::ops::Bound;

pub(crate) mod bounds;
pub(crate) mod segment;
pub(crate) mod select;
pub(crate) mod source;
pub(crate) mod start;
#[cfg(test)]
mod tests;
pub(crate) mod wanted;

/// A page ends with the item that makes its size reach this, in bytes as DynamoDB accounts items (of an index: the attributes
/// that it projects). Source: DynamoDB Developer Guide, "Paginating the results", "1 MB"; that the item is still part of the
/// page was measured against AWS by a public project.
pub(crate) const PAGE_BYTES_MAX: u64 = 1 << 20;

/// A page ends also with the row for which a filter has looked through this many bytes: a few seconds at most, for which it
/// holds a place of the pool, whether or not anybody waits. Not less than it takes for a page of [`PAGE_BYTES_MAX`] with all the
/// comparisons that an expression has room for, and values of a few KB. Pages may end anywhere, so who follows
/// `LastEvaluatedKey` sees no difference. Source: ours.
const PAGE_EFFORT_MAX: u64 = 512 << 20;

/// Room that the body of a page starts with.
const BODY_BYTES: usize = 16 * 1024;
/// Room for what stands before its items.
const HEAD_BYTES: usize = 256;

/// What one page is made of.
pub(crate) struct Page<'a> {
    /// What is read.
    pub(crate) source: &'a Source<'a>,
    /// Bounds of the keys of rows.
    pub(crate) from: Bound<&'a [u8]>,
    /// As `from`.
    pub(crate) to: Bound<&'a [u8]>,
    /// Whether rows come in descending order.
    pub(crate) reverse: bool,
    /// Most rows that are looked at.
    pub(crate) limit: Option<u64>,
    /// Which of them come back, and what of them.
    pub(crate) view: View<'a>,
    /// What is said of the capacity that it consumes.
    pub(crate) capacity: &'a ReadCapacity,
}

/// What has been read of a page.
#[derive(Debug, Default)]
struct Tally {
    /// Rows that were looked at.
    scanned: u64,
    /// Rows that come back.
    count: u64,
    /// What of the page counts against its limit, in bytes.
    size: u64,
    /// Rows that were looked at, in bytes.
    read: u64,
    /// What the filter looked through, in bytes.
    effort: u64,
    /// What the items cost that were fetched.
    fetched: Units,
    /// Key of the last row if the page ended before the bounds did: because of the limit, the size or the filter, whether or
    /// not anything follows.
    last: Option<Bytes>,
}

impl Page<'_> {
    /// Reads the page and encodes the answer's body, its members in the order of their names, as AWS has them (source: the
    /// checksum that came with a recorded answer).
    ///
    /// # Errors
    /// If a read fails or what is stored is damaged.
    pub(crate) fn read(&self, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let with_items = self.view.shown != Shown::Count;
        let mut out = Vec::with_capacity(if with_items { BODY_BYTES } else { HEAD_BYTES });
        let tally = self.rows(read, &mut out)?;
        out.extend_from_slice(if with_items { b"]," } else { b"," });
        if let Some(row) = &tally.last {
            out.extend_from_slice(b"\"LastEvaluatedKey\":");
            start::render(self.source, row, &mut out).map_err(|error| errors::internal(&error))?;
            out.push(b',');
        }
        // Writing into memory does not fail.
        let _ = write!(out, "\"ScannedCount\":{}}}", tally.scanned);
        // What comes before the items is known only now.
        out.splice(0..0, self.head(&tally, with_items));
        Ok(out)
    }

    /// What stands before the items: capacity and count.
    fn head(&self, tally: &Tally, with_items: bool) -> Vec<u8> {
        let mut head = Vec::with_capacity(HEAD_BYTES);
        head.extend_from_slice(b"{\"ConsumedCapacity\":");
        if self.capacity.render(&self.consumed(tally), &mut head) {
            head.push(b',');
        } else {
            head.truncate(1);
        }
        let _ = write!(head, "\"Count\":{}", tally.count);
        if with_items {
            head.extend_from_slice(b",\"Items\":[");
        }
        head
    }

    /// What the page cost: its rows together, and each fetched item by itself. What is filtered out costs as much as what
    /// comes back. Source: DynamoDB Developer Guide, "Provisioned throughput considerations for local secondary indexes".
    fn consumed(&self, tally: &Tally) -> Consumed {
        let units = self.capacity.units(tally.read);
        let Some(index) = self.source.index() else { return Consumed::of_table(units) };
        let mut consumed = Consumed::of_index(index, units);
        consumed.add_table(tally.fetched);
        consumed
    }

    /// Renders the rows of the page that come back.
    fn rows(&self, read: &Snapshot, out: &mut Vec<u8>) -> Result<Tally, Error> {
        let space = self.source.space(read);
        let mut tally = Tally::default();
        for entry in space.range(read, self.from, self.to, self.reverse) {
            let (key, row) = entry.map_err(failed)?;
            self.row(read, &key, row, &mut tally, out)?;
            tally.scanned += 1;
            let full = tally.size >= PAGE_BYTES_MAX || tally.effort >= PAGE_EFFORT_MAX;
            if full || self.limit == Some(tally.scanned) {
                tally.last = Some(key);
                break;
            }
        }
        Ok(tally)
    }

    /// Renders what is shown of a row, unless it is filtered out.
    fn row(
        &self,
        read: &Snapshot,
        key: &[u8],
        row: Value,
        tally: &mut Tally,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let View { filter, shown, fetched } = &self.view;
        let size = row.size;
        tally.read += size;
        let item = match shown {
            Shown::Count if filter.is_none() => {
                tally.size += size;
                tally.count += 1;
                return Ok(());
            }
            _ if self.source.index().is_none() => row,
            _ => self.source.item(read, key)?,
        };
        // What an index does not project has to be fetched, and counts.
        if *fetched {
            tally.size += item.size;
            tally.fetched += self.capacity.units(item.size);
        } else {
            tally.size += size;
        }
        let damaged = |error| errors::damaged(&error);
        let bytes = item.payload.len();
        let item = Item::new(&item.payload).map_err(damaged)?;
        if let Some(filter) = filter {
            tally.effort = tally.effort.saturating_add(filter.effort(bytes));
            if !filter.holds(item).map_err(damaged)? {
                return Ok(());
            }
        }
        if tally.count > 0 && *shown != Shown::Count {
            out.push(b',');
        }
        tally.count += 1;
        match shown {
            Shown::Count => Ok(()),
            Shown::Whole => json::render_item(item, out),
            Shown::Outlined(outline) => json::render_outlined(item, outline, out).map(drop),
        }
        .map_err(damaged)
    }
}
