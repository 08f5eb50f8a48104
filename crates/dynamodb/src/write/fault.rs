//! Why an item is not changed. Operations answer with it, transactions gather it.

use crate::errors::{self, writes};
use crate::index::IndexKeyError;
use crate::item::Damaged;
use bytes::Bytes;
use holdfast_aws::Error;

/// Why an item is not changed.
#[derive(Debug)]
pub(crate) enum WriteFault {
    /// The condition does not hold for the item before, which is this.
    Condition(Option<Bytes>),
    /// A value of an item to be put cannot be a key of an index.
    IndexKey(IndexKeyError),
    /// The request failed, whatever the item is.
    Failed(Error),
}

impl WriteFault {
    /// Whether it is about an empty value of an index's key.
    pub(crate) fn is_empty_index_key(&self) -> bool {
        matches!(self, Self::IndexKey(IndexKeyError::Empty { .. }))
    }

    /// The answer of an operation on one item. `return_item` says whether a failed condition shows the item.
    pub(crate) fn into_error(self, return_item: bool) -> Error {
        match self {
            Self::Condition(item) => writes::condition_failed(item.filter(|_| return_item).as_deref()),
            Self::IndexKey(error) => errors::indexes::index_key(&error),
            Self::Failed(error) => error,
        }
    }
}

impl From<Error> for WriteFault {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Damaged> for WriteFault {
    fn from(error: Damaged) -> Self {
        Self::Failed(errors::damaged(&error))
    }
}
