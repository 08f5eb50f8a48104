//! One run: its folder, its raw log, and the steps that scenarios are made of.

use super::args::{Args, Tools};
use super::describe::{describe, describe_sync};
use super::judge::Judged;
use super::scenario::Scenario;
use super::server::{Kind, Server};
use anyhow::{Context as _, Result, bail};
use holdfast_load::call;
use holdfast_load::generator::Mix;
use holdfast_load::item::Shape;
use holdfast_load::process::{busy_time, load_average};
use holdfast_load::report::{Report, SyncReport};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What programs other than server and generator may use while figures are taken, in cores. Above it, figures are
/// marked as disturbed.
const FOREIGN_CORES_MAX: f64 = 0.25;
/// How long a quiet machine is waited for before each server.
const QUIET_LIMIT: Duration = Duration::from_secs(60);

/// The table that is measured.
pub const TABLE: &str = "bench";

/// What one run brought.
#[derive(Default)]
pub struct Results {
    /// Figures with limits.
    pub judged: Vec<Judged>,
    /// All stretches of load.
    pub figures: Vec<Figure>,
    /// What went wrong, one sentence each.
    pub failures: Vec<String>,
}

/// One stretch of load over one server.
pub struct Figure {
    /// In which scenario.
    pub scenario: String,
    /// Over which server.
    pub server: &'static str,
    /// What was measured.
    pub report: Report,
    /// The raw syncs just before.
    pub sync: SyncReport,
}

/// A stretch of load to be measured.
#[derive(Clone, Copy)]
pub struct Stretch {
    /// Which requests.
    pub mix: Mix,
    /// Which keys the table has.
    pub shape: Shape,
    /// Connections.
    pub connections: usize,
    /// Keys that exist.
    pub keys: u64,
    /// The first new key.
    pub first_key: u64,
    /// The end by count.
    pub count: u64,
    /// The end by time.
    pub seconds: f64,
    /// Time that is not measured.
    pub warm_up: f64,
    /// Whether raw syncs are made beside it.
    pub probe: bool,
}

impl Stretch {
    /// Requests for `seconds` after a warm-up.
    pub fn timed(mix: Mix, connections: usize, keys: u64, warm_up: f64, seconds: f64) -> Stretch {
        let (shape, count) = (Shape::Single, u64::MAX);
        Stretch { mix, shape, connections, keys, first_key: 0, count, seconds, warm_up, probe: false }
    }

    /// `count` requests over 64 connections.
    pub fn counted(mix: Mix, keys: u64, count: u64) -> Stretch {
        Stretch { count, ..Stretch::timed(mix, 64, keys, 0.0, 3600.0) }
    }

    /// The same over a table of lines.
    pub fn of_lines(self) -> Stretch {
        Stretch { shape: Shape::Lines, ..self }
    }
}

/// One run.
pub struct Session<'a> {
    /// The programs.
    pub tools: &'a Tools,
    /// Which run, from 1.
    pub run: usize,
    /// Whether everything is short.
    pub quick: bool,
    folder: PathBuf,
    file: File,
    results: Results,
    folders_made: usize,
    sync: SyncReport,
    million: Option<PathBuf>,
    is_disturbed: bool,
}

impl<'a> Session<'a> {
    /// Makes the run's folder below `work` and its raw file.
    pub fn begin(args: &Args, tools: &'a Tools, work: &Path, run: usize, file: &Path) -> Result<Session<'a>> {
        let folder = work.join(format!("run{run}-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let file = File::create(file).with_context(|| format!("creating {}", file.display()))?;
        let (results, sync) = (Results::default(), SyncReport::default());
        Ok(Session {
            tools,
            run,
            quick: args.quick,
            folder,
            file,
            results,
            folders_made: 0,
            sync,
            million: None,
            is_disturbed: false,
        })
    }

    /// Removes the folder and lets the disk come to rest, so that the next run does not pay for it.
    pub fn end(mut self) -> Result<Results> {
        let results = std::mem::take(&mut self.results);
        let rest = Duration::from_secs(self.choose(15, 1));
        drop(self);
        rustix::fs::sync();
        sleep(rest);
        Ok(results)
    }

    /// `full`, or `quick` in a quick run.
    pub fn choose<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Writes a line to the raw file and to stderr.
    pub fn log(&mut self, line: &str) -> Result<()> {
        say(line);
        writeln!(self.file, "{line}").context("writing the raw file")
    }

    /// Writes a scenario's title; what disturbed the ones before does not count any more.
    pub fn open(&mut self, scenario: Scenario) -> Result<()> {
        self.is_disturbed = false;
        self.log(&format!("\n# {}\n", scenario.title()))
    }

    /// Keeps a figure with its limits.
    pub fn judge(&mut self, mut judged: Judged) -> Result<()> {
        if self.is_disturbed {
            judged.is_disturbed = true;
            judged.basis.push_str(" · DISTURBED by other programs");
        }
        self.log(&judged.render())?;
        self.results.judged.push(judged);
        Ok(())
    }

    /// Keeps what went wrong with a scenario.
    pub fn failed(&mut self, scenario: Scenario, error: &anyhow::Error) -> Result<()> {
        let text = format!("{}, run {}: {error:#}", scenario.name(), self.run);
        self.log(&format!("FAILED {text}"))?;
        self.results.failures.push(text);
        Ok(())
    }

    /// A folder that no server has used.
    pub fn new_folder(&mut self) -> PathBuf {
        self.folders_made += 1;
        self.folder.join(format!("{:03}", self.folders_made))
    }

    /// Lets what was written before reach the disk, and waits until nothing uses the processor, within limits.
    pub fn settle(&self) {
        rustix::fs::sync();
        let step = Duration::from_millis(self.choose(1500, 100));
        let begun = Instant::now();
        loop {
            let before = busy_time().unwrap_or_default();
            sleep(step);
            let busy = busy_time().unwrap_or_default().saturating_sub(before);
            let is_quiet = busy.as_secs_f64() / step.as_secs_f64() <= FOREIGN_CORES_MAX;
            if is_quiet || self.quick || begun.elapsed() > QUIET_LIMIT {
                break;
            }
        }
    }

    /// Raw syncs now; kept beside the figures that follow.
    pub fn raw_sync(&mut self) -> Result<()> {
        self.settle();
        // The file stays until the end of the run: removing it would disturb what follows.
        let path = self.new_folder();
        let seconds = self.choose("1.5", "0.3");
        let mut command = Command::new(&self.tools.load);
        command.arg("sync").arg(path).args(["--seconds", seconds]);
        let report: SyncReport = output_of(&mut command)?;
        let load = load_average();
        self.log(&format!("raw 4 KiB append + fdatasync: {}, load {load:.2}", describe_sync(&report)))?;
        self.sync = report;
        Ok(())
    }

    /// The latest raw syncs.
    pub fn last_sync(&self) -> &SyncReport {
        &self.sync
    }

    /// Starts a server over a folder.
    pub fn start(&self, kind: Kind, folder: &Path) -> Result<Server> {
        Server::start(kind, self.tools, folder).with_context(|| format!("starting {}", kind.name()))
    }

    /// Starts a server over a new folder and makes the table.
    pub fn start_with_table(&mut self, kind: Kind, shape: Shape) -> Result<Server> {
        let folder = self.new_folder();
        let server = self.start(kind, &folder)?;
        create_table(&server, shape)?;
        Ok(server)
    }

    /// Measures a stretch of load; an answer other than 200, a missing item or a lost connection is an error.
    pub fn measure(&mut self, scenario: &str, server: &Server, stretch: &Stretch) -> Result<Report> {
        let report: Report = output_of(&mut self.load_command(server, stretch))?;
        let name = server.kind.name();
        self.log(&format!(
            "{scenario} · {name}: {}\n{}",
            describe(&report),
            serde_json::to_string(&report)?
        ))?;
        if !report.is_clean() {
            bail!("{name}: {}", report.first_error.as_deref().unwrap_or("no answers"));
        }
        self.is_disturbed |= report.machine.foreign_cores > FOREIGN_CORES_MAX;
        let sync = self.sync.clone();
        self.results.figures.push(Figure {
            scenario: scenario.into(),
            server: name,
            report: report.clone(),
            sync,
        });
        Ok(report)
    }

    /// The generator with its arguments.
    pub fn load_command(&mut self, server: &Server, stretch: &Stretch) -> Command {
        let mut command = Command::new(&self.tools.load);
        command.arg("run").arg(server.address.to_string());
        let mut flag = |name: &str, value: String| {
            command.arg(name).arg(value);
        };
        flag("--mix", stretch.mix.name().into());
        flag("--table", TABLE.into());
        flag("--shape", stretch.shape.name().into());
        flag("--pid", server.pid().to_string());
        flag("--connections", stretch.connections.to_string());
        flag("--keys", stretch.keys.to_string());
        flag("--first-key", stretch.first_key.to_string());
        flag("--count", stretch.count.to_string());
        flag("--seconds", stretch.seconds.to_string());
        flag("--warm-up", stretch.warm_up.to_string());
        if stretch.probe {
            command.arg("--probe").arg(self.new_folder());
        }
        command
    }

    /// Does the same with each server in turn, over a table without index; see [`Session::compare_over`].
    pub fn compare(
        &mut self,
        kinds: &[Kind],
        step: impl FnMut(&mut Self, &Server) -> Result<Report>,
    ) -> Result<Vec<(Kind, Report)>> {
        self.compare_over(Shape::Single, kinds, step)
    }

    /// Does the same with each server in turn, raw syncs before each and after the last. A peer that is missing or
    /// fails is passed over with a message; Holdfast is not.
    pub fn compare_over<T>(
        &mut self,
        shape: Shape,
        kinds: &[Kind],
        mut step: impl FnMut(&mut Self, &Server) -> Result<T>,
    ) -> Result<Vec<(Kind, T)>> {
        let mut outcomes = Vec::new();
        for kind in kinds {
            if !kind.is_available(self.tools) {
                self.log(&format!("{}: not given, passed over", kind.name()))?;
                continue;
            }
            self.raw_sync()?;
            let outcome = self.start_with_table(*kind, shape).and_then(|server| {
                let outcome = step(self, &server)?;
                server.stop()?;
                Ok(outcome)
            });
            match outcome {
                Ok(outcome) => outcomes.push((*kind, outcome)),
                Err(error) if matches!(kind, Kind::Dynoxide | Kind::DynamoDbLocal | Kind::Echo) => {
                    let text = format!("{}, run {}: {error:#}", kind.name(), self.run);
                    self.log(&format!("PASSED OVER {text}"))?;
                    self.results.failures.push(text);
                }
                Err(error) => return Err(error),
            }
        }
        self.raw_sync()?;
        Ok(outcomes)
    }

    /// A stopped Holdfast's folder with 1,000,000 items, made once in a run.
    pub fn million(&mut self) -> Result<(PathBuf, u64)> {
        let count = self.choose(1_000_000, 20_000);
        if let Some(folder) = &self.million {
            return Ok((folder.clone(), count));
        }
        let folder = self.new_folder();
        self.raw_sync()?;
        let server = self.start(Kind::Holdfast, &folder)?;
        create_table(&server, Shape::Single)?;
        self.measure("filling", &server, &Stretch::counted(Mix::PutNew, 0, count))?;
        let (took, status) = server.stop()?;
        self.log(&format!("stopped in {:.0} ms with {status}", took.as_secs_f64() * 1e3))?;
        self.million = Some(folder.clone());
        Ok((folder, count))
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            say(&format!("cannot remove {}: {error}", self.folder.display()));
        }
    }
}

/// Writes a line to stderr. A closed stderr is no reason to stop.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs a generator and reads its report.
fn output_of<T: serde::de::DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("running the generator")?;
    if !output.status.success() {
        bail!("the generator ended with {}", output.status);
    }
    serde_json::from_slice(&output.stdout).context("the generator's report")
}

/// Makes the table that is measured.
pub fn create_table(server: &Server, shape: Shape) -> Result<()> {
    if server.kind == Kind::Echo {
        return Ok(());
    }
    let (status, answer) = call::operation(server.address, "CreateTable", &shape.create_table(TABLE))?;
    if status != 200 {
        bail!("CreateTable: {status} {}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}
