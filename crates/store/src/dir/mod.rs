//! The data directory: whose it is, who uses it, what it stands on, and how much room is left.
//!
//! # Layout
//! - [`access`]: whether this process may use the directory
//! - [`layout`]: names of all files; what a directory holds before anything is opened
//! - [`format`](mod@format): the file `FORMAT`, written last when a store is made
//! - [`lock`]: the file `LOCK`: one process at a time
//! - [`witness`]: the file `witness`: what was acknowledged
//! - [`mount`]: what kind of file system holds the directory
//! - [`reserve`]: the room that ordinary writes leave free
//! - [`refusal`]: why a start is refused: file, cause, remedy
//!
//! **Invariant**: looking changes nothing; only making a store, the lock and the witness write.

pub mod access;
pub mod format;
pub mod layout;
pub mod lock;
pub mod mount;
pub mod refusal;
pub mod reserve;
pub mod witness;

pub use refusal::{Refusal, RefusalKind};
