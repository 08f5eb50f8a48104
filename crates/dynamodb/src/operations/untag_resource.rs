//! `UntagResource`: takes tags of a table away; those that are not there are gone already.

use super::{Prepared, refuse_unevaluated};
use crate::catalog::{Scope, TableName};
use crate::errors::{self, tags as texts};
use crate::{request, tags};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::UntagResourceInput;
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Snapshot, Transaction};

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: UntagResourceInput = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    refuse_unevaluated(&input)?;
    if input.resource_arn.is_none() {
        return Err(texts::no_resource());
    }
    let keys = input.tag_keys.ok_or_else(|| texts::missing("tagKeys"))?;
    let table = tags::resource(input.resource_arn.as_deref())?;
    if keys.is_empty() {
        return Err(texts::no_keys());
    }
    tags::check_keys(&keys)?;
    Ok(Prepared::Write(Box::new(UntagResource {
        info: request::commit_info(context, "UntagResource"),
        scope: Scope::of(context),
        table,
        arn: input.resource_arn.unwrap_or_default(),
        keys,
    })))
}

struct UntagResource {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    arn: String,
    keys: Vec<String>,
}

impl WriteOperation<Error> for UntagResource {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn prefetch(&self, newest: &Snapshot) {
        let _ = self.scope.table(newest, &self.table);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let table = self.scope.table(tx, &self.table)?;
        let table = table.ok_or_else(|| texts::no_such_resource(&self.arn))?;
        let mut definition = table.definition()?;
        let before = definition.tags.len();
        definition.tags.retain(|(key, _)| !self.keys.contains(key));
        if definition.tags.len() < before {
            self.scope.redefine(tx, &self.table, &definition)?;
        }
        Ok(())
    }

    /// Nothing at all, not even an object. Source: recorded earlier.
    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
}
