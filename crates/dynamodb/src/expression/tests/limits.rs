//! Limits, and texts made to exhaust something.

use super::*;

fn tail(text: &str) -> String {
    let answer = filter(text);
    answer.split("; ").last().unwrap_or_default().to_owned()
}

fn joined(part: &str, by: &str, times: usize) -> String {
    vec![part; times].join(by)
}

#[test]
fn bytes_of_expressions() {
    let fits = format!("{} = :p", "a".repeat(EXPRESSION_BYTES_MAX - 5));
    assert_eq!(filter(&fits), "OK");
    assert_eq!(
        filter(&format!("{fits} ")),
        "Expression size has exceeded the maximum allowed size; expression size: 4097"
    );
    let key = message(condition(ExpressionKind::KeyCondition, &format!("{fits} ")));
    assert_eq!(key, "Invalid KeyConditionExpression: Expression size has exceeded the maximum allowed size;");
    assert_eq!(
        projection(&"a".repeat(EXPRESSION_BYTES_MAX + 1)),
        "Expression size has exceeded the maximum allowed size;"
    );
    assert_eq!(filter(""), "The expression can not be empty;");
}

#[test]
fn numbers_of_operators_and_operands() {
    let too_many = "operator count: 301";
    assert_eq!(filter(&joined("a = :p", " AND ", 150)), "OK");
    assert_eq!(
        filter(&joined("a = :p", " AND ", 151)),
        format!("The expression contains too many operators; {too_many}")
    );
    assert_eq!(tail(&joined("(NOT a = :p)", " OR ", 101)), too_many);
    assert_eq!(tail(&joined("size(a) = :n", " OR ", 101)), too_many);
    assert_eq!(tail(&joined("a IN (:p,:p,:p)", " OR ", 151)), too_many);
    assert_eq!(tail(&joined("a BETWEEN :p AND :p", " OR ", 151)), too_many);
    assert_eq!(tail(&format!("{}a = :p", "NOT ".repeat(1000))), too_many);
    let list = |length| format!("a IN ({})", joined(":p", ",", length));
    assert_eq!(filter(&list(IN_MAX)), "OK");
    assert_eq!(
        filter(&list(IN_MAX + 1)),
        "The IN operator is provided with too many operands; number of operands: 101"
    );
}

#[test]
fn elements_of_paths() {
    let path = |elements| format!("{} = :p", joined("a", ".", elements));
    assert_eq!(filter(&path(PATH_ELEMENTS_MAX)), "OK");
    let text = "The document path has too many nesting levels; nesting levels: ";
    assert_eq!(filter(&path(33)), format!("{text}33"));
    assert_eq!(filter(&format!("a{} = :p", "[0]".repeat(40))), format!("{text}41"));
    assert_eq!(filter(&format!("a = :undefined AND {}", path(33))), filter("a = :undefined"));
    assert_eq!(tail(&format!("{} AND a = :undefined", path(33))), "nesting levels: 33");
}

/// Deep as the bytes allow: refused, on the stack that a thread has.
#[test]
fn depth_is_bounded() {
    let redundant = "The expression has redundant parentheses;";
    for depth in [10, 300, 2000] {
        assert_eq!(filter(&format!("{}a = :p{}", "(".repeat(depth), ")".repeat(depth))), redundant);
        assert_eq!(filter(&format!("a = {}:p{}", "(".repeat(depth), ")".repeat(depth))), redundant);
    }
    let open = |part: &str, depth: usize| format!("{}a = :p{}", part.repeat(depth), ")".repeat(depth));
    assert_eq!(filter(&open("a = :p AND (", 149)), "OK");
    assert_eq!(tail(&open("a = :p AND (", 150)), "operator count: 301");
    assert_eq!(filter(&open("NOT (", 200)), "OK");
    assert_ne!(filter(&open("NOT (", 650)), "OK");
    let size = |depth: usize| filter(&format!("{}a{} = :n", "size(".repeat(depth), ")".repeat(depth)));
    assert_eq!(size(1), "OK");
    assert_eq!(size(100), size(2));
    assert_ne!(size(800), "OK");
    assert_ne!(filter(&"(".repeat(EXPRESSION_BYTES_MAX)), "OK");
    assert_ne!(filter(&"a = (".repeat(800)), "OK");
}
