//! DynamoDB's jobs: what is done in the background, in small steps of their own.
//!
//! # Layout
//! - [`deleted_table`]: takes away what showed `DELETING` long enough
//! - [`expiry`]: deletes items whose time has come
//! - [`expiry_build`]: makes the rows by which their time is found, of items that were there before
//! - [`of_table`]: what those two remember

mod deleted_table;
mod expiry;
mod expiry_build;
mod of_table;

pub(crate) use self::deleted_table::start as remove_later;
pub(crate) use self::expiry::start as expire;
pub(crate) use self::expiry_build::start as build_expiry;
use holdfast_store::JobKind;
use std::sync::Arc;

/// Every kind, for the store that is opened.
#[must_use]
pub fn kinds() -> Vec<Arc<dyn JobKind>> {
    vec![Arc::new(deleted_table::DeletedTable), Arc::new(expiry_build::ExpiryBuild), Arc::new(expiry::Expiry)]
}
