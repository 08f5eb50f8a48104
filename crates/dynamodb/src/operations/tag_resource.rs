//! `TagResource`: puts tags to a table, and replaces those of the same keys. They are there with the answer.

use super::{Prepared, refuse_unevaluated};
use crate::catalog::{Scope, TableName};
use crate::errors::{self, tags as texts};
use crate::{request, tags};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::TagResourceInput;
use holdfast_state::operation::WriteOperation;
use holdfast_store::{CommitInfo, Snapshot, Transaction};

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: TagResourceInput = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    refuse_unevaluated(&input)?;
    if input.resource_arn.is_none() {
        return Err(texts::no_resource());
    }
    let sent = input.tags.ok_or_else(|| texts::missing("tags"))?;
    let table = tags::resource(input.resource_arn.as_deref())?;
    if sent.is_empty() {
        return Err(texts::no_tags());
    }
    Ok(Prepared::Write(Box::new(TagResource {
        info: request::commit_info(context, "TagResource"),
        scope: Scope::of(context),
        table,
        arn: input.resource_arn.unwrap_or_default(),
        tags: tags::read(sent)?,
    })))
}

struct TagResource {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    arn: String,
    tags: Vec<(String, String)>,
}

impl WriteOperation<Error> for TagResource {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn prefetch(&self, newest: &Snapshot) {
        let _ = self.scope.table(newest, &self.table);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let table = self.scope.table(tx, &self.table)?;
        let table = table.ok_or_else(|| texts::no_such_resource(&self.arn))?;
        let before = table.definition()?;
        let mut definition = before.clone();
        tags::put(&mut definition.tags, &self.tags)?;
        if definition != before {
            self.scope.redefine(tx, &self.table, &definition)?;
        }
        Ok(())
    }

    /// Nothing at all, not even an object. Source: recorded earlier.
    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        Ok(Vec::new())
    }
}
