//! How an answer looks on the wire.

use bytes::Bytes;
use holdfast_aws::coding::{Coding, PACKED_BYTES_MIN};
use holdfast_aws::{Error, RequestId, json};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// The body of every answer.
pub type Body = Full<Bytes>;

/// What DynamoDB answers to a request that is none of its protocol's: no JSON, and no content type. Source: recorded answers
/// of DynamoDB.
const NOT_OF_THE_PROTOCOL: &str = "<UnknownOperationException/>\n";

/// How the answer to a request is written.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Content type: that of the request.
    pub content_type: &'static str,
    /// How the client wants large answers to be packed.
    pub coding: Option<Coding>,
}

impl Form {
    /// The form for a request's headers. Source of the content type for requests without one: recorded answers of DynamoDB.
    pub fn of(headers: &HeaderMap) -> Self {
        let text = |name: header::HeaderName| {
            headers.get_all(name).iter().next_back().and_then(|value| value.to_str().ok())
        };
        Self {
            content_type: text(header::CONTENT_TYPE)
                .and_then(json::content_type)
                .unwrap_or(json::PLAIN_CONTENT_TYPE),
            coding: text(header::ACCEPT_ENCODING).and_then(Coding::accepted),
        }
    }

    /// How a body of this size is to be packed, if it is.
    pub fn coding_of(&self, body_bytes: usize) -> Option<Coding> {
        self.coding.filter(|_| body_bytes >= PACKED_BYTES_MIN)
    }
}

/// An answer in AWS's JSON protocol, its body packed already if `coding` says so. The checksum is that of the bytes as they
/// are sent.
pub fn json(
    status: u16,
    content_type: &'static str,
    coding: Option<Coding>,
    body: Bytes,
    request_id: &RequestId,
) -> Response<Body> {
    let crc32 = json::crc32(&body);
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    headers.insert("x-amz-crc32", HeaderValue::from(crc32));
    identified(response, request_id)
}

/// An error in AWS's JSON protocol. One that has no text beside its status is sent without a body.
pub fn error(error: &Error, content_type: &'static str, request_id: &RequestId) -> Response<Body> {
    if error.status == StatusCode::PAYLOAD_TOO_LARGE {
        return identified(empty(StatusCode::PAYLOAD_TOO_LARGE), request_id);
    }
    json(error.status, content_type, None, error.body().into(), request_id)
}

/// The answer to a request that is none of the protocol's.
pub fn not_of_the_protocol(request_id: &RequestId) -> Response<Body> {
    checked(StatusCode::NOT_FOUND, NOT_OF_THE_PROTOCOL, request_id)
}

/// A text with its checksum and without a content type, as DynamoDB sends those that are no answers of an operation.
pub fn checked(status: StatusCode, text: &'static str, request_id: &RequestId) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert("x-amz-crc32", HeaderValue::from(json::crc32(text.as_bytes())));
    identified(response, request_id)
}

fn identified(mut response: Response<Body>, request_id: &RequestId) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
    response
}

/// An answer without a body.
pub fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    response
}

/// Plain text or JSON, for health checks and metrics.
pub fn plain(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
