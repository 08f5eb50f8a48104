//! From a request to its answer: which service, who, what.

use super::respond::{self, Body};
use super::{Door, Server};
use crate::metrics;
use holdfast_aws::{Context, Error, authorization, json};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::Submission;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Largest body of a request. Source: DynamoDB's 16 MB, with room for JSON's overhead.
const BODY_BYTES_MAX: usize = 17 << 20;
/// A client must have sent its body by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// Region that a request without a readable scope is given in messages only.
const DEFAULT_REGION: &str = "us-east-1";

/// Answers one request. Never fails: what goes wrong is an answer too.
pub async fn answer(
    server: Arc<Server>,
    door: Door,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    if door == Door::Console {
        return Ok(console(&server, &request));
    }
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return Ok(health(door, &server, &request));
    }
    Ok(call(&server, request).await)
}

fn console(server: &Server, request: &Request<Incoming>) -> Response<Body> {
    match request.uri().path() {
        "/metrics" => match server.store.status() {
            Ok(status) => {
                let text = metrics::render(&status, &server.requests());
                respond::plain(StatusCode::OK, "text/plain; version=0.0.4", text)
            }
            Err(error) => respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
        },
        "/health" => health_json(server),
        _ => {
            respond::plain(StatusCode::NOT_FOUND, "text/plain", "there is /health and /metrics\n".to_owned())
        }
    }
}

/// Answers for health checks. Source of the first: `GET /` of DynamoDB's endpoints.
fn health(door: Door, server: &Server, request: &Request<Incoming>) -> Response<Body> {
    match (door, request.uri().path()) {
        (Door::Every, "/_localstack/health" | "/health") => health_json(server),
        _ => {
            let text = "healthy: dynamodb.us-east-1.amazonaws.com ".to_owned();
            respond::plain(StatusCode::OK, "text/plain", text)
        }
    }
}

/// The form that init scripts search: `"dynamodb": "available"`, with that space.
fn health_json(server: &Server) -> Response<Body> {
    let ended = server.store.status().map(|status| status.engine.and_then(|engine| engine.ended));
    let (status, state) = match ended {
        Ok(None) => (StatusCode::OK, "available"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "error"),
    };
    let version = env!("CARGO_PKG_VERSION");
    let body = format!("{{\"services\": {{\"dynamodb\": \"{state}\"}}, \"version\": \"{version}\"}}");
    respond::plain(status, "application/json", body)
}

async fn call(server: &Server, request: Request<Incoming>) -> Response<Body> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let credential = authorization::credential(text(header::AUTHORIZATION.as_str()));
    let (region, access_key) = match &credential {
        Ok(credential) => (credential.region, credential.access_key),
        Err(_) => (DEFAULT_REGION, ""),
    };
    let now_ms = server.store.clock().service_now_ms();
    let context = match Context::new(region, access_key, now_ms) {
        Ok(context) => context,
        Err(error) => {
            return respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string());
        }
    };
    let target = text("x-amz-target").and_then(json::target);
    let known = target.map(|(service, operation)| (service == json::DYNAMODB_TARGET, operation.to_owned()));
    let refusal = match (&credential, &known) {
        (Err(error), _) => Some(error.clone()),
        (Ok(credential), None) if credential.service != "dynamodb" => {
            Some(Error::service_unavailable(format!(
                "Holdfast does not serve {} yet",
                credential.service.chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>()
            )))
        }
        (Ok(_), Some((true, _))) => None,
        (Ok(_), _) => Some(Error::unknown_operation()),
    };
    let operation = known.map(|(_, operation)| operation).unwrap_or_default();
    let result = match refusal {
        Some(error) => Err(error),
        None => match body(request).await {
            Ok(body) => dynamodb(server, &context, &operation, &body).await,
            Err(error) => Err(error),
        },
    };
    match result {
        Ok(body) => {
            server.count(&operation, 200);
            respond::json(200, body, &context.request_id)
        }
        Err(error) => {
            server.count(&operation, error.status);
            respond::error(&error, &context.request_id)
        }
    }
}

async fn body(request: Request<Incoming>) -> Result<bytes::Bytes, Error> {
    // What announces too much is refused at once, not after waiting for it.
    if hyper::body::Body::size_hint(request.body()).lower() > BODY_BYTES_MAX as u64 {
        return Err(Error::request_too_large());
    }
    let limited = Limited::new(request.into_body(), BODY_BYTES_MAX);
    match tokio::time::timeout(BODY_TIMEOUT, limited.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Error::request_too_large()),
        Ok(Err(error)) => Err(Error::serialization(format!("the body cannot be read: {error}"))),
        Err(_) => Err(Error::serialization("the body did not arrive in time")),
    }
}

/// Runs one operation. Reads run here: a point read takes microseconds, less than a hop to another thread. Writes go to
/// the executor, and come back once they are durable.
async fn dynamodb(
    server: &Server,
    context: &Context,
    operation: &str,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    match holdfast_dynamodb::prepare(context, operation, body)? {
        Prepared::Read(read) => read.run(&server.store.snapshot()),
        Prepared::Write(write) => {
            let (sender, receiver) = oneshot::channel();
            server.store.submit(Submission::new(write), move |submission, outcome| {
                // Nobody waits if the client has gone.
                let _ = sender.send((submission, outcome));
            });
            match receiver.await {
                Ok((submission, Ok(_))) => submission.answer(),
                Ok((_, Err(error))) => Err(holdfast_dynamodb::errors::from_store(&error)),
                Err(_) => Err(Error::internal("the store has ended")),
            }
        }
    }
}
