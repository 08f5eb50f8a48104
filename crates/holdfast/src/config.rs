//! The command line. Every flag has an environment variable.

use crate::admin::clock::{Duration, Time};
use crate::admin::past::{At, VERSIONS_MAX};
use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use holdfast_aws::context::IsolateBy;
use std::path::PathBuf;
use std::str::FromStr;

/// One durable local server that answers as DynamoDB.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do; without one, `serve`.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Flags of `serve`.
    #[command(flatten)]
    pub serve: Serve,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start the server (the default).
    Serve(Serve),
    /// Show where the data are, how large everything is, and what holds the server up.
    Status(Status),
    /// Print what makes AWS's clients in this shell talk to the running server: `eval "$(holdfast env)"`.
    Env(Env),
    /// Look for damage. Of a stopped directory it changes nothing.
    Doctor(Doctor),
    /// Show the versions of an item, newest first, or the item as it was.
    History(History),
    /// Show the service clock, or stop, move and resume it: the clock of every time that clients see, and of expiry.
    Clock(Clock),
    /// Take away old history, to make room.
    Trim(Trim),
    /// Drop every table. What they held stays in history, if the past is kept.
    Reset(Reset),
}

/// A port, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// Listen here; 0 is any free port.
    On(u16),
    /// Do not listen.
    Off,
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        text.parse().map(Self::On).map_err(|_| format!("`{text}` is neither a port (0 to 65535) nor `off`"))
    }
}

/// How long history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Milliseconds.
    Keep(u64),
    /// None at all.
    Off,
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let error = || format!("`{text}` is neither `off` nor a time such as 30m, 12h or 7d");
        let unit_at = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at)).ok_or_else(error)?;
        let (number, unit) = text.split_at(unit_at);
        let unit_ms = match unit {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(error()),
        };
        let number: u64 = number.parse().map_err(|_| error())?;
        number.checked_mul(unit_ms).map(Self::Keep).ok_or_else(error)
    }
}

/// Whether signatures are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sigv4 {
    /// Every request must be signed with a known secret.
    Required,
    /// Any access key is taken at its word.
    Off,
}

/// What separates the tables of clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Isolation(pub IsolateBy);

impl FromStr for Isolation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut isolate_by = IsolateBy::default();
        for name in text.split(',').map(str::trim) {
            match name {
                "key" => isolate_by.key = true,
                "region" => isolate_by.region = true,
                // A variable that is there and empty says nothing.
                "" | "none" => {}
                _ => return Err(format!("`{name}` is none of `key`, `region` and `none`")),
            }
        }
        Ok(Self(isolate_by))
    }
}

/// What never shows: neither in messages nor in `Debug`.
#[derive(Clone)]
pub struct Hidden(pub String);

impl FromStr for Hidden {
    type Err = std::convert::Infallible;

    /// Takes any text: a message about what is wrong with it would repeat it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

/// Flags of `serve`.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Where the data live; made if it does not exist.
    #[arg(long, env = "HOLDFAST_DATA_DIR", default_value = "./holdfast-data")]
    pub data_dir: PathBuf,
    /// Keep everything in memory, and nothing when the server ends.
    #[arg(long, env = "HOLDFAST_IN_MEMORY", value_parser = FalseyValueParser::new(), conflicts_with = "require_existing")]
    pub in_memory: bool,
    /// Refuse to start where there is no store yet.
    #[arg(long, env = "HOLDFAST_REQUIRE_EXISTING", value_parser = FalseyValueParser::new())]
    pub require_existing: bool,
    /// Address to listen on.
    #[arg(long, env = "HOLDFAST_HOST", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,
    /// Port of every service (0: any free port, off: none).
    #[arg(long, env = "HOLDFAST_PORT", default_value = "4566")]
    pub port: Port,
    /// Port of DynamoDB.
    #[arg(long, env = "HOLDFAST_DYNAMODB_PORT", default_value = "8000")]
    pub dynamodb_port: Port,
    /// Port of the page, health and metrics.
    #[arg(long, env = "HOLDFAST_CONSOLE_PORT", default_value = "8001")]
    pub console_port: Port,
    /// Names by which the console's port may be asked, beside localhost and this machine's addresses: a page of another
    /// site that lets its name point here is refused. For containers that ask each other by name.
    #[arg(long, env = "HOLDFAST_CONSOLE_HOSTS", value_delimiter = ',')]
    pub console_hosts: Vec<String>,
    /// Port of the mail catcher. There is none yet: only `off` is accepted.
    #[arg(long, env = "HOLDFAST_SMTP_PORT", default_value = "off")]
    pub smtp_port: Port,
    /// How long the past is kept (30m, 12h, 7d), or off.
    #[arg(long, env = "HOLDFAST_HISTORY", default_value = "7d")]
    pub history: Window,
    /// Most bytes of history.
    #[arg(long, env = "HOLDFAST_HISTORY_BYTES")]
    pub history_bytes: Option<u64>,
    /// Bytes of the disk that ordinary writes leave free (default: the less of 256 MiB and 10 %).
    #[arg(long, env = "HOLDFAST_RESERVE")]
    pub reserve: Option<u64>,
    /// Bytes in memory at which recent writes become a table (default: 16 MiB). Small values are for tests.
    #[arg(long, env = "HOLDFAST_MEMTABLE_BYTES", hide = true)]
    pub memtable_bytes: Option<u64>,
    /// Let tables show CREATING and DELETING for two seconds, as AWS does for longer. Without it they are there, or gone, at
    /// once.
    #[arg(long, env = "HOLDFAST_DELAY_TRANSIENT_STATUSES", value_parser = FalseyValueParser::new())]
    pub delay_transient_statuses: bool,
    /// Let each access key (`key`), each region (`region`) or each pair of both (`key,region`) see its own tables, as DynamoDB
    /// Local does without -sharedDb. Without it, or with `none`, everybody sees the same ones.
    #[arg(
        long,
        env = "HOLDFAST_ISOLATE_BY",
        value_name = "key,region",
        default_value = "none",
        hide_default_value = true
    )]
    pub isolate_by: Isolation,
    /// Services that clients will ask for, as LocalStack is told: those that are not there are announced as unavailable.
    #[arg(long, env = "SERVICES", value_delimiter = ',')]
    pub services: Vec<String>,
    /// Whether every request must be signed with the secret of a known access key.
    #[arg(long, env = "HOLDFAST_SIGV4", value_enum, default_value_t = Sigv4::Off)]
    pub sigv4: Sigv4,
    /// An access key and its secret, `KEY:SECRET`, for `--sigv4 required`; may be given several times. Without any, `test`
    /// with the secret `test` is known. Other users of this machine can read the command line, not the environment.
    #[arg(
        long = "access-key",
        value_name = "KEY:SECRET",
        env = "HOLDFAST_ACCESS_KEYS",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub access_keys: Vec<Hidden>,
    /// Origins whose pages may talk to the services from a browser, such as http://localhost:3000, separated by commas, or *
    /// for every page of every site. Without it none may. Never holds for the console's port.
    #[arg(long, env = "HOLDFAST_CORS", value_name = "ORIGINS", value_delimiter = ',')]
    pub cors: Vec<String>,
    /// Print one line of JSON when ready.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// The directory that a verb works on, through the server that uses it, if one does.
#[derive(Debug, Clone, Args)]
pub struct DataDir {
    /// Where the data live.
    #[arg(long, env = "HOLDFAST_DATA_DIR", default_value = "./holdfast-data", global = true)]
    data_dir: PathBuf,
}

impl DataDir {
    /// The directory as an absolute path, so that messages name it fully.
    ///
    /// # Errors
    /// If the current directory is not known.
    pub fn absolute(&self) -> std::io::Result<PathBuf> {
        std::path::absolute(&self.data_dir)
    }
}

/// Flags of `status`.
#[derive(Debug, Clone, Args)]
pub struct Status {
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// Print one JSON object.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// A shell that `env` writes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// POSIX shells: sh, bash, zsh, dash.
    Sh,
    /// fish: `holdfast env --shell fish | source`.
    Fish,
    /// PowerShell: `holdfast env --shell powershell | Out-String | Invoke-Expression`.
    Powershell,
}

/// Flags of `env`.
#[derive(Debug, Clone, Args)]
pub struct Env {
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// Whose language to write.
    #[arg(long, value_enum, default_value = "sh")]
    pub shell: Shell,
    /// Print one JSON object of names and values.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Flags of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct Doctor {
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// Look also at every item, every row of an index against its item both ways, and every counter.
    #[arg(long, conflicts_with = "accept_loss")]
    pub deep: bool,
    /// Give up acknowledged writes that are proven to be lost, so that the store can start again. Says which.
    #[arg(long)]
    pub accept_loss: bool,
    /// Print one JSON object.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Flags of `history`.
#[derive(Debug, Clone, Args)]
pub struct History {
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// The table. One that was deleted is found too, as long as history reaches.
    pub table: String,
    /// The key: `{"id":{"S":"a"}}`, or `id=a`, `id=a,at=5` (partition key first), or the value alone where there is only a
    /// partition key. Binaries are base64.
    #[arg(allow_hyphen_values = true)]
    pub key: String,
    /// Print the item as of this version, or as of this time (2026-11-24T13:05:59.123Z), as DynamoDB's JSON.
    #[arg(long)]
    pub at: Option<At>,
    /// The access key whose table is meant, where keys have tables of their own (`serve --isolate-by key`). Without it and
    /// `--of-region` everybody's table is meant, or the only one of that name.
    #[arg(long, value_name = "KEY")]
    pub of_key: Option<String>,
    /// The region whose table is meant, where regions have tables of their own (`serve --isolate-by region`).
    #[arg(long, value_name = "REGION")]
    pub of_region: Option<String>,
    /// Most versions that are shown.
    #[arg(long, default_value = "100", conflicts_with = "at", value_parser = clap::value_parser!(u32).range(1..=VERSIONS_MAX as i64))]
    pub limit: u32,
    /// Print one JSON object.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Flags of `clock`.
///
/// What it is about is one setting of the store: it stays over restarts, and each change of it is an operation with a version.
/// History, retention and signatures go by the real clock all the same.
#[derive(Debug, Clone, Args)]
pub struct Clock {
    /// What to do; without one, `show`.
    #[command(subcommand)]
    pub verb: Option<ClockVerb>,
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// Print one JSON object.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new(), global = true)]
    pub json: bool,
}

/// What `clock` does.
#[derive(Debug, Clone, Subcommand)]
pub enum ClockVerb {
    /// Show service time, and how it differs from real time (the default).
    Show,
    /// Let it stand still.
    Freeze,
    /// Let it show another time, earlier or later. It stands or runs on from there, as it did before.
    Set {
        /// Such as 2026-11-24T13:05:59Z, or seconds since 1970.
        time: Time,
    },
    /// Move it forward. It stands or runs on from there, as it did before.
    Advance {
        /// Such as 90s, 30m, 12h, 30d or 1d12h.
        duration: Duration,
    },
    /// Let it run again, from where it stands: it stays as far from real time as it is then. `--real` is the way back.
    Resume {
        /// Show real time again, at once: the end of all that was changed.
        #[arg(long)]
        real: bool,
    },
}

/// Flags of `reset`. None but the directory has a variable: what is dropped is said each time.
#[derive(Debug, Clone, Args)]
pub struct Reset {
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
    /// Do without an archive. None is written yet: needed only where history is off, so that nothing would be left.
    #[arg(long)]
    pub no_archive: bool,
    /// Print one JSON object.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

/// Flags of `trim`.
#[derive(Debug, Clone, Args)]
pub struct Trim {
    /// Which directory.
    #[command(flatten)]
    pub data_dir: DataDir,
    /// How much history stays (30m, 12h, 7d), or off for none. No variable: what is taken away is named each time.
    #[arg(long)]
    pub history: Window,
    /// Print one JSON object.
    #[arg(long, env = "HOLDFAST_JSON", value_parser = FalseyValueParser::new())]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_and_ports_are_read() {
        assert_eq!("7d".parse(), Ok(Window::Keep(604_800_000)));
        assert_eq!("off".parse(), Ok(Window::Off));
        assert!(
            "7".parse::<Window>().is_err() && "d".parse::<Window>().is_err() && "".parse::<Window>().is_err()
        );
        assert!("1é".parse::<Window>().is_err() && "99999999999999999999d".parse::<Window>().is_err());
        let isolation = |text: &str| text.parse().map(|Isolation(IsolateBy { key, region })| (key, region));
        assert_eq!(
            ["", "none", " "].map(isolation),
            [Ok((false, false)), Ok((false, false)), Ok((false, false))]
        );
        assert_eq!(["key", "region"].map(isolation), [Ok((true, false)), Ok((false, true))]);
        assert_eq!(["key, region", "region,key"].map(isolation), [Ok((true, true)), Ok((true, true))]);
        assert!(["keys", "key;region", "KEY"].map(isolation).iter().all(Result::is_err));
        assert_eq!("0".parse(), Ok(Port::On(0)));
        assert!("65536".parse::<Port>().is_err());
    }
}
