//! `Select`: what is answered of each item.

use super::source::Source;
use crate::errors::reads::{self, Reader};
use crate::expression::Outline;
use crate::index::projected_names;
use crate::table::{IndexScope, ProjectionView};
use holdfast_aws::Error;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Select {
    /// Nothing said: all attributes of a table, the projected ones of an index.
    Default,
    /// `ALL_ATTRIBUTES`
    All,
    /// `ALL_PROJECTED_ATTRIBUTES`
    Projected,
    /// `COUNT`
    Count,
}

/// What is answered of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Only how many there are.
    Count,
    /// The whole item.
    Whole,
    /// The whole item, which is more than the index projects.
    Fetched,
    /// What the outline shows.
    Outlined(Outline),
}

impl Select {
    /// Reads a value that is one of the model's.
    ///
    /// # Errors
    /// If it does not go together with the other parameters.
    pub(crate) fn read(value: Option<&str>, of_index: bool, reader: Reader) -> Result<Self, Error> {
        match value {
            Some("ALL_ATTRIBUTES") => Ok(Self::All),
            Some("COUNT") => Ok(Self::Count),
            Some("ALL_PROJECTED_ATTRIBUTES") if of_index => Ok(Self::Projected),
            Some("ALL_PROJECTED_ATTRIBUTES") => Err(reads::projected_without_index(reader)),
            // The parameters that would say which are refused before.
            Some("SPECIFIC_ATTRIBUTES") => Err(reads::no_specific_attributes(reader)),
            _ => Ok(Self::Default),
        }
    }

    /// What that is of a table or an index.
    ///
    /// # Errors
    /// If a global index does not have what is asked for.
    pub(crate) fn shown(self, source: &Source<'_>) -> Result<Shown, Error> {
        let Some(index) = source.index() else {
            return Ok(if self == Self::Count { Shown::Count } else { Shown::Whole });
        };
        let whole = index.projection == ProjectionView::All;
        match (self, index.scope) {
            (Self::Count, _) => Ok(Shown::Count),
            (_, _) if whole => Ok(Shown::Whole),
            (Self::All, IndexScope::Global) => Err(reads::all_attributes_of_global_index(index.name)),
            (Self::All, IndexScope::Local) => Ok(Shown::Fetched),
            (Self::Default | Self::Projected, _) => {
                Ok(Shown::Outlined(Outline::of_attributes(projected_names(index, &source.table_keys))))
            }
        }
    }
}
