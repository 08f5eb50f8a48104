//! AWS wire protocols, signatures, error envelopes and the request context.
//!
//! # Layout
//! - [`calendar`]: days and dates
//! - [`context`]: what is fixed before an operation runs: who asks, where, when, under which id
//! - [`error`]: an error as clients see it
//! - [`sigv4`]: who signed a request, and whether the signature is right
//! - [`json`]: the AWS JSON 1.0 protocol
//! - [`coding`]: bodies that are sent packed

pub mod calendar;
pub mod coding;
pub mod context;
pub mod error;
pub mod json;
pub mod sigv4;

pub use context::{Context, RequestId};
pub use error::Error;
