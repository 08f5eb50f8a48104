//! The AWS JSON 1.0 protocol: the operation is named in `X-Amz-Target`.

/// Content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
/// Target prefix of DynamoDB.
pub const DYNAMODB_TARGET: &str = "DynamoDB_20120810";
/// Target prefix of DynamoDB Streams.
pub const STREAMS_TARGET: &str = "DynamoDBStreams_20120810";

/// The other content type that DynamoDB takes. Answers have the type of the request.
pub const PLAIN_CONTENT_TYPE: &str = "application/json";

/// The content type of the answer to a request of a content type; `None` if DynamoDB takes no such request. Parameters do
/// not count. Source: a public server's tests that were compared with DynamoDB.
#[must_use]
pub fn content_type(header: &str) -> Option<&'static str> {
    let name = header.split(';').next().unwrap_or("").trim();
    [CONTENT_TYPE, PLAIN_CONTENT_TYPE].into_iter().find(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a body is JSON at all.
#[must_use]
pub fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

/// Splits `DynamoDB_20120810.PutItem` into service and operation.
#[must_use]
pub fn target(header: &str) -> Option<(&str, &str)> {
    header.trim().split_once('.')
}

/// Value of `x-amz-crc32` for a body.
#[must_use]
pub fn crc32(body: &[u8]) -> u32 {
    crc32fast::hash(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split() {
        assert_eq!(target("DynamoDB_20120810.PutItem"), Some((DYNAMODB_TARGET, "PutItem")));
        assert_eq!(target("PutItem"), None);
        assert_eq!(crc32(b"{}"), 2_745_614_147);
    }

    #[test]
    fn content_types_are_those_of_dynamodb() {
        for (header, expected) in [
            ("application/x-amz-json-1.0", Some(CONTENT_TYPE)),
            ("  application/json  ;   asfd", Some(PLAIN_CONTENT_TYPE)),
            ("application/x-amz-json-1.0;blah", Some(CONTENT_TYPE)),
            ("application/x-amz-json-1.1", None),
            ("application/jsonasdf", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(content_type(header), expected, "{header}");
        }
        assert!(is_json(b" {} ") && !is_json(b"hi") && !is_json(b"") && !is_json(b"{}{}"));
    }
}
