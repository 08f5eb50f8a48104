//! The files of the repository, read once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Text files by path relative to the root, with `/` on every system.
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads everything that git tracks or would track: ignored files are nobody's business here.
    ///
    /// # Errors
    /// When git does not run, or a listed file cannot be read.
    pub fn read(root: &Path) -> Result<Tree> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("running git ls-files")?;
        ensure!(listed.status.success(), "git ls-files failed in {}", root.display());
        let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
        let mut files = BTreeMap::new();
        for name in names.split('\0').filter(|name| !name.is_empty()) {
            let path = root.join(name);
            // A tracked file that was deleted, and a directory of its own repository.
            if !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.insert(name.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(Tree { files })
    }

    /// A tree of the given files, for tests of rules.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        Tree { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The text of one file.
    pub fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Rust files that were written by hand.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs") && !path.contains("/generated/"))
    }
}

/// Whether a whole file belongs to tests: under `tests/`, `benches/`, `fuzz/` or `conformance/`, or named for it.
pub fn is_test_file(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "benches" | "fuzz" | "conformance" | "testkit"))
        || path.ends_with("/tests.rs")
        || path.ends_with("_tests.rs")
}

/// The line from which a file holds only tests: the first `#[cfg(test)]` that opens a module.
pub fn tests_begin(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    lines.iter().enumerate().position(|(at, line)| {
        line.trim() == "#[cfg(test)]"
            && lines[at + 1..]
                .iter()
                .map(|next| next.trim())
                .find(|next| !next.starts_with("#["))
                .is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
    })
}

/// The code of a line: without a trailing or whole-line comment. Good enough for searching, not a parser.
pub fn code(line: &str) -> &str {
    match line.find("//") {
        // `https://` inside a string is not a comment.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_begin_at_the_module_not_at_a_cfg_on_an_item() {
        let text = "#[cfg(test)]\nfn only_for_tests() {}\n\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n}\n";
        assert_eq!(tests_begin(text), Some(3));
        assert_eq!(tests_begin("#[cfg(test)]\nmod tests;\n"), None);
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(code("let a = 1; // File::open"), "let a = 1; ");
        assert_eq!(code("let a = \"http://x\";"), "let a = \"http://x\";");
        assert_eq!(code("/// todo"), "");
    }

    #[test]
    fn test_files_are_told_by_their_place() {
        assert!(is_test_file("crates/store/tests/crash.rs"));
        assert!(is_test_file("crates/store/src/executor/tests.rs"));
        assert!(!is_test_file("crates/store/src/executor/mod.rs"));
    }
}
