//! Prometheus text of what the store, the edge and the process count.

use crate::about::PROGRAM_VERSION;
use holdfast_store::engine::embedded::EmbeddedStats;
use holdfast_store::{HistogramValues, Status};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// Renders everything. `requests` are operation, outcome and count; `unserved` counts by service.
pub fn render(
    status: &Status,
    requests: &[(&'static str, &'static str, u64)],
    unserved: &BTreeMap<String, u64>,
) -> String {
    let mut out = Text(String::with_capacity(8_192));
    out.head("holdfast_build_info", "gauge", "Always 1; the label tells the version.");
    out.row(&format!("holdfast_build_info{{version=\"{PROGRAM_VERSION}\"}}"), 1);
    out.process();
    out.gauge("holdfast_version", "Newest version.", status.version);
    out.gauge("holdfast_data_items", "Items that exist.", status.data.items);
    out.gauge("holdfast_data_bytes", "Logical size of all items.", status.data.bytes);
    out.gauge("holdfast_history_bytes", "Bytes of history.", status.history_bytes);
    out.gauge("holdfast_history_rows", "Rows of history.", status.history_rows);
    out.gauge("holdfast_queue_operations", "Operations that wait.", status.queued);
    out.histogram("holdfast_commit_group_operations", "Operations per commit.", &status.groups, 1.0);
    if let Some(engine) = &status.engine {
        out.engine(engine);
    }
    out.head("holdfast_requests_total", "counter", "Requests by operation and outcome.");
    for (operation, outcome, count) in requests {
        let name = format!("holdfast_requests_total{{operation=\"{operation}\",outcome=\"{outcome}\"}}");
        out.row(&name, count);
    }
    out.head("holdfast_unserved_requests_total", "counter", "Requests for services that are not there.");
    for (service, count) in unserved {
        out.row(&format!("holdfast_unserved_requests_total{{service=\"{service}\"}}"), count);
    }
    out.0
}

/// Resident memory of this process in bytes, where the system tells.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok().map(|kib: u64| kib * 1024)
}

/// Processor time of this process in seconds, all threads together.
fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Text in the making. Writing to a string cannot fail.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn row(&mut self, name: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        self.row(name, value);
    }

    /// Names of the process's own are those that Prometheus' clients use.
    fn process(&mut self) {
        if let Some(bytes) = resident_bytes() {
            self.gauge("process_resident_memory_bytes", "Resident memory of the server.", bytes);
        }
        self.head("process_cpu_seconds_total", "counter", "Processor time of the server.");
        self.row("process_cpu_seconds_total", cpu_seconds());
    }

    fn engine(&mut self, engine: &EmbeddedStats) {
        self.gauge("holdfast_log_bytes", "Bytes of log segments.", engine.log_bytes);
        self.gauge("holdfast_index_bytes", "Bytes of tables.", engine.table_bytes);
        self.gauge("holdfast_memtable_bytes", "Bytes of memtables.", engine.memtable_bytes);
        self.gauge("holdfast_cache_bytes", "Bytes of cached blocks.", engine.cache_bytes);
        self.gauge("holdfast_writing_ended", "1 after a failed sync.", u64::from(engine.ended.is_some()));
        if let Some(room) = engine.room {
            self.gauge("holdfast_disk_free_bytes", "Room on the disk of the data.", room.free_bytes);
            self.gauge("holdfast_disk_total_bytes", "Size of the disk of the data.", room.total_bytes);
            self.gauge(
                "holdfast_disk_reserve_bytes",
                "Room that ordinary writes leave free.",
                room.reserve_bytes,
            );
        }
        let help = "Time of one sync of the log.";
        self.histogram("holdfast_log_sync_seconds", help, &engine.sync_latency_us, 1e6);
    }

    /// Of values of which `per_unit` are one of the unit in the name. Divided, since bounds are labels: a product with a
    /// fraction ends in digits that nobody has written.
    fn histogram(&mut self, name: &str, help: &str, values: &HistogramValues, per_unit: f64) {
        self.head(name, "histogram", help);
        let mut cumulative = 0;
        for (bound, count) in values.bounds.iter().zip(&values.counts) {
            cumulative += count;
            self.row(&format!("{name}_bucket{{le=\"{}\"}}", *bound as f64 / per_unit), cumulative);
        }
        cumulative += values.counts.last().copied().unwrap_or(0);
        self.row(&format!("{name}_bucket{{le=\"+Inf\"}}"), cumulative);
        self.row(&format!("{name}_sum"), values.sum as f64 / per_unit);
        self.row(&format!("{name}_count"), cumulative);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_number_and_every_name_a_type() {
        let groups = HistogramValues { bounds: vec![1, 2], counts: vec![3, 4, 5], sum: 40, max: 9 };
        let sync_latency_us =
            HistogramValues { bounds: vec![50, 150, 25_000], counts: vec![1, 0, 0, 0], sum: 49, max: 49 };
        let engine = Some(EmbeddedStats { sync_latency_us, ..EmbeddedStats::default() });
        let status = Status { groups, engine, ..Status::default() };
        let unserved = BTreeMap::from([("s3".to_owned(), 2)]);
        let text = render(&status, &[("PutItem", "ok", 7)], &unserved);
        for row in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = row.rsplit_once(' ').expect("a name and a number");
            assert!(value.parse::<f64>().is_ok(), "{row}");
            let base = name.split('{').next().expect("a name");
            let base =
                ["_bucket", "_sum", "_count"].iter().fold(base, |name, end| name.trim_end_matches(end));
            assert!(text.contains(&format!("# TYPE {base} ")), "{row}");
        }
        for row in [
            "holdfast_commit_group_operations_bucket{le=\"+Inf\"} 12",
            "holdfast_commit_group_operations_count 12",
            "holdfast_log_sync_seconds_bucket{le=\"0.00005\"} 1",
            "holdfast_log_sync_seconds_bucket{le=\"0.00015\"} 1",
            "holdfast_log_sync_seconds_bucket{le=\"0.025\"} 1",
            "holdfast_log_sync_seconds_sum 0.000049",
            "holdfast_requests_total{operation=\"PutItem\",outcome=\"ok\"} 7",
            "holdfast_unserved_requests_total{service=\"s3\"} 2",
        ] {
            assert!(text.contains(row), "{row} in {text}");
        }
        if cfg!(target_os = "linux") {
            assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000), "{text}");
        }
    }
}
