//! Key attributes of what queries read: those of a table, or those of an index, of which there may be several in each role.

use super::{KeyAttribute, KeySchema, ScalarType};

/// Most attributes of the partition key of a global index, and of its sort key. Source: DynamoDB Developer Guide, "Using Global
/// Secondary Indexes", "Multi-attribute key schema".
pub const ATTRIBUTES_MAX: usize = 4;

/// At least one and at most [`ATTRIBUTES_MAX`] attributes of the partition key, at most as many of the sort key, each in the order
/// of the key schema. They stand in place: definitions of twenty indexes are read with each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLists<'a> {
    attributes: [KeyAttribute<'a>; 2 * ATTRIBUTES_MAX],
    partition: usize,
    total: usize,
}

impl<'a> KeyLists<'a> {
    /// No attributes yet.
    pub(crate) const EMPTY: Self = Self {
        attributes: [KeyAttribute { name: "", kind: ScalarType::S }; 2 * ATTRIBUTES_MAX],
        partition: 0,
        total: 0,
    };

    /// Appends an attribute of the partition key; answers whether there was room. Sort keys come after.
    pub(crate) fn push_partition(&mut self, attribute: KeyAttribute<'a>) -> bool {
        let room = self.partition < ATTRIBUTES_MAX && self.total == self.partition;
        if room {
            self.attributes[self.partition] = attribute;
            self.partition += 1;
            self.total += 1;
        }
        room
    }

    /// Appends an attribute of the sort key; answers whether there was room.
    pub(crate) fn push_sort(&mut self, attribute: KeyAttribute<'a>) -> bool {
        let room = self.total - self.partition < ATTRIBUTES_MAX;
        if room {
            self.attributes[self.total] = attribute;
            self.total += 1;
        }
        room
    }

    /// `HASH`
    #[must_use]
    pub fn partition(&self) -> &[KeyAttribute<'a>] {
        &self.attributes[..self.partition]
    }

    /// `RANGE`
    #[must_use]
    pub fn sort(&self) -> &[KeyAttribute<'a>] {
        &self.attributes[self.partition..self.total]
    }

    /// Both, the partition key first.
    #[must_use]
    pub fn all(&self) -> &[KeyAttribute<'a>] {
        &self.attributes[..self.total]
    }

    /// Whether there are several attributes in a role, which AWS words some refusals for.
    #[must_use]
    pub fn is_multiple(&self) -> bool {
        self.partition > 1 || self.total - self.partition > 1
    }
}

impl<'a> From<KeySchema<'a>> for KeyLists<'a> {
    fn from(schema: KeySchema<'a>) -> Self {
        let mut lists = Self::EMPTY;
        lists.push_partition(schema.partition);
        if let Some(sort) = schema.sort {
            lists.push_sort(sort);
        }
        lists
    }
}
