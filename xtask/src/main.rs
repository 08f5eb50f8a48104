//! Project chores, one file a subcommand: `cargo xtask --help`.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command line tool.
#![allow(missing_docs)] // Nobody links against it; modules and arguments are documented.

mod bench;
mod codegen;
mod compat;
mod list;
mod test;
mod tidy;
mod tree;

use clap::Parser;

/// Chores of the Holdfast repository.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
// One variant and one line of `main` a chore, in alphabetical order.
enum Chore {
    Bench(bench::Args),
    Codegen(codegen::Args),
    Compat(compat::Args),
    Test(test::Args),
    /// Check the rules that a program can check.
    Tidy,
}

fn main() -> anyhow::Result<()> {
    match Chore::parse() {
        Chore::Bench(args) => bench::run(&args),
        Chore::Codegen(args) => codegen::run(&args),
        Chore::Compat(args) => compat::run(&args),
        Chore::Test(args) => test::run(&args),
        Chore::Tidy => tidy::run(&tree::root()?),
    }
}
