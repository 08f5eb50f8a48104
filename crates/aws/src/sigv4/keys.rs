//! Access keys and their secrets. A secret never shows: neither in `Debug` nor in any text.

use super::canonical::hex;
use super::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::fmt;

/// A secret access key.
#[derive(Clone, PartialEq, Eq)]
struct Secret(Box<str>);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Access keys with their secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessKeys(BTreeMap<Box<str>, Secret>);

/// Why a text is no access key with its secret. Says nothing of the text itself, which may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no colon between the two.
    #[error("an access key is given as `KEY:SECRET`, with a colon between the two")]
    NoColon,
    /// One of the two is empty, or the key holds what a credential cannot carry.
    #[error(
        "the key needs 1 to 128 visible characters of ASCII without slash and comma, the secret at least one"
    )]
    Unusable,
    /// The key is there already, with another secret.
    #[error("an access key is given twice with two secrets")]
    Twice,
}

impl AccessKeys {
    /// The pair that works where none was given: `test` with `test`, as LocalStack's users know it.
    #[must_use]
    pub fn known() -> Self {
        Self(BTreeMap::from([("test".into(), Secret("test".into()))]))
    }

    /// Adds a pair, `KEY:SECRET`.
    ///
    /// # Errors
    /// If the text is no such pair.
    pub fn add(&mut self, text: &str) -> Result<(), KeyError> {
        let (key, secret) = text.split_once(':').ok_or(KeyError::NoColon)?;
        let fits = |c: u8| c.is_ascii_graphic() && c != b'/' && c != b',';
        if key.is_empty() || key.len() > super::signature::ACCESS_KEY_CHARACTERS_MAX || secret.is_empty() {
            return Err(KeyError::Unusable);
        }
        if !key.bytes().all(fits) {
            return Err(KeyError::Unusable);
        }
        let secret = Secret(secret.into());
        match self.0.get(key) {
            Some(known) if *known != secret => Err(KeyError::Twice),
            _ => {
                self.0.insert(key.into(), secret);
                Ok(())
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The signature of a canonical request under a key's secret, in hexadecimal; `None` for an unknown key.
    pub(super) fn sign(&self, key: &str, scope: &Scope<'_>, request_sha256: &str) -> Option<String> {
        let secret = self.0.get(key)?;
        let first = format!("AWS4{}", secret.0);
        let date = mac(first.as_bytes(), scope.date);
        let region = mac(&date, scope.region);
        let service = mac(&region, scope.service);
        let signing = mac(&service, super::TERMINATOR);
        let text = format!(
            "{}\n{}\n{}/{}/{}/{}\n{request_sha256}",
            super::ALGORITHM,
            scope.signed,
            scope.date,
            scope.region,
            scope.service,
            super::TERMINATOR
        );
        Some(hex(&mac(&signing, &text)))
    }
}

/// For what and when a request was signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub signed: Timestamp,
    pub date: &'a str,
    pub region: &'a str,
    pub service: &'a str,
}

fn mac(key: &[u8], text: &str) -> [u8; 32] {
    // A key of any length is taken: longer ones are hashed first.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_and_secrets_never_show() {
        let mut keys = AccessKeys::default();
        assert_eq!(keys.add("AKIDEXAMPLE:wJalr:/hid+den="), Ok(()));
        assert_eq!(keys.add("AKIDEXAMPLE:wJalr:/hid+den="), Ok(()), "the same again is no second one");
        assert_eq!(keys.add("AKIDEXAMPLE:other"), Err(KeyError::Twice));
        for (text, error) in [
            ("hidden", KeyError::NoColon),
            (":hidden", KeyError::Unusable),
            ("a:", KeyError::Unusable),
            ("a/b:hidden", KeyError::Unusable),
            ("a b:hidden", KeyError::Unusable),
            ("é:hidden", KeyError::Unusable),
        ] {
            assert_eq!(keys.add(text), Err(error), "{text}");
            assert!(!error.to_string().contains("hidden"));
        }
        assert_eq!(keys.len(), 1);
        let shown = format!("{keys:?}");
        assert!(
            shown.contains("AKIDEXAMPLE") && !shown.contains("hid") && !shown.contains("wJalr"),
            "{shown}"
        );
    }
}
