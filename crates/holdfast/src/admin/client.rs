//! Asks the running server of a data directory.

use super::socket::Address;
use super::{Answer, REQUEST_BYTES_MAX, Request};
use crate::banner::Hinted;
use anyhow::{Context as _, bail};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

const CANNOT_ASK: &str = "the running server cannot be asked";

/// Sends a request to the server that uses `dir`, and waits for its answer. `None` if no server listens there.
///
/// # Errors
/// If a server is there that cannot be asked, or says that the verb has failed.
pub fn ask(dir: &Path, request: &Request) -> anyhow::Result<Option<serde_json::Value>> {
    ask_and_watch(dir, request, &mut |_| {})
}

/// The same; `watch` is told how far the verb is, if it takes long.
///
/// # Errors
/// As [`ask`].
pub fn ask_and_watch(
    dir: &Path,
    request: &Request,
    watch: &mut dyn FnMut(&str),
) -> anyhow::Result<Option<serde_json::Value>> {
    let Some(mut stream) = connect(dir)? else { return Ok(None) };
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    if line.len() as u64 > REQUEST_BYTES_MAX {
        bail!("{} bytes are too long for a request: {REQUEST_BYTES_MAX} are read", line.len());
    }
    stream.write_all(line.as_bytes()).context(CANNOT_ASK)?;
    let mut lines = BufReader::new(&stream);
    loop {
        let mut text = String::new();
        lines.read_line(&mut text).context(CANNOT_ASK)?;
        if text.is_empty() {
            bail!("the running server ended before it answered: whether it did what was asked is not known");
        }
        let answer: Answer =
            serde_json::from_str(&text).context("the running server's answer cannot be read")?;
        match answer {
            Answer::Progress(text) => watch(&text),
            Answer::Done(value) => return Ok(Some(value)),
            Answer::Failed { error, hint: Some(hint) } => return Err(Hinted { error, hint }.into()),
            Answer::Failed { error, hint: None } => bail!(error),
        }
    }
}

fn connect(dir: &Path) -> anyhow::Result<Option<UnixStream>> {
    use io::ErrorKind::{ConnectionRefused, NotADirectory, NotFound, PermissionDenied};
    let connected = Address::of(dir).and_then(|address| UnixStream::connect(address.path()));
    match connected {
        Ok(stream) => Ok(Some(stream)),
        // Refused: the socket was left by a process that is gone.
        Err(error) if [NotFound, NotADirectory, ConnectionRefused].contains(&error.kind()) => Ok(None),
        Err(error) => {
            let file = dir.join(holdfast_store::dir::layout::ADMIN_SOCKET);
            let text = format!("{}: the running server cannot be reached: {error}", file.display());
            if error.kind() == PermissionDenied {
                let hint = "Run this as the user that the server runs as.".to_owned();
                return Err(Hinted { error: text, hint }.into());
            }
            bail!(text)
        }
    }
}
