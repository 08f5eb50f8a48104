//! `holdfast serve`: listens, opens the store, serves, and stops in order.

use crate::about::{About, Data, Listening, Signatures};
use crate::admin::clock::ClockStatus;
use crate::admin::socket;
use crate::config::{Hidden, Port, Serve, Sigv4, Window};
use crate::console::hosts::Hosts;
use crate::edge::cors::Cors;
use crate::edge::{self, Door, SERVICES, Server, unserved};
use crate::{banner, descriptors, shutdown};
use anyhow::{Context as _, bail};
use holdfast_aws::sigv4::{AccessKeys, Verifier};
use holdfast_store::engine::embedded::EmbeddedOptions;
use holdfast_store::store::{HISTORY_BYTES_IN_MEMORY, default_history_bytes};
use holdfast_store::{HistoryLimits, Options, Place, Store};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, UnixListener};

/// How long a stop may take to flush what makes the next start quick. Everything answered is durable without it.
/// Together with the time that requests under way are given it stays under 2 s.
const CLOSE_LIMIT: Duration = Duration::from_millis(1_200);
/// Most services that are announced as not there.
const UNAVAILABLE_MAX: usize = 64;

/// Serves until a signal.
///
/// # Errors
/// If a port cannot be bound or the store refuses to open.
pub fn run(options: &Serve) -> anyhow::Result<()> {
    if options.smtp_port != Port::Off {
        bail!("this build has no mail catcher yet: only `--smtp-port off` is accepted");
    }
    let (verifier, signatures) = verifier(options)?;
    let cors = Cors::of(&options.cors).map_err(|error| anyhow::anyhow!("--cors: {error}"))?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    // From here on a signal stops in order, also while the store is opened.
    let stop = runtime.block_on(async { shutdown::Stop::new() })?;
    // Before the store is opened: a port that is taken must not leave a new data directory behind. Who connects already
    // waits until the store is there.
    let (doors, listening) = runtime.block_on(bind_all(options))?;
    let dir = (!options.in_memory).then(|| std::path::absolute(&options.data_dir)).transpose()?;
    let created = dir.as_ref().is_some_and(|dir| !dir.exists());
    let store = Store::open(store_options(options, dir.as_deref()))?;
    let about = About {
        data: dir.as_deref().map_or_else(Data::in_memory, Data::at),
        listening,
        console_hosts: Hosts::new(options.host, &options.console_hosts),
        signatures,
        isolate_by: options.isolate_by.0,
        unavailable: unavailable(&options.services),
        started: Instant::now(),
        connections_max: descriptors::connections_per_port(),
    };
    if let Some((_, url)) = about.listening.urls().next() {
        store.announce(&url);
    }
    let mut server = Server::new(store.clone(), about, verifier, cors);
    server.delay_transient_statuses = options.delay_transient_statuses;
    let server = Arc::new(server);
    let served = runtime.block_on(serve(options, server, doors, stop, dir.as_deref(), created));
    if let Some(dir) = &dir
        && let Err(error) = socket::remove(dir)
    {
        tracing::warn!(%error, "the admin socket cannot be removed");
    }
    runtime.shutdown_timeout(Duration::from_millis(100));
    // Also after a failure: the store is closed in order.
    let closed = store.close(CLOSE_LIMIT);
    served?;
    closed?;
    Ok(())
}

/// What checks signatures, if they are to be checked. No message repeats what may be a secret.
fn verifier(options: &Serve) -> anyhow::Result<(Option<Verifier>, Signatures)> {
    let mut keys = AccessKeys::default();
    for Hidden(text) in options.access_keys.iter().filter(|Hidden(text)| !text.trim().is_empty()) {
        keys.add(text.trim()).map_err(|error| anyhow::anyhow!("--access-key: {error}"))?;
    }
    match options.sigv4 {
        Sigv4::Required => {
            let keys = if keys.is_empty() { AccessKeys::known() } else { keys };
            let signatures = if keys == AccessKeys::known() { Signatures::Test } else { Signatures::OwnKeys };
            Ok((Some(Verifier::new(keys, "dynamodb")), signatures))
        }
        Sigv4::Off => {
            if !keys.is_empty() {
                tracing::warn!(
                    "access keys are given, but signatures are not checked: --sigv4 required is missing"
                );
            }
            Ok((None, Signatures::Any))
        }
    }
}

fn store_options(options: &Serve, dir: Option<&Path>) -> Options {
    let history = match options.history {
        Window::Keep(window_ms) => {
            let bytes_max = options.history_bytes.unwrap_or_else(|| history_bytes_max(dir));
            Some(HistoryLimits { window_ms, bytes_max })
        }
        Window::Off => None,
    };
    let place = dir.map_or(Place::Memory, |dir| {
        let mut place = EmbeddedOptions::new(dir);
        place.require_existing = options.require_existing;
        place.reserve_bytes = options.reserve;
        place.memtable_bytes = options.memtable_bytes;
        Place::Directory(place)
    });
    Options { place, history, jobs: holdfast_dynamodb::jobs::kinds(), ..Options::in_memory() }
}

/// Bytes of history if nothing is said: 64 MiB in memory; else 10 GiB, or 20 % of the disk if that is less.
fn history_bytes_max(dir: Option<&Path>) -> u64 {
    dir.map_or(HISTORY_BYTES_IN_MEMORY, default_history_bytes)
}

/// Names out of `SERVICES` that are not there. LocalStack's older form `name:port` is understood.
fn unavailable(services: &[String]) -> Vec<String> {
    let mut names: Vec<String> = services
        .iter()
        .map(|text| text.split(':').next().unwrap_or("").trim())
        .filter(|text| !text.is_empty())
        .map(unserved::name)
        .filter(|name| !SERVICES.contains(&name.as_str()))
        .collect();
    names.sort();
    names.dedup();
    names.truncate(UNAVAILABLE_MAX);
    names
}

async fn serve(
    options: &Serve,
    server: Arc<Server>,
    doors: Vec<(TcpListener, Door)>,
    stop: shutdown::Stop,
    dir: Option<&Path>,
    created: bool,
) -> anyhow::Result<()> {
    let mut serving = tokio::task::JoinSet::new();
    if let Some(listener) = dir.and_then(listen_for_verbs) {
        serving.spawn(edge::admin::run(listener, Arc::clone(&server), stop.clone()));
    }
    banner::ready(options, &server.about, &ClockStatus::of_store(&server.store), created)?;
    for (listener, door) in doors {
        serving.spawn(edge::accept::run(listener, door, Arc::clone(&server), stop.clone()));
    }
    // Also without any listener it serves until the stop.
    stop.clone().wait().await;
    while serving.join_next().await.is_some() {}
    Ok(())
}

/// Verbs need it, data do not: without it the server serves all the same.
fn listen_for_verbs(dir: &Path) -> Option<UnixListener> {
    socket::listen(dir)
        .inspect_err(|error| {
            tracing::warn!(%error, "admin.sock cannot be made: verbs will not reach this server");
        })
        .ok()
}

async fn bind_all(options: &Serve) -> anyhow::Result<(Vec<(TcpListener, Door)>, Listening)> {
    let mut listening = Listening::default();
    let mut doors = Vec::new();
    for (port, door, address, flag) in [
        (options.dynamodb_port, Door::DynamoDb, &mut listening.dynamodb, "--dynamodb-port"),
        (options.port, Door::Every, &mut listening.aws, "--port"),
        (options.console_port, Door::Console, &mut listening.console, "--console-port"),
    ] {
        let Port::On(port) = port else { continue };
        let wanted = SocketAddr::new(options.host, port);
        let listener =
            TcpListener::bind(wanted).await.map_err(|error| cannot_listen(wanted, flag, &error))?;
        *address = Some(listener.local_addr()?);
        doors.push((listener, door));
    }
    Ok((doors, listening))
}

fn cannot_listen(address: SocketAddr, flag: &str, error: &std::io::Error) -> anyhow::Error {
    use std::io::ErrorKind::{AddrInUse, AddrNotAvailable};
    let hint = match error.kind() {
        AddrInUse => format!("Another program listens there: stop it, or choose another port with `{flag}`."),
        AddrNotAvailable => "This machine has no such address: choose another one with `--host`.".to_owned(),
        _ => format!("Choose another port with `{flag}`."),
    };
    banner::Hinted { error: format!("cannot listen on {address}: {error}"), hint }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_announced() {
        let services = ["s3", " dynamodb", "SES:4579", "", "s3", "a\"b"].map(str::to_owned);
        assert_eq!(unavailable(&services), ["ab", "s3", "ses"]);
    }

    #[test]
    fn history_is_bounded_by_the_disk() {
        assert_eq!(history_bytes_max(None), HISTORY_BYTES_IN_MEMORY);
        let dir = tempfile::tempdir().expect("a directory");
        let bytes = history_bytes_max(Some(&dir.path().join("not/there/yet")));
        assert_eq!(bytes, history_bytes_max(Some(dir.path())));
        assert!(bytes > 0 && bytes <= holdfast_store::store::HISTORY_BYTES_MAX);
    }
}
