//! An operation that the list calls real has its file, its golden and its row in COMPAT.md.

use super::{Finding, Tree};
use crate::list::{PLACES, entries};

/// Checks every entry of the list. Says nothing while there is no list.
pub fn complete(tree: &Tree) -> Vec<Finding> {
    let Some((list, text)) = PLACES.iter().find_map(|path| Some((*path, tree.get(path)?))) else {
        return Vec::new();
    };
    let compat = tree.get("COMPAT.md").unwrap_or_default();
    let mut found = Vec::new();
    for entry in entries(text).into_iter().filter(|entry| entry.status == "real") {
        let (line, name) = (entry.line, entry.name);
        let file = format!("crates/dynamodb/src/operations/{}.rs", snake(&name));
        let Some(code) = tree.get(&file) else {
            found.push(Finding::error(list, line, format!("{name} has no file: write {file}")));
            continue;
        };
        if !has_golden(tree, code, &snake(&name)) {
            let text =
                format!("{name} has no golden: keep a recorded answer in {file} (expect!) or under golden/");
            // Only noted while the first operations are being written; see CONTRIBUTING.md.
            found.push(Finding::note(list, line, text));
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

/// Whether an answer is kept word for word: inside the operation's tests, or as a file named after it.
fn has_golden(tree: &Tree, code: &str, name: &str) -> bool {
    let inside = code.contains("expect![") || code.contains("golden");
    inside
        || tree.files().any(|(path, _)| {
            path.starts_with("crates/dynamodb/") && path.contains("golden") && path.contains(name)
        })
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
    fn what_is_missing_is_named() {
        let tree = Tree::of(&[
            (PLACES[0], LIST),
            ("crates/dynamodb/src/operations/put_item.rs", ""),
            ("crates/dynamodb/tests/golden/put_item.json", ""),
            ("COMPAT.md", "| PutItem | real |\n"),
        ]);
        let found = complete(&tree);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].text.contains("write crates/dynamodb/src/operations/get_item.rs"));
        assert!(complete(&Tree::of(&[])).is_empty());
    }
}
