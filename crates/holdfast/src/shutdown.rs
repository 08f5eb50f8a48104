//! A graceful stop on SIGTERM and SIGINT; a second signal ends at once.

use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long requests that are under way may still take.
pub const DRAIN_LIMIT: Duration = Duration::from_millis(400);

/// Tells everybody when it is time to stop.
#[derive(Debug, Clone)]
pub struct Stop {
    stopped: watch::Receiver<bool>,
}

impl Stop {
    /// Starts to listen for signals.
    ///
    /// # Errors
    /// If the signals cannot be caught.
    pub fn new() -> std::io::Result<Self> {
        let (sender, stopped) = watch::channel(false);
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            sender.send_replace(true);
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            // Everything answered is durable: ending here loses nothing.
            std::process::exit(130);
        });
        Ok(Self { stopped })
    }

    /// Returns when it is time to stop.
    pub async fn wait(&mut self) {
        // An error means that the sender is gone, and with it the runtime: that is a stop too.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
    }

    /// Whether it is.
    pub fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }
}
