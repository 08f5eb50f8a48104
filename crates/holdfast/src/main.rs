//! Holdfast: one durable local server. Command line, wiring and the edge, which is the only async code.
//!
//! # Layout
//! - `config`: the command line
//! - `commands`: one file per verb
//! - `console`: the page on port 8001
//! - `edge`: sockets and HTTP: accept, route, call, respond
//! - `admin`: the verbs' way to a running server, and what they do to a store
//! - `about`, `status`: what a server and a directory tell of themselves
//! - `rfc3339`: times as text
//! - `banner`, `metrics`, `shutdown`: what people and machines see of a running server

mod about;
mod admin;
mod banner;
mod commands;
mod config;
mod console;
mod descriptors;
mod edge;
mod metrics;
mod rfc3339;
mod shutdown;
mod status;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = config::Cli::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_env("HOLDFAST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match commands::run(cli) {
        Ok(code) => code,
        Err(error) => {
            banner::error(&error);
            ExitCode::FAILURE
        }
    }
}
