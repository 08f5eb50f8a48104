//! Where the parser is in the text, and what it has found so far.

use super::super::faults::{Faults, Stage, Turn};
use super::super::lexer::{Keyword, Spanned, Token, token_at};
use super::super::placeholders::Placeholders;
use super::super::{EXPRESSION_BYTES_MAX, ExpressionKind, OPERATORS_MAX};
use crate::errors::expression as errors;
use holdfast_aws::Error;

/// Most calls within each other. An operand of a call of `size` is no call that could be right, so that more than two are
/// refused in any case; this bounds the recursion.
const CALLS_MAX: usize = 100;

pub(in crate::expression) struct Parser<'t, 'p> {
    pub(in crate::expression) kind: ExpressionKind,
    pub(super) text: &'t str,
    pub(in crate::expression) placeholders: &'p mut Placeholders,
    pub(in crate::expression) faults: Faults,
    /// Of what is being read.
    pub(super) turn: Turn,
    /// Where the token before the current one begins, or the text.
    before: usize,
    pub(super) current: Spanned,
    operators: usize,
    /// How many `(` are open.
    pub(super) depth: usize,
    /// How many of them are of calls.
    calls: usize,
    /// Whether what was read last is in parentheses of its own.
    pub(super) grouped: bool,
    /// Whether there were parentheses around parentheses; see [`Parser::settle`].
    pub(super) redundant: bool,
    /// Whether what is being read may turn out to be a condition or an operand.
    pub(super) undecided: bool,
}

impl<'t, 'p> Parser<'t, 'p> {
    pub(super) fn new(
        kind: ExpressionKind,
        text: &'t str,
        placeholders: &'p mut Placeholders,
    ) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(errors::empty(kind));
        }
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(errors::too_large(kind, text.len()));
        }
        Ok(Self {
            kind,
            text,
            placeholders,
            faults: Faults::default(),
            turn: Turn::OPERANDS,
            before: 0,
            current: token_at(text, 0),
            operators: 0,
            depth: 0,
            calls: 0,
            grouped: false,
            redundant: false,
            undecided: false,
        })
    }

    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.settle()?;
        if self.operators > OPERATORS_MAX {
            self.faults.note(Stage::Size, errors::too_many_operators(self.kind, OPERATORS_MAX + 1));
        }
        self.faults.into_result()
    }

    pub(super) fn advance(&mut self) -> Spanned {
        let taken = self.current;
        self.before = taken.start;
        self.current = token_at(self.text, taken.end);
        self.grouped = false;
        taken
    }

    pub(super) fn take(&mut self, token: Token) -> bool {
        let found = self.current.token == token;
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, token: Token) -> Result<Spanned, Error> {
        if self.current.token != token {
            return Err(self.unexpected());
        }
        Ok(if token == Token::End { self.current } else { self.advance() })
    }

    /// The refusal of the current token: with what stands between the token before it and the one after it.
    pub(super) fn unexpected(&self) -> Error {
        let Spanned { token, start, end } = self.current;
        if token == Token::End {
            return errors::syntax(self.kind, "<EOF>", &self.text[self.before..]);
        }
        let after = token_at(self.text, end).end;
        errors::syntax(self.kind, &self.text[start..end], &self.text[self.before..after])
    }

    /// Notes a fault of what is being read.
    pub(in crate::expression) fn fault(&mut self, error: Error) {
        self.faults.note_for(self.turn, error);
    }

    pub(super) fn operator(&mut self) {
        self.operators += 1;
    }

    pub(super) fn at_keyword(&self, keyword: Keyword) -> bool {
        self.current.token == Token::Keyword(keyword)
    }

    /// Refuses redundant parentheses. To be called as soon as it is known what they are around: before that a syntax
    /// error comes first, after it the parentheses do (local emulator).
    pub(super) fn settle(&self) -> Result<(), Error> {
        if self.redundant { Err(errors::redundant_parentheses(self.kind)) } else { Ok(()) }
    }

    /// Goes into a call.
    pub(super) fn descend(&mut self) -> Result<(), Error> {
        self.depth += 1;
        self.calls += 1;
        if self.calls > CALLS_MAX {
            return Err(errors::too_many_operators(self.kind, OPERATORS_MAX + 1));
        }
        Ok(())
    }

    /// Leaves a call.
    pub(super) fn ascend(&mut self) {
        self.depth -= 1;
        self.calls -= 1;
    }
}
