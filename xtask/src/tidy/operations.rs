//! An operation that the list calls real has its file, its golden and its row in COMPAT.md.
//!
//! The list is the array `OPERATIONS` in `crates/dynamodb/src/operations.rs` (or `operations/mod.rs`). It is read as
//! text, entry by entry: `Operation { name: "PutItem", status: Status::Real, evaluated: &["TableName", ..], .. }`, or a
//! macro's line or a call in which the name stands in quotes on the same line as `Real`.

use super::{Finding, Tree};

/// The two places where the list may be.
const LISTS: [&str; 2] = ["crates/dynamodb/src/operations.rs", "crates/dynamodb/src/operations/mod.rs"];

/// Checks every entry of the list. Says nothing while there is no list.
pub fn complete(tree: &Tree) -> Vec<Finding> {
    let Some((list, text)) = LISTS.iter().find_map(|path| Some((*path, tree.get(path)?))) else {
        return Vec::new();
    };
    let compat = tree.get("COMPAT.md").unwrap_or_default();
    let mut found = Vec::new();
    for (line, name) in real(text) {
        let file = format!("crates/dynamodb/src/operations/{}.rs", snake(&name));
        if tree.get(&file).is_none() {
            found.push(Finding::error(list, line, format!("{name} has no file: write {file}")));
        }
        let golden = snake(&name);
        if !tree.files().any(|(path, _)| {
            path.starts_with("crates/dynamodb/") && path.contains("golden") && path.contains(&golden)
        }) {
            found.push(Finding::error(
                list,
                line,
                format!("{name} has no golden: add crates/dynamodb/tests/golden/{golden}.json"),
            ));
        }
        if !compat.contains(&format!("| {name} |")) && !compat.contains(&format!("| `{name}` |")) {
            found.push(Finding::error(
                list,
                line,
                format!("{name} has no row in COMPAT.md: run cargo xtask compat"),
            ));
        }
    }
    found
}

/// Line and name of every entry whose status is real.
fn real(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut latest: Option<(usize, String)> = None;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.trim() == "#[cfg(test)]" {
            break;
        }
        if let Some(name) = quoted_operation(line) {
            latest = Some((at + 1, name));
        }
        if line.contains("Real")
            && let Some(entry) = latest.take()
        {
            found.push(entry);
        }
    }
    found
}

/// The first quoted word that looks like an operation, where it is given as a name: after `name:`, or first in its line.
fn quoted_operation(line: &str) -> Option<String> {
    let at = match line.find("name:") {
        Some(at) => at,
        None if line.trim_start().starts_with(['"', '(']) || line.contains("(\"") => 0,
        None => return None,
    };
    let word = line[at..].split('"').nth(1)?;
    let looks =
        word.starts_with(|c: char| c.is_ascii_uppercase()) && word.chars().all(|c| c.is_ascii_alphanumeric());
    looks.then(|| word.to_owned())
}

/// `PutItem` as a file is named: `put_item`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_ascii_uppercase() && at > 0 {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "pub const OPERATIONS: &[Operation] = &[\n\
        Operation { name: \"PutItem\", status: Status::Real, evaluated: &[\"TableName\"] },\n\
        Operation {\n    name: \"GetItem\",\n    status: Status::Real,\n},\n\
        Operation { name: \"Query\", status: Status::Missing, evaluated: &[] },\n];\n";

    #[test]
    fn entries_are_read_on_one_line_and_on_several() {
        assert_eq!(real(LIST), [(2, "PutItem".to_owned()), (4, "GetItem".to_owned())]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let tree = Tree::of(&[
            (LISTS[0], LIST),
            ("crates/dynamodb/src/operations/put_item.rs", ""),
            ("crates/dynamodb/tests/golden/put_item.json", ""),
            ("COMPAT.md", "| PutItem | real |\n"),
        ]);
        let found = complete(&tree);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].text.contains("write crates/dynamodb/src/operations/get_item.rs"));
        assert!(complete(&Tree::of(&[])).is_empty());
    }
}
