//! `ListTagsOfResource`: the tags of a table, all of them: a table has no more than AWS gives at once.

use super::{Prepared, refuse_unevaluated};
use crate::catalog::{Scope, TableName};
use crate::description;
use crate::errors::{self, tags as texts};
use crate::tags;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{ListTagsOfResourceInput, ListTagsOfResourceOutput, Tag};
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: ListTagsOfResourceInput = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    let table = tags::resource(input.resource_arn.as_deref())?;
    refuse_unevaluated(&input)?;
    let arn = input.resource_arn.unwrap_or_default();
    Ok(Prepared::Read(Box::new(ListTagsOfResource { scope: Scope::of(context), table, arn })))
}

struct ListTagsOfResource {
    scope: Scope,
    table: TableName,
    arn: String,
}

impl ReadOperation<Error> for ListTagsOfResource {
    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let table = self.scope.table(read, &self.table)?;
        let table = table.ok_or_else(|| texts::no_such_resource(&self.arn))?;
        let there = table.definition()?.tags.into_iter();
        let tags = there.map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect();
        description::render(&ListTagsOfResourceOutput { tags: Some(tags), next_token: None })
    }
}
