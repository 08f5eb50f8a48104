//! `cargo xtask test`: the README's one test command.
//!
//! Every step of it is a row of [`steps`]: whoever adds a kind of test adds a row there.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::tree;

/// Run every check and test of the repository.
#[derive(clap::Args)]
pub struct Args {
    /// The long form: 100,000 simulated crashes, 100 kill -9 rounds, 30 power cuts, 1,000,000 listings (hours).
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
        step.with("PYTHONDONTWRITEBYTECODE", 1)
    }

    /// As [`Step::python`], for a script that runs programs of Node.js.
    fn node(name: &'static str, root: &Path, script: &str) -> Step {
        let mut step = Step::python(name, root, script);
        if step.skip.is_none() && !has_node(root) {
            step.skip = Some("no Node.js with the packages of conformance/node: see .ci/run".to_owned());
        }
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
/// tests of `crates/holdfast` and `crates/store`; their counts come from the variables set here. They say on stderr
/// what they counted, and what they skip where file systems of one's own cannot be mounted.
fn steps(root: &Path, args: &Args) -> Vec<Step> {
    let (crashes, kills, cuts) = if args.thorough { (100_000, 100, 30) } else { (2_000, 10, 5) };
    let listings = if args.thorough { 1_000_000 } else { 100_000 };
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
            .with("HOLDFAST_TEST_CUTS", cuts)
            .with("HOLDFAST_TEST_LISTINGS", listings),
        Step::cargo("doc tests", &["test", "--workspace", "--doc"]),
        Step::python("boto3", root, "conformance/boto3_smoke.py"),
        Step::python("boto3 indexes", root, "conformance/boto3_indexes.py"),
        Step::python("boto3 conditions", root, "conformance/boto3_conditions.py"),
        Step::python("first user", root, "conformance/harborlist_replay.py"),
        Step::python("first user's refusals", root, "conformance/harborlist_refusals.py"),
        Step::python("pynamodb", root, "conformance/mapper_pynamodb.py"),
        Step::python("aws cli", root, "conformance/aws_cli_smoke.py"),
        Step::python("aws cli items", root, "conformance/aws_cli_items.py"),
        Step::python("aws cli tables", root, "conformance/aws_cli_harborlist.py"),
        Step::node("node", root, "conformance/node_clients.py"),
    ]
}

/// Runs the steps and prints one closing line: `N passed, N failed`, counting tests where a runner reports them.
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
    let mut total = Count::default();
    let (mut failed, mut skipped) = (Vec::new(), 0);
    for step in named {
        if let Some(reason) = &step.skip {
            println!("== {}: skipped: {reason}", step.name);
            skipped += 1;
            continue;
        }
        println!("== {}", step.name);
        let began = Instant::now();
        let (ok, count) = execute(step, &root);
        let outcome = if ok { "passed" } else { "FAILED" };
        println!("== {}: {outcome} in {:.1} s", step.name, began.elapsed().as_secs_f64());
        total.add(count, ok);
        if !ok {
            failed.push(step.name);
            if !args.keep_going {
                break;
            }
        }
    }
    if skipped > 0 {
        println!("{skipped} step(s) skipped, see above");
    }
    if !failed.is_empty() {
        println!("failed: {}", failed.join(", "));
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if failed.is_empty() { Ok(()) } else { bail!("not every step passed") }
}

/// Tests counted: those a test runner reports, or one for a step that reports none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
}

impl Count {
    fn add(&mut self, step: Count, ok: bool) {
        if step == Count::default() {
            self.passed += u64::from(ok);
            self.failed += u64::from(!ok);
        } else {
            self.passed += step.passed;
            // A runner that died without naming a failed test has failed all the same.
            self.failed += if ok { step.failed } else { step.failed.max(1) };
        }
    }

    /// What a closing line of cargo's runner (`test result: ok. 3 passed; 0 failed; ..`) or of nextest
    /// (`Summary [ 1.2s] 3 tests run: 3 passed, 0 failed, ..`) adds.
    fn read(&mut self, line: &str) {
        let plain = line.trim();
        if !plain.starts_with("test result:") && !plain.starts_with("Summary [") {
            return;
        }
        let mut number = 0;
        for word in plain.split(|c: char| c.is_whitespace() || c == ';' || c == ',') {
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                word => number = word.parse().unwrap_or(number),
            }
        }
    }
}

/// Runs one step; its output goes to the terminal line by line. Says whether it succeeded, and what it counted.
fn execute(step: &Step, root: &Path) -> (bool, Count) {
    let spawned = Command::new(&step.program)
        .args(&step.arguments)
        .envs(step.environment.iter().map(|(name, value)| (*name, value)))
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut count = Count::default();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            println!("   {}: {error}", step.program.display());
            return (false, count);
        }
    };
    for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
        let Ok(line) = line else { break };
        count.read(&line);
        println!("{line}");
    }
    (child.wait().is_ok_and(|status| status.success()), count)
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

/// Whether Node.js is here, with the packages that `.ci/run` installs.
fn has_node(root: &Path) -> bool {
    let folder =
        std::env::var_os("HOLDFAST_CI_NODE").map_or_else(|| root.join("conformance/node"), PathBuf::from);
    let runs = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    folder.join("node_modules/@aws-sdk/client-dynamodb").is_dir() && runs.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_counted() {
        let mut count = Count::default();
        count.read(
            "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.5s",
        );
        count.read("     Summary [   1.234s] 5 tests run: 4 passed, 1 failed, 2 skipped");
        count.read("7 passed");
        assert_eq!(count, Count { passed: 16, failed: 2 });
        let mut total = Count::default();
        total.add(Count::default(), true);
        total.add(count, false);
        total.add(Count { passed: 1, failed: 0 }, false);
        assert_eq!(total, Count { passed: 18, failed: 3 });
    }

    #[test]
    fn thorough_asks_for_more_and_a_filter_reaches_the_tests() {
        let args = Args { thorough: true, filter: Some("torn_tail".to_owned()), keep_going: false };
        let steps = steps(Path::new("/nowhere"), &args);
        let rust = steps.iter().find(|step| step.name == "rust tests").unwrap();
        for (name, count) in
            [("HOLDFAST_TEST_CRASHES", 100_000), ("HOLDFAST_TEST_KILLS", 100), ("HOLDFAST_TEST_CUTS", 30)]
        {
            assert!(rust.environment.contains(&(name, count.to_string())), "{name}");
        }
        assert_eq!(rust.arguments.last().map(String::as_str), Some("torn_tail"));
        assert!(steps.iter().filter(|step| step.name == "boto3").all(|step| step.skip.is_some()));
    }
}
