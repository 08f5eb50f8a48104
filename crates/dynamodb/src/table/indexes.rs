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
//! | state | `00` active, `01` being built, `02` dropped; absent before version 3 of the table's definition, as are the next two |
//! | time of the state | service time, unsigned, ms since 1970, as in [`IndexState`] |
//! | changes of throughput, most units on demand | the fields of [`super::throughput`] |

use super::throughput::{self, OnDemandLimits, ThroughputChanges};
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

/// What an index is, with times in ms since 1970 of the service clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexState {
    /// It has all its rows, and is read from a time on; 0: since it was there.
    Active {
        /// From when on.
        from_ms: u64,
    },
    /// Each write keeps its row there, and a job makes the rows of the items that were there before. It is not read.
    Building {
        /// When it may be read at the earliest.
        from_ms: u64,
    },
    /// It has no rows and no space any more, and is shown until a time.
    Dropped {
        /// Until when.
        gone_ms: u64,
    },
}

impl IndexState {
    /// There and complete from the beginning.
    pub const ACTIVE: Self = Self::Active { from_ms: 0 };

    /// Whether it can be read.
    #[must_use]
    pub fn is_readable(self, now_ms: u64) -> bool {
        matches!(self, Self::Active { from_ms } if from_ms <= now_ms)
    }

    /// Whether it shows that it is being made or dropped.
    #[must_use]
    pub fn is_changing(self, now_ms: u64) -> bool {
        !self.is_readable(now_ms) && !self.is_gone(now_ms)
    }

    /// Whether it was dropped and is no longer shown.
    #[must_use]
    pub fn is_gone(self, now_ms: u64) -> bool {
        matches!(self, Self::Dropped { gone_ms } if gone_ms <= now_ms)
    }
}

/// Names and types of key attributes, in their order.
type Attributes = Vec<(String, ScalarType)>;

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
    /// Whether it is complete.
    pub state: IndexState,
    /// Changes of its provisioned throughput.
    pub throughput_changes: ThroughputChanges,
    /// Most units of requests that are paid for by request.
    pub on_demand: OnDemandLimits,
}

impl IndexDefinition {
    /// A complete index in no space yet, without throughput: spaces are given within a transaction.
    #[must_use]
    pub fn new(
        name: String,
        scope: IndexScope,
        (partition, sort): (Attributes, Attributes),
        projection: Projection,
    ) -> Self {
        Self {
            name,
            scope,
            space: SpaceId(0),
            partition,
            sort,
            projection,
            throughput: None,
            state: IndexState::ACTIVE,
            throughput_changes: ThroughputChanges::default(),
            on_demand: OnDemandLimits::default(),
        }
    }
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
    /// Whether it is complete.
    pub state: IndexState,
    throughput: Option<(u64, u64)>,
    throughput_changes: ThroughputChanges,
    on_demand: OnDemandLimits,
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
            state: self.state,
            throughput_changes: self.throughput_changes,
            on_demand: self.on_demand,
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
    match index.state {
        IndexState::Active { from_ms } => writer.unsigned(0).unsigned(from_ms),
        IndexState::Building { from_ms } => writer.unsigned(1).unsigned(from_ms),
        IndexState::Dropped { gone_ms } => writer.unsigned(2).unsigned(gone_ms),
    };
    throughput::write_changes(writer, index.throughput_changes);
    throughput::write_limits(writer, index.on_demand);
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

/// Reads an index; `changeable` says whether the record has the fields that came with version 3.
pub(super) fn read<'a>(reader: &mut FieldReader<'a>, changeable: bool) -> Result<IndexView<'a>, RecordError> {
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
    let mut view = IndexView {
        name,
        scope,
        space,
        keys,
        projection,
        state: IndexState::ACTIVE,
        throughput,
        throughput_changes: ThroughputChanges::default(),
        on_demand: OnDemandLimits::default(),
    };
    if changeable {
        view.state = match (reader.unsigned()?, reader.unsigned()?) {
            (0, from_ms) => IndexState::Active { from_ms },
            (1, from_ms) => IndexState::Building { from_ms },
            (2, gone_ms) => IndexState::Dropped { gone_ms },
            _ => return Err(RecordError::Impossible("state of an index")),
        };
        view.throughput_changes = throughput::read_changes(reader)?;
        view.on_demand = throughput::read_limits(reader)?;
    }
    Ok(view)
}
