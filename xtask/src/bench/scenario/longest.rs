//! The longest wait of any write in a long run of overwrites.

use crate::bench::judge::{Judged, number};
use crate::bench::server::{Kind, Server};
use crate::bench::session::{Session, Stretch};
use anyhow::Result;
use holdfast_load::call;
use holdfast_load::generator::Mix;

/// The longest wait that is allowed whatever the disk does, in milliseconds.
const ALLOWED_MS: f64 = 300.0;
/// What a write may wait beyond the longest raw sync of the same run, in milliseconds.
const ABOVE_SYNC_MS: f64 = 150.0;

pub fn run(session: &mut Session<'_>) -> Result<()> {
    let (keys, count) = session.choose((100_000, 1_000_000), (2_000, 20_000));
    let [mut before, mut during] = [0.0, 0.0];
    let reports = session.compare(&[Kind::Holdfast], |session, server| {
        before = session.last_sync().latency.max_us;
        session.measure("longest, filling", server, &Stretch::counted(Mix::PutNew, 0, keys))?;
        session.settle();
        let stretch = Stretch { probe: true, ..Stretch::counted(Mix::Overwrite, keys, count) };
        let report = session.measure("longest", server, &stretch)?;
        during = report.probe.as_ref().map_or(0.0, |probe| probe.latency.max_us);
        log_metrics(session, server)?;
        Ok(report)
    })?;
    let after = session.last_sync().latency.max_us;
    let Some((_, report)) = reports.first() else { return Ok(()) };
    let raw_ms = [before, during, after].map(|us| us / 1e3);
    let limit = ALLOWED_MS.max(raw_ms.iter().copied().fold(0.0, f64::max) + ABOVE_SYNC_MS);
    let basis = format!(
        "{} overwrites, p99.9 {} ms; longest raw sync {} ms before, {} ms during, {} ms after",
        number(report.requests as f64),
        number(report.latency.p999_us / 1e3),
        number(raw_ms[0]),
        number(raw_ms[1]),
        number(raw_ms[2])
    );
    let what = "longest wait of any write in 1,000,000 overwrites, 64 connections";
    session
        .judge(Judged::at_most(what, report.latency.max_us / 1e3, " ms", limit, Some(100.0)).because(basis))
}

/// What Holdfast itself counted of commits and syncs, into the raw file.
fn log_metrics(session: &mut Session<'_>, server: &Server) -> Result<()> {
    let Some(console) = server.console else { return Ok(()) };
    let (status, text) = call::get(console, "/metrics")?;
    let text = String::from_utf8_lossy(&text);
    let is_of_interest = |line: &&str| {
        let about = ["commit", "sync", "flush", "compact", "stall", "wait", "group"];
        !line.starts_with('#') && about.iter().any(|word| line.contains(word))
    };
    let lines: Vec<&str> = text.lines().filter(is_of_interest).collect();
    session.log(&format!("its own metrics ({status}):\n{}", lines.join("\n")))
}
