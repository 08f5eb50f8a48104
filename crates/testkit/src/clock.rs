//! A clock that stands still until a test moves it.

use holdfast_store::TimeSource;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a new [`VirtualClock`] stands: 2026-01-01T00:00:00Z, in milliseconds since 1970.
pub const START_MS: u64 = 1_767_225_600_000;

/// A source of real time that a test sets. Share it as an `Arc`.
#[derive(Debug)]
pub struct VirtualClock {
    now_ms: AtomicU64,
}

impl VirtualClock {
    /// A clock that stands at `now_ms`, in milliseconds since 1970.
    #[must_use]
    pub fn at(now_ms: u64) -> Self {
        Self { now_ms: AtomicU64::new(now_ms) }
    }

    /// Moves the clock on and answers the new time.
    pub fn advance(&self, ms: u64) -> u64 {
        self.now_ms.fetch_add(ms, Ordering::SeqCst) + ms
    }

    /// Sets the clock, also back: as an operator or a time server might.
    pub fn set(&self, now_ms: u64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::at(START_MS)
    }
}

impl TimeSource for VirtualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_store::{Options, Store};
    use std::sync::Arc;

    #[test]
    fn stands_still_until_it_is_moved() {
        let clock = VirtualClock::default();
        assert_eq!((clock.now_ms(), clock.now_ms()), (START_MS, START_MS));
        assert_eq!(clock.advance(5), START_MS + 5);
        clock.set(7);
        assert_eq!(clock.now_ms(), 7);
    }

    #[test]
    fn a_store_never_sees_it_go_back() {
        let clock = Arc::new(VirtualClock::at(1_000));
        let time: Arc<dyn TimeSource> = Arc::<VirtualClock>::clone(&clock);
        let store = Store::open(Options { clock: time, trimmer: false, ..Options::in_memory() }).unwrap();
        assert_eq!(store.clock().real_now_ms(), 1_000);
        clock.advance(500);
        assert_eq!(store.clock().real_now_ms(), 1_500);
        clock.set(10);
        assert_eq!(store.clock().real_now_ms(), 1_500);
    }
}
