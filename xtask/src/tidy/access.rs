//! Which code may touch files: only `store` works in the data directory.

use super::tree::{code, is_test_file, tests_begin};
use super::{Finding, Tree};

/// Folders whose code may use the file system.
const MAY: [&str; 3] = ["crates/store/", "crates/state/src/blob", "xtask/"];

/// What counts as touching a file.
const CALLS: [&str; 4] = ["std::fs", "File::open", "File::create", "OpenOptions"];

/// Reports file access outside the store. In `holdfast` (sockets, configuration) it is only noted.
pub fn files(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.sources() {
        if MAY.iter().any(|prefix| path.starts_with(prefix)) || is_test_file(path) {
            continue;
        }
        let until = tests_begin(text).unwrap_or(usize::MAX);
        for (at, line) in text.lines().enumerate().take(until) {
            let Some(call) = CALLS.iter().find(|call| code(line).contains(**call)) else { continue };
            found.push(if path.starts_with("crates/holdfast/") {
                Finding::note(path, at + 1, format!("{call}: never inside the data directory"))
            } else {
                Finding::error(
                    path,
                    at + 1,
                    format!("{call}: only `store` and `state::blob` touch files (ARCHITECTURE.md)"),
                )
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_store() {
        let tree = Tree::of(&[
            ("crates/store/src/io/real.rs", "use std::fs::File;"),
            ("crates/dynamodb/src/a.rs", "use std::fs;\n#[cfg(test)]\nmod tests {\nuse std::fs;\n}\n"),
            ("crates/holdfast/src/config.rs", "let f = File::open(path)?;"),
        ]);
        let found = files(&tree);
        assert_eq!(
            found.iter().map(|f| (f.path.as_str(), f.line, f.fails)).collect::<Vec<_>>(),
            [("crates/dynamodb/src/a.rs", 1, true), ("crates/holdfast/src/config.rs", 1, false),]
        );
    }
}
