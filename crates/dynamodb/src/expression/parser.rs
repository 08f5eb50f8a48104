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
//! ```
//!
//! After `(` either a condition or an operand can follow; which one it is shows at the `)`, so a [`Node`] is either until
//! then. Recursion is bounded, whatever the text is (`cursor`).

mod cursor;
mod paths;

pub(super) use self::cursor::Parser;

use super::ast::{Comparator, Condition, Operand, Path, Projection};
use super::faults::Stage;
use super::functions::Function;
use super::lexer::{Keyword, Spanned, Token, token_at};
use super::overlap;
use super::placeholders::Placeholders;
use super::{ExpressionKind, OPERATORS_MAX};
use crate::errors::{self as failure, expression as errors};
use holdfast_aws::Error;

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none, with the name of `kind`.
    pub fn parse(kind: ExpressionKind, text: &str, placeholders: &mut Placeholders) -> Result<Self, Error> {
        read(kind, text, placeholders, |parser| {
            let node = parser.disjunction(false)?;
            parser.condition(node)
        })
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
            let mut paths = vec![parser.path()?];
            while parser.take(Token::Comma) {
                paths.push(parser.path()?);
            }
            Ok(paths.into_iter().collect::<Option<Vec<Path>>>())
        })?;
        overlap::check(kind, &paths).map_err(|error| placeholders.worded(error))?;
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

impl Parser<'_, '_> {
    /// `lone` says whether an operand may stand here alone, which is so right after a `(`.
    fn disjunction(&mut self, lone: bool) -> Result<Node, Error> {
        self.chain(
            Keyword::Or,
            lone,
            |parser, lone| parser.chain(Keyword::And, lone, Self::negation, Condition::And),
            Condition::Or,
        )
    }

    /// One or more of `member` with `keyword` between them.
    fn chain(
        &mut self,
        keyword: Keyword,
        lone: bool,
        member: impl Fn(&mut Self, bool) -> Result<Node, Error>,
        join: fn(Vec<Condition>) -> Condition,
    ) -> Result<Node, Error> {
        let first = member(self, lone)?;
        if !self.at_keyword(keyword) {
            return Ok(first);
        }
        let mut members = vec![self.condition(first)?];
        while self.at_keyword(keyword) {
            self.advance();
            self.operator();
            let next = member(self, false)?;
            members.push(self.condition(next)?);
        }
        self.grouped = false;
        Ok(Node::Condition(members.into_iter().collect::<Option<_>>().map(join)))
    }

    fn negation(&mut self, lone: bool) -> Result<Node, Error> {
        let mut negations = 0;
        while self.at_keyword(Keyword::Not) {
            self.advance();
            self.operator();
            negations += 1;
        }
        if negations == 0 {
            return self.predicate(lone);
        }
        let node = self.predicate(false)?;
        let mut condition = self.condition(node)?;
        self.grouped = false;
        // Beyond the limit the tree is thrown away: it need not be deep.
        for _ in 0..negations.min(OPERATORS_MAX) {
            condition = condition.map(|condition| Condition::Not(Box::new(condition)));
        }
        Ok(Node::Condition(condition))
    }

    fn predicate(&mut self, lone: bool) -> Result<Node, Error> {
        self.undecided = true;
        let node = if self.current.token == Token::Open { self.group()? } else { self.atom()? };
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
            Token::Close if lone => return Ok(node),
            _ => {
                let condition = self.condition(node)?;
                return Ok(Node::Condition(condition));
            }
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

    /// `( … )` where a condition or an operand can stand.
    fn group(&mut self) -> Result<Node, Error> {
        self.descend(errors::redundant_parentheses)?;
        self.advance();
        let node = self.disjunction(true)?;
        self.close()?;
        if matches!(node, Node::Condition(_)) {
            self.settle()?;
        }
        Ok(node)
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
            Token::Word if token_at(self.text, self.current.end).token == Token::Open => {
                let Spanned { start, end, .. } = self.advance();
                self.operator();
                self.note_foreign(start, end);
                let operands = self.operands(Self::operand)?;
                Ok(Node::Call(Call { start, end, operands }))
            }
            Token::Word | Token::Name => Ok(Node::Operand(self.path()?.map(Operand::Path))),
            Token::Value => {
                let Spanned { start, end, .. } = self.advance();
                let key = &self.text[start..end];
                let value = self.placeholders.value(key);
                if value.is_none() {
                    self.faults.note(Stage::Operands, errors::undefined_value(self.kind, key));
                }
                Ok(Node::Operand(value.map(Operand::Value)))
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Notes the fault of a name that is no function of conditions.
    fn note_foreign(&mut self, start: usize, end: usize) {
        let name = &self.text[start..end];
        let error = match Function::of_name(name) {
            None => errors::unknown_function(self.kind, name),
            Some(Function::OfUpdates) => errors::foreign_function(self.kind, name),
            Some(_) => return,
        };
        self.faults.note_at(Stage::Words, start, error);
    }

    /// `( operand, … )`
    fn operands(
        &mut self,
        operand: fn(&mut Self) -> Result<Option<Operand>, Error>,
    ) -> Result<Option<Vec<Operand>>, Error> {
        self.expect(Token::Open)?;
        self.descend(|kind| errors::too_many_operators(kind, OPERATORS_MAX + 1))?;
        let mut operands = vec![operand(self)?];
        while self.take(Token::Comma) {
            operands.push(operand(self)?);
        }
        self.expect(Token::Close)?;
        self.depth -= 1;
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
        if self.current.token == Token::Open {
            self.descend(errors::redundant_parentheses)?;
            self.advance();
            let operand = self.operand()?;
            self.close()?;
            if !self.undecided {
                self.settle()?;
            }
            return Ok(operand);
        }
        let node = self.atom()?;
        Ok(self.as_operand(node))
    }

    /// Takes a node that is no condition for an operand.
    fn as_operand(&mut self, node: Node) -> Option<Operand> {
        match node {
            Node::Operand(operand) => operand,
            Node::Call(call) => {
                let name = &self.text[call.start..call.end];
                match Function::of_name(name) {
                    Some(Function::Size) => self.size(name, call.operands?),
                    Some(Function::OfUpdates) | None => None,
                    Some(_) => {
                        let error = errors::misused_function(self.kind, name);
                        self.faults.note_at(Stage::Words, call.start, error);
                        None
                    }
                }
            }
            // `predicate` and `atom` give no condition to what calls this.
            Node::Condition(_) => None,
        }
    }

    /// Takes a node for a condition; an operand is none, and what follows it is the fault.
    fn condition(&mut self, node: Node) -> Result<Option<Condition>, Error> {
        match node {
            Node::Condition(condition) => Ok(condition),
            Node::Operand(_) => Err(self.unexpected()),
            Node::Call(call) => {
                // What may follow a condition shows the call to be one.
                let follows = match self.current.token {
                    Token::Keyword(Keyword::And | Keyword::Or) => true,
                    Token::Close => self.depth > 0,
                    Token::End => self.depth == 0,
                    _ => false,
                };
                if follows {
                    self.undecided = false;
                    self.settle()?;
                }
                let name = &self.text[call.start..call.end];
                match (Function::of_name(name), call.operands) {
                    (Some(Function::Size), _) => {
                        let error = errors::misused_function(self.kind, name);
                        self.faults.note_at(Stage::Words, call.start, error);
                        Ok(None)
                    }
                    (Some(Function::OfUpdates) | None, _) | (_, None) => Ok(None),
                    (Some(function), Some(operands)) => Ok(self.call(function, name, operands)),
                }
            }
        }
    }
}
