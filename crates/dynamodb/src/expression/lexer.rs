//! Tokens of expressions. Whatever the text is, it has tokens: a character that none begins with is one of its own.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A letter, then letters, digits and `_`; not a keyword.
    Word,
    /// `#` and at least one letter, digit or `_`.
    Name,
    /// `:` and at least one letter, digit or `_`.
    Value,
    /// Digits; the first is not `0` unless it is the only one.
    Index,
    /// A word with a meaning of its own, in letters of any case.
    Keyword(Keyword),
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    Plus,
    Minus,
    /// Any character that begins no token.
    Other,
    /// The end of the text.
    End,
}

/// Words that are never names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    Between,
    In,
    /// No name in other expressions than updates either (local emulator).
    Clause(Clause),
}

/// What an update is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Set,
    Remove,
    Add,
    Delete,
}

impl Clause {
    /// As messages name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Remove => "REMOVE",
            Self::Add => "ADD",
            Self::Delete => "DELETE",
        }
    }
}

const KEYWORDS: [(&str, Keyword); 9] = [
    ("AND", Keyword::And),
    ("OR", Keyword::Or),
    ("NOT", Keyword::Not),
    ("BETWEEN", Keyword::Between),
    ("IN", Keyword::In),
    ("SET", Keyword::Clause(Clause::Set)),
    ("REMOVE", Keyword::Clause(Clause::Remove)),
    ("ADD", Keyword::Clause(Clause::Add)),
    ("DELETE", Keyword::Clause(Clause::Delete)),
];

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The token that begins at `from` or after white space there.
pub(super) fn token_at(text: &str, from: usize) -> Spanned {
    let bytes = text.as_bytes();
    let mut start = from;
    while matches!(bytes.get(start), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        start += 1;
    }
    let spanned = |token, length| Spanned { token, start, end: start + length };
    let Some(first) = bytes.get(start).copied() else {
        return spanned(Token::End, 0);
    };
    let second = bytes.get(start + 1).copied();
    let word = |skip: usize| skip + bytes[start + skip..].iter().take_while(|byte| is_word(**byte)).count();
    match (first, second) {
        (b'a'..=b'z' | b'A'..=b'Z', _) => {
            let length = word(0);
            spanned(keyword(&text[start..start + length]).map_or(Token::Word, Token::Keyword), length)
        }
        (b'#', Some(next)) if is_word(next) => spanned(Token::Name, word(1)),
        (b':', Some(next)) if is_word(next) => spanned(Token::Value, word(1)),
        (b'1'..=b'9', _) => {
            let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            spanned(Token::Index, digits)
        }
        (b'0', _) => spanned(Token::Index, 1),
        (b'=', _) => spanned(Token::Equal, 1),
        (b'<', Some(b'>')) => spanned(Token::NotEqual, 2),
        (b'<', Some(b'=')) => spanned(Token::LessOrEqual, 2),
        (b'<', _) => spanned(Token::Less, 1),
        (b'>', Some(b'=')) => spanned(Token::GreaterOrEqual, 2),
        (b'>', _) => spanned(Token::Greater, 1),
        (b'(', _) => spanned(Token::Open, 1),
        (b')', _) => spanned(Token::Close, 1),
        (b'[', _) => spanned(Token::OpenBracket, 1),
        (b']', _) => spanned(Token::CloseBracket, 1),
        (b',', _) => spanned(Token::Comma, 1),
        (b'.', _) => spanned(Token::Dot, 1),
        (b'+', _) => spanned(Token::Plus, 1),
        (b'-', _) => spanned(Token::Minus, 1),
        _ => spanned(Token::Other, text[start..].chars().next().map_or(1, char::len_utf8)),
    }
}

/// Whether a key of a map of placeholders is one token of the expressions: `sigil`, then letters, digits and `_`.
pub(super) fn is_placeholder(key: &str, sigil: u8) -> bool {
    match key.as_bytes() {
        [first, rest @ ..] => *first == sigil && !rest.is_empty() && rest.iter().copied().all(is_word),
        [] => false,
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn keyword(word: &str) -> Option<Keyword> {
    // The shortest and the longest keyword.
    if !(2..=7).contains(&word.len()) {
        return None;
    }
    KEYWORDS.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(word)).map(|(_, keyword)| *keyword)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(text: &str) -> Vec<(Token, &str)> {
        let mut found = Vec::new();
        let mut from = 0;
        loop {
            let Spanned { token, start, end } = token_at(text, from);
            if token == Token::End {
                return found;
            }
            found.push((token, &text[start..end]));
            from = end;
        }
    }

    #[test]
    fn tokens_of_a_text() {
        assert_eq!(
            tokens("a1_.#b[10]<>:c\t>= (aNd,\u{e9}_x 01"),
            [
                (Token::Word, "a1_"),
                (Token::Dot, "."),
                (Token::Name, "#b"),
                (Token::OpenBracket, "["),
                (Token::Index, "10"),
                (Token::CloseBracket, "]"),
                (Token::NotEqual, "<>"),
                (Token::Value, ":c"),
                (Token::GreaterOrEqual, ">="),
                (Token::Open, "("),
                (Token::Keyword(Keyword::And), "aNd"),
                (Token::Comma, ","),
                (Token::Other, "\u{e9}"),
                (Token::Other, "_"),
                (Token::Word, "x"),
                (Token::Index, "0"),
                (Token::Index, "1"),
            ]
        );
    }

    #[test]
    fn signs_without_a_name_and_digits_before_letters() {
        assert_eq!(
            tokens("# :: #1"),
            [(Token::Other, "#"), (Token::Other, ":"), (Token::Other, ":"), (Token::Name, "#1")]
        );
        assert_eq!(tokens("1a"), [(Token::Index, "1"), (Token::Word, "a")]);
    }

    #[test]
    fn keys_of_placeholders() {
        assert!(is_placeholder("#a_1", b'#') && is_placeholder(":1", b':'));
        for key in ["", "#", "a", "#a-b", "#\u{e9}", ":a", "# a", "##a"] {
            assert!(!is_placeholder(key, b'#'), "{key}");
        }
    }

    proptest! {
        #[test]
        fn tokens_follow_each_other_to_the_end(text in "\\PC*|[ #:a-z0-9<>=()\\[\\].,\u{e9}]*") {
            let mut from = 0;
            loop {
                let Spanned { token, start, end } = token_at(&text, from);
                prop_assert!(start >= from && text.is_char_boundary(start) && text.is_char_boundary(end));
                if token == Token::End {
                    prop_assert_eq!(end, text.len());
                    break;
                }
                prop_assert!(end > start);
                from = end;
            }
        }
    }
}
