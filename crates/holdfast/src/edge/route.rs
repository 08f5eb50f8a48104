//! From a request to its answer: which service, who, what.

use super::cors::Cors;
use super::respond::{self, Body};
use super::unserved::{self, Protocol};
use super::{Door, Server, bodies, call, health};
use crate::console;
use holdfast_aws::sigv4::{Head, signature};
use holdfast_aws::{RequestId, json};
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use std::sync::Arc;

/// Target prefix of Cognito user pools, some of whose calls are not signed.
const COGNITO_TARGET: &str = "AWSCognitoIdentityProviderService";
/// DynamoDB's name in credential scopes.
const DYNAMODB: &str = "dynamodb";

/// Answers one request. What goes wrong is an answer too.
pub async fn answer(server: &Arc<Server>, door: Door, request: Request<Incoming>) -> Response<Body> {
    if door == Door::Console {
        // Reads what `status` does: more than a point read.
        return tokio::task::block_in_place(|| console::answer(server, &request));
    }
    let Some(origin) = Cors::origin(request.headers()) else { return service(server, door, request).await };
    if server.cors.is_rebound(&origin, host(&request)) {
        let text = "A page that was loaded from this very address has no business here. If it is yours, start the server \
                    with --cors and its origin.\n";
        return respond::plain(StatusCode::FORBIDDEN, "text/plain", text.to_owned());
    }
    let mut response = if request.method() == Method::OPTIONS {
        server.cors.preflight(&origin, request.headers())
    } else {
        service(server, door, request).await
    };
    server.cors.mark(&origin, &mut response);
    response
}

/// Answers on the port of a service.
async fn service(server: &Arc<Server>, door: Door, request: Request<Incoming>) -> Response<Body> {
    let request_id = match RequestId::random() {
        Ok(request_id) => request_id,
        Err(error) => return no_randomness(&error),
    };
    if let Some(service) = unserved_service(&request) {
        return refuse(server, request, &service, &request_id);
    }
    match *request.method() {
        Method::POST => call::answer(server, request, request_id).await,
        Method::GET | Method::HEAD => health::service(door, server, request.uri().path(), &request_id),
        _ => call::wrong_method(request, &request_id),
    }
}

fn header<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// The host that a request calls: by its target in HTTP/2, by its header in HTTP/1.
fn host(request: &Request<Incoming>) -> Option<&str> {
    request.uri().authority().map(http::uri::Authority::as_str).or_else(|| header(request, "host"))
}

fn target(request: &Request<Incoming>) -> Option<(&str, &str)> {
    header(request, "x-amz-target").and_then(json::target)
}

/// The service that a request is for, if it is one that is not there.
fn unserved_service(request: &Request<Incoming>) -> Option<String> {
    // A target says most: some calls (of user pools) are not signed at all.
    let target = target(request).map(|(service, _)| service);
    if matches!(target, Some(json::DYNAMODB_TARGET | json::STREAMS_TARGET)) {
        return None;
    }
    let head = Head { method: request.method(), uri: request.uri(), headers: request.headers() };
    match (signature::service(&head), target) {
        (Some(service), _) => (service != DYNAMODB).then(|| unserved::name(&service)),
        (None, Some(COGNITO_TARGET)) => Some("cognito-idp".to_owned()),
        (None, Some(service)) => Some(unserved::name(service)),
        (None, None) => None,
    }
}

fn refuse(
    server: &Server,
    request: Request<Incoming>,
    service: &str,
    request_id: &RequestId,
) -> Response<Body> {
    let has_target = target(&request).is_some();
    let protocol = Protocol::of(service, has_target, header(&request, header::CONTENT_TYPE.as_str()));
    server.unserved.count(service);
    if !request.headers().contains_key(header::EXPECT) {
        // Some send everything before they read: they are to read the refusal.
        bodies::drain(request.into_body());
    }
    unserved::refuse(service, protocol, request_id)
}

fn no_randomness(error: &dyn std::fmt::Display) -> Response<Body> {
    respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("no randomness: {error}"))
}
