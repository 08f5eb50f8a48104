//! What an `UpdateExpression` becomes.

mod cost;

use super::ast::Path;
use super::value::Value;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

/// An `UpdateExpression`: changes of one item, of which none touches what another changes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    /// In the order in which they were written; those of one kind follow each other.
    pub actions: Vec<Action>,
}

/// One change. Everything that it reads is read from the item as it was before the update.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// `SET path = value`
    Set(Path, SetValue),
    /// `REMOVE path`
    Remove(Path),
    /// `ADD path value`: a number or a set.
    Add(Path, Arc<Value>),
    /// `DELETE path value`: a set.
    Delete(Path, Arc<Value>),
}

/// What a path is set to.
#[derive(Debug, Clone, PartialEq)]
pub enum SetValue {
    /// `operand`
    Operand(SetOperand),
    /// `left + right`: numbers.
    Sum(SetOperand, SetOperand),
    /// `left - right`: numbers.
    Difference(SetOperand, SetOperand),
}

/// What values are made of.
#[derive(Debug, Clone, PartialEq)]
pub enum SetOperand {
    /// The value at a path of the item.
    Path(Path),
    /// A value of the request.
    Value(Arc<Value>),
    /// `if_not_exists`: what is at the path or, if there is nothing, the other.
    IfNotExists(Path, Box<SetOperand>),
    /// `list_append`: the elements of both.
    ListAppend(Box<SetOperand>, Box<SetOperand>),
}

impl Update {
    /// The paths that it changes, in the order of the actions.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.actions.iter().map(Action::path)
    }

    /// The paths that it reads, as they were written.
    #[must_use]
    pub fn read_paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        for action in &self.actions {
            match action {
                Action::Set(_, SetValue::Operand(operand)) => operand.read_paths(&mut paths),
                Action::Set(_, SetValue::Sum(left, right) | SetValue::Difference(left, right)) => {
                    left.read_paths(&mut paths);
                    right.read_paths(&mut paths);
                }
                Action::Remove(_) | Action::Add(..) | Action::Delete(..) => {}
            }
        }
        paths
    }

    /// Bytes of its values, of each as often as it stands there.
    #[must_use]
    pub fn value_bytes(&self) -> u64 {
        let of = |action: &Action| match action {
            Action::Set(_, SetValue::Operand(operand)) => operand.value_bytes(),
            Action::Set(_, SetValue::Sum(left, right) | SetValue::Difference(left, right)) => {
                left.value_bytes().saturating_add(right.value_bytes())
            }
            Action::Remove(_) => 0,
            Action::Add(_, value) | Action::Delete(_, value) => value.as_bytes().len() as u64,
        };
        self.actions.iter().map(of).fold(0, u64::saturating_add)
    }
}

impl Action {
    /// What it changes.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Set(path, _) | Self::Remove(path) | Self::Add(path, _) | Self::Delete(path, _) => path,
        }
    }

    fn clause(&self) -> &'static str {
        match self {
            Self::Set(..) => "SET",
            Self::Remove(_) => "REMOVE",
            Self::Add(..) => "ADD",
            Self::Delete(..) => "DELETE",
        }
    }
}

impl SetOperand {
    fn read_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        match self {
            Self::Path(path) => paths.push(path),
            Self::Value(_) => {}
            Self::IfNotExists(path, otherwise) => {
                paths.push(path);
                otherwise.read_paths(paths);
            }
            Self::ListAppend(first, second) => {
                first.read_paths(paths);
                second.read_paths(paths);
            }
        }
    }

    fn value_bytes(&self) -> u64 {
        match self {
            Self::Path(_) => 0,
            Self::Value(value) => value.as_bytes().len() as u64,
            Self::IfNotExists(_, otherwise) => otherwise.value_bytes(),
            Self::ListAppend(first, second) => first.value_bytes().saturating_add(second.value_bytes()),
        }
    }
}

/// As an expression, like the other trees.
impl Display for Update {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut clause = None;
        for action in &self.actions {
            if clause == Some(action.clause()) {
                f.write_str(", ")?;
            } else {
                f.write_str(if clause.is_some() { " " } else { "" })?;
                write!(f, "{} ", action.clause())?;
                clause = Some(action.clause());
            }
            match action {
                Action::Set(path, value) => write!(f, "{path} = {value}")?,
                Action::Remove(path) => write!(f, "{path}")?,
                Action::Add(path, value) | Action::Delete(path, value) => write!(f, "{path} {value}")?,
            }
        }
        Ok(())
    }
}

impl Display for SetValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operand(operand) => operand.fmt(f),
            Self::Sum(left, right) => write!(f, "{left} + {right}"),
            Self::Difference(left, right) => write!(f, "{left} - {right}"),
        }
    }
}

impl Display for SetOperand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Value(value) => value.fmt(f),
            Self::IfNotExists(path, otherwise) => write!(f, "if_not_exists({path}, {otherwise})"),
            Self::ListAppend(first, second) => write!(f, "list_append({first}, {second})"),
        }
    }
}
