//! `DescribeTimeToLive`: whether items of a table expire, and by which attribute.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::description;
use crate::errors::tables;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{DescribeTimeToLiveInput, DescribeTimeToLiveOutput, TimeToLiveDescription};
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: DescribeTimeToLiveInput = read(body)?;
    let scope = Scope::of(context);
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    Ok(Prepared::Read(Box::new(DescribeTimeToLive { scope, table })))
}

struct DescribeTimeToLive {
    scope: Scope,
    table: TableName,
}

impl ReadOperation<Error> for DescribeTimeToLive {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let found = self.scope.table_in_any_state(read, &self.table)?;
        let (table, _) = found.ok_or_else(|| tables::no_such_table_named(self.table.as_str()))?;
        let (_, _, expiry) = table.derived()?;
        // Of what was disabled the attribute is forgotten. Source: verified.
        let status = match &expiry {
            None => "DISABLED",
            Some(expiry) if !expiry.built => "ENABLING",
            Some(_) => "ENABLED",
        };
        let description = TimeToLiveDescription {
            time_to_live_status: Some(status.to_owned()),
            attribute_name: expiry.map(|expiry| expiry.attribute.to_owned()),
        };
        description::render(&DescribeTimeToLiveOutput { time_to_live_description: Some(description) })
    }
}
