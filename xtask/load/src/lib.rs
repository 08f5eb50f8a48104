//! Load for benchmarks: signed-looking DynamoDB requests over HTTP/1.1 keep-alive in a closed loop, and raw synced
//! appends to compare with. `cargo xtask bench` runs the binary of this package, one process for each measurement.
//!
//! Generator and server share the machine's cores, so what a request costs here is taken from the server. Hence
//! one thread over nonblocking sockets, requests rendered once and patched in place, and an answer that is searched
//! only for its status and its length. The generator's own processor time is part of every report.
//!
//! # Layout
//! - [`item`]: the 430-byte item and its keys; [`request`]: requests as bytes with places to patch
//! - [`response`]: status and length of an answer that arrives in pieces
//! - `page`: what a page of a Query or Scan says about itself
//! - [`connection`]: one keep-alive connection with at most one request under way
//! - [`generator`]: a stretch of load: what is sent, what is measured; `worker`: one of its threads
//! - [`histogram`]: latencies in log-linear buckets
//! - [`probe`]: appended 4 KiB writes, each followed by fdatasync
//! - [`process`]: processor time and memory of a process, load of the machine
//! - [`report`]: the results, as the binary prints them
//! - [`call`]: one request at a time, for preparing and for readiness

pub mod call;
pub mod connection;
pub mod generator;
pub mod histogram;
pub mod item;
mod page;
pub mod probe;
pub mod process;
pub mod report;
pub mod request;
pub mod response;
mod worker;
