//! Connections that wait too long: one timer for all of them, none per connection or request.
//!
//! A connection is idle, or sends the head of a request, or is being answered, or takes an answer in. Idle it may stay for
//! minutes: clients keep connections alive. A head must arrive in much less, and an answer must not be left lying, so that
//! slow clients do not hold all connections. Where all of them are taken, none may wait for longer than a look or two.

use hyper::rt::{Read, ReadBufCursor, Write};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often a connection is looked at.
pub const TICK: Duration = Duration::from_secs(5);
/// Ticks that the head of a request may take: 30 seconds.
const HEAD_TICKS: u32 = 6;
/// Ticks that a client may take nothing of an answer in: 30 seconds.
const STALL_TICKS: u32 = 6;
/// Ticks that a connection may wait where others have no place.
const PRESSED_TICKS: u32 = 1;
/// Ticks that an idle connection is kept: 5 minutes. Source: AWS's SDKs keep connections for a minute or less.
const IDLE_TICKS: u32 = 60;

/// What a connection is doing.
#[derive(Debug, Default)]
pub struct Activity {
    /// Requests that are being answered; HTTP/2 has several at once.
    answering: AtomicU32,
    /// Whether something was received since the last answer.
    receiving: AtomicBool,
    /// Requests so far, so that two looks tell whether anything happened in between.
    requests: AtomicU32,
    /// Whether the client has left something of an answer lying.
    stalled: AtomicBool,
    /// Pieces of answers that were taken in so far.
    taken: AtomicU32,
    /// Whether this is HTTP/2, where not everything that is received belongs to a request.
    multiplexed: AtomicBool,
}

/// A request that is being answered; dropped when it is.
pub struct Answering(Arc<Activity>);

impl Activity {
    /// A request's head has arrived.
    pub fn answering(self: &Arc<Self>, version: http::Version) -> Answering {
        if version == http::Version::HTTP_2 {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        self.answering.fetch_add(1, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        Answering(Arc::clone(self))
    }

    fn received(&self) {
        if self.answering.load(Ordering::Relaxed) == 0 && !self.multiplexed.load(Ordering::Relaxed) {
            self.receiving.store(true, Ordering::Relaxed);
        }
    }

    fn sent(&self, polled: &Poll<io::Result<usize>>) {
        self.stalled.store(polled.is_pending(), Ordering::Relaxed);
        if polled.is_ready() {
            self.taken.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.receiving.store(false, Ordering::Relaxed);
        self.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the last look at a connection has found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Watch {
    requests: u32,
    receiving: bool,
    stalled: bool,
    taken: u32,
    ticks: u32,
}

impl Watch {
    /// Whether the connection has waited too long. `pressed` says that others wait for a place.
    fn tick(&mut self, activity: &Activity, pressed: bool) -> bool {
        let now = Self {
            requests: activity.requests.load(Ordering::Relaxed),
            receiving: activity.receiving.load(Ordering::Relaxed),
            stalled: activity.stalled.load(Ordering::Relaxed),
            taken: activity.taken.load(Ordering::Relaxed),
            ticks: self.ticks,
        };
        let busy = activity.answering.load(Ordering::Relaxed) > 0 && !now.stalled;
        if busy || now != *self {
            *self = Self { ticks: 0, ..now };
            return false;
        }
        self.ticks += 1;
        let ticks_max = match (self.stalled, self.receiving) {
            (true, _) => STALL_TICKS,
            (false, true) => HEAD_TICKS,
            (false, false) => IDLE_TICKS,
        };
        self.ticks >= if pressed { ticks_max.min(PRESSED_TICKS) } else { ticks_max }
    }
}

/// Looks at all connections of a port every [`TICK`], and tells those to end that wait too long. Dropped, it tells all.
#[derive(Debug, Default)]
pub struct Watchman {
    watched: Vec<(Weak<Activity>, Watch, oneshot::Sender<()>)>,
    /// Number of entries at which those that have ended are let go before the next look.
    sweep_at: usize,
}

impl Watchman {
    /// Watches a connection until its activity is dropped. What is answered resolves, either way, when it is to end.
    pub fn watch(&mut self, activity: &Arc<Activity>) -> oneshot::Receiver<()> {
        if self.watched.len() >= self.sweep_at {
            self.watched.retain(|(activity, ..)| activity.strong_count() > 0);
            self.sweep_at = (self.watched.len() * 2).max(1_024);
        }
        let (close, closed) = oneshot::channel();
        self.watched.push((Arc::downgrade(activity), Watch::default(), close));
        closed
    }

    /// Looks at all of them. `pressed` says that no place is left for others.
    pub fn tick(&mut self, pressed: bool) {
        self.watched.retain_mut(|(activity, watch, _)| {
            activity.upgrade().is_some_and(|activity| !watch.tick(&activity, pressed))
        });
    }
}

/// A stream that tells its [`Activity`] when something is received.
pub struct Watched<T> {
    stream: T,
    activity: Arc<Activity>,
}

impl<T> Watched<T> {
    /// Watches a stream.
    pub fn new(stream: T, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<T: Read + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if polled.is_ready() {
            self.activity.received();
        }
        polled
    }
}

impl<T: Write + Unpin> Write for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.sent(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.activity.sent(&polled);
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ticks until the connection has waited too long, if within ten minutes.
    fn ticks(watch: &mut Watch, activity: &Activity) -> Option<u32> {
        (1..=120).find(|_| watch.tick(activity, false))
    }

    #[test]
    fn idle_connections_are_kept_for_long_and_slow_heads_are_not() {
        let activity = Arc::new(Activity::default());
        let mut watch = Watch::default();
        assert_eq!(ticks(&mut watch, &activity), Some(IDLE_TICKS));

        activity.received();
        let mut watch = Watch::default();
        assert_eq!(ticks(&mut watch, &activity), Some(HEAD_TICKS + 1), "the first look finds it receiving");

        let answering = activity.answering(http::Version::HTTP_11);
        assert_eq!(ticks(&mut watch, &activity), None, "an answer takes as long as it takes");
        activity.received();
        drop(answering);
        assert_eq!(ticks(&mut watch, &activity), Some(IDLE_TICKS + 1), "the body is no head");
    }

    #[test]
    fn the_watchman_ends_those_that_wait_and_forgets_those_that_ended() {
        let mut watchman = Watchman::default();
        let connections: Vec<_> = (0..3).map(|_| Arc::new(Activity::default())).collect();
        let mut closed: Vec<_> = connections.iter().map(|activity| watchman.watch(activity)).collect();
        connections[0].received();
        for _ in 0..=HEAD_TICKS {
            watchman.tick(false);
        }
        let is_open = |closed: &mut oneshot::Receiver<()>| {
            matches!(closed.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        };
        assert_eq!(closed.iter_mut().map(is_open).collect::<Vec<_>>(), [false, true, true]);
        drop(connections);
        for _ in 0..10_000 {
            drop(watchman.watch(&Arc::new(Activity::default())));
        }
        assert!(watchman.watched.len() <= 1_024);
        watchman.tick(false);
        assert_eq!(watchman.watched.len(), 0);

        let activity = Arc::new(Activity::default());
        let mut closed = watchman.watch(&activity);
        assert!(is_open(&mut closed));
        drop(watchman);
        assert!(!is_open(&mut closed), "a stop ends all");
    }

    #[test]
    fn frames_between_requests_do_not_count_as_a_slow_head() {
        let activity = Arc::new(Activity::default());
        drop(activity.answering(http::Version::HTTP_2));
        activity.received();
        assert_eq!(ticks(&mut Watch::default(), &activity), Some(IDLE_TICKS + 1));
    }

    #[test]
    fn a_request_between_two_looks_starts_the_wait_anew() {
        let activity = Arc::new(Activity::default());
        let mut watch = Watch::default();
        for _ in 0..5 {
            assert!((1..IDLE_TICKS).all(|_| !watch.tick(&activity, false)));
            drop(activity.answering(http::Version::HTTP_11));
            assert!(!watch.tick(&activity, false));
        }
    }

    #[test]
    fn answers_that_are_left_lying_end_the_connection_and_slow_readers_do_not() {
        let activity = Arc::new(Activity::default());
        let answering = activity.answering(http::Version::HTTP_2);
        let mut watch = Watch::default();
        activity.sent(&Poll::Pending);
        assert_eq!(ticks(&mut watch, &activity), Some(STALL_TICKS + 1), "also while others are answered");
        let mut watch = Watch::default();
        for _ in 0..20 {
            assert!((0..STALL_TICKS).all(|_| !watch.tick(&activity, false)));
            activity.sent(&Poll::Ready(Ok(1)));
            activity.sent(&Poll::Pending);
        }
        drop(answering);
    }

    #[test]
    fn where_no_place_is_left_waiting_ends_soon_and_answering_goes_on() {
        let (idle, busy) = (Arc::new(Activity::default()), Arc::new(Activity::default()));
        let _answering = busy.answering(http::Version::HTTP_11);
        let (mut of_idle, mut of_busy) = (Watch::default(), Watch::default());
        assert!(of_idle.tick(&idle, true));
        assert!((0..100).all(|_| !of_busy.tick(&busy, true)));
    }
}
