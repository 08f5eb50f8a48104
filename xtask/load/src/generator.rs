//! A stretch of load: what to send, the threads that send it, and the processes and the machine meanwhile.

use crate::item::{BLOCK_ITEMS, ITEM_BYTES, Shape};
use crate::probe::Probe;
use crate::process::{busy_time, cpu_of, load_average, own_cpu, resident_of};
use crate::report::{Latency, Machine, Report, Server, SyncReport, rounded};
use crate::request::BATCH_ITEMS;
use crate::worker::{Shared, Tally, work};
use anyhow::{Result, bail};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// How often memory is sampled, and the end of the threads looked for.
const SAMPLE_EVERY: Duration = Duration::from_millis(50);

/// Which requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// PutItem of keys that do not exist yet, counted up from `first_key`.
    PutNew,
    /// PutItem of random keys out of `keys`.
    Overwrite,
    /// GetItem of random keys out of `keys`.
    Get,
    /// Half `Get`, half `Overwrite`.
    Mixed,
    /// BatchWriteItem of 25 keys each that do not exist yet, counted up from `first_key`.
    BatchNew,
    /// Query for the 100 items under a random partition key of the table.
    QueryTable,
    /// Query for the 100 items under a random partition key of the index.
    QueryIndex,
    /// Scan, page after page; each connection walks over the whole table again and again.
    Scan,
    /// As `Scan`, with a filter that lets one item of a hundred through.
    ScanFilter,
    /// UpdateItem with `ADD` and a condition, of random keys out of `keys`.
    Update,
    /// TransactWriteItems of 4 keys each that do not exist yet, counted up from `first_key`.
    TransactNew,
    /// As `TransactNew`, each with a ClientRequestToken of its own.
    TransactToken,
}

impl Mix {
    /// The name on the command line and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Mix::PutNew => "put-new",
            Mix::Overwrite => "overwrite",
            Mix::Get => "get",
            Mix::Mixed => "mixed",
            Mix::BatchNew => "batch-new",
            Mix::QueryTable => "query-table",
            Mix::QueryIndex => "query-index",
            Mix::Scan => "scan",
            Mix::ScanFilter => "scan-filter",
            Mix::Update => "update",
            Mix::TransactNew => "transact-new",
            Mix::TransactToken => "transact-token",
        }
    }

    /// Whether it writes keys that do not exist yet, and so needs none that do.
    fn is_filling(self) -> bool {
        matches!(self, Mix::PutNew | Mix::BatchNew | Mix::TransactNew | Mix::TransactToken)
    }
}

/// A stretch of load.
#[derive(Clone, Debug)]
pub struct Load {
    /// Where the server listens; only loopback addresses are accepted.
    pub address: SocketAddr,
    /// The server's process, to read its processor time and memory.
    pub pid: Option<u32>,
    /// The table.
    pub table: String,
    /// Which keys it has.
    pub shape: Shape,
    /// Connections, each with one request under way at a time.
    pub connections: usize,
    /// Threads among which the connections are dealt.
    pub threads: usize,
    /// Which requests.
    pub mix: Mix,
    /// Keys that exist: random keys are taken from numbers 0 to `keys`, and a walk over the table finds so many.
    pub keys: u64,
    /// Number of the first key of mixes that write new ones.
    pub first_key: u64,
    /// Ends after so many requests, if not earlier.
    pub count: u64,
    /// Ends after so long, warm-up not counted, if not earlier.
    pub limit: Duration,
    /// What is sent and answered before this time has passed is not measured.
    pub warm_up: Duration,
    /// A file that is made anew for raw syncs during the load, and the pause between them.
    pub probe: Option<(PathBuf, Duration)>,
}

/// Runs the load and waits for its end.
pub fn run(load: &Load) -> Result<Report> {
    if !load.address.ip().is_loopback() {
        bail!("{} is not a loopback address", load.address);
    }
    if load.connections == 0 || load.threads == 0 || load.connections < load.threads {
        bail!("at least one connection for each thread, and one thread");
    }
    if !load.mix.is_filling() && load.keys == 0 {
        bail!("{} needs the number of keys that exist", load.mix.name());
    }
    let is_of_groups = matches!(load.mix, Mix::QueryTable | Mix::QueryIndex | Mix::ScanFilter);
    if is_of_groups && (load.shape != Shape::Lines || !load.keys.is_multiple_of(BLOCK_ITEMS)) {
        bail!("{} needs a table of lines with a multiple of {BLOCK_ITEMS} items", load.mix.name());
    }
    if load.mix == Mix::BatchNew && !load.first_key.is_multiple_of(BATCH_ITEMS) {
        bail!("batches begin at a multiple of {BATCH_ITEMS}");
    }
    let shared = Arc::new(Shared::new(load));
    let (results, finished) = channel();
    for thread in 0..load.threads {
        let (shared, results) = (Arc::clone(&shared), results.clone());
        thread::spawn(move || work(&shared, thread, &results));
    }
    drop(results);
    let probing = Arc::new(AtomicBool::new(true));
    let prober = load.probe.clone().map(|(path, pause)| {
        let probing = Arc::clone(&probing);
        thread::spawn(move || probe_until(&path, pause, &probing))
    });
    let observed = observe(load, &shared.ready, &finished);
    probing.store(false, Ordering::Relaxed);
    let probe = match prober {
        Some(thread) => Some(thread.join().map_err(|_| anyhow::anyhow!("the probe panicked"))??),
        None => None,
    };
    let (tally, mut report) = observed?;
    report.probe = probe;
    Ok(complete(load, &tally, report))
}

/// Processor time of everyone at one moment.
struct Clocks {
    at: Instant,
    own: Duration,
    server: Duration,
    machine: Duration,
}

impl Clocks {
    fn read(pid: Option<u32>) -> Clocks {
        // A server that was killed has no time any more; what it used is then unknown, and reported as zero.
        let server = pid.and_then(|pid| cpu_of(pid).ok()).unwrap_or_default();
        Clocks { at: Instant::now(), own: own_cpu(), server, machine: busy_time().unwrap_or_default() }
    }
}

/// Starts the threads together, samples until all have ended, and fills in what does not come from their tallies.
fn observe(load: &Load, ready: &Barrier, finished: &Receiver<Result<Tally>>) -> Result<(Tally, Report)> {
    let resident = || load.pid.and_then(|pid| resident_of(pid).ok()).unwrap_or(0);
    let load_at_start = load_average();
    ready.wait();
    let measure_from = Instant::now() + load.warm_up;
    let (mut before, mut resident_first) = (Clocks::read(load.pid), resident());
    let (mut resident_last, mut resident_max) = (resident_first, resident_first);
    let mut is_warm = load.warm_up.is_zero();
    let mut total = Tally::default();
    let mut running = load.threads;
    while running > 0 {
        let pause =
            if is_warm { SAMPLE_EVERY } else { measure_from.saturating_duration_since(Instant::now()) };
        match finished.recv_timeout(pause) {
            Ok(tally) => {
                running -= 1;
                total.add(tally?);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => bail!("a thread of the generator panicked"),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = resident();
        if !is_warm {
            (is_warm, before, resident_first) = (true, Clocks::read(load.pid), now);
        }
        resident_last = if now > 0 { now } else { resident_last };
        resident_max = resident_max.max(now);
    }
    let after = Clocks::read(load.pid);
    let seconds = after.at.duration_since(before.at).as_secs_f64().max(1e-9);
    let server = after.server.saturating_sub(before.server);
    let own = after.own.saturating_sub(before.own);
    let busy = after.machine.saturating_sub(before.machine);
    let mut report = Report { own_cpu_us_per_request: own.as_secs_f64() * 1e6, ..Report::default() };
    report.machine = Machine {
        load_average: [load_at_start, load_average()],
        busy_cores: rounded(busy.as_secs_f64() / seconds),
        foreign_cores: rounded(busy.saturating_sub(server + own).as_secs_f64() / seconds),
    };
    report.server = load.pid.map(|_| Server {
        cpu_s: server.as_secs_f64(),
        cpu_us_per_request: server.as_secs_f64() * 1e6,
        resident: [resident_first, resident_last],
        resident_max,
    });
    Ok((total, report))
}

/// Puts the tallies into the report, in which processor times still are those of all requests.
fn complete(load: &Load, tally: &Tally, mut report: Report) -> Report {
    let elapsed = match (tally.measured_from, tally.last_answer) {
        (Some(from), Some(to)) => to.saturating_duration_since(from).as_secs_f64(),
        _ => 0.0,
    };
    let requests = tally.histogram.count();
    let divisor = requests.max(1) as f64;
    report.mix = load.mix.name().into();
    report.connections = load.connections;
    report.threads = load.threads;
    report.item_bytes = ITEM_BYTES;
    report.elapsed_s = rounded(elapsed);
    report.requests = requests;
    report.per_second = rounded(requests as f64 / elapsed.max(1e-9));
    report.items = tally.items;
    report.items_per_second = rounded(tally.items as f64 / elapsed.max(1e-9));
    (report.body_bytes, report.walks) = (tally.body_bytes, tally.walks);
    report.latency = Latency::from(&tally.histogram);
    report.longest_at_s = rounded(tally.longest_at.as_secs_f64());
    report.each_second.clone_from(&tally.each_second);
    report.refused.clone_from(&tally.refused);
    report.absent = tally.absent;
    report.broken = tally.broken;
    report.first_error.clone_from(&tally.first_error);
    report.own_cpu_us_per_request = rounded(report.own_cpu_us_per_request / divisor);
    if let Some(server) = &mut report.server {
        server.cpu_us_per_request = rounded(server.cpu_us_per_request / divisor);
    }
    report
}

fn probe_until(path: &std::path::Path, pause: Duration, probing: &AtomicBool) -> Result<SyncReport> {
    let mut probe = Probe::create(path)?;
    while probing.load(Ordering::Relaxed) {
        probe.once()?;
        thread::sleep(pause);
    }
    Ok(probe.report())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    /// A server that answers each request, the last of each connection by closing when `answers` are used up.
    fn serve(status: &'static str, body_bytes: usize, answers: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || answer(stream, status, body_bytes, answers));
            }
        });
        address
    }

    fn answer(mut stream: TcpStream, status: &str, body_bytes: usize, answers: usize) {
        let answer =
            format!("HTTP/1.1 {status}\r\nContent-Length: {body_bytes}\r\n\r\n{}", "x".repeat(body_bytes));
        let mut request = vec![0; 64 * 1024];
        for _ in 0..answers {
            // Requests are smaller than one segment of the loopback device, so they arrive whole.
            match stream.read(&mut request) {
                Ok(1..) => stream.write_all(answer.as_bytes()).unwrap(),
                _ => return,
            }
        }
    }

    fn load(address: SocketAddr, mix: Mix, count: u64) -> Load {
        Load {
            address,
            pid: Some(std::process::id()),
            table: "orders".into(),
            shape: Shape::Single,
            connections: 5,
            threads: 2,
            mix,
            keys: 10,
            first_key: 0,
            count,
            limit: Duration::from_secs(60),
            warm_up: Duration::ZERO,
            probe: None,
        }
    }

    #[test]
    fn counts_each_answer_once() {
        let report = run(&load(serve("200 OK", 500, usize::MAX), Mix::Mixed, 1_000)).unwrap();
        assert!(report.is_clean(), "{:?}", report.first_error);
        assert_eq!((report.requests, report.each_second.iter().sum()), (1_000, 1_000));
        assert!(report.latency.max_us >= report.latency.p50_us && report.latency.p50_us > 0.0);
        assert!(report.server.unwrap().resident_max > 0);
    }

    #[test]
    fn refusals_and_missing_items_are_faults() {
        let report = run(&load(serve("500 Oh", 500, usize::MAX), Mix::PutNew, 20)).unwrap();
        assert_eq!(report.refused, BTreeMap::from([(500, 20)]));
        let report = run(&load(serve("200 OK", 2, usize::MAX), Mix::Get, 20)).unwrap();
        assert_eq!((report.absent, report.requests, report.is_clean()), (20, 20, false));
    }

    #[test]
    fn ends_when_every_connection_is_lost() {
        let report = run(&load(serve("200 OK", 500, 3), Mix::Overwrite, u64::MAX)).unwrap();
        assert_eq!((report.requests, report.broken), (15, 5));
        assert!(report.first_error.is_some());
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        let here = SocketAddr::from(([127, 0, 0, 1], 9));
        assert!(run(&load(SocketAddr::from(([192, 0, 2, 1], 9)), Mix::Get, 1)).is_err());
        assert!(run(&Load { connections: 1, ..load(here, Mix::Get, 1) }).is_err());
        assert!(run(&Load { keys: 0, ..load(here, Mix::Get, 1) }).is_err());
    }
}
