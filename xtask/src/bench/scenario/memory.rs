//! Resident memory: idle, idle over stored items, and under load.

use crate::bench::judge::{Judged, number};
use crate::bench::server::{Kind, Server};
use crate::bench::session::{Session, Stretch, create_table};
use anyhow::{Context as _, Result};
use holdfast_load::generator::Mix;
use holdfast_load::item::Shape;
use holdfast_load::process::{cpu_of, resident_of};
use std::thread::sleep;
use std::time::{Duration, Instant};

pub fn run(session: &mut Session<'_>) -> Result<()> {
    if !Kind::Holdfast.is_available(session.tools) {
        return session.log("holdfast: not given, passed over");
    }
    empty(session)?;
    over_items(session)?;
    under_load(session)
}

fn empty(session: &mut Session<'_>) -> Result<()> {
    let folder = session.new_folder();
    let server = session.start(Kind::Holdfast, &folder)?;
    let (megabytes, percent) = idle(session, &server)?;
    server.stop()?;
    let basis = format!("{} % of a core", number(percent));
    session.judge(
        Judged::at_most("resident memory, idle and empty", megabytes, " MB", 30.0, Some(20.0)).because(basis),
    )
}

fn over_items(session: &mut Session<'_>) -> Result<()> {
    let count = session.choose(100_000, 5_000);
    let folder = session.new_folder();
    let server = session.start(Kind::Holdfast, &folder)?;
    create_table(&server, Shape::Single)?;
    session.measure("memory, filling", &server, &Stretch::counted(Mix::PutNew, 0, count))?;
    server.stop()?;
    session.settle();
    let server = session.start(Kind::Holdfast, &folder)?;
    let (megabytes, percent) = idle(session, &server)?;
    server.stop()?;
    let what = "resident memory, idle after a start over 100,000 items";
    session.judge(Judged::at_most(what, megabytes, " MB", 30.0, Some(20.0)))?;
    let what = "CPU, idle after a start over 100,000 items";
    session.judge(Judged::at_most(what, percent, " % of a core", 1.0, None))
}

fn under_load(session: &mut Session<'_>) -> Result<()> {
    let (folder, items) = session.million()?;
    session.raw_sync()?;
    let server = session.start(Kind::Holdfast, &folder)?;
    let seconds = session.choose(20.0, 1.5);
    let report = session.measure("memory", &server, &Stretch::timed(Mix::Mixed, 64, items, 0.0, seconds))?;
    server.stop()?;
    let most = report.server.context("no process id")?.resident_max as f64 / 1e6;
    let basis = "half gets, half overwrites, 64 connections";
    let what = "resident memory under load with 1,000,000 items";
    session.judge(Judged::at_most(what, most, " MB", 300.0, Some(200.0)).because(basis))
}

/// Resident megabytes, and percent of a core, of a server that is left alone.
fn idle(session: &mut Session<'_>, server: &Server) -> Result<(f64, f64)> {
    sleep(Duration::from_secs(session.choose(5, 1)));
    let (before, begun) = (cpu_of(server.pid())?, Instant::now());
    sleep(Duration::from_secs(session.choose(20, 2)));
    let used = cpu_of(server.pid())?.saturating_sub(before);
    let percent = used.as_secs_f64() / begun.elapsed().as_secs_f64() * 100.0;
    let megabytes = resident_of(server.pid())? as f64 / 1e6;
    session.log(&format!("idle: {} MB, {} % of a core", number(megabytes), number(percent)))?;
    Ok((megabytes, percent))
}
