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
    /// A clause of an update that is there twice.
    Clauses,
    /// Paths of a projection, paths that an update changes: their placeholders, then their lengths, then whether a path
    /// to the right overlaps. The rightmost path is first.
    Paths,
    /// Placeholders, then operands of the operator that they belong to, from inside to outside and left to right;
    /// of an update the rightmost action is first.
    Operands,
    /// The number of operators.
    Size,
}

/// When a part of an expression is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    stage: Stage,
    /// Among the parts of the stage; less is earlier.
    position: usize,
}

impl Turn {
    /// The turn of a whole condition's operands.
    pub(super) const OPERANDS: Self = Self { stage: Stage::Operands, position: 0 };

    /// The turn of a part in a stage that looks at the last part first; parts are counted from the left.
    pub(super) fn from_right(stage: Stage, part: usize) -> Self {
        Self { stage, position: usize::MAX - part }
    }
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
        self.note_for(Turn { stage, position }, error);
    }

    /// Notes a fault of a part of the text that has its turn in the stage.
    pub(super) fn note_for(&mut self, turn: Turn, error: Error) {
        let rank = (turn.stage, turn.position);
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
