//! The durable store: bytes, files, versions and history. Knows nothing of AWS, HTTP, tokio or serde.
//!
//! # Layout
//! - [`dir`]: the data directory: whose it is, who uses it, what it stands on, how much room is left
//! - [`io`]: the disk as the store sees it, real and simulated
//! - [`engine`]: an ordered map with numbered, atomic, durable commits: embedded (log + index) and memory

pub mod dir;
pub mod engine;
pub mod io;
