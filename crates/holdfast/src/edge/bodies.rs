//! Request bodies: how large one may be, how long it may take, and how much all of them together may hold in memory.

use bytes::{Bytes, BytesMut};
use holdfast_aws::Error;
use holdfast_aws::coding::{self, UnpackError};
use http_body_util::BodyExt;
use hyper::body::Body;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Largest body of a request, packed or not. Source: DynamoDB's own limit, by a public server's tests that were compared
/// with it.
pub const BODY_BYTES_MAX: usize = 16 << 20;
/// A client must have sent its body by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// What large bodies may hold together; further ones are told to come again.
pub const BODIES_BYTES_MAX: usize = 256 << 20;
/// This much of each body does not count: connections, and streams of one connection, are bounded.
const SMALL_BODY_BYTES: usize = 16 << 10;
/// What one permit stands for.
const PERMIT_BYTES: usize = 64 << 10;
/// What a refused client may still send, so that it comes to read its answer: many send everything before they read.
const DRAINED_BYTES_MAX: usize = 128 << 20;
/// For how long it may.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for large bodies.
#[derive(Debug)]
pub struct Bodies {
    room: Arc<Semaphore>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(BODIES_BYTES_MAX / PERMIT_BYTES)) }
    }
}

/// A body that was read whole. What it holds of the room is free again when it is dropped.
#[derive(Debug)]
pub struct Held {
    /// The body.
    pub bytes: Bytes,
    room: Room,
}

/// What one body holds of the room for all of them.
#[derive(Debug)]
struct Room {
    all: Arc<Semaphore>,
    permits: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl Room {
    /// Makes room for a body of a size, if there is any.
    fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        if bytes <= self.bytes {
            return Ok(());
        }
        let permits = (bytes - self.bytes).div_ceil(PERMIT_BYTES);
        let more = Arc::clone(&self.all)
            .try_acquire_many_owned(u32::try_from(permits).unwrap_or(u32::MAX))
            .map_err(|_| Error::service_unavailable("too many large requests at once; try again"))?;
        self.bytes += permits * PERMIT_BYTES;
        match &mut self.permits {
            Some(held) => held.merge(more),
            None => self.permits = Some(more),
        }
        Ok(())
    }
}

impl Bodies {
    /// Reads a body whole. What is left of one that is refused is taken in for a while, unless the client waits to be told
    /// to send it.
    ///
    /// # Errors
    /// If it is too large, breaks off, or does not come in time.
    pub async fn read<B>(&self, mut body: B, waits: bool) -> Result<Held, Error>
    where
        B: Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Display,
    {
        // What announces too much is refused at once, not after waiting for it.
        let read = if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
            Err(Error::request_too_large())
        } else {
            match tokio::time::timeout(BODY_TIMEOUT, self.collect(&mut body)).await {
                Ok(read) => read,
                // Nothing more is waited for: the connection ends after the answer.
                Err(_) => return Err(Error::serialization("the body did not arrive in time")),
            }
        };
        if read.is_err() && !waits {
            drain(body);
        }
        read
    }

    /// Takes a body in as it arrives. Beyond a small size every piece needs room; where there is none, the client is told
    /// to come again, so that slow clients hold up nobody.
    async fn collect<B>(&self, body: &mut B) -> Result<Held, Error>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Display,
    {
        let mut bytes = BytesMut::new();
        let mut room = Room { all: Arc::clone(&self.room), permits: None, bytes: SMALL_BODY_BYTES };
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| Error::serialization(format!("the body cannot be read: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > BODY_BYTES_MAX {
                return Err(Error::request_too_large());
            }
            room.grow(bytes.len() + data.len())?;
            bytes.extend_from_slice(&data);
        }
        Ok(Held { bytes: bytes.freeze(), room })
    }
}

impl Held {
    /// Unpacks a body that was sent as gzip; blocks.
    ///
    /// # Errors
    /// DynamoDB's own error if it is not gzip (500; source: public tests that run against DynamoDB). If it grows beyond what
    /// an unpacked body may have, or there is no room for it: DynamoDB itself unpacks more.
    pub fn unpack(&mut self) -> Result<(), Error> {
        let (packed, room) = (&self.bytes, &mut self.room);
        let held = packed.len();
        let unpacked = coding::unpack(packed, |bytes| {
            if bytes > BODY_BYTES_MAX { Err(Error::request_too_large()) } else { room.grow(held + bytes) }
        });
        self.bytes = match unpacked {
            Ok(bytes) => bytes.into(),
            Err(UnpackError::Refused(error)) => return Err(error),
            Err(error @ UnpackError::Broken) => return Err(Error::internal(error.to_string())),
        };
        Ok(())
    }
}

/// Takes in what a refused client still sends, up to a limit, and throws it away. Where it sends more, or slowly, the
/// connection ends.
pub fn drain<B>(mut body: B)
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Display,
{
    if body.is_end_stream() {
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAIN_TIMEOUT, async move {
        let mut left = DRAINED_BYTES_MAX;
        while let Some(Ok(frame)) = body.frame().await {
            match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(less) => left = less,
                None => return,
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_aws::coding::Coding;
    use http_body_util::Full;
    use hyper::body::Frame;
    use std::convert::Infallible;
    use std::task::Poll;

    fn full(len: usize) -> Full<Bytes> {
        Full::new(vec![b' '; len].into())
    }

    /// A body that sends a little and then nothing for ever.
    fn stuck() -> impl Body<Data = Bytes, Error = Infallible> + Send + Unpin {
        struct Stuck(bool);
        impl Body for Stuck {
            type Data = Bytes;
            type Error = Infallible;
            fn poll_frame(
                mut self: std::pin::Pin<&mut Self>,
                _: &mut std::task::Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                if std::mem::replace(&mut self.0, true) {
                    Poll::Pending
                } else {
                    Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{")))))
                }
            }
        }
        Stuck(false)
    }

    #[tokio::test]
    async fn the_limit_is_exact() {
        let bodies = Bodies::default();
        assert_eq!(
            bodies.read(full(BODY_BYTES_MAX), false).await.map(|held| held.bytes.len()),
            Ok(BODY_BYTES_MAX)
        );
        assert_eq!(
            bodies.read(full(BODY_BYTES_MAX + 1), false).await.map(drop),
            Err(Error::request_too_large())
        );
    }

    #[tokio::test]
    async fn all_bodies_together_are_bounded_and_room_comes_back() {
        let bodies = Bodies::default();
        let count = BODIES_BYTES_MAX / BODY_BYTES_MAX;
        let mut held = Vec::new();
        for _ in 0..count {
            held.push(bodies.read(full(BODY_BYTES_MAX), false).await.expect("room"));
        }
        assert_eq!(bodies.read(full(BODY_BYTES_MAX), false).await.expect_err("no room").status, 503);
        assert!(bodies.read(full(SMALL_BODY_BYTES), false).await.is_ok(), "small ones always find room");
        held.pop();
        assert!(bodies.read(full(BODY_BYTES_MAX), false).await.is_ok());
    }

    #[tokio::test]
    async fn what_unpacks_to_too_much_is_refused() {
        let bodies = Bodies::default();
        let pack = |len: usize| Coding::Gzip.pack(&vec![b' '; len]).expect("packs");
        for (len, expected) in
            [(1, Ok(1)), (BODY_BYTES_MAX, Ok(BODY_BYTES_MAX)), (BODY_BYTES_MAX + 1, Err(413))]
        {
            let mut held = bodies.read(Full::new(Bytes::from(pack(len))), false).await.expect("small");
            let unpacked = held.unpack().map(|()| held.bytes.len()).map_err(|error| error.status);
            assert_eq!(unpacked, expected);
        }
        let mut held = bodies.read(full(10), false).await.expect("small");
        assert_eq!(held.unpack().expect_err("not gzip").status, 500);
        drop(held);
        assert_eq!(bodies.room.available_permits(), BODIES_BYTES_MAX / PERMIT_BYTES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let bodies = Bodies::default();
        let started = tokio::time::Instant::now();
        let error = bodies.read(stuck(), false).await.expect_err("given up");
        assert_eq!((error.status, started.elapsed()), (400, BODY_TIMEOUT));
    }
}
