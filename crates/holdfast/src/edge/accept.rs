//! Connections: how many, how long, and how they end.

use super::{Door, Server, route};
use crate::shutdown::{DRAIN_LIMIT, Stop};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Most connections per port; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 4_096;
/// A client must have sent its request's headers by then.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How long nothing is accepted after accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Most bytes of headers of one request.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// Accepts connections until the stop, then lets requests under way finish.
pub async fn run(listener: TcpListener, door: Door, server: Arc<Server>, mut stop: Stop) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.wait() => break,
        };
        while connections.try_join_next().is_some() {}
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                // Out of file descriptors, most likely: wait until somebody is done, without a busy loop meanwhile.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Without it small answers wait for the client's acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let (server, mut stop) = (Arc::clone(&server), stop.clone());
        connections.spawn(async move {
            let _slot = slot;
            let mut builder = Builder::new(TokioExecutor::new());
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_buf_size(HEADER_BYTES_MAX);
            builder.http2().timer(TokioTimer::new()).max_header_list_size(HEADER_BYTES_MAX as u32);
            let service = service_fn(move |request| route::answer(Arc::clone(&server), door, request));
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                // Broken connections are the client's business; there is nobody to tell.
                _ = connection.as_mut() => return,
                () = stop.wait() => {}
            }
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(DRAIN_LIMIT, connection).await;
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}
