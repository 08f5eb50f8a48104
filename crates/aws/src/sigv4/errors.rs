//! Every text about signatures, one constructor each, with the source of its wording.
//!
//! Sources: *recorded* are answers of DynamoDB whose `x-amz-crc32` public servers' tests hold; *noted* are answers of DynamoDB
//! that such a server's comments quote; *known* are texts of AWS that many projects quote alike; *S3* are S3's texts, which
//! stand in where DynamoDB's are not known.

use super::time::Timestamp;
use super::{ALGORITHM, TERMINATOR};
use crate::Error;

/// Two signatures at once. Source: recorded.
pub(super) fn two_signatures() -> Error {
    Error::invalid_signature(
        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    )
}

/// A part of the `Authorization` header without a value. Source: noted.
pub(super) fn not_a_pair(part: &str, header: &str) -> Error {
    Error::incomplete_signature(format!(
        "'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header}'."
    ))
}

/// What the `Authorization` header lacks, in DynamoDB's order, and whether there is no date. Source: recorded; that only the
/// scheme of the header is repeated, known.
pub(super) fn header_lacks(missing: &[&str], date: bool, scheme: &str) -> Error {
    let mut text: String =
        missing.iter().map(|name| format!("Authorization header requires '{name}' parameter. ")).collect();
    if !date {
        text.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    Error::incomplete_signature(format!("{text}Authorization={scheme}"))
}

/// What a presigned URL lacks. Source: recorded.
pub(super) fn query_lacks(missing: &[&str]) -> Error {
    let text: String =
        missing.iter().map(|name| format!("AWS query-string parameters must include '{name}'. ")).collect();
    Error::incomplete_signature(format!("{text}Re-examine the query-string parameters."))
}

/// A date of another form. Source: noted.
pub(super) fn not_a_date(text: &str) -> Error {
    Error::incomplete_signature(format!(
        "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
    ))
}

/// A length of time, as the texts on expiry write it.
fn span(seconds: u64) -> String {
    if seconds.is_multiple_of(60) { format!("{} min.", seconds / 60) } else { format!("{seconds} sec.") }
}

/// A signature that is too old. Source: noted; five minutes are known.
pub(super) fn expired(signed: Timestamp, now: Timestamp, window_s: u64) -> Error {
    let earliest = now.minus(window_s);
    let span = span(window_s);
    Error::invalid_signature(format!(
        "Signature expired: {signed} is now earlier than {earliest} ({now} - {span})"
    ))
}

/// A signature of the future. Source: known.
pub(super) fn not_yet(signed: Timestamp, now: Timestamp, window_s: u64) -> Error {
    let latest = now.plus(window_s);
    let span = span(window_s);
    Error::invalid_signature(format!(
        "Signature not yet current: {signed} is still later than {latest} ({now} + {span})"
    ))
}

/// A header that must be signed and is not. Source: known.
pub(super) fn not_signed(name: &str) -> Error {
    Error::invalid_signature(format!("{name} must be a 'SignedHeader' in the AWS Authorization."))
}

/// Another algorithm. Source: noted.
pub(super) fn unsupported(algorithm: &str) -> Error {
    Error::incomplete_signature(format!(
        "Unsupported AWS 'algorithm': '{algorithm}' (only {ALGORITHM} for now). "
    ))
}

/// A credential with too few or too many parts. Source: noted.
pub(super) fn not_a_credential(text: &str) -> Error {
    Error::incomplete_signature(format!(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
    ))
}

/// A scope's fault: the region is none. Source: known.
pub(super) const REGION: &str = "Credential should be scoped to a valid region. ";

/// A scope's fault: another service. Source: noted.
pub(super) fn service(service: &str) -> String {
    format!("Credential should be scoped to correct service: '{service}'. ")
}

/// A scope's fault: another end. Source: noted.
pub(super) fn terminator(found: &str) -> String {
    format!("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{found}'. ")
}

/// A scope's fault: another day than that of the signature. Source: noted.
pub(super) fn day(found: &str, day: &str, date: &str) -> String {
    format!(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{found}' != '{day}', \
         from '{date}'. "
    )
}

/// A scope that does not fit the request, fault by fault.
pub(super) fn wrong_scope(faults: &str) -> Error {
    Error::invalid_signature(faults.to_owned())
}

/// The signature is another one. Source: known.
pub(super) fn mismatch() -> Error {
    Error::invalid_signature(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.",
    )
}

/// A lifetime of a presigned URL that is no number, or longer than a week. Source: S3.
pub(super) fn wrong_expiry(is_number: bool) -> Error {
    Error::incomplete_signature(if is_number {
        "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"
    } else {
        "X-Amz-Expires should be a number"
    })
}
