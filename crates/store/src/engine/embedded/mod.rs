//! A log, and an index that is only ever behind it.
pub(crate) mod index;
