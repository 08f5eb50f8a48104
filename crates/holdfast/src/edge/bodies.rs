//! Request bodies: how large one may be, how long it may take, and how much all of them together may hold in memory.

use holdfast_aws::Error;
use http::Request;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Largest body of a request. Source: DynamoDB's 16 MB, with room for JSON's overhead.
pub const BODY_BYTES_MAX: usize = 17 << 20;
/// A client must have sent its body by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// What large bodies may hold together; further ones wait their turn.
pub const BODIES_BYTES_MAX: usize = 256 << 20;
/// Bodies up to this size do not count: there is one per connection at most.
const SMALL_BODY_BYTES: u64 = 64 << 10;
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
        let read = async {
            let most =
                hint.upper().map_or(BODY_BYTES_MAX, |upper| usize::try_from(upper).unwrap_or(BODY_BYTES_MAX));
            let _room = if most as u64 > SMALL_BODY_BYTES {
                let permits = most.min(BODY_BYTES_MAX).div_ceil(PERMIT_BYTES);
                // Never closed.
                self.room.acquire_many(u32::try_from(permits).unwrap_or(u32::MAX)).await.ok()
            } else {
                None
            };
            Limited::new(body, BODY_BYTES_MAX).collect().await
        };
        match tokio::time::timeout(BODY_TIMEOUT, read).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                Err(Error::request_too_large())
            }
            Ok(Err(error)) => Err(Error::serialization(format!("the body cannot be read: {error}"))),
            Err(_) => Err(Error::serialization("the body did not arrive in time")),
        }
    }
}
