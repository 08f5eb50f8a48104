//! The one list of operations, read as text, so that chores build without the server.
//!
//! It is the array `OPERATIONS` in `crates/dynamodb/src/operations.rs`. An entry is a call whose name is the status,
//! `real("PutItem", put_item::prepare, &["TableName", "Item"])`, `missing("Query")`, or a literal,
//! `Operation { name: "PutItem", status: Status::Real, evaluated: &["TableName"], .. }`. Its first text is the name,
//! the others are the parameters that are evaluated.

/// Where the list may be, relative to the root.
pub const PLACES: [&str; 2] = ["crates/dynamodb/src/operations.rs", "crates/dynamodb/src/operations/mod.rs"];

/// What the list says about one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The line of the name in the list's file, from 1.
    pub line: usize,
    /// As in AWS's API: `PutItem`.
    pub name: String,
    /// `real`, `kept`, `refused` or `missing`.
    pub status: String,
    /// Members of the request that are evaluated.
    pub evaluated: Vec<String>,
}

/// The entries in the order of the list. Empty if there is no array of that name.
pub fn entries(text: &str) -> Vec<Entry> {
    const OPENING: &str = "OPERATIONS: &[Operation] = &";
    let Some(begin) = text.find(OPENING) else { return Vec::new() };
    let start = begin + OPENING.len();
    let (mut entries, mut entry, mut code) = (Vec::new(), Entry::default(), String::new());
    // Brackets that are open, the array's own included.
    let mut depth = 0_usize;
    let mut letters = text[start..].char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '/' if letters.peek().is_some_and(|(_, next)| *next == '/') => {
                while letters.next_if(|(_, next)| *next != '\n').is_some() {}
            }
            '"' => {
                let mut word = String::new();
                while let Some((_, next)) = letters.next_if(|(_, next)| *next != '"') {
                    word.push(next);
                }
                letters.next();
                if entry.name.is_empty() {
                    entry.name = word;
                    entry.line = text[..start + at].lines().count();
                } else {
                    entry.evaluated.push(word);
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth <= 1 => {
                finish(&mut entries, &mut entry, &mut code);
                break;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 1 => finish(&mut entries, &mut entry, &mut code),
            other => code.push(other),
        }
    }
    entries
}

fn finish(entries: &mut Vec<Entry>, entry: &mut Entry, code: &mut String) {
    let code = std::mem::take(code);
    let mut done = std::mem::take(entry);
    if done.name.is_empty() {
        return;
    }
    let status = code.split_once("Status::").map_or(code.trim(), |(_, status)| status);
    done.status = status.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    entries.push(done);
}

/// Where the list of deviations is, relative to the root.
pub const DEVIATIONS: &str = "crates/dynamodb/src/operations/deviations.rs";

/// The entries of the array `DEVIATIONS`: the case, what AWS does, what this build does. Empty if there is no such array.
pub fn deviations(text: &str) -> Vec<[String; 3]> {
    const OPENING: &str = "DEVIATIONS: &[Deviation] = &[";
    let Some((_, list)) = text.split_once(OPENING) else { return Vec::new() };
    let list = list.split_once("\n];").map_or(list, |(list, _)| list);
    let (mut texts, mut letters) = (Vec::new(), list.chars().peekable());
    while letters.by_ref().any(|letter| letter == '"') {
        let mut text = String::new();
        while let Some(letter) = letters.next_if(|next| *next != '"') {
            match letter {
                // A line that goes on.
                '\\' if letters.peek() == Some(&'\n') => {
                    while letters.next_if(|next| next.is_whitespace()).is_some() {}
                }
                '\\' => text.extend(letters.next()),
                other => text.push(other),
            }
        }
        letters.next();
        texts.push(text);
    }
    texts.chunks_exact(3).map(|three| [three[0].clone(), three[1].clone(), three[2].clone()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_literals_are_read() {
        let text = r#"
            pub const OPERATIONS: &[Operation] = &[
                missing("BatchGetItem"), // real("Not", x, &[]),
                real(
                    "PutItem",
                    put_item::prepare,
                    &["TableName", "Item"],
                ),
                Operation { name: "Query", status: Status::Refused, evaluated: &[], prepare: None },
            ];
            pub const OTHERS: &[Operation] = &[real("Scan", x, &[])];
        "#;
        let found = entries(text);
        let short: Vec<_> =
            found.iter().map(|entry| (entry.line, entry.name.as_str(), entry.status.as_str())).collect();
        assert_eq!(short, [(3, "BatchGetItem", "missing"), (5, "PutItem", "real"), (9, "Query", "refused")]);
        assert_eq!(found[1].evaluated, ["TableName", "Item"]);
        assert!(entries("const OTHERS: u8 = 1;").is_empty());
    }

    #[test]
    fn deviations_are_read() {
        let text = "pub const DEVIATIONS: &[Deviation] = &[\n    Deviation { what: \"A\", aws: \"says \\\"b\\\"\",\n here: \"c \\\n        d\" },\n];\nlet x = \"no\";";
        assert_eq!(deviations(text), [["A".to_owned(), "says \"b\"".to_owned(), "c d".to_owned()]]);
        assert!(deviations("nothing").is_empty());
    }
}
