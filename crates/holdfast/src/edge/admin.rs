//! `admin.sock`: takes a verb's requests and runs them off the edge's threads.

use super::Server;
use crate::admin::clock::{self, ClockStatus};
use crate::admin::{Answer, REQUEST_BYTES_MAX, Request, past, verbs};
use crate::banner::Hinted;
use crate::shutdown::Stop;
use crate::status;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Verbs at once; further ones wait to be accepted.
const VERBS_MAX: usize = 8;
/// How long nothing is accepted after accepting failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves verbs until the stop. One that is under way then is not waited for: it ends with the store.
pub async fn run(listener: UnixListener, server: Arc<Server>, mut stop: Stop) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.wait() => return,
            Some(_) = connections.join_next(), if connections.len() >= VERBS_MAX => {}
            accepted = listener.accept(), if connections.len() < VERBS_MAX => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&server), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a verb cannot be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
        while connections.try_join_next().is_some() {}
    }
}

/// One connection: requests and answers in turn. Whatever breaks it is the verb's business.
async fn serve(stream: UnixStream, server: Arc<Server>, stop: Stop) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read);
    loop {
        let mut line = String::new();
        match (&mut lines).take(REQUEST_BYTES_MAX).read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let (server, stop) = (Arc::clone(&server), stop.clone());
        let (progress, mut told) = mpsc::channel(1);
        let mut work = tokio::task::spawn_blocking(move || answer(&line, &server, &stop, &progress));
        let answered = loop {
            tokio::select! {
                Some(text) = told.recv() => {
                    if send(&mut write, &Answer::Progress(text)).await.is_none() {
                        return;
                    }
                }
                answered = &mut work => break answered,
            }
        };
        let failed = |error: String| Answer::Failed { error, hint: None };
        let answer = answered.unwrap_or_else(|error| failed(format!("the verb failed inside: {error}")));
        if send(&mut write, &answer).await.is_none() {
            return;
        }
    }
}

/// Sends a line; `None` if nobody is there any more.
async fn send(write: &mut OwnedWriteHalf, answer: &Answer) -> Option<()> {
    let mut text = serde_json::to_string(answer).ok()?;
    text.push('\n');
    write.write_all(text.as_bytes()).await.ok()
}

/// Runs one verb; blocks. One that takes long says how far it is, and ends early if the server stops or nobody listens.
fn answer(line: &str, server: &Server, stop: &Stop, progress: &mpsc::Sender<String>) -> Answer {
    let request: Request = match serde_json::from_str(line) {
        Ok(request) => request,
        Err(error) => {
            return Answer::Failed {
                error: format!("the running server does not understand the verb: {error}"),
                hint: Some("Use the same version of holdfast as the server.".to_owned()),
            };
        }
    };
    let value = match request {
        Request::Status => server.status().and_then(|status: status::Status| json(&status)),
        Request::Trim { window_ms } => verbs::trim(&server.store, window_ms).and_then(|done| json(&done)),
        Request::Reset { no_archive } => verbs::reset(&server.store, no_archive).and_then(|done| json(&done)),
        Request::Doctor { deep } => {
            let mut tell = |text: Option<String>| {
                // Where one is on its way already, the next will be newer.
                let gone = text.is_some_and(|text| {
                    matches!(progress.try_send(text), Err(mpsc::error::TrySendError::Closed(_)))
                });
                !gone && !stop.is_stopped()
            };
            verbs::check(&server.store, deep, &mut tell).and_then(|checked| json(&checked))
        }
        Request::Clock { change: None } => json(&ClockStatus::of_store(&server.store)),
        Request::Clock { change: Some(change) } => {
            clock::change(&server.store, change).and_then(|clock| json(&clock))
        }
        Request::History { table, whose, key, limit } => {
            past::history(&server.store.snapshot(), &whose, &table, &key, limit)
                .and_then(|found| json(&found))
        }
        Request::ItemAt { table, whose, key, at } => {
            past::item_at(&server.store.snapshot(), &whose, &table, &key, at).and_then(|found| json(&found))
        }
    };
    match value {
        Ok(value) => Answer::Done(value),
        Err(error) => {
            let hint = error.downcast_ref::<Hinted>().map(|hinted| hinted.hint.clone());
            Answer::Failed { error: format!("{error:#}"), hint }
        }
    }
}

fn json(value: &impl serde::Serialize) -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::to_value(value)?)
}
