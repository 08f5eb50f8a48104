//! Query and Scan.

use super::{rotated, times_faster};
use crate::bench::judge::Judged;
use crate::bench::server::{Kind, Server};
use crate::bench::session::{Session, Stretch};
use anyhow::Result;
use holdfast_load::generator::Mix;
use holdfast_load::item::{BLOCK_ITEMS, Shape};
use holdfast_load::report::Report;
use holdfast_load::request::BATCH_ITEMS;

/// One measurement that is made on each server and compared.
struct Step {
    mix: Mix,
    connections: usize,
    /// Its name among the figures.
    name: &'static str,
    /// Its name among the limits.
    what: &'static str,
    /// How many times faster than dynoxide Holdfast must be.
    must: f64,
}

const QUERIES: [Step; 4] = [
    Step {
        mix: Mix::QueryTable,
        connections: 1,
        name: "query-table1",
        what: "Query of 100 items by table key, 1 connection, against dynoxide",
        must: 2.0,
    },
    Step {
        mix: Mix::QueryTable,
        connections: 16,
        name: "query-table16",
        what: "Query of 100 items by table key, 16 connections, against dynoxide",
        must: 2.0,
    },
    Step {
        mix: Mix::QueryIndex,
        connections: 1,
        name: "query-index1",
        what: "Query of 100 items by index key, 1 connection, against dynoxide",
        must: 1.5,
    },
    Step {
        mix: Mix::QueryIndex,
        connections: 16,
        name: "query-index16",
        what: "Query of 100 items by index key, 16 connections, against dynoxide",
        must: 1.5,
    },
];

const SMALL_SCANS: [Step; 2] = [
    Step {
        mix: Mix::Scan,
        connections: 1,
        name: "scan1, 4 MB",
        what: "Scan in 1 MB pages, 10,000 items, 1 connection, items against dynoxide",
        must: 2.0,
    },
    Step {
        mix: Mix::Scan,
        connections: 4,
        name: "scan4, 4 MB",
        what: "Scan in 1 MB pages, 10,000 items, 4 connections, items against dynoxide",
        must: 2.0,
    },
];

const LARGE_SCANS: [Step; 2] = [
    Step {
        mix: Mix::Scan,
        connections: 1,
        name: "scan1, 65 MB",
        what: "Scan in 1 MB pages, 150,000 items, 1 connection, items against dynoxide",
        must: 2.0,
    },
    Step {
        mix: Mix::Scan,
        connections: 4,
        name: "scan4, 65 MB",
        what: "Scan in 1 MB pages, 150,000 items, 4 connections, items against dynoxide",
        must: 2.0,
    },
];

const FILTERED_SCANS: [Step; 2] = [
    Step {
        mix: Mix::ScanFilter,
        connections: 1,
        name: "scan-filter1",
        what: "Scan with a filter for 1 %, 100,000 items, 1 connection, items against dynoxide",
        must: 2.0,
    },
    Step {
        mix: Mix::ScanFilter,
        connections: 4,
        name: "scan-filter4",
        what: "Scan with a filter for 1 %, 100,000 items, 4 connections, items against dynoxide",
        must: 2.0,
    },
];

/// The reports of a server's steps, each as what is compared.
type Reports = Vec<Report>;

pub fn query(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::DynamoDbLocal]);
    let blocks = session.choose(5, 1);
    let reports = session.compare_over(Shape::Lines, &kinds, |session, server| {
        let items = fill(session, server, "query, filling", 0, blocks)?;
        measure(session, server, &QUERIES, items, 5.0)
    })?;
    judge(session, &QUERIES, &reports)
}

pub fn scan(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::DynamoDbLocal]);
    let blocks = session.choose(15, 2);
    let reports = session.compare_over(Shape::Lines, &kinds, |session, server| {
        let few = fill(session, server, "scan, filling", 0, 1)?;
        let mut reports = measure(session, server, &SMALL_SCANS, few, 5.0)?;
        // It would fill the large table for half an hour.
        if server.kind != Kind::DynamoDbLocal {
            let items = fill(session, server, "scan, filling", few, blocks)?;
            reports.extend(measure(session, server, &LARGE_SCANS, items, 10.0)?);
        }
        Ok(reports)
    })?;
    judge(session, &SMALL_SCANS, &reports)?;
    let large: Vec<(Kind, Reports)> = reports
        .into_iter()
        .map(|(kind, reports)| (kind, reports.into_iter().skip(SMALL_SCANS.len()).collect()))
        .collect();
    judge(session, &LARGE_SCANS, &large)
}

pub fn scan_filter(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::DynamoDbLocal]);
    let blocks = session.choose(10, 1);
    let reports = session.compare_over(Shape::Lines, &kinds, |session, server| {
        let items = fill(session, server, "scan-filter, filling", 0, blocks)?;
        measure(session, server, &FILTERED_SCANS, items, 5.0)
    })?;
    judge(session, &FILTERED_SCANS, &reports)
}

/// Fills the table up from its first `from` items to so many blocks; how many items it then holds. DynamoDB Local,
/// which writes a hundred items a second into a table with an index, gets one block.
fn fill(session: &mut Session<'_>, server: &Server, scenario: &str, from: u64, blocks: u64) -> Result<u64> {
    let blocks = if server.kind == Kind::DynamoDbLocal { 1 } else { blocks };
    let items = blocks * BLOCK_ITEMS;
    let count = (items - from) / BATCH_ITEMS;
    let stretch = Stretch { first_key: from, connections: 8, ..Stretch::counted(Mix::BatchNew, 0, count) };
    session.measure(scenario, server, &stretch.of_lines())?;
    session.settle();
    Ok(items)
}

fn measure(
    session: &mut Session<'_>,
    server: &Server,
    steps: &[Step],
    items: u64,
    seconds: f64,
) -> Result<Reports> {
    let warm_up = if server.kind.warms_up_slowly() { 8.0 } else { 1.0 };
    let (warm_up, seconds) = session.choose((warm_up, seconds), (0.3, 1.0));
    let mut reports = Vec::new();
    for step in steps {
        let stretch = Stretch::timed(step.mix, step.connections, items, warm_up, seconds).of_lines();
        reports.push(session.measure(step.name, server, &stretch)?);
    }
    Ok(reports)
}

/// Judges each step by items a second, and items for the same processor time: pages differ a little in length.
fn judge(session: &mut Session<'_>, steps: &[Step], reports: &[(Kind, Reports)]) -> Result<()> {
    let of = |kind: Kind| reports.iter().find(|(other, _)| *other == kind).map(|(_, reports)| reports);
    let (Some(ours), Some(theirs)) = (of(Kind::Holdfast), of(Kind::Dynoxide)) else { return Ok(()) };
    for ((step, ours), theirs) in steps.iter().zip(ours).zip(theirs) {
        let (ratio, basis) = times_faster(&by_item(ours), &by_item(theirs));
        session.judge(Judged::at_least(step.what, ratio, " x", step.must, None).because(basis))?;
    }
    Ok(())
}

/// A report in which each item counts as a request.
fn by_item(report: &Report) -> Report {
    let mut report = report.clone();
    let items = report.items as f64 / report.requests.max(1) as f64;
    report.per_second = report.items_per_second;
    if let Some(server) = &mut report.server {
        server.cpu_us_per_request /= items.max(1.0);
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_load::report::Server;

    #[test]
    fn items_and_not_pages_are_compared() {
        let report = Report {
            requests: 10,
            items: 1_000,
            per_second: 5.0,
            items_per_second: 500.0,
            server: Some(Server { cpu_us_per_request: 300.0, ..Server::default() }),
            ..Report::default()
        };
        let report = by_item(&report);
        assert_eq!((report.per_second, report.server.unwrap().cpu_us_per_request), (500.0, 3.0));
    }
}
