//! What is fixed once a server runs: who it is, where it listens, where the data are and on what they stand.

use crate::console::hosts::Hosts;
use holdfast_aws::context::IsolateBy;
use holdfast_store::dir::mount::{Mount, MountKind};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Version of this program.
pub const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Addresses that the server listens on.
#[derive(Debug, Default)]
pub struct Listening {
    /// DynamoDB.
    pub dynamodb: Option<SocketAddr>,
    /// Every service.
    pub aws: Option<SocketAddr>,
    /// Health and metrics.
    pub console: Option<SocketAddr>,
}

impl Listening {
    /// Name and URL of each listener, in the order in which they are shown.
    pub fn urls(&self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [("dynamodb", self.dynamodb), ("aws", self.aws), ("console", self.console)];
        all.into_iter().filter_map(|(name, address)| Some((name, format!("http://{}", address?))))
    }

    /// Host and port of DynamoDB, for who did not name them.
    pub fn host(&self) -> Box<str> {
        self.dynamodb.or(self.aws).map(|address| address.to_string()).unwrap_or_default().into()
    }
}

/// Where the data are and what that means for them: one clear line each.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Data {
    /// The directory; `None` in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// What an answer promises.
    pub durability: String,
    /// What holds the directory, such as `ext4 mounted at /data`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// `disk`, `memory`, `overlay`, `network`, `shared` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_kind: Option<String>,
    /// What to know before trusting that mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl Data {
    /// Data in memory only.
    pub fn in_memory() -> Self {
        let durability = "in memory only: everything is lost when this process ends".to_owned();
        Self { data_dir: None, durability, mount: None, mount_kind: None, warning: None }
    }

    /// Data in a directory.
    pub fn at(dir: &Path) -> Self {
        let mount = Mount::of(dir);
        let kind = match mount.kind {
            MountKind::Disk => "disk",
            MountKind::Memory => "memory",
            MountKind::Overlay => "overlay",
            MountKind::Network => "network",
            MountKind::Shared => "shared",
            MountKind::Unknown => "unknown",
        };
        Self {
            data_dir: Some(dir.to_path_buf()),
            durability: "every answer is on disk before it is given".to_owned(),
            mount: Some(mount.to_string()),
            mount_kind: Some(kind.to_owned()),
            warning: mount.warning().map(str::to_owned),
        }
    }
}

/// Whose signatures are taken.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Signatures {
    /// Anybody's.
    #[default]
    Any,
    /// Those made with the secret of the key `test`, which everybody knows.
    Test,
    /// Those made with secrets that were given.
    OwnKeys,
}

/// See the module.
#[derive(Debug)]
pub struct About {
    /// Where the data are.
    pub data: Data,
    /// Where it listens.
    pub listening: Listening,
    /// Hosts that the console's port answers.
    pub console_hosts: Hosts,
    /// Whose signatures are taken.
    pub signatures: Signatures,
    /// What separates the tables of clients.
    pub isolate_by: IsolateBy,
    /// Services that were asked for and are not there.
    pub unavailable: Vec<String>,
    /// When it began to serve.
    pub started: Instant,
    /// Most connections of a port; further ones wait to be accepted.
    pub connections_max: usize,
}
