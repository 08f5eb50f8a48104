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
//! then. Recursion is bounded by [`DEPTH_MAX`], whatever the text is.

use super::ast::{Comparator, Condition, Operand, Path, Projection, Step};
use super::faults::{Faults, Stage};
use super::functions::Function;
use super::lexer::{Keyword, Spanned, Token, token_at};
use super::placeholders::Placeholders;
use super::reserved::is_reserved;
use super::{EXPRESSION_BYTES_MAX, ExpressionKind, OPERATORS_MAX, PATH_ELEMENTS_MAX};
use crate::errors::expression as errors;
use holdfast_aws::Error;
use std::sync::Arc;

/// Most parentheses and calls within each other. Every one beyond the first needs an operator of its own or is
/// redundant, so more than this is refused in any case.
const DEPTH_MAX: usize = OPERATORS_MAX + 2;

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none, with the name of `kind`.
    pub fn parse(kind: ExpressionKind, text: &str, placeholders: &mut Placeholders) -> Result<Self, Error> {
        let mut parser = Parser::new(kind, text, placeholders)?;
        let node = parser.disjunction(false)?;
        let condition = parser.condition(node)?;
        parser.expect(Token::End)?;
        parser.finish()?;
        // No fault was noted, so there is a condition.
        condition.ok_or_else(|| errors::empty(kind))
    }
}

impl Projection {
    /// Reads a `ProjectionExpression`.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none, or of paths of which one contains another.
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self, Error> {
        let kind = ExpressionKind::Projection;
        let mut parser = Parser::new(kind, text, placeholders)?;
        let mut paths = Vec::new();
        loop {
            paths.extend(parser.path()?);
            if !parser.take(Token::Comma) {
                break;
            }
        }
        parser.expect(Token::End)?;
        parser.finish()?;
        super::overlap::check(kind, &paths)?;
        Ok(Self { paths })
    }
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

pub(super) struct Parser<'t, 'p> {
    pub(super) kind: ExpressionKind,
    text: &'t str,
    pub(super) placeholders: &'p mut Placeholders,
    pub(super) faults: Faults,
    /// Where the token before the current one begins, or the text.
    before: usize,
    current: Spanned,
    operators: usize,
    depth: usize,
    /// Whether the last operand or condition that was read ended with a `)` that opened for it alone.
    grouped: bool,
}

impl<'t, 'p> Parser<'t, 'p> {
    fn new(kind: ExpressionKind, text: &'t str, placeholders: &'p mut Placeholders) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(errors::empty(kind));
        }
        if text.len() > EXPRESSION_BYTES_MAX {
            return Err(errors::too_large(kind, text.len()));
        }
        Ok(Self {
            kind,
            text,
            placeholders,
            faults: Faults::default(),
            before: 0,
            current: token_at(text, 0),
            operators: 0,
            depth: 0,
            grouped: false,
        })
    }

    fn finish(mut self) -> Result<(), Error> {
        if self.operators > OPERATORS_MAX {
            self.faults.note(Stage::Size, errors::too_many_operators(self.kind, OPERATORS_MAX + 1));
        }
        self.faults.into_result()
    }

    fn advance(&mut self) -> Spanned {
        let taken = self.current;
        self.before = taken.start;
        self.current = token_at(self.text, taken.end);
        self.grouped = false;
        taken
    }

    fn take(&mut self, token: Token) -> bool {
        let found = self.current.token == token;
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, token: Token) -> Result<Spanned, Error> {
        if self.current.token != token {
            return Err(self.unexpected());
        }
        Ok(if token == Token::End { self.current } else { self.advance() })
    }

    /// The refusal of the current token: with what stands between the token before it and the one after it.
    fn unexpected(&self) -> Error {
        let Spanned { token, start, end } = self.current;
        if token == Token::End {
            return errors::syntax(self.kind, "<EOF>", &self.text[self.before..]);
        }
        let after = token_at(self.text, end).end;
        errors::syntax(self.kind, &self.text[start..end], &self.text[self.before..after])
    }

    fn operator(&mut self) {
        self.operators += 1;
    }

    fn at_keyword(&self, keyword: Keyword) -> bool {
        self.current.token == Token::Keyword(keyword)
    }

    /// Goes one level down; `refuse` is the answer to the one level too many.
    fn descend(&mut self, refuse: impl FnOnce(ExpressionKind) -> Error) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(refuse(self.kind)) } else { Ok(()) }
    }

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
        self.advance();
        self.operator();
        let left = self.as_operand(node);
        let right = self.operand()?;
        self.grouped = false;
        let both = left.zip(right);
        Ok(Node::Condition(both.map(|(left, right)| self.compare(comparator, left, right))))
    }

    fn between_rest(&mut self, node: Node) -> Result<Node, Error> {
        self.advance();
        self.operator();
        let operand = self.as_operand(node);
        let low = self.operand()?;
        self.expect(Token::Keyword(Keyword::And))?;
        let high = self.operand()?;
        self.grouped = false;
        let (Some(operand), Some(low), Some(high)) = (operand, low, high) else {
            return Ok(Node::Condition(None));
        };
        Ok(Node::Condition(Some(self.between(operand, low, high))))
    }

    fn in_rest(&mut self, node: Node) -> Result<Node, Error> {
        self.advance();
        self.operator();
        let operand = self.as_operand(node);
        let list = self.operands()?;
        let both = operand.zip(list);
        Ok(Node::Condition(both.map(|(operand, list)| self.within(operand, list))))
    }

    /// `( … )` where a condition or an operand can stand.
    fn group(&mut self) -> Result<Node, Error> {
        self.descend(errors::redundant_parentheses)?;
        self.advance();
        let node = self.disjunction(true)?;
        self.close()?;
        Ok(node)
    }

    /// The `)` of a group.
    fn close(&mut self) -> Result<(), Error> {
        let redundant = self.grouped;
        self.expect(Token::Close)?;
        self.depth -= 1;
        if redundant {
            self.faults.note(Stage::Parentheses, errors::redundant_parentheses(self.kind));
        }
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
                let operands = self.operands()?;
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
    fn operands(&mut self) -> Result<Option<Vec<Operand>>, Error> {
        self.expect(Token::Open)?;
        self.descend(|kind| errors::too_many_operators(kind, OPERATORS_MAX + 1))?;
        let mut operands = vec![self.operand()?];
        while self.take(Token::Comma) {
            operands.push(self.operand()?);
        }
        self.expect(Token::Close)?;
        self.depth -= 1;
        Ok(operands.into_iter().collect())
    }

    /// What can only be an operand.
    fn operand(&mut self) -> Result<Option<Operand>, Error> {
        if self.current.token == Token::Open {
            self.descend(errors::redundant_parentheses)?;
            self.advance();
            let operand = self.operand()?;
            self.close()?;
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

    /// A path. Its placeholders and its length are looked at after the whole of it has been read.
    fn path(&mut self) -> Result<Option<Path>, Error> {
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
            self.faults.note(Stage::Operands, errors::path_too_deep(self.kind, levels));
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
                    self.faults.note(Stage::Operands, errors::undefined_name(self.kind, text));
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
