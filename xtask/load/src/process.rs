//! Processor time and memory of a process, and load of the machine, as Linux tells them under `/proc`.

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Duration;

/// Processor time that the calling process has used, all threads, user and system.
pub fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
}

/// Processor time that process `pid` has used, all threads, user and system; resolved in clock ticks (10 ms).
pub fn cpu_of(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks_in_stat(&stat).map(from_ticks).with_context(|| format!("/proc/{pid}/stat has another form"))
}

/// Resident memory of process `pid`, in bytes.
pub fn resident_of(pid: u32) -> Result<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: u64 = statm.split(' ').nth(1).context("statm")?.parse()?;
    Ok(pages * rustix::param::page_size() as u64)
}

/// Time that all cores together were not idle since the machine started.
pub fn busy_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    busy_ticks(&stat).map(from_ticks).context("/proc/stat has another form")
}

/// The load average over the last minute; zero where the system does not tell.
pub fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

fn from_ticks(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// utime + stime, fields 14 and 15; the second field, a name in brackets, may itself hold spaces and brackets.
fn ticks_in_stat(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// user, nice, system, irq, softirq and steal; neither idle nor iowait, nor guest, which user holds already.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields: Vec<u64> =
        stat.lines().next()?.split_ascii_whitespace().skip(1).map_while(|field| field.parse().ok()).collect();
    [0, 1, 2, 5, 6, 7].iter().map(|at| fields.get(*at).copied()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_is_skipped() {
        let stat = "77 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 40 0 0 20 0 9 0 1";
        assert_eq!(ticks_in_stat(stat), Some(290));
        assert_eq!(ticks_in_stat("77 (a"), None);
    }

    #[test]
    fn idle_time_is_not_busy() {
        assert_eq!(busy_ticks("cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 9 9"), Some(63));
    }

    #[test]
    fn this_process_is_there() {
        let pid = std::process::id();
        assert!(resident_of(pid).unwrap() > 0);
        assert!(cpu_of(pid).is_ok() && busy_time().is_ok());
    }
}
