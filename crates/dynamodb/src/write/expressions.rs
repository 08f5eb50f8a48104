//! The expressions of a write, with what they name.

use crate::errors::{Wording, expression};
use crate::expression::{Condition, ExpressionKind, Placeholders, Update};
use holdfast_aws::Error;
use holdfast_shapes::{AttributeMap, Pairs};

/// The expressions of a write as they were sent; `update` stays empty where the write takes none.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    pub(crate) condition: Option<String>,
    pub(crate) update: Option<String>,
    pub(crate) names: Option<Pairs<String>>,
    pub(crate) values: Option<AttributeMap>,
}

/// Which expression's fault is told, if both have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// That of `ConditionExpression`: UpdateItem. Source: known.
    Condition,
    /// That of `UpdateExpression`: transactions. Source: known.
    Update,
}

impl Expressions {
    /// Refuses names and values that no expression can use; `kinds` are the expressions that the write takes.
    ///
    /// # Errors
    /// AWS's refusal.
    pub(crate) fn refuse_placeholders_alone(
        &self,
        wording: Wording,
        kinds: &[ExpressionKind],
    ) -> Result<(), Error> {
        match self {
            Self { condition: None, update: None, names: Some(_), .. } => {
                Err(expression::names_without_expression(wording))
            }
            Self { condition: None, update: None, values: Some(_), .. } => {
                Err(expression::values_without_expression(wording, kinds))
            }
            _ => Ok(()),
        }
    }

    /// Reads them. Without an update the second is one that changes nothing.
    ///
    /// # Errors
    /// AWS's refusal of a text that is none.
    pub(crate) fn read(self, wording: Wording, first: First) -> Result<(Option<Condition>, Update), Error> {
        let Self { condition, update, names, values } = self;
        if condition.is_none() && update.is_none() {
            return Ok((None, Update::default()));
        }
        let mut placeholders = Placeholders::new(names, values, wording)?;
        let read_condition = |placeholders: &mut Placeholders| {
            let read = |text: String| Condition::parse(ExpressionKind::Condition, &text, placeholders);
            condition.map(read).transpose()
        };
        let read_update = |placeholders: &mut Placeholders| {
            update.map_or_else(|| Ok(Update::default()), |text| Update::parse(&text, placeholders))
        };
        let both = match first {
            First::Condition => {
                let condition = read_condition(&mut placeholders)?;
                (condition, read_update(&mut placeholders)?)
            }
            First::Update => {
                let update = read_update(&mut placeholders)?;
                (read_condition(&mut placeholders)?, update)
            }
        };
        placeholders.check_used()?;
        Ok(both)
    }
}
