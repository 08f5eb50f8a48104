//! One thread of the generator: it drives its share of the connections and counts their answers.

use crate::call::amz_date_now;
use crate::connection::{Connection, Expects, Finished, Sent};
use crate::generator::{Load, Mix};
use crate::histogram::Histogram;
use crate::item::{BLOCK_ITEMS, GROUP_ITEMS, ITEM_BYTES};
use crate::page;
use crate::request::{BATCH_ITEMS, TRANSACTION_ITEMS, Target, Template, filter_for, scan};
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
/// How many answers of each thread are read in full.
const VERIFIED_IN_FULL: u64 = 3;

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
    pub(crate) items: u64,
    pub(crate) body_bytes: u64,
    pub(crate) walks: u64,
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

/// One request of each kind, rendered once.
struct Templates {
    put: Template,
    get: Template,
    batch: Template,
    transaction: Template,
    update: Template,
    query_table: Template,
    query_index: Template,
}

/// Where a connection's walk over the table is.
#[derive(Default)]
struct Walk {
    next: Option<String>,
    items: u64,
}

struct Worker<'a> {
    shared: &'a Shared,
    poll: Poll,
    connections: Vec<Option<Connection>>,
    walks: Vec<Walk>,
    target: Target,
    /// Of scans; empty where they have none.
    filter: String,
    templates: Templates,
    verified: u64,
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
        let (host, amz_date) = (load.address.to_string(), amz_date_now());
        let target = Target { host, table: load.table.clone(), amz_date, shape: load.shape };
        Ok(Worker {
            shared,
            poll,
            walks: connections.iter().map(|_| Walk::default()).collect(),
            connections,
            templates: Templates {
                put: Template::put(&target),
                get: Template::get(&target),
                batch: Template::batch(&target),
                transaction: Template::transaction(&target, load.mix == Mix::TransactToken),
                update: Template::update(&target),
                query_table: Template::query_table(&target),
                query_index: Template::query_index(&target),
            },
            target,
            filter: match load.mix {
                Mix::ScanFilter => filter_for(load.keys / BLOCK_ITEMS),
                _ => String::new(),
            },
            verified: 0,
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
        let is_get = load.mix == Mix::Get || load.mix == Mix::Mixed && self.random >> 63 == 0;
        let templates = &mut self.templates;
        let (template, number, expects) = match load.mix {
            Mix::PutNew => (&mut templates.put, load.first_key + ticket, Expects::Success),
            Mix::BatchNew => (&mut templates.batch, load.first_key + ticket * BATCH_ITEMS, Expects::Batch),
            Mix::Overwrite | Mix::Get | Mix::Mixed if is_get => {
                (&mut templates.get, self.random % load.keys, Expects::Item)
            }
            Mix::Overwrite | Mix::Get | Mix::Mixed => {
                (&mut templates.put, self.random % load.keys, Expects::Success)
            }
            Mix::QueryTable => {
                (&mut templates.query_table, self.random % (load.keys / GROUP_ITEMS), Expects::Group)
            }
            Mix::QueryIndex => {
                (&mut templates.query_index, self.random % (load.keys / GROUP_ITEMS), Expects::Group)
            }
            Mix::Update => (&mut templates.update, self.random % load.keys, Expects::Success),
            Mix::TransactNew | Mix::TransactToken => {
                (&mut templates.transaction, load.first_key + ticket * TRANSACTION_ITEMS, Expects::Success)
            }
            Mix::Scan | Mix::ScanFilter => return self.send_scan(index, now),
        };
        template.patch(number, ticket);
        let sent = connection.send(template.bytes(), Sent { at: now, expects }, self.poll.registry());
        self.is_sent(index, sent)
    }

    /// Asks for the next page of the walk of connection `index`.
    fn send_scan(&mut self, index: usize, now: Instant) -> bool {
        let Some(connection) = self.connections[index].as_mut() else { return false };
        let request = scan(&self.target, &self.filter, self.walks[index].next.as_deref());
        let sent = connection.send(&request, Sent { at: now, expects: Expects::Page }, self.poll.registry());
        self.is_sent(index, sent)
    }

    fn is_sent(&mut self, index: usize, sent: std::io::Result<()>) -> bool {
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
            Ok(Some(finished)) => {
                let now = self.tally.count(&finished, self.begun);
                if finished.status == 200 {
                    let load = &self.shared.load;
                    // What a walk over the table finds.
                    let keys = if load.mix == Mix::ScanFilter { load.keys / 100 } else { load.keys };
                    let walk = &mut self.walks[index];
                    self.tally.examine(&finished, keys, walk, &mut self.verified);
                }
                Some(now)
            }
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
        (self.items, self.body_bytes) = (0, 0);
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
        }
        self.body_bytes += finished.body.len() as u64;
        now
    }

    /// Looks into an answer 200 for what must be there.
    fn examine(&mut self, finished: &Finished<'_>, keys: u64, walk: &mut Walk, verified: &mut u64) {
        let body = finished.body;
        let fault = match finished.sent.expects {
            Expects::Success => None,
            Expects::Item => (body.len() < FOUND_BYTES_MIN).then(|| "no item".into()),
            Expects::Batch => {
                let is_done = body.windows(2).any(|pair| pair == b"{}");
                (!is_done).then(|| "items were left undone".into())
            }
            Expects::Group => {
                let count = page::count(body);
                self.items += count.unwrap_or(0);
                let is_whole = count == Some(GROUP_ITEMS) && page::last_key(body).is_none();
                (!is_whole).then(|| format!("not the {GROUP_ITEMS} items of a group but {count:?}"))
            }
            Expects::Page => self.step(body, keys, walk),
        };
        let is_page = matches!(finished.sent.expects, Expects::Group | Expects::Page);
        let fault = fault.or_else(|| {
            *verified += u64::from(is_page);
            (is_page && *verified <= VERIFIED_IN_FULL).then(|| page::verify(body).err())?
        });
        if let Some(fault) = fault {
            self.absent += 1;
            let start = &body[..body.len().min(500)];
            self.fault(|| format!("{fault} in {}", String::from_utf8_lossy(start)));
        }
    }

    /// Takes a page of a walk in; what is wrong, at the end, with the number of items that were found.
    fn step(&mut self, body: &[u8], keys: u64, walk: &mut Walk) -> Option<String> {
        let Some(count) = page::count(body) else { return Some("no Count".into()) };
        // What was looked at is what was done.
        self.items += page::scanned(body).unwrap_or(count);
        walk.items += count;
        walk.next = page::last_key(body).map(str::to_owned);
        if walk.next.is_some() {
            return None;
        }
        self.walks += 1;
        let found = std::mem::take(&mut walk.items);
        (found != keys).then(|| format!("a walk over the table found {found} items of {keys}"))
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
        self.items += other.items;
        self.body_bytes += other.body_bytes;
        self.walks += other.walks;
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
