//! Tables by their names. A name becomes a space inside the transaction or snapshot that uses it, each time anew.

use crate::errors;
use crate::key::KeySchema;
use crate::table::TableDefinition;
use bytes::Bytes;
use holdfast_aws::{Context, Error};
use holdfast_state::catalog;
use holdfast_state::families::Resource;
use holdfast_state::record::Record;
use holdfast_state::{Space, StateError};
use holdfast_store::{Read, Transaction, Version};

/// The name of a table, taken out of its ARN where a request names it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName(Box<str>);

impl TableName {
    /// Reads a name or an ARN that satisfies the model's constraints. Of an ARN only the name counts: all requests of a
    /// context see the same tables, whatever region and account they write down.
    pub(crate) fn read(name: String) -> Result<Self, Error> {
        if !name.starts_with("arn:") {
            return Ok(Self(name.into()));
        }
        let resource = name.splitn(6, ':').nth(5).and_then(|resource| resource.strip_prefix("table/"));
        match resource {
            Some(table) if !table.is_empty() && !table.contains(['/', ':']) => Ok(Self(table.into())),
            _ => Err(errors::not_a_table_arn(&name)),
        }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The catalog's region of all tables: every region sees one shared data set.
const SHARED_REGION: &str = "";

/// Whose tables a request sees, and the region that its answers name.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    account: Box<str>,
    region: Box<str>,
}

/// A table as it is in the state that it was found in.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its items.
    pub(crate) space: Space,
    /// The version that wrote its definition.
    pub(crate) since: Version,
    record: Bytes,
}

impl Table {
    /// Its key attributes, read in place.
    pub(crate) fn key_schema(&self) -> Result<KeySchema<'_>, Error> {
        TableDefinition::key_schema(&self.record).map_err(|error| errors::internal(&error))
    }

    /// The whole definition.
    pub(crate) fn definition(&self) -> Result<TableDefinition, Error> {
        TableDefinition::from_bytes(&self.record).map_err(|error| errors::internal(&error))
    }
}

impl Scope {
    /// The scope of a request.
    pub(crate) fn of(context: &Context) -> Self {
        Self { account: context.account.clone(), region: context.region.clone() }
    }

    fn tables(&self) -> catalog::Scope<'_> {
        catalog::Scope { account: &self.account, region: SHARED_REGION, resource: Resource::DYNAMODB_TABLE }
    }

    /// The ARN of a table. Source: AWS's service authorization reference.
    pub(crate) fn table_arn(&self, name: &TableName) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{}", self.region, self.account, name.as_str())
    }

    /// The table of a name, if there is one.
    pub(crate) fn table(
        &self,
        read: &(impl Read + ?Sized),
        name: &TableName,
    ) -> Result<Option<Table>, Error> {
        let found = catalog::resolve(read, &self.tables(), name.as_str()).map_err(failed)?;
        Ok(found.map(|(space, entry)| Table { space, since: entry.since, record: entry.record.definition }))
    }

    /// Names behind `after`, in the order of their bytes, at most `limit`.
    pub(crate) fn names(
        &self,
        read: &(impl Read + ?Sized),
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let tables = catalog::list(read, &self.tables(), after, limit).map_err(failed)?;
        Ok(tables.into_iter().map(|(name, _)| name).collect())
    }

    /// Gives a name that is free a definition and an empty space.
    pub(crate) fn create(
        &self,
        tx: &mut Transaction<'_>,
        name: &TableName,
        record: &[u8],
    ) -> Result<(), Error> {
        let label = format!("table {}", name.as_str());
        catalog::create(tx, &self.tables(), name.as_str(), &label, record).map_err(failed)?;
        Ok(())
    }

    /// Takes a name that exists away and drops its space.
    pub(crate) fn remove(&self, tx: &mut Transaction<'_>, name: &TableName) -> Result<(), Error> {
        catalog::remove(tx, &self.tables(), name.as_str()).map_err(failed)?;
        Ok(())
    }
}

/// None of these is a client's mistake.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn failed(error: StateError) -> Error {
    errors::internal(&error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns() {
        let read = |name: &str| TableName::read(name.to_owned()).map(|name| name.as_str().to_owned());
        assert_eq!(read("Music").ok().as_deref(), Some("Music"));
        assert_eq!(
            read("arn:aws:dynamodb:eu-west-1:123456789012:table/Music").ok().as_deref(),
            Some("Music")
        );
        for arn in [
            "arn:",
            "arn:aws:s3:::bucket",
            "arn:aws:dynamodb:r:a:table/",
            "arn:aws:dynamodb:r:a:table/t/index/i",
        ] {
            assert!(read(arn).is_err(), "{arn}");
        }
    }
}
