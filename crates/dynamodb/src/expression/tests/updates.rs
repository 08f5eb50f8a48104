//! What updates are refused for, in which words.

use super::*;

fn joined(part: impl Fn(usize) -> String, times: usize) -> String {
    (0..times).map(part).collect::<Vec<_>>().join(", ")
}

#[test]
fn answers() {
    let cases: Vec<(&str, &str)> = include_str!("updates.txt")
        .lines()
        .filter(|line| !line.starts_with("//"))
        .map(|line| line.split_once('\t').unwrap())
        .collect();
    assert!(cases.len() > 300);
    all(update, &cases);
}

/// Of three paths and more AWS may name one that has no part in it; we do not.
#[test]
fn overlaps_of_several_paths() {
    let overlap = |one: &str, two: &str| {
        format!(
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {one}, \
             path two: {two}"
        )
    };
    assert_eq!(update("SET b = :p, a = :v, a.c = :v, b.c = :v"), overlap("[a]", "[a, c]"));
    assert_eq!(update("SET a = :p, b = #undef, a = :v"), overlap("[a]", "[a]"));
    assert_eq!(update("REMOVE #undef, a, a"), overlap("[a]", "[a]"));
    let removes = format!("REMOVE {}, a0", joined(|position| format!("a{position}"), 600));
    assert_eq!(update(&removes), overlap("[a0]", "[a0]"));
}

#[test]
fn limits() {
    assert_eq!(update(""), "The expression can not be empty;");
    let fits = format!("SET {} = :p", "a".repeat(EXPRESSION_BYTES_MAX - 9));
    assert_eq!(update(&fits), "OK");
    assert_eq!(update(&format!("{fits} ")), "Expression size has exceeded the maximum allowed size;");
    let too_many = "The expression contains too many operators; operator count: 301";
    let sums = |times| format!("SET {}", joined(|position| format!("a{position}=b+:n"), times));
    assert_eq!(update(&sums(300)), "OK");
    assert_eq!(update(&sums(301)), too_many);
    let calls =
        |times| format!("SET {}", joined(|position| format!("a{position}=b+if_not_exists(c,d)"), times));
    assert_eq!(update(&calls(150)), "OK");
    assert_eq!(update(&calls(151)), too_many);
    assert_eq!(update(&format!("REMOVE {}", joined(|position| format!("a{position}"), 500))), "OK");
    let deep = |levels: usize| format!("SET a{} = :p", ".b".repeat(levels - 1));
    assert_eq!(update(&deep(PATH_ELEMENTS_MAX)), "OK");
    let levels = "The document path has too many nesting levels; nesting levels: 33";
    assert_eq!(update(&deep(33)), levels);
    assert_eq!(update(&format!("SET c = :undef, a{} = :p", ".b".repeat(32))), levels);
}

/// Deep as the bytes allow, on the stack that a thread has.
#[test]
fn depth_is_bounded_by_the_text_alone() {
    let nested = |open: &str, times: usize| format!("SET a = {}:p{}", open.repeat(times), ")".repeat(times));
    assert_eq!(update(&nested("if_not_exists(b,", 239)), "OK");
    assert_eq!(update(&nested("f(", 1300)), "Invalid function name; function: f");
    assert_eq!(update(&nested("(", 2000)), "The expression has redundant parentheses;");
    for open in ["(", "f(", "f((", "if_not_exists(b,", "b + (", "b + f("] {
        let answer = update(&format!("SET a = {}", open.repeat(4000 / open.len())));
        assert!(answer.starts_with("Syntax error; token: "), "{open}: {answer}");
    }
}
