//! `cargo xtask bench`: Holdfast beside its peers, interleaved in one run on one machine, judged against the limits
//! that BENCHMARKS.md promises.
//!
//! # Layout
//! - `args`: the command line
//! - `server`: starting, finding and ending the servers that are measured
//! - `session`: one run: its folder, its log, measuring, settling
//! - `machine`: what the figures were taken on
//! - `scenario`: what is done to the servers, one file for each group of limits
//! - `describe`: reports in words; `judge`: a figure against its limits
//! - `summary`: all runs as tables in Markdown
//!
//! Everything is timed by `holdfast-load`, in a process of its own. Peers are never downloaded: where one is not
//! given by its flag or variable, the run says so and goes on.

mod args;
mod describe;
mod judge;
mod machine;
mod scenario;
mod server;
mod session;
mod summary;

pub use args::Args;

use anyhow::{Context as _, Result};
use args::{Folders, Tools};
use machine::Machine;
use scenario::Scenario;
use session::{Results, Session};
use std::fs;

/// Runs the chosen scenarios as often as asked for and writes one raw file for each run, and a summary.
pub fn run(args: &Args) -> Result<()> {
    let folders = Folders::locate(args)?;
    let tools = Tools::prepare(args, &folders)?;
    fs::create_dir_all(&folders.results)?;
    let files: Vec<_> =
        (1..=args.runs).map(|run| folders.results.join(args.file_name(&format!("run{run}")))).collect();
    if let Some(taken) = files.iter().find(|file| file.exists() && !args.quick) {
        anyhow::bail!("{} exists already; give another --label", taken.display());
    }
    let machine = Machine::look(&folders.work, &tools);
    if machine.is_memory_disk() {
        anyhow::bail!(
            "{} is on {}, where syncing costs nothing; give --work-dir on a disk",
            folders.work.display(),
            machine.file_system
        );
    }
    let mut results = Vec::new();
    let mut text = String::new();
    let summary = folders.results.join(args.file_name("summary").replace(".txt", ".md"));
    for (run, file) in (1..).zip(&files) {
        results.push(one_run(args, &tools, &folders, &machine, run, file)?);
        // After each run, so that one that is broken off costs only itself.
        text = summary::render(args, &machine, &results);
        fs::write(&summary, &text).with_context(|| format!("writing {}", summary.display()))?;
    }
    session::say(&format!("\n{text}"));
    Ok(())
}

fn one_run(
    args: &Args,
    tools: &Tools,
    folders: &Folders,
    machine: &Machine,
    run: usize,
    file: &std::path::Path,
) -> Result<Results> {
    let mut session = Session::begin(args, tools, &folders.work, run, file)?;
    session.log(&machine.render(&args.command()))?;
    for scenario in Scenario::chosen(&args.scenarios) {
        session.open(scenario)?;
        // One scenario that fails must not cost the figures of the others: it is written down.
        if let Err(error) = scenario.run(&mut session) {
            session.failed(scenario, &error)?;
        }
    }
    session.end()
}
