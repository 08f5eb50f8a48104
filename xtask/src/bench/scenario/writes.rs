//! Durable writes: at 64 connections, at one, with history and without.

use super::counts;
use super::{report_of, rotated, server_cpu, times_faster};
use crate::bench::judge::{Judged, number};
use crate::bench::server::{Kind, Server};
use crate::bench::session::{Session, Stretch};
use anyhow::Result;
use holdfast_load::generator::Mix;
use holdfast_load::item::Shape;
use holdfast_load::report::Report;

/// The first key of a second stretch of new ones; no first stretch comes near it.
const FAR_KEY: u64 = 1 << 40;

pub fn put64(session: &mut Session<'_>) -> Result<()> {
    let kinds = [Kind::Dynoxide, Kind::Holdfast, Kind::HoldfastInMemory, Kind::DynamoDbLocal];
    let kinds = rotated(session, kinds);
    let reports =
        session.compare(&kinds, |session, server| put_new(session, server, "put64", 64, Shape::Single))?;
    let Some(holdfast) = report_of(&reports, Kind::Holdfast) else { return Ok(()) };
    if let Some(dynoxide) = report_of(&reports, Kind::Dynoxide) {
        let (ratio, basis) = times_faster(holdfast, dynoxide);
        let what = "durable PutItem, 64 connections, against dynoxide on a file";
        session.judge(Judged::at_least(what, ratio, " x", 5.0, Some(7.0)).because(basis))?;
    }
    if let Some(memory) = report_of(&reports, Kind::HoldfastInMemory) {
        let ratio = holdfast.per_second / memory.per_second;
        let basis = format!("{}/s against {}/s", number(holdfast.per_second), number(memory.per_second));
        let what = "durable PutItem, 64 connections, against --in-memory";
        session.judge(Judged::at_least(what, ratio, " x", 0.6, None).because(basis))?;
    }
    let p99 = holdfast.latency.p99_us / 1e3;
    let basis = format!("p50 {} ms", number(holdfast.latency.p50_us / 1e3));
    session.judge(
        Judged::at_most("durable PutItem, 64 connections, p99", p99, " ms", 25.0, None).because(basis),
    )?;
    let what = "server CPU for one durable PutItem, 64 connections";
    let basis = format!("generator {} us", number(holdfast.own_cpu_us_per_request));
    session.judge(Judged::at_most(what, server_cpu(holdfast), " us", 100.0, Some(75.0)).because(basis))
}

pub fn put64_index(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::DynamoDbLocal]);
    let reports = session.compare_over(Shape::Lines, &kinds, |session, server| {
        put_new(session, server, "put64-index", 64, Shape::Lines)
    })?;
    let what = "durable PutItem with one index, 64 connections, against dynoxide on a file";
    judge_against_dynoxide(session, &reports, what, 5.0)
}

pub fn update64(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::DynamoDbLocal]);
    let keys = session.choose(20_000, 1_000);
    let reports = session.compare(&kinds, |session, server| {
        session.measure("update64, filling", server, &Stretch::counted(Mix::PutNew, 0, keys))?;
        session.settle();
        let (warm_up, seconds) = pace(session, server);
        let stretch = Stretch::timed(Mix::Update, 64, keys, warm_up, seconds);
        let report = session.measure("update64", server, &stretch)?;
        counts::check(server, report.each_second.iter().sum())?;
        Ok(report)
    })?;
    let what = "durable UpdateItem, ADD with a condition, 64 connections, against dynoxide on a file";
    judge_against_dynoxide(session, &reports, what, 5.0)
}

pub fn transact16(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::DynamoDbLocal]);
    let (mut bare, mut with_token) = (Vec::new(), Vec::new());
    session.compare_over(Shape::Single, &kinds, |session, server| {
        let (warm_up, seconds) = pace(session, server);
        let stretch = Stretch::timed(Mix::TransactNew, 16, 0, warm_up, seconds);
        bare.push((server.kind, session.measure("transact16", server, &stretch)?));
        session.settle();
        let stretch = Stretch { mix: Mix::TransactToken, first_key: FAR_KEY, ..stretch };
        with_token.push((server.kind, session.measure("transact16, tokens", server, &stretch)?));
        Ok(())
    })?;
    let what = "durable TransactWriteItems of 4 puts, 16 connections, against dynoxide on a file";
    judge_against_dynoxide(session, &bare, what, 4.0)?;
    let what =
        "durable TransactWriteItems of 4 puts with a token, 16 connections, against dynoxide on a file";
    judge_against_dynoxide(session, &with_token, what, 4.0)
}

fn judge_against_dynoxide(
    session: &mut Session<'_>,
    reports: &[(Kind, Report)],
    what: &'static str,
    must: f64,
) -> Result<()> {
    let Some(holdfast) = report_of(reports, Kind::Holdfast) else { return Ok(()) };
    let Some(dynoxide) = report_of(reports, Kind::Dynoxide) else { return Ok(()) };
    let (ratio, basis) = times_faster(holdfast, dynoxide);
    session.judge(Judged::at_least(what, ratio, " x", must, None).because(basis))
}

/// Seconds of warm-up, and of measuring.
fn pace(session: &Session<'_>, server: &Server) -> (f64, f64) {
    let warm_up = if server.kind.warms_up_slowly() { 20.0 } else { 3.0 };
    session.choose((warm_up, 10.0), (0.3, 1.5))
}

pub fn put1(session: &mut Session<'_>) -> Result<()> {
    let mut raw = None;
    let mut reports = Vec::new();
    for kind in rotated(session, [Kind::Holdfast, Kind::Dynoxide, Kind::DynamoDbLocal]) {
        let mut before = 0.0;
        reports.extend(session.compare(&[kind], |session, server| {
            before = session.last_sync().latency.p50_us;
            put_new(session, server, "put1", 1, Shape::Single)
        })?);
        // Raw syncs directly before and after Holdfast, since the disk's pace changes by the minute.
        if kind == Kind::Holdfast {
            raw = Some([before, session.last_sync().latency.p50_us]);
        }
    }
    let (Some(holdfast), Some([before, after])) = (report_of(&reports, Kind::Holdfast), raw) else {
        return Ok(());
    };
    let p50 = holdfast.latency.p50_us;
    let above = p50 - (before + after) / 2.0;
    let basis = format!(
        "p50 {} us, raw sync p50 {} us before, {} us after",
        number(p50),
        number(before),
        number(after)
    );
    let what = "durable PutItem, 1 connection, p50 above raw sync p50";
    session.judge(Judged::at_most(what, above / 1e3, " ms", 0.25, Some(0.12)).because(basis))
}

pub fn history(session: &mut Session<'_>) -> Result<()> {
    // On, off, off, on: a disk that slows down or speeds up meanwhile costs both the same.
    let (on, off) = (Kind::Holdfast, Kind::HoldfastWithoutHistory);
    let keys = session.choose(50_000, 2_000);
    let (warm_up, seconds) = session.choose((2.0, 8.0), (0.3, 1.0));
    let reports = session.compare(&[on, off, off, on], |session, server| {
        session.measure("history, filling", server, &Stretch::counted(Mix::PutNew, 0, keys))?;
        session.measure("history", server, &Stretch::timed(Mix::Overwrite, 64, keys, warm_up, seconds))
    })?;
    let rates = |kind| -> Vec<f64> {
        reports.iter().filter(|(other, _)| *other == kind).map(|(_, report)| report.per_second).collect()
    };
    let (with, without) = (rates(on), rates(off));
    if with.is_empty() || without.is_empty() {
        return Ok(());
    }
    let words = |rates: &[f64]| rates.iter().map(|rate| number(*rate)).collect::<Vec<_>>().join(" and ");
    let ratio = with.iter().sum::<f64>() / without.iter().sum::<f64>();
    let basis = format!("{}/s against {}/s", words(&with), words(&without));
    let what = "overwrites with history against --history off";
    session.judge(Judged::at_least(what, ratio * 100.0, " %", 75.0, Some(85.0)).because(basis))
}

fn put_new(
    session: &mut Session<'_>,
    server: &Server,
    scenario: &str,
    connections: usize,
    shape: Shape,
) -> Result<Report> {
    let (warm_up, seconds) = pace(session, server);
    let stretch = Stretch::timed(Mix::PutNew, connections, 0, warm_up, seconds);
    session.measure(scenario, server, &Stretch { shape, ..stretch })
}
