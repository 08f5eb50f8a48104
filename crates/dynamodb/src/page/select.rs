//! `Select`: what is answered of each item.

use crate::errors::reads::{self, Reader};
use holdfast_aws::Error;

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Select {
    /// `SPECIFIC_ATTRIBUTES`, or nothing said: what the projection shows; without one, all attributes of a table, the projected
    /// ones of an index.
    Default,
    /// `ALL_ATTRIBUTES`
    All,
    /// `ALL_PROJECTED_ATTRIBUTES`
    Projected,
    /// `COUNT`
    Count,
}

impl Select {
    /// Reads a value that is one of the model's. What it says on attributes must be what `projected` says, which is whether there
    /// is a `ProjectionExpression`.
    ///
    /// # Errors
    /// If it does not go together with the other parameters.
    pub(crate) fn read(
        value: Option<&str>,
        of_index: bool,
        projected: bool,
        reader: Reader,
    ) -> Result<Self, Error> {
        let select = match value {
            Some("ALL_ATTRIBUTES") => Self::All,
            Some("ALL_PROJECTED_ATTRIBUTES") => Self::Projected,
            Some("COUNT") => Self::Count,
            Some("SPECIFIC_ATTRIBUTES") if !projected => return Err(reads::no_specific_attributes(reader)),
            _ => return Ok(Self::Default),
        };
        match select {
            _ if projected => Err(reads::projection_beside_select(reader, select.wanted())),
            Self::Projected if !of_index => Err(reads::projected_without_index(reader)),
            _ => Ok(select),
        }
    }

    /// As the refusal of a projection names it.
    fn wanted(self) -> &'static str {
        match self {
            Self::All => "ALL_ATTRIBUTES",
            Self::Projected => "ALL_PROJECTED_ATTRIBUTES",
            Self::Count => "only the Count",
            Self::Default => "SPECIFIC_ATTRIBUTES",
        }
    }
}
