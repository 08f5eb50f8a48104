//! Who signed a request: the credential in a SigV4 `Authorization` header.
//!
//! The signature itself is not checked yet: any access key works on one shared data set.

use crate::Error;

/// Longest access key id. Source: the constraint of `accessKeyIdType` in AWS's API models.
const ACCESS_KEY_CHARACTERS_MAX: usize = 128;
/// Scheme of SigV4.
const SCHEME: &str = "AWS4-HMAC-SHA256";

/// The credential of a signature: `ACCESS_KEY/DATE/REGION/SERVICE/aws4_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential<'a> {
    /// Access key id. May itself contain slashes.
    pub access_key: &'a str,
    /// Region.
    pub region: &'a str,
    /// Service, as in endpoint names.
    pub service: &'a str,
}

/// Reads the credential from an `Authorization` header.
///
/// # Errors
/// AWS's errors for a header that is missing or lacks a part.
pub fn credential(header: Option<&str>) -> Result<Credential<'_>, Error> {
    let header = header.map(str::trim).filter(|header| !header.is_empty());
    let Some(parameters) = header.and_then(|header| header.strip_prefix(SCHEME)) else {
        return Err(Error::missing_authentication_token());
    };
    let part = |name: &str| {
        parameters
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=').map(str::trim))
    };
    let missing: Vec<&str> = ["Credential", "Signature", "SignedHeaders"]
        .into_iter()
        .filter(|name| part(name).is_none())
        .collect();
    if !missing.is_empty() {
        let texts: Vec<String> =
            missing.iter().map(|name| format!("Authorization header requires '{name}' parameter.")).collect();
        return Err(Error::incomplete_signature(format!("{} Authorization={SCHEME}", texts.join(" "))));
    }
    let text = part("Credential").unwrap_or("");
    let mut parts = text.rsplitn(5, '/');
    let (end, service, region, _date, access_key) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    match (end, service, region, access_key) {
        (Some("aws4_request"), Some(_), Some(_), Some(access_key))
            if access_key.len() > ACCESS_KEY_CHARACTERS_MAX =>
        {
            Err(Error::unrecognized_client())
        }
        (Some("aws4_request"), Some(service), Some(region), Some(access_key))
            if !access_key.is_empty() && !region.is_empty() =>
        {
            Ok(Credential { access_key, region, service })
        }
        _ => Err(Error::incomplete_signature(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{text}'"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_read() {
        let header = "AWS4-HMAC-SHA256 Credential=te/st/20261124/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=ab";
        let expected = Credential { access_key: "te/st", region: "us-east-1", service: "dynamodb" };
        assert_eq!(credential(Some(header)), Ok(expected));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(credential(None), Err(Error::missing_authentication_token()));
        assert_eq!(credential(Some("Bearer x")), Err(Error::missing_authentication_token()));
        let error = credential(Some("AWS4-HMAC-SHA256 Credential=a/b")).expect_err("incomplete");
        assert!(error.message.contains("'Signature'") && error.message.contains("'SignedHeaders'"));
        let error = credential(Some("AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=h,Signature=s"));
        assert!(error.expect_err("short").message.contains("got 'a/b'"));
    }
}
