//! Texts of transactions. Sources are named as in [`errors`](super); *local* are answers of AWS's own local emulator (version
//! 3.3.1), used where nothing from AWS itself is known.

use super::writes::{self, CONDITION_FAILED};
use super::{internal, validation};
use crate::item::json;
use crate::transaction::reasons::Reason;
use holdfast_aws::Error;

/// A transaction that some of its actions forbid: what there is against each of them, in order, or none. Source: recorded.
/// [`with_reasons`] completes it.
pub(crate) fn cancelled(reasons: &[Option<Reason>]) -> Error {
    let codes: Vec<&str> = reasons.iter().map(code).collect();
    let text = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Error { capital: true, ..Error::service("TransactionCanceledException", text) }
}

/// The same error with the reasons, or the failure to show them. It encodes items, so it is none of the executor's. Source:
/// recorded; model for the members.
pub(crate) fn with_reasons(error: Error, reasons: &[Option<Reason>]) -> Error {
    let mut out = vec![b'['];
    for (at, reason) in reasons.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if let Err(error) = show(reason.as_ref(), &mut out) {
            return error;
        }
    }
    out.push(b']');
    match String::from_utf8(out) {
        Ok(listed) => error.with("CancellationReasons", listed),
        Err(error) => internal(&error),
    }
}

/// Without a reason there is nothing against the action.
fn code(reason: &Option<Reason>) -> &'static str {
    reason.as_ref().map_or("None", Reason::code)
}

fn show(reason: Option<&Reason>, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(b"{\"Code\":");
    json::render_text(reason.map_or("None", Reason::code), out);
    let text = match reason {
        None => None,
        Some(Reason::Condition(item)) => {
            if let Some(item) = item {
                out.extend_from_slice(b",\"Item\":");
                writes::show(item, out)?;
            }
            Some(CONDITION_FAILED)
        }
        Some(Reason::Validation(text)) => Some(&**text),
    };
    if let Some(text) = text {
        out.extend_from_slice(b",\"Message\":");
        json::render_text(text, out);
    }
    out.push(b'}');
    Ok(())
}

/// Two actions on one item. Source: recorded.
#[must_use]
pub fn same_item() -> Error {
    validation("Transaction request cannot include multiple operations on one item")
}

/// An entry without an action. Source: recorded (us-east-1, October 2026), though there is a fourth kind of action.
#[must_use]
pub fn no_action() -> Error {
    validation("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
}

/// An entry with several actions. Source: local.
#[must_use]
pub fn several_actions() -> Error {
    validation("TransactItems can only contain one of Check, Put, Update or Delete")
}

/// Items of more than 4 MB in one request. Source: an answer quoted by one project, which says the same twice; local says it
/// once.
#[must_use]
pub fn request_too_large(bytes: u64) -> Error {
    let text = "Transaction payload size cannot exceed 4MB. Payload Size: ";
    validation(format!("{text}: {text}{bytes}"))
}

/// A token that was used for a request with other parameters. Source: known, and a text of the local emulator; model for the
/// member.
#[must_use]
pub fn other_request() -> Error {
    let text =
        "Specified idempotent token was used with different request parameters within the idempotency window";
    Error { capital: true, ..Error::service("IdempotentParameterMismatchException", text) }
}

/// Items of more than 4 MB in one answer. Source: local, with its missing space.
#[must_use]
pub fn answer_too_large(bytes: u64) -> Error {
    validation(format!("Payload in response is too large.{bytes}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::codec::encode_item;
    use holdfast_shapes::{AttributeMap, AttributeValue};

    fn body(error: &Error) -> String {
        String::from_utf8(error.body()).unwrap()
    }

    #[test]
    fn bodies_have_the_members_of_the_model() {
        let item = AttributeMap(vec![("pk".to_owned(), AttributeValue::S("a".to_owned()))]);
        let item = encode_item(&item).unwrap().bytes.into();
        let reasons = [
            None,
            Some(Reason::Condition(Some(item))),
            Some(Reason::Condition(None)),
            Some(Reason::Validation("Why".into())),
        ];
        assert_eq!(
            body(&with_reasons(cancelled(&reasons), &reasons)),
            concat!(
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":["#,
                r#"{"Code":"None"},"#,
                r#"{"Code":"ConditionalCheckFailed","Item":{"pk":{"S":"a"}},"Message":"The conditional request failed"},"#,
                r#"{"Code":"ConditionalCheckFailed","Message":"The conditional request failed"},"#,
                r#"{"Code":"ValidationError","Message":"Why"}],"#,
                r#""Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, "#,
                r#"ConditionalCheckFailed, ConditionalCheckFailed, ValidationError]"}"#
            )
        );
        assert_eq!(
            body(&other_request()),
            concat!(
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException","Message":"#,
                r#""Specified idempotent token was used with different request parameters within the idempotency window"}"#
            )
        );
        assert!(
            body(&same_item())
                .starts_with(r#"{"__type":"com.amazon.coral.validate#ValidationException","message":""#)
        );
    }
}
