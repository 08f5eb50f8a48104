//! `doctor`: a look at a stopped data directory, and the one way out of a proven loss.
//!
//! # Layout
//! - [`inspect`](mod@inspect): looks at every file of a store, changes nothing, tells what it found
//! - [`report`]: what it found, for programs and for people
//! - [`accept`]: gives up what is lost, and makes a store that starts, with numbers above everything ever acknowledged
//! - [`stopped`]: a store read as its next start would find it
//! - [`survey`]: everything that can still be read of a log, whatever is wrong with it
//!
//! **Invariants**: looking changes no byte. Accepting a loss deletes no byte of the log, and whatever interrupts it, the
//! directory afterwards refuses to start as before, or the loss is accepted.

mod accept;
mod inspect;
mod report;
mod stopped;
mod survey;
#[cfg(test)]
mod tests;

pub use accept::{LossReport, accept_loss};
pub use inspect::inspect;
pub use report::{CheckpointSummary, Finding, LogSummary, Report, Severity, TablesSummary, WitnessSummary};
pub use stopped::Stopped;
