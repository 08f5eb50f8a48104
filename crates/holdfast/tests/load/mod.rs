//! What the tests of the real binary share: the server as a process, a client, and a load whose outcome is known.
//!
//! # Layout
//! - [`server`]: starts, kills and stops the binary
//! - [`client`]: one kept-alive connection
//! - [`model`]: few keys under load, and what each of them may show
//! - [`indexed`]: their rows in three indexes, and what each index must show
//! - [`transfers`]: transactions over two tables
//! - [`files`]: a directory byte by byte
//! - [`volume`]: a small file system of one's own
#![allow(dead_code, unused_imports, reason = "each test uses a part of this")]

pub mod client;
pub mod files;
pub mod indexed;
pub mod model;
pub mod server;
pub mod transfers;
pub mod volume;

pub use client::Client;
pub use files::Files;
pub use model::{Load, Model};
pub use server::{Refused, Server};
pub use volume::Volume;

use holdfast_testkit::random::Random;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;

/// Says something that is to be seen also where the test passes (figures, what was skipped): only what goes through the
/// macros is kept back.
pub fn say(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // Nobody listens: then there is nothing to do about it.
    let _ = writeln!(stderr, "{text}");
}

/// A number from the environment.
pub fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// Random numbers of this run. The seed is said; `HOLDFAST_TEST_SEED` sets it. Threads and processes run as they
/// like all the same, so a seed repeats what a test chooses, not what happens.
pub fn random() -> Random {
    let seed = number("HOLDFAST_TEST_SEED", RandomState::new().hash_one(0) >> 1);
    say(&format!("HOLDFAST_TEST_SEED={seed}"));
    Random::new(seed)
}
