//! What the figures were taken on.

use super::args::{Tools, today};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The machine, the disk and the versions.
pub struct Machine {
    /// Model and number of cores.
    pub processor: String,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// Version of the kernel.
    pub kernel: String,
    /// Kind of the file system under the data directories.
    pub file_system: String,
    /// Version of each program, one a line.
    pub versions: Vec<String>,
    /// The day of the run.
    pub date: String,
}

impl Machine {
    /// Reads what the system tells, and asks each program for its version.
    pub fn look(work: &Path, tools: &Tools) -> Machine {
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown processor", |(_, model)| model);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let meminfo = read("/proc/meminfo");
        let kilobytes = meminfo
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:")?.trim().split(' ').next()?.parse().ok());
        let release = read("/proc/sys/kernel/osrelease");
        Machine {
            processor: format!("{cores} cores of {model}"),
            memory_gib: kilobytes.unwrap_or(0u64).div_ceil(1024 * 1024),
            kernel: release.trim().split('-').next().unwrap_or_default().to_owned(),
            file_system: file_system_of(work),
            versions: versions(tools),
            date: today(),
        }
    }

    /// Whether the data directories would be on something that keeps nothing.
    pub fn is_memory_disk(&self) -> bool {
        matches!(self.file_system.as_str(), "tmpfs" | "ramfs")
    }

    /// The head of every result.
    pub fn render(&self, command: &str) -> String {
        format!(
            "{} · `{command}`\n{}, {} GiB, Linux {}, {}\n{}\n",
            self.date,
            self.processor,
            self.memory_gib,
            self.kernel,
            self.file_system,
            self.versions.join(", ")
        )
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn versions(tools: &Tools) -> Vec<String> {
    let mut versions = Vec::new();
    let commit =
        first_line(Command::new("git").current_dir(&tools.root).args(["describe", "--always", "--dirty"]));
    versions.push(format!("holdfast {}", commit.unwrap_or_else(|| "of unknown commit".into())));
    versions.extend(
        first_line(Command::new("rustc").arg("--version"))
            .map(|line| line.split(" (").next().unwrap_or_default().to_owned()),
    );
    if let Some(dynoxide) = &tools.dynoxide {
        versions.extend(first_line(Command::new(dynoxide).arg("--version")));
    }
    if let Some(folder) = &tools.dynamodb_local {
        versions.push(jar_version(folder));
        versions.extend(first_line(Command::new("java").arg("-version")));
    }
    versions
}

/// The first line that a program prints, on either stream.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8(text).ok()?.lines().next().map(str::to_owned)
}

fn jar_version(folder: &Path) -> String {
    let names = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let version = names
        .filter_map(|name| Some(name.strip_prefix("DynamoDBLocal-")?.strip_suffix(".jar")?.to_owned()))
        .next();
    format!("DynamoDB Local {}", version.unwrap_or_else(|| "of unknown version".into()))
}

/// The kind of the mount that holds a folder: the one with the longest mount point above it.
fn file_system_of(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    longest_mount(&read("/proc/self/mounts"), &folder).unwrap_or_else(|| "unknown file system".into())
}

fn longest_mount(mounts: &str, folder: &Path) -> Option<String> {
    let fields = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = fields.filter(|(point, _)| folder.starts_with(point));
    // Of mounts on one point the last one is on top, and `max_by_key` returns the last of equals.
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_counts() {
        let mounts = "a / ext4 rw 0 0\nb /data xfs rw 0 0\nc /data/x tmpfs rw 0 0\nd /data/x btrfs rw 0 0\n";
        let kind = |path: &str| longest_mount(mounts, Path::new(path)).unwrap();
        assert_eq!(kind("/home"), "ext4");
        assert_eq!(kind("/data/y"), "xfs");
        assert_eq!(kind("/database"), "ext4");
        assert_eq!(kind("/data/x/z"), "btrfs");
    }
}
