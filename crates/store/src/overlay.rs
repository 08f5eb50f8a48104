//! Staged writes over a view: what the executor's operations see before anything is durable.

use crate::engine::{Pair, ReadError, View};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// Engine writes that are staged: final bytes, or `None` for a removal.
pub(crate) type Staged = BTreeMap<Bytes, Option<Bytes>>;

/// A published view with staged groups over it, newest first.
///
/// Invariant: the layers together hold every write that was staged and is not in the view.
pub(crate) struct Overlay<'a> {
    pub(crate) view: &'a dyn View,
    pub(crate) group: &'a Staged,
    pub(crate) in_flight: Option<&'a Arc<Staged>>,
}

impl Overlay<'_> {
    fn layers(&self) -> impl Iterator<Item = &Staged> {
        std::iter::once(self.group).chain(self.in_flight.map(AsRef::as_ref))
    }

    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, ReadError> {
        for layer in self.layers() {
            if let Some(value) = layer.get(key) {
                return Ok(value.clone());
            }
        }
        self.view.get(key)
    }

    /// All pairs with keys in `[from, to)`, ascending or descending.
    pub(crate) fn range<'b>(
        &'b self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
    ) -> Box<dyn Iterator<Item = Result<Pair, ReadError>> + 'b> {
        let mut staged = Staged::new();
        if from < to {
            let bounds = (Bound::Included(from), Bound::Excluded(to));
            // Oldest first, so that the newest layer wins.
            for layer in self.in_flight.map(AsRef::as_ref).into_iter().chain(std::iter::once(self.group)) {
                staged.extend(layer.range::<[u8], _>(bounds).map(|(k, v)| (k.clone(), v.clone())));
            }
        }
        let rows = self.view.range(Bound::Included(from), Bound::Excluded(to));
        if reverse {
            Box::new(merge(Box::new(staged.into_iter().rev()), rows.rev(), reverse))
        } else {
            Box::new(merge(Box::new(staged.into_iter()), rows, reverse))
        }
    }
}

type StagedIter<'a> = Box<dyn Iterator<Item = (Bytes, Option<Bytes>)> + 'a>;
type RowIter<'a> = Box<dyn Iterator<Item = Result<Pair, ReadError>> + 'a>;

/// Merges staged writes over rows; both come in the same direction, the staged one wins, removals hide.
pub(crate) fn merge<'a>(
    staged: StagedIter<'a>,
    rows: impl Iterator<Item = Result<Pair, ReadError>> + 'a,
    reverse: bool,
) -> impl Iterator<Item = Result<Pair, ReadError>> + 'a {
    let rows: RowIter<'a> = Box::new(rows);
    let (mut staged, mut rows) = (staged.peekable(), rows.peekable());
    std::iter::from_fn(move || {
        loop {
            let order = match (staged.peek(), rows.peek()) {
                (None, _) => return rows.next(),
                (Some(_), Some(Err(_))) => return rows.next(),
                (Some(_), None) => std::cmp::Ordering::Less,
                (Some((key, _)), Some(Ok((row, _)))) if reverse => row.cmp(key),
                (Some((key, _)), Some(Ok((row, _)))) => key.cmp(row),
            };
            match order {
                std::cmp::Ordering::Greater => return rows.next(),
                std::cmp::Ordering::Equal => {
                    rows.next();
                }
                std::cmp::Ordering::Less => {}
            }
            if let Some((key, Some(value))) = staged.next() {
                return Some(Ok((key, value)));
            }
        }
    })
}
