//! Request bodies: how large one may be, how long it may take, and how much all of them together may hold in memory.

use bytes::{Bytes, BytesMut};
use holdfast_aws::Error;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Largest body of a request. Source: DynamoDB's 16 MB, with room for JSON's overhead.
pub const BODY_BYTES_MAX: usize = 17 << 20;
/// A client must have sent its body by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// What large bodies may hold together; further ones are told to come again.
pub const BODIES_BYTES_MAX: usize = 256 << 20;
/// This much of each body does not count: connections, and streams of one connection, are bounded.
const SMALL_BODY_BYTES: usize = 16 << 10;
/// What one permit stands for.
const PERMIT_BYTES: usize = 64 << 10;

/// Room for large bodies.
#[derive(Debug)]
pub struct Bodies {
    room: Semaphore,
}

impl Default for Bodies {
    fn default() -> Self {
        Self { room: Semaphore::new(BODIES_BYTES_MAX / PERMIT_BYTES) }
    }
}

impl Bodies {
    /// Reads a body whole.
    ///
    /// # Errors
    /// If it is too large, breaks off, or does not come in time.
    pub async fn read(&self, request: Request<Incoming>) -> Result<Bytes, Error> {
        let body = request.into_body();
        let hint = body.size_hint();
        // What announces too much is refused at once, not after waiting for it.
        if hint.lower() > BODY_BYTES_MAX as u64 {
            return Err(Error::request_too_large());
        }
        match tokio::time::timeout(BODY_TIMEOUT, self.collect(body)).await {
            Ok(read) => read,
            Err(_) => Err(Error::serialization("the body did not arrive in time")),
        }
    }

    /// Takes a body in as it arrives. Beyond a small size every piece needs room; where there is none, the client is told
    /// to come again, so that slow clients hold up nobody.
    async fn collect(&self, mut body: Incoming) -> Result<Bytes, Error> {
        let mut bytes = BytesMut::new();
        let mut held: Option<SemaphorePermit<'_>> = None;
        let mut room = SMALL_BODY_BYTES;
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| Error::serialization(format!("the body cannot be read: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            let len = bytes.len() + data.len();
            if len > BODY_BYTES_MAX {
                return Err(Error::request_too_large());
            }
            if len > room {
                let permits = (len - room).div_ceil(PERMIT_BYTES);
                let more = self
                    .room
                    .try_acquire_many(u32::try_from(permits).unwrap_or(u32::MAX))
                    .map_err(|_| Error::service_unavailable("too many large requests at once; try again"))?;
                room += permits * PERMIT_BYTES;
                match &mut held {
                    Some(held) => held.merge(more),
                    None => held = Some(more),
                }
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes.freeze())
    }
}
