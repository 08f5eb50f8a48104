//! Updates.
//!
//! ```text
//! clause    = SET set { "," set } | REMOVE path { "," path }
//!           | ADD path value { "," path value } | DELETE path value { "," path value }
//! set       = path "=" set_value
//! set_value = "(" set_value ")" | operand [ ( "+" | "-" ) operand ]
//! operand   = "(" operand ")" | path | value | word "(" operand { "," operand } ")"
//! ```
//!
//! Calls that are not finished are kept on a stack of our own: `if_not_exists` may be nested as deep as the text is long.

use super::super::ExpressionKind;
use super::super::ast::Path;
use super::super::faults::{Stage, Turn};
use super::super::functions::Function;
use super::super::lexer::{Clause, Keyword, Spanned, Token};
use super::super::placeholders::Placeholders;
use super::super::update::{Action, SetOperand, SetValue, Update};
use super::super::value::{Value, ValueType};
use super::{Parser, read};
use crate::errors::expression as errors;
use holdfast_aws::Error;
use std::sync::Arc;

impl Update {
    /// Reads an `UpdateExpression`.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none, or of paths that cannot be changed beside each other.
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Error> {
        let actions = read(ExpressionKind::Update, text, placeholders, |parser| parser.update())?;
        Ok(Self { actions })
    }
}

/// What is done at the path of an action. Nothing stands for an operand with a fault.
enum Change {
    Set(Option<SetValue>),
    Remove,
    Add(Option<Arc<Value>>),
    Delete(Option<Arc<Value>>),
}

impl Change {
    fn at(self, path: Path) -> Option<Action> {
        Some(match self {
            Self::Set(value) => Action::Set(path, value?),
            Self::Remove => Action::Remove(path),
            Self::Add(value) => Action::Add(path, value?),
            Self::Delete(value) => Action::Delete(path, value?),
        })
    }
}

/// A call whose `)` has not been read.
struct Open {
    start: usize,
    end: usize,
    /// Its operands so far, as far as they have no faults.
    operands: Vec<Option<SetOperand>>,
    /// How many `(` stand before the operand that is being read.
    groups: usize,
}

impl Parser<'_, '_> {
    fn update(&mut self) -> Result<Option<Vec<Action>>, Error> {
        let mut paths = Vec::new();
        let mut changes = Vec::new();
        let mut clauses = Vec::new();
        loop {
            let Token::Keyword(Keyword::Clause(clause)) = self.current.token else {
                return Err(self.unexpected());
            };
            let Spanned { start, .. } = self.advance();
            if clauses.contains(&clause) {
                self.faults.note_at(Stage::Clauses, start, errors::clause_twice(clause.name()));
            }
            clauses.push(clause);
            loop {
                let position = paths.len();
                paths.push(self.target(position)?);
                self.turn = Turn::from_right(Stage::Operands, position);
                changes.push(self.change(clause)?);
                if !self.take(Token::Comma) {
                    break;
                }
            }
            if self.current.token == Token::End {
                break;
            }
        }
        self.check_apart(&paths);
        Ok(paths.into_iter().zip(changes).map(|(path, change)| change.at(path?)).collect())
    }

    /// What follows the path of an action.
    fn change(&mut self, clause: Clause) -> Result<Change, Error> {
        Ok(match clause {
            Clause::Set => {
                self.expect(Token::Equal)?;
                Change::Set(self.set_value()?)
            }
            Clause::Remove => Change::Remove,
            Clause::Add => Change::Add(self.clause_value(clause, |kind| {
                matches!(kind, ValueType::N | ValueType::SS | ValueType::NS | ValueType::BS)
            })?),
            Clause::Delete => Change::Delete(self.clause_value(clause, |kind| {
                matches!(kind, ValueType::SS | ValueType::NS | ValueType::BS)
            })?),
        })
    }

    /// The value of `ADD` or `DELETE`.
    fn clause_value(
        &mut self,
        clause: Clause,
        allowed: fn(ValueType) -> bool,
    ) -> Result<Option<Arc<Value>>, Error> {
        let value = self.value()?;
        if let Some(value) = &value
            && !allowed(value.kind())
        {
            self.fault(errors::clause_operand(clause.name(), value.kind().long_name()));
        }
        Ok(value)
    }

    /// The value of `SET`. Until it is known whether the first operand is the whole of it, a syntax error comes before
    /// redundant parentheses (local emulator).
    fn set_value(&mut self) -> Result<Option<SetValue>, Error> {
        self.undecided = true;
        let mut groups = self.open_groups();
        let Spanned { start: first_start, end: first_end, .. } = self.current;
        let appends = self.at_call() && &self.text[first_start..first_end] == LIST_APPEND;
        let first = self.set_operand(false)?;
        while groups > 0 && self.current.token == Token::Close {
            self.close()?;
            groups -= 1;
        }
        let sum = match self.current.token {
            Token::Plus => true,
            Token::Minus => false,
            _ if groups > 0 => return Err(self.unexpected()),
            _ => {
                self.settle()?;
                return Ok(first.map(SetValue::Operand));
            }
        };
        let Spanned { start, end, .. } = self.advance();
        self.operator();
        self.undecided = false;
        self.settle()?;
        if appends {
            self.note_misused(first_start, LIST_APPEND);
        }
        let within = self.open_groups();
        let second = self.set_operand(true)?;
        self.close_groups(within)?;
        self.grouped = false;
        self.close_groups(groups)?;
        let operator = &self.text[start..end];
        if let (Some(first), Some(second)) = (&first, &second) {
            self.check_types(operator, [first, second].map(known_type), |kind| kind == ValueType::N);
        }
        Ok(first.zip(second).map(|(first, second)| {
            if sum { SetValue::Sum(first, second) } else { SetValue::Difference(first, second) }
        }))
    }

    /// Any number of `(`.
    fn open_groups(&mut self) -> usize {
        let mut groups = 0;
        while self.take(Token::Open) {
            self.depth += 1;
            groups += 1;
        }
        groups
    }

    fn close_groups(&mut self, groups: usize) -> Result<(), Error> {
        for _ in 0..groups {
            self.close()?;
            if !self.undecided {
                self.settle()?;
            }
        }
        Ok(())
    }

    /// An operand, without the parentheses around it. `inner` says that it is part of something.
    fn set_operand(&mut self, inner: bool) -> Result<Option<SetOperand>, Error> {
        let mut open: Vec<Open> = Vec::new();
        'operands: loop {
            if self.at_call() {
                let mut call = self.open_call(inner || !open.is_empty())?;
                call.groups = self.open_groups();
                open.push(call);
                continue;
            }
            let mut operand = match self.current.token {
                Token::Word | Token::Name => self.path()?.map(SetOperand::Path),
                _ => self.value()?.map(SetOperand::Value),
            };
            // Here an operand has been read, which may end calls.
            while let Some(mut call) = open.pop() {
                self.close_groups(call.groups)?;
                call.operands.push(operand);
                if self.take(Token::Comma) {
                    call.groups = self.open_groups();
                    open.push(call);
                    continue 'operands;
                }
                self.expect(Token::Close)?;
                self.depth -= 1;
                operand = self.set_call(call);
            }
            return Ok(operand);
        }
    }

    /// The name of a call and its `(`. `inner` says that the call is part of something.
    fn open_call(&mut self, inner: bool) -> Result<Open, Error> {
        let Spanned { start, end, .. } = self.advance();
        let name = &self.text[start..end];
        self.operator();
        self.note_foreign(start, end);
        if inner && name == LIST_APPEND {
            self.note_misused(start, name);
        }
        self.expect(Token::Open)?;
        self.depth += 1;
        Ok(Open { start, end, operands: Vec::new(), groups: 0 })
    }

    /// A call that has been read.
    fn set_call(&mut self, call: Open) -> Option<SetOperand> {
        let name = &self.text[call.start..call.end];
        let function = Function::of_name(name).filter(|function| function.is_of_updates())?;
        let operands = call.operands.into_iter().collect::<Option<Vec<_>>>()?;
        let operands = self.counted(function, name, operands)?;
        let [first, second] = <[SetOperand; 2]>::try_from(operands).ok()?;
        if function == Function::ListAppend {
            self.check_types(name, [&first, &second].map(known_type), |kind| kind == ValueType::L);
            return Some(SetOperand::ListAppend(Box::new(first), Box::new(second)));
        }
        let SetOperand::Path(path) = first else {
            self.fault(errors::path_required(self.kind, name));
            return None;
        };
        if matches!(&second, SetOperand::Path(other) if *other == path) {
            self.fault(errors::not_distinct(self.kind, name, path.listed()));
        }
        Some(SetOperand::IfNotExists(path, Box::new(second)))
    }
}

/// A function that is the whole of a value or stands nowhere.
const LIST_APPEND: &str = "list_append";

/// The type of an operand where the text alone tells it.
fn known_type(operand: &SetOperand) -> Option<ValueType> {
    match operand {
        SetOperand::Value(value) => Some(value.kind()),
        SetOperand::ListAppend(..) => Some(ValueType::L),
        SetOperand::Path(_) | SetOperand::IfNotExists(..) => None,
    }
}
