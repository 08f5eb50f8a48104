//! What is stored of a table: its definition.
//!
//! The definition stands in the catalog beside the table's space; name, account and region are the catalog's key. Its
//! first fields are the times of its states, key attributes and indexes, so that operations on items read those in place
//! and nothing else.
//!
//! | field | bytes |
//! |---|---|
//! | version | 1: `03` |
//! | active from | service time, unsigned, ms since 1970; 0: at once; absent in version 1, as is the next |
//! | gone from | the same; 0 while the table is not being deleted |
//! | changed from | the same: until then it shows that it is being changed; 0: it is not; absent before version 3 |
//! | partition key | name as string, type as in keys: `53`, `4E`, `42` |
//! | sort key | option of the same |
//! | indexes | list of the fields of [`indexes`]; absent in version 1, which had none |
//! | time to live | option of the fields of [`time_to_live`]; absent before version 3, as is all from class changed on |
//! | attribute definitions | list of name as string and type; sorted by name |
//! | table id | string |
//! | created | service time, unsigned, ms since 1970 |
//! | billing mode | `00` provisioned, `01` pay per request |
//! | read, write capacity units | unsigned each; 0 with pay per request |
//! | table class | `00` not named, `01` `STANDARD` named, `02` `STANDARD_INFREQUENT_ACCESS`; absent in version 1, where none was named |
//! | class changed | service time, unsigned; 0: never |
//! | pay per request since | service time of the last change to it, unsigned; 0: it never was |
//! | changes of throughput | the fields of [`throughput`] |
//! | most units on demand | option of two signed |
//! | deletion protection | `00` or `01` |
//! | stream | option of the fields of [`stream`] |
//! | tags | list of key and value as strings, in the order in which they were given |
//!
//! Strings, options, lists and unsigned numbers are those of [`holdfast_state::record`].

use crate::key::{KeyAttribute, KeySchema, ScalarType};
use holdfast_state::families::SpaceKind;
use holdfast_state::record::{FieldReader, FieldWriter, Record, RecordError, split_version};
use holdfast_store::SpaceId;

pub mod indexes;
pub mod stream;
pub mod throughput;
pub mod time_to_live;

pub use self::indexes::{IndexDefinition, IndexScope, IndexState, IndexView, Projection, ProjectionView};
pub use self::stream::{StreamSettings, StreamView};
pub use self::throughput::{OnDemandLimits, ThroughputChanges};
pub use self::time_to_live::{ExpiryView, TimeToLive};

/// The version before tables had indexes.
const WITHOUT_INDEXES: u8 = 1;
/// The last version of tables that could not be changed.
const UNCHANGEABLE: u8 = 2;

/// How a table's throughput is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillingMode {
    /// A fixed number of units.
    Provisioned {
        /// Read capacity units.
        read: u64,
        /// Write capacity units.
        write: u64,
    },
    /// By request.
    PayPerRequest,
}

/// The class of a table, as far as it was named: AWS shows it only then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TableClass {
    /// Not named: `STANDARD`.
    #[default]
    NotNamed,
    /// `STANDARD`
    Standard,
    /// `STANDARD_INFREQUENT_ACCESS`
    InfrequentAccess,
}

/// How long a table shows `CREATING`, `UPDATING` and `DELETING` where statuses are delayed, in ms of service time. AWS takes about three
/// times as long; clients look every few seconds, and tests should not wait longer than they must.
pub const TRANSIENT_MS: u64 = 2_000;

/// What a table is at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableState {
    /// In the making: it is shown, and holds nothing yet.
    Creating,
    /// As it should be.
    Active,
    /// In deletion: it is shown, and takes and gives nothing any more.
    Deleting,
    /// Deleted, though its name may still stand in the catalog: the job that takes it away comes soon.
    Gone,
}

/// When a table changes its state, in service time, ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StateTimes {
    /// From when on it is active; 0: since it was there.
    pub active_ms: u64,
    /// From when on it is gone; 0: it is not being deleted.
    pub gone_ms: u64,
    /// Until when it shows that it is being changed, apart from its indexes; it takes and gives everything meanwhile.
    pub changed_ms: u64,
}

impl StateTimes {
    /// The state at a time.
    #[must_use]
    pub fn state(self, now_ms: u64) -> TableState {
        match self.gone_ms {
            0 if now_ms < self.active_ms => TableState::Creating,
            0 => TableState::Active,
            gone_ms if now_ms < gone_ms => TableState::Deleting,
            _ => TableState::Gone,
        }
    }
}

/// The definition of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its states.
    pub states: StateTimes,
    /// Name and type of the partition key.
    pub partition: (String, ScalarType),
    /// Name and type of the sort key.
    pub sort: Option<(String, ScalarType)>,
    /// Its indexes, in the order in which they were sent: global ones first.
    pub indexes: Vec<IndexDefinition>,
    /// Name and type of each attribute that is part of a key, sorted by name.
    pub attributes: Vec<(String, ScalarType)>,
    /// A UUID, given once.
    pub id: String,
    /// Service time of creation in ms since 1970.
    pub created_ms: u64,
    /// Throughput.
    pub billing: BillingMode,
    /// Its class.
    pub class: TableClass,
    /// Service time of the last change of the class, in ms since 1970; 0: never.
    pub class_changed_ms: u64,
    /// Service time of the last change to pay per request, in ms since 1970, its creation included; 0: it never was.
    pub on_demand_since_ms: u64,
    /// Changes of its provisioned throughput.
    pub throughput_changes: ThroughputChanges,
    /// Most units of requests that are paid for by request.
    pub on_demand: OnDemandLimits,
    /// Whether it is protected from being deleted.
    pub deletion_protection: bool,
    /// Its stream.
    pub stream: Option<StreamSettings>,
    /// Its time to live, if it was ever enabled.
    pub time_to_live: Option<TimeToLive>,
    /// Its tags: keys and values, in the order in which they were given; each key once.
    pub tags: Vec<(String, String)>,
}

impl TableDefinition {
    /// A table of keys that was just created, active at once, without indexes and attribute definitions, and with nothing set that
    /// can be set.
    #[must_use]
    pub fn new(
        (partition, sort): ((String, ScalarType), Option<(String, ScalarType)>),
        id: String,
        created_ms: u64,
        billing: BillingMode,
    ) -> Self {
        Self {
            states: StateTimes::default(),
            partition,
            sort,
            indexes: Vec::new(),
            attributes: Vec::new(),
            id,
            created_ms,
            billing,
            class: TableClass::NotNamed,
            class_changed_ms: 0,
            on_demand_since_ms: if billing == BillingMode::PayPerRequest { created_ms } else { 0 },
            throughput_changes: ThroughputChanges::default(),
            on_demand: OnDemandLimits::default(),
            deletion_protection: false,
            stream: None,
            time_to_live: None,
            tags: Vec::new(),
        }
    }

    /// The key attributes of a stored definition, read in place.
    ///
    /// # Errors
    /// If the record is newer than this build or malformed.
    pub fn key_schema(record: &[u8]) -> Result<KeySchema<'_>, RecordError> {
        let (version, fields) = split_version(record, Self::VERSION)?;
        let mut reader = FieldReader::new(fields);
        read_states(&mut reader, version)?;
        read_key_schema(&mut reader)
    }

    /// When a stored table changes its state.
    ///
    /// # Errors
    /// As [`TableDefinition::key_schema`].
    pub fn states(record: &[u8]) -> Result<StateTimes, RecordError> {
        let (version, fields) = split_version(record, Self::VERSION)?;
        read_states(&mut FieldReader::new(fields), version)
    }

    /// Key attributes and indexes of a stored definition, read in place. Indexes that were dropped and still are shown are left
    /// out: they have no rows.
    ///
    /// # Errors
    /// As [`TableDefinition::key_schema`].
    pub fn keys_and_indexes(record: &[u8]) -> Result<(KeySchema<'_>, Vec<IndexView<'_>>), RecordError> {
        let (schema, indexes, _) = Self::derived(record)?;
        Ok((schema, indexes))
    }

    /// Key attributes of a stored definition, and all that is derived from items: indexes as
    /// [`TableDefinition::keys_and_indexes`] gives them, and the rows of the times at which items expire.
    ///
    /// # Errors
    /// As [`TableDefinition::key_schema`].
    pub fn derived(
        record: &[u8],
    ) -> Result<(KeySchema<'_>, Vec<IndexView<'_>>, Option<ExpiryView<'_>>), RecordError> {
        let (version, fields) = split_version(record, Self::VERSION)?;
        let mut reader = FieldReader::new(fields);
        read_states(&mut reader, version)?;
        let schema = read_key_schema(&mut reader)?;
        let mut indexes = read_indexes(&mut reader, version)?;
        indexes.retain(|index| !matches!(index.state, IndexState::Dropped { .. }));
        let expiry = read_time_to_live(&mut reader, version)?.and_then(|settings| settings.expiry());
        Ok((schema, indexes, expiry))
    }

    /// The spaces of what is derived from the items of a stored definition: with the table's own, all that it has. Who removes the
    /// definition drops them.
    ///
    /// # Errors
    /// As [`TableDefinition::key_schema`].
    pub fn derived_spaces(record: &[u8]) -> Result<Vec<(SpaceId, SpaceKind)>, RecordError> {
        let (_, indexes, expiry) = Self::derived(record)?;
        let indexes = indexes.into_iter().map(|index| (index.space, SpaceKind::DYNAMODB_INDEX));
        let expiry = expiry.map(|expiry| (expiry.space, SpaceKind::DYNAMODB_EXPIRY));
        Ok(indexes.chain(expiry).collect())
    }

    /// Whether it shows that it is being changed: itself, or one of its indexes.
    #[must_use]
    pub fn is_changing(&self, now_ms: u64) -> bool {
        now_ms < self.states.changed_ms || self.indexes.iter().any(|index| index.state.is_changing(now_ms))
    }

    /// Takes out the indexes that were dropped and are no longer shown. Whoever rewrites the definition does this.
    pub fn forget_dropped(&mut self, now_ms: u64) {
        self.indexes.retain(|index| !index.state.is_gone(now_ms));
    }
}

fn read_states(reader: &mut FieldReader<'_>, version: u8) -> Result<StateTimes, RecordError> {
    if version == WITHOUT_INDEXES {
        return Ok(StateTimes::default());
    }
    let (active_ms, gone_ms) = (reader.unsigned()?, reader.unsigned()?);
    let changed_ms = if version <= UNCHANGEABLE { 0 } else { reader.unsigned()? };
    Ok(StateTimes { active_ms, gone_ms, changed_ms })
}

fn read_indexes<'a>(reader: &mut FieldReader<'a>, version: u8) -> Result<Vec<IndexView<'a>>, RecordError> {
    match version {
        WITHOUT_INDEXES => Ok(Vec::new()),
        version => reader.list(|reader| indexes::read(reader, version > UNCHANGEABLE)),
    }
}

fn read_time_to_live<'a>(
    reader: &mut FieldReader<'a>,
    version: u8,
) -> Result<Option<time_to_live::Settings<'a>>, RecordError> {
    if version <= UNCHANGEABLE { Ok(None) } else { reader.option(time_to_live::read) }
}

fn read_key_schema<'a>(reader: &mut FieldReader<'a>) -> Result<KeySchema<'a>, RecordError> {
    let partition = read_attribute(reader)?;
    let sort = reader.option(read_attribute)?;
    Ok(KeySchema { partition, sort })
}

fn read_attribute<'a>(reader: &mut FieldReader<'a>) -> Result<KeyAttribute<'a>, RecordError> {
    let name = reader.str()?;
    let tag: u8 = reader.unsigned_as()?;
    let kind = ScalarType::of_tag(tag).ok_or(RecordError::Impossible("type of an attribute"))?;
    Ok(KeyAttribute { name, kind })
}

fn write_attribute(writer: &mut FieldWriter<'_>, (name, kind): &(String, ScalarType)) {
    writer.str(name).unsigned(u64::from(kind.tag()));
}

fn owned(attribute: KeyAttribute<'_>) -> (String, ScalarType) {
    (attribute.name.to_owned(), attribute.kind)
}

impl Record for TableDefinition {
    const VERSION: u8 = 3;

    fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = FieldWriter::new(out);
        let StateTimes { active_ms, gone_ms, changed_ms } = self.states;
        writer.unsigned(active_ms).unsigned(gone_ms).unsigned(changed_ms);
        write_attribute(&mut writer, &self.partition);
        writer.option(self.sort.as_ref(), write_attribute);
        writer.list(&self.indexes, indexes::write);
        writer.option(self.time_to_live.as_ref(), time_to_live::write);
        writer.list(&self.attributes, write_attribute);
        writer.str(&self.id).unsigned(self.created_ms);
        match self.billing {
            BillingMode::Provisioned { read, write } => writer.unsigned(0).unsigned(read).unsigned(write),
            BillingMode::PayPerRequest => writer.unsigned(1).unsigned(0).unsigned(0),
        };
        let class = match self.class {
            TableClass::NotNamed => 0,
            TableClass::Standard => 1,
            TableClass::InfrequentAccess => 2,
        };
        writer.unsigned(class).unsigned(self.class_changed_ms).unsigned(self.on_demand_since_ms);
        throughput::write_changes(&mut writer, self.throughput_changes);
        throughput::write_limits(&mut writer, self.on_demand);
        writer.bool(self.deletion_protection);
        writer.option(self.stream, stream::write);
        writer.list(&self.tags, |writer, (key, value)| {
            writer.str(key).str(value);
        });
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = FieldReader::new(bytes);
        let states = read_states(&mut reader, version)?;
        let schema = read_key_schema(&mut reader)?;
        let indexes = read_indexes(&mut reader, version)?.iter().map(IndexView::to_definition).collect();
        let time_to_live = read_time_to_live(&mut reader, version)?.map(time_to_live::Settings::to_owned);
        let attributes = reader.list(read_attribute)?.into_iter().map(owned).collect();
        let id = reader.str()?.to_owned();
        let created_ms = reader.unsigned()?;
        let billing = match (reader.unsigned()?, reader.unsigned()?, reader.unsigned()?) {
            (0, read, write) => BillingMode::Provisioned { read, write },
            (1, 0, 0) => BillingMode::PayPerRequest,
            _ => return Err(RecordError::Impossible("billing mode")),
        };
        let class = match version {
            WITHOUT_INDEXES => TableClass::NotNamed,
            _ => read_class(&mut reader)?,
        };
        let keys = (owned(schema.partition), schema.sort.map(owned));
        let created = Self::new(keys, id, created_ms, billing);
        let mut definition = Self { states, indexes, attributes, class, time_to_live, ..created };
        if version > UNCHANGEABLE {
            definition.read_changeable(&mut reader)?;
        }
        reader.finish()?;
        Ok(definition)
    }
}

impl TableDefinition {
    /// Reads what came with version 3, to the end.
    fn read_changeable(&mut self, reader: &mut FieldReader<'_>) -> Result<(), RecordError> {
        self.class_changed_ms = reader.unsigned()?;
        self.on_demand_since_ms = reader.unsigned()?;
        self.throughput_changes = throughput::read_changes(reader)?;
        self.on_demand = throughput::read_limits(reader)?;
        self.deletion_protection = reader.bool()?;
        self.stream = reader.option(stream::read)?;
        self.tags = reader.list(|reader| Ok((reader.str()?.to_owned(), reader.str()?.to_owned())))?;
        Ok(())
    }
}

fn read_class(reader: &mut FieldReader<'_>) -> Result<TableClass, RecordError> {
    match reader.unsigned()? {
        0 => Ok(TableClass::NotNamed),
        1 => Ok(TableClass::Standard),
        2 => Ok(TableClass::InfrequentAccess),
        _ => Err(RecordError::Impossible("table class")),
    }
}

#[cfg(test)]
mod tests;
