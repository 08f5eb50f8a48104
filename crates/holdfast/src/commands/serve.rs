//! `holdfast serve`: opens the store, listens, and stops in order.

use crate::config::{Port, Serve, Window};
use crate::edge::{self, Server};
use crate::{banner, shutdown};
use anyhow::{Context as _, bail};
use holdfast_store::engine::embedded::EmbeddedOptions;
use holdfast_store::store::{HISTORY_BYTES_IN_MEMORY, HISTORY_BYTES_MAX};
use holdfast_store::{HistoryLimits, Options, Place, Store};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long a stop may take to flush what makes the next start quick. Everything answered is durable without it.
const CLOSE_LIMIT: Duration = Duration::from_millis(1_500);

/// Addresses that the server listens on.
#[derive(Debug, Default)]
pub struct Listening {
    /// DynamoDB.
    pub dynamodb: Option<SocketAddr>,
    /// Every service.
    pub aws: Option<SocketAddr>,
    /// Health and metrics.
    pub console: Option<SocketAddr>,
}

/// Serves until a signal.
///
/// # Errors
/// If the store refuses to open or a port cannot be bound.
pub fn run(options: &Serve) -> anyhow::Result<()> {
    if options.smtp_port != Port::Off {
        bail!("this build has no mail catcher yet: only `--smtp-port off` is accepted");
    }
    let created = !options.in_memory && !options.data_dir.exists();
    let store = Store::open(store_options(options)?)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    let served = runtime.block_on(serve(options, &store, created));
    runtime.shutdown_timeout(Duration::from_millis(100));
    // Also after a failure: the store is closed in order.
    let closed = store.close(CLOSE_LIMIT);
    served?;
    closed?;
    Ok(())
}

fn store_options(options: &Serve) -> anyhow::Result<Options> {
    let bytes_max = options.history_bytes.unwrap_or(if options.in_memory {
        HISTORY_BYTES_IN_MEMORY
    } else {
        HISTORY_BYTES_MAX
    });
    let history = match options.history {
        Window::Keep(window_ms) => Some(HistoryLimits { window_ms, bytes_max }),
        Window::Off => None,
    };
    let place = if options.in_memory {
        Place::Memory
    } else {
        let mut place = EmbeddedOptions::new(std::path::absolute(&options.data_dir)?);
        place.require_existing = options.require_existing;
        place.reserve_bytes = options.reserve;
        place.memtable_bytes = options.memtable_bytes;
        Place::Directory(place)
    };
    Ok(Options { place, history, ..Options::in_memory() })
}

async fn serve(options: &Serve, store: &Store, created: bool) -> anyhow::Result<()> {
    let mut listening = Listening::default();
    let dynamodb = bind(options, options.dynamodb_port, &mut listening.dynamodb).await?;
    let aws = bind(options, options.port, &mut listening.aws).await?;
    let console = bind(options, options.console_port, &mut listening.console).await?;
    let server = Arc::new(Server::new(store.clone()));
    let stop = shutdown::Stop::new()?;
    banner::ready(options, &listening, store, created)?;
    let doors = [(dynamodb, edge::Door::DynamoDb), (aws, edge::Door::Every), (console, edge::Door::Console)];
    let mut accepting = tokio::task::JoinSet::new();
    for (listener, door) in doors {
        if let Some(listener) = listener {
            accepting.spawn(edge::accept::run(listener, door, Arc::clone(&server), stop.clone()));
        }
    }
    while accepting.join_next().await.is_some() {}
    Ok(())
}

async fn bind(
    options: &Serve,
    port: Port,
    address: &mut Option<SocketAddr>,
) -> anyhow::Result<Option<TcpListener>> {
    let Port::On(port) = port else { return Ok(None) };
    let wanted = SocketAddr::new(options.host, port);
    let listener = TcpListener::bind(wanted)
        .await
        .with_context(|| format!("cannot listen on {wanted}: another program may use that port"))?;
    *address = Some(listener.local_addr()?);
    Ok(Some(listener))
}
