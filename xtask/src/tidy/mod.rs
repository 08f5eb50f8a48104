//! `cargo xtask tidy`: the rules of ARCHITECTURE.md that a program can check.
//!
//! # Layout
//! - [`tree`]: the files of the repository, read once.
//! - [`text`]: rules about any source file: length, names, leftovers, sleeping tests.
//! - [`crates`]: which crate may depend on what.
//! - [`access`]: which code may touch files.
//! - [`operations`]: an operation that is listed has its file, its golden and its row.
//!
//! A rule is a function from the [`Tree`] to [`Finding`]s, so that each is tested on a few lines of text.

mod access;
mod crates;
mod operations;
mod text;
mod tree;

use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};

pub use tree::Tree;

/// Something that a rule says about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the repository's root.
    pub path: String,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
    /// Whether `tidy` fails because of it. The others are only reported.
    pub fails: bool,
}

impl Finding {
    /// A finding that fails the run.
    pub fn error(path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, text: text.into(), fails: true }
    }

    /// A finding that is only reported.
    pub fn note(path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, text: text.into(), fails: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.fails { "error" } else { "note" };
        match self.line {
            0 => write!(f, "{kind}: {}: {}", self.path, self.text),
            line => write!(f, "{kind}: {}:{line}: {}", self.path, self.text),
        }
    }
}

/// All rules, in the order in which they are reported.
const RULES: [fn(&Tree) -> Vec<Finding>; 8] = [
    text::length,
    text::names,
    text::leftovers,
    text::sleeping_tests,
    crates::arrows,
    access::files,
    operations::complete,
    required_files,
];

/// Checks the repository at `root`; prints what it finds.
///
/// # Errors
/// When a rule is broken, or a file cannot be read.
pub fn run(root: &Path) -> Result<()> {
    let tree = Tree::read(root)?;
    let findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    for finding in &findings {
        eprintln!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.fails).count();
    if errors > 0 {
        bail!("tidy: {errors} broken rule(s)");
    }
    println!("tidy: {} files in order, {} note(s)", tree.files().count(), findings.len());
    Ok(())
}

/// Files that must exist for the repository to be usable by others.
fn required_files(tree: &Tree) -> Vec<Finding> {
    const REQUIRED: [&str; 5] =
        ["LICENSE-MIT", "LICENSE-APACHE", "CONTRIBUTING.md", ".ci/run", "clippy.toml"];
    REQUIRED
        .iter()
        .filter(|path| tree.get(path).is_none())
        .map(|path| Finding::error(path, 0, "this file must exist"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_licence_is_found() {
        let tree =
            Tree::of(&[("LICENSE-MIT", ""), ("CONTRIBUTING.md", ""), (".ci/run", ""), ("clippy.toml", "")]);
        let found = required_files(&tree);
        assert_eq!(found, [Finding::error("LICENSE-APACHE", 0, "this file must exist")]);
    }

    #[test]
    fn findings_name_file_and_line() {
        assert_eq!(Finding::error("a/b.rs", 3, "no").to_string(), "error: a/b.rs:3: no");
        assert_eq!(Finding::note("a/b.rs", 0, "long").to_string(), "note: a/b.rs: long");
    }
}
