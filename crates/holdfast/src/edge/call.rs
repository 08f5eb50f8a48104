//! A call of DynamoDB: who sent it, what it asks for, and its answer. The checks run in DynamoDB's order (source: a public
//! server's tests that were compared with it): size, content type, JSON, operation, signature, input.

use super::answers::Room;
use super::bodies::Held;
use super::respond::{self, Body, Form};
use super::{Server, bodies};
use bytes::Bytes;
use holdfast_aws::coding::Coding;
use holdfast_aws::sigv4::{Head, Signature};
use holdfast_aws::{Context, Error, RequestId, json};
use holdfast_dynamodb::Prepared;
use holdfast_state::operation::{Extent, Submission, WriteOperation};
use http::request::Parts;
use http::{HeaderMap, Request, Response, header};
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Bodies above this are hashed, unpacked, read and packed on the pool: they take longer than a hop to another thread.
const LARGE_BYTES: usize = 64 << 10;

/// Answers a request that was posted.
pub async fn answer(
    server: &Arc<Server>,
    request: Request<Incoming>,
    request_id: RequestId,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let form = Form::of(&head.headers);
    let waits = head.headers.contains_key(header::EXPECT);
    let mut operation = "";
    let result = match server.bodies.read(body, waits).await {
        Ok(body) if !body.bytes.is_empty() && !has_known_type(&head.headers) => {
            server.count("", 404);
            return respond::not_of_the_protocol(&request_id);
        }
        Ok(body) => {
            operation = known_operation(&head.headers).unwrap_or_default();
            let call = Call { head, body, operation, request_id };
            run(server, form, call).await
        }
        Err(error) => Err(error),
    };
    let status = result.as_ref().map_or_else(|error| error.status, |_| 200);
    server.count(operation, status);
    match result {
        Ok(Done { coding, body }) => respond::json(200, form.content_type, coding, body, &request_id),
        Err(error) if error.extra.is_empty() => respond::error(&error, form.content_type, &request_id),
        Err(error) => refusal_with_items(server, form, &error, &request_id).await,
    }
}

/// A refusal that shows items: a large one takes room until it is taken in, as the answers of long reads do.
async fn refusal_with_items(
    server: &Server,
    form: Form,
    error: &Error,
    request_id: &RequestId,
) -> Response<Body> {
    let body = error.body();
    let body = if body.len() > LARGE_BYTES {
        server.answers.room().await.and_then(|room| room.hold(body))
    } else {
        Ok(body.into())
    };
    match body {
        Ok(body) => respond::json(error.status, form.content_type, None, body, request_id),
        Err(no_room) => respond::error(&no_room, form.content_type, request_id),
    }
}

/// Whether a request's content type is one that DynamoDB takes.
fn has_known_type(headers: &HeaderMap) -> bool {
    text(headers, header::CONTENT_TYPE.as_str()).is_some_and(|text| json::content_type(text).is_some())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The operation that a request's target names, if there is such a one.
fn known_operation(headers: &HeaderMap) -> Option<&'static str> {
    let (service, operation) = json::target(text(headers, "x-amz-target")?)?;
    let ours = service == json::DYNAMODB_TARGET;
    holdfast_dynamodb::operations::find(operation).filter(|_| ours).map(|operation| operation.name)
}

/// An answer's body as it is sent.
struct Done {
    coding: Option<Coding>,
    body: Bytes,
}

/// Packs an answer, where the client wants it. `room` is what it may hold until it is taken in.
async fn pack(server: &Server, form: Form, body: Vec<u8>, room: Option<Room>) -> Result<Done, Error> {
    let coding = form.coding_of(body.len());
    let body = match coding {
        None => body,
        Some(coding) => {
            let packed = if body.len() > LARGE_BYTES {
                server.pool.run(move || coding.pack(&body)).await?
            } else {
                coding.pack(&body)
            };
            packed.map_err(|error| Error::internal(format!("the answer cannot be packed: {error}")))?
        }
    };
    let body = match room {
        Some(room) => room.hold(body)?,
        None => body.into(),
    };
    Ok(Done { coding, body })
}

/// A request that was received whole.
struct Call {
    head: Parts,
    body: Held,
    /// Empty if there is no such operation.
    operation: &'static str,
    request_id: RequestId,
}

impl Call {
    /// Checks and plans it. Nothing is looked up yet.
    fn prepare(&mut self, server: &Server) -> Result<Prepared<Error>, Error> {
        let context = match self.authorize(server) {
            Ok(context) => context,
            // What is no JSON is that before all else.
            Err(_)
                if !self.is_packed() && !self.body.bytes.is_empty() && !json::is_json(&self.body.bytes) =>
            {
                return Err(Error::serialization(""));
            }
            Err(error) => return Err(error),
        };
        if let Some(coding) = text(&self.head.headers, header::CONTENT_ENCODING.as_str()) {
            if !coding.trim().eq_ignore_ascii_case(Coding::Gzip.name()) {
                // DynamoDB's own answer is a 500 too. Source: public tests that run against DynamoDB.
                return Err(Error::internal("this content encoding is not known; gzip is"));
            }
            self.body.unpack()?;
        }
        holdfast_dynamodb::prepare(&context, self.operation, &self.body.bytes)
    }

    fn is_packed(&self) -> bool {
        self.head.headers.contains_key(header::CONTENT_ENCODING)
    }

    /// Who sent it. The signature is checked where the server was told to.
    fn authorize(&self, server: &Server) -> Result<Context, Error> {
        if self.operation.is_empty() {
            return Err(Error::unknown_operation());
        }
        let Parts { method, uri, headers, .. } = &self.head;
        let head = Head { method, uri, headers };
        let signature = Signature::of(&head)?;
        let clock = server.store.clock();
        let now_ms = clock.service_now_ms();
        if let Some(verifier) = &server.verifier {
            // Clients sign by their own clocks, which nobody has stopped or moved. What was signed to live for a while does so
            // by the service clock.
            let now_ms = if signature.has_lifetime() { now_ms } else { clock.real_now_ms() };
            verifier.check(&head, &signature, &self.body.bytes, now_ms)?;
        }
        let credential = signature.credential()?;
        let context = Context::of(self.request_id, credential.region, credential.access_key, now_ms)
            .map_err(|error| Error::internal(format!("no randomness: {error}")))?;
        // HTTP/2 names it in its target, HTTP/1 in a header.
        let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(headers, "host"));
        let host =
            host.filter(|host| !host.is_empty()).map_or_else(|| server.about.listening.host(), Into::into);
        Ok(Context {
            host,
            isolate_by: server.about.isolate_by,
            delay_transient_statuses: server.delay_transient_statuses,
            ..context
        })
    }
}

/// Runs one operation. Point reads run here: they take microseconds, less than a hop to another thread. Longer reads go
/// to the pool, and so does everything about large bodies. Writes go to the executor, and come back once they are durable.
async fn run(server: &Arc<Server>, form: Form, mut call: Call) -> Result<Done, Error> {
    let prepared = if call.body.bytes.len() > LARGE_BYTES || call.is_packed() {
        let shared = Arc::clone(server);
        // The body goes with it: it is not needed any more once it is planned.
        server.pool.run(move || call.prepare(&shared)).await?
    } else {
        call.prepare(server)
    };
    let (body, room) = match prepared? {
        Prepared::Read(read) if read.extent() == Extent::Pages => {
            let room = server.answers.room().await?;
            let store = server.store.clone();
            // The snapshot is taken when the read starts, so that none is held while it waits for its turn.
            (server.pool.run(move || read.run(&store.snapshot())).await??, Some(room))
        }
        Prepared::Read(read) => (read.run(&server.store.snapshot())?, None),
        Prepared::Write(write) => (submit(server, write).await?, None),
    };
    pack(server, form, body, room).await
}

/// Hands a write to the executor and waits until it is durable.
async fn submit(server: &Server, write: Box<dyn WriteOperation<Error>>) -> Result<Vec<u8>, Error> {
    let (sender, receiver) = oneshot::channel();
    let store = server.store.clone();
    let extent = write.extent();
    let submit = move || {
        store.submit(Submission::new(write), move |submission, outcome| {
            // Nobody waits if the client has gone.
            let _ = sender.send((submission, outcome));
        });
    };
    match extent {
        Extent::Point => submit(),
        // What it reads ahead may be many keys.
        Extent::Pages => server.pool.run(submit).await?,
    }
    match receiver.await {
        // A refusal may show as many items as there were actions.
        Ok((submission, Ok(_))) if extent == Extent::Pages && submission.is_refused() => {
            server.pool.run(move || submission.answer()).await?
        }
        Ok((submission, Ok(_))) => submission.answer(),
        Ok((_, Err(error))) => Err(holdfast_dynamodb::errors::from_store(&error)),
        Err(_) => Err(Error::internal("the store has ended")),
    }
}

/// Answers a request of another method than those that there are.
pub fn wrong_method(request: Request<Incoming>, request_id: &RequestId) -> Response<Body> {
    if !request.headers().contains_key(header::EXPECT) {
        bodies::drain(request.into_body());
    }
    respond::not_of_the_protocol(request_id)
}
