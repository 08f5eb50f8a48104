//! What is fixed before an operation runs, so that running it again gives the same result.

use std::fmt;

/// The one account that everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// Characters of a request id. Source: answers of DynamoDB have 52 upper-case letters and digits.
const REQUEST_ID_CHARACTERS: usize = 52;

/// Identity of a request, as AWS shows it in `x-amzn-RequestId`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; REQUEST_ID_CHARACTERS]);

impl RequestId {
    /// An id from 52 random bytes.
    #[must_use]
    pub fn from_random(random: [u8; REQUEST_ID_CHARACTERS]) -> Self {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        Self(random.map(|byte| ALPHABET[usize::from(byte % 32)]))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Everything about a request but its input.
#[derive(Debug, Clone)]
pub struct Context {
    /// Account whose resources are meant.
    pub account: Box<str>,
    /// Region from the credential scope.
    pub region: Box<str>,
    /// Access key from the credential.
    pub access_key: Box<str>,
    /// Id that the answer carries.
    pub request_id: RequestId,
    /// Service time in milliseconds since 1970.
    pub now_ms: u64,
    /// Randomness for ids that the operation makes.
    pub random: [u8; 16],
}

impl Context {
    /// A context for an access key in a region, with fresh randomness.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn new(region: &str, access_key: &str, now_ms: u64) -> Result<Self, getrandom::Error> {
        let mut random = [0u8; REQUEST_ID_CHARACTERS + 16];
        getrandom::fill(&mut random)?;
        let (mut id, mut own) = ([0u8; REQUEST_ID_CHARACTERS], [0u8; 16]);
        id.copy_from_slice(&random[..REQUEST_ID_CHARACTERS]);
        own.copy_from_slice(&random[REQUEST_ID_CHARACTERS..]);
        Ok(Self {
            account: ACCOUNT.into(),
            region: region.into(),
            access_key: access_key.into(),
            request_id: RequestId::from_random(id),
            now_ms,
            random: own,
        })
    }

    /// A random (version 4) UUID made of [`Context::random`]: the same each time it is asked for.
    #[must_use]
    pub fn uuid(&self) -> String {
        let mut bytes = self.random;
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_aws_form() {
        let context = Context::new("eu-west-1", "test", 5).expect("randomness");
        let id = context.request_id.to_string();
        assert_eq!(id.len(), 52);
        assert!(id.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        let uuid = context.uuid();
        assert_eq!(uuid, context.uuid());
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    }
}
