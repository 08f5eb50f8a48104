//! Checks signatures against known secrets.

use super::canonical::{request_sha256, sha256};
use super::keys::Scope;
use super::signature::{Credential, Signature};
use super::time::Timestamp;
use super::{AccessKeys, Head, TERMINATOR, errors};
use crate::Error;
use std::borrow::Cow;
use subtle::ConstantTimeEq;

/// How far a client's clock may be off, in seconds. Source: the texts of AWS's own refusals.
pub const SKEW_S: u64 = 5 * 60;
/// Longest lifetime of a presigned URL, in seconds: a week. Source: AWS's documentation.
pub const EXPIRES_S_MAX: u64 = 604_800;
/// Header that names the operation: unsigned, it could be exchanged.
const TARGET: &str = "x-amz-target";

/// Checks the signatures of requests to one service.
#[derive(Debug, Clone)]
pub struct Verifier {
    keys: AccessKeys,
    service: &'static str,
}

impl Verifier {
    /// Knows these keys, and is asked for this service, as credential scopes name it.
    #[must_use]
    pub fn new(keys: AccessKeys, service: &'static str) -> Self {
        Self { keys, service }
    }

    /// Checks a request's signature over its head and its body as they were received; `now_ms` is the service's time. The
    /// body is always hashed: DynamoDB takes no `UNSIGNED-PAYLOAD`. A session token is not looked at: no key has one.
    ///
    /// # Errors
    /// AWS's refusal, in DynamoDB's order of checks: date, signed headers, algorithm, credential, key, signature.
    pub fn check(
        &self,
        head: &Head<'_>,
        signature: &Signature<'_>,
        body: &[u8],
        now_ms: u64,
    ) -> Result<(), Error> {
        let date = signature.date.as_deref().ok_or_else(|| {
            let scheme = &signature.algorithm;
            errors::header_lacks(&[], false, scheme)
        })?;
        let signed = Timestamp::read(date).ok_or_else(|| errors::not_a_date(date))?;
        is_current(signed, signature.expires.as_deref(), Timestamp::from_ms(now_ms))?;
        signs_what_it_must(head, &signature.signed_headers)?;
        if !signature.has_known_algorithm() {
            return Err(errors::unsupported(&signature.algorithm));
        }
        let credential = signature.raw_credential()?;
        self.fits(&credential, date)?;
        let scope =
            Scope { signed, date: credential.date, region: credential.region, service: credential.service };
        let request = request_sha256(head, &signature.signed_headers, &sha256(body));
        let right =
            self.keys.sign(credential.access_key, &scope, &request).ok_or_else(Error::unrecognized_client)?;
        if bool::from(right.as_bytes().ct_eq(signature.signature.as_bytes())) {
            Ok(())
        } else {
            Err(errors::mismatch())
        }
    }

    /// Every fault of the scope at once.
    fn fits(&self, credential: &Credential<'_>, date: &str) -> Result<(), Error> {
        let mut faults: Vec<Cow<'_, str>> = Vec::new();
        if !credential.has_region() {
            faults.push(errors::REGION.into());
        }
        if credential.service != self.service {
            faults.push(errors::service(self.service).into());
        }
        if credential.terminator != TERMINATOR {
            faults.push(errors::terminator(credential.terminator).into());
        }
        let day = date.get(..8).unwrap_or("");
        if credential.date != day {
            faults.push(errors::day(credential.date, day, date).into());
        }
        if faults.is_empty() { Ok(()) } else { Err(errors::wrong_scope(&faults.concat())) }
    }
}

/// Neither too old nor of the future. A presigned URL lives as long as it says.
fn is_current(signed: Timestamp, expires: Option<&str>, now: Timestamp) -> Result<(), Error> {
    let window_s = match expires {
        None => SKEW_S,
        Some(text) => {
            let seconds: u64 = text.parse().map_err(|_| errors::wrong_expiry(false))?;
            if seconds > EXPIRES_S_MAX {
                return Err(errors::wrong_expiry(true));
            }
            seconds
        }
    };
    if signed < now.minus(window_s) {
        Err(errors::expired(signed, now, window_s))
    } else if signed > now.plus(SKEW_S) {
        Err(errors::not_yet(signed, now, SKEW_S))
    } else {
        Ok(())
    }
}

/// The host and the operation must be signed.
fn signs_what_it_must(head: &Head<'_>, signed_headers: &str) -> Result<(), Error> {
    let signs = |wanted: &str| signed_headers.split(';').any(|name| name.trim().eq_ignore_ascii_case(wanted));
    if !signs("host") && !signs(":authority") {
        return Err(errors::not_signed("'Host' or ':authority'"));
    }
    if head.headers.contains_key(TARGET) && !signs(TARGET) {
        return Err(errors::not_signed("'x-amz-target'"));
    }
    Ok(())
}
