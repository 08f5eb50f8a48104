//! Which of the rows that a page looks at come back, and what is shown of them: `Select`, `FilterExpression` and
//! `ProjectionExpression`, first for whatever is read, then for a table or an index.

use super::select::Select;
use super::source::Source;
use crate::errors::reads;
use crate::expression::{Condition, ExpressionKind, Outline, Path, Placeholders, Projection};
use crate::index::projected_names;
use crate::item::Damaged;
use crate::item::view::Item;
use crate::table::{IndexScope, ProjectionView};
use holdfast_aws::Error;
use std::borrow::Cow;

/// What a request wants.
#[derive(Debug)]
pub(crate) struct Wanted {
    select: Select,
    filter: Option<Condition>,
    projection: Option<Projection>,
}

/// What that is of a table or an index.
#[derive(Debug)]
pub(crate) struct View<'w> {
    /// Rows whose items do not fulfil it are left out.
    pub(crate) filter: Option<Filter<'w>>,
    /// What is answered of each of the others.
    pub(crate) shown: Shown,
    /// Whether the index does not have all of it, so that items are fetched from the table, which counts.
    pub(crate) fetched: bool,
}

/// A `FilterExpression`, with what it may look through.
#[derive(Debug)]
pub(crate) struct Filter<'w> {
    condition: Cow<'w, Condition>,
    paths: u64,
    values: u64,
}

impl<'w> Filter<'w> {
    fn new(condition: Cow<'w, Condition>) -> Self {
        let (paths, values) = (condition.paths().len() as u64, condition.value_bytes());
        Self { condition, paths, values }
    }

    /// Whether it holds for an item.
    ///
    /// # Errors
    /// If what is read of the item is damaged.
    pub(crate) fn holds(&self, item: Item<'_>) -> Result<bool, Damaged> {
        self.condition.holds(Some(item))
    }

    /// How many bytes it looks through at most, of an item of so many stored ones and of its own values: each path may lead
    /// through the whole item, and `contains` through a value.
    pub(crate) fn effort(&self, item: usize) -> u64 {
        self.paths.saturating_mul(item as u64).saturating_add(self.values)
    }
}

/// What is answered of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Only how many there are.
    Count,
    /// The whole item.
    Whole,
    /// What the outline shows.
    Outlined(Outline),
}

impl Wanted {
    /// Reads the expressions, in AWS's order. Source: recorded earlier.
    ///
    /// # Errors
    /// The first fault of either.
    pub(crate) fn read(
        select: Select,
        filter: Option<&str>,
        projection: Option<&str>,
        placeholders: &mut Placeholders,
    ) -> Result<Self, Error> {
        let filter = filter.map(|text| Condition::parse(ExpressionKind::Filter, text, placeholders));
        let filter = filter.transpose()?;
        let projection = projection.map(|text| Projection::parse(text, placeholders)).transpose()?;
        Ok(Self { select, filter, projection })
    }

    /// Refuses `ALL_ATTRIBUTES` of a global index that does not have them.
    pub(crate) fn check_select(&self, source: &Source<'_>) -> Result<(), Error> {
        match source.index() {
            Some(index)
                if self.select == Select::All
                    && index.scope == IndexScope::Global
                    && index.projection != ProjectionView::All =>
            {
                Err(reads::all_attributes_of_global_index(index.name))
            }
            _ => Ok(()),
        }
    }

    /// What a query wants of a table or an index.
    ///
    /// # Errors
    /// The first of: a projection's path into a key; a filter on a key attribute of what is read; `ALL_ATTRIBUTES` that are not
    /// there; a filter's path into another key; a filter on what the index does not project, or a projection of it. Source of the
    /// order: recorded earlier but for the last two, which are last in the local emulator.
    pub(crate) fn of_query(&self, source: &Source<'_>) -> Result<View<'_>, Error> {
        self.check_projection_paths(source)?;
        let filter = self.filter.as_ref();
        let paths = filter.map(Condition::paths).unwrap_or_default();
        for key in source.keys().all() {
            if paths.iter().any(|path| *path.attribute == *key.name) {
                return Err(reads::filter_on_key(key.name));
            }
        }
        self.check_select(source)?;
        source.check_paths(&paths)?;
        let hidden = hidden(source, &paths);
        if let Some(index) = source.index().filter(|_| !hidden.is_empty()) {
            return Err(reads::filter_not_projected(index.name, &hidden));
        }
        let (shown, fetched) = self.shown(source)?;
        let filter = filter.map(|filter| Filter::new(Cow::Borrowed(filter)));
        Ok(View { filter, shown, fetched })
    }

    /// What a scan wants of a table or an index. Its filter sees only what the index projects, and nothing else is there.
    /// Source: recorded for scans by PartiQL (eu-west-2, August 2026).
    ///
    /// # Errors
    /// As [`Wanted::of_query`], without the refusals of filters on keys and on what the index does not project.
    pub(crate) fn of_scan(&self, source: &Source<'_>) -> Result<View<'_>, Error> {
        self.check_select(source)?;
        self.check_projection_paths(source)?;
        let mut filter = self.filter.as_ref().map(Cow::Borrowed);
        if let Some(filter) = &mut filter {
            let paths = filter.paths();
            source.check_paths(&paths)?;
            let hidden: Vec<String> = hidden(source, &paths).into_iter().map(str::to_owned).collect();
            if !hidden.is_empty() {
                filter.to_mut().hide(|attribute| hidden.iter().any(|hidden| hidden == attribute));
            }
        }
        let (shown, fetched) = self.shown(source)?;
        Ok(View { filter: filter.map(Filter::new), shown, fetched })
    }

    fn check_projection_paths(&self, source: &Source<'_>) -> Result<(), Error> {
        match &self.projection {
            Some(projection) => source.check_paths(&projection.paths.iter().collect::<Vec<_>>()),
            None => Ok(()),
        }
    }

    /// What is shown, and whether it has to be fetched.
    fn shown(&self, source: &Source<'_>) -> Result<(Shown, bool), Error> {
        if self.select == Select::Count {
            return Ok((Shown::Count, false));
        }
        let lacking = source.index().filter(|index| index.projection != ProjectionView::All);
        let (Some(index), projection) = (lacking, &self.projection) else {
            let outline = self.projection.as_ref().map(Outline::from);
            return Ok((outline.map_or(Shown::Whole, Shown::Outlined), false));
        };
        if let Some(projection) = projection {
            let paths: Vec<&Path> = projection.paths.iter().collect();
            let hidden = hidden(source, &paths);
            return match index.scope {
                IndexScope::Global if !hidden.is_empty() => Err(reads::not_projected(index.name, &hidden)),
                _ => Ok((Shown::Outlined(Outline::from(projection)), !hidden.is_empty())),
            };
        }
        Ok(match self.select {
            // Of a local index: `check_select` has been called.
            Select::All => (Shown::Whole, true),
            _ => {
                let names = projected_names(index, &source.table_keys);
                (Shown::Outlined(Outline::of_attributes(names)), false)
            }
        })
    }
}

/// The attributes of paths that the index does not project, each once, in the order of the paths.
fn hidden<'p>(source: &Source<'_>, paths: &[&'p Path]) -> Vec<&'p str> {
    let Some(index) = source.index().filter(|index| index.projection != ProjectionView::All) else {
        return Vec::new();
    };
    let projected = projected_names(index, &source.table_keys);
    let mut hidden: Vec<&str> = Vec::new();
    for path in paths {
        let attribute = &*path.attribute;
        if projected.binary_search(&attribute).is_err() && !hidden.contains(&attribute) {
            hidden.push(attribute);
        }
    }
    hidden
}
