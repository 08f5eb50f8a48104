//! What all inputs have in common, and reading them from a request's body.

use serde::de::DeserializeOwned;

use crate::attribute::{MORE_THAN_ONE_TYPE, NO_TYPE, TOO_DEEP};
use crate::violations::Violations;

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
    /// where it is known, else it says what was found where (DynamoDB itself sends no text with a body that is no JSON).
    Malformed(String),
    /// An attribute value that names no type or several, or is nested too deeply: `ValidationException` with this text.
    Value(&'static str),
}

/// Reads an input from a request's body. An empty body is malformed, as it is to DynamoDB.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        [MORE_THAN_ONE_TYPE, NO_TYPE, TOO_DEEP]
            .into_iter()
            .find(|known| text.starts_with(known))
            .map_or_else(|| Fault::Malformed(wrong_type(&text).unwrap_or(text)), Fault::Value)
    })
}

/// DynamoDB's text for a JSON value of the wrong type, from serde's `invalid type: integer `1`, expected a string`.
fn wrong_type(text: &str) -> Option<String> {
    let (found, expected) = text.strip_prefix("invalid type: ")?.rsplit_once(", expected ")?;
    let wanted =
        [("a string", "String"), ("base64 text", "Blob"), ("a boolean", "Boolean"), ("i64", "Integer")];
    let wanted = wanted.into_iter().find(|(name, _)| expected.starts_with(name)).map(|(_, class)| class);
    let token = [
        ("boolean `true`", "TRUE_VALUE"),
        ("boolean `false`", "FALSE_VALUE"),
        ("integer", "NUMBER_VALUE"),
        ("floating point", "DECIMAL_VALUE"),
        ("string", "STRING_VALUE"),
    ];
    let token = token.into_iter().find(|(name, _)| found.starts_with(name)).map(|(_, token)| token);
    match (token, wanted) {
        (Some(token), Some(wanted)) => Some(format!("{token} cannot be converted to {wanted}")),
        (Some(_), None) => Some("Unexpected field type".to_owned()),
        (None, Some(wanted)) if found == "sequence" => {
            Some(format!("Unrecognized collection type class java.lang.{wanted}"))
        }
        (None, _) if found == "map" => Some("Start of structure or map found where not expected".to_owned()),
        _ => None,
    }
}
