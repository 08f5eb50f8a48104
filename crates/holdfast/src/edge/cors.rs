//! Pages of other sites (CORS): which of them browsers let read answers. The console's port takes no part in it.
//!
//! DynamoDB lets every page in: whoever has its keys may come from anywhere. Here any key does, so a page from anywhere
//! could read and change everything through its visitor's browser. Therefore no page is let in unless it is named.
//!
//! A site whose name was pointed at this machine after its page was loaded ("DNS rebinding") is no other site to the browser,
//! which then asks nobody. Such a request names the page's own origin as the host that it calls, and is refused.

use super::respond::{self, Body};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Seconds for which a browser may keep a permission. Source: recorded answers of DynamoDB.
const MAX_AGE_S: &str = "172800";
/// Headers of answers that pages may read. Source: ours; DynamoDB exposes some, which is not recorded.
const EXPOSED: &str = "x-amzn-RequestId,x-amz-crc32,Date";

/// The sites whose pages are let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    any: bool,
    origins: BTreeSet<String>,
}

impl Cors {
    /// Reads `*` and origins such as `http://localhost:3000`.
    ///
    /// # Errors
    /// Says which text is neither.
    pub fn of(texts: &[String]) -> Result<Self, String> {
        let mut cors = Self::default();
        for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
            if text == "*" {
                cors.any = true;
            } else {
                let origin = origin(text).ok_or_else(|| {
                    format!("`{text}` is neither `*` nor an origin such as http://localhost:3000")
                })?;
                cors.origins.insert(origin);
            }
        }
        Ok(cors)
    }

    /// The origin that a request comes from, if it comes from a page.
    pub fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
        headers.get(ORIGIN).cloned()
    }

    /// Answers a browser's question whether a page may send a request; still to be marked. Source: recorded answers of
    /// DynamoDB, which repeat what is asked for.
    pub fn preflight(&self, origin: &HeaderValue, asked: &HeaderMap) -> Response<Body> {
        if !self.lets_in(origin) {
            let text = "Pages of this origin are not let in. Start the server with --cors and the origin.\n";
            return respond::plain(StatusCode::FORBIDDEN, "text/plain", text.to_owned());
        }
        let mut response = respond::empty(StatusCode::OK);
        let headers = response.headers_mut();
        for (question, answer) in [
            (ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_ALLOW_METHODS),
            (ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_ALLOW_HEADERS),
        ] {
            if let Some(value) = asked.get(question) {
                headers.insert(answer, value.clone());
            }
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_S));
        response
    }

    /// Tells the browser that a page may read an answer, if it may.
    pub fn mark(&self, origin: &HeaderValue, response: &mut Response<Body>) {
        let headers = response.headers_mut();
        if !self.any {
            headers.insert(VARY, HeaderValue::from_static("Origin"));
        }
        if self.lets_in(origin) {
            let value = if self.any { HeaderValue::from_static("*") } else { origin.clone() };
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, value);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }

    /// Whether a request comes from a page that was loaded from the very host that it calls, by a name that may belong to
    /// anybody: this server has no such page.
    pub fn is_rebound(&self, origin: &HeaderValue, host: Option<&str>) -> bool {
        let called = host.and_then(|host| host.parse::<Authority>().ok());
        let Some(called) = called.filter(|called| !is_own_name(called.host())) else { return false };
        let page = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let page = page.and_then(|(_, rest)| rest.parse::<Authority>().ok());
        !self.lets_in(origin) && page.is_some_and(|page| page.host().eq_ignore_ascii_case(called.host()))
    }

    fn lets_in(&self, origin: &HeaderValue) -> bool {
        // Browsers write origins as they are stored here.
        self.any || origin.to_str().is_ok_and(|origin| self.origins.contains(origin))
    }
}

/// Whether no other site can go by a name: an address, or a name that never leaves the machine or its network.
fn is_own_name(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let name = host.to_ascii_lowercase();
    host.parse::<IpAddr>().is_ok() || !name.contains('.') || name.ends_with(".localhost")
}

/// An origin as browsers write it: scheme, host and, unless it is the scheme's own, port.
fn origin(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
    let (scheme, rest) = text.split_once("://")?;
    let known = !scheme.is_empty()
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !known || rest.contains(['/', '?', '#', '@', '*']) {
        return None;
    }
    let authority = rest.parse::<Uri>().ok()?.into_parts().authority?;
    let own = match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let (host, port) = (authority.host(), authority.port_u16());
    match port {
        // Something else than a port behind the host.
        None if rest.len() > host.len() => None,
        None => Some(format!("{scheme}://{host}")),
        Some(_) if port == own => Some(format!("{scheme}://{host}")),
        Some(port) => Some(format!("{scheme}://{host}:{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_from_the_host_that_it_calls_is_rebound() {
        let rebound = |cors: &[&str], origin: &str, host: &str| {
            let texts: Vec<String> = cors.iter().map(|text| (*text).to_owned()).collect();
            let origin = HeaderValue::from_str(origin).unwrap();
            Cors::of(&texts).unwrap().is_rebound(&origin, Some(host))
        };
        assert!(rebound(&[], "http://evil.example:8000", "evil.example:8000"));
        assert!(rebound(&[], "http://evil.example", "EVIL.example:8000"));
        assert!(rebound(&["http://localhost:3000"], "https://evil.example", "evil.example"));
        assert!(!rebound(
            &["https://local.harborlist.com"],
            "https://local.harborlist.com",
            "local.harborlist.com"
        ));
        assert!(!rebound(&[], "http://evil.example:8000", "localhost:8000"));
        for own in
            ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "dynamodb-local:8000", "a.localhost:8000"]
        {
            assert!(!rebound(&[], &format!("http://{own}"), own), "{own}");
        }
        assert!(!rebound(&[], "null", "evil.example"));
        assert!(!Cors::default().is_rebound(&HeaderValue::from_static("http://evil.example"), None));
    }

    #[test]
    fn origins_are_read_as_browsers_write_them() {
        for (text, expected) in [
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("HTTPS://Local.HarborList.com:443/", Some("https://local.harborlist.com")),
            ("http://127.0.0.1:80", Some("http://127.0.0.1")),
            ("http://[::1]:5173", Some("http://[::1]:5173")),
            ("chrome-extension://abc", Some("chrome-extension://abc")),
            ("localhost:3000", None),
            ("http://", None),
            ("http://a/b", None),
            ("http://*.a", None),
            ("http://a:", None),
            ("http://a:99999", None),
            ("null", None),
        ] {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
        let texts = ["http://a:1".to_owned(), " ".to_owned()];
        assert!(Cors::of(&texts).is_ok());
        assert!(Cors::of(&["a".to_owned()]).is_err_and(|error| error.contains("`a`")));
    }

    #[test]
    fn only_what_is_named_is_let_in() {
        let named = Cors::of(&["http://a:1".to_owned()]).expect("an origin");
        let origin = |text| HeaderValue::from_static(text);
        assert!(named.lets_in(&origin("http://a:1")));
        for other in ["http://a:2", "https://a:1", "http://a:1.evil", "null", ""] {
            assert!(!named.lets_in(&origin(other)), "{other}");
            assert!(!Cors::default().lets_in(&origin(other)), "{other}");
        }
        assert!(Cors::of(&["*".to_owned()]).expect("all").lets_in(&origin("null")));
    }
}
