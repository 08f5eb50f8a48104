//! What there is against an action of a transaction.

use bytes::Bytes;
use holdfast_aws::Error;
use std::borrow::Cow;

/// Why an action cannot be done.
#[derive(Debug, Clone)]
pub(crate) enum Reason {
    /// Its condition does not hold for the stored item, which is this, where it is to be shown.
    Condition(Option<Bytes>),
    /// A fault that a request for this action alone would be refused for with this text.
    Validation(Cow<'static, str>),
}

impl Reason {
    /// The reason that a refusal of the action alone is for a transaction.
    ///
    /// # Errors
    /// What is no refusal of the action, but a failure on our side.
    pub(crate) fn of_refusal(refusal: Error) -> Result<Self, Error> {
        if refusal.code == "ValidationException" {
            Ok(Self::Validation(refusal.message))
        } else {
            Err(refusal)
        }
    }

    /// AWS's name of the reason. Source: DynamoDB API Reference, `TransactWriteItems`, "Errors".
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Condition(_) => "ConditionalCheckFailed",
            Self::Validation(_) => "ValidationError",
        }
    }
}
