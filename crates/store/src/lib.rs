//! The durable store: bytes, files, versions and history. Knows nothing of AWS, HTTP, tokio or serde.
//!
//! # Layout
//! - [`store`]: what everything above holds: open, read, submit, status, close
//! - [`operation`], [`transaction`]: what runs on the executor, and what it reads and writes
//! - [`executor`]: one thread that runs operations and forms groups, one that commits them
//! - [`read`], [`history`], [`versions`]: the newest state, earlier ones, and those of one key
//! - [`finish`], [`trim`]: how the past is kept, and how it goes
//! - [`jobs`]: what can grow large, in small steps
//! - [`keys`], [`envelope`], [`commit_row`], [`records`]: the bytes of every row
//! - [`dir`]: the data directory: whose it is, who uses it, what it stands on, how much room is left
//! - [`doctor`]: a look at a stopped directory, and the way out of a proven loss; [`losses`]: what is left of one
//! - [`io`]: the disk as the store sees it, real and simulated
//! - [`engine`]: an ordered map with numbered, atomic, durable commits: embedded (log + index) and memory

pub mod clocks;
pub mod commit_row;
pub mod dir;
pub mod doctor;
mod encoding;
pub mod engine;
mod envelope;
mod executor;
mod finish;
pub mod history;
pub mod io;
pub mod jobs;
mod keys;
pub mod losses;
pub mod operation;
mod overlay;
pub mod read;
pub mod records;
pub mod store;
#[cfg(test)]
mod tests;
pub mod transaction;
pub mod trim;
mod types;
pub mod versions;

pub use clocks::{Clocks, SystemClock, TimeSource};
pub use commit_row::{Change, CommitRow};
pub use doctor::Stopped;
pub use engine::ReadError;
pub use executor::metrics::{Histogram, HistogramValues};
pub use history::AsOf;
pub use jobs::{JobId, JobKind, JobRecord, JobStatus, KIND_NUMBER_MIN, NotBefore, Step, TableDamage};
pub use losses::Loss;
pub use operation::Operation;
pub use read::{Read, Snapshot};
pub use records::{Pin, ServiceClock, SpaceRecord};
pub use store::{CloseError, OpenError, Options, Place, Status, Store};
pub use transaction::Transaction;
pub use trim::HistoryLimits;
pub use types::*;
pub use versions::{KeyState, KeyVersion};
