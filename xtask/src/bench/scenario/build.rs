//! How long a clean build of the release binary takes, crates already downloaded.

use crate::bench::args::cargo;
use crate::bench::judge::Judged;
use crate::bench::session::Session;
use anyhow::{Result, bail};
use holdfast_load::process::load_average;
use std::process::{Command, Stdio};
use std::time::Instant;

pub fn run(session: &mut Session<'_>) -> Result<()> {
    let folder = session.new_folder();
    let load = load_average();
    let begun = Instant::now();
    let mut command = Command::new(cargo());
    command.current_dir(&session.tools.root).args([
        "build",
        "--release",
        "--locked",
        "--quiet",
        "-p",
        "holdfast",
    ]);
    let status = command.arg("--target-dir").arg(folder).stdin(Stdio::null()).status()?;
    if !status.success() {
        bail!("cargo build ended with {status}");
    }
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    let what = "clean build of the release binary";
    session.judge(
        Judged::at_most(what, minutes, " min", 5.0, Some(3.0))
            .because(format!("load {load:.2} at the start")),
    )
}
