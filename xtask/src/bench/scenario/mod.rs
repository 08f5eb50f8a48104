//! What is done to the servers: one file for each group of limits.

mod build;
mod counts;
mod longest;
mod memory;
mod pages;
mod reads;
mod start;
mod writes;

use super::judge::number;
use super::server::Kind;
use super::session::Session;
use anyhow::Result;
use clap::ValueEnum;
use holdfast_load::report::Report;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// Durable PutItem over 64 connections, against peers and memory.
    Put64,
    /// Durable PutItem into a table with one index over 64 connections, against peers.
    Put64Index,
    /// Durable PutItem over one connection, against raw syncs.
    Put1,
    /// The longest wait in a million overwrites.
    Longest,
    /// GetItem over 16 connections, against peers and a bare HTTP server.
    Get16,
    /// Query for 100 items by the table's key and by the index's, over 1 and 16 connections, against peers.
    Query,
    /// Scan in 1 MB pages over 1 and 4 connections, of a small table and a large one, against peers.
    Scan,
    /// Scan with a filter that lets one item of a hundred through, against peers.
    ScanFilter,
    /// Durable UpdateItem, `ADD` with a condition, over 64 connections, against peers.
    Update64,
    /// Durable TransactWriteItems of 4 puts over 16 connections, against peers.
    Transact16,
    /// Overwrites with history and without.
    History,
    /// From start to first answer, clean and after a kill.
    Start,
    /// Resident memory, idle and under load.
    Memory,
    /// A clean build; only when it is named.
    Build,
}

impl Scenario {
    /// The scenarios named, or all but the build.
    pub fn chosen(named: &[Scenario]) -> Vec<Scenario> {
        let all = Scenario::value_variants().iter();
        all.copied()
            .filter(|one| if named.is_empty() { *one != Scenario::Build } else { named.contains(one) })
            .collect()
    }

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Scenario::Put64 => "put64",
            Scenario::Put64Index => "put64-index",
            Scenario::Put1 => "put1",
            Scenario::Longest => "longest",
            Scenario::Get16 => "get16",
            Scenario::Query => "query",
            Scenario::Scan => "scan",
            Scenario::ScanFilter => "scan-filter",
            Scenario::Update64 => "update64",
            Scenario::Transact16 => "transact16",
            Scenario::History => "history",
            Scenario::Start => "start",
            Scenario::Memory => "memory",
            Scenario::Build => "build",
        }
    }

    /// One line on it.
    pub fn title(self) -> &'static str {
        match self {
            Scenario::Put64 => "put64: durable PutItem of new keys, 64 connections",
            Scenario::Put64Index => {
                "put64-index: durable PutItem of new keys into a table with one index, 64 connections"
            }
            Scenario::Put1 => "put1: durable PutItem of new keys, 1 connection",
            Scenario::Longest => "longest: longest wait in overwrites, 64 connections",
            Scenario::Get16 => "get16: GetItem of random keys, 16 connections",
            Scenario::Query => "query: Query for 100 items, by the table's key and by the index's",
            Scenario::Scan => "scan: Scan in 1 MB pages",
            Scenario::ScanFilter => "scan-filter: Scan with a filter that lets 1 % through",
            Scenario::Update64 => {
                "update64: durable UpdateItem of random keys, ADD with a condition, 64 connections"
            }
            Scenario::Transact16 => {
                "transact16: durable TransactWriteItems of 4 puts of new keys, 16 connections"
            }
            Scenario::History => {
                "history: overwrites of random keys with and without history, 64 connections"
            }
            Scenario::Start => "start: from starting the process to the first item read",
            Scenario::Memory => "memory: resident memory",
            Scenario::Build => "build: clean build of the release binary",
        }
    }

    /// Runs it.
    pub fn run(self, session: &mut Session<'_>) -> Result<()> {
        match self {
            Scenario::Put64 => writes::put64(session),
            Scenario::Put64Index => writes::put64_index(session),
            Scenario::Put1 => writes::put1(session),
            Scenario::Longest => longest::run(session),
            Scenario::Get16 => reads::get16(session),
            Scenario::Query => pages::query(session),
            Scenario::Scan => pages::scan(session),
            Scenario::ScanFilter => pages::scan_filter(session),
            Scenario::Update64 => writes::update64(session),
            Scenario::Transact16 => writes::transact16(session),
            Scenario::History => writes::history(session),
            Scenario::Start => start::run(session),
            Scenario::Memory => memory::run(session),
            Scenario::Build => build::run(session),
        }
    }
}

/// The kinds in an order that differs from run to run, so that none is always the first.
fn rotated<const N: usize>(session: &Session<'_>, mut kinds: [Kind; N]) -> [Kind; N] {
    kinds.rotate_left((session.run - 1) % N.max(1));
    kinds
}

fn report_of(reports: &[(Kind, Report)], kind: Kind) -> Option<&Report> {
    reports.iter().find(|(other, _)| *other == kind).map(|(_, report)| report)
}

fn server_cpu(report: &Report) -> f64 {
    report.server.as_ref().map_or(f64::NAN, |server| server.cpu_us_per_request)
}

/// How many times faster `ours` is than `theirs`. Where ours filled both cores, generator included, the machine and
/// not the server set its pace: then the ratio of processor time for one request counts, if that is higher.
fn times_faster(ours: &Report, theirs: &Report) -> (f64, String) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let rate = ours.per_second / theirs.per_second;
    let cpu = server_cpu(theirs) / server_cpu(ours);
    let is_full = ours.machine.busy_cores >= 0.9 * cores;
    let basis = format!(
        "{}/s against {}/s = {rate:.2} x; {} against {} us CPU = {cpu:.2} x; {:.2} of {cores} cores busy",
        number(ours.per_second),
        number(theirs.per_second),
        number(server_cpu(ours)),
        number(server_cpu(theirs)),
        ours.machine.busy_cores
    );
    (if is_full { rate.max(cpu) } else { rate }, basis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_load::report::Server;

    fn report(per_second: f64, cpu_us_per_request: f64, busy_cores: f64) -> Report {
        let mut report = Report { per_second, ..Report::default() };
        report.machine.busy_cores = busy_cores;
        report.server = Some(Server { cpu_us_per_request, ..Server::default() });
        report
    }

    #[test]
    fn processor_time_counts_only_where_the_machine_was_full() {
        let theirs = report(1_000.0, 90.0, 0.5);
        assert_eq!(times_faster(&report(2_000.0, 30.0, 0.5), &theirs).0, 2.0);
        assert_eq!(times_faster(&report(2_000.0, 30.0, 1e9), &theirs).0, 3.0);
        assert_eq!(times_faster(&report(4_000.0, 30.0, 1e9), &theirs).0, 4.0);
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for scenario in Scenario::value_variants() {
            assert_eq!(scenario.to_possible_value().unwrap().get_name(), scenario.name());
        }
        assert!(!Scenario::chosen(&[]).contains(&Scenario::Build));
        assert_eq!(Scenario::chosen(&[Scenario::Build]), [Scenario::Build]);
    }
}
