//! The load generator's command line. Prints its report as one line of JSON.

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use holdfast_load::generator::{Load, Mix, run};
use holdfast_load::item::Shape;
use holdfast_load::{call, probe};
use serde::Serialize;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Closed-loop DynamoDB load over HTTP/1.1, and raw synced appends.
#[derive(Parser)]
#[command(name = "holdfast-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sends requests and measures them.
    Run(RunArgs),
    /// Appends 4 KiB and syncs, again and again.
    Sync {
        /// A file that does not exist; it is left in place.
        path: PathBuf,
        /// For how many seconds.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
    },
    /// Calls one DynamoDB operation and prints status and body.
    Call {
        /// Address and port of the server.
        address: SocketAddr,
        /// For example CreateTable.
        operation: String,
        /// The JSON body.
        body: String,
    },
}

#[derive(Args)]
struct RunArgs {
    /// Address and port of the server; loopback only.
    address: SocketAddr,
    /// Which requests to send.
    #[arg(long)]
    mix: MixName,
    /// Process id of the server, to read its processor time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// The table.
    #[arg(long, default_value = "bench")]
    table: String,
    /// Which keys the table has.
    #[arg(long, default_value = "single")]
    shape: ShapeName,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How many keys exist, for everything that does not write new ones.
    #[arg(long, default_value_t = 0)]
    keys: u64,
    /// Number of the first new key, for everything that writes new ones.
    #[arg(long, default_value_t = 0)]
    first_key: u64,
    /// End after so many requests.
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// End after so many seconds beside the warm-up.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// Seconds that are not measured.
    #[arg(long, default_value_t = 0.0)]
    warm_up: f64,
    /// A file that does not exist, for raw syncs during the load.
    #[arg(long)]
    probe: Option<PathBuf>,
    /// Milliseconds between raw syncs during the load.
    #[arg(long, default_value_t = 50)]
    probe_pause_ms: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum MixName {
    PutNew,
    Overwrite,
    Get,
    Mixed,
    BatchNew,
    QueryTable,
    QueryIndex,
    Scan,
    ScanFilter,
    Update,
    TransactNew,
    TransactToken,
}

#[derive(Clone, Copy, ValueEnum)]
enum ShapeName {
    Single,
    Lines,
}

impl RunArgs {
    fn load(self) -> Result<Load> {
        let mix = match self.mix {
            MixName::PutNew => Mix::PutNew,
            MixName::Overwrite => Mix::Overwrite,
            MixName::Get => Mix::Get,
            MixName::Mixed => Mix::Mixed,
            MixName::BatchNew => Mix::BatchNew,
            MixName::QueryTable => Mix::QueryTable,
            MixName::QueryIndex => Mix::QueryIndex,
            MixName::Scan => Mix::Scan,
            MixName::ScanFilter => Mix::ScanFilter,
            MixName::Update => Mix::Update,
            MixName::TransactNew => Mix::TransactNew,
            MixName::TransactToken => Mix::TransactToken,
        };
        let shape = match self.shape {
            ShapeName::Single => Shape::Single,
            ShapeName::Lines => Shape::Lines,
        };
        Ok(Load {
            address: self.address,
            pid: self.pid,
            table: self.table,
            shape,
            connections: self.connections,
            threads: self.threads,
            mix,
            keys: self.keys,
            first_key: self.first_key,
            count: self.count,
            limit: Duration::try_from_secs_f64(self.seconds)?,
            warm_up: Duration::try_from_secs_f64(self.warm_up)?,
            probe: self.probe.map(|path| (path, Duration::from_millis(self.probe_pause_ms))),
        })
    }
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Run(args) => print(&run(&args.load()?)?),
        Command::Sync { path, seconds } => print(&probe::run(&path, Duration::try_from_secs_f64(seconds)?)?),
        Command::Call { address, operation, body } => {
            let (status, body) = call::operation(address, &operation, &body)?;
            writeln!(std::io::stdout(), "{status} {}", String::from_utf8_lossy(&body))?;
            Ok(())
        }
    }
}

fn print(report: &impl Serialize) -> Result<()> {
    writeln!(std::io::stdout(), "{}", serde_json::to_string(report)?)?;
    Ok(())
}
