//! What is fixed before an operation runs, so that running it again gives the same result.

use std::cell::RefCell;
use std::fmt;

/// The one account that everything belongs to.
pub const ACCOUNT: &str = "000000000000";

/// Characters of a request id. Source: answers of DynamoDB have 52 upper-case letters and digits.
const REQUEST_ID_CHARACTERS: usize = 52;

/// Bytes of randomness that a thread asks the system for at once: enough for some sixty requests.
const RANDOM_BYTES: usize = 4_096;

/// Randomness of the operating system that was asked for and not used yet.
struct RandomBytes {
    bytes: [u8; RANDOM_BYTES],
    used: usize,
}

thread_local! {
    static RANDOM: RefCell<RandomBytes> = const { RefCell::new(RandomBytes { bytes: [0; RANDOM_BYTES], used: RANDOM_BYTES }) };
}

/// Random bytes, each given out once. One call of the system serves many requests.
fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    RANDOM.with_borrow_mut(|random| {
        if random.used + N > RANDOM_BYTES {
            getrandom::fill(&mut random.bytes)?;
            random.used = 0;
        }
        let taken = &mut random.bytes[random.used..random.used + N];
        let mut out = [0; N];
        out.copy_from_slice(taken);
        // Nothing that was given out stays behind.
        taken.fill(0);
        random.used += N;
        Ok(out)
    })
}

/// Identity of a request, as AWS shows it in `x-amzn-RequestId`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; REQUEST_ID_CHARACTERS]);

impl RequestId {
    /// A new id.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        random().map(Self::from_random)
    }

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

/// What separates the resources of clients from those of others. Nothing at first: everybody sees the same ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IsolateBy {
    /// Each access key has its own.
    pub key: bool,
    /// Each region has its own.
    pub region: bool,
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
    /// Where the request was sent: host and port, as its sender wrote them.
    pub host: Box<str>,
    /// Id that the answer carries.
    pub request_id: RequestId,
    /// Service time in milliseconds since 1970.
    pub now_ms: u64,
    /// Randomness for ids that the operation makes.
    pub random: [u8; 16],
    /// What separates the resources of clients (`--isolate-by`).
    pub isolate_by: IsolateBy,
    /// Whether resources are in the making, and in deletion, for as long as they show it (`--delay-transient-statuses`).
    pub delay_transient_statuses: bool,
}

impl Context {
    /// A context for an access key in a region, with fresh randomness and without delays.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn new(region: &str, access_key: &str, now_ms: u64) -> Result<Self, getrandom::Error> {
        Self::of(RequestId::random()?, region, access_key, now_ms)
    }

    /// The context of a request that has its id already.
    ///
    /// # Errors
    /// If the operating system has no randomness.
    pub fn of(
        request_id: RequestId,
        region: &str,
        access_key: &str,
        now_ms: u64,
    ) -> Result<Self, getrandom::Error> {
        Ok(Self {
            account: ACCOUNT.into(),
            region: region.into(),
            access_key: access_key.into(),
            host: Box::default(),
            request_id,
            now_ms,
            random: random()?,
            isolate_by: IsolateBy::default(),
            delay_transient_statuses: false,
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

    #[test]
    fn no_randomness_is_given_out_twice() {
        fn many() -> Vec<(String, [u8; 16])> {
            // More than a thread asks for at once.
            let contexts = (0..500).map(|_| Context::new("r", "k", 0).expect("randomness"));
            contexts.map(|context| (context.request_id.to_string(), context.random)).collect()
        }
        let other = std::thread::spawn(many);
        let all: Vec<_> = many().into_iter().chain(other.join().expect("ends")).collect();
        let ids: std::collections::HashSet<_> = all.iter().map(|(id, _)| id).collect();
        let own: std::collections::HashSet<_> = all.iter().map(|(_, own)| own).collect();
        assert_eq!((ids.len(), own.len()), (1_000, 1_000));
    }
}
