//! How an answer looks on the wire.

use bytes::Bytes;
use holdfast_aws::{Error, RequestId, json};
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// The body of every answer.
pub type Body = Full<Bytes>;

/// An answer in AWS's JSON protocol.
pub fn json(status: u16, body: Vec<u8>, request_id: &RequestId) -> Response<Body> {
    let crc32 = json::crc32(&body);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(json::CONTENT_TYPE));
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert("x-amzn-requestid", value);
    }
    headers.insert("x-amz-crc32", HeaderValue::from(crc32));
    response
}

/// An error in AWS's JSON protocol.
pub fn error(error: &Error, request_id: &RequestId) -> Response<Body> {
    json(error.status, error.body(), request_id)
}

/// Plain text or JSON, for health checks and metrics.
pub fn plain(status: StatusCode, content_type: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
