//! From tokens to trees, by recursive descent, in one pass.
//!
//! ```text
//! condition   = conjunction { OR conjunction }
//! conjunction = negation { AND negation }
//! negation    = { NOT } predicate
//! predicate   = "(" condition ")" | call
//!             | operand comparator operand
//!             | operand BETWEEN operand AND operand
//!             | operand IN "(" operand { "," operand } ")"
//! operand     = "(" operand ")" | path | value | call
//! call        = word "(" operand { "," operand } ")"
//! path        = element { "." element | "[" index "]" }
//! projection  = path { "," path }
//! update      = clause { clause }                        (`updates`)
//! ```
//!
//! After `(` either a condition or an operand can follow; which one it is shows at the `)`, so a [`Node`] is either until
//! then. Groups of conditions are kept on a stack of our own; calls recurse, and are bounded (`cursor`).

mod cursor;
mod paths;
mod updates;

pub(super) use self::cursor::Parser;

use super::ast::{Comparator, Condition, Operand, Path, Projection};
use super::faults::Stage;
use super::functions::Function;
use super::lexer::{Keyword, Spanned, Token, token_at};
use super::placeholders::Placeholders;
use super::{ExpressionKind, OPERATORS_MAX, Value};
use crate::errors::{self as failure, expression as errors};
use holdfast_aws::Error;
use std::sync::Arc;

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none, with the name of `kind`.
    pub fn parse(kind: ExpressionKind, text: &str, placeholders: &mut Placeholders) -> Result<Self, Error> {
        read(kind, text, placeholders, |parser| parser.conditions())
    }
}

impl Projection {
    /// Reads a `ProjectionExpression`.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none, or of paths of which one contains another.
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Error> {
        let kind = ExpressionKind::Projection;
        let paths = read(kind, text, placeholders, |parser| {
            let mut paths = vec![parser.target(0)?];
            while parser.take(Token::Comma) {
                paths.push(parser.target(paths.len())?);
            }
            parser.check_apart(&paths);
            Ok(paths.into_iter().collect::<Option<Vec<Path>>>())
        })?;
        Ok(Self { paths })
    }
}

/// Reads the whole of a text with `rule`, which returns nothing only after it has noted a fault.
fn read<T>(
    kind: ExpressionKind,
    text: &str,
    placeholders: &mut Placeholders,
    rule: impl FnOnce(&mut Parser<'_, '_>) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    let parsed = Parser::new(kind, text, placeholders).and_then(|mut parser| {
        let tree = rule(&mut parser)?;
        parser.expect(Token::End)?;
        parser.finish()?;
        Ok(tree)
    });
    let tree = parsed.map_err(|error| placeholders.worded(error))?;
    tree.ok_or_else(|| failure::internal(&"an expression without a tree and without a fault"))
}

/// What stands at a place where it is not yet known whether it is a condition. After a fault has been noted parts may be
/// missing.
enum Node {
    Condition(Option<Condition>),
    Operand(Option<Operand>),
    /// A call that is a condition, or an operand, by what follows it.
    Call(Call),
}

/// A call before it is known what it is.
struct Call {
    start: usize,
    end: usize,
    operands: Option<Vec<Operand>>,
}

/// One level of parentheses, or the whole text: what has been read of it. Nothing stands for a condition with a fault.
#[derive(Default)]
struct Level {
    /// Finished members of the disjunction.
    any: Vec<Option<Condition>>,
    /// Finished members of the conjunction that is being read.
    all: Vec<Option<Condition>>,
    /// How often `NOT` stands before what is being read.
    negations: usize,
}

impl Level {
    /// Whether nothing but an operand may have been read, so that it can be the whole of the level.
    fn is_bare(&self) -> bool {
        self.any.is_empty() && self.all.is_empty() && self.negations == 0
    }

    /// Takes the next member of the conjunction.
    fn push(&mut self, mut condition: Option<Condition>) {
        // Beyond the limit the tree is thrown away: it need not be deep.
        for _ in 0..self.negations.min(OPERATORS_MAX) {
            condition = condition.map(|condition| Condition::Not(Box::new(condition)));
        }
        self.negations = 0;
        self.all.push(condition);
    }

    /// Ends the conjunction.
    fn end_all(&mut self) {
        let all = joined(std::mem::take(&mut self.all), Condition::And);
        self.any.push(all);
    }

    /// The condition of the whole level.
    fn end(mut self) -> Option<Condition> {
        self.end_all();
        joined(self.any, Condition::Or)
    }
}

/// One member alone, or several joined.
fn joined(members: Vec<Option<Condition>>, join: fn(Vec<Condition>) -> Condition) -> Option<Condition> {
    let mut members = members.into_iter().collect::<Option<Vec<_>>>()?;
    if members.len() == 1 { members.pop() } else { Some(join(members)) }
}

impl Parser<'_, '_> {
    /// A condition, up to what cannot belong to it.
    fn conditions(&mut self) -> Result<Option<Condition>, Error> {
        let mut outer: Vec<Level> = Vec::new();
        let mut level = Level::default();
        loop {
            // Here a member begins.
            while self.at_keyword(Keyword::Not) {
                self.advance();
                self.operator();
                level.negations += 1;
            }
            self.undecided = true;
            if self.current.token == Token::Open {
                self.advance();
                self.depth += 1;
                outer.push(std::mem::take(&mut level));
                continue;
            }
            let mut node = self.atom()?;
            // Here a member has been read, which may end levels.
            loop {
                node = self.predicate(node)?;
                let lone = !matches!(node, Node::Condition(_)) && level.is_bare();
                if lone && self.current.token == Token::Close && !outer.is_empty() {
                    level = self.close_level(&mut outer)?;
                    continue;
                }
                let begun = level.is_bare() && !outer.is_empty();
                let condition = self.condition(node, begun)?;
                let simple = level.negations == 0;
                level.push(condition);
                let keyword = match self.current.token {
                    Token::Keyword(keyword @ (Keyword::And | Keyword::Or)) => keyword,
                    _ if outer.is_empty() => return Ok(level.end()),
                    _ => {
                        self.grouped &= simple && level.any.is_empty() && level.all.len() == 1;
                        let ended = std::mem::replace(&mut level, self.close_level(&mut outer)?);
                        self.settle()?;
                        node = Node::Condition(ended.end());
                        continue;
                    }
                };
                self.advance();
                self.operator();
                if keyword == Keyword::Or {
                    level.end_all();
                }
                break;
            }
        }
    }

    /// The `)` of a level; gives the one around it.
    fn close_level(&mut self, outer: &mut Vec<Level>) -> Result<Level, Error> {
        self.close()?;
        Ok(outer.pop().unwrap_or_default())
    }

    /// What an operand makes together with the operator after it; without one it stays what it is.
    fn predicate(&mut self, node: Node) -> Result<Node, Error> {
        if matches!(node, Node::Condition(_)) {
            return Ok(node);
        }
        let comparator = match self.current.token {
            Token::Equal => Comparator::Equal,
            Token::NotEqual => Comparator::NotEqual,
            Token::Less => Comparator::Less,
            Token::LessOrEqual => Comparator::LessOrEqual,
            Token::Greater => Comparator::Greater,
            Token::GreaterOrEqual => Comparator::GreaterOrEqual,
            Token::Keyword(Keyword::Between) => return self.between_rest(node),
            Token::Keyword(Keyword::In) => return self.in_rest(node),
            _ => return Ok(node),
        };
        self.take_operator()?;
        let left = self.as_operand(node);
        let right = self.settled_operand()?;
        let both = left.zip(right);
        Ok(Node::Condition(both.map(|(left, right)| self.compare(comparator, left, right))))
    }

    /// The operator after an operand, which shows what is before it to be one.
    fn take_operator(&mut self) -> Result<(), Error> {
        self.advance();
        self.operator();
        self.undecided = false;
        self.settle()
    }

    fn between_rest(&mut self, node: Node) -> Result<Node, Error> {
        self.take_operator()?;
        let operand = self.as_operand(node);
        let low = self.settled_operand()?;
        self.expect(Token::Keyword(Keyword::And))?;
        let high = self.settled_operand()?;
        let (Some(operand), Some(low), Some(high)) = (operand, low, high) else {
            return Ok(Node::Condition(None));
        };
        Ok(Node::Condition(Some(self.between(operand, low, high))))
    }

    fn in_rest(&mut self, node: Node) -> Result<Node, Error> {
        self.take_operator()?;
        let operand = self.as_operand(node);
        let list = self.operands(Self::settled_operand)?;
        let both = operand.zip(list);
        Ok(Node::Condition(both.map(|(operand, list)| self.within(operand, list))))
    }

    /// The `)` of a group.
    fn close(&mut self) -> Result<(), Error> {
        let within = self.grouped;
        self.expect(Token::Close)?;
        self.depth -= 1;
        self.redundant |= within;
        self.grouped = true;
        Ok(())
    }

    /// A path, a value, or a call.
    fn atom(&mut self) -> Result<Node, Error> {
        match self.current.token {
            _ if self.at_call() => {
                let Spanned { start, end, .. } = self.advance();
                self.operator();
                self.note_foreign(start, end);
                let operands = self.operands(Self::operand)?;
                Ok(Node::Call(Call { start, end, operands }))
            }
            Token::Word | Token::Name => Ok(Node::Operand(self.path()?.map(Operand::Path))),
            _ => Ok(Node::Operand(self.value()?.map(Operand::Value))),
        }
    }

    /// A value's placeholder.
    fn value(&mut self) -> Result<Option<Arc<Value>>, Error> {
        let Spanned { start, end, .. } = self.expect(Token::Value)?;
        let key = &self.text[start..end];
        let value = self.placeholders.value(key);
        if value.is_none() {
            self.fault(errors::undefined_value(self.kind, key));
        }
        Ok(value)
    }

    /// Whether a call begins here: a word and a parenthesis.
    fn at_call(&self) -> bool {
        self.current.token == Token::Word && token_at(self.text, self.current.end).token == Token::Open
    }

    /// Notes the fault of a name that is no function of this kind of expression.
    fn note_foreign(&mut self, start: usize, end: usize) {
        let name = &self.text[start..end];
        let of_updates = self.kind == ExpressionKind::Update;
        let error = match Function::of_name(name) {
            None => errors::unknown_function(self.kind, name),
            Some(function) if function.is_of_updates() != of_updates => {
                errors::foreign_function(self.kind, name)
            }
            Some(_) => return,
        };
        self.faults.note_at(Stage::Words, start, error);
    }

    /// Notes that a function stands where none of its kind can.
    fn note_misused(&mut self, start: usize, name: &str) {
        self.faults.note_at(Stage::Words, start, errors::misused_function(self.kind, name));
    }

    /// `( operand, … )`
    fn operands(
        &mut self,
        operand: fn(&mut Self) -> Result<Option<Operand>, Error>,
    ) -> Result<Option<Vec<Operand>>, Error> {
        self.expect(Token::Open)?;
        self.descend()?;
        let mut operands = vec![operand(self)?];
        while self.take(Token::Comma) {
            operands.push(operand(self)?);
        }
        self.expect(Token::Close)?;
        self.ascend();
        Ok(operands.into_iter().collect())
    }

    /// An operand behind an operator.
    fn settled_operand(&mut self) -> Result<Option<Operand>, Error> {
        let operand = self.operand()?;
        self.settle()?;
        self.grouped = false;
        Ok(operand)
    }

    /// What can only be an operand.
    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        let mut groups = 0;
        while self.take(Token::Open) {
            self.depth += 1;
            groups += 1;
        }
        let node = self.atom()?;
        let operand = self.as_operand(node);
        for _ in 0..groups {
            self.close()?;
            if !self.undecided {
                self.settle()?;
            }
        }
        Ok(operand)
    }

    /// Takes a node that is no condition for an operand.
    fn as_operand(&mut self, node: Node) -> Option<Operand> {
        match node {
            Node::Operand(operand) => operand,
            Node::Call(call) => {
                let name = &self.text[call.start..call.end];
                match Function::of_name(name) {
                    Some(Function::Size) => self.size(name, call.operands?),
                    Some(function) if !function.is_of_updates() => {
                        self.note_misused(call.start, name);
                        None
                    }
                    _ => None,
                }
            }
            // `predicate` and `atom` give no condition to what calls this.
            Node::Condition(_) => None,
        }
    }

    /// Takes a node for a condition; an operand is none, and what follows it is the fault. `begun` says that a `(` before it
    /// is still open and holds nothing else, so that what follows a call may yet show both to be an operand.
    fn condition(&mut self, node: Node, begun: bool) -> Result<Option<Condition>, Error> {
        match node {
            Node::Condition(condition) => Ok(condition),
            Node::Operand(_) => Err(self.unexpected()),
            Node::Call(call) => {
                let joined = self.at_keyword(Keyword::And) || self.at_keyword(Keyword::Or);
                if joined || !begun {
                    self.undecided = false;
                    self.settle()?;
                }
                let name = &self.text[call.start..call.end];
                match (Function::of_name(name), call.operands) {
                    (Some(Function::Size), _) => {
                        self.note_misused(call.start, name);
                        Ok(None)
                    }
                    (Some(function), Some(operands)) if !function.is_of_updates() => {
                        Ok(self.call(function, name, operands))
                    }
                    _ => Ok(None),
                }
            }
        }
    }
}
