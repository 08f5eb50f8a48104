//! AWS wire protocols, signatures, error envelopes and the request context.
//!
//! # Layout
//! - [`context`]: what is fixed before an operation runs: who asks, where, when, under which id
//! - [`error`]: an error as clients see it
//! - [`authorization`]: who signed a request
//! - [`json`]: the AWS JSON 1.0 protocol

pub mod authorization;
pub mod context;
pub mod error;
pub mod json;

pub use context::{Context, RequestId};
pub use error::Error;
