//! `ItemCollectionMetrics`: how large the items are together that have one partition key, in tables with local indexes.

use crate::catalog::failed;
use crate::errors;
use crate::item::Damaged;
use crate::item::json;
use crate::key::{KeyAttribute, ScalarType, StoredKey};
use crate::table::IndexScope;
use crate::write::{Layout, index_space};
use holdfast_aws::Error;
use holdfast_store::Read;

const GIGABYTE: u64 = 1 << 30;

/// A collection that a write changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ItemCollection {
    attribute: Box<str>,
    kind: ScalarType,
    partition: Vec<u8>,
    /// At most so many gigabytes: those of the whole table with its local indexes, since nobody counts collections.
    gigabytes_max: u64,
}

impl ItemCollection {
    /// That of an item's key; none in a table without local indexes.
    ///
    /// # Errors
    /// If a read fails.
    pub(crate) fn of(
        read: &(impl Read + ?Sized),
        table: &Layout<'_>,
        key: &[u8],
    ) -> Result<Option<Self>, Error> {
        let mut local = table.indexes.iter().filter(|index| index.scope == IndexScope::Local).peekable();
        if local.peek().is_none() {
            return Ok(None);
        }
        let mut bytes = table.table.space.counters(read).map_err(failed)?.bytes;
        for index in local {
            bytes += index_space(read, index).counters(read).map_err(failed)?.bytes;
        }
        let (kind, partition) = StoredKey::read(key).map_err(|error| errors::internal(&error))?.partition;
        let attribute = table.schema.partition.name.into();
        Ok(Some(Self { attribute, kind, partition, gigabytes_max: bytes.div_ceil(GIGABYTE).max(1) }))
    }

    /// Appends `{"ItemCollectionKey":{"pk":{"S":"a"}},"SizeEstimateRangeGB":[0.0,1.0]}`. Source of the members' order: as of
    /// `ConsumedCapacity`.
    ///
    /// # Errors
    /// Never for a key that was stored.
    pub(crate) fn render(&self, out: &mut Vec<u8>) -> Result<(), Damaged> {
        let attribute = KeyAttribute { name: &self.attribute, kind: self.kind };
        out.extend_from_slice(b"{\"ItemCollectionKey\":{");
        json::render_key(&attribute, &self.partition, out)?;
        out.extend_from_slice(b"},\"SizeEstimateRangeGB\":[0.0,");
        out.extend_from_slice(self.gigabytes_max.to_string().as_bytes());
        out.extend_from_slice(b".0]}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collections_are_rendered_byte_by_byte() {
        let shown = |kind, partition: &[u8], gigabytes_max| {
            let mut out = Vec::new();
            let collection = ItemCollection {
                attribute: "Artist".into(),
                kind,
                partition: partition.to_vec(),
                gigabytes_max,
            };
            collection.render(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            shown(ScalarType::S, b"Acme \"Band\"", 1),
            r#"{"ItemCollectionKey":{"Artist":{"S":"Acme \"Band\""}},"SizeEstimateRangeGB":[0.0,1.0]}"#
        );
        assert_eq!(
            shown(ScalarType::B, b"\0\x01", 12),
            r#"{"ItemCollectionKey":{"Artist":{"B":"AAE="}},"SizeEstimateRangeGB":[0.0,12.0]}"#
        );
    }
}
