//! Jobs that wait: a step that is not due yet is not run, and so writes nothing.

use crate::clocks::Clocks;

/// The earliest time at which a job may have its next step.
///
/// The runner looks once a second, and when the service clock was changed: a step that is due runs within a second, never early. While the service clock is frozen, a
/// time of it that has not come does not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBefore {
    /// Real time in milliseconds since 1970: schedules, retention.
    Real(u64),
    /// Service time in milliseconds since 1970: what clients see.
    Service(u64),
}

impl NotBefore {
    pub(crate) fn has_come(self, clocks: &Clocks) -> bool {
        match self {
            Self::Real(ms) => clocks.real_now_ms() >= ms,
            Self::Service(ms) => clocks.service_now_ms() >= ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{JobKind, JobRecord, KIND_NUMBER_MIN, Step};
    use crate::records::ServiceClock;
    use crate::{CommitInfo, Operation, Options, Store, TimeSource, Transaction, TxError, Verdict};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Rings at the time in its cursor, and once more a second later; its label names the clock.
    #[derive(Debug)]
    struct Alarm;

    fn time(job: &JobRecord) -> u64 {
        u64::from_be_bytes(job.cursor[..].try_into().expect("eight bytes"))
    }

    impl JobKind for Alarm {
        fn number(&self) -> u16 {
            KIND_NUMBER_MIN
        }

        fn name(&self) -> &'static str {
            "alarm"
        }

        fn not_before(&self, job: &JobRecord) -> Option<NotBefore> {
            let clock = if &*job.label == "real" { NotBefore::Real } else { NotBefore::Service };
            Some(clock(time(job)))
        }

        fn step(&self, _: &mut Transaction<'_>, job: &JobRecord, _: usize) -> Result<Step, TxError> {
            Ok(match job.steps {
                0 => Step::More((time(job) + 1_000).to_be_bytes().to_vec()),
                _ => Step::Done,
            })
        }
    }

    #[derive(Debug, Default)]
    struct Hands(AtomicU64);

    impl TimeSource for Hands {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    struct Do<F>(F);

    impl<F: FnMut(&mut Transaction<'_>) + Send + 'static> Operation for Do<F> {
        fn info(&self) -> CommitInfo {
            CommitInfo::default()
        }

        fn run(&mut self, tx: &mut Transaction<'_>) -> Verdict {
            (self.0)(tx);
            Verdict::Keep
        }
    }

    fn store(now_ms: u64) -> (Store, Arc<Hands>) {
        let hands = Arc::new(Hands(AtomicU64::new(now_ms)));
        let clock = Arc::clone(&hands) as Arc<dyn TimeSource>;
        let options = Options { trimmer: false, clock, jobs: vec![Arc::new(Alarm)], ..Options::in_memory() };
        (Store::open(options).expect("opens"), hands)
    }

    fn start(store: &Store, label: &'static str, at_ms: u64) {
        let start = move |tx: &mut Transaction<'_>| {
            tx.start_job(KIND_NUMBER_MIN, label, None, &at_ms.to_be_bytes()).expect("starts");
        };
        store.execute(Do(start)).1.expect("commits");
    }

    fn jobs(store: &Store) -> usize {
        store.status().expect("status").jobs.len()
    }

    #[test]
    fn a_job_waits_for_its_time_and_holds_up_no_other() {
        let (store, hands) = store(1_000);
        start(&store, "real", 5_000);
        start(&store, "real", 1_000);
        let version = store.status().expect("status").version;
        assert!(store.run_job_step().expect("the second is due"));
        assert!(!store.run_job_step().expect("neither is due"));
        hands.0.store(2_000, Ordering::Relaxed);
        assert!(store.run_job_step().expect("the second is due again, and done"));
        hands.0.store(4_999, Ordering::Relaxed);
        assert!(!store.run_job_step().expect("not yet"));
        assert_eq!((jobs(&store), store.status().expect("status").version), (1, version));
        hands.0.store(9_000, Ordering::Relaxed);
        assert!(store.run_job_step().expect("due") && store.run_job_step().expect("due again"));
        assert_eq!(jobs(&store), 0);
    }

    #[test]
    fn service_time_stands_and_goes_by_itself() {
        let (store, hands) = store(1_000);
        let set = |frozen_ms, ahead_ms| {
            let clock = ServiceClock { frozen_ms, ahead_ms };
            store
                .execute(Do(move |tx: &mut Transaction<'_>| tx.set_service_clock(clock)))
                .1
                .expect("commits");
        };
        set(Some(1_000), 0);
        start(&store, "service", 3_000);
        hands.0.store(1_000_000, Ordering::Relaxed);
        assert!(!store.run_job_step().expect("service time stands"));
        set(Some(4_000), 0);
        assert!(store.run_job_step().expect("due") && store.run_job_step().expect("due again"));
        start(&store, "service", 2_000_000);
        set(None, 999_999);
        assert!(!store.run_job_step().expect("not yet"));
        set(None, 1_000_000);
        assert!(store.run_job_step().expect("due"));
        assert_eq!(jobs(&store), 1);
    }
}
