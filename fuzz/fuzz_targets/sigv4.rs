//! Any request head and body: `METHOD URI`, a header a line, an empty line, the body. Whoever it says signed it, it is
//! taken or refused, never as a fault of the server.

#![no_main]

use holdfast_aws::Error;
use holdfast_aws::sigv4::{AccessKeys, Head, Signature, Verifier, signature};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;

/// 2026-11-24T00:00:00Z, as the first inputs say too.
const NOW_MS: u64 = 1_795_478_400_000;

fn refused(error: &Error) {
    assert!((400..500).contains(&error.status), "{error:?}");
}

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let (method, uri) = lines.next().and_then(|line| line.split_once(' ')).unwrap_or(("POST", "/"));
    let (Ok(method), Ok(uri)) = (method.parse::<Method>(), uri.parse::<Uri>()) else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.append(name, value);
        }
    }
    let head = Head { method: &method, uri: &uri, headers: &headers };
    let _ = signature::service(&head);
    match Signature::of(&head) {
        Err(error) => refused(&error),
        Ok(signature) => {
            let credential = signature.credential();
            let checked = Verifier::new(AccessKeys::known(), "dynamodb").check(
                &head,
                &signature,
                body.as_bytes(),
                NOW_MS,
            );
            match (credential, checked) {
                (Err(error), _) | (Ok(_), Err(error)) => refused(&error),
                (Ok(credential), Ok(())) => assert_eq!(credential.access_key, "test"),
            }
        }
    }
});
