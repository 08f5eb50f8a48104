//! The executor: one thread that runs operations one after the other and forms groups; a second one that commits them.
//!
//! When the queue is empty and a group is small, the executor commits it itself: the hop to the committer costs more than
//! it brings. Under load the next group runs and forms while one syncs.

pub(crate) mod metrics;
pub(crate) mod stage;

use crate::StoreError;
use crate::engine::{CommitError, Engine};
use metrics::ExecutorMetrics;
use parking_lot::{Condvar, Mutex};
use stage::{Departing, Pending, Queued, Stage, Standing};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Most operations that wait in the queue; beyond it the answer is `Busy`.
pub(crate) const QUEUE_OPERATIONS_MAX: usize = 4_096;
/// A group of at most this many operations is committed by the executor itself if nothing else waits.
const INLINE_OPERATIONS_MAX: usize = 2;

#[derive(Default)]
struct Inbox {
    operations: VecDeque<Pending>,
    arrived: Option<Result<(), CommitError>>,
    closing: bool,
}

#[derive(Default)]
struct Outbox {
    departing: Option<Departing>,
    closing: bool,
}

struct Shared {
    inbox: Mutex<Inbox>,
    wake_executor: Condvar,
    outbox: Mutex<Outbox>,
    wake_committer: Condvar,
    engine: Arc<dyn Engine>,
    metrics: ExecutorMetrics,
    standing: Arc<Standing>,
}

/// Handle to both threads.
pub(crate) struct Executor {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Executor {
    pub(crate) fn start(stage: Stage, engine: Arc<dyn Engine>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            inbox: Mutex::default(),
            wake_executor: Condvar::new(),
            outbox: Mutex::default(),
            wake_committer: Condvar::new(),
            engine,
            metrics: ExecutorMetrics::new(),
            standing: Arc::clone(stage.standing()),
        });
        let (one, two) = (Arc::clone(&shared), Arc::clone(&shared));
        let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(body)
        };
        let committer = spawn("committer", Box::new(move || commit_loop(&two)))?;
        let executor = spawn("executor", Box::new(move || executor_body(&one, stage)))?;
        Ok(Self { shared, threads: Mutex::new(vec![executor, committer]) })
    }

    /// Queues an operation, or answers it at once if the queue is full or closed.
    pub(crate) fn submit(&self, operation: Box<dyn Queued>) {
        let operation = Pending::new(operation);
        let refusal = {
            let mut inbox = self.shared.inbox.lock();
            let queued = inbox.operations.len();
            if inbox.closing {
                Some((operation, StoreError::Ended("the store is closed".to_owned())))
            } else if queued >= QUEUE_OPERATIONS_MAX {
                Some((operation, StoreError::Busy { queued }))
            } else {
                inbox.operations.push_back(operation);
                if queued == 0 {
                    self.shared.wake_executor.notify_one();
                }
                None
            }
        };
        if let Some((operation, error)) = refusal {
            operation.done(Err(error));
        }
    }

    pub(crate) fn queued(&self) -> usize {
        self.shared.inbox.lock().operations.len()
    }

    pub(crate) fn metrics(&self) -> &ExecutorMetrics {
        &self.shared.metrics
    }

    /// Runs what is queued, commits it, and ends both threads.
    pub(crate) fn close(&self) {
        self.shared.inbox.lock().closing = true;
        self.shared.wake_executor.notify_one();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            if thread.join().is_err() {
                tracing::error!("a store thread ended in a panic");
            }
        }
    }
}

/// What the executor found when it looked into its inbox.
struct Taken {
    operations: VecDeque<Pending>,
    arrived: Option<Result<(), CommitError>>,
    closing: bool,
}

fn take(shared: &Shared, stage: &Stage, left: usize) -> Taken {
    let mut inbox = shared.inbox.lock();
    loop {
        let room = !stage.is_full();
        let ready = inbox.arrived.is_some() || (room && (left > 0 || !inbox.operations.is_empty()));
        if ready || (inbox.closing && !stage.is_in_flight()) {
            let operations = if room { std::mem::take(&mut inbox.operations) } else { VecDeque::new() };
            return Taken { operations, arrived: inbox.arrived.take(), closing: inbox.closing };
        }
        shared.wake_executor.wait(&mut inbox);
    }
}

fn executor_body(shared: &Shared, stage: Stage) {
    if catch_unwind(AssertUnwindSafe(|| run_loop(shared, stage))).is_err() {
        tracing::error!("the executor has ended in a panic; reads go on");
        abandon(shared);
    }
}

fn run_loop(shared: &Shared, mut stage: Stage) {
    let mut waiting: VecDeque<Pending> = VecDeque::new();
    loop {
        let Taken { operations, arrived, closing } = take(shared, &stage, waiting.len());
        waiting.extend(operations);
        if let Some(result) = arrived {
            stage.arrived(result);
        }
        while !stage.is_full()
            && let Some(operation) = waiting.pop_front()
        {
            stage.run(operation);
        }
        send(shared, &mut stage);
        if closing && waiting.is_empty() && !stage.is_in_flight() && shared.inbox.lock().operations.is_empty()
        {
            stage.end("the store is closed");
            shared.outbox.lock().closing = true;
            shared.wake_committer.notify_one();
            return;
        }
    }
}

/// Commits the open group here, or hands it to the committer.
fn send(shared: &Shared, stage: &mut Stage) {
    let small = stage.group().operations() <= INLINE_OPERATIONS_MAX;
    let Some(departing) = stage.depart() else { return };
    if small && shared.inbox.lock().operations.is_empty() {
        let result = commit(shared, departing);
        stage.arrived(result);
        return;
    }
    let mut outbox = shared.outbox.lock();
    assert!(outbox.departing.is_none(), "one commit runs at a time");
    outbox.departing = Some(departing);
    shared.wake_committer.notify_one();
}

/// Commits a group. A panic below is an outcome that nobody knows, not a silence: it ends writing.
fn commit(shared: &Shared, departing: Departing) -> Result<(), CommitError> {
    let run = AssertUnwindSafe(|| departing.commit(shared.engine.as_ref(), &shared.metrics));
    catch_unwind(run).unwrap_or_else(|_| Err(CommitError::Unknown("the commit panicked".to_owned())))
}

/// Answers what waits in the queue when the executor itself is gone, and lets nothing more in.
fn abandon(shared: &Shared) {
    shared.standing.end("the executor has ended in a panic");
    let operations = {
        let mut inbox = shared.inbox.lock();
        inbox.closing = true;
        std::mem::take(&mut inbox.operations)
    };
    shared.outbox.lock().closing = true;
    shared.wake_committer.notify_one();
    for operation in operations {
        operation.done(Err(StoreError::Ended("the executor has ended in a panic".to_owned())));
    }
}

fn commit_loop(shared: &Shared) {
    loop {
        let departing = {
            let mut outbox = shared.outbox.lock();
            loop {
                if let Some(departing) = outbox.departing.take() {
                    break departing;
                }
                if outbox.closing {
                    return;
                }
                shared.wake_committer.wait(&mut outbox);
            }
        };
        let result = commit(shared, departing);
        shared.inbox.lock().arrived = Some(result);
        shared.wake_executor.notify_one();
    }
}
