//! Which items a transaction is about: its tables, each found once, and keys of which none may be there twice.

use crate::catalog::{Scope, Table, TableName};
use crate::errors::transactions;
use crate::key::KeyError;
use holdfast_aws::Error;
use holdfast_store::{Read, SpaceId};
use std::borrow::Cow;
use std::collections::HashSet;

/// The tables of a request, by the names that it has for them.
#[derive(Debug, Default)]
pub(crate) struct Tables(Vec<(String, TableName)>);

impl Tables {
    /// Where a name, as it was sent, stands among the tables.
    ///
    /// # Errors
    /// As [`TableName::read`].
    pub(crate) fn place(&mut self, sent: Option<String>) -> Result<usize, Error> {
        let sent = sent.unwrap_or_default();
        if let Some(place) = self.0.iter().position(|(other, _)| *other == sent) {
            return Ok(place);
        }
        let name = TableName::read(sent.clone())?;
        self.0.push((sent, name));
        Ok(self.0.len() - 1)
    }

    /// Looks all of them up; none where there is none of that name.
    ///
    /// # Errors
    /// If a read fails.
    pub(crate) fn find(
        &self,
        read: &(impl Read + ?Sized),
        scope: &Scope,
    ) -> Result<Vec<Option<Table>>, Error> {
        self.0.iter().map(|(_, name)| scope.table(read, name)).collect()
    }

    /// How they were sent.
    pub(crate) fn sent(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(sent, _)| sent.as_str())
    }
}

/// The items that were named so far.
#[derive(Debug, Default)]
pub(crate) struct Items<'k>(HashSet<(SpaceId, Cow<'k, [u8]>)>);

impl<'k> Items<'k> {
    /// Adds one.
    ///
    /// # Errors
    /// If it was named before, by whatever name of its table.
    pub(crate) fn add(&mut self, table: SpaceId, key: Cow<'k, [u8]>) -> Result<(), Error> {
        if self.0.insert((table, key)) { Ok(()) } else { Err(transactions::same_item()) }
    }
}

/// Whether a fault of a key is found before the transaction begins, and so refuses the request; any other cancels the
/// transaction. Source: recorded.
pub(crate) fn is_refused_at_once(error: &KeyError) -> bool {
    matches!(error, KeyError::Empty { .. })
}
