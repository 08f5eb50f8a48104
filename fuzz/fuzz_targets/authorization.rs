//! Any text as an `Authorization` header.

#![no_main]

use holdfast_aws::sigv4::{AccessKeys, Head, Signature, Verifier};
use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    let Ok(value) = HeaderValue::from_str(header) else { return };
    let (method, uri) = (Method::POST, Uri::from_static("/"));
    let mut headers = HeaderMap::new();
    headers.insert("authorization", value);
    headers.insert("x-amz-date", HeaderValue::from_static("20261124T131500Z"));
    headers.insert("host", HeaderValue::from_static("h"));
    let head = Head { method: &method, uri: &uri, headers: &headers };
    let signature = match Signature::of(&head) {
        Ok(signature) => signature,
        Err(error) => return assert!((400..500).contains(&error.status), "{error:?}"),
    };
    if let Ok(credential) = signature.credential() {
        assert!(header.contains(credential.access_key) && !credential.access_key.is_empty());
    }
    let verifier = Verifier::new(AccessKeys::known(), "dynamodb");
    let error = verifier.check(&head, &signature, b"{}", 1_795_526_100_000).expect_err("nobody guesses a signature");
    assert_eq!(error.status, 400, "{error:?}");
});
