//! What operations on items have in common: who asks, and the body of the answer.

use holdfast_aws::Context;
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

/// The body of an answer in the making: an object, member by member.
pub(crate) struct Answer {
    out: Vec<u8>,
}

impl Answer {
    /// An object without members, with room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut out = Vec::with_capacity(bytes);
        out.push(b'{');
        Self { out }
    }

    /// Adds a member, unless `write` says that there is nothing to write.
    pub(crate) fn member<E>(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Vec<u8>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let start = self.out.len();
        if start > 1 {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        if !write(&mut self.out)? {
            self.out.truncate(start);
        }
        Ok(())
    }

    /// The bytes.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }
}

/// Room for a rendered item: names of types and punctuation come to its stored bytes.
pub(crate) fn rendered_room(item: &[u8]) -> usize {
    item.len() + item.len() / 2 + 256
}
