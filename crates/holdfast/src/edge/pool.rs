//! Threads for what may take long, so that it never holds up a thread of the edge: reads of pages.
//!
//! The pool is bounded: more threads than this would only take processor time from each other and from the edge. What
//! finds no place waits for its turn, first come, first served; how much can wait is bounded by the connections and the
//! requests that each may have under way.

use holdfast_aws::Error;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Places of the pool for each processor. A second one makes use of it while the first waits for the disk.
const PLACES_PER_PROCESSOR: usize = 2;
/// Fewest places.
const PLACES_MIN: usize = 4;

/// A bounded number of places on threads that may block.
#[derive(Debug)]
pub struct Pool {
    places: Arc<Semaphore>,
}

impl Default for Pool {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with_places((processors * PLACES_PER_PROCESSOR).max(PLACES_MIN))
    }
}

impl Pool {
    fn with_places(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places)) }
    }

    /// Runs something on a thread that may block, and waits for it. If nobody waits any more it runs to its end all the
    /// same, in its place.
    ///
    /// # Errors
    /// If it panics, or the server ends.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| Error::internal("the server has ended"))?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(|error| {
            tracing::error!(%error, "a request failed inside");
            Error::internal("Internal server error: the request failed inside")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};

    /// Work that says when it runs, and runs until it is told to end.
    fn held(
        name: u32,
        started: &std::sync::mpsc::Sender<u32>,
        until: Receiver<()>,
    ) -> impl FnOnce() -> u32 + use<> {
        let started = started.clone();
        move || {
            let _ = started.send(name);
            let _ = until.recv();
            name
        }
    }

    #[tokio::test]
    async fn the_pool_is_bounded_and_the_edge_goes_on_meanwhile() {
        let pool = Arc::new(Pool::with_places(2));
        let (started, starts) = channel();
        let mut ends = Vec::new();
        let mut works = Vec::new();
        for name in 0..3 {
            let (end, until) = channel();
            ends.push(end);
            let (pool, work) = (Arc::clone(&pool), held(name, &started, until));
            works.push(tokio::spawn(async move { pool.run(work).await }));
            // The only thread of this runtime gets here though the pool is full.
            tokio::task::yield_now().await;
        }
        let running = tokio::task::spawn_blocking(move || ([starts.recv(), starts.recv()], starts));
        let (mut first, starts) = running.await.expect("two start");
        first.sort_by_key(|name| *name.as_ref().expect("runs"));
        assert_eq!(first, [Ok(0), Ok(1)]);
        assert!(starts.try_recv().is_err(), "the third waits for its turn");
        // Nobody waits for it any more: it keeps its place until it ends.
        works[0].abort();
        tokio::task::yield_now().await;
        assert_eq!(pool.places.available_permits(), 0);
        drop(ends);
        for (name, work) in works.into_iter().enumerate().skip(1) {
            assert_eq!(work.await.expect("ends"), Ok(u32::try_from(name).expect("small")));
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_answer_and_gives_its_place_back() {
        let pool = Pool::with_places(1);
        let error = pool.run(|| panic!("a test's own")).await.map(|(): ()| ()).expect_err("failed");
        assert_eq!(error.status, 500);
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }
}
