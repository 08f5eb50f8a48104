//! Signatures, against a signer of AWS's own and against AWS's published vectors.

mod oracle;
mod refusals;
mod vectors;

use super::AccessKeys;

/// A request as it was received.
type Sent = http::Request<Vec<u8>>;

/// Keys out of pairs.
fn keys(pair: &str) -> AccessKeys {
    let mut keys = AccessKeys::default();
    keys.add(pair).expect("a pair");
    keys
}
