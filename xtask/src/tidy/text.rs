//! Rules about any source file.

use super::tree::{code, is_test_file, tests_begin};
use super::{Finding, Tree};

/// Lines of one file that fail the run. STYLE: files aim below 400.
const LINES_MAX: usize = 800;
/// Lines of one file that are reported.
const LINES_NOTED: usize = 400;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["utils", "util", "helpers", "helper", "common", "misc"];

/// Files are short enough to be read in one go.
pub fn length(tree: &Tree) -> Vec<Finding> {
    tree.sources()
        .filter_map(|(path, text)| {
            let lines = text.lines().count();
            if lines > LINES_MAX {
                Some(Finding::error(
                    path,
                    0,
                    format!("{lines} lines; the limit is {LINES_MAX}: split it by its nouns"),
                ))
            } else if lines > LINES_NOTED {
                Some(Finding::note(path, 0, format!("{lines} lines; aim for {LINES_NOTED}")))
            } else {
                None
            }
        })
        .collect()
}

/// Modules are named after what they hold.
pub fn names(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter(|(path, _)| path.ends_with(".rs"))
        .filter_map(|(path, _)| {
            let empty = path.trim_end_matches(".rs").split('/').find(|part| EMPTY_NAMES.contains(part))?;
            Some(Finding::error(
                path,
                0,
                format!("\"{empty}\" names no noun of the design: name it after what it holds"),
            ))
        })
        .collect()
}

/// Words that must not reach the main branch. Built from parts, so that this file does not find itself.
fn leftover_words() -> [(String, &'static str); 6] {
    [
        (["todo", "!("].concat(), "finish it, or leave it out"),
        (["unimplemented", "!("].concat(), "finish it, or leave it out"),
        (["dbg", "!("].concat(), "use tracing"),
        (["#[", "ignore"].concat(), "a test that does not run is not a test: delete it, or make it run"),
        (["unsafe", " {"].concat(), "unsafe code is forbidden in this workspace"),
        (["#![allow(", "unsafe_code"].concat(), "unsafe code is forbidden in this workspace"),
    ]
}

/// Nothing unfinished, no debugging prints, no ignored tests.
pub fn leftovers(tree: &Tree) -> Vec<Finding> {
    let words = leftover_words();
    let mut found = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".rs")) {
        for (at, line) in text.lines().enumerate() {
            for (word, remedy) in &words {
                if code(line).contains(word.as_str()) {
                    found.push(Finding::error(path, at + 1, format!("`{word}` must not be here: {remedy}")));
                }
            }
        }
    }
    found
}

/// Tests wait for events, not for time.
pub fn sleeping_tests(tree: &Tree) -> Vec<Finding> {
    let words = [["thread::", "sleep("].concat(), ["time::", "sleep("].concat()];
    let mut found = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| !path.starts_with("xtask/")) {
        let from = if is_test_file(path) { Some(0) } else { tests_begin(text) };
        let Some(from) = from else { continue };
        for (at, line) in text.lines().enumerate().skip(from) {
            if words.iter().any(|word| code(line).contains(word.as_str())) {
                found.push(Finding::error(
                    path,
                    at + 1,
                    "a test sleeps: wait for the event, or move a virtual clock",
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_noted_then_refused() {
        let (some, many) = ("x\n".repeat(401), "x\n".repeat(801));
        let tree =
            Tree::of(&[("a.rs", &some), ("b.rs", &many), ("src/generated/c.rs", &many), ("d.md", &many)]);
        let found = length(&tree);
        assert_eq!(
            found.iter().map(|f| (f.path.as_str(), f.fails)).collect::<Vec<_>>(),
            [("a.rs", false), ("b.rs", true)]
        );
    }

    #[test]
    fn empty_names_are_refused_as_file_and_as_folder() {
        let tree =
            Tree::of(&[("a/utils.rs", ""), ("common/x.rs", ""), ("a/commons.rs", ""), ("helpers.md", "")]);
        assert_eq!(
            names(&tree).iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
            ["a/utils.rs", "common/x.rs"]
        );
    }

    #[test]
    fn leftovers_are_found_in_code_and_not_in_comments() {
        let text = format!("fn f() {{ {} }}\n// {}\n", ["todo", "!()"].concat(), ["dbg", "!(x)"].concat());
        let found = leftovers(&Tree::of(&[("a.rs", &text)]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
    }

    #[test]
    fn only_tests_may_not_sleep() {
        let nap = ["std::thread::", "sleep(d);"].concat();
        let text = format!("fn f() {{ {nap} }}\n#[cfg(test)]\nmod tests {{\n {nap}\n}}\n");
        let found = sleeping_tests(&Tree::of(&[("crates/a/src/b.rs", &text), ("crates/a/tests/c.rs", &nap)]));
        assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [4, 1]);
    }
}
