//! An error as clients see it.

use std::borrow::Cow;

/// Prefix of DynamoDB's own errors in `__type`.
pub const DYNAMODB: &str = "com.amazonaws.dynamodb.v20120810#";
/// Prefix of errors of the framework in front of the service.
pub const CORAL_SERVICE: &str = "com.amazon.coral.service#";
/// Prefix of validation errors.
pub const CORAL_VALIDATE: &str = "com.amazon.coral.validate#";

/// An error answer. It is a value, not a failure of the program.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// HTTP status.
    pub status: u16,
    /// What stands before the code in `__type`.
    pub prefix: &'static str,
    /// AWS's name of the error.
    pub code: Cow<'static, str>,
    /// Text for people; programs compare it all the same.
    pub message: Cow<'static, str>,
    /// Whether the text's member is `Message`, as the framework writes it for some errors, instead of `message`.
    pub capital: bool,
    /// Further members of the body, as JSON: an item is rendered once, never taken apart for it.
    pub extra: Vec<(&'static str, String)>,
}

impl Error {
    fn new(
        status: u16,
        prefix: &'static str,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { status, prefix, code: code.into(), message: message.into(), capital: false, extra: Vec::new() }
    }

    /// An error of DynamoDB itself.
    #[must_use]
    pub fn service(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, DYNAMODB, code, message)
    }

    /// A request that breaks a rule.
    #[must_use]
    pub fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, CORAL_VALIDATE, "ValidationException", message)
    }

    /// A body that cannot be read.
    #[must_use]
    pub fn serialization(message: impl Into<Cow<'static, str>>) -> Self {
        Self { capital: true, ..Self::new(400, CORAL_SERVICE, "SerializationException", message) }
    }

    /// An operation that nobody knows. AWS gives no text.
    #[must_use]
    pub fn unknown_operation() -> Self {
        Self::new(400, CORAL_SERVICE, "UnknownOperationException", "")
    }

    /// A call of a service that this build does not have. Source: ours; with 501, because clients send again what is answered
    /// with 500, 502, 503 or 504.
    #[must_use]
    pub fn not_implemented(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(501, CORAL_SERVICE, "UnknownOperationException", message)
    }

    /// A request without credentials. Source of the text: recorded answers of DynamoDB in us-east-2, 2026.
    #[must_use]
    pub fn missing_authentication_token() -> Self {
        let text = "Request is missing Authentication Token";
        Self::new(400, CORAL_SERVICE, "MissingAuthenticationTokenException", text)
    }

    /// An access key that nobody has. Source of the text: recorded answers of DynamoDB.
    #[must_use]
    pub fn unrecognized_client() -> Self {
        let text = "The security token included in the request is invalid.";
        Self::new(400, CORAL_SERVICE, "UnrecognizedClientException", text)
    }

    /// A signature whose parts are not all there.
    #[must_use]
    pub fn incomplete_signature(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, CORAL_SERVICE, "IncompleteSignatureException", message)
    }

    /// A signature that is there and wrong.
    #[must_use]
    pub fn invalid_signature(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, CORAL_SERVICE, "InvalidSignatureException", message)
    }

    /// A body beyond the limit: DynamoDB answers with the status alone, and so is this one sent. Source: recorded answers of
    /// DynamoDB (413, no body).
    #[must_use]
    pub fn request_too_large() -> Self {
        Self::new(413, CORAL_SERVICE, "RequestEntityTooLargeException", "")
    }

    /// A failure on our side: the outcome is unknown.
    #[must_use]
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(500, DYNAMODB, "InternalServerError", message)
    }

    /// Too much to do, or no room: nothing was stored, try again.
    #[must_use]
    pub fn service_unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(503, CORAL_SERVICE, "ServiceUnavailableException", message)
    }

    /// The same error with a further member in its body; `json` is its value.
    #[must_use]
    pub fn with(mut self, member: &'static str, json: String) -> Self {
        self.extra.push((member, json));
        self
    }

    /// The body in the JSON protocol: the type, then the members in the order of their names, as AWS has them in all answers.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        // Displaying a JSON string escapes what has to be.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut members: Vec<(&str, Cow<'_, str>)> =
            self.extra.iter().map(|(member, json)| (*member, json.as_str().into())).collect();
        if !self.message.is_empty() {
            members.push((if self.capital { "Message" } else { "message" }, quoted(&self.message).into()));
        }
        members.sort_by_key(|(member, _)| *member);
        let mut body = format!(r#"{{"__type":"{}{}""#, self.prefix, self.code);
        for (member, value) in members {
            body.push_str(&format!(r#","{member}":"#));
            body.push_str(&value);
        }
        body.push('}');
        body.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_aws_form() {
        let error = Error::service("ResourceNotFoundException", "Requested resource not found");
        assert_eq!(
            String::from_utf8(error.body()).expect("text"),
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#
        );
        assert_eq!(
            String::from_utf8(Error::unknown_operation().body()).expect("text"),
            r#"{"__type":"com.amazon.coral.service#UnknownOperationException"}"#
        );
    }

    #[test]
    fn the_type_comes_first_and_texts_are_escaped() {
        let error = Error::serialization("a \"b\"\n").with("Item", r#"{"k":{"S":"v"}}"#.to_owned());
        assert_eq!(
            String::from_utf8(error.body()).expect("text"),
            r#"{"__type":"com.amazon.coral.service#SerializationException","Item":{"k":{"S":"v"}},"Message":"a \"b\"\n"}"#
        );
    }

    /// Values of `x-amz-crc32` that DynamoDB sent with these errors: the bodies are the same byte for byte.
    #[test]
    fn bodies_have_the_checksums_that_aws_sends() {
        let recorded = [
            (Error::missing_authentication_token(), 2_088_342_776),
            (Error::serialization(""), 3_948_637_019),
            (Error::unknown_operation(), 1_368_724_161),
        ];
        for (error, crc32) in recorded {
            assert_eq!(crate::json::crc32(&error.body()), crc32, "{error}");
        }
    }
}
