//! Typed tables over the store: order-preserving keys, versioned records, the catalog, jobs.
//!
//! # Layout
//! - [`key`]: composite keys whose bytes sort as their parts do
//! - [`record`]: values with a version byte; older versions migrate when read
//! - [`families`]: the append-only registry of space kinds, key families and named resources
//! - [`operation`]: how a service's reads and writes meet the store

pub mod families;
pub mod key;
pub mod operation;
pub mod record;
