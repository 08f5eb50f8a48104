//! What the operations on transactions share.
//!
//! # Layout
//! - [`fingerprint`]: the parameters of a request in few bytes
//! - [`tokens`]: which tokens were used lately, and for what

#[cfg_attr(not(test), expect(dead_code, reason = "for TransactWriteItems"))]
pub(crate) mod fingerprint;
#[cfg_attr(not(test), expect(dead_code, reason = "for TransactWriteItems"))]
pub(crate) mod tokens;
