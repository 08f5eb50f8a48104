//! Signature Version 4: who signed a request, and whether the signature is right.
//!
//! A signature stands in the `Authorization` header, or in the query of a presigned URL. [`Signature`] reads either form;
//! [`Verifier`] checks it against known secrets. Without a verifier any access key is taken at its word.
//!
//! # Layout
//! - [`signature`]: the parts of a signature, and the credential in them
//! - [`verifier`]: the checks, in DynamoDB's order
//! - [`canonical`]: the form of a request that is signed
//! - [`keys`]: access keys and their secrets
//! - [`time`]: times as signatures write them
//! - `errors`: every text that clients see

pub mod canonical;
mod errors;
pub mod keys;
pub mod signature;
pub mod time;
pub mod verifier;

pub use keys::AccessKeys;
pub use signature::{Credential, Signature};
pub use verifier::Verifier;

use http::{HeaderMap, Method, Uri};

/// Scheme of SigV4.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What every credential scope ends with.
pub const TERMINATOR: &str = "aws4_request";

/// The head of a request, as it was received.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Method.
    pub method: &'a Method,
    /// Path and query, and over HTTP/2 the authority.
    pub uri: &'a Uri,
    /// Headers.
    pub headers: &'a HeaderMap,
}

impl<'a> Head<'a> {
    /// A header's text, of several the last; `None` where it is missing or not text.
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok())
    }
}

#[cfg(test)]
mod tests;
