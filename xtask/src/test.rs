//! `cargo xtask test`: the README's one test command.
//!
//! Every step of it is a row of [`steps`]: whoever adds a kind of test adds a row there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::tree;

/// Run every check and test of the repository.
#[derive(clap::Args)]
pub struct Args {
    /// The long form: 100,000 simulated crashes, 100 kill -9 rounds, 30 power cuts (hours).
    #[arg(long)]
    thorough: bool,
    /// Only the steps whose name contains this, and of Rust's tests only those whose path contains it.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Go on after a failed step, and fail at the end.
    #[arg(long)]
    keep_going: bool,
}

/// One step: what it is called, the program with its arguments, and when it is skipped.
struct Step {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// Why the step cannot run here. It is then reported as skipped, and does not fail the run.
    skip: Option<String>,
    /// Environment for tests that have a short and a long form.
    environment: Vec<(&'static str, String)>,
}

impl Step {
    fn cargo(name: &'static str, arguments: &[&str]) -> Step {
        Step {
            name,
            program: std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from),
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            skip: None,
            environment: Vec::new(),
        }
    }

    /// A script under `conformance/`, run with the Python that has boto3 and the AWS CLI.
    fn python(name: &'static str, root: &Path, script: &str) -> Step {
        let python = clients_python();
        let mut step = Step::cargo(name, &[script]);
        step.skip = match (&python, root.join(script).is_file()) {
            (_, false) => Some(format!("{script} does not exist")),
            (None, _) => Some("no Python with boto3: see .ci/run".to_owned()),
            _ => None,
        };
        step.program = python.unwrap_or_else(|| PathBuf::from("python3"));
        step
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Step {
        self.environment.push((name, value.to_string()));
        self
    }
}

/// Every step, cheapest first. **Add yours here.**
///
/// Rust tests that need the real binary (kill -9 rounds, power cuts, the full disk, the damage matrix) are integration
/// tests of `crates/holdfast` and `crates/store`; their counts come from the three variables set here.
fn steps(root: &Path, args: &Args) -> Vec<Step> {
    let (crashes, kills, cuts) = if args.thorough { (100_000, 100, 30) } else { (2_000, 10, 5) };
    let rust_tests = if has_nextest() {
        let mut step = Step::cargo("rust tests", &["nextest", "run", "--workspace", "--no-fail-fast"]);
        step.arguments.extend(args.filter.clone());
        step
    } else {
        let mut step = Step::cargo(
            "rust tests",
            &["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"],
        );
        step.arguments.extend(args.filter.clone());
        step
    };
    vec![
        Step::cargo("format", &["fmt", "--all", "--check"]),
        Step::cargo("codegen", &["xtask", "codegen", "--check"]),
        Step::cargo("tidy", &["xtask", "tidy"]),
        Step::cargo("compat", &["xtask", "compat", "--check"]),
        Step::cargo("clippy", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
        // The binary is started by integration tests of other crates and by the clients below.
        Step::cargo("build", &["build", "--package", "holdfast"]),
        rust_tests
            .with("HOLDFAST_TEST_CRASHES", crashes)
            .with("HOLDFAST_TEST_KILLS", kills)
            .with("HOLDFAST_TEST_CUTS", cuts),
        Step::cargo("doc tests", &["test", "--workspace", "--doc"]),
        Step::python("boto3", root, "conformance/boto3_smoke.py"),
        Step::python("aws cli", root, "conformance/aws_cli_smoke.py"),
    ]
}

/// Runs the steps and prints one closing line: `N passed, N failed`, with skipped ones named above it.
///
/// # Errors
/// When a step failed.
pub fn run(args: &Args) -> Result<()> {
    let root = tree::root()?;
    let steps = steps(&root, args);
    let named: Vec<&Step> = match &args.filter {
        Some(text) if steps.iter().any(|step| step.name.contains(text.as_str())) => {
            steps.iter().filter(|step| step.name.contains(text.as_str())).collect()
        }
        // A filter that names no step is for Rust's tests.
        Some(_) => steps.iter().filter(|step| step.name == "rust tests").collect(),
        None => steps.iter().collect(),
    };
    let (mut passed, mut failed, mut skipped) = (0, Vec::new(), 0);
    for step in named {
        if let Some(reason) = &step.skip {
            println!("== {}: skipped: {reason}", step.name);
            skipped += 1;
            continue;
        }
        println!("== {}", step.name);
        let began = Instant::now();
        let status = Command::new(&step.program)
            .args(&step.arguments)
            .envs(step.environment.iter().map(|(name, value)| (*name, value)))
            .current_dir(&root)
            .stdin(Stdio::null())
            .status();
        let ok = matches!(&status, Ok(status) if status.success());
        let outcome = if ok { "passed" } else { "FAILED" };
        println!("== {}: {outcome} in {:.1} s", step.name, began.elapsed().as_secs_f64());
        if ok {
            passed += 1;
            continue;
        }
        if let Err(error) = status {
            println!("   {}: {error}", step.program.display());
        }
        failed.push(step.name);
        if !args.keep_going {
            break;
        }
    }
    if !failed.is_empty() {
        println!("failed: {}", failed.join(", "));
    }
    println!("{passed} passed, {} failed, {skipped} skipped", failed.len());
    if failed.is_empty() { Ok(()) } else { bail!("not every step passed") }
}

fn has_nextest() -> bool {
    Command::new("cargo")
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The Python that `.ci/run` prepared, or the system's where it has boto3.
fn clients_python() -> Option<PathBuf> {
    let prepared =
        std::env::var_os("HOLDFAST_CI_PYTHON").map(|folder| PathBuf::from(folder).join("bin/python3"));
    prepared.into_iter().chain([PathBuf::from("python3")]).find(|python| {
        Command::new(python)
            .args(["-c", "import boto3"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thorough_asks_for_more_and_a_filter_reaches_the_tests() {
        let args = Args { thorough: true, filter: Some("torn_tail".to_owned()), keep_going: false };
        let steps = steps(Path::new("/nowhere"), &args);
        let rust = steps.iter().find(|step| step.name == "rust tests").unwrap();
        assert!(rust.environment.contains(&("HOLDFAST_TEST_CRASHES", "100000".to_owned())));
        assert_eq!(rust.arguments.last().map(String::as_str), Some("torn_tail"));
        assert!(steps.iter().filter(|step| step.name == "boto3").all(|step| step.skip.is_some()));
    }
}
