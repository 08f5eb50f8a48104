//! Test doubles: virtual clock, contrary engine, in-process server.
//!
//! # Layout
//! - [`clock`]: a clock that stands still until a test moves it
//! - [`context`]: what is fixed before an operation runs
//! - [`random`]: numbers that come back from the same seed
//! - [`contrary`]: an engine that is as unhelpful as the contract allows
//! - [`twice`]: two stores that must not be told apart, one of them contrary

pub mod clock;
pub mod context;
pub mod contrary;
pub mod random;
pub mod twice;
