//! The canonical form of a request, which is what is signed. Source of the rules: AWS's documentation of Signature Version 4,
//! for services other than S3: paths are normalised, and encoded once more.

use super::Head;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;

/// Query parameter that holds the signature itself, and so is not signed.
const SIGNATURE: &str = "X-Amz-Signature";

/// SHA-256 of the canonical form, in hexadecimal. `signed_headers` are names separated by semicolons; `body_sha256` is in
/// hexadecimal.
#[must_use]
pub fn request_sha256(head: &Head<'_>, signed_headers: &str, body_sha256: &str) -> String {
    sha256(&request(head, signed_headers, body_sha256))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
        text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
    }
    text
}

/// The canonical form: method, path, query, headers, names of the headers, hash of the body, each on its lines.
fn request(head: &Head<'_>, signed_headers: &str, body_sha256: &str) -> Vec<u8> {
    let names = header_names(signed_headers);
    let path = path(head.uri.path());
    let query = query(head.uri.query().unwrap_or(""));
    let mut out = format!("{}\n{path}\n{query}\n", head.method).into_bytes();
    for name in &names {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        header_value(head, name, &mut out);
        out.push(b'\n');
    }
    out.extend_from_slice(format!("\n{}\n{body_sha256}", names.join(";")).as_bytes());
    out
}

/// Names in lower case and in order.
fn header_names(signed_headers: &str) -> Vec<String> {
    let names = signed_headers.split(';').map(|name| name.trim().to_ascii_lowercase());
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names
}

/// Appends a header's values, separated by commas; each without spaces around it, runs of spaces as one. Over HTTP/2 the
/// host is the authority.
fn header_value(head: &Head<'_>, name: &str, out: &mut Vec<u8>) {
    let authority = head.uri.authority().map_or(&b""[..], |authority| authority.as_str().as_bytes());
    if name == ":authority" {
        out.extend_from_slice(authority);
        return;
    }
    let mut values = head.headers.get_all(name).iter().peekable();
    if values.peek().is_none() && name == "host" {
        out.extend_from_slice(authority);
    }
    let start = out.len();
    for value in values {
        if out.len() > start {
            out.push(b',');
        }
        let words = value.as_bytes().split(|byte| matches!(byte, b' ' | b'\t'));
        for (at, word) in words.filter(|word| !word.is_empty()).enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(word);
        }
    }
}

/// The path without empty and dotted segments, with everything encoded (once more, where the client did so already).
fn path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let is_folder = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end)) && !segments.is_empty();
    let mut text = String::with_capacity(path.len() + 1);
    for segment in segments {
        text.push('/');
        encode(segment.as_bytes(), &mut text);
    }
    if is_folder || text.is_empty() {
        text.push('/');
    }
    text
}

/// The query's parameters without the signature, encoded anew and in order.
fn query(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut parameters: Vec<(String, String)> = parameters
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .filter(|(name, _)| decode(name) != SIGNATURE.as_bytes())
        .map(|(name, value)| {
            let (mut encoded, mut encoded_value) = (String::new(), String::new());
            encode(&decode(name), &mut encoded);
            encode(&decode(value), &mut encoded_value);
            (encoded, encoded_value)
        })
        .collect();
    parameters.sort_unstable();
    let parameters: Vec<String> =
        parameters.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    parameters.join("&")
}

/// Appends bytes, all but unreserved characters as `%XY`.
fn encode(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            out.push(char::from(*byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// The bytes that a part of a query stands for. A percent sign that encodes nothing stands for itself.
pub(super) fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text.as_bytes());
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%').then(|| digit(at + 1).zip(digit(at + 2))).flatten();
        match escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_normalised_and_encoded_once_more() {
        for (sent, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/./", "/"),
            ("/a/..", "/"),
            ("/../../a", "/a"),
            ("/a/./b/", "/a/b/"),
            ("/a//b", "/a/b"),
            ("/a/..b", "/a/..b"),
            ("/a%20b", "/a%2520b"),
            ("/a b~é", "/a%20b~%C3%A9"),
        ] {
            assert_eq!(path(sent), canonical, "{sent}");
        }
    }

    #[test]
    fn queries_are_sorted_and_encoded_anew() {
        for (sent, canonical) in [
            ("", ""),
            ("&&", ""),
            ("b&a=2&a=1", "a=1&a=2&b="),
            ("a=b=c&a", "a=&a=b%3Dc"),
            ("X-Amz-Signature=no&x=%7e%2f+%", "x=~%2F%20%25"),
            ("X%2DAmz-Signature=no", ""),
        ] {
            assert_eq!(query(sent), canonical, "{sent}");
        }
    }

    proptest! {
        #[test]
        fn what_is_canonical_stays_so(sent in "[a-zA-Z0-9%&=+./~é -]{0,40}") {
            let once = query(&sent);
            prop_assert_eq!(&query(&once), &once);
            prop_assert!(once.bytes().all(|byte| byte.is_ascii_graphic()));
        }

        #[test]
        fn no_path_leaves_the_root(sent in "[a-z./%]{0,40}") {
            let canonical = path(&sent);
            prop_assert!(canonical.starts_with('/') && !canonical.contains("//"));
            prop_assert!(canonical.split('/').all(|segment| segment != ".." && segment != "."));
        }

        #[test]
        fn bytes_survive_being_encoded(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut text = String::new();
            encode(&bytes, &mut text);
            let decoded = decode(&text);
            prop_assert_eq!(&decoded[..], &bytes[..]);
        }
    }
}
