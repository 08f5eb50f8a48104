//! The models' patterns as plain functions: no regular expression engine on the path of a request.
//!
//! Every function answers whether the whole text matches. `xtask/src/codegen/constraints.rs` maps a model's
//! pattern to its function, so a pattern that is new in a model stops the generator until it has one here.

fn all(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(allowed)
}

/// `[a-zA-Z0-9_.-]+`: names of tables, indexes and backups.
pub fn name(text: &str) -> bool {
    all(text, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// `^[^\$]+$`: client tokens.
pub fn no_dollar(text: &str) -> bool {
    all(text, |c| c != '$')
}

/// `[0-9]{12}`: account numbers.
pub fn account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `[,;:|\t ]`: the CSV delimiter.
pub fn delimiter(text: &str) -> bool {
    matches!(text, "," | ";" | ":" | "|" | "\t" | " ")
}

/// `[\x20-\x21\x23-\x2B\x2D-\x7E]*`: a column of a CSV header: printable, no quote, no comma.
pub fn header(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '"' | ','))
}

/// `([0-9a-f]{16})+`: continuation tokens of imports.
pub fn hex_blocks(text: &str) -> bool {
    !text.is_empty()
        && text.len().is_multiple_of(16)
        && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `\p{Print}+`: names of scaling policies, printable ASCII.
pub fn printable(text: &str) -> bool {
    all(text, |c| matches!(c, ' '..='~'))
}

/// `^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$`: names of S3 buckets.
pub fn bucket(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 2
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && bytes[0].is_ascii_alphanumeric()
        && bytes[bytes.len() - 1].is_ascii_alphanumeric()
}

/// Anything a JSON text can hold: the model's range covers all of Unicode except some control characters.
pub fn no_control(text: &str) -> bool {
    text.chars().all(|c| c >= ' ' || matches!(c, '\r' | '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_takes_and_refuses() {
        type Case = (fn(&str) -> bool, &'static [&'static str], &'static [&'static str]);
        let cases: [Case; 9] = [
            (name, &["a", "A.b-c_9"], &["", "a b", "é", "a/b"]),
            (no_dollar, &["a b"], &["", "a$"]),
            (account, &["000000000000"], &["", "00000000000", "00000000000x", "0000000000000"]),
            (delimiter, &[",", "\t"], &["", "a", ",,"]),
            (header, &["", "a b"], &["a,b", "\"", "é"]),
            (hex_blocks, &["0123456789abcdef"], &["", "0123456789abcde", "0123456789abcdeg"]),
            (printable, &["a ~"], &["", "\n", "é"]),
            (bucket, &["ab", "a.-_b"], &["a", "-ab", "ab.", "a/b"]),
            (no_control, &["", "é\n"], &["\u{1}"]),
        ];
        for (matches, good, bad) in cases {
            assert!(good.iter().all(|text| matches(text)), "{good:?}");
            assert!(!bad.iter().any(|text| matches(text)), "{bad:?}");
        }
    }
}
