//! The status for people: aligned columns.

use super::{Buffer, DiskStatus, FilesStatus, HistoryStatus, Latency, ServerStatus, Status};
use crate::about::Signatures;
use holdfast_store::dir::reserve::readable;
use std::fmt;

/// Width of the first column.
const NAME_WIDTH: usize = 12;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, text: String| writeln!(f, "{name:<NAME_WIDTH$} {text}");
        match (self.pid, self.uptime_seconds) {
            (Some(pid), Some(seconds)) => {
                let text = format!("running for {}, process {pid}, version {}", time(seconds), self.holdfast);
                line("server", text)?;
            }
            _ => line("server", "not running".to_owned())?,
        }
        if let Some(dir) = &self.data.data_dir {
            let mount = self.data.mount.as_deref().unwrap_or("unknown file system");
            line("data", format!("{} ({mount})", dir.display()))?;
        }
        if self.pid.is_some() {
            line("durability", self.data.durability.clone())?;
        }
        if let Some(warning) = &self.data.warning {
            line("warning", warning.clone())?;
        }
        for (name, url) in &self.listening {
            line(name, url.clone())?;
        }
        if let Some(disk) = &self.disk {
            line("disk", disk.to_string())?;
        }
        if let Some(clock) = self.clock.as_ref().filter(|clock| !clock.is_real()) {
            line("clock", clock.to_string())?;
        }
        match (&self.writing_ended, self.pid) {
            (Some(reason), _) => line("writing", format!("ENDED until the next start: {reason}"))?,
            (None, Some(_)) => line("writing", "goes on".to_owned())?,
            (None, None) => {}
        }
        match (&self.server, &self.files) {
            (Some(server), _) => self.write_server(f, server)?,
            (None, Some(files)) => self.write_files(f, files)?,
            (None, None) => {}
        }
        self.write_tables(f)
    }
}

impl Status {
    fn write_server(&self, f: &mut fmt::Formatter<'_>, server: &ServerStatus) -> fmt::Result {
        let mut line = |name: &str, text: String| writeln!(f, "{name:<NAME_WIDTH$} {text}");
        line("version", format!("{} (commit {}, start {})", self.version, self.commit, server.epoch))?;
        line("readable", format!("from version {} on", server.horizon))?;
        match server.signatures {
            Signatures::Any => {}
            Signatures::Test => {
                line("signatures", "checked; the key `test` with the secret `test` is known".to_owned())?
            }
            Signatures::OwnKeys => line("signatures", "checked against the keys that were given".to_owned())?,
        }
        if let Some(separated) = &server.isolated {
            line("isolated", format!("{separated} has its own tables"))?;
        }
        line("history", server.history.to_string())?;
        for pin in &server.pins {
            line("pin", format!("{} holds version {} ({})", pin.id, pin.version, pin.label))?;
        }
        if server.pins.is_empty() {
            line("pins", "none".to_owned())?;
        }
        for window in &server.windows {
            let (space, kept) = (window.space, time(window.window_ms / 1_000));
            line("window", format!("space {space} keeps {kept}, from version {} on", window.horizon))?;
        }
        for job in &server.jobs {
            let kind = job.kind.as_deref().unwrap_or("of a kind that is not known here, left alone");
            let mut text = format!("{} {kind}: {}, {} steps done", job.id, job.label, job.steps);
            if let Some(error) = &job.error {
                text.push_str(&format!("; the last one failed: {error}"));
            }
            line("job", text)?;
        }
        for loss in &server.losses {
            let (first, next) = (loss.first_version, loss.resumes_version);
            line(
                "lost",
                format!(
                    "versions from {first} on were lost and given up; {next} is the next: {}",
                    loss.cause
                ),
            )?;
        }
        for damage in &server.damage {
            line("damage", format!("{}: {}", damage.file, damage.cause))?;
        }
        line("syncs", server.syncs.to_string())?;
        let (log, index) = (&server.log, &server.index);
        line("log", format!("{}, {} written", readable(log.bytes), readable(log.bytes_written)))?;
        line(
            "index",
            format!("{} in {} files, {} runs overlap", readable(index.bytes), index.files, index.level0_runs),
        )?;
        for (service, count) in &server.refused_services {
            line("not served", format!("{service}: {count} requests refused"))?;
        }
        let rows = server.buffers.iter().map(Buffer::cells).collect();
        write_columns(f, ["buffers", "used", "most"], rows)
    }

    fn write_tables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<[String; 3]> = Vec::new();
        for table in &self.tables {
            let name = match table.state.as_str() {
                "" | "ACTIVE" => format!("{}{}", table.name, table.owner()),
                state => format!("{}{} ({state})", table.name, table.owner()),
            };
            // Access keys come from clients: nothing of them may move the cursor.
            let name = name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            rows.push([name, table.items.to_string(), readable(table.bytes)]);
            for index in &table.indexes {
                let name = format!("  {} ({} index, {})", index.name, index.scope, index.state);
                rows.push([name, index.items.to_string(), readable(index.bytes)]);
            }
            if let Some(cause) = &table.unreadable {
                rows.push([
                    format!("  its definition cannot be read: {cause}"),
                    String::new(),
                    String::new(),
                ]);
            }
        }
        if self.more_tables {
            rows.push(["and more".to_owned(), String::new(), String::new()]);
        }
        write_columns(f, ["tables", "items", "size"], rows)
    }

    fn write_files(&self, f: &mut fmt::Formatter<'_>, files: &FilesStatus) -> fmt::Result {
        let mut line = |name: &str, text: String| writeln!(f, "{name:<NAME_WIDTH$} {text}");
        line("store", format!("{} of format {}", files.store, files.format))?;
        line("version", format!("at least {} (commit {}) was acknowledged", self.version, self.commit))?;
        if files.sync_had_failed {
            line(
                "note",
                "a sync had failed when the last server ended: the next start looks at everything".to_owned(),
            )?;
        }
        if files.bad_witness_slots > 0 {
            line(
                "note",
                format!("{} of the two halves of `witness` cannot be read", files.bad_witness_slots),
            )?;
        }
        if let Some(cause) = &files.tables_unread {
            line("damage", format!("the tables cannot be read: {cause}"))?;
        }
        for (name, bytes) in &files.parts {
            line(name, readable(*bytes))?;
        }
        Ok(())
    }
}

impl Buffer {
    fn cells(&self) -> [String; 3] {
        let amount = |number: u64| match self.unit.as_str() {
            "bytes" => readable(number),
            unit => format!("{number} {unit}"),
        };
        [self.name.clone(), self.used.map_or(String::new(), amount), amount(self.max)]
    }
}

impl fmt::Display for DiskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.level.as_str() {
            "plenty" => "everything may be written",
            "below_reserve" => "BELOW THE RESERVE: only deletes, drops, trimming and reset run",
            _ => "BELOW A QUARTER OF THE RESERVE: only trimming and reset run",
        };
        let [free, total, reserve] = [self.free_bytes, self.total_bytes, self.reserve_bytes].map(readable);
        write!(f, "{free} of {total} free, {reserve} in reserve; {what}")
    }
}

impl fmt::Display for HistoryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = format!("{} in {} rows", readable(self.bytes), self.rows);
        if !self.kept {
            return write!(f, "off; {held}");
        }
        let window = self.window_ms.map_or("everything".to_owned(), |ms| time(ms / 1_000));
        write!(f, "{window}")?;
        if let Some(most) = self.bytes_max.filter(|most| *most < u64::MAX) {
            write!(f, ", at most {}", readable(most))?;
        }
        write!(f, "; {held}")
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        let ms = |us: u64| us as f64 / 1_000.0;
        if let (Some(half), Some(most)) = (self.p50_us, self.p99_us) {
            write!(f, "; half within {} ms, 99 % within {} ms", ms(half), ms(most))?;
            write!(f, ", the longest {} ms", ms(self.max_us))?;
        }
        Ok(())
    }
}

/// Three columns under a head, the last two to the right.
fn write_columns(f: &mut fmt::Formatter<'_>, head: [&str; 3], rows: Vec<[String; 3]>) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    let width = |column: usize| {
        let longest = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        longest.max(head[column].chars().count())
    };
    let widths = [width(0) + 2, width(1), width(2)];
    writeln!(f)?;
    let head = std::iter::once((head.map(str::to_owned), ""));
    for (row, indent) in head.chain(rows.into_iter().map(|row| (row, "  "))) {
        let [name, one, two] = row;
        let first = format!("{indent}{name}");
        let line = format!("{first:<0$} {one:>1$} {two:>2$}", widths[0], widths[1] + 2, widths[2] + 2);
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A time for people: its two largest units.
pub fn time(seconds: u64) -> String {
    let units = [("day", seconds / 86_400), ("hour", seconds / 3_600 % 24), ("minute", seconds / 60 % 60)];
    let mut parts: Vec<String> = units
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(unit, number)| format!("{number} {unit}{}", if *number == 1 { "" } else { "s" }))
        .collect();
    if seconds < 3_600 && (!seconds.is_multiple_of(60) || parts.is_empty()) {
        parts.push(format!("{} seconds", seconds % 60));
    }
    parts.truncate(2);
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::tables::TableIndexStatus;
    use crate::status::{DamageStatus, JobStatus, PinStatus, TableStatus, WindowStatus};
    use expect_test::expect;

    #[test]
    fn times_are_readable() {
        let shown = [0, 59, 60, 61, 3_600, 90_061, 604_800].map(time);
        let expected =
            ["0 seconds", "59 seconds", "1 minute", "1 minute 1 seconds", "1 hour", "1 day 1 hour", "7 days"];
        assert_eq!(shown, expected);
    }

    fn boats() -> TableStatus {
        let index = TableIndexStatus {
            name: "by-length".to_owned(),
            scope: "global".to_owned(),
            items: 7,
            bytes: 2_000,
            state: "ACTIVE".to_owned(),
        };
        let name = "boats".to_owned();
        TableStatus { name, items: 12, bytes: 999, indexes: vec![index], ..TableStatus::default() }
    }

    #[test]
    fn columns_are_aligned() {
        let server = ServerStatus {
            epoch: 2,
            horizon: 3,
            history: HistoryStatus {
                kept: true,
                window_ms: Some(604_800_000),
                bytes_max: Some(10 << 30),
                rows: 5,
                bytes: 2_048,
            },
            pins: vec![PinStatus { id: 1, version: 4, label: "before".to_owned() }],
            windows: vec![WindowStatus { space: 5, window_ms: 86_400_000, horizon: 6 }],
            jobs: vec![JobStatus {
                id: 2,
                kind: Some("reclaim".to_owned()),
                label: "dropped space 3".to_owned(),
                steps: 4,
                started: 8,
                error: Some("no room".to_owned()),
            }],
            damage: vec![DamageStatus { file: "index/1.table".to_owned(), cause: "is missing".to_owned() }],
            buffers: vec![
                Buffer::new("queue", "operations", Some(0), 4_096),
                Buffer::new("one operation", "bytes", None, 64 << 20),
            ],
            ..ServerStatus::default()
        };
        let status = Status {
            pid: Some(7),
            uptime_seconds: Some(61),
            holdfast: "0.1.0".to_owned(),
            version: 9,
            commit: 8,
            tables: vec![boats()],
            server: Some(server),
            ..Status::default()
        };
        expect![[r#"
            server       running for 1 minute 1 seconds, process 7, version 0.1.0
            durability   
            writing      goes on
            version      9 (commit 8, start 2)
            readable     from version 3 on
            history      7 days, at most 10.0 GiB; 2.0 KiB in 5 rows
            pin          1 holds version 4 (before)
            window       space 5 keeps 1 day, from version 6 on
            job          2 reclaim: dropped space 3, 4 steps done; the last one failed: no room
            damage       index/1.table: is missing
            syncs        0
            log          0 bytes, 0 bytes written
            index        0 bytes in 0 files, 0 runs overlap

            buffers                   used              most
              queue           0 operations   4096 operations
              one operation                         64.0 MiB

            tables                                 items        size
              boats                                   12   999 bytes
                by-length (global index, ACTIVE)       7     1.9 KiB
        "#]]
        .assert_eq(&status.to_string());
    }
}
