//! Twins agree on a small service made of catalog and spaces, and part where an operation misbehaves.

use super::*;
use crate::contrary::Fault;
use crate::random::Random;
use holdfast_state::catalog::{self, Scope};
use holdfast_state::families::{Family, Resource};
use holdfast_state::operation::{ReadOperation, WriteOperation};
use std::sync::atomic::{AtomicU64, Ordering};

const SCOPE: Scope<'static> =
    Scope { account: "000000000000", region: "us-east-1", resource: Resource::DYNAMODB_TABLE };
const TAG: u8 = Family::DYNAMODB_ITEM.tag;

/// A request of the small service.
#[derive(Debug, Clone)]
enum Request {
    Create(&'static str),
    Remove(&'static str),
    Put(&'static str, u8, Vec<u8>),
    Delete(&'static str, u8),
    Read(&'static str),
}

/// A request under way, with what its answer needs.
struct Planned {
    request: Request,
    answer: Vec<u8>,
}

impl WriteOperation<String> for Planned {
    fn info(&self) -> CommitInfo {
        CommitInfo { service: "small", operation: "Write", request_id: "id".into(), ..CommitInfo::default() }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), String> {
        self.answer = run(&self.request, tx).map_err(|error| error.to_string())?;
        Ok(())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, String> {
        Ok(self.answer)
    }
}

fn run(request: &Request, tx: &mut Transaction<'_>) -> Result<Vec<u8>, holdfast_state::StateError> {
    let resolve = |tx: &Transaction<'_>, name| {
        let found = catalog::resolve(tx, &SCOPE, name)?.map(|(space, _)| space);
        let Resource { service, kind, .. } = SCOPE.resource;
        found.ok_or(holdfast_state::StateError::NoSuchName { service, kind, name: Box::from(name) })
    };
    match request {
        Request::Create(name) => {
            let space = catalog::create(tx, &SCOPE, name, name, b"")?;
            Ok(space.id().0.to_be_bytes().to_vec())
        }
        Request::Remove(name) => Ok(catalog::remove(tx, &SCOPE, name)?.space.0.to_be_bytes().to_vec()),
        Request::Put(name, key, value) => {
            let space = resolve(tx, name)?;
            let old = space.get(tx, &[TAG, *key])?;
            space.put(tx, &[TAG, *key], value, value.len() as u64)?;
            Ok(old.map(|old| old.payload.to_vec()).unwrap_or_default())
        }
        Request::Delete(name, key) => Ok(vec![u8::from(resolve(tx, name)?.delete(tx, &[TAG, *key])?)]),
        Request::Read(_) => unreachable!("a read is prepared as one"),
    }
}

impl ReadOperation<String> for Planned {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, String> {
        let Request::Read(name) = self.request else { unreachable!("only a read is prepared as one") };
        let found = catalog::resolve(read, &SCOPE, name).map_err(|error| error.to_string())?;
        let Some((space, _)) = found else { return Err(format!("no {name}")) };
        let mut answer =
            format!("{:?}", space.counters(read).map_err(|error| error.to_string())?).into_bytes();
        for entry in space.range(read, Bound::Unbounded, Bound::Unbounded, true) {
            let (key, value) = entry.map_err(|error| error.to_string())?;
            answer.extend_from_slice(&key);
            answer.extend_from_slice(&value.payload);
        }
        Ok(answer)
    }
}

fn prepare(request: &Request) -> Result<Prepared<String>, String> {
    if matches!(request, Request::Put(_, _, value) if value.is_empty()) {
        return Err("an empty value".to_owned());
    }
    let planned = Box::new(Planned { request: request.clone(), answer: Vec::new() });
    Ok(if matches!(request, Request::Read(_)) { Prepared::Read(planned) } else { Prepared::Write(planned) })
}

fn random_request(random: &mut Random) -> Request {
    let name = ["a", "b"][usize::from(random.chance(500))];
    let key = random.below(4).to_le_bytes()[0];
    let len = usize::try_from(random.below(300)).unwrap();
    match random.below(12) {
        0 => Request::Remove(name),
        1 | 2 => Request::Create(name),
        3 => Request::Read(name),
        4 | 5 => Request::Delete(name, key),
        _ => Request::Put(name, key, vec![random.below(256).to_le_bytes()[0]; len]),
    }
}

#[test]
fn twins_agree_through_refusals_unknown_outcomes_and_tiny_limits() {
    let mut unknown_in_all = 0;
    for seed in 0..8 {
        let mut twins = Twins::new(seed, Temper { batch_bytes_max: 400, ..Temper::CONTRARY });
        let mut random = Random::new(seed + 1_000);
        let (mut answers, mut refusals) = (0, 0);
        for _ in 0..150 {
            twins.clock().advance(random.below(1_000));
            let request = random_request(&mut random);
            match twins.request(|| prepare(&request)) {
                Ok(_) => answers += 1,
                Err(_) => refusals += 1,
            }
        }
        let Tally { stored, refused, unknown } = twins.tally();
        assert!(answers > 20 && refusals > 5, "seed {seed}: {answers} answers, {refusals} refusals");
        assert!(stored > 20 && refused > 5, "seed {seed}: {:?}", twins.tally());
        unknown_in_all += unknown;
    }
    assert!(unknown_in_all > 10, "{unknown_in_all} unknown outcomes");
}

#[test]
fn each_unknown_outcome_is_told_apart() {
    for fault in [Fault::UnknownLost, Fault::UnknownKept, Fault::UnknownHidden, Fault::Fenced, Fault::NoRoom]
    {
        let mut twins = Twins::new(1, Temper::CALM);
        twins.contrary_engine.order(Some(fault));
        twins.request(|| prepare(&Request::Create("a"))).unwrap();
        twins.request(|| prepare(&Request::Put("a", 1, vec![7]))).unwrap();
        let read = twins.request(|| prepare(&Request::Read("a"))).unwrap();
        assert_eq!(read, [b"Counters { items: 1, bytes: 1 }".as_slice(), &[TAG, 1, 7]].concat(), "{fault:?}");
        assert_eq!(twins.tally().refused + twins.tally().unknown, 1);
    }
}

/// Numbers its runs: what it writes depends on how often it ran.
struct Numbered {
    runs: u8,
    from_outside: Option<&'static AtomicU64>,
}

impl WriteOperation<String> for Numbered {
    fn info(&self) -> CommitInfo {
        CommitInfo::default()
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), String> {
        self.runs += 1;
        let byte = match self.from_outside {
            Some(source) => source.fetch_add(1, Ordering::SeqCst).to_le_bytes()[0],
            None => self.runs,
        };
        run(&Request::Put("a", 1, vec![byte]), tx).map(|_| ()).map_err(|error| error.to_string())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}

fn misbehave(from_outside: Option<&'static AtomicU64>) {
    let mut twins = Twins::new(1, Temper::CALM);
    twins.request(|| prepare(&Request::Create("a"))).unwrap();
    let planned = || Ok(Prepared::Write(Box::new(Numbered { runs: 0, from_outside }) as _));
    let _ = twins.request::<String>(planned);
}

#[test]
#[should_panic(expected = "rows differ (seed 1)")]
fn an_operation_that_remembers_its_first_run_is_caught() {
    misbehave(None);
}

#[test]
#[should_panic(expected = "rows differ (seed 1)")]
fn an_operation_that_looks_outside_is_caught() {
    static SOURCE: AtomicU64 = AtomicU64::new(0);
    misbehave(Some(&SOURCE));
}

#[test]
#[should_panic(expected = "answers differ (seed 1)")]
fn a_prepare_that_looks_outside_is_caught() {
    let calls = AtomicU64::new(0);
    let mut twins = Twins::new(1, Temper::CALM);
    let _ = twins.request::<String>(|| Err(format!("{}", calls.fetch_add(1, Ordering::SeqCst))));
}
