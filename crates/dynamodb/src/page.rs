//! Pages of Query and Scan: from the rows of a table or an index to the answer's JSON.
//!
//! # Layout
//! - this file: one page
//! - [`bounds`]: from the keys that a query asks for to rows
//! - [`source`]: the table or the index that is read
//! - [`start`][]: `ExclusiveStartKey` and `LastEvaluatedKey`
//! - [`select`][]: `Select`
//! - [`segment`][]: `Segment` and `TotalSegments`

use self::select::Shown;
use self::source::Source;
use crate::catalog::failed;
use crate::errors;
use crate::item::json;
use crate::item::view::Item;
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

/// A page ends with the item that makes its size reach this, in bytes as DynamoDB accounts items (of an index: the attributes
/// that it projects). Source: DynamoDB Developer Guide, "Paginating the results", "1 MB"; that the item is still part of the
/// page was measured against AWS by a public project.
pub(crate) const PAGE_BYTES_MAX: u64 = 1 << 20;

/// Room that the body of a page starts with.
const BODY_BYTES: usize = 16 * 1024;

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
    /// What is answered of each.
    pub(crate) shown: Shown,
}

impl Page<'_> {
    /// Reads the page and encodes the answer's body.
    ///
    /// # Errors
    /// If a read fails or what is stored is damaged.
    pub(crate) fn read(&self, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let items = !matches!(self.shown, Shown::Count);
        if items {
            out.reserve(BODY_BYTES);
            out.extend_from_slice(b"{\"Items\":[");
        } else {
            out.push(b'{');
        }
        let (count, last) = self.rows(read, &mut out)?;
        out.extend_from_slice(if items { b"]," } else { b"" });
        // Writing into memory does not fail.
        let _ = write!(out, "\"Count\":{count},\"ScannedCount\":{count}");
        if let Some(row) = last {
            out.extend_from_slice(b",\"LastEvaluatedKey\":");
            start::render(self.source, &row, &mut out).map_err(|error| errors::internal(&error))?;
        }
        out.push(b'}');
        Ok(out)
    }

    /// Renders the rows of the page; answers how many there are, and the last one's key if the page ended before the bounds
    /// did: because of the limit or the size, whether or not anything follows.
    fn rows(&self, read: &Snapshot, out: &mut Vec<u8>) -> Result<(u64, Option<Bytes>), Error> {
        let space = self.source.space(read);
        let (mut count, mut size) = (0, 0);
        for entry in space.range(read, self.from, self.to, self.reverse) {
            let (key, row) = entry.map_err(failed)?;
            if count > 0 && !matches!(self.shown, Shown::Count) {
                out.push(b',');
            }
            size += self.row(read, &key, row, out)?;
            count += 1;
            if self.limit == Some(count) || size >= PAGE_BYTES_MAX {
                return Ok((count, Some(key)));
            }
        }
        Ok((count, None))
    }

    /// Renders what is shown of a row; answers its size.
    fn row(&self, read: &Snapshot, key: &[u8], row: Value, out: &mut Vec<u8>) -> Result<u64, Error> {
        let (size, item) = match &self.shown {
            Shown::Count => return Ok(row.size),
            _ if self.source.index().is_none() => (row.size, row.payload),
            // What an index does not project has to be fetched, and counts.
            Shown::Fetched => self.source.item(read, key).map(|item| (item.size, item.payload))?,
            Shown::Whole | Shown::Outlined(_) => (row.size, self.source.item(read, key)?.payload),
        };
        let item = Item::new(&item);
        match &self.shown {
            Shown::Outlined(outline) => {
                item.and_then(|item| json::render_outlined(item, outline, out).map(drop))
            }
            _ => item.and_then(|item| json::render_item(item, out)),
        }
        .map_err(|error| errors::damaged(&error))?;
        Ok(size)
    }
}
