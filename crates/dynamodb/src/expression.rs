//! Expressions of requests: conditions, filters, key conditions, projections, updates.
//!
//! A text is read once, in one pass, into a tree in which placeholders are already names and values; what runs later
//! sees no text. A request reads its expressions in this order: [`Placeholders::new`]; each expression's `parse`;
//! [`Placeholders::check_used`]; [`KeyCondition::new`]; and, once the table is known, [`KeyCondition::resolve`].
//!
//! # Layout
//! - `lexer`: tokens; `parser`: trees from tokens; `functions`: what functions take; `faults`: which
//!   of several faults is reported; `reserved`: words that are no names
//! - [`ast`], [`update`]: the trees, and how they are printed
//! - `evaluate`: whether a condition holds for an item
//! - [`outline`]: what the paths of a projection show of an item
//! - [`placeholders`]: `ExpressionAttributeNames` and `ExpressionAttributeValues`
//! - [`value`]: a value of a request, in the stored form
//! - [`key_condition`]: from a condition to a range of keys

pub mod ast;
mod evaluate;
mod faults;
mod functions;
pub mod key_condition;
mod lexer;
pub mod outline;
mod overlap;
mod parser;
pub mod placeholders;
mod reserved;
pub mod update;
pub mod value;

pub use ast::{Condition, Operand, Path, Projection};
pub use key_condition::{KeyCondition, KeyRange, SortRange};
pub use outline::Outline;
pub use placeholders::Placeholders;
pub use update::{Action, SetOperand, SetValue, Update};
pub use value::{Value, ValueType};

use std::fmt;

/// Most bytes of an expression, as it was sent. Source: recorded AWS answers (four regions, July 2026).
pub const EXPRESSION_BYTES_MAX: usize = 4096;
/// Most operators and functions of an expression. Source: DynamoDB Developer Guide, "Constraints", "Expression
/// parameters".
pub const OPERATORS_MAX: usize = 300;
/// Most operands of `IN` after the first. Source: as [`OPERATORS_MAX`].
pub const IN_MAX: usize = 100;
/// Most elements of a path. Source: as [`OPERATORS_MAX`], "Nested depth".
pub const PATH_ELEMENTS_MAX: usize = 32;

/// The request parameter that an expression is; texts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionKind {
    /// `KeyConditionExpression`
    KeyCondition,
    /// `FilterExpression`
    Filter,
    /// `ConditionExpression`
    Condition,
    /// `ProjectionExpression`
    Projection,
    /// `UpdateExpression`
    Update,
}

impl fmt::Display for ExpressionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyCondition => "KeyConditionExpression",
            Self::Filter => "FilterExpression",
            Self::Condition => "ConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
        })
    }
}

#[cfg(test)]
mod tests;
