//! DynamoDB's jobs: what is done in the background, in small steps of their own.
//!
//! # Layout
//! - [`deleted_table`]: takes away what showed `DELETING` long enough
//! - [`expiry`]: deletes items whose time has come
//! - [`expiry_build`]: makes the rows by which their time is found, of items that were there before
//! - [`index_build`]: makes the rows of an index that was added
//! - [`of_table`]: what the two of expiry remember

mod deleted_table;
mod expiry;
mod expiry_build;
mod index_build;
mod of_table;

pub(crate) use self::deleted_table::start as remove_later;
pub(crate) use self::expiry::start as expire;
pub(crate) use self::expiry_build::start as build_expiry;
pub(crate) use self::index_build::start as build_index_later;
use holdfast_state::families::JobFamily;
use holdfast_store::JobKind;
use holdfast_store::TxError;
use holdfast_store::engine::ReadError;
use std::sync::Arc;

/// Every kind, for the store that is opened.
#[must_use]
pub fn kinds() -> Vec<Arc<dyn JobKind>> {
    vec![
        Arc::new(deleted_table::DeletedTable),
        Arc::new(index_build::IndexBuild),
        Arc::new(expiry_build::ExpiryBuild),
        Arc::new(expiry::Expiry),
    ]
}

/// What a step cannot read.
fn unreadable(job: JobFamily, cause: &dyn std::fmt::Display) -> TxError {
    TxError::Read(ReadError { file: job.name.to_owned(), cause: cause.to_string() })
}
