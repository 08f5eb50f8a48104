//! Texts of operations on tags. Sources are named as in [`errors`](super).

use super::{invalid, validation};
use holdfast_aws::Error;

/// A request that names no resource. Source: known, of the older layer.
#[must_use]
pub fn no_resource() -> Error {
    validation("Invalid TableArn")
}

/// A resource that is no ARN. Source: verified.
#[must_use]
pub fn not_an_arn(text: &str) -> Error {
    invalid(&format!("ARNs must start with 'arn:': {text}"))
}

/// The ARN of an index. Source: recorded.
#[must_use]
pub fn not_a_table(arn: &str) -> Error {
    invalid(&format!(
        "Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}"
    ))
}

/// Any other ARN that is none of a table. Source: verified, of operations on resource policies.
#[must_use]
pub fn invalid_arn(arn: &str) -> Error {
    invalid(&format!("Invalid resource Arn: {arn}"))
}

/// A table that is not there, in the making or in deletion. Source: verified.
#[must_use]
pub fn no_such_resource(arn: &str) -> Error {
    Error::service(
        "ResourceNotFoundException",
        format!("Requested resource not found: ResourceArn: {arn} not found"),
    )
}

/// A member that is missing; named as in the model. Source: known.
#[must_use]
pub fn missing(member: &str) -> Error {
    validation(format!(
        "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

/// A list without tags. Source: verified.
#[must_use]
pub fn no_tags() -> Error {
    validation("Atleast one Tag needs to be provided as Input.")
}

/// A list without keys of tags. Source: verified.
#[must_use]
pub fn no_keys() -> Error {
    validation("Atleast one Tag Key needs to be provided as Input.")
}

/// A key that is missing, empty, too long, or has other characters than tags may have. Source: verified.
#[must_use]
pub fn key(key: Option<&str>) -> Error {
    validation(format!("The Tag Key provided is invalid, Key: {}", key.unwrap_or("null")))
}

/// A value that is missing, too long, or has other characters than tags may have. Source: verified.
#[must_use]
pub fn value(value: Option<&str>) -> Error {
    validation(format!("The Tag Value provided is invalid, Value: {}", value.unwrap_or("null")))
}

/// A key that only AWS may give. Source: verified.
#[must_use]
pub fn reserved(key: &str) -> Error {
    validation(format!("Tag Key cannot be prefixed with aws:, Key: {key}"))
}

/// A key twice in one request. Source: verified.
#[must_use]
pub fn key_twice(key: &str) -> Error {
    validation(format!("Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}"))
}

/// More tags than a table may have, or than a request may name. Source: verified.
#[must_use]
pub fn too_many() -> Error {
    validation("Number of Tags exceed the current limit for the provided ResourceArn")
}
