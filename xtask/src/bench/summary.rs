//! All runs as tables in Markdown, to be pasted into BENCHMARKS.md.

use super::args::Args;
use super::judge::{Judged, Verdict, median, number};
use super::machine::Machine;
use super::session::{Figure, Results};
use holdfast_load::report::Report;

/// The whole summary.
pub fn render(args: &Args, machine: &Machine, runs: &[Results]) -> String {
    let mut text = machine.render(&args.command()).replace('\n', "  \n");
    text.push('\n');
    text.push_str(&limits(runs));
    text.push('\n');
    text.push_str(&figures(runs));
    let failures: Vec<&String> = runs.iter().flat_map(|run| &run.failures).collect();
    if !failures.is_empty() {
        text.push_str("\nFailed or passed over:\n");
        failures.iter().for_each(|failure| text.push_str(&format!("- {}\n", failure.replace('\n', " "))));
    }
    text
}

/// One row for each limit: the figure of each run, their median, and the median verdict.
fn limits(runs: &[Results]) -> String {
    let mut text =
        String::from("| what | must | aim | runs | median | verdict |\n|---|---|---|---|---|---|\n");
    for what in in_order(runs.iter().flat_map(|run| run.judged.iter().map(|judged| judged.what))) {
        let all: Vec<&Judged> =
            runs.iter().flat_map(|run| &run.judged).filter(|judged| judged.what == what).collect();
        let Some(first) = all.first() else { continue };
        let values: Vec<f64> = all.iter().filter_map(|judged| judged.value).collect();
        // A limit that depends on the run itself is shown as it was in each.
        let musts = in_order(all.iter().map(|judged| judged.limit(judged.must)));
        text.push_str(&format!(
            "| {what} | {} | {} | {} | {} | {} |\n",
            musts.join(", "),
            first.aim.map_or_else(|| "-".into(), |aim| first.limit(aim)),
            values.iter().map(|value| number(*value)).collect::<Vec<_>>().join(", "),
            median(&values).map_or_else(|| "-".into(), |value| first.amount(value)),
            verdict(&all)
        ));
    }
    text
}

/// The median verdict, and in how many runs something else took part of the machine.
fn verdict(all: &[&Judged]) -> String {
    let verdicts: Vec<Verdict> = all.iter().map(|judged| judged.verdict()).collect();
    let name = median(&verdicts).map_or("-", Verdict::name);
    match all.iter().filter(|judged| judged.is_disturbed).count() {
        0 => name.into(),
        disturbed => format!("{name} ({disturbed} disturbed)"),
    }
}

/// One row for each scenario and server: medians over the runs, the lowest and highest rate, and of what is the
/// longest or the most within a run the longest or the most of all runs.
fn figures(runs: &[Results]) -> String {
    let mut text = String::from(
        "| load | server | a second, median (range) | p50 ms | p99 ms | longest ms | server CPU us | generator CPU us \
         | most MB | cores busy | foreign | load average | raw sync /s, p50 ms, longest ms |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let all: Vec<&Figure> = runs.iter().flat_map(|run| &run.figures).collect();
    for (scenario, server) in in_order(all.iter().map(|figure| (figure.scenario.clone(), figure.server))) {
        let of: Vec<&Figure> = all
            .iter()
            .copied()
            .filter(|figure| figure.scenario == scenario && figure.server == server)
            .collect();
        text.push_str(&figure_row(&scenario, server, &of));
    }
    text
}

fn figure_row(scenario: &str, server: &str, figures: &[&Figure]) -> String {
    let all = |of: &dyn Fn(&Figure) -> f64| -> Vec<f64> { figures.iter().map(|figure| of(figure)).collect() };
    let middle = |of: &dyn Fn(&Report) -> f64| {
        median(&all(&|figure| of(&figure.report))).map_or_else(|| "-".into(), number)
    };
    let most = |of: &dyn Fn(&Figure) -> f64| number(all(of).into_iter().fold(0.0, f64::max));
    let sync = |of: &dyn Fn(&Figure) -> f64| median(&all(of)).map_or_else(|| "-".into(), number);
    let rates: Vec<f64> = figures.iter().map(|figure| figure.report.per_second).collect();
    let lowest = rates.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let server_cpu = |report: &Report| report.server.as_ref().map_or(0.0, |server| server.cpu_us_per_request);
    let resident =
        |report: &Report| report.server.as_ref().map_or(0.0, |server| server.resident_max as f64 / 1e6);
    format!(
        "| {scenario} | {server} | {} ({}-{}) | {} | {} | {} | {} | {} | {} | {} | {} | {} | {}, {}, {} |\n",
        middle(&|report| report.per_second),
        number(lowest),
        number(highest),
        middle(&|report| report.latency.p50_us / 1e3),
        middle(&|report| report.latency.p99_us / 1e3),
        most(&|figure: &Figure| figure.report.latency.max_us / 1e3),
        middle(&server_cpu),
        middle(&|report| report.own_cpu_us_per_request),
        most(&|figure: &Figure| resident(&figure.report)),
        middle(&|report| report.machine.busy_cores),
        middle(&|report| report.machine.foreign_cores),
        middle(&|report| report.machine.load_average[1]),
        sync(&|figure| figure.sync.per_second),
        sync(&|figure| figure.sync.latency.p50_us / 1e3),
        most(&|figure: &Figure| figure.sync.latency.max_us / 1e3)
    )
}

/// Each value once, in the order of its first appearance.
fn in_order<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen: Vec<T> = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::judge::Judged;

    #[test]
    fn a_row_for_each_limit_with_the_median_verdict() {
        let run = |value| Results {
            judged: vec![Judged::at_least("puts", value, " x", 5.0, Some(7.0))],
            ..Results::default()
        };
        let text = limits(&[run(4.0), run(5.5), run(8.0)]);
        let row = "| puts | ≥ 5.00 x | ≥ 7.00 x | 4.00, 5.50, 8.00 | 5.50 x | must |";
        assert_eq!(text.lines().nth(2), Some(row));
    }
}
