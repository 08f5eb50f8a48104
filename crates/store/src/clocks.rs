//! Two clocks: the real one rules retention and schedules, the service one rules every time that clients see.

use crate::records::ServiceClock;
use arc_swap::ArcSwap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where real time comes from.
pub trait TimeSource: Send + Sync + Debug {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl TimeSource for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Both clocks of a running store.
#[derive(Debug, Clone)]
pub struct Clocks {
    source: Arc<dyn TimeSource>,
    /// Highest real time seen: it never goes back, over restarts too.
    floor_ms: Arc<AtomicU64>,
    service: Arc<ArcSwap<ServiceClock>>,
}

impl Clocks {
    pub(crate) fn new(source: Arc<dyn TimeSource>, floor_ms: u64, service: ServiceClock) -> Self {
        Self {
            source,
            floor_ms: Arc::new(AtomicU64::new(floor_ms)),
            service: Arc::new(ArcSwap::from_pointee(service)),
        }
    }

    /// Real time in milliseconds since 1970, forced monotonic.
    #[must_use]
    pub fn real_now_ms(&self) -> u64 {
        let now = self.source.now_ms();
        self.floor_ms.fetch_max(now, Ordering::Relaxed).max(now)
    }

    /// Service time in milliseconds since 1970.
    #[must_use]
    pub fn service_now_ms(&self) -> u64 {
        self.service().at(self.real_now_ms())
    }

    /// How the service clock stands.
    #[must_use]
    pub fn service(&self) -> ServiceClock {
        **self.service.load()
    }

    pub(crate) fn set_service(&self, service: ServiceClock) {
        self.service.store(Arc::new(service));
    }
}
