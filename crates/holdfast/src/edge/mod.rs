//! Sockets and HTTP: the only async code.
//!
//! # Layout
//! - [`accept`]: connections, their limits and their end
//! - [`idle`]: connections that wait too long
//! - [`bodies`]: request bodies and their limits
//! - [`answers`]: answers that are not taken in yet
//! - [`pool`]: threads for what may take long
//! - [`route`]: which service a request is for
//! - [`call`]: a call of DynamoDB: who sent it, what is answered
//! - [`cors`]: pages of other sites
//! - [`health`]: answers for health checks, and metrics
//! - [`unserved`]: answers to calls of services that are not there
//! - [`respond`]: how an answer looks on the wire
//! - [`admin`]: the socket of the verbs

pub mod accept;
pub mod admin;
pub mod answers;
pub mod bodies;
pub mod call;
pub mod cors;
pub mod health;
pub mod idle;
pub mod pool;
pub mod respond;
pub mod route;
pub mod unserved;

use crate::about::About;
use crate::status;
use holdfast_aws::sigv4::Verifier;
use holdfast_store::Store;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Services that are there, as health checks name them.
pub const SERVICES: [&str; 1] = ["dynamodb"];

/// Which port a request came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// 8000: DynamoDB.
    DynamoDb,
    /// 4566: every service.
    Every,
    /// 8001: the page, health and metrics.
    Console,
}

/// Requests of one operation.
#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// What all connections share.
#[derive(Debug)]
pub struct Server {
    pub store: Store,
    pub about: About,
    /// Calls of services that are not there.
    pub unserved: unserved::Refusals,
    /// Room for large request bodies.
    pub bodies: bodies::Bodies,
    /// Room for large answers.
    pub answers: answers::Answers,
    /// Threads for long reads.
    pub pool: pool::Pool,
    /// Checks signatures, if they are to be checked.
    pub verifier: Option<Verifier>,
    /// The sites whose pages are let in.
    pub cors: cors::Cors,
    /// Whether tables show what they are becoming for a while.
    pub delay_transient_statuses: bool,
    /// One entry per known operation, so that clients cannot make it grow.
    counts: BTreeMap<&'static str, Counts>,
}

impl Server {
    /// A server over a store; nothing is delayed.
    pub fn new(store: Store, about: About, verifier: Option<Verifier>, cors: cors::Cors) -> Self {
        let names = holdfast_dynamodb::OPERATIONS.iter().map(|operation| operation.name);
        let counts = names.chain(["other"]).map(|name| (name, Counts::default())).collect();
        Self {
            store,
            about,
            unserved: unserved::Refusals::default(),
            bodies: bodies::Bodies::default(),
            answers: answers::Answers::default(),
            pool: pool::Pool::default(),
            verifier,
            cors,
            delay_transient_statuses: false,
            counts,
        }
    }

    /// What `status` shows.
    pub fn status(&self) -> anyhow::Result<status::Status> {
        status::of_server(&self.store, &self.about, self.unserved.counts())
    }

    fn count(&self, operation: &str, status: u16) {
        let Some(counts) = self.counts.get(operation).or_else(|| self.counts.get("other")) else { return };
        let counter = match status {
            ..400 => &counts.done,
            400..500 => &counts.refused,
            _ => &counts.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests by operation and outcome, of operations that were called at all.
    fn requests(&self) -> Vec<(&'static str, &'static str, u64)> {
        let rows = self.counts.iter().flat_map(|(name, counts)| {
            [("ok", &counts.done), ("refused", &counts.refused), ("failed", &counts.failed)]
                .map(|(outcome, counter)| (*name, outcome, counter.load(Ordering::Relaxed)))
        });
        rows.filter(|(_, _, count)| *count > 0).collect()
    }
}
