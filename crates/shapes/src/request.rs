//! What all inputs have in common, and reading them from a request's body.

use serde::de::DeserializeOwned;

use crate::violations::Violations;
use crate::wording;

/// An operation's input; implemented by generated code.
pub trait Input: DeserializeOwned + Default + Send {
    /// The operation's name, as it stands after the dot of `X-Amz-Target`.
    const OPERATION: &'static str;

    /// Adds every constraint of the model that this input breaks.
    fn violations(&self, out: &mut Violations);

    /// Names of the members that are present, in the model's order: an operation refuses those it does not evaluate.
    fn members_set(&self) -> Vec<&'static str>;

    /// The text of the `ValidationException` for this input's broken constraints, if there are any.
    fn check(&self) -> Result<(), String> {
        let mut violations = Violations::of(Self::OPERATION);
        self.violations(&mut violations);
        violations.message().map_or(Ok(()), Err)
    }
}

/// An operation of a model, with the names of all members of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationModel {
    /// The operation's name: `PutItem`.
    pub name: &'static str,
    /// The members of its input in the model's order.
    pub members: &'static [&'static str],
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not JSON, or a member of another JSON type than the model's: `SerializationException`. The text is DynamoDB's
    /// where it is known, else ours; empty where DynamoDB sends none, as with a body that is no JSON object or array.
    Malformed(String),
    /// An attribute value that names no type or several, or is nested too deeply: `ValidationException` with this text.
    Value(&'static str),
}

/// Reads an input from a request's body. An empty body is malformed, as it is to DynamoDB.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| wording::fault(&error))
}
