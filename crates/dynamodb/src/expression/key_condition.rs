//! From a `KeyConditionExpression` to a range of keys, in two steps: before the table is known, and then.

use super::ExpressionKind;
use super::ast::{Comparator, Condition, Operand};
use super::placeholders::Placeholders;
use super::value::Value;
use crate::errors::expression as errors;
use crate::key::{self, KeyAttribute, KeyError, KeyLists, Role, ScalarType};
use holdfast_aws::Error;
use std::ops::Bound;
use std::sync::Arc;

/// Conditions on attributes, each of which has one; which of them are keys is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyCondition {
    clauses: Vec<Clause>,
}

#[derive(Debug, Clone, PartialEq)]
struct Clause {
    attribute: Arc<str>,
    test: Test,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// Never with [`Comparator::NotEqual`].
    Compare(Comparator, Arc<Value>),
    Between(Arc<Value>, Arc<Value>),
    BeginsWith(Arc<Value>),
}

/// The keys that a query reads: one partition and a range of its sort keys. Bytes are as they stand in keys, before any
/// escaping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRange {
    /// Types and bytes of the partition key's attributes.
    pub partition: Vec<(ScalarType, Vec<u8>)>,
    /// Types and bytes of the first of several attributes of a sort key, those that are followed by another one with a condition.
    pub equal: Vec<(ScalarType, Vec<u8>)>,
    /// Which values of the sort key's attribute behind those; all of them if there is none.
    pub sort: SortRange,
}

/// Sort keys, of the type of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortRange {
    /// Every one.
    All,
    /// The one.
    Equal(Vec<u8>),
    /// Those below.
    Less(Vec<u8>),
    /// The one and those below.
    LessOrEqual(Vec<u8>),
    /// Those above.
    Greater(Vec<u8>),
    /// The one and those above.
    GreaterOrEqual(Vec<u8>),
    /// From the first to the second, both included.
    Between(Vec<u8>, Vec<u8>),
    /// Those with the prefix; of strings and binaries only.
    BeginsWith(Vec<u8>),
}

impl SortRange {
    /// The range as bounds of bytes.
    #[must_use]
    pub fn bounds(&self) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        use Bound::{Excluded, Included, Unbounded};
        match self.clone() {
            Self::All => (Unbounded, Unbounded),
            Self::Equal(bytes) => (Included(bytes.clone()), Included(bytes)),
            Self::Less(bytes) => (Unbounded, Excluded(bytes)),
            Self::LessOrEqual(bytes) => (Unbounded, Included(bytes)),
            Self::Greater(bytes) => (Excluded(bytes), Unbounded),
            Self::GreaterOrEqual(bytes) => (Included(bytes), Unbounded),
            Self::Between(low, high) => (Included(low), Included(high)),
            Self::BeginsWith(prefix) => {
                let after = after_prefix(&prefix).map_or(Unbounded, Excluded);
                (Included(prefix), after)
            }
        }
    }

    /// Whether a sort key's bytes are in the range.
    #[must_use]
    pub fn contains(&self, bytes: &[u8]) -> bool {
        match self {
            Self::All => true,
            Self::Equal(value) => bytes == value,
            Self::Less(value) => bytes < value.as_slice(),
            Self::LessOrEqual(value) => bytes <= value.as_slice(),
            Self::Greater(value) => bytes > value.as_slice(),
            Self::GreaterOrEqual(value) => bytes >= value.as_slice(),
            Self::Between(low, high) => (low.as_slice()..=high.as_slice()).contains(&bytes),
            Self::BeginsWith(prefix) => bytes.starts_with(prefix),
        }
    }
}

/// The least bytes above all that have the prefix; nothing if there are none above.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut after = prefix[..=last].to_vec();
    after[last] += 1;
    Some(after)
}

impl KeyCondition {
    /// Reads the text; [`KeyCondition::new`] comes after the request's other expressions have been read.
    ///
    /// # Errors
    /// As [`Condition::parse`].
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Condition, Error> {
        Condition::parse(ExpressionKind::KeyCondition, text, placeholders)
    }

    /// Takes a condition apart into one test for each of its attributes.
    ///
    /// # Errors
    /// AWS's refusal of what is no condition on keys whatever the table is; the first one from left to right.
    pub fn new(condition: Condition) -> Result<Self, Error> {
        let mut clauses = Vec::with_capacity(2);
        collect(condition, &mut clauses)?;
        Ok(Self { clauses })
    }

    /// The range of keys for the key attributes of a table, or for those of an index with a name.
    ///
    /// # Errors
    /// AWS's refusal, in its order: more conditions than key attributes; then for the partition key and, if there are two
    /// conditions, for the sort key: none, a value of another type, a value that no key can have, an operator that the
    /// partition key does not take. Source of the order: the local emulator. With several attributes in a role see
    /// `resolve_multiple`.
    pub fn resolve(&self, keys: &KeyLists<'_>, index: Option<&str>) -> Result<KeyRange, Error> {
        let attributes = keys.all().len();
        if self.clauses.len() > attributes {
            return Err(errors::key_too_many(self.clauses.len(), attributes));
        }
        if keys.is_multiple() {
            return self.resolve_multiple(keys, index);
        }
        let mut partition = Vec::with_capacity(1);
        for attribute in keys.partition() {
            let test = self.test(attribute, Role::Partition, index)?;
            let SortRange::Equal(bytes) = test.range() else {
                return Err(errors::key_not_supported());
            };
            partition.push((attribute.kind, bytes));
        }
        let sort = match keys.sort() {
            [sort] if self.clauses.len() > 1 => self.test(sort, Role::Sort, index)?.range(),
            _ => SortRange::All,
        };
        Ok(KeyRange { partition, equal: Vec::new(), sort })
    }

    /// As [`KeyCondition::resolve`] for an index with several attributes in a role: each of the partition key needs an equality,
    /// and so does each of the sort key that stands before one with a condition. Source: recorded in public tests (eu-central-1,
    /// October 2026) for the sort key, the rest and the order from the local emulator: structure before types and lengths.
    fn resolve_multiple(&self, keys: &KeyLists<'_>, index: Option<&str>) -> Result<KeyRange, Error> {
        let names = |attributes: &[&KeyAttribute<'_>]| -> Vec<String> {
            attributes.iter().map(|attribute| attribute.name.to_owned()).collect()
        };
        let is_equality = |attribute: &&KeyAttribute<'_>| {
            self.clause(attribute).is_some_and(|clause| clause.test.is_equality())
        };
        let absent = |attribute: &&KeyAttribute<'_>| self.clause(attribute).is_none();
        let missing: Vec<_> = keys.partition().iter().filter(absent).collect();
        if !missing.is_empty() {
            return Err(errors::hash_keys_not_equal(&names(&missing)));
        }
        let unequal: Vec<_> = keys.partition().iter().filter(|attribute| !is_equality(attribute)).collect();
        if !unequal.is_empty() {
            return Err(errors::hash_keys_not_equal(&names(&unequal)));
        }
        let sort = keys.sort();
        let used = sort.iter().take_while(|attribute| !absent(attribute)).count();
        if let Some(at) = (used..sort.len()).find(|at| !absent(&&sort[*at])) {
            let skipped: Vec<_> = sort[used..at].iter().collect();
            return Err(errors::range_keys_not_equal(&names(&skipped), sort[at].name));
        }
        if let Some((last, before)) = sort[..used].split_last() {
            let unequal: Vec<_> = before.iter().filter(|attribute| !is_equality(attribute)).collect();
            if !unequal.is_empty() {
                return Err(errors::range_keys_not_equal(&names(&unequal), last.name));
            }
        }
        if let Some(next) = sort.get(used).filter(|_| self.clauses.len() > keys.partition().len() + used) {
            return Err(errors::key_missed(next.name));
        }
        let mut partition = Vec::with_capacity(keys.partition().len());
        for attribute in keys.partition() {
            let test = self.test(attribute, Role::Partition, index)?;
            partition.push((attribute.kind, bytes(test.first()).to_vec()));
        }
        let mut tests = Vec::with_capacity(used);
        for attribute in &sort[..used] {
            tests.push((attribute.kind, self.test(attribute, Role::Sort, index)?));
        }
        let longest = |test: &Test| test.values().map(|value| bytes(value).len()).max().unwrap_or_default();
        check_together(Role::Partition, partition.iter().map(|(_, bytes)| bytes.len()).sum())?;
        check_together(Role::Sort, tests.iter().map(|(_, test)| longest(test)).sum())?;
        let range = tests.pop().map_or(SortRange::All, |(_, test)| test.range());
        let equal = tests.iter().map(|(kind, test)| (*kind, bytes(test.first()).to_vec())).collect();
        Ok(KeyRange { partition, equal, sort: range })
    }

    fn clause(&self, attribute: &KeyAttribute<'_>) -> Option<&Clause> {
        self.clauses.iter().find(|clause| *clause.attribute == *attribute.name)
    }

    /// The test of a key attribute, once its values can be the attribute's.
    fn test(&self, attribute: &KeyAttribute<'_>, role: Role, index: Option<&str>) -> Result<&Test, Error> {
        let test = &self.clause(attribute).ok_or_else(|| errors::key_missed(attribute.name))?.test;
        if test.values().any(|value| value.scalar().is_none_or(|(kind, _)| kind != attribute.kind)) {
            return Err(errors::key_type());
        }
        for value in test.values() {
            key::check_length(bytes(value), attribute, role)
                .map_err(|error| errors::key_bytes(&error, index))?;
        }
        Ok(test)
    }
}

/// Values of several attributes that are keys each, but not together.
fn check_together(role: Role, size: usize) -> Result<(), Error> {
    if size > role.bytes_max() { Err(errors::key_bytes(&KeyError::TooLong(role), None)) } else { Ok(()) }
}

impl Test {
    fn is_equality(&self) -> bool {
        matches!(self, Self::Compare(Comparator::Equal, _))
    }

    fn first(&self) -> &Value {
        match self {
            Self::Compare(_, value) | Self::BeginsWith(value) | Self::Between(value, _) => value,
        }
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        let (one, two) = match self {
            Self::Compare(_, value) | Self::BeginsWith(value) => (value, None),
            Self::Between(low, high) => (low, Some(high)),
        };
        std::iter::once(one).chain(two).map(AsRef::as_ref)
    }

    fn range(&self) -> SortRange {
        match self {
            Self::Compare(comparator, value) => {
                let bytes = bytes(value).to_vec();
                match comparator {
                    // Never `NotEqual`, which `collect` refuses.
                    Comparator::Equal | Comparator::NotEqual => SortRange::Equal(bytes),
                    Comparator::Less => SortRange::Less(bytes),
                    Comparator::LessOrEqual => SortRange::LessOrEqual(bytes),
                    Comparator::Greater => SortRange::Greater(bytes),
                    Comparator::GreaterOrEqual => SortRange::GreaterOrEqual(bytes),
                }
            }
            Self::Between(low, high) => SortRange::Between(bytes(low).to_vec(), bytes(high).to_vec()),
            Self::BeginsWith(prefix) => SortRange::BeginsWith(bytes(prefix).to_vec()),
        }
    }
}

/// The bytes of a value as they stand in keys; `test` has refused values that have none.
fn bytes(value: &Value) -> &[u8] {
    value.scalar().map_or(&[], |(_, bytes)| bytes)
}

/// Adds the clauses of a condition from left to right.
fn collect(condition: Condition, clauses: &mut Vec<Clause>) -> Result<(), Error> {
    let (attribute, test) = match condition {
        Condition::And(members) => {
            return members.into_iter().try_for_each(|member| collect(member, clauses));
        }
        Condition::Or(_) => return Err(errors::key_operator("OR")),
        Condition::Not(_) => return Err(errors::key_operator("NOT")),
        Condition::In(..) => return Err(errors::key_operator("IN")),
        Condition::Exists(_) => return Err(errors::key_operator("attribute_exists")),
        Condition::NotExists(_) => return Err(errors::key_operator("attribute_not_exists")),
        Condition::OfType(..) => return Err(errors::key_operator("attribute_type")),
        Condition::Contains(..) => return Err(errors::key_operator("contains")),
        Condition::Compare(Comparator::NotEqual, ..) => return Err(errors::key_operator("<>")),
        Condition::Compare(comparator, left, right) => {
            let comparator =
                if matches!(left, Operand::Path(_)) { comparator } else { comparator.reversed() };
            let (attribute, [value]) = operands([left, right])?;
            (attribute, Test::Compare(comparator, value))
        }
        Condition::Between(operand, low, high) => {
            let operand = first(operand, "BETWEEN")?;
            let (attribute, [low, high]) = operands([operand, low, high])?;
            (attribute, Test::Between(low, high))
        }
        Condition::BeginsWith(operand, prefix) => {
            let operand = first(operand, "begins_with")?;
            let (attribute, [prefix]) = operands([operand, prefix])?;
            (attribute, Test::BeginsWith(prefix))
        }
    };
    if clauses.iter().any(|clause| clause.attribute == attribute) {
        return Err(errors::key_twice());
    }
    clauses.push(Clause { attribute, test });
    Ok(())
}

/// The operand that must be the attribute.
fn first(operand: Operand, operator: &str) -> Result<Operand, Error> {
    if matches!(operand, Operand::Path(_)) { Ok(operand) } else { Err(errors::key_not_first(operator)) }
}

/// The one attribute and the values of a condition, refused from left to right.
fn operands<const OPERANDS: usize, const VALUES: usize>(
    operands: [Operand; OPERANDS],
) -> Result<(Arc<str>, [Arc<Value>; VALUES]), Error> {
    let mut attribute = None;
    let mut values = Vec::with_capacity(VALUES);
    for operand in operands {
        match operand {
            Operand::Size(_) => return Err(errors::key_nested_operation()),
            Operand::Path(_) if attribute.is_some() => return Err(errors::key_two_attributes()),
            Operand::Path(path) if !path.steps.is_empty() => return Err(errors::key_nested_attribute()),
            Operand::Path(path) => attribute = Some(path.attribute),
            Operand::Value(value) => values.push(value),
        }
    }
    // Without a second attribute there are as many values as operands beside the one attribute.
    attribute.zip(values.try_into().ok()).ok_or_else(errors::key_no_attribute)
}
