//! Every error text that DynamoDB's clients see, one constructor each, with the source of its wording.
//!
//! Sources: *recorded* are answers of AWS recorded by public conformance suites (us-east-1 and eu-west-2, June to October
//! 2026); *verified* are texts that a public catalogue of the control plane's behaviour verified (us-west-2, October 2026);
//! *known* are texts that many projects quote alike and none contradicts; *model* is AWS's API model or documentation;
//! *ours* are our own.

pub mod batches;
pub mod expression;
pub mod indexes;
pub mod reads;
pub mod tables;
pub mod tags;
pub mod time_to_live;
pub mod transactions;
pub mod update_table;
pub mod updates;
pub mod writes;

use crate::item::{Damaged, SetKind, ValueError};
use crate::key::{KeyError, Role, ScalarType};
use crate::number::NumberError;
use holdfast_aws::Error;
use holdfast_shapes::Fault;
use holdfast_store::StoreError;
use std::borrow::Cow;

/// How an operation words faults of attribute values. Source: recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wording {
    /// `PutItem`, `UpdateItem`, `DeleteItem`: after `1 validation error detected: `.
    Enveloped,
    /// `GetItem`, `BatchGetItem`, `Query`: alone.
    Bare,
    /// `BatchWriteItem`, `Scan`: alone, and in older words where [`batches::older_value`] has them.
    Older,
}

const INVALID: &str = "One or more parameter values were invalid: ";

/// A `ValidationException`.
fn validation(message: impl Into<Cow<'static, str>>) -> Error {
    Error::validation(message)
}

fn invalid(what: &str) -> Error {
    validation(format!("{INVALID}{what}"))
}

/// A body that cannot be read. Source of the texts: recorded, by the shapes.
#[must_use]
pub fn unreadable(fault: Fault) -> Error {
    match fault {
        Fault::Malformed(text) => Error::serialization(text),
        Fault::Value(text) => validation(text),
    }
}

/// Broken constraints of the model. Source of the texts: recorded, by the shapes.
#[must_use]
pub fn constraints(text: String) -> Error {
    validation(text)
}

/// An operation that this build does not have, or that nobody has. Source: model.
#[must_use]
pub fn unknown_operation() -> Error {
    Error::unknown_operation()
}

/// A parameter that this build does not evaluate. Source: ours.
#[must_use]
pub fn not_evaluated(operation: &str, member: &str) -> Error {
    validation(format!(
        "Holdfast does not evaluate the parameter {member} of {operation} in this version, so it is refused rather than \
         ignored; COMPAT.md lists what is evaluated"
    ))
}

/// A fault of an attribute value.
#[must_use]
pub fn value(wording: Wording, error: &ValueError) -> Error {
    let text = value_text(error);
    match wording {
        Wording::Enveloped => validation(format!("1 validation error detected: {text}")),
        Wording::Bare => validation(text),
        Wording::Older => batches::older_value(error).unwrap_or_else(|| validation(text)),
    }
}

/// Source: recorded, but for the empty name, whose wording is recorded for transactions only.
fn value_text(error: &ValueError) -> Cow<'static, str> {
    match error {
        ValueError::EmptyName => "Empty attribute name".into(),
        ValueError::NameTooLong(_) => "Attribute name is too large, must be less than 65536 bytes".into(),
        // Known, of the older layer.
        ValueError::TooLarge(_) => "Item size has exceeded the maximum allowed size".into(),
        ValueError::Number { text, error } => number_text(text, *error),
        // Two spaces, and "An" before a consonant: AWS's own.
        ValueError::EmptySet(SetKind::String) => format!("{INVALID}An string set  may not be empty").into(),
        ValueError::EmptySet(SetKind::Number) => format!("{INVALID}An number set  may not be empty").into(),
        ValueError::EmptySet(SetKind::Binary) => format!("{INVALID}Binary sets should not be empty").into(),
        ValueError::Duplicates { set, members, .. } => {
            let quoted: Vec<String> = members.iter().map(|member| format!("\"{member}\"")).collect();
            match set {
                SetKind::String => {
                    format!("{INVALID}Input collection [{}] contains duplicates.", quoted.join(", ")).into()
                }
                // No space before "of": AWS's own.
                SetKind::Binary => {
                    format!("{INVALID}Input collection [{}]of type BS contains duplicates.", quoted.join(","))
                        .into()
                }
                SetKind::Number => format!("{INVALID}Input collection contains duplicates.").into(),
            }
        }
        ValueError::NullFalse => {
            format!("{INVALID}Null attribute value types must have the value of true").into()
        }
        ValueError::TooDeep => {
            "Nesting Levels have exceeded supported limits: Attributes in the item have nested \
                                levels beyond supported limit"
                .into()
        }
    }
}

fn number_text(text: &str, error: NumberError) -> Cow<'static, str> {
    match error {
        NumberError::NotNumeric => {
            format!("The parameter cannot be converted to a numeric value: {text}").into()
        }
        NumberError::TooPrecise => "Attempting to store more than 38 significant digits in a Number".into(),
        NumberError::Overflow => {
            "Number overflow. Attempting to store a number with magnitude larger than supported range".into()
        }
        NumberError::Underflow => {
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
                .into()
        }
    }
}

/// An item of more than 400 KB in a put, its rows in local indexes counted in. Source: recorded; of indexes, the local emulator.
#[must_use]
pub fn item_too_large() -> Error {
    validation("Item size has exceeded the maximum allowed size")
}

/// Key attributes of an item to be put. Source: known; empty ones recorded.
#[must_use]
pub fn item_key(error: &KeyError) -> Error {
    match error {
        KeyError::Missing(name) => invalid(&format!("Missing the key {name} in the item")),
        KeyError::WrongType { name, expected, actual } => {
            invalid(&format!("Type mismatch for key {name} expected: {} actual: {actual}", expected.name()))
        }
        other => key_value(other),
    }
}

/// A request's `Key`. Source: recorded.
#[must_use]
pub fn lookup_key(error: &KeyError) -> Error {
    match error {
        KeyError::Missing(_) | KeyError::WrongType { .. } | KeyError::Extra => {
            validation("The provided key element does not match the schema")
        }
        other => key_value(other),
    }
}

/// A key attribute's value that is too long, of a table or an index. Source: known (with AWS's missing space).
fn key_too_long(role: Role) -> Error {
    match role {
        Role::Partition => invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        Role::Sort => invalid("Aggregated size of all range keys has exceeded the size limit of 1024 bytes"),
    }
}

/// Values that cannot be a key anywhere. Source: empty ones recorded.
fn key_value(error: &KeyError) -> Error {
    match error {
        KeyError::Empty { name, kind } => {
            let kind = if *kind == ScalarType::B { "binary" } else { "string" };
            validation(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
                 empty {kind} value. Key: {name}"
            ))
        }
        KeyError::TooLong(role) => key_too_long(*role),
        // Numbers are checked before keys, the others are worded by the caller.
        KeyError::NotANumber(_) | KeyError::Missing(_) | KeyError::WrongType { .. } | KeyError::Extra => {
            validation("The provided key element does not match the schema")
        }
    }
}

/// A table that an operation on items does not find. Source: recorded.
#[must_use]
pub fn no_such_table() -> Error {
    Error::service("ResourceNotFoundException", "Requested resource not found")
}

/// An ARN that names no table, where a table's name or ARN belongs. Source: ours; no record of AWS's text is known.
#[must_use]
pub fn not_a_table_arn(arn: &str) -> Error {
    invalid(&format!("{arn} is not the ARN of a table"))
}

/// Stored bytes that cannot be read, or a failure of the disk: a human must look. Source: ours, in AWS's error.
#[must_use]
pub fn internal(cause: &dyn std::fmt::Display) -> Error {
    tracing::error!(%cause, "a DynamoDB request failed inside");
    Error::internal(format!("Internal server error: {cause}"))
}

/// A damaged item.
#[must_use]
pub fn damaged(error: &Damaged) -> Error {
    internal(error)
}

/// The store has no durable outcome for a write. The store has told its log already. Source: ours; the codes are AWS's.
#[must_use]
pub fn from_store(error: &StoreError) -> Error {
    match error {
        StoreError::Busy { .. } | StoreError::NoRoom { .. } | StoreError::DiskFull(_) => {
            Error::service_unavailable(error.to_string())
        }
        _ => Error::internal(format!("Internal server error: {error}")),
    }
}
