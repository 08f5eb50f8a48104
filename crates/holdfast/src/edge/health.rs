//! Answers for health checks, and metrics.

use super::respond::{self, Body};
use super::{Door, SERVICES, Server};
use crate::about::PROGRAM_VERSION;
use crate::metrics;
use holdfast_aws::RequestId;
use http::{Response, StatusCode};
use serde_json::Value;

/// Answers on the console's port.
pub fn console(server: &Server, path: &str) -> Response<Body> {
    match path {
        "/metrics" => match server.store.status() {
            Ok(status) => {
                let text = metrics::render(&status, &server.requests(), &server.unserved.counts());
                respond::plain(StatusCode::OK, "text/plain; version=0.0.4", text)
            }
            Err(error) => respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
        },
        "/health" => services(server),
        _ => {
            respond::plain(StatusCode::NOT_FOUND, "text/plain", "there is /health and /metrics\n".to_owned())
        }
    }
}

/// What DynamoDB's endpoints answer to `GET /`. Source: a public server's tests that were compared with them.
const HEALTHY: &str = "healthy: dynamodb.us-east-1.amazonaws.com ";

/// Answers what is asked without a signature on a service's port. Source for other paths than the root: public tests that
/// run against DynamoDB.
pub fn service(door: Door, server: &Server, path: &str, request_id: &RequestId) -> Response<Body> {
    match (door, path) {
        (Door::Every, "/_localstack/health" | "/health") => services(server),
        (_, "/") => respond::checked(StatusCode::OK, HEALTHY, request_id),
        _ => respond::not_of_the_protocol(request_id),
    }
}

/// Each service's state, and where the data are. Scripts search for `"dynamodb": "available"`, with that space.
fn services(server: &Server) -> Response<Body> {
    // Reads nothing: rot in one table is told by `status` and fails the reads of what is rotten, and no others.
    let (status, state) = match server.store.ended() {
        None => (StatusCode::OK, "available"),
        Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "error"),
    };
    let there = SERVICES.iter().map(|name| (*name, state));
    let missing = server.about.unavailable.iter().map(|name| (name.as_str(), "unavailable"));
    let services: Vec<String> =
        there.chain(missing).map(|(name, state)| format!("\"{name}\": \"{state}\"")).collect();
    let mut members = vec![
        format!("\"services\": {{{}}}", services.join(", ")),
        format!("\"version\": \"{PROGRAM_VERSION}\""),
    ];
    if let Ok(Value::Object(data)) = serde_json::to_value(&server.about.data) {
        members.extend(data.iter().map(|(name, value)| format!("\"{name}\": {value}")));
    }
    respond::plain(status, "application/json", format!("{{{}}}", members.join(", ")))
}
