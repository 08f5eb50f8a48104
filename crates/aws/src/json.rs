//! The AWS JSON 1.0 protocol: the operation is named in `X-Amz-Target`.

/// Content type of requests and answers.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
/// Target prefix of DynamoDB.
pub const DYNAMODB_TARGET: &str = "DynamoDB_20120810";
/// Target prefix of DynamoDB Streams.
pub const STREAMS_TARGET: &str = "DynamoDBStreams_20120810";

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
}
