//! The parts of a signature, out of the `Authorization` header or the query of a presigned URL.

use super::canonical::decode;
use super::{ALGORITHM, Head, TERMINATOR, errors};
use crate::Error;
use std::borrow::Cow;

/// Longest access key id. Source: the constraint of `accessKeyIdType` in AWS's API models.
pub(super) const ACCESS_KEY_CHARACTERS_MAX: usize = 128;
/// Longest region. Ours: it may become part of stored keys; AWS's have 14 characters at most.
const REGION_CHARACTERS_MAX: usize = 128;
/// What an `Authorization` header must begin with to be looked at. Source: recorded answers of DynamoDB.
const SCHEMES: &str = "AWS4-";
/// Query parameter that makes a URL a presigned one.
const QUERY_ALGORITHM: &str = "X-Amz-Algorithm";

/// A credential: `ACCESS_KEY/DATE/REGION/SERVICE/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    /// Access key id.
    pub access_key: &'a str,
    /// Day of the signature.
    pub date: &'a str,
    /// Region.
    pub region: &'a str,
    /// Service, as in endpoint names.
    pub service: &'a str,
    /// What should be `aws4_request`.
    pub terminator: &'a str,
}

impl<'a> Credential<'a> {
    /// Takes a credential apart. Slashes at its end do not count.
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.trim_end_matches('/').split('/');
        let credential = Self {
            access_key: parts.next()?,
            date: parts.next()?,
            region: parts.next()?,
            service: parts.next()?,
            terminator: parts.next()?,
        };
        parts.next().is_none().then_some(credential)
    }

    /// Whether the region may be one: whatever clients use locally counts, `us-east-1` as well as `local`.
    pub(super) fn has_region(&self) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        (1..=REGION_CHARACTERS_MAX).contains(&self.region.len()) && self.region.bytes().all(fits)
    }
}

/// A signature and what belongs to it. Nothing of it is checked but that it is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature<'a> {
    pub(super) algorithm: Cow<'a, str>,
    credential: Cow<'a, str>,
    /// Names of the headers that are signed, separated by semicolons.
    pub(super) signed_headers: Cow<'a, str>,
    /// The signature, in hexadecimal.
    pub(super) signature: Cow<'a, str>,
    /// When it was made, as it was sent. May be missing as long as nobody checks it.
    pub(super) date: Option<Cow<'a, str>>,
    /// Lifetime of a presigned URL in seconds, as it was sent.
    pub(super) expires: Option<Cow<'a, str>>,
}

impl std::fmt::Debug for Signature<'_> {
    /// Without the signature: whoever reads it in a log could send the request again.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signature").field("credential", &self.credential).finish_non_exhaustive()
    }
}

impl<'a> Signature<'a> {
    /// Reads a request's signature.
    ///
    /// # Errors
    /// AWS's errors for a request without one, with two, or with one that lacks a part.
    pub fn of(head: &Head<'a>) -> Result<Self, Error> {
        let header = head.header("authorization").map(str::trim).filter(|header| !header.is_empty());
        let query = head.uri.query().filter(|query| is_presigned(query));
        match (header, query) {
            (Some(_), Some(_)) => Err(errors::two_signatures()),
            (Some(header), None) if header.starts_with(SCHEMES) => {
                let date = head.header("x-amz-date").or_else(|| head.header("date"));
                Self::of_header(header, date.filter(|date| !date.is_empty()))
            }
            (None, Some(query)) => Self::of_query(query),
            _ => Err(Error::missing_authentication_token()),
        }
    }

    /// Whether it lives as long as it says itself.
    #[must_use]
    pub fn has_lifetime(&self) -> bool {
        self.expires.is_some()
    }

    /// Its parts are separated by commas, by spaces or by both.
    fn of_header(header: &'a str, date: Option<&'a str>) -> Result<Self, Error> {
        let (algorithm, parameters) = header.split_once(' ').unwrap_or((header, ""));
        let [mut credential, mut signature, mut signed_headers] = [""; 3];
        for part in parameters.split([',', ' ', '\t']).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| errors::not_a_pair(part, header))?;
            match name {
                "Credential" => credential = value,
                "Signature" => signature = value,
                "SignedHeaders" => signed_headers = value,
                _ => {}
            }
        }
        let parts = [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)];
        let missing: Vec<&str> =
            parts.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            return Err(errors::header_lacks(&missing, date.is_some(), algorithm));
        }
        Ok(Self {
            algorithm: algorithm.into(),
            credential: credential.into(),
            signed_headers: signed_headers.into(),
            signature: signature.into(),
            date: date.map(Cow::from),
            expires: None,
        })
    }

    fn of_query(query: &'a str) -> Result<Self, Error> {
        let value = |wanted: &str| {
            let (_, value) = parameters(query).find(|(name, _)| text(name) == wanted)?;
            Some(text(value)).filter(|value| !value.is_empty())
        };
        let mut missing = Vec::new();
        let mut needed = |name: &'static str| {
            value(name).unwrap_or_else(|| {
                missing.push(name);
                Cow::Borrowed("")
            })
        };
        let algorithm = needed(QUERY_ALGORITHM);
        let credential = needed("X-Amz-Credential");
        let signature = needed("X-Amz-Signature");
        let signed_headers = needed("X-Amz-SignedHeaders");
        let date = Some(needed("X-Amz-Date"));
        if !missing.is_empty() {
            return Err(errors::query_lacks(&missing));
        }
        Ok(Self { algorithm, credential, signed_headers, signature, date, expires: value("X-Amz-Expires") })
    }

    /// The credential.
    ///
    /// # Errors
    /// AWS's errors for one that does not have five parts, names no region, or an access key that nobody can have.
    pub fn credential(&self) -> Result<Credential<'_>, Error> {
        let credential =
            Credential::read(&self.credential).ok_or_else(|| errors::not_a_credential(&self.credential))?;
        if !credential.has_region() {
            return Err(errors::wrong_scope(errors::REGION));
        }
        if credential.terminator != TERMINATOR {
            return Err(errors::wrong_scope(&errors::terminator(credential.terminator)));
        }
        let key = credential.access_key;
        if key.is_empty() || key.len() > ACCESS_KEY_CHARACTERS_MAX {
            return Err(Error::unrecognized_client());
        }
        Ok(credential)
    }

    /// The credential with faults that [`Signature::credential`] refuses, as long as it has five parts.
    pub(super) fn raw_credential(&self) -> Result<Credential<'_>, Error> {
        Credential::read(&self.credential).ok_or_else(|| errors::not_a_credential(&self.credential))
    }

    /// Whether the algorithm is the one that there is.
    pub(super) fn has_known_algorithm(&self) -> bool {
        self.algorithm == ALGORITHM
    }
}

/// The service in the scope of a request's credential, if there is a credential at all: decides who answers, and nothing
/// more.
#[must_use]
pub fn service<'a>(head: &Head<'a>) -> Option<Cow<'a, str>> {
    let of = |credential: Cow<'a, str>| match credential {
        Cow::Borrowed(text) => Credential::read(text).map(|credential| Cow::Borrowed(credential.service)),
        Cow::Owned(text) => {
            Credential::read(&text).map(|credential| Cow::Owned(credential.service.to_owned()))
        }
    };
    if let Some(header) = head.header("authorization") {
        let parts = header.trim().strip_prefix(SCHEMES)?.split([',', ' ', '\t']);
        return of(parts.filter_map(|part| part.strip_prefix("Credential=")).next_back()?.into());
    }
    let (_, value) = parameters(head.uri.query()?).find(|(name, _)| text(name) == "X-Amz-Credential")?;
    of(text(value))
}

fn is_presigned(query: &str) -> bool {
    parameters(query).any(|(name, _)| text(name) == QUERY_ALGORITHM)
}

fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
}

/// A part of a query as text.
fn text(encoded: &str) -> Cow<'_, str> {
    match decode(encoded) {
        // It was text and is the same.
        Cow::Borrowed(_) => Cow::Borrowed(encoded),
        Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
    }
}
