//! Paths.

use super::super::PATH_ELEMENTS_MAX;
use super::super::ast::{Path, Step};
use super::super::faults::{Stage, Turn};
use super::super::lexer::{Spanned, Token};
use super::super::overlap;
use super::super::reserved::is_reserved;
use super::Parser;
use crate::errors::expression as errors;
use holdfast_aws::Error;
use std::sync::Arc;

impl Parser<'_, '_> {
    /// A path of which no other may be a part: the `position`th of them, from the left.
    pub(super) fn target(&mut self, position: usize) -> Result<Option<Path>, Error> {
        self.turn = Turn::from_right(Stage::Paths, position);
        self.path()
    }

    /// Notes the first fault of such paths beside each other.
    pub(super) fn check_apart(&mut self, paths: &[Option<Path>]) {
        if let Some((position, error)) = overlap::check(self.kind, paths) {
            self.faults.note_for(Turn::from_right(Stage::Paths, position), error);
        }
    }

    /// A path. Its placeholders and its length are looked at after the whole of it has been read.
    pub(super) fn path(&mut self) -> Result<Option<Path>, Error> {
        let attribute = self.element()?;
        let mut steps = Vec::new();
        loop {
            if self.take(Token::Dot) {
                steps.push(self.element()?.map(Step::Member));
            } else if self.take(Token::OpenBracket) {
                steps.push(self.index()?.map(Step::Element));
                self.expect(Token::CloseBracket)?;
            } else {
                break;
            }
        }
        let levels = 1 + steps.len();
        if levels > PATH_ELEMENTS_MAX {
            self.fault(errors::path_too_deep(self.kind, levels));
        }
        let steps: Option<Vec<Step>> = steps.into_iter().collect();
        Ok(attribute.zip(steps).map(|(attribute, steps)| Path { attribute, steps }))
    }

    fn element(&mut self) -> Result<Option<Arc<str>>, Error> {
        let Spanned { token, start, end } = self.current;
        let text = &self.text[start..end];
        match token {
            Token::Word => {
                self.advance();
                if is_reserved(text) {
                    self.faults.note_at(Stage::Words, start, errors::reserved(self.kind, text));
                }
                Ok(Some(Arc::from(text)))
            }
            Token::Name => {
                self.advance();
                let name = self.placeholders.name(text);
                if name.is_none() {
                    self.fault(errors::undefined_name(self.kind, text));
                }
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn index(&mut self) -> Result<Option<u32>, Error> {
        let Spanned { start, end, .. } = self.expect(Token::Index)?;
        let digits = &self.text[start..end];
        // A list's index is a signed number of 32 bits for AWS (local emulator).
        let index = digits.parse().ok().filter(|index| *index <= i32::MAX.unsigned_abs());
        if index.is_none() {
            self.faults.note_at(Stage::Words, start, errors::index_out_of_range(self.kind, digits));
        }
        Ok(index)
    }
}
