//! What operations on items have in common: who asks, and the item in the answer.

use crate::errors;
use crate::item::json;
use crate::item::view::Item;
use holdfast_aws::{Context, Error};
use holdfast_store::{CommitInfo, Origin};

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
