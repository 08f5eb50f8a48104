//! Answers to calls of services that Holdfast does not have: refused at once, in the form of the protocol that the client
//! speaks, with the service's name. With 501, because SDKs send again what is answered with 500, 502, 503 or 504.

use super::respond::{self, Body};
use bytes::Bytes;
use holdfast_aws::{Error, RequestId, json};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Services that are counted by name; further ones are counted together, so that clients cannot make the list grow.
const SERVICES_COUNTED_MAX: usize = 64;
/// Longest name of a service that is shown.
const NAME_CHARACTERS_MAX: usize = 40;
/// What further services are counted as.
const OTHER: &str = "other";

/// A service's name as it may be shown: what clients send is not trusted.
pub fn name(sent: &str) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
    let name: String = sent.chars().filter(kept).take(NAME_CHARACTERS_MAX).collect();
    if name.is_empty() { OTHER.to_owned() } else { name.to_ascii_lowercase() }
}

/// How many requests were refused, by service.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<BTreeMap<String, u64>>);

impl Refusals {
    /// Counts one for a service, whose name is as [`name`] gives it.
    pub fn count(&self, service: &str) {
        let mut counts = self.0.lock();
        let known = counts.contains_key(service) || counts.len() < SERVICES_COUNTED_MAX;
        *counts.entry(if known { service.to_owned() } else { OTHER.to_owned() }).or_default() += 1;
    }

    /// The counts now.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().clone()
    }
}

/// How a client expects errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON: the operation is in `X-Amz-Target`.
    Json,
    /// REST with JSON bodies: the code is in a header too.
    RestJson,
    /// S3's XML.
    S3,
    /// The query protocol's XML (SES, STS, SQS, SNS, IAM and others).
    Query,
}

impl Protocol {
    /// The protocol of a request for a service.
    pub fn of(service: &str, has_target: bool, content_type: Option<&str>) -> Self {
        let content_type = content_type.unwrap_or("");
        if has_target || content_type.starts_with("application/x-amz-json") {
            Self::Json
        } else if service == "s3" {
            Self::S3
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            Self::Query
        } else {
            Self::RestJson
        }
    }
}

/// The refusal of a call.
pub fn refuse(service: &str, protocol: Protocol, request_id: &RequestId) -> Response<Body> {
    let message =
        format!("Holdfast does not serve {service} in this version; COMPAT.md lists what it serves");
    let xml = |body: String| answer("application/xml", body);
    let mut response = match protocol {
        Protocol::Json => {
            return respond::error(&Error::not_implemented(message), json::CONTENT_TYPE, request_id);
        }
        Protocol::RestJson => {
            let body = format!(r#"{{"message":"{message}","code":"NotImplemented"}}"#);
            let mut response = answer("application/json", body);
            response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("NotImplemented"));
            response
        }
        Protocol::S3 => xml(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NotImplemented</Code><Message>{message}</Message>\
             <RequestId>{request_id}</RequestId></Error>"
        )),
        Protocol::Query => xml(format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>NotImplemented</Code><Message>{message}</Message></Error>\
             <RequestId>{request_id}</RequestId></ErrorResponse>"
        )),
    };
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        let name = if protocol == Protocol::S3 { "x-amz-request-id" } else { "x-amzn-requestid" };
        response.headers_mut().insert(name, id);
    }
    response
}

fn answer(content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::NOT_IMPLEMENTED;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_apart() {
        let form = Some("application/x-www-form-urlencoded; charset=utf-8");
        assert_eq!(Protocol::of("cognito-idp", true, Some("application/x-amz-json-1.1")), Protocol::Json);
        assert_eq!(Protocol::of("sqs", false, Some("application/x-amz-json-1.0")), Protocol::Json);
        assert_eq!(Protocol::of("s3", false, None), Protocol::S3);
        assert_eq!(Protocol::of("s3", false, form), Protocol::S3);
        assert_eq!(Protocol::of("sts", false, form), Protocol::Query);
        assert_eq!(Protocol::of("lambda", false, Some("application/json")), Protocol::RestJson);
    }

    #[test]
    fn names_are_cleaned_and_the_list_is_bounded() {
        assert_eq!(name("Cognito-IDP"), "cognito-idp");
        assert_eq!(name("\"><script>"), "script");
        assert_eq!(name("é"), "other");
        assert_eq!(name(&"x".repeat(500)).len(), NAME_CHARACTERS_MAX);
        let refusals = Refusals::default();
        (0..200).for_each(|number| refusals.count(&format!("s{number}")));
        refusals.count("s0");
        let counts = refusals.counts();
        assert!(counts.len() <= SERVICES_COUNTED_MAX + 1);
        assert_eq!((counts["s0"], counts.values().sum::<u64>()), (2, 201));
    }
}
