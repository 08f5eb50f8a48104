//! What expressions become. Placeholders are resolved: a name from `ExpressionAttributeNames` and a literal one are the
//! same.
//!
//! `Display` prints a tree as an expression with every name literal and every value as `:` and its stored bytes in
//! hexadecimal; it is for people and tests.

use super::value::{Value, ValueType};
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

/// A condition: `ConditionExpression`, `FilterExpression`, and `KeyConditionExpression` before it is a range.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of two or more.
    And(Vec<Condition>),
    /// Any of two or more.
    Or(Vec<Condition>),
    /// Not the one.
    Not(Box<Condition>),
    /// `left operator right`
    Compare(Comparator, Operand, Operand),
    /// `operand BETWEEN low AND high`, bounds included.
    Between(Operand, Operand, Operand),
    /// `operand IN (…)`, 1 to [`super::IN_MAX`] of them.
    In(Operand, Vec<Operand>),
    /// `attribute_exists`
    Exists(Path),
    /// `attribute_not_exists`
    NotExists(Path),
    /// `attribute_type`
    OfType(Operand, ValueType),
    /// `begins_with`
    BeginsWith(Operand, Operand),
    /// `contains`
    Contains(Operand, Operand),
}

/// How two operands are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// As it is written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The one that says the same with its operands exchanged.
    #[must_use]
    pub fn reversed(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::NotEqual => Self::NotEqual,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    /// Whether it needs an order of values.
    #[must_use]
    pub fn is_ordering(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// The value at a path of the item.
    Path(Path),
    /// A value of the request.
    Value(Arc<Value>),
    /// `size` of the one: a number.
    Size(Box<Operand>),
}

/// A place in an item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The attribute.
    pub attribute: Arc<str>,
    /// The way down from it.
    pub steps: Vec<Step>,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of a map.
    Member(Arc<str>),
    /// An element of a list, from 0.
    Element(u32),
}

/// A `ProjectionExpression`: paths of which none contains another.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// In the order in which they were written.
    pub paths: Vec<Path>,
}

impl Path {
    /// Number of elements: the attribute and the steps.
    #[must_use]
    pub fn elements(&self) -> usize {
        1 + self.steps.len()
    }

    /// `[a, b, [0]]`, as messages name a path.
    pub(super) fn listed(&self) -> impl Display {
        let steps: Vec<String> = self
            .steps
            .iter()
            .map(|step| match step {
                Step::Member(name) => format!(", {name}"),
                Step::Element(index) => format!(", [{index}]"),
            })
            .collect();
        format!("[{}{}]", self.attribute, steps.concat())
    }
}

impl Operand {
    fn visit_mut(&mut self, visit: &mut impl FnMut(&mut Path)) {
        match self {
            Self::Path(path) => visit(path),
            Self::Value(_) => {}
            Self::Size(operand) => operand.visit_mut(visit),
        }
    }

    fn visit<'c>(&'c self, visit: &mut impl FnMut(Leaf<'c>)) {
        match self {
            Self::Path(path) => visit(Leaf::Path(path)),
            Self::Value(value) => visit(Leaf::Value(value)),
            Self::Size(operand) => operand.visit(visit),
        }
    }
}

/// What operands are made of.
enum Leaf<'c> {
    Path(&'c Path),
    Value(&'c Value),
}

impl Condition {
    /// Every path in it, from left to right.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        self.visit(&mut |leaf| {
            if let Leaf::Path(path) = leaf {
                paths.push(path);
            }
        });
        paths
    }

    /// Bytes of its values, of each as often as it stands there: what is looked through beside the item.
    #[must_use]
    pub fn value_bytes(&self) -> u64 {
        let mut bytes: u64 = 0;
        self.visit(&mut |leaf| {
            if let Leaf::Value(value) = leaf {
                bytes = bytes.saturating_add(value.as_bytes().len() as u64);
            }
        });
        bytes
    }

    /// Makes paths lead nowhere whose attribute is `hidden`.
    pub fn hide(&mut self, hidden: impl Fn(&str) -> bool) {
        // No attribute of an item has an empty name.
        let nowhere: Arc<str> = Arc::from("");
        self.visit_mut(&mut |path| {
            if hidden(&path.attribute) {
                path.attribute = Arc::clone(&nowhere);
            }
        });
    }

    /// As `visit`.
    fn visit_mut(&mut self, visit: &mut impl FnMut(&mut Path)) {
        match self {
            Self::And(members) | Self::Or(members) => {
                members.iter_mut().for_each(|member| member.visit_mut(visit));
            }
            Self::Not(member) => member.visit_mut(visit),
            Self::Exists(path) | Self::NotExists(path) => visit(path),
            Self::OfType(operand, _) => operand.visit_mut(visit),
            Self::Compare(_, left, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                [left, right].into_iter().for_each(|operand| operand.visit_mut(visit));
            }
            Self::Between(operand, low, high) => {
                [operand, low, high].into_iter().for_each(|operand| operand.visit_mut(visit));
            }
            Self::In(operand, list) => {
                std::iter::once(operand).chain(list).for_each(|operand| operand.visit_mut(visit));
            }
        }
    }

    /// Depth is bounded by the number of operators, so recursion is.
    fn visit<'c>(&'c self, visit: &mut impl FnMut(Leaf<'c>)) {
        match self {
            Self::And(members) | Self::Or(members) => members.iter().for_each(|member| member.visit(visit)),
            Self::Not(member) => member.visit(visit),
            Self::Exists(path) | Self::NotExists(path) => visit(Leaf::Path(path)),
            Self::OfType(operand, _) => operand.visit(visit),
            Self::Compare(_, left, right) | Self::BeginsWith(left, right) | Self::Contains(left, right) => {
                [left, right].into_iter().for_each(|operand| operand.visit(visit));
            }
            Self::Between(operand, low, high) => {
                [operand, low, high].into_iter().for_each(|operand| operand.visit(visit));
            }
            Self::In(operand, list) => {
                std::iter::once(operand).chain(list).for_each(|operand| operand.visit(visit));
            }
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attribute)?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, ".{name}"),
            Step::Element(index) => write!(f, "[{index}]"),
        })
    }
}

impl Display for Operand {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Value(value) => value.fmt(f),
            Self::Size(operand) => write!(f, "size({operand})"),
        }
    }
}

impl Condition {
    /// Writes a member of `self`, in parentheses if it would not be read as one without them.
    fn member(&self, member: &Self, f: &mut Formatter<'_>) -> fmt::Result {
        let grouped = match self {
            Self::Not(_) | Self::And(_) => matches!(member, Self::And(_) | Self::Or(_)),
            _ => matches!(member, Self::Or(_)),
        };
        if grouped { write!(f, "({member})") } else { write!(f, "{member}") }
    }

    fn joined(&self, members: &[Self], word: &str, f: &mut Formatter<'_>) -> fmt::Result {
        for (position, member) in members.iter().enumerate() {
            if position > 0 {
                write!(f, " {word} ")?;
            }
            self.member(member, f)?;
        }
        Ok(())
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(members) => self.joined(members, "AND", f),
            Self::Or(members) => self.joined(members, "OR", f),
            Self::Not(member) => {
                f.write_str("NOT ")?;
                self.member(member, f)
            }
            Self::Compare(comparator, left, right) => write!(f, "{left} {} {right}", comparator.text()),
            Self::Between(operand, low, high) => write!(f, "{operand} BETWEEN {low} AND {high}"),
            Self::In(operand, list) => {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                write!(f, "{operand} IN ({})", list.join(", "))
            }
            Self::Exists(path) => write!(f, "attribute_exists({path})"),
            Self::NotExists(path) => write!(f, "attribute_not_exists({path})"),
            Self::OfType(operand, kind) => write!(f, "attribute_type({operand}, :{})", kind.name()),
            Self::BeginsWith(operand, prefix) => write!(f, "begins_with({operand}, {prefix})"),
            Self::Contains(operand, part) => write!(f, "contains({operand}, {part})"),
        }
    }
}

impl Display for Projection {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let paths: Vec<String> = self.paths.iter().map(ToString::to_string).collect();
        f.write_str(&paths.join(", "))
    }
}
