//! What is refused, in which words and in which order.

use super::{Sent, keys};
use crate::Error;
use crate::json::crc32;
use crate::sigv4::{Head, Signature, Verifier, signature};
use expect_test::expect;
use http::Request;
use proptest::prelude::*;

/// 2026-11-24T13:15:00Z, in milliseconds.
const NOW_MS: u64 = 1_795_526_100_000;

fn request(target: &str, headers: &[(&str, &str)]) -> Sent {
    let mut request = Request::builder().method("POST").uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Vec::new()).expect("a request")
}

fn head(request: &Sent) -> Head<'_> {
    Head { method: request.method(), uri: request.uri(), headers: request.headers() }
}

/// Why a request's signature cannot be read.
fn unreadable(target: &str, headers: &[(&str, &str)]) -> Error {
    Signature::of(&head(&request(target, headers))).expect_err("refused")
}

/// Why a signature is refused where signatures are checked.
fn refused(headers: &[(&str, &str)]) -> Error {
    let request = request("/", headers);
    let head = head(&request);
    let signature = Signature::of(&head).expect("a signature");
    let verifier = Verifier::new(keys("known:secret"), "dynamodb");
    verifier.check(&head, &signature, b"{}", NOW_MS).expect_err("refused")
}

/// Values of `x-amz-crc32` that DynamoDB sent with these errors: the bodies are the same byte for byte.
#[test]
fn bodies_have_the_checksums_that_aws_sends() {
    let all = "/?X-Amz-Algorithm=a&X-Amz-Credential=b&X-Amz-Signature=c&X-Amz-Date=d";
    for (target, headers, crc) in [
        ("/", &[][..], 2_088_342_776),
        ("/", &[("authorization", "AWS4")], 2_088_342_776),
        ("/?X-Amz-Algorith", &[("authorization", "X")], 2_088_342_776),
        ("/?X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d", &[], 2_088_342_776),
        ("/?X-Amz-Algorithm", &[("authorization", "X")], 2_139_606_068),
        ("/", &[("authorization", "AWS4-")], 1_828_866_742),
        ("/?X-Amz-Algorithm", &[], 2_900_502_663),
        (all, &[], 3_712_057_481),
    ] {
        let error = unreadable(target, headers);
        assert_eq!(crc32(&error.body()), crc, "{target} {headers:?}: {error}");
    }
}

#[test]
fn what_is_missing_is_named_and_the_signature_is_not_repeated() {
    for header in [
        "AWS4-X Signature=b Credential=a",
        "AWS4-X Signature=b,Credential=a",
        " AWS4-X  Signature=b, Credential=a,",
    ] {
        let error = unreadable("/", &[("authorization", header), ("date", "a")]);
        assert_eq!(
            error.message,
            "Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-X"
        );
        assert_eq!(error.code, "IncompleteSignatureException");
    }
    expect![[r#"IncompleteSignatureException: 'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders'."#]]
        .assert_eq(&unreadable("/", &[("authorization", "AWS4-HMAC-SHA256 Signature=b,    Credential,    SignedHeaders")]).to_string());
}

#[test]
fn credentials_are_read_from_both_forms() {
    let scope = "known/20261124/us-east-1/dynamodb/aws4_request";
    let header = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00");
    let in_header = request("/", &[("authorization", &header)]);
    let url = format!(
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date=20261124T131500Z&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=00",
        scope.replace('/', "%2F")
    );
    let in_query = request(&url, &[]);
    for request in [&in_header, &in_query] {
        let signature = Signature::of(&head(request)).expect("a signature");
        let credential = signature.credential().expect("a credential");
        assert_eq!((credential.access_key, credential.region), ("known", "us-east-1"));
        assert_eq!((credential.service, credential.date), ("dynamodb", "20261124"));
        assert_eq!(signature::service(&head(request)).as_deref(), Some("dynamodb"));
        assert!(!format!("{signature:?}").contains("00"), "whoever reads a log cannot send it again");
    }
    assert_eq!(signature::service(&head(&request("/", &[("authorization", "Bearer x")]))), None);
}

#[test]
fn credentials_that_name_nobody_are_refused_also_where_nothing_is_checked() {
    for (credential, code) in [
        ("a/b/c/d", "IncompleteSignatureException"),
        ("a/b/c/d/e/f", "IncompleteSignatureException"),
        ("a/20261124//dynamodb/aws4_request", "InvalidSignatureException"),
        ("a/20261124/us<b>/dynamodb/aws4_request", "InvalidSignatureException"),
        ("a/20261124/us-east-1/dynamodb/aws5_request", "InvalidSignatureException"),
        ("/20261124/us-east-1/dynamodb/aws4_request", "UnrecognizedClientException"),
    ] {
        let header = format!("AWS4-HMAC-SHA256 Credential={credential},SignedHeaders=h,Signature=s");
        let request = request("/", &[("authorization", &header)]);
        let signature = Signature::of(&head(&request)).expect("a signature");
        assert_eq!(signature.credential().expect_err("refused").code, code, "{credential}");
    }
}

/// Each header mends the fault before it: the order of the checks.
#[test]
fn faults_are_reported_in_order() {
    let ok = "Credential=known/20261124/us-east-1/dynamodb/aws4_request";
    let all = "SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";
    let steps = [
        ("", "AWS4-X Credential=a SignedHeaders=b Signature=c".to_owned()),
        ("201", "AWS4-X Credential=a SignedHeaders=b Signature=c".to_owned()),
        ("20261124T130000Z", "AWS4-X Credential=a SignedHeaders=b Signature=c".to_owned()),
        ("20261124T132001Z", "AWS4-X Credential=a SignedHeaders=b Signature=c".to_owned()),
        ("20261124T131500Z", "AWS4-X Credential=a SignedHeaders=b Signature=c".to_owned()),
        ("20261124T131500Z", "AWS4-X Credential=a SignedHeaders=HOST Signature=c".to_owned()),
        ("20261124T131500Z", format!("AWS4-X Credential=a/b/c/d, {all}")),
        ("20261124T131500Z", format!("AWS4-HMAC-SHA256 Credential=a/b/c/d, {all}")),
        ("20261124T131500Z", format!("AWS4-HMAC-SHA256 Credential=a/b//d/e, {all}")),
        (
            "20261124T131500Z",
            format!("AWS4-HMAC-SHA256 Credential=a/20261124/c/dynamodb/aws4_request, {all}"),
        ),
        ("20261124T131500Z", format!("AWS4-HMAC-SHA256 {ok}, {all}")),
    ];
    let mut texts = String::new();
    for (date, authorization) in &steps {
        let headers = [
            ("host", "h"),
            ("x-amz-target", "DynamoDB_20120810.ListTables"),
            ("x-amz-date", date),
            ("authorization", authorization),
        ];
        texts.push_str(&format!("{}\n", refused(&headers)));
    }
    expect![[r#"
        IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-X
        IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601
        InvalidSignatureException: Signature expired: 20261124T130000Z is now earlier than 20261124T131000Z (20261124T131500Z - 5 min.)
        InvalidSignatureException: Signature not yet current: 20261124T132001Z is still later than 20261124T132000Z (20261124T131500Z + 5 min.)
        InvalidSignatureException: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.
        InvalidSignatureException: 'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.
        IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-X' (only AWS4-HMAC-SHA256 for now). 
        IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'
        InvalidSignatureException: Credential should be scoped to a valid region. Credential should be scoped to correct service: 'dynamodb'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20261124', from '20261124T131500Z'. 
        UnrecognizedClientException: The security token included in the request is invalid.
        InvalidSignatureException: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.
    "#]]
    .assert_eq(&texts);
}

proptest! {
    #[test]
    fn any_header_is_an_answer(header in "(AWS4-[A-Z0-9-]{0,12}[ ,]?)?([ -~]|é|=|,|/|Credential=|Signature=|SignedHeaders=){0,40}", query in "([!-~]|X-Amz-[A-Z][a-z]{1,10}=|&){0,20}") {
        let query = query.replace(['#', '"', '<', '>', '`', '{', '}', '\\', '^', '|'], "");
        let mut request = request(&format!("/?{query}"), &[("host", "h"), ("date", "20261124T131500Z")]);
        request.headers_mut().insert("authorization", http::HeaderValue::from_bytes(header.as_bytes()).expect("a value"));
        let head = head(&request);
        let _ = signature::service(&head);
        let verifier = Verifier::new(keys("known:secret"), "dynamodb");
        let checked = Signature::of(&head).and_then(|signature| {
            let _ = signature.credential();
            verifier.check(&head, &signature, b"", NOW_MS)
        });
        let error = checked.expect_err("nobody guesses a signature");
        prop_assert!(error.status == 400 && error.prefix == crate::error::CORAL_SERVICE);
    }
}
