//! Prometheus text of what the store and the edge count.

use holdfast_store::{HistogramValues, Status};
use std::fmt::Write;

/// Renders everything.
pub fn render(status: &Status, requests: &[(String, &'static str, u64)]) -> String {
    let mut out = String::with_capacity(4_096);
    gauge(&mut out, "holdfast_version", "Newest version.", status.version);
    gauge(&mut out, "holdfast_history_bytes", "Bytes of history.", status.history_bytes);
    gauge(&mut out, "holdfast_history_rows", "Rows of history.", status.history_rows);
    gauge(&mut out, "holdfast_queue_operations", "Operations that wait.", status.queued as u64);
    let help = "Operations per commit.";
    histogram(&mut out, "holdfast_commit_group_operations", help, &status.groups, 1.0);
    if let Some(engine) = &status.engine {
        gauge(&mut out, "holdfast_log_bytes", "Bytes of log segments.", engine.log_bytes);
        gauge(&mut out, "holdfast_index_bytes", "Bytes of tables.", engine.table_bytes);
        gauge(&mut out, "holdfast_memtable_bytes", "Bytes of memtables.", engine.memtable_bytes);
        gauge(&mut out, "holdfast_cache_bytes", "Bytes of cached blocks.", engine.cache_bytes);
        gauge(
            &mut out,
            "holdfast_writing_ended",
            "1 after a failed sync.",
            u64::from(engine.ended.is_some()),
        );
        let help = "Time of one sync of the log.";
        histogram(&mut out, "holdfast_log_sync_seconds", help, &engine.sync_latency_us, 1e-6);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP holdfast_requests_total Requests by operation and outcome.");
    let _ = writeln!(out, "# TYPE holdfast_requests_total counter");
    for (operation, outcome, count) in requests {
        let _ = writeln!(
            out,
            "holdfast_requests_total{{operation=\"{operation}\",outcome=\"{outcome}\"}} {count}"
        );
    }
    out
}

fn gauge(out: &mut String, name: &str, help: &str, value: u64) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
}

fn histogram(out: &mut String, name: &str, help: &str, values: &HistogramValues, unit: f64) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
    let mut cumulative = 0;
    for (bound, count) in values.bounds.iter().zip(&values.counts) {
        cumulative += count;
        let _ = writeln!(out, "{name}_bucket{{le=\"{}\"}} {cumulative}", *bound as f64 * unit);
    }
    cumulative += values.counts.last().copied().unwrap_or(0);
    let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {cumulative}");
    let _ = writeln!(out, "{name}_sum {}\n{name}_count {cumulative}", values.sum as f64 * unit);
}
