//! What is stored of a table: its definition.
//!
//! The definition stands in the catalog beside the table's space; name, account and region are the catalog's key. Its
//! first fields are the times of its states, key attributes and indexes, so that operations on items read those in place
//! and nothing else.
//!
//! | field | bytes |
//! |---|---|
//! | version | 1: `02` |
//! | active from | service time, unsigned, ms since 1970; 0: at once; absent in version 1, as is the next |
//! | gone from | the same; 0 while the table is not being deleted |
//! | partition key | name as string, type as in keys: `53`, `4E`, `42` |
//! | sort key | option of the same |
//! | indexes | list of the fields of [`indexes`]; absent in version 1, which had none |
//! | attribute definitions | list of name as string and type; sorted by name |
//! | table id | string |
//! | created | service time, unsigned, ms since 1970 |
//! | billing mode | `00` provisioned, `01` pay per request |
//! | read, write capacity units | unsigned each; 0 with pay per request |
//! | table class | `00` not named, `01` `STANDARD` named; absent in version 1, where none was named |
//!
//! Strings, options, lists and unsigned numbers are those of [`holdfast_state::record`].

use crate::key::{KeyAttribute, KeySchema, ScalarType};
use holdfast_state::record::{FieldReader, FieldWriter, Record, RecordError, split_version};
use holdfast_store::SpaceId;

pub mod indexes;

pub use self::indexes::{IndexDefinition, IndexScope, IndexView, Projection, ProjectionView};

/// The version before tables had indexes.
const WITHOUT_INDEXES: u8 = 1;

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

/// How long a table shows `CREATING` and `DELETING` where statuses are delayed, in ms of service time. AWS takes about three
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
    /// Whether the table class `STANDARD` was named, which AWS shows only then.
    pub class_named: bool,
}

impl TableDefinition {
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

    /// Key attributes and indexes of a stored definition, read in place.
    ///
    /// # Errors
    /// As [`TableDefinition::key_schema`].
    pub fn keys_and_indexes(record: &[u8]) -> Result<(KeySchema<'_>, Vec<IndexView<'_>>), RecordError> {
        let (version, fields) = split_version(record, Self::VERSION)?;
        let mut reader = FieldReader::new(fields);
        read_states(&mut reader, version)?;
        let schema = read_key_schema(&mut reader)?;
        Ok((schema, read_indexes(&mut reader, version)?))
    }

    /// The spaces of the indexes of a stored definition: with the table's own, all that it has. Who removes the definition
    /// drops them.
    ///
    /// # Errors
    /// As [`TableDefinition::key_schema`].
    pub fn index_spaces(record: &[u8]) -> Result<Vec<SpaceId>, RecordError> {
        let (_, indexes) = Self::keys_and_indexes(record)?;
        Ok(indexes.into_iter().map(|index| index.space).collect())
    }
}

fn read_states(reader: &mut FieldReader<'_>, version: u8) -> Result<StateTimes, RecordError> {
    if version == WITHOUT_INDEXES {
        return Ok(StateTimes::default());
    }
    Ok(StateTimes { active_ms: reader.unsigned()?, gone_ms: reader.unsigned()? })
}

fn read_indexes<'a>(reader: &mut FieldReader<'a>, version: u8) -> Result<Vec<IndexView<'a>>, RecordError> {
    if version == WITHOUT_INDEXES { Ok(Vec::new()) } else { reader.list(indexes::read) }
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
    const VERSION: u8 = 2;

    fn encode(&self, out: &mut Vec<u8>) {
        let mut writer = FieldWriter::new(out);
        writer.unsigned(self.states.active_ms).unsigned(self.states.gone_ms);
        write_attribute(&mut writer, &self.partition);
        writer.option(self.sort.as_ref(), write_attribute);
        writer.list(&self.indexes, indexes::write);
        writer.list(&self.attributes, write_attribute);
        writer.str(&self.id).unsigned(self.created_ms);
        match self.billing {
            BillingMode::Provisioned { read, write } => writer.unsigned(0).unsigned(read).unsigned(write),
            BillingMode::PayPerRequest => writer.unsigned(1).unsigned(0).unsigned(0),
        };
        writer.unsigned(u64::from(self.class_named));
    }

    fn decode(version: u8, bytes: &[u8]) -> Result<Self, RecordError> {
        let mut reader = FieldReader::new(bytes);
        let states = read_states(&mut reader, version)?;
        let schema = read_key_schema(&mut reader)?;
        let indexes = read_indexes(&mut reader, version)?.iter().map(IndexView::to_definition).collect();
        let attributes = reader.list(read_attribute)?.into_iter().map(owned).collect();
        let id = reader.str()?.to_owned();
        let created_ms = reader.unsigned()?;
        let billing = match (reader.unsigned()?, reader.unsigned()?, reader.unsigned()?) {
            (0, read, write) => BillingMode::Provisioned { read, write },
            (1, 0, 0) => BillingMode::PayPerRequest,
            _ => return Err(RecordError::Impossible("billing mode")),
        };
        let class_named = match version {
            WITHOUT_INDEXES => false,
            _ => match reader.unsigned()? {
                0 => false,
                1 => true,
                _ => return Err(RecordError::Impossible("table class")),
            },
        };
        reader.finish()?;
        Ok(Self {
            states,
            partition: owned(schema.partition),
            sort: schema.sort.map(owned),
            indexes,
            attributes,
            id,
            created_ms,
            billing,
            class_named,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn definition() -> TableDefinition {
        TableDefinition {
            states: StateTimes::default(),
            partition: ("pk".into(), ScalarType::S),
            sort: Some(("sk".into(), ScalarType::N)),
            indexes: Vec::new(),
            attributes: vec![("pk".into(), ScalarType::S), ("sk".into(), ScalarType::N)],
            id: "f0e1".into(),
            created_ms: 300,
            billing: BillingMode::Provisioned { read: 5, write: 6 },
            class_named: false,
        }
    }

    fn indexed() -> TableDefinition {
        let binary = ("gp".to_owned(), ScalarType::B);
        let global = IndexDefinition {
            name: "g".into(),
            scope: IndexScope::Global,
            space: SpaceId(7),
            partition: vec![binary.clone()],
            sort: Vec::new(),
            projection: Projection::All,
            throughput: Some((5, 6)),
        };
        let keys_only = IndexDefinition {
            name: "k".into(),
            space: SpaceId(8),
            sort: definition().sort.into_iter().collect(),
            projection: Projection::KeysOnly,
            throughput: None,
            ..global.clone()
        };
        let local = IndexDefinition {
            name: "l".into(),
            scope: IndexScope::Local,
            space: SpaceId(9),
            partition: vec![definition().partition],
            sort: vec![binary],
            projection: Projection::Include(vec!["y".into(), "x".into()]),
            throughput: None,
        };
        let states = StateTimes { active_ms: 301, gone_ms: 302 };
        TableDefinition { states, indexes: vec![global, keys_only, local], class_named: true, ..definition() }
    }

    #[test]
    fn bytes_are_fixed() {
        let mut expected = vec![0x02];
        expected.extend(*b"\x00\x00\x02pkS\x01\x02skN\x00\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06\x00");
        assert_eq!(definition().to_bytes(), expected);

        let mut expected = vec![0x02];
        expected.extend(*b"\xAD\x02\xAE\x02\x02pkS\x01\x02skN\x03");
        expected.extend(*b"\x01g\x00\x07\x01\x02gpB\x00\x00\x00\x01\x05\x06");
        expected.extend(*b"\x01k\x00\x08\x01\x02gpB\x01\x02skN\x01\x00\x00");
        expected.extend(*b"\x01l\x01\x09\x01\x02pkS\x01\x02gpB\x02\x02\x01y\x01x\x00");
        expected.extend(*b"\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06\x01");
        assert_eq!(indexed().to_bytes(), expected);
    }

    #[test]
    fn a_definition_from_before_indexes_has_none() {
        let mut bytes = vec![0x01];
        bytes.extend(*b"\x02pkS\x01\x02skN\x02\x02pkS\x02skN\x04f0e1\xAC\x02\x00\x05\x06");
        assert_eq!(TableDefinition::from_bytes(&bytes), Ok(definition()));
        assert_eq!(TableDefinition::keys_and_indexes(&bytes).unwrap().1, []);
    }

    #[test]
    fn definitions_are_read_back() {
        let composite = definition();
        let simple = TableDefinition { sort: None, billing: BillingMode::PayPerRequest, ..definition() };
        for definition in [composite, simple, indexed()] {
            let bytes = definition.to_bytes();
            assert_eq!(TableDefinition::from_bytes(&bytes), Ok(definition.clone()));
            let schema = TableDefinition::key_schema(&bytes).unwrap();
            assert_eq!(owned(schema.partition), definition.partition);
            assert_eq!(schema.sort.map(owned), definition.sort);
            assert_eq!(TableDefinition::states(&bytes), Ok(definition.states));
            let (_, indexes) = TableDefinition::keys_and_indexes(&bytes).unwrap();
            let indexes: Vec<_> = indexes.iter().map(IndexView::to_definition).collect();
            assert_eq!(indexes, definition.indexes);
        }
    }

    #[test]
    fn states_follow_their_times() {
        let at = |active_ms, gone_ms| {
            let times = StateTimes { active_ms, gone_ms };
            [9, 10, 19, 20].map(|now_ms| times.state(now_ms))
        };
        use TableState::{Active, Creating, Deleting, Gone};
        assert_eq!(at(0, 0), [Active; 4]);
        assert_eq!(at(10, 0), [Creating, Active, Active, Active]);
        assert_eq!(at(10, 20), [Deleting, Deleting, Deleting, Gone]);
    }

    #[test]
    fn a_newer_definition_is_refused() {
        let mut bytes = definition().to_bytes();
        bytes[0] = 3;
        assert!(matches!(TableDefinition::key_schema(&bytes), Err(RecordError::Newer { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..60), at in 0usize..120, byte in any::<u8>(),
        ) {
            let _ = TableDefinition::from_bytes(&bytes);
            let mut damaged = indexed().to_bytes();
            let at = at % damaged.len();
            damaged[at] = byte;
            let _ = TableDefinition::from_bytes(&damaged);
            let _ = TableDefinition::keys_and_indexes(&damaged);
            let _ = TableDefinition::keys_and_indexes(&damaged[..at]);
        }
    }
}
