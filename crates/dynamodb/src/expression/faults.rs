//! Which fault of an expression is reported.
//!
//! AWS reads an expression in stages, each of which sees the whole text, so that a fault of an earlier stage is reported
//! before one that stands further left. We read it once and keep the fault that AWS would have met first. Source of the
//! stages: answers of AWS of 2016 (functions, names, conditions) and of October 2026 (conditions in the order in which
//! they are written), and the local emulator, which agrees with both.
//!
//! Syntax errors and redundant parentheses come before all of them, the first of the two in the text first; they end the
//! reading and never get here.

use holdfast_aws::Error;

/// A stage; earlier ones are less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Unknown and misplaced functions, reserved words, indexes; within the stage the leftmost is first.
    Words,
    /// Placeholders, then operands of the operator that they belong to, from inside to outside and left to right.
    Operands,
    /// The number of operators.
    Size,
}

/// The first fault so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    first: Option<((Stage, usize), Error)>,
}

impl Faults {
    /// Notes a fault of a stage in which the order is that of noting.
    pub(super) fn note(&mut self, stage: Stage, error: Error) {
        self.note_at(stage, 0, error);
    }

    /// Notes a fault of a stage in which the order is that of positions in the text.
    pub(super) fn note_at(&mut self, stage: Stage, position: usize, error: Error) {
        let rank = (stage, position);
        if self.first.as_ref().is_none_or(|(first, _)| rank < *first) {
            self.first = Some((rank, error));
        }
    }

    /// The first fault, if there is one.
    pub(super) fn into_result(self) -> Result<(), Error> {
        match self.first {
            Some((_, error)) => Err(error),
            None => Ok(()),
        }
    }
}
