//! What the operations on transactions share.
//!
//! # Layout
//! - [`action`]: an action of a TransactWriteItems
//! - [`fingerprint`]: the parameters of a request in few bytes
//! - [`reasons`]: what there is against an action
//! - [`targets`]: which items a transaction is about
//! - [`tokens`]: which tokens were used lately, and for what

pub(crate) mod action;
pub(crate) mod fingerprint;
pub(crate) mod reasons;
pub(crate) mod targets;
pub(crate) mod tokens;

/// Most that the items of one transaction may be accounted for together, in bytes. Source: DynamoDB Developer Guide,
/// "DynamoDB transactions"; the number is that of the local emulator.
pub(crate) const ITEMS_BYTES_MAX: u64 = 4 << 20;
/// A transaction of more actions reads ahead, or altogether, on the pool of threads for long reads.
pub(crate) const POINT_ACTIONS_MAX: usize = 8;
