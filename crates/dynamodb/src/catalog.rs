//! Tables by their names. A name becomes a space inside the transaction or snapshot that uses it, each time anew.

use crate::data_set::{DataSet, NamedTable};
use crate::errors::{self, tables};
use crate::key::KeySchema;
use crate::table::{ExpiryView, IndexView, TableDefinition, TableState};
use bytes::Bytes;
use holdfast_aws::{Context, Error};
use holdfast_shapes::patterns;
use holdfast_state::catalog::{self, CatalogEntry};
use holdfast_state::record::{Record, RecordError};
use holdfast_state::{Space, StateError};
use holdfast_store::{Read, SpaceId, Transaction, Version};

/// The name of a table, taken out of its ARN where a request names it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    name: Box<str>,
    /// The ARN; empty where the name came by itself.
    arn: Box<str>,
}

impl TableName {
    /// Reads a name or an ARN that satisfies the model's constraints, which let any text after `arn:` pass. Of an ARN only
    /// the name counts, and, where each region has tables of its own, the region; whatever account it writes down.
    ///
    /// # Errors
    /// When it is the ARN of no table, or of one whose name could not be given by itself.
    pub(crate) fn read(name: String) -> Result<Self, Error> {
        if !name.starts_with("arn:") {
            return Ok(Self { name: name.into(), arn: Box::default() });
        }
        Self::of_arn(&name).ok_or_else(|| errors::not_a_table_arn(&name))
    }

    /// The table whose ARN a text is.
    pub(crate) fn of_arn(arn: &str) -> Option<Self> {
        named_by_arn(arn).map(|(_, table)| Self { name: table.into(), arn: arn.into() })
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }
}

/// Region and name in `arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME`. Source of the form: AWS's service authorization
/// reference; of the partitions (`aws`, `aws-cn`, `aws-us-gov`, …): AWS's reference of ARNs.
fn named_by_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let mut part = || parts.next();
    let (_arn, partition, service, region, account, resource) =
        (part()?, part()?, part()?, part()?, part()?, part()?);
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let region_fits = !region.is_empty()
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let table = resource.strip_prefix("table/")?;
    let fits = partition.strip_prefix("aws").is_some_and(lower)
        && service == "dynamodb"
        && region_fits
        && patterns::account(account)
        && (NAME_LETTERS_MIN..=NAME_LETTERS_MAX).contains(&table.len())
        && patterns::name(table);
    fits.then_some((region, table))
}

/// What stands in every ARN that DynamoDB Local gives out, in place of the region: ours too, for clients that kept some.
const ANY_REGION: &str = "ddblocal";

/// Fewest and most letters of a table's name. Source: AWS's documentation of naming rules.
const NAME_LETTERS_MIN: usize = 3;
const NAME_LETTERS_MAX: usize = 255;

/// Whose tables a request sees, and the region that its answers name.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    data_set: DataSet,
    region: Box<str>,
    /// Service time of the request: which state a table is in.
    now_ms: u64,
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

    /// Its key attributes and indexes, read in place.
    pub(crate) fn keys_and_indexes(&self) -> Result<(KeySchema<'_>, Vec<IndexView<'_>>), Error> {
        TableDefinition::keys_and_indexes(&self.record).map_err(|error| errors::internal(&error))
    }

    /// Its key attributes, and all that is derived from its items, read in place.
    pub(crate) fn derived(
        &self,
    ) -> Result<(KeySchema<'_>, Vec<IndexView<'_>>, Option<ExpiryView<'_>>), Error> {
        TableDefinition::derived(&self.record).map_err(|error| errors::internal(&error))
    }

    /// The whole definition.
    pub(crate) fn definition(&self) -> Result<TableDefinition, Error> {
        TableDefinition::from_bytes(&self.record).map_err(|error| errors::internal(&error))
    }
}

impl Scope {
    /// The scope of a request.
    pub(crate) fn of(context: &Context) -> Self {
        Self { data_set: DataSet::of(context), region: context.region.clone(), now_ms: context.now_ms }
    }

    /// Whose tables they are.
    pub(crate) fn data_set(&self) -> &DataSet {
        &self.data_set
    }

    /// Service time of the request, in ms since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A table of theirs, by its whole name.
    pub(crate) fn named(&self, name: &TableName) -> NamedTable {
        NamedTable { data_set: self.data_set.clone(), name: name.as_str().to_owned() }
    }

    /// Its tables in the catalog.
    pub(crate) fn tables(&self) -> catalog::Scope<'_> {
        self.data_set.tables()
    }

    /// The ARN of a table. Source: AWS's service authorization reference.
    pub(crate) fn table_arn(&self, name: &TableName) -> String {
        format!("arn:aws:dynamodb:{}:{}:table/{}", self.region, self.data_set.account_id(), name.as_str())
    }

    /// The table of a name, if there is one whose items can be read and written: one in the making or in deletion is as good
    /// as none.
    pub(crate) fn table(
        &self,
        read: &(impl Read + ?Sized),
        name: &TableName,
    ) -> Result<Option<Table>, Error> {
        let found = self.entry(read, name)?;
        Ok(found.filter(|(_, state)| *state == TableState::Active).map(|(table, _)| table))
    }

    /// The table of a name in any state, if it is not gone.
    pub(crate) fn table_in_any_state(
        &self,
        read: &(impl Read + ?Sized),
        name: &TableName,
    ) -> Result<Option<(Table, TableState)>, Error> {
        Ok(self.entry(read, name)?.filter(|(_, state)| *state != TableState::Gone))
    }

    /// What stands in the catalog under a name, though it may be gone.
    pub(crate) fn entry(
        &self,
        read: &(impl Read + ?Sized),
        name: &TableName,
    ) -> Result<Option<(Table, TableState)>, Error> {
        if self.is_elsewhere(name) {
            return Err(tables::other_region(&name.arn));
        }
        let found = catalog::resolve(read, &self.tables(), name.as_str()).map_err(failed)?;
        let Some((space, entry)) = found else { return Ok(None) };
        let table = Table { space, since: entry.since, record: entry.record.definition };
        let state = self.state(&table.record)?;
        Ok(Some((table, state)))
    }

    /// Whether a table is named by the ARN of another region, where each has tables of its own.
    fn is_elsewhere(&self, name: &TableName) -> bool {
        let own = self.data_set.region();
        let is_other = |region: &str| region != own && region != ANY_REGION;
        !own.is_empty() && named_by_arn(&name.arn).is_some_and(|(region, _)| is_other(region))
    }

    fn state(&self, record: &[u8]) -> Result<TableState, Error> {
        let times = TableDefinition::states(record).map_err(|error| errors::internal(&error))?;
        Ok(times.state(self.now_ms))
    }

    /// Names of tables that are not gone behind `after`, in the order of their bytes, at most `limit`.
    pub(crate) fn names(
        &self,
        read: &(impl Read + ?Sized),
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let wanted = limit - names.len();
            let tables = catalog::list(read, &self.tables(), after.as_deref(), wanted).map_err(failed)?;
            let is_last = tables.len() < wanted;
            after = tables.last().map(|(name, _)| name.clone());
            for (name, entry) in tables {
                if self.state(&entry.record.definition)? != TableState::Gone {
                    names.push(name);
                }
            }
            if is_last || names.len() == limit {
                return Ok(names);
            }
        }
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

    /// Gives a name that exists another definition.
    pub(crate) fn redefine(
        &self,
        tx: &mut Transaction<'_>,
        name: &TableName,
        definition: &TableDefinition,
    ) -> Result<(), Error> {
        redefine(tx, &self.data_set, name.as_str(), definition).map_err(failed)
    }

    /// Takes a name that exists away and drops the spaces of the table and its indexes.
    pub(crate) fn remove(&self, tx: &mut Transaction<'_>, name: &TableName) -> Result<(), Error> {
        remove(tx, &self.data_set, name.as_str()).map_err(failed)
    }
}

/// The definition of a name, if the table is still there and not being deleted: `space` tells it from a later one of its name.
pub(crate) fn definition_in(
    read: &(impl Read + ?Sized),
    data_set: &DataSet,
    name: &str,
    space: SpaceId,
) -> Result<Option<Bytes>, StateError> {
    let Some(entry) = catalog::find(read, &data_set.tables(), name)?.map(|found| found.record) else {
        return Ok(None);
    };
    let states =
        TableDefinition::states(&entry.definition).map_err(|cause| unreadable(&entry, name, cause))?;
    Ok(Some(entry.definition).filter(|_| entry.space == space && states.gone_ms == 0))
}

/// Takes a name that exists away and drops the spaces of the table and its indexes.
fn remove(tx: &mut Transaction<'_>, data_set: &DataSet, name: &str) -> Result<(), StateError> {
    let entry = catalog::remove(tx, &data_set.tables(), name)?;
    let spaces = TableDefinition::derived_spaces(&entry.definition)
        .map_err(|cause| unreadable(&entry, name, cause))?;
    for (space, kind) in spaces {
        Space::open(tx, space, kind)?.drop(tx)?;
    }
    Ok(())
}

/// A table with this space of rows of expiry, unless it is being deleted.
///
/// # Errors
/// If the definition is unreadable, or a read fails.
pub(crate) fn expiring(
    read: &(impl Read + ?Sized),
    data_set: &DataSet,
    name: &str,
    space: SpaceId,
) -> Result<Option<Table>, StateError> {
    let Some((table, found)) = catalog::resolve(read, &data_set.tables(), name)? else { return Ok(None) };
    let entry = &found.record;
    let definition = &entry.definition;
    let read = TableDefinition::states(definition).and_then(|states| {
        let (_, _, expiry) = TableDefinition::derived(definition)?;
        Ok(states.gone_ms == 0 && expiry.is_some_and(|expiry| expiry.space == space))
    });
    if !read.map_err(|cause| unreadable(entry, name, cause))? {
        return Ok(None);
    }
    Ok(Some(Table { space: table, since: found.since, record: entry.definition.clone() }))
}

/// Gives a name that exists another definition.
///
/// # Errors
/// If the store fails.
pub(crate) fn redefine(
    tx: &mut Transaction<'_>,
    data_set: &DataSet,
    name: &str,
    definition: &TableDefinition,
) -> Result<(), StateError> {
    catalog::redefine(tx, &data_set.tables(), name, &definition.to_bytes())
}

/// Takes a table that was marked as deleted away, if it is still there: `space` tells it from a later one of its name.
///
/// # Errors
/// If the definition is unreadable, or the store fails.
pub(crate) fn remove_deleted(
    tx: &mut Transaction<'_>,
    data_set: &DataSet,
    name: &str,
    space: SpaceId,
) -> Result<(), StateError> {
    let Some(entry) = catalog::find(tx, &data_set.tables(), name)?.map(|found| found.record) else {
        return Ok(());
    };
    let states =
        TableDefinition::states(&entry.definition).map_err(|cause| unreadable(&entry, name, cause))?;
    if entry.space == space && states.gone_ms != 0 {
        remove(tx, data_set, name)?;
    }
    Ok(())
}

fn unreadable(entry: &CatalogEntry, name: &str, cause: RecordError) -> StateError {
    let (space, key) = (entry.space, name.as_bytes().into());
    StateError::Unreadable { space, family: "definition of a table", key, cause: cause.into() }
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
            "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/a.b",
            "arn:aws-us-gov:dynamodb:us-gov-west-1:000000000000:table/a-b_c",
        ] {
            assert!(read(arn).is_ok(), "{arn}");
        }
        let with_name = |name: &str| format!("arn:aws:dynamodb:eu-west-1:123456789012:table/{name}");
        assert!(read(&with_name(&"a".repeat(255))).is_ok());
        for name in ["", "ab", "a b", "tab/index/i", "t\u{e9}st", "a:b", &"a".repeat(256)] {
            assert!(read(&with_name(name)).is_err(), "{name}");
        }
        for arn in [
            "arn:",
            "arn:aws:s3:::bucket",
            "arn:aws:sqs:eu-west-1:123456789012:table/Music",
            "arn:aws:dynamodb:eu-west-1:a:table/Music",
            "arn:aws:dynamodb:eu-west-1:12345678901:table/Music",
            "arn:aws:dynamodb::123456789012:table/Music",
            "arn:aws:dynamodb:EU:123456789012:table/Music",
            "arn:gcp:dynamodb:eu-west-1:123456789012:table/Music",
            "arn::dynamodb:eu-west-1:123456789012:table/Music",
            "arn:aws:dynamodb:eu-west-1:123456789012:Music",
            "arn:aws:dynamodb:eu-west-1:123456789012:backup/Music",
        ] {
            assert!(read(arn).is_err(), "{arn}");
        }
    }
}
