//! What requests that get items by their keys show of them: everything, or what a `ProjectionExpression` says.

use crate::catalog::Table;
use crate::errors::{Wording, expression as errors};
use crate::expression::{Outline, Placeholders, Projection};
use crate::item::view::Item;
use crate::item::{Damaged, json};
use crate::key::KeySchema;
use crate::key_paths;
use holdfast_aws::Error;
use holdfast_shapes::Pairs;

/// What a request says about it.
#[derive(Debug)]
pub(crate) struct Projected(Option<Projection>);

/// That, for a table.
#[derive(Debug)]
pub(crate) struct Shown(Option<Outline>);

impl Projected {
    /// Refuses `ExpressionAttributeNames` without an expression, which comes before everything else.
    pub(crate) fn check_alone(expression: Option<&str>, names: Option<&Pairs<String>>) -> Result<(), Error> {
        match (expression, names) {
            (None, Some(_)) => Err(errors::names_without_expression(Wording::Bare)),
            _ => Ok(()),
        }
    }

    /// Reads `ProjectionExpression` and `ExpressionAttributeNames`, which [`Projected::check_alone`] did not refuse.
    ///
    /// # Errors
    /// The first fault of the names, then of the expression, then a name that it does not use.
    pub(crate) fn read(expression: Option<&str>, names: Option<Pairs<String>>) -> Result<Self, Error> {
        let mut placeholders = Placeholders::new(names, None, Wording::Bare)?;
        let projection = expression.map(|text| Projection::parse(text, &mut placeholders)).transpose()?;
        placeholders.check_used()?;
        Ok(Self(projection))
    }

    /// The keys of the table, and what is shown of its items; `check_keys` checks the request's keys, which comes first.
    ///
    /// # Errors
    /// Those of `check_keys`; a path that leads into a key attribute.
    pub(crate) fn of_table<'t, T>(
        &self,
        table: &'t Table,
        check_keys: impl FnOnce(&KeySchema<'t>) -> Result<T, Error>,
    ) -> Result<(T, Shown), Error> {
        let Some(projection) = &self.0 else {
            return Ok((check_keys(&table.key_schema()?)?, Shown(None)));
        };
        let (schema, indexes) = table.keys_and_indexes()?;
        let checked = check_keys(&schema)?;
        key_paths::check(&projection.paths, &schema, &indexes)?;
        Ok((checked, Shown(Some(Outline::from(projection)))))
    }
}

impl Shown {
    /// Appends what is shown of an item as an object; answers whether it has any attribute.
    ///
    /// # Errors
    /// If the item is damaged.
    pub(crate) fn render(&self, item: &[u8], out: &mut Vec<u8>) -> Result<bool, Damaged> {
        let item = Item::new(item)?;
        match &self.0 {
            Some(outline) => json::render_outlined(item, outline, out),
            None => json::render_item(item, out).map(|()| true),
        }
    }
}
