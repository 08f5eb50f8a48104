//! One thread of the generator: it drives its share of the connections and counts their answers.

use crate::call::amz_date_now;
use crate::connection::{Connection, Finished, Sent};
use crate::generator::{Load, Mix};
use crate::histogram::Histogram;
use crate::request::{ITEM_BYTES, Template};
use anyhow::{Context as _, Result};
use mio::{Events, Poll, Token};
use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How long answers under way are waited for once no more requests are sent.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);
/// Below this length the body of a GetItem's answer cannot hold the item.
const FOUND_BYTES_MIN: usize = ITEM_BYTES / 2;

/// What the threads of one load share.
pub(crate) struct Shared {
    load: Load,
    issued: AtomicU64,
    pub(crate) ready: Barrier,
}

impl Shared {
    pub(crate) fn new(load: &Load) -> Shared {
        // The threads and the one that observes them.
        let ready = Barrier::new(load.threads + 1);
        Shared { load: load.clone(), issued: AtomicU64::new(0), ready }
    }
}

/// What one thread measured.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) histogram: Histogram,
    pub(crate) longest_at: Duration,
    pub(crate) each_second: Vec<u64>,
    pub(crate) refused: BTreeMap<u16, u64>,
    pub(crate) absent: u64,
    pub(crate) broken: u64,
    pub(crate) first_error: Option<String>,
    pub(crate) measured_from: Option<Instant>,
    pub(crate) last_answer: Option<Instant>,
}

/// One thread of the generator.
pub(crate) fn work(shared: &Shared, thread: usize, results: &Sender<Result<Tally>>) {
    let worker = Worker::connect(shared, thread);
    // Reached in any case: the others wait here too.
    shared.ready.wait();
    let tally = worker.and_then(Worker::drive);
    // Nobody listens any more only when another thread has failed already.
    let _ = results.send(tally);
}

struct Worker<'a> {
    shared: &'a Shared,
    poll: Poll,
    connections: Vec<Option<Connection>>,
    put: Template,
    get: Template,
    random: u64,
    begun: Instant,
    tally: Tally,
}

impl<'a> Worker<'a> {
    fn connect(shared: &'a Shared, thread: usize) -> Result<Worker<'a>> {
        let load = &shared.load;
        let poll = Poll::new()?;
        let share = (load.connections + load.threads - 1 - thread) / load.threads;
        let connections = (0..share)
            .map(|index| Connection::open(load.address, poll.registry(), Token(index)).map(Some))
            .collect::<std::io::Result<Vec<_>>>()
            .with_context(|| format!("connecting to {}", load.address))?;
        let (host, date) = (load.address.to_string(), amz_date_now());
        Ok(Worker {
            shared,
            poll,
            connections,
            put: Template::put(&host, &load.table, &date),
            get: Template::get(&host, &load.table, &date),
            random: 0x9e37_79b9_7f4a_7c15 ^ (thread as u64 + 1) << 17,
            begun: Instant::now(),
            tally: Tally::default(),
        })
    }

    fn drive(mut self) -> Result<Tally> {
        self.begun = Instant::now();
        let measure_from = self.begun + self.shared.load.warm_up;
        let end = measure_from + self.shared.load.limit;
        if self.shared.load.warm_up.is_zero() {
            self.tally.measured_from = Some(self.begun);
        }
        let mut under_way = 0;
        for index in 0..self.connections.len() {
            under_way += usize::from(self.send_next(index, self.begun));
        }
        let mut events = Events::with_capacity(self.connections.len().max(16));
        while under_way > 0 {
            match self.poll.poll(&mut events, Some(Duration::from_millis(500))) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            if Instant::now() > end + DRAIN_LIMIT {
                self.tally.fault(|| format!("{under_way} requests without an answer after {DRAIN_LIMIT:?}"));
                self.tally.broken += under_way as u64;
                break;
            }
            for event in &events {
                let index = event.token().0;
                let Some(now) = self.receive(index) else { continue };
                if self.tally.measured_from.is_none() && now >= measure_from {
                    self.tally.begin_measuring(now);
                }
                under_way -= 1;
                under_way += usize::from(now < end && self.send_next(index, now));
            }
        }
        Ok(self.tally)
    }

    /// Sends the next request over connection `index`; whether there was one and it could be sent.
    fn send_next(&mut self, index: usize, now: Instant) -> bool {
        let Some(connection) = self.connections[index].as_mut() else { return false };
        let load = &self.shared.load;
        let ticket = self.shared.issued.fetch_add(1, Ordering::Relaxed);
        if ticket >= load.count {
            return false;
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let is_get = match load.mix {
            Mix::PutNew | Mix::Overwrite => false,
            Mix::Get => true,
            Mix::Mixed => self.random >> 63 == 0,
        };
        let key = if load.mix == Mix::PutNew { load.first_key + ticket } else { self.random % load.keys };
        let template = if is_get { &mut self.get } else { &mut self.put };
        template.patch(key, ticket);
        let sent = connection.send(template.bytes(), Sent { at: now, is_get }, self.poll.registry());
        match sent {
            Ok(()) => true,
            Err(error) => {
                self.lose(index, &error);
                false
            }
        }
    }

    /// Takes in what connection `index` has; the time, where that ends a request, with an answer or without.
    fn receive(&mut self, index: usize) -> Option<Instant> {
        let connection = self.connections[index].as_mut()?;
        let was_waiting = connection.is_waiting();
        match connection.advance() {
            Ok(None) => None,
            Ok(Some(finished)) => Some(self.tally.count(&finished, self.begun)),
            Err(error) => {
                self.lose(index, &error);
                was_waiting.then(Instant::now)
            }
        }
    }

    /// Gives a connection up. It is not opened again: a server that closes connections under load is a finding.
    fn lose(&mut self, index: usize, error: &std::io::Error) {
        self.connections[index] = None;
        self.tally.broken += 1;
        self.tally.fault(|| format!("connection lost: {error}"));
    }
}

impl Tally {
    /// Ends the warm-up: forgets times, not faults.
    fn begin_measuring(&mut self, now: Instant) {
        self.histogram = Histogram::new();
        (self.longest_at, self.last_answer, self.measured_from) = (Duration::ZERO, None, Some(now));
    }

    /// Counts an answer that has just arrived; the time now.
    fn count(&mut self, finished: &Finished<'_>, begun: Instant) -> Instant {
        let now = Instant::now();
        let latency = now.duration_since(finished.sent.at);
        let since = now.duration_since(begun);
        if latency > self.histogram.max() {
            self.longest_at = since;
        }
        self.histogram.record(latency);
        self.last_answer = Some(now);
        let second = usize::try_from(since.as_secs()).unwrap_or(usize::MAX);
        if second >= self.each_second.len() {
            self.each_second.resize(second + 1, 0);
        }
        self.each_second[second] += 1;
        if finished.status != 200 {
            *self.refused.entry(finished.status).or_default() += 1;
            self.fault(|| format!("{}: {}", finished.status, String::from_utf8_lossy(finished.body)));
        } else if finished.sent.is_get && finished.body.len() < FOUND_BYTES_MIN {
            self.absent += 1;
            self.fault(|| format!("no item in {}", String::from_utf8_lossy(finished.body)));
        }
        now
    }

    fn fault(&mut self, what: impl FnOnce() -> String) {
        if self.first_error.is_none() {
            self.first_error = Some(what());
        }
    }

    pub(crate) fn add(&mut self, other: Tally) {
        if other.histogram.max() > self.histogram.max() {
            self.longest_at = other.longest_at;
        }
        self.histogram.merge(&other.histogram);
        if self.each_second.len() < other.each_second.len() {
            self.each_second.resize(other.each_second.len(), 0);
        }
        self.each_second.iter_mut().zip(&other.each_second).for_each(|(mine, theirs)| *mine += theirs);
        other.refused.iter().for_each(|(status, count)| *self.refused.entry(*status).or_default() += count);
        self.absent += other.absent;
        self.broken += other.broken;
        self.first_error = self.first_error.take().or(other.first_error);
        self.measured_from = earliest(self.measured_from, other.measured_from);
        self.last_answer = self.last_answer.max(other.last_answer);
    }
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
