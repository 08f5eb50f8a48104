//! Connections: how many, how long, and how they end.

use super::idle::{Activity, TICK, Watched, Watchman};
use super::{Door, Server, route};
use crate::shutdown::{DRAIN_LIMIT, Stop};
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// How long nothing is accepted after accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
/// Most requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 64;
/// Most bytes of headers of one request.
const HEADER_BYTES_MAX: usize = 64 << 10;

/// Accepts connections until the stop, then lets requests under way finish.
pub async fn run(listener: TcpListener, door: Door, server: Arc<Server>, mut stop: Stop) {
    let slots = Arc::new(Semaphore::new(server.about.connections_max));
    let mut connections = JoinSet::new();
    let (mut watchman, mut ticks) = (Watchman::default(), tokio::time::interval(TICK));
    loop {
        let next = async {
            // Never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            next = next => next,
            () = stop.wait() => break,
            _ = ticks.tick() => {
                watchman.tick(slots.available_permits() == 0);
                continue;
            }
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
        let (server, activity) = (Arc::clone(&server), Arc::new(Activity::default()));
        let close = watchman.watch(&activity);
        connections.spawn(async move {
            let _slot = slot;
            serve(stream, door, server, activity, close).await;
        });
    }
    drop(listener);
    // Tells every connection to end.
    drop(watchman);
    while connections.join_next().await.is_some() {}
}

/// One connection, until the client ends it or it is told to.
async fn serve(
    stream: TcpStream,
    door: Door,
    server: Arc<Server>,
    activity: Arc<Activity>,
    close: oneshot::Receiver<()>,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).max_buf_size(HEADER_BYTES_MAX);
    // hyper's own limit on the time of a head would also end connections that are kept alive: see `idle`.
    builder.http1().header_read_timeout(None);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(HEADER_BYTES_MAX as u32);
    builder.http2().max_concurrent_streams(STREAMS_MAX);
    let stream = Watched::new(TokioIo::new(stream), Arc::clone(&activity));
    let service = service_fn(move |request: Request<Incoming>| {
        let (server, answering) = (Arc::clone(&server), activity.answering(request.version()));
        async move {
            let answer = route::answer(&server, door, request).await;
            drop(answering);
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = builder.serve_connection(stream, service);
    tokio::pin!(connection);
    tokio::select! {
        // Broken connections are the client's business; there is nobody to tell.
        _ = connection.as_mut() => return,
        _ = close => {}
    }
    connection.as_mut().graceful_shutdown();
    // Nobody is left to tell of a connection that does not end in time.
    let _ = tokio::time::timeout(DRAIN_LIMIT, connection).await;
}
