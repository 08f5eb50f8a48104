//! Typed tables over the store: order-preserving keys, versioned records, the catalog, jobs.
//!
//! # Layout
//! - [`families`]: the append-only registry of space kinds, key families and named resources
//! - [`key`]: composite keys whose bytes sort as their parts do
//! - [`record`]: values with a version byte; older versions migrate when read
//! - [`space`]: the handle through which all user data is read and written
//! - [`table`]: a family as a typed map
//! - [`catalog`]: names to spaces and definitions
//! - [`past`]: the versions of single keys, also of what was dropped
//! - [`operation`]: how a service's reads and writes meet the store
//! - [`error`]: what can go wrong

pub mod catalog;
pub mod error;
pub mod families;
pub mod key;
pub mod operation;
pub mod past;
pub mod record;
pub mod space;
pub mod table;

pub use error::StateError;
pub use space::Space;
pub use table::Stored;

#[cfg(test)]
mod fixture;
