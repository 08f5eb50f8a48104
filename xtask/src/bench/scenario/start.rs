//! From starting the process to the first item read: after a clean stop, and after a kill under load.

use crate::bench::judge::{Judged, number};
use crate::bench::server::{Kind, Server};
use crate::bench::session::{Session, Stretch, TABLE};
use anyhow::{Result, bail};
use holdfast_load::call;
use holdfast_load::generator::Mix;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// How often each is measured in one run; the worst counts.
const REPEATS: usize = 3;

pub fn run(session: &mut Session<'_>) -> Result<()> {
    if !Kind::Holdfast.is_available(session.tools) {
        return session.log("holdfast: not given, passed over");
    }
    let (folder, items) = session.million()?;
    let mut clean = Vec::new();
    for _ in 0..REPEATS {
        session.settle();
        let (server, took_ms) = first_answer(session, &folder)?;
        clean.push(took_ms);
        server.stop()?;
    }
    judge(session, "start to first answer with 1,000,000 items, clean", &clean, 300.0, 100.0)?;
    let mut killed = Vec::new();
    for _ in 0..REPEATS {
        let server = session.start(Kind::Holdfast, &folder)?;
        kill_under_load(session, server, items)?;
        session.settle();
        let (server, took_ms) = first_answer(session, &folder)?;
        killed.push(took_ms);
        server.stop()?;
    }
    judge(
        session,
        "start to first answer with 1,000,000 items, after kill -9 under load",
        &killed,
        1000.0,
        500.0,
    )
}

fn judge(session: &mut Session<'_>, what: &'static str, took_ms: &[f64], must: f64, aim: f64) -> Result<()> {
    let worst = took_ms.iter().copied().fold(0.0, f64::max);
    let all = took_ms.iter().map(|ms| number(*ms)).collect::<Vec<_>>().join(", ");
    let basis = format!("{all} ms; files in the page cache");
    session.judge(Judged::at_most(what, worst, " ms", must, Some(aim)).because(basis))
}

/// Starts Holdfast and reads an item; the milliseconds from starting the process until it was there.
fn first_answer(session: &mut Session<'_>, folder: &Path) -> Result<(Server, f64)> {
    let server = session.start(Kind::Holdfast, folder)?;
    let (status, body) = call::get_item(server.address, TABLE, 0)?;
    let took_ms = server.started.elapsed().as_secs_f64() * 1e3;
    if status != 200 || !String::from_utf8_lossy(&body).contains("\"Item\"") {
        bail!("the first answer is {status} {}", String::from_utf8_lossy(&body));
    }
    session.log(&format!("first item read after {} ms", number(took_ms)))?;
    Ok((server, took_ms))
}

fn kill_under_load(session: &mut Session<'_>, server: Server, items: u64) -> Result<()> {
    let stretch = Stretch::timed(Mix::Overwrite, 64, items, 0.0, 60.0);
    let mut load =
        session.load_command(&server, &stretch).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    sleep(Duration::from_millis(session.choose(5000, 1000)));
    let is_loaded = load.try_wait()?.is_none();
    server.kill()?;
    let output = load.wait_with_output()?;
    if !is_loaded {
        bail!("the load ended before the kill: {}", String::from_utf8_lossy(&output.stdout));
    }
    let report: holdfast_load::report::Report = serde_json::from_slice(&output.stdout)?;
    session.log(&format!(
        "killed after {} overwrites at {}/s",
        number(report.requests as f64),
        number(report.per_second)
    ))
}
