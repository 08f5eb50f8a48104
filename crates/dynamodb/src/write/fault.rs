//! Why an item is not changed. Operations answer with it, transactions gather it.

use crate::errors::{self, updates, writes};
use crate::expression::Update;
use crate::index::IndexKeyError;
use crate::item::Damaged;
use crate::item::edit::UpdateError;
use crate::key::KeySchema;
use bytes::Bytes;
use holdfast_aws::Error;

/// Why an item is not changed.
#[derive(Debug, Clone)]
pub(crate) enum WriteFault {
    /// The condition does not hold for the item before, which is this.
    Condition(Option<Bytes>),
    /// A value of an item to be put cannot be a key of an index.
    IndexKey(IndexKeyError),
    /// A value that an update sets cannot be a key of an index.
    UpdatedIndexKey(IndexKeyError),
    /// An update names an attribute of the item's key.
    KeyAttribute(String),
    /// An update does not fit the item before.
    Update(UpdateError),
    /// An update makes the item larger than any may be.
    TooLarge,
    /// The request failed, whatever the item is.
    Failed(Error),
}

impl WriteFault {
    /// Whether it is about an empty value of an index's key.
    pub(crate) fn is_empty_index_key(&self) -> bool {
        matches!(self, Self::IndexKey(error) | Self::UpdatedIndexKey(error) if matches!(error, IndexKeyError::Empty { .. }))
    }

    /// Whether it tells of us, and nothing of the request.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Update(UpdateError::Damaged(_)))
    }

    /// The item that a condition does not hold for, if that is the fault and there is one.
    pub(crate) fn item(&self) -> Option<&Bytes> {
        match self {
            Self::Condition(item) => item.as_ref(),
            _ => None,
        }
    }

    /// The answer of an operation on one item, without that item.
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Condition(_) => writes::condition_failed(),
            Self::IndexKey(error) => errors::indexes::index_key(&error),
            Self::UpdatedIndexKey(error) => errors::indexes::updated_index_key(&error),
            Self::KeyAttribute(name) => updates::key_attribute(&name),
            Self::Update(error) => updates::update(&error),
            Self::TooLarge => updates::item_too_large(),
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

impl From<UpdateError> for WriteFault {
    fn from(error: UpdateError) -> Self {
        Self::Update(error)
    }
}

/// Refuses an update of the attributes that make the item's key, and of what is inside them.
pub(super) fn check_key_attributes(update: &Update, schema: &KeySchema<'_>) -> Result<(), WriteFault> {
    let is_key = |name: &str| {
        name == schema.partition.name || schema.sort.as_ref().is_some_and(|sort| sort.name == name)
    };
    match update.paths().find(|path| is_key(&path.attribute)) {
        Some(path) => Err(WriteFault::KeyAttribute(path.attribute.to_string())),
        None => Ok(()),
    }
}
