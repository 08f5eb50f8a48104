//! What `UpdateItem` accounts for an update beside the item that it makes.
//!
//! AWS refuses an update of its own (not one in a transaction) that costs more than an item may be large, before it looks at
//! the condition. So little is left of the 400 KB for an item with a short key. Source of all numbers: 80 probes of AWS,
//! each to the byte (eu-west-2, August to October 2026); most regions do this, us-east-1 among them.

use super::super::ast::{Path, Step};
use super::{Action, SetOperand, SetValue, Update};
use crate::item::size;

const UPDATE: u64 = 3;
/// `SET` or `ADD`.
const WRITE: u64 = 19;
/// `REMOVE` or `DELETE`, whatever is removed.
const REMOVAL: u64 = 1;
/// Each element of a path to be changed but the first.
const TARGET_ELEMENT: u64 = 4;
const OPERAND_PATH: u64 = 1;
/// Each element of a path that is read; what is there costs nothing.
const OPERAND_ELEMENT: u64 = 14;
const SUM: u64 = 34;
const DIFFERENCE: u64 = 37;
const LIST_APPEND: u64 = 37;
const IF_NOT_EXISTS: u64 = 39;

impl Update {
    /// What it costs, in bytes, whatever the item is.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.actions.iter().fold(UPDATE, |sum, action| {
            sum + target(action.path())
                + match action {
                    Action::Set(_, value) => WRITE + value.cost(),
                    Action::Add(_, value) => WRITE + value.size(),
                    Action::Remove(_) | Action::Delete(..) => REMOVAL,
                }
        })
    }
}

impl SetValue {
    fn cost(&self) -> u64 {
        match self {
            Self::Operand(operand) => operand.cost(),
            Self::Sum(left, right) => SUM + left.cost() + right.cost(),
            Self::Difference(left, right) => DIFFERENCE + left.cost() + right.cost(),
        }
    }
}

impl SetOperand {
    fn cost(&self) -> u64 {
        match self {
            Self::Path(path) => read(path),
            Self::Value(value) => value.size(),
            Self::IfNotExists(path, otherwise) => IF_NOT_EXISTS + read(path) + otherwise.cost(),
            Self::ListAppend(first, second) => LIST_APPEND + first.cost() + second.cost(),
        }
    }
}

fn target(path: &Path) -> u64 {
    let first = size::of(path.attribute.len());
    path.steps.iter().fold(first, |sum, step| sum + TARGET_ELEMENT + element(step))
}

fn read(path: &Path) -> u64 {
    let first = OPERAND_PATH + OPERAND_ELEMENT + size::of(path.attribute.len());
    path.steps.iter().fold(first, |sum, step| sum + OPERAND_ELEMENT + element(step))
}

/// The bytes of a name, or the digits of an index.
fn element(step: &Step) -> u64 {
    match step {
        Step::Member(name) => size::of(name.len()),
        Step::Element(index) => u64::from(index.checked_ilog10().unwrap_or(0)) + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Placeholders;
    use super::*;
    use crate::errors::Wording;

    const VALUES: &str = r#"{":b":{"S":"x"},":one":{"N":"1"},":ten":{"S":"yyyyyyyyyy"},":ss":{"SS":["ppppp","qq"]},
        ":l1":{"L":[{"S":"e"}]},":l10":{"L":[{"S":"yyyyyyyyyy"}]},":m":{"M":{"a":{"S":"yyyyyyyyyy"}}}}"#;

    fn cost(text: &str) -> u64 {
        let values = serde_json::from_str(VALUES).unwrap();
        let mut placeholders = Placeholders::new(None, Some(values), Wording::Bare).unwrap();
        Update::parse(text, &mut placeholders).unwrap().cost()
    }

    /// What AWS was measured to add for a clause.
    #[test]
    fn clauses() {
        assert_eq!(cost("SET b = :b"), 3 + 19 + 1 + 1);
        for (clause, expected) in [
            ("SET c = abcdefghij", 19 + 1 + 15 + 10),
            ("SET c = m.a.z", 19 + 1 + 1 + 3 * 15),
            ("SET c = l[10]", 19 + 1 + 1 + 15 + 16),
            ("SET l = list_append(l, :l10)", 19 + 1 + 37 + 16 + 14),
            ("SET l = list_append(:l1, :l10)", 19 + 1 + 37 + 5 + 14),
            ("SET c = if_not_exists(c, :m)", 19 + 1 + 39 + 16 + 15),
            ("SET c = if_not_exists(c, :ten), d = if_not_exists(d, :ten)", 2 * (19 + 1 + 39 + 16 + 10)),
            ("SET n = n + :one", 19 + 1 + 34 + 16 + 2),
            ("SET n = n - :one", 19 + 1 + 37 + 16 + 2),
            ("SET d[0] = :ten", 19 + 1 + 5 + 10),
            ("ADD abcdefghij :one", 19 + 10 + 2),
            ("ADD ss :ss", 19 + 2 + 7),
            ("REMOVE abcdefghij", 1 + 10),
            ("REMOVE m.yyyyyyyyyy", 1 + 1 + 4 + 10),
            ("REMOVE l[10]", 1 + 1 + 4 + 2),
            ("DELETE ss :ss", 1 + 2),
        ] {
            assert_eq!(cost(clause), 3 + expected, "{clause}");
        }
        assert_eq!(cost("SET b = :b REMOVE r ADD n :one"), 3 + 21 + 2 + 22);
    }
}
