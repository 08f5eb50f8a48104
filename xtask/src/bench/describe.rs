//! Reports in words, for the raw files and for those who watch.

use super::judge::number;
use holdfast_load::report::{Report, SyncReport};

/// Raw syncs in words.
pub fn describe_sync(report: &SyncReport) -> String {
    let latency = &report.latency;
    let [p50, p99, max] = [latency.p50_us, latency.p99_us, latency.max_us].map(|us| number(us / 1e3));
    format!("{}/s, p50 {p50}, p99 {p99}, longest {max} ms", number(report.per_second))
}

/// A report in words.
pub fn describe(report: &Report) -> String {
    let latency = &report.latency;
    let [p50, p99, p999, max] =
        [latency.p50_us, latency.p99_us, latency.p999_us, latency.max_us].map(|us| number(us / 1e3));
    let mut text = format!(
        "{} {} over {} connections: {}/s, p50 {p50}, p99 {p99}, p99.9 {p999}, longest {max} ms (at {:.1} s)",
        number(report.requests as f64),
        report.mix,
        report.connections,
        number(report.per_second),
        report.longest_at_s
    );
    if report.items > 0 {
        let bytes = report.body_bytes / report.requests.max(1);
        text.push_str(&format!(
            ", {} items/s, {} bytes a body",
            number(report.items_per_second),
            number(bytes as f64)
        ));
    }
    if let Some(server) = &report.server {
        let resident = [server.resident[0], server.resident[1], server.resident_max]
            .map(|bytes| number(bytes as f64 / 1e6));
        text.push_str(&format!(
            ", server {} us CPU a request, {} -> {} MB (most {})",
            number(server.cpu_us_per_request),
            resident[0],
            resident[1],
            resident[2]
        ));
    }
    let machine = &report.machine;
    text.push_str(&format!(
        ", generator {} us, cores busy {:.2}, foreign {:.2}, load {:.2} -> {:.2}",
        number(report.own_cpu_us_per_request),
        machine.busy_cores,
        machine.foreign_cores,
        machine.load_average[0],
        machine.load_average[1]
    ));
    if let Some(probe) = &report.probe {
        text.push_str(&format!("; raw syncs meanwhile: {}", describe_sync(probe)));
    }
    text
}
