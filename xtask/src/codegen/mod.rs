//! `cargo xtask codegen`: writes request and response types from the API models.

mod constraints;
mod model;
mod service;
mod types;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::tree;

/// Write the generated shapes, or check that the committed ones are what would be written.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing; fail if a file would change.
    #[arg(long)]
    check: bool,
}

/// Model file, module, title.
const SERVICES: [(&str, &str, &str); 2] =
    [("dynamodb", "dynamodb", "DynamoDB"), ("dynamodbstreams", "streams", "DynamoDB Streams")];

pub fn run(args: &Args) -> Result<()> {
    let root = tree::root()?;
    let models = root.join("xtask/models");
    let mut overrides: BTreeMap<String, model::Overrides> = read(&models.join("overrides.json"))?;
    let mut stale = Vec::new();
    for (file, module, title) in SERVICES {
        let overrides = overrides.remove(module).with_context(|| format!("overrides.json lacks {module}"))?;
        let service = service::Service::new(read(&models.join(format!("{file}.json")))?, overrides)?;
        let folder = root.join("crates/shapes/src/generated").join(module);
        fs::create_dir_all(&folder)?;
        for (name, code) in types::files(&service, title)? {
            let path = folder.join(name);
            let code = formatted(&root, &code).with_context(|| format!("formatting {module}/{name}"))?;
            if fs::read_to_string(&path).is_ok_and(|present| present == code) {
                continue;
            }
            if args.check {
                stale.push(format!("{module}/{name}"));
            } else {
                fs::write(&path, code).with_context(|| format!("writing {}", path.display()))?;
            }
        }
    }
    if !stale.is_empty() {
        bail!("generated shapes are stale ({}); run `cargo xtask codegen`", stale.join(", "));
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))
}

/// Passes code through rustfmt with the workspace's settings.
fn formatted(root: &Path, code: &str) -> Result<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--emit", "stdout", "--edition", "2024", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting rustfmt")?;
    let mut stdin = rustfmt.stdin.take().context("rustfmt without stdin")?;
    let code = code.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(code.as_bytes()));
    let output = rustfmt.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refused generated code");
    }
    writer.join().map_err(|_| anyhow::anyhow!("the thread feeding rustfmt panicked"))??;
    Ok(String::from_utf8(output.stdout)?)
}
