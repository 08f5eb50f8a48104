//! Port 8001: a page of what `status` tells, the same as JSON, health and metrics. Looks only: no request changes anything.
//!
//! Browsers are not to be used against it: only hosts that cannot be another site's are answered (see [`hosts`]), nothing
//! may embed, read or run anything from another origin, and no answer is kept. Keys and values of items do not appear.
//!
//! # Layout
//! - [`hosts`]: whose requests are answered
//! - [`page`]: the status as HTML

pub mod hosts;
mod page;

use crate::edge::respond::{self, Body};
use crate::edge::{Server, health};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Sent with every answer. Styles are the page's own; there is nothing else that it loads or runs.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Answers a request; reads the store for it, and so may block for a moment.
pub fn answer<B>(server: &Server, request: &Request<B>) -> Response<Body> {
    let mut response = match refusal(server, request) {
        Some(refused) => refused,
        None => route(server, request.uri().path()),
    };
    set_headers(response.headers_mut());
    response
}

fn set_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

fn refusal<B>(server: &Server, request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers().get_all(header::HOST).iter();
    // HTTP/2 has the host in the URI; one that is given in both places must be right in both.
    let in_uri = request.uri().authority().map(|authority| authority.as_str());
    let mut hosts = headers.map(|value| value.to_str().unwrap_or("")).chain(in_uri).peekable();
    let known = hosts.peek().is_some() && hosts.all(|host| server.about.console_hosts.allow(host));
    if !known {
        let text = "This port is answered only under the name localhost, a loopback address or the address it listens \
                    on, so that no other site can reach it through a browser. Add a name with `--console-hosts`.\n";
        return Some(respond::plain(StatusCode::FORBIDDEN, TEXT, text.to_owned()));
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let text = "Only GET and HEAD are answered here.\n".to_owned();
        let mut refused = respond::plain(StatusCode::METHOD_NOT_ALLOWED, TEXT, text);
        refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return Some(refused);
    }
    None
}

fn route(server: &Server, path: &str) -> Response<Body> {
    match path {
        "/" => match server.status() {
            Ok(status) => respond::plain(StatusCode::OK, HTML, page::of(&status)),
            Err(error) => failed(&error),
        },
        "/api/status" => match server.status().and_then(|status| Ok(serde_json::to_string(&status)?)) {
            Ok(status) => respond::plain(StatusCode::OK, JSON, status),
            Err(error) => failed(&error),
        },
        "/health" | "/metrics" => health::console(server, path),
        _ => {
            let text = "There is /, /api/status, /health and /metrics.\n".to_owned();
            respond::plain(StatusCode::NOT_FOUND, TEXT, text)
        }
    }
}

fn failed(error: &anyhow::Error) -> Response<Body> {
    respond::plain(StatusCode::INTERNAL_SERVER_ERROR, TEXT, format!("The status cannot be read: {error:#}\n"))
}
