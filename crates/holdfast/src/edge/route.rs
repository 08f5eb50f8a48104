//! From a request to its answer: which service, who, what.

use super::respond::{self, Body};
use super::unserved::{self, Protocol};
use super::{Door, Server, health};
use crate::console;
use holdfast_aws::authorization::{self, Credential};
use holdfast_aws::{Context, Error, RequestId, json};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::{Extent, Submission};
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::oneshot;

/// Region that a request without a readable scope is given in messages only.
const DEFAULT_REGION: &str = "us-east-1";
/// Target prefix of Cognito user pools, some of whose calls are not signed.
const COGNITO_TARGET: &str = "AWSCognitoIdentityProviderService";
/// DynamoDB's name in credential scopes.
const DYNAMODB: &str = "dynamodb";

/// Answers one request. What goes wrong is an answer too.
pub async fn answer(server: &Server, door: Door, request: Request<Incoming>) -> Response<Body> {
    if door == Door::Console {
        // Reads what `status` does: more than a point read.
        return tokio::task::block_in_place(|| console::answer(server, &request));
    }
    let credential = authorization::credential(header(&request, header::AUTHORIZATION.as_str()));
    let target = header(&request, "x-amz-target").and_then(json::target);
    if let Some(service) = unserved_service(&request, credential.as_ref().ok(), target) {
        return refuse(server, &request, &service, target.is_some());
    }
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return health::service(door, server, request.uri().path());
    }
    call(server, request).await
}

fn header<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// The service that a request is for, if it is one that is not there.
fn unserved_service(
    request: &Request<Incoming>,
    credential: Option<&Credential<'_>>,
    target: Option<(&str, &str)>,
) -> Option<String> {
    // A target says most: some calls (of user pools) are not signed at all.
    match (target, credential) {
        (Some((json::DYNAMODB_TARGET | json::STREAMS_TARGET, _)), _) => None,
        (_, Some(credential)) if credential.service != DYNAMODB => Some(unserved::name(credential.service)),
        (Some((COGNITO_TARGET, _)), None) => Some("cognito-idp".to_owned()),
        (Some((service, _)), None) => Some(unserved::name(service)),
        (_, Some(_)) => None,
        (None, None) => {
            // A presigned URL: `X-Amz-Credential=AKID%2F20261124%2Fus-east-1%2Fs3%2Faws4_request`.
            let mut parameters = request.uri().query()?.split('&');
            let scope = parameters.find_map(|parameter| parameter.strip_prefix("X-Amz-Credential="))?;
            let scope = scope.replace("%2F", "/").replace("%2f", "/");
            let service = scope.rsplit('/').nth(1)?;
            (service != DYNAMODB).then(|| unserved::name(service))
        }
    }
}

fn refuse(server: &Server, request: &Request<Incoming>, service: &str, has_target: bool) -> Response<Body> {
    let protocol = Protocol::of(service, has_target, header(request, header::CONTENT_TYPE.as_str()));
    server.unserved.count(service);
    match RequestId::random() {
        Ok(request_id) => unserved::refuse(service, protocol, &request_id),
        Err(error) => no_randomness(&error),
    }
}

fn no_randomness(error: &dyn std::fmt::Display) -> Response<Body> {
    respond::plain(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("no randomness: {error}"))
}

async fn call(server: &Server, request: Request<Incoming>) -> Response<Body> {
    let credential = authorization::credential(header(&request, header::AUTHORIZATION.as_str()));
    let (region, access_key) = match &credential {
        Ok(credential) => (credential.region, credential.access_key),
        Err(_) => (DEFAULT_REGION, ""),
    };
    let now_ms = server.store.clock().service_now_ms();
    let context = match Context::new(region, access_key, now_ms) {
        Ok(context) => context,
        Err(error) => return no_randomness(&error),
    };
    let target = header(&request, "x-amz-target").and_then(json::target);
    let known = target.map(|(service, operation)| (service == json::DYNAMODB_TARGET, operation.to_owned()));
    let refusal = match (&credential, &known) {
        (Err(error), _) => Some(error.clone()),
        (Ok(_), Some((true, _))) => None,
        (Ok(_), _) => Some(Error::unknown_operation()),
    };
    let operation = known.filter(|(ours, _)| *ours).map(|(_, operation)| operation).unwrap_or_default();
    let result = match refusal {
        Some(error) => Err(error),
        None => match server.bodies.read(request).await {
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

/// Runs one operation. Point reads run here: they take microseconds, less than a hop to another thread. Longer reads go
/// to the pool. Writes go to the executor, and come back once they are durable.
async fn dynamodb(
    server: &Server,
    context: &Context,
    operation: &str,
    body: &[u8],
) -> Result<Vec<u8>, Error> {
    match holdfast_dynamodb::prepare(context, operation, body)? {
        Prepared::Read(read) if read.extent() == Extent::Pages => {
            let store = server.store.clone();
            // The snapshot is taken when the read starts, so that none is held while it waits for its turn.
            server.pool.run(move || read.run(&store.snapshot())).await?
        }
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
