//! The data directory: whose it is, who uses it, what it stands on, and how much room is left.
//!
//! # Layout
//! - [`layout`]: names of all files; what a directory holds before anything is opened
//! - [`format`](mod@format): the file `FORMAT`, written last when a store is made
//! - [`lock`]: the file `LOCK`: one process at a time
//! - [`witness`]: the file `witness`: what was acknowledged
//! - [`refusal`]: why a start is refused: file, cause, remedy
//!
//! **Invariant**: nothing here deletes, cuts or repairs anything.

pub mod format;
pub mod layout;
pub mod lock;
pub mod refusal;
pub mod witness;

pub use refusal::{Refusal, RefusalKind};
