//! What a table's definition says of its indexes.
//!
//! | field | bytes |
//! |---|---|
//! | name | string |
//! | scope | `00` global, `01` local |
//! | space | unsigned: the space that holds its rows |
//! | partition key | list of name as string and type, as in the table's definition; one, of global indexes up to four |
//! | sort key | list of the same; at most one, of global indexes up to four |
//! | projection | `00` all, `01` keys only, `02` include |
//! | attributes included | list of strings, in the order in which they were sent; empty unless include |
//! | read, write capacity units | option of two unsigned; none with pay per request and for local indexes |

use super::{owned, read_attribute, write_attribute};
use crate::key::{KeyAttribute, KeyLists, ScalarType};
use holdfast_state::record::{FieldReader, FieldWriter, RecordError};
use holdfast_store::SpaceId;

/// Over which items an index ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexScope {
    /// Every item of the table, by a partition key of the index's own.
    Global,
    /// The items of one partition of the table, by another sort key.
    Local,
}

/// Which attributes a read of the index answers with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Projection {
    /// `ALL`
    All,
    /// `KEYS_ONLY`: the keys of index and table.
    KeysOnly,
    /// `INCLUDE`: the keys, and these.
    Include(Vec<String>),
}

/// The definition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexDefinition {
    /// Name, unique within the table.
    pub name: String,
    /// Global or local.
    pub scope: IndexScope,
    /// The space that holds its rows; dropped together with the table.
    pub space: SpaceId,
    /// Names and types of the partition key's attributes: one, of global indexes up to [`crate::key::ATTRIBUTES_MAX`].
    pub partition: Vec<(String, ScalarType)>,
    /// Names and types of the sort key's attributes: none or one, of global indexes up to [`crate::key::ATTRIBUTES_MAX`].
    pub sort: Vec<(String, ScalarType)>,
    /// What is projected.
    pub projection: Projection,
    /// Read and write capacity units of a global index of a provisioned table.
    pub throughput: Option<(u64, u64)>,
}

/// A stored index definition, read in place: what operations on items need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexView<'a> {
    /// Name.
    pub name: &'a str,
    /// Global or local.
    pub scope: IndexScope,
    /// The space that holds its rows.
    pub space: SpaceId,
    /// Its key attributes.
    pub keys: KeyLists<'a>,
    /// What is projected.
    pub projection: ProjectionView<'a>,
    throughput: Option<(u64, u64)>,
}

/// A [`Projection`], read in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectionView<'a> {
    /// `ALL`
    All,
    /// `KEYS_ONLY`
    KeysOnly,
    /// `INCLUDE`
    Include(Vec<&'a str>),
}

impl IndexView<'_> {
    /// The definition with its own copies.
    #[must_use]
    pub fn to_definition(&self) -> IndexDefinition {
        let projection = match &self.projection {
            ProjectionView::All => Projection::All,
            ProjectionView::KeysOnly => Projection::KeysOnly,
            ProjectionView::Include(names) => {
                Projection::Include(names.iter().map(|name| (*name).to_owned()).collect())
            }
        };
        IndexDefinition {
            name: self.name.to_owned(),
            scope: self.scope,
            space: self.space,
            partition: self.keys.partition().iter().copied().map(owned).collect(),
            sort: self.keys.sort().iter().copied().map(owned).collect(),
            projection,
            throughput: self.throughput,
        }
    }
}

pub(super) fn write(writer: &mut FieldWriter<'_>, index: &IndexDefinition) {
    let scope = match index.scope {
        IndexScope::Global => 0,
        IndexScope::Local => 1,
    };
    let none = Vec::new();
    let (projection, included) = match &index.projection {
        Projection::All => (0, &none),
        Projection::KeysOnly => (1, &none),
        Projection::Include(names) => (2, names),
    };
    writer.str(&index.name).unsigned(scope).unsigned(u64::from(index.space.0));
    writer.list(&index.partition, write_attribute);
    writer.list(&index.sort, write_attribute);
    writer.unsigned(projection).list(included, |writer, name| {
        writer.str(name);
    });
    writer.option(index.throughput, |writer, (read, write)| {
        writer.unsigned(read).unsigned(write);
    });
}

const IMPOSSIBLE_KEYS: RecordError = RecordError::Impossible("number of key attributes of an index");

/// Reads a list of key attributes without making one; `push` says whether there was room.
fn read_keys<'a>(
    reader: &mut FieldReader<'a>,
    mut push: impl FnMut(KeyAttribute<'a>) -> bool,
) -> Result<(), RecordError> {
    for _ in 0..reader.unsigned()? {
        if !push(read_attribute(reader)?) {
            return Err(IMPOSSIBLE_KEYS);
        }
    }
    Ok(())
}

pub(super) fn read<'a>(reader: &mut FieldReader<'a>) -> Result<IndexView<'a>, RecordError> {
    let name = reader.str()?;
    let scope = match reader.unsigned()? {
        0 => IndexScope::Global,
        1 => IndexScope::Local,
        _ => return Err(RecordError::Impossible("scope of an index")),
    };
    let space = SpaceId(reader.unsigned_as()?);
    let mut keys = KeyLists::EMPTY;
    read_keys(reader, |attribute| keys.push_partition(attribute))?;
    read_keys(reader, |attribute| keys.push_sort(attribute))?;
    let local = scope == IndexScope::Local;
    if keys.partition().is_empty() || (local && keys.is_multiple()) {
        return Err(IMPOSSIBLE_KEYS);
    }
    let kind = reader.unsigned()?;
    let included = reader.list(FieldReader::str)?;
    let projection = match kind {
        0 if included.is_empty() => ProjectionView::All,
        1 if included.is_empty() => ProjectionView::KeysOnly,
        2 => ProjectionView::Include(included),
        _ => return Err(RecordError::Impossible("projection of an index")),
    };
    let throughput = reader.option(|reader| Ok((reader.unsigned()?, reader.unsigned()?)))?;
    Ok(IndexView { name, scope, space, keys, projection, throughput })
}
