//! The command line of `cargo xtask bench`, and what it needs before it can start.

use super::scenario::Scenario;
use anyhow::{Context as _, Result, bail};
use holdfast_load::call::civil;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Measure Holdfast beside its peers.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// What to measure; everything but the build when none is named.
    #[arg(value_enum)]
    pub scenarios: Vec<Scenario>,
    /// How often all of it is repeated.
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// A few seconds and few items everywhere: shows that everything works, proves nothing.
    #[arg(long)]
    pub quick: bool,
    /// Begins the names of the result files; the date when not given.
    #[arg(long)]
    pub label: Option<String>,
    /// The dynoxide program (dynoxide-rs 3.2.0), to compare with.
    #[arg(long, env = "HOLDFAST_BENCH_DYNOXIDE")]
    pub dynoxide: Option<PathBuf>,
    /// The folder with the jars of DynamoDB Local 3.x and its dependencies, to compare with.
    #[arg(long, env = "HOLDFAST_BENCH_DYNAMODB_LOCAL")]
    pub dynamodb_local: Option<PathBuf>,
    /// A built holdfast instead of the one that is built now.
    #[arg(long)]
    pub holdfast: Option<PathBuf>,
    /// A built echo example instead of the one that is built now.
    #[arg(long)]
    pub echo: Option<PathBuf>,
    /// Measure peers only.
    #[arg(long)]
    pub no_holdfast: bool,
    /// Where data directories are made and removed; must be on a disk. The target directory when not given.
    #[arg(long)]
    pub work_dir: Option<PathBuf>,
    /// Where the result files go; bench/results when not given.
    #[arg(long)]
    pub results_dir: Option<PathBuf>,
}

impl Args {
    /// The command as it would be typed, without paths of this machine.
    pub fn command(&self) -> String {
        let mut command = String::from("cargo xtask bench");
        for scenario in &self.scenarios {
            command.push(' ');
            command.push_str(scenario.name());
        }
        command.push_str(&format!(" --runs {}", self.runs));
        command.push_str(if self.quick { " --quick" } else { "" });
        command
    }

    /// The name of a result file.
    pub fn file_name(&self, part: &str) -> String {
        let label = self.label.clone().unwrap_or_else(today);
        let quick = if self.quick { "-quick" } else { "" };
        format!("{label}{quick}-{part}.txt")
    }
}

/// The date as year-month-day, UTC.
pub fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Folders of this checkout.
pub struct Folders {
    /// The root of the workspace.
    pub root: PathBuf,
    /// Where Cargo builds.
    pub target: PathBuf,
    /// Where data directories are made.
    pub work: PathBuf,
    /// Where results go.
    pub results: PathBuf,
}

impl Folders {
    /// Asks Cargo.
    pub fn locate(args: &Args) -> Result<Folders> {
        let output =
            Command::new(cargo()).args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
        let folder = |name: &str| {
            metadata[name].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata: {name}"))
        };
        let (root, target) = (folder("workspace_root")?, folder("target_directory")?);
        let work = args.work_dir.clone().unwrap_or_else(|| target.join("bench"));
        let results = args.results_dir.clone().unwrap_or_else(|| root.join("bench").join("results"));
        std::fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;
        Ok(Folders { root, target, work, results })
    }
}

/// The programs that are run.
pub struct Tools {
    /// The load generator.
    pub load: PathBuf,
    /// The release binary of Holdfast; `None` when it is not to be measured.
    pub holdfast: Option<PathBuf>,
    /// The bare HTTP server that answers with fixed bytes.
    pub echo: Option<PathBuf>,
    /// dynoxide.
    pub dynoxide: Option<PathBuf>,
    /// The folder with DynamoDB Local's jars.
    pub dynamodb_local: Option<PathBuf>,
    /// The root of the workspace, where Cargo is run.
    pub root: PathBuf,
}

impl Tools {
    /// Builds what is ours and looks for what is not.
    pub fn prepare(args: &Args, folders: &Folders) -> Result<Tools> {
        let release = folders.target.join("release");
        build(&folders.root, &["-p", "holdfast-load"])?;
        let holdfast = match (&args.holdfast, args.no_holdfast) {
            (_, true) => None,
            (Some(path), _) => Some(existing(path)?),
            (None, _) => {
                build(&folders.root, &["-p", "holdfast"])?;
                Some(existing(&release.join("holdfast"))?)
            }
        };
        let echo = match &args.echo {
            Some(path) => Some(existing(path)?),
            None if folders.root.join("crates/holdfast/examples/echo.rs").exists() && !args.no_holdfast => {
                build(&folders.root, &["-p", "holdfast", "--example", "echo"])?;
                Some(release.join("examples").join("echo"))
            }
            None => None,
        };
        Ok(Tools {
            load: existing(&release.join("holdfast-load"))?,
            holdfast,
            echo,
            dynoxide: args.dynoxide.as_deref().map(existing).transpose()?,
            dynamodb_local: args.dynamodb_local.as_deref().map(existing).transpose()?,
            root: folders.root.clone(),
        })
    }
}

fn build(root: &Path, what: &[&str]) -> Result<()> {
    let status = Command::new(cargo())
        .current_dir(root)
        .args(["build", "--release", "--quiet"])
        .args(what)
        .status()?;
    if !status.success() {
        bail!("cargo build --release {} failed", what.join(" "));
    }
    Ok(())
}

/// The cargo that runs this program.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The absolute path, since servers are started in other folders.
fn existing(path: &Path) -> Result<PathBuf> {
    path.canonicalize().with_context(|| format!("looking for {}", path.display()))
}
