//! `holdfast doctor`: looks for damage, in the tables of the running server or in every file of a stopped directory, which
//! it leaves as it is; with `--deep` also in items, rows of indexes and counters; `--accept-loss` is the way out of a proven loss.

use super::read_stopped;
use crate::admin::verbs::Checked;
use crate::admin::{Request, client, contents};
use crate::banner;
use crate::config::Doctor;
use holdfast_store::Loss;
use holdfast_store::doctor::{self, Finding, LossReport, Report, Severity};
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

/// Looks for damage. The code is 0 only if there is a store and nothing is wrong with it.
///
/// # Errors
/// If the server cannot be asked, or the loss cannot be accepted.
pub fn run(options: &Doctor) -> anyhow::Result<ExitCode> {
    let dir = options.data_dir.absolute()?;
    if options.accept_loss {
        let report = doctor::accept_loss(&dir)?;
        show(options, &of_loss(&report), &report.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let request = Request::Doctor { deep: options.deep };
    let healthy = match client::ask_and_watch(&dir, &request, &mut banner::note)? {
        Some(value) => {
            let checked: Checked = serde_json::from_value(value.clone())?;
            show(options, &value, &checked.to_string())?;
            checked.is_healthy()
        }
        None => of_stopped(options, &dir)?,
    };
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks at every file of a stopped directory and, if a start would go through, at what is stored in them.
fn of_stopped(options: &Doctor, dir: &Path) -> anyhow::Result<bool> {
    let report = doctor::inspect(dir, true);
    let (mut value, mut text) = (of_report(&report), report.to_string());
    let mut healthy = is_healthy(&report);
    if options.deep && report.starts && report.format.is_some() {
        let stopped = read_stopped(dir)?;
        let mut tell = |text: Option<String>| {
            text.iter().for_each(|text| banner::note(text));
            true
        };
        let contents = contents::check(&|| stopped.snapshot(), &mut tell)?;
        healthy &= contents.is_healthy();
        value["contents"] = serde_json::to_value(&contents)?;
        value["healthy"] = healthy.into();
        text.push_str(&format!("\n{contents}"));
    }
    show(options, &value, &text)?;
    Ok(healthy)
}

fn show(options: &Doctor, value: &Value, text: &str) -> anyhow::Result<()> {
    if options.json { banner::data(&value.to_string()) } else { banner::data(text.trim_end()) }
}

/// No store at all is nothing to be content with: the directory may be the wrong one.
fn is_healthy(report: &Report) -> bool {
    report.starts && report.format.is_some() && report.worst() < Some(Severity::Damage)
}

fn of_report(report: &Report) -> Value {
    let findings: Vec<Value> = report.findings.iter().map(of_finding).collect();
    let mut value = json!({
        "state": "stopped",
        "data_dir": report.dir,
        "healthy": is_healthy(report),
        "starts": report.starts,
        "accept_loss_helps": report.accept_loss_helps,
        "findings": findings,
    });
    let parts = [
        ("store", report.format.map(|format| json!({"format": format.number, "id": format.store_hex()}))),
        (
            "checkpoint",
            report.checkpoint.as_ref().map(|checkpoint| {
                json!({
                    "sequence": checkpoint.sequence,
                    "tables_through_commit": checkpoint.through,
                    "log_segment": checkpoint.resume.0,
                    "log_offset": checkpoint.resume.1,
                    "clean": checkpoint.clean,
                })
            }),
        ),
        (
            "witness",
            report.witness.as_ref().map(|witness| {
                json!({
                    "commit": witness.acknowledged.map(|(commit, _)| commit),
                    "version": witness.acknowledged.map(|(_, version)| version),
                    "bad_slots": witness.bad_slots,
                    "sync_failed": witness.sync_failed,
                })
            }),
        ),
        (
            "log",
            report.log.as_ref().map(|log| {
                json!({
                    "segments": log.segments,
                    "bytes": log.bytes,
                    "last_commit": log.last_commit,
                    "last_version": log.last_version,
                    "highest_commit": log.highest_commit,
                    "torn": log.torn,
                })
            }),
        ),
        (
            "index",
            report.tables.as_ref().map(|tables| {
                json!({
                    "tables": tables.tables,
                    "bytes": tables.bytes,
                    "keys": tables.keys,
                    "damaged": tables.damaged,
                })
            }),
        ),
    ];
    for (name, part) in parts {
        value[name] = part.unwrap_or(Value::Null);
    }
    value
}

fn of_finding(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.to_string(),
        "file": finding.file,
        "offset": finding.offset,
        "cause": finding.cause,
        "remedy": finding.remedy,
    })
}

fn of_loss(report: &LossReport) -> Value {
    let Loss { first_version, last_version, resumes_version, first_commit, last_commit, .. } = &report.loss;
    json!({
        "data_dir": report.dir,
        "file": report.damage.file,
        "cause": report.damage.cause,
        "first_lost_version": first_version,
        "last_lost_version_proven": last_version,
        "first_lost_commit": first_commit,
        "last_lost_commit_proven": last_commit,
        "resumes_version": resumes_version,
        "proof": report.proof,
        "commits_replayed": report.replayed,
        "kept": report.kept,
    })
}
