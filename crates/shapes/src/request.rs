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
        self.check_with(Violations::of(Self::OPERATION))
    }

    /// The same, for an input that was read from this body.
    fn check_sent(&self, body: &[u8]) -> Result<(), String> {
        match self.check() {
            Err(_) if is_read_the_older_way(Self::OPERATION, body) => {
                self.check_with(Violations::in_older_form(Self::OPERATION))
            }
            checked => checked,
        }
    }

    /// Adds the broken constraints to these; their text, if there are any.
    fn check_with(&self, mut violations: Violations) -> Result<(), String> {
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
    /// An attribute value that names no type or several: `ValidationException` with this text.
    Value(&'static str),
}

/// Reads an input from a request's body. An empty body is malformed, as it is to DynamoDB.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| wording::fault(&error))
}

/// Objects and arrays in each other up to which DynamoDB reads a body of PutItem, UpdateItem and DeleteItem the current way.
/// Source: recorded in us-east-1 and eu-west-2 (October 2026), where a value of 40 levels of maps, 83 of objects, is below it
/// and one of 63, which are 129, above; the recorder found "about 62".
const CURRENT_NESTING_MAX: usize = 128;

/// Whether an operation reads a body, which is JSON, the older way because of how deeply it is nested: what is refused is told
/// in the older form then, and without an envelope. Looks at the whole body.
#[must_use]
pub fn is_read_the_older_way(operation: &str, body: &[u8]) -> bool {
    crate::violations::CURRENT_WRITES.contains(&operation) && nests_beyond(CURRENT_NESTING_MAX, body)
}

/// Whether objects and arrays stand in each other beyond a limit.
fn nests_beyond(max: usize, body: &[u8]) -> bool {
    let (mut level, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => level += 1,
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
        if level > max {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_that_of_objects_and_arrays() {
        let body = |open: &str, levels: usize, close: &str| {
            format!("{}{}", open.repeat(levels), close.repeat(levels))
        };
        assert!(!nests_beyond(128, body("[", 128, "]").as_bytes()));
        assert!(nests_beyond(128, body("[", 129, "]").as_bytes()));
        assert!(nests_beyond(128, body(r#"{"a":"#, 129, "}").as_bytes()));
        assert!(!nests_beyond(128, "[],".repeat(200).as_bytes()));
        // In texts they are none, whatever is escaped there.
        assert!(!nests_beyond(128, format!(r#"["\"{}"]"#, "[".repeat(200)).as_bytes()));
        assert!(nests_beyond(128, format!(r#"["\\",{}"#, "[".repeat(200)).as_bytes()));
    }
}
