//! What large answers hold in memory until their clients have taken them in. All of them together are bounded: clients that
//! read slowly, or not at all, must not fill the memory.

use bytes::Bytes;
use holdfast_aws::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What the answers of long reads may hold together.
pub const ANSWERS_BYTES_MAX: usize = 512 << 20;
/// What one permit stands for.
const PERMIT_BYTES: usize = 64 << 10;
/// Room that is made for an answer before it is known: a page of 1 MB as JSON. A larger one needs more once it is there.
const PAGE_BYTES: usize = 2 << 20;
/// How long a long read waits for room.
const ROOM_TIMEOUT: Duration = Duration::from_secs(10);

/// Room for the answers of long reads.
#[derive(Debug)]
pub struct Answers {
    room: Arc<Semaphore>,
}

impl Default for Answers {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(ANSWERS_BYTES_MAX / PERMIT_BYTES)) }
    }
}

/// Room for one answer.
#[derive(Debug)]
pub struct Room {
    all: Arc<Semaphore>,
    held: OwnedSemaphorePermit,
}

fn no_room() -> Error {
    Error::service_unavailable("too many large answers are not taken in yet; try again")
}

impl Answers {
    /// Waits for room for a page.
    ///
    /// # Errors
    /// If there is none in time: nothing was read.
    pub async fn room(&self) -> Result<Room, Error> {
        let all = Arc::clone(&self.room);
        let wanted = u32::try_from(PAGE_BYTES / PERMIT_BYTES).unwrap_or(u32::MAX);
        match tokio::time::timeout(ROOM_TIMEOUT, Arc::clone(&all).acquire_many_owned(wanted)).await {
            Ok(Ok(held)) => Ok(Room { all, held }),
            Ok(Err(_)) | Err(_) => Err(no_room()),
        }
    }
}

impl Room {
    /// An answer that gives its room back when the last of it is sent.
    ///
    /// # Errors
    /// If it is larger than a page and there is no room for that.
    pub fn hold(mut self, body: Vec<u8>) -> Result<Bytes, Error> {
        let wanted = body.len().div_ceil(PERMIT_BYTES);
        match wanted.checked_sub(self.held.num_permits()).and_then(|more| u32::try_from(more).ok()) {
            Some(more) if more > 0 => {
                self.held.merge(Arc::clone(&self.all).try_acquire_many_owned(more).map_err(|_| no_room())?);
            }
            _ => drop(self.held.split(self.held.num_permits() - wanted.min(self.held.num_permits()))),
        }
        Ok(Bytes::from_owner(Held { body, _room: self.held }))
    }
}

/// Bytes with the room that they take.
struct Held {
    body: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn room_is_bounded_and_comes_back_with_the_last_byte() {
        let answers = Answers::default();
        let all = answers.room.available_permits();
        let small = answers.room().await.expect("room").hold(vec![b'x'; 100]).expect("fits");
        assert_eq!(all - answers.room.available_permits(), 1, "what is not needed is given back at once");
        let part = small.slice(99..);
        drop(small);
        assert_eq!((&part[..], all - answers.room.available_permits()), (&b"x"[..], 1));
        drop(part);
        let large = answers.room().await.expect("room").hold(vec![0; 16 << 20]).expect("fits");
        assert_eq!(all - answers.room.available_permits(), (16 << 20) / PERMIT_BYTES);
        drop(large);
        assert_eq!(answers.room.available_permits(), all);

        let mut rooms = Vec::new();
        for _ in 0..ANSWERS_BYTES_MAX / PAGE_BYTES {
            rooms.push(answers.room().await.expect("room"));
        }
        let started = tokio::time::Instant::now();
        assert_eq!(answers.room().await.expect_err("none left").status, 503);
        assert_eq!(started.elapsed(), ROOM_TIMEOUT);
        let last = rooms.pop().expect("there");
        assert_eq!(last.hold(vec![0; 16 << 20]).expect_err("none for so large a one").status, 503);
        assert!(answers.room().await.is_ok());
    }
}
