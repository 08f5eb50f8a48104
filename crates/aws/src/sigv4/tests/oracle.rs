//! What AWS's own signer signs is accepted; what is changed afterwards is refused.

use super::{Sent, keys};
use crate::sigv4::{Head, Signature, Verifier, verifier};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::{HeaderValue, Method, Uri};
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

/// 2026-11-24T13:15:00Z, in milliseconds.
const NOW_MS: u64 = 1_795_526_100_000;
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// How a request is signed.
#[derive(Debug, Clone)]
struct How {
    region: String,
    /// Lifetime of a presigned URL in seconds; `None` for a header.
    expires: Option<u64>,
    token: bool,
    signed_ms: u64,
}

/// Signs a request with AWS's own signer.
fn signed(mut request: Sent, how: &How) -> Sent {
    let token = how.token.then(|| "FwoGZXIvYXdzE+/=".to_owned());
    let identity = Credentials::new("AKIDEXAMPLE", SECRET, token, None, "test").into();
    let mut settings = SigningSettings::default();
    if let Some(seconds) = how.expires {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(seconds));
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&how.region)
        .name("dynamodb")
        .time(SystemTime::UNIX_EPOCH + Duration::from_millis(how.signed_ms))
        .settings(settings)
        .build()
        .expect("parameters")
        .into();
    let uri = format!("http://h:8000{}", request.uri());
    let headers: Vec<(&str, &str)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
        .collect();
    let signable = SignableRequest::new(
        request.method().as_str(),
        &uri,
        headers.into_iter(),
        SignableBody::Bytes(request.body()),
    );
    let (instructions, _) = sign(signable.expect("signable"), &params).expect("signs").into_parts();
    *request.uri_mut() = uri.parse().expect("a URI");
    instructions.apply_to_request_http1x(&mut request);
    // A server is sent path and query, and the host as a header.
    let target = request.uri().path_and_query().expect("a target").to_string();
    *request.uri_mut() = target.parse().expect("a target");
    request
}

fn check(request: &Sent, now_ms: u64) -> Result<(), crate::Error> {
    let head = Head { method: request.method(), uri: request.uri(), headers: request.headers() };
    let signature = Signature::of(&head)?;
    let verifier = Verifier::new(keys(&format!("AKIDEXAMPLE:{SECRET}")), "dynamodb");
    verifier.check(&head, &signature, request.body(), now_ms)
}

fn requests() -> impl Strategy<Value = Sent> {
    let path = "(/[a-zA-Z0-9._~%-]{0,6}){1,4}".prop_filter("escapes are whole", |path| !path.contains('%'));
    let query = "([a-zA-Z][a-zA-Z0-9._~-]{0,4}=([a-z0-9 -]|%2F|%20|%C3%A9){0,4}&?){0,3}"
        .prop_map(|query| query.replace(' ', "+"));
    let values = proptest::collection::vec("[!-~]( {0,3}[!-~]){0,8}", 0..3);
    let body = proptest::collection::vec(any::<u8>(), 0..200);
    (path, query, values, body).prop_map(|(path, query, values, body)| {
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        let mut request = http::Request::builder()
            .method(Method::POST)
            .uri(target.parse::<Uri>().expect("a target"))
            .header("host", "h:8000")
            .header("x-amz-target", "DynamoDB_20120810.GetItem")
            .header("content-type", "application/x-amz-json-1.0");
        for value in values {
            request = request.header("x-amz-meta", value);
        }
        request.body(body).expect("a request")
    })
}

fn hows() -> impl Strategy<Value = How> {
    let region = prop_oneof![Just("us-east-1"), Just("local"), Just("eu-central-1")];
    let expires = proptest::option::of(1u64..=verifier::EXPIRES_S_MAX);
    (region, expires, any::<bool>(), 0..=verifier::SKEW_S).prop_map(|(region, expires, token, age_s)| {
        // A presigned URL may be shorter-lived than clocks differ.
        let age_s = expires.map_or(age_s, |expires| age_s.min(expires));
        How { region: region.to_owned(), expires, token, signed_ms: NOW_MS - age_s * 1_000 }
    })
}

/// A change after signing.
#[derive(Debug, Clone, Copy)]
enum Change {
    Body(usize),
    Method,
    Path,
    Query,
    Target,
    Host,
    Header,
    Signature(usize),
    Scope,
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        any::<usize>().prop_map(Change::Body),
        Just(Change::Method),
        Just(Change::Path),
        Just(Change::Query),
        Just(Change::Target),
        Just(Change::Host),
        Just(Change::Header),
        any::<usize>().prop_map(Change::Signature),
        Just(Change::Scope),
    ]
}

/// Applies a change to the text of the signature, wherever it stands.
fn edit_signature(request: &mut Sent, edit: impl Fn(&str) -> String) {
    if let Some(value) = request.headers().get("authorization") {
        let edited = edit(value.to_str().expect("text"));
        request.headers_mut().insert("authorization", edited.parse().expect("a value"));
    } else {
        let edited = edit(&request.uri().to_string());
        *request.uri_mut() = edited.parse().expect("a target");
    }
}

fn change(request: &mut Sent, change: Change) {
    let insert = |request: &mut Sent, name: &'static str, value: &'static str| {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    match change {
        Change::Body(at) => match request.body().len() {
            0 => request.body_mut().push(b' '),
            len => request.body_mut()[at % len] ^= 1,
        },
        Change::Method => *request.method_mut() = Method::PUT,
        Change::Path => *request.uri_mut() = format!("/x{}", request.uri()).parse().expect("a target"),
        Change::Query => {
            let joint = if request.uri().query().is_some() { '&' } else { '?' };
            *request.uri_mut() = format!("{}{joint}zz=1", request.uri()).parse().expect("a target");
        }
        Change::Target => insert(request, "x-amz-target", "DynamoDB_20120810.PutItem"),
        Change::Host => insert(request, "host", "other:8000"),
        Change::Header => {
            insert(request, "content-type", "application/json");
        }
        Change::Signature(at) => edit_signature(request, |text| {
            let from = text.find("Signature=").expect("there") + "Signature=".len() + at % 64;
            let other = if text.as_bytes()[from] == b'0' { "1" } else { "0" };
            format!("{}{other}{}", &text[..from], &text[from + 1..])
        }),
        Change::Scope => edit_signature(request, |text| text.replace("dynamodb", "dynamo")),
    }
}

proptest! {
    #[test]
    fn what_the_signer_signs_is_accepted(request in requests(), how in hows()) {
        let request = signed(request, &how);
        prop_assert_eq!(check(&request, NOW_MS), Ok(()), "{:?}", request);
    }

    #[test]
    fn whatever_is_changed_is_refused(request in requests(), how in hows(), what in changes()) {
        let mut request = signed(request, &how);
        change(&mut request, what);
        let error = check(&request, NOW_MS).expect_err("changed");
        prop_assert_eq!(&*error.code, "InvalidSignatureException");
    }

    #[test]
    fn over_http_2_the_host_is_the_authority(request in requests(), how in hows()) {
        let mut request = signed(request, &how);
        request.headers_mut().remove("host");
        let absolute = |host: &str, request: &Sent| format!("http://{host}{}", request.uri()).parse::<Uri>().expect("a URI");
        let (own, other) = (absolute("h:8000", &request), absolute("h:8001", &request));
        *request.uri_mut() = own;
        prop_assert_eq!(check(&request, NOW_MS), Ok(()));
        *request.uri_mut() = other;
        prop_assert!(check(&request, NOW_MS).is_err());
    }

    #[test]
    fn another_secret_is_refused(request in requests(), how in hows()) {
        let request = signed(request, &how);
        let head = Head { method: request.method(), uri: request.uri(), headers: request.headers() };
        let verifier = Verifier::new(keys("AKIDEXAMPLE:other"), "dynamodb");
        let signature = Signature::of(&head).expect("a signature");
        prop_assert!(verifier.check(&head, &signature, request.body(), NOW_MS).is_err());
        let verifier = Verifier::new(keys("AKOTHER:other"), "dynamodb");
        let error = verifier.check(&head, &signature, request.body(), NOW_MS).expect_err("unknown");
        prop_assert_eq!(&*error.code, "UnrecognizedClientException");
    }

    #[test]
    fn signatures_have_their_time(request in requests(), how in hows()) {
        let request = signed(request, &how);
        let lifetime_s = how.expires.unwrap_or(verifier::SKEW_S);
        let last_ms = how.signed_ms + lifetime_s * 1_000;
        prop_assert_eq!(check(&request, last_ms), Ok(()));
        let error = check(&request, last_ms + 1_000).expect_err("expired");
        prop_assert!(error.message.starts_with("Signature expired: "), "{}", error);
        let first_ms = how.signed_ms - verifier::SKEW_S * 1_000;
        prop_assert_eq!(check(&request, first_ms), Ok(()));
        let error = check(&request, first_ms - 1_000).expect_err("of the future");
        prop_assert!(error.message.starts_with("Signature not yet current: "), "{}", error);
    }
}
