//! What operations on items have in common: who asks, the key in the making, and the item in the answer.

use crate::catalog::{Scope, Table, TableName};
use crate::errors;
use crate::item::json;
use crate::item::view::Item;
use crate::key::KeyError;
use holdfast_aws::{Context, Error};
use holdfast_store::{CommitInfo, Origin, Snapshot, Version};
use std::borrow::Cow;
use std::cell::OnceCell;

/// What a request's `commits` row says.
pub(crate) fn commit_info(context: &Context, operation: &'static str) -> CommitInfo {
    CommitInfo {
        origin: Origin::Client,
        service: "dynamodb",
        operation,
        request_id: context.request_id.to_string().into(),
        principal: context.access_key.clone(),
    }
}

/// `ReturnValues` of a put or a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReturnOld {
    /// `NONE`
    Nothing,
    /// `ALL_OLD`
    All,
}

impl ReturnOld {
    /// Reads a value that is one of the model's.
    pub(crate) fn read(value: Option<&str>) -> Result<Self, Error> {
        match value {
            None | Some("NONE") => Ok(Self::Nothing),
            Some("ALL_OLD") => Ok(Self::All),
            Some(_) => Err(errors::return_values_old_only()),
        }
    }
}

/// An item's key, made on the submitting thread for the definition that was newest then. The executor takes it if the
/// table's definition is still the one written by that version, and makes it anew if not.
#[derive(Debug, Default)]
pub(crate) struct KeyPlan(OnceCell<(Version, Result<Vec<u8>, KeyError>)>);

impl KeyPlan {
    /// Makes the key and reads its item, so that the executor finds both at hand. Failures show when it runs.
    pub(crate) fn prefetch(
        &self,
        newest: &Snapshot,
        scope: &Scope,
        name: &TableName,
        make: impl FnOnce(&Table) -> Result<Result<Vec<u8>, KeyError>, Error>,
    ) {
        let Ok(Some(table)) = scope.table(newest, name) else { return };
        let Ok(key) = make(&table) else { return };
        if let Ok(key) = &key {
            let _ = table.space.get(newest, key);
        }
        let _ = self.0.set((table.since, key));
    }

    /// The key for a table; `refuse` words what is wrong with it.
    pub(crate) fn key(
        &self,
        table: &Table,
        make: impl FnOnce(&Table) -> Result<Result<Vec<u8>, KeyError>, Error>,
        refuse: impl FnOnce(&KeyError) -> Error,
    ) -> Result<Cow<'_, [u8]>, Error> {
        match self.0.get() {
            Some((since, Ok(key))) if *since == table.since => Ok(Cow::Borrowed(key)),
            Some((since, Err(error))) if *since == table.since => Err(refuse(error)),
            _ => make(table)?.map(Cow::Owned).map_err(|error| refuse(&error)),
        }
    }
}

/// Room for a rendered item beside its stored bytes: names of types and punctuation.
const RENDERED_EXTRA: usize = 256;

/// `{"Item":{…}}`, or `{}` without an item.
pub(crate) fn render_item(member: &str, item: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let Some(item) = item else { return Ok(b"{}".to_vec()) };
    let mut out = Vec::with_capacity(item.len() + item.len() / 2 + RENDERED_EXTRA);
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(b"\":");
    Item::new(item)
        .and_then(|item| json::render_item(item, &mut out))
        .map_err(|error| errors::damaged(&error))?;
    out.push(b'}');
    Ok(out)
}

/// `{"Attributes":{…}}` of the item before, or `{}`.
pub(crate) fn render_attributes(old: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    render_item("Attributes", old)
}
