//! DynamoDB's jobs: what is done in the background, in small steps of their own.
//!
//! # Layout
//! - [`deleted_table`]: takes away what showed `DELETING` long enough

mod deleted_table;

pub(crate) use self::deleted_table::start as remove_later;
use holdfast_store::JobKind;
use std::sync::Arc;

/// Every kind, for the store that is opened.
#[must_use]
pub fn kinds() -> Vec<Arc<dyn JobKind>> {
    vec![Arc::new(deleted_table::DeletedTable)]
}
