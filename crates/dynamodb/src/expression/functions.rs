//! Functions of conditions and what operators and functions take.

use super::ast::{Comparator, Condition, Operand};
use super::parser::Parser;
use super::value::ValueType;
use super::{IN_MAX, Value};
use crate::errors::expression as errors;
use crate::item::view;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_shapes::AttributeValue;
use std::sync::Arc;

/// A function that an expression can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Exists,
    NotExists,
    OfType,
    BeginsWith,
    Contains,
    Size,
    IfNotExists,
    ListAppend,
}

impl Function {
    /// The function of a name. Names of functions are case-sensitive.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "attribute_exists" => Self::Exists,
            "attribute_not_exists" => Self::NotExists,
            "attribute_type" => Self::OfType,
            "begins_with" => Self::BeginsWith,
            "contains" => Self::Contains,
            "size" => Self::Size,
            "if_not_exists" => Self::IfNotExists,
            "list_append" => Self::ListAppend,
            _ => return None,
        })
    }

    /// Whether it is of updates; the others are of conditions.
    pub(super) fn is_of_updates(self) -> bool {
        matches!(self, Self::IfNotExists | Self::ListAppend)
    }

    /// How many operands it takes.
    pub(super) fn operands(self) -> usize {
        match self {
            Self::Exists | Self::NotExists | Self::Size => 1,
            Self::OfType | Self::BeginsWith | Self::Contains | Self::IfNotExists | Self::ListAppend => 2,
        }
    }
}

/// What the value at a path can be, as AWS lists it, with types of its own. Source: recorded (2026).
const EVERY_TYPE: &str =
    "{S,SS,N,NS,B,BS,BOOL,NULL,L,M,HD,DOUBLE,FLOAT,HDS,FS,DOUBLESET,DICT,DECIMAL,INT,DECIMALSET,INTSET}";

/// The type of an operand where the text alone tells it.
fn known_type(operand: &Operand) -> Option<ValueType> {
    match operand {
        Operand::Path(_) => None,
        Operand::Value(value) => Some(value.kind()),
        Operand::Size(_) => Some(ValueType::N),
    }
}

/// Checks of operands. Each notes the first fault; what a check returns after a fault is never used.
impl Parser<'_, '_> {
    fn check_distinct(&mut self, operator: &str, first: &Operand, rest: &[&Operand]) {
        if let Operand::Path(path) = first
            && rest.contains(&first)
        {
            let error = errors::not_distinct(self.kind, operator, path.listed());
            self.fault(error);
        }
    }

    /// `known` are the types of the operands, where the text tells them.
    pub(super) fn check_types<const N: usize>(
        &mut self,
        operator: &str,
        known: [Option<ValueType>; N],
        allowed: fn(ValueType) -> bool,
    ) {
        if let Some(kind) = known.into_iter().flatten().find(|kind| !allowed(*kind)) {
            self.fault(errors::operand_type(self.kind, operator, kind.name()));
        }
    }

    /// `left comparator right`
    pub(super) fn compare(&mut self, comparator: Comparator, left: Operand, right: Operand) -> Condition {
        self.check_distinct(comparator.text(), &left, &[&right]);
        if comparator.is_ordering() {
            self.check_types(comparator.text(), [&left, &right].map(known_type), ValueType::is_ordered);
        }
        Condition::Compare(comparator, left, right)
    }

    /// `operand BETWEEN low AND high`
    pub(super) fn between(&mut self, operand: Operand, low: Operand, high: Operand) -> Condition {
        self.check_types("BETWEEN", [&operand, &low, &high].map(known_type), ValueType::is_ordered);
        self.check_distinct("BETWEEN", &operand, &[&low, &high]);
        if let (Operand::Value(lower), Operand::Value(upper)) = (&low, &high) {
            if lower.kind() != upper.kind() {
                let error = errors::bounds_types(self.kind, self.shown(lower), self.shown(upper));
                self.fault(error);
            } else if lower.scalar().map(|(_, bytes)| bytes) > upper.scalar().map(|(_, bytes)| bytes) {
                let error = errors::bounds_order(self.kind, self.shown(lower), self.shown(upper));
                self.fault(error);
            }
        }
        Condition::Between(operand, low, high)
    }

    /// A bound as messages show it.
    fn shown(&self, value: &Arc<Value>) -> String {
        let text = match self.placeholders.sent(value) {
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
            // Recorded (2026).
            Some(AttributeValue::B(bytes)) => STANDARD.encode(bytes),
            _ => String::new(),
        };
        format!("AttributeValue: {{{}:{text}}}", value.kind().name())
    }

    /// `operand IN (list)`
    pub(super) fn within(&mut self, operand: Operand, list: Vec<Operand>) -> Condition {
        if list.len() > IN_MAX {
            self.fault(errors::too_many_in(self.kind, list.len()));
        }
        self.check_distinct("IN", &operand, &list.iter().collect::<Vec<_>>());
        Condition::In(operand, list)
    }

    /// A call of a function that is a condition.
    pub(super) fn call(
        &mut self,
        function: Function,
        name: &str,
        operands: Vec<Operand>,
    ) -> Option<Condition> {
        let operands = self.counted(function, name, operands)?;
        let condition = match (function, <[Operand; 2]>::try_from(operands)) {
            (Function::BeginsWith, Ok([operand, prefix])) => {
                self.check_distinct(name, &operand, &[&prefix]);
                self.check_types(name, [&operand, &prefix].map(known_type), |kind| {
                    matches!(kind, ValueType::S | ValueType::B)
                });
                Condition::BeginsWith(operand, prefix)
            }
            (Function::Contains, Ok([operand, part])) => {
                self.check_distinct(name, &operand, &[&part]);
                Condition::Contains(operand, part)
            }
            (Function::OfType, Ok([operand, kind])) => {
                self.check_distinct(name, &operand, &[&kind]);
                Condition::OfType(operand, self.named_type(name, &kind)?)
            }
            (_, Err(operands)) => match operands.into_iter().next()? {
                Operand::Path(path) if function == Function::Exists => Condition::Exists(path),
                Operand::Path(path) => Condition::NotExists(path),
                _ => {
                    self.fault(errors::path_required(self.kind, name));
                    return None;
                }
            },
            (_, Ok(_)) => return None,
        };
        Some(condition)
    }

    /// `size(operand)`
    pub(super) fn size(&mut self, name: &str, operands: Vec<Operand>) -> Option<Operand> {
        let operand = self.counted(Function::Size, name, operands)?.pop()?;
        self.check_types(name, [known_type(&operand)], |kind| {
            !matches!(kind, ValueType::N | ValueType::Null | ValueType::Bool)
        });
        Some(Operand::Size(Box::new(operand)))
    }

    /// The operands of a call, if it has as many as the function takes.
    pub(super) fn counted<T>(&mut self, function: Function, name: &str, operands: Vec<T>) -> Option<Vec<T>> {
        if operands.len() == function.operands() {
            return Some(operands);
        }
        self.fault(errors::operand_count(self.kind, name, operands.len()));
        None
    }

    /// The type that the second operand of `attribute_type` names.
    fn named_type(&mut self, function: &str, operand: &Operand) -> Option<ValueType> {
        let error = match operand {
            Operand::Value(value) => match value.view() {
                Ok(view::Value::S(name)) => match ValueType::of_name(name) {
                    Some(kind) => return Some(kind),
                    None => errors::unknown_type(self.kind, name),
                },
                _ => errors::operand_type(self.kind, function, value.kind().name()),
            },
            Operand::Size(_) => errors::operand_type(self.kind, function, ValueType::N.name()),
            Operand::Path(_) => errors::operand_type(self.kind, function, EVERY_TYPE),
        };
        self.fault(error);
        None
    }
}
