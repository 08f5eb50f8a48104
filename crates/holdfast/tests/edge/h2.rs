//! HTTP/2 with prior knowledge, by a client that speaks it.

use super::server::{Connection, Server};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

fn call(address: &str, operation: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(format!("http://{address}/"))
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=:authority, Signature=00",
        )
        .body(Full::new(body.into()))
        .expect("a request")
}

async fn connect(address: &str) -> http2::SendRequest<Full<Bytes>> {
    let stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

async fn ask(
    sender: &mut http2::SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> (StatusCode, Bytes) {
    sender.ready().await.expect("ready");
    let answer = sender.send_request(request).await.expect("an answer");
    let (status, crc32) = (answer.status(), answer.headers().get("x-amz-crc32").cloned());
    let body = answer.into_body().collect().await.expect("a body").to_bytes();
    if let Some(crc32) = crc32 {
        assert_eq!(crc32.to_str().expect("text"), crc32fast::hash(&body).to_string());
    }
    (status, body)
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let server = Server::start(&[]).with_table();
    let address = server.address("dynamodb");
    let mut sender = connect(address).await;
    let value = "x".repeat(300_000);
    let mut calls = Vec::new();
    for key in 0..40 {
        let body = format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{key}"}},"v":{{"S":"{value}"}}}}}}"#);
        let (mut sender, request) = (sender.clone(), call(address, "PutItem", body));
        calls.push(tokio::spawn(async move { ask(&mut sender, request).await }));
    }
    for call in calls {
        assert_eq!(call.await.expect("ends"), (StatusCode::OK, Bytes::from_static(b"{}")));
    }
    let body = r#"{"TableName":"tab","Key":{"k":{"S":"7"}}}"#;
    let (status, body) = ask(&mut sender, call(address, "GetItem", body)).await;
    assert!(status == StatusCode::OK && body.len() > value.len());
    // Refusals are answers too, and leave the connection as it was.
    let large = vec![b' '; (16 << 20) + 1];
    for (request, status) in [
        (call(address, "ListTables", "{"), StatusCode::BAD_REQUEST),
        (call(address, "ListTables", large), StatusCode::PAYLOAD_TOO_LARGE),
        (
            Request::get(format!("http://{address}/")).body(Full::default()).expect("a request"),
            StatusCode::OK,
        ),
        (
            Request::put(format!("http://{address}/")).body(Full::default()).expect("a request"),
            StatusCode::NOT_FOUND,
        ),
    ] {
        assert_eq!(ask(&mut sender, request).await.0, status);
    }
    assert_eq!(ask(&mut sender, call(address, "ListTables", "{}")).await.0, StatusCode::OK);
}

#[test]
fn what_is_not_quite_http_2_is_closed() {
    let server = Server::start(&[]);
    let mut half: Connection = server.connect();
    half.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    half.send([0xff; 64]);
    // Settings and a farewell may come first.
    half.finish();
    while half.answer().is_some() {}
    assert_eq!(server.connect().call("ListTables", "{}").status, 200);
}
