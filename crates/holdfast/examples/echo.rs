//! The bare HTTP server that benchmarks compare with: hyper alone, the same runtime and allocator as the server, nothing
//! behind it. It reads each request's body and answers with the same bytes every time.
//!
//! `echo --port N` listens on 127.0.0.1; with 0 it takes any free port. It prints the address.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of every answer's body: what GetItem answers of an item of the size that is measured.
const BODY_BYTES: usize = 430;

fn main() -> anyhow::Result<()> {
    let port = port(std::env::args().skip(1))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(port))
}

fn port(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<u16> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (Some("--port"), Some(port), None) => Ok(port.parse()?),
        _ => anyhow::bail!("usage: echo --port N"),
    }
}

async fn serve(port: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    #[expect(clippy::print_stdout, reason = "an example may print")]
    {
        println!("{}", listener.local_addr()?);
    }
    let body = body();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let service = service_fn(move |request| answer(request, body.clone()));
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new());
        // A connection that breaks is the client's business.
        tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
    }
}

/// `{"Item":{"pad":{"S":"xxx…"}}}`
fn body() -> Bytes {
    let (head, tail) = (r#"{"Item":{"pad":{"S":""#, r#""}}}"#);
    let padding = "x".repeat(BODY_BYTES - head.len() - tail.len());
    Bytes::from(format!("{head}{padding}{tail}"))
}

async fn answer(request: Request<Incoming>, body: Bytes) -> hyper::Result<Response<Full<Bytes>>> {
    request.into_body().collect().await?;
    let mut response = Response::new(Full::new(body));
    let value = HeaderValue::from_static("application/x-amz-json-1.0");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    Ok(response)
}
