//! The deep check: whether a table's items are what they should be, its indexes have exactly the rows that its items call
//! for, and its counters are what is there.
//!
//! A table is looked at as of one version, page by page, each page in a state of its own that is given back after it: so a
//! check of any length holds nothing for longer than seconds, and what is written meanwhile is not seen. For the first
//! moments the state itself is held, which is all that a small table needs. Where that version can no longer be read (no
//! history is kept, or it is trimmed away too soon) the check goes on in the newest state: items and rows of a page change
//! in the same commits, so each page is still compared exactly; only counters are not, which is said.

mod expiry;

use super::InspectError;
use crate::data_set::{DataSet, NamedTable};
use crate::index::{self, Indexed};
use crate::item::size;
use crate::item::view::{Item, Value as ItemValue};
use crate::key::{KeyAttribute, KeySchema, ScalarType, StoredKey};
use crate::number::Number;
use crate::table::{ExpiryView, IndexState, IndexView, TableDefinition};
use holdfast_shapes::{AttributeMap, AttributeValue};
use holdfast_state::catalog::{self, CatalogKey};
use holdfast_state::families::{Family, Resource, SpaceKind};
use holdfast_state::key::{KeyError, KeyReader};
use holdfast_state::{Space, StateError};
use holdfast_store::{Counters, HistoryError, Read, Snapshot, SpaceId, Value, Version};
use std::ops::Bound;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::xxh3_64;

/// How long the state of a table is held at first.
pub const HOLD: Duration = Duration::from_secs(1);
/// Rows of a page, and the bytes of items after which it ends.
const PAGE_ROWS: usize = 500;
/// See [`PAGE_ROWS`].
const PAGE_BYTES: u64 = 4 << 20;
/// Findings that are kept of a table; of more, only how many.
const FINDINGS_MAX: usize = 100;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The index, if it is one's.
    pub index: Option<String>,
    /// Key of the item that it is about, as DynamoDB's JSON where it can be read, else in hexadecimal digits.
    pub key: Option<String>,
    /// What is wrong, as a sentence.
    pub what: String,
}

/// What a check of a table has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedTable {
    /// Items that were looked at.
    pub items: u64,
    /// Rows of indexes that were looked at.
    pub rows: u64,
    /// What is wrong; at most a hundred.
    pub findings: Vec<Finding>,
    /// How much else is.
    pub further_findings: u64,
    /// Why counters were not compared, if they were not.
    pub counters_not_compared: Option<&'static str>,
    /// Whether the check was stopped before it was done.
    pub stopped: bool,
}

/// How far a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were looked at, of the table and its indexes.
    pub done: u64,
    /// Rows that there were when it began.
    pub all: u64,
}

/// Tables behind `after`, of all data sets, in the order of the catalog, at most `limit`.
///
/// # Errors
/// If the catalog cannot be read.
pub fn tables(
    read: &Snapshot,
    after: Option<&NamedTable>,
    limit: usize,
) -> Result<Vec<NamedTable>, InspectError> {
    let after = after.map(|NamedTable { data_set, name }| CatalogKey {
        account: data_set.account().to_owned(),
        region: data_set.region().to_owned(),
        service: Resource::DYNAMODB_TABLE.service.to_owned(),
        kind: Resource::DYNAMODB_TABLE.kind.to_owned(),
        name: name.clone(),
    });
    let entries = catalog::list_all_of(read, Resource::DYNAMODB_TABLE, after.as_ref(), limit)?;
    let tables = entries.into_iter().map(|(CatalogKey { account, region, name, .. }, _)| NamedTable {
        data_set: DataSet::new(&account, &region),
        name,
    });
    Ok(tables.collect())
}

/// Checks a table; `None` if there is none. `newest` takes a new snapshot; `hold` is for how long the first may
/// be held; `each` is told after every page how far it is, and answers whether to go on.
///
/// # Errors
/// If the table cannot be found because of a failed read, or its definition cannot be read. Damage further down is a finding.
pub fn table(
    newest: &dyn Fn() -> Snapshot,
    table: &NamedTable,
    hold: Duration,
    each: &mut dyn FnMut(Progress) -> bool,
) -> Result<Option<CheckedTable>, InspectError> {
    let first = newest();
    let Some((space, entry)) = catalog::resolve(&first, &table.data_set.tables(), &table.name)? else {
        return Ok(None);
    };
    let (schema, indexes, expiry) = TableDefinition::derived(&entry.record.definition)?;
    let of_table = first.counters(space.id())?;
    let of_indexes: Vec<Counters> =
        indexes.iter().map(|index| first.counters(index.space)).collect::<Result<_, _>>()?;
    let of_expiry = expiry.map(|expiry| first.counters(expiry.space)).transpose()?.unwrap_or_default();
    let of_derived = of_indexes.iter().chain([&of_expiry]).map(|counters| counters.items);
    let all = of_table.items + of_derived.sum::<u64>();
    let derived = indexes.iter().map(|index| index.space).chain(expiry.map(|expiry| expiry.space));
    let spaces: Vec<SpaceId> = std::iter::once(space.id()).chain(derived).collect();
    let version = first.version();
    let states = States { newest, first: Some(first), since: Instant::now(), hold, version, spaces };
    let mut check = Check {
        states,
        schema,
        indexes,
        expiry,
        table: space.id(),
        checked: CheckedTable::default(),
        progress: Progress { done: 0, all },
        each,
    };
    if let Some(counted) = check.items() {
        check.compare(None, "table", of_table, counted);
    }
    for (at, counters) in of_indexes.into_iter().enumerate() {
        if let Some(counted) = check.rows(at) {
            let name = check.indexes[at].name.to_owned();
            check.compare(Some(name), "index", counters, counted);
        }
    }
    if let Some(counted) = check.expiry_rows() {
        check.compare(None, "rows of expiry", of_expiry, counted);
    }
    Ok(Some(check.checked))
}

/// The states that pages are read in.
struct States<'a> {
    newest: &'a dyn Fn() -> Snapshot,
    /// The state at `version`, as long as it is held.
    first: Option<Snapshot>,
    since: Instant,
    hold: Duration,
    version: Version,
    spaces: Vec<SpaceId>,
}

/// The state of one page.
struct State {
    read: Box<dyn Read>,
    /// Whether it is the state at the version that the check is about.
    of_version: bool,
}

impl States<'_> {
    fn next(&mut self) -> Result<State, InspectError> {
        if self.since.elapsed() >= self.hold {
            self.first = None;
        }
        if let Some(first) = &self.first {
            return Ok(State { read: Box::new(first.clone()), of_version: true });
        }
        let newest = (self.newest)();
        let as_of = newest.as_of(self.version).and_then(|as_of| {
            self.spaces.iter().try_for_each(|space| as_of.readable(*space).map(|_| ()))?;
            Ok(as_of)
        });
        match as_of {
            Ok(as_of) => Ok(State { read: Box::new(as_of), of_version: true }),
            Err(HistoryError::Read(cause)) => {
                Err(holdfast_store::ReadError { file: "history".to_owned(), cause }.into())
            }
            Err(_) => Ok(State { read: Box::new(newest), of_version: false }),
        }
    }
}

/// What was counted in a space, if all of it was read as of one version.
type Counted = Option<Counters>;

/// Why a page could not be read to its end.
enum Broken {
    /// The table is not there any more.
    Gone,
    /// A read failed.
    Read(String),
}

struct Check<'a, 'd> {
    states: States<'a>,
    schema: KeySchema<'d>,
    indexes: Vec<IndexView<'d>>,
    expiry: Option<ExpiryView<'d>>,
    table: SpaceId,
    checked: CheckedTable,
    progress: Progress,
    each: &'a mut dyn FnMut(Progress) -> bool,
}

/// One page of a space.
struct Page {
    state: State,
    space: Space,
    entries: Vec<(Vec<u8>, Value)>,
    ends: bool,
}

impl Check<'_, '_> {
    /// Looks at every item.
    fn items(&mut self) -> Counted {
        self.walk(None, (self.table, SpaceKind::DYNAMODB_TABLE), |check, page, key, value| {
            check.checked.items += 1;
            check.item(page, key, value)
        })
    }

    /// Looks at every row of an index.
    fn rows(&mut self, at: usize) -> Counted {
        self.walk(Some(at), (self.indexes[at].space, SpaceKind::DYNAMODB_INDEX), |check, page, key, value| {
            check.checked.rows += 1;
            check.row(at, page, key, value)
        })
    }

    /// Goes through a space, of an index or of what else the table has. `None` if there is nothing to compare counters with.
    fn walk(
        &mut self,
        index: Option<usize>,
        (id, kind): (SpaceId, SpaceKind),
        mut look: impl FnMut(&mut Self, &Page, &[u8], &Value) -> Result<(), InspectError>,
    ) -> Counted {
        let (mut counted, mut after, mut exact) = (Counters::default(), None::<Vec<u8>>, true);
        while !self.checked.stopped {
            let page = match self.page(id, kind, after.as_deref()) {
                Ok(page) => page,
                Err(broken) => {
                    self.broken(index, &broken);
                    return None;
                }
            };
            exact &= page.state.of_version;
            for (key, value) in &page.entries {
                counted.items += 1;
                counted.bytes += value.size;
                if let Err(error) = look(self, &page, key, value) {
                    self.broken(index, &Broken::Read(error.to_string()));
                    return None;
                }
            }
            self.progress.done += page.entries.len() as u64;
            if page.ends {
                if !exact {
                    self.checked.counters_not_compared = Some(
                        "the table changed, and history does not reach back far enough to count it as it was",
                    );
                }
                return exact.then_some(counted);
            }
            after = page.entries.last().map(|(key, _)| key.clone());
            let go_on = (self.each)(self.progress);
            self.checked.stopped = !go_on;
        }
        None
    }

    fn page(&mut self, id: SpaceId, kind: SpaceKind, after: Option<&[u8]>) -> Result<Page, Broken> {
        let read = |error: &dyn std::fmt::Display| Broken::Read(error.to_string());
        let state = self.states.next().map_err(|error| read(&error))?;
        let space = match Space::open(&*state.read, id, kind) {
            Ok(space) => space,
            Err(StateError::NoSuchSpace { .. }) => return Err(Broken::Gone),
            Err(error) => return Err(read(&error)),
        };
        let (mut entries, mut bytes, mut ends) = (Vec::new(), 0, true);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        for entry in space.range(&*state.read, from, Bound::Unbounded, false) {
            let (key, value) = entry.map_err(|error| read(&error))?;
            bytes += value.payload.len() as u64;
            entries.push((key.to_vec(), value));
            if entries.len() >= PAGE_ROWS || bytes >= PAGE_BYTES {
                ends = false;
                break;
            }
        }
        Ok(Page { state, space, entries, ends })
    }

    /// Looks at an item: itself, and its rows. An error is a failed read.
    fn item(&mut self, page: &Page, key: &[u8], value: &Value) -> Result<(), InspectError> {
        let item = match Item::new(&value.payload).and_then(|item| Ok((item, size::of_item(item)?))) {
            Ok((item, size)) => {
                if size != value.size {
                    let what = format!("the item has {size} bytes, and {} are accounted for it", value.size);
                    self.find(None, Some(key), what);
                }
                item
            }
            Err(error) => {
                self.find(None, Some(key), error.to_string());
                return Ok(());
            }
        };
        if !fits(key, item, &self.schema) {
            self.find(None, Some(key), "the item's attributes are not those of its key".to_owned());
            return Ok(());
        }
        let indexed = Indexed { key, item, size: value.size };
        for at in 0..self.indexes.len() {
            let index = &self.indexes[at];
            // An item whose values cannot be keys of an index has no row there: the index is younger than the item.
            let Ok(Some(row)) = index::row(&indexed, index, &self.schema)? else { continue };
            let space = Space::open(&*page.state.read, index.space, SpaceKind::DYNAMODB_INDEX)?;
            let what = match space.get(&*page.state.read, &row.key)? {
                // Its job has not come there yet.
                None if matches!(index.state, IndexState::Building { .. }) => continue,
                None => "the index has no row for the item".to_owned(),
                Some(found) if found.size != row.size => format!(
                    "the index projects {} bytes of the item, and {} are accounted for the row",
                    row.size, found.size
                ),
                Some(found) if !found.payload.is_empty() => "the row has a value".to_owned(),
                Some(_) => continue,
            };
            self.find(Some(at), Some(key), what);
        }
        self.expiry_of(page, key, item)
    }

    /// Looks at a row of an index: whether its item calls for it. An error is a failed read.
    fn row(&mut self, at: usize, page: &Page, row: &[u8], _value: &Value) -> Result<(), InspectError> {
        let index = &self.indexes[at];
        let Ok(key) = item_key(row, index.keys.all().len()) else {
            let hex: String = row.iter().map(|byte| format!("{byte:02x}")).collect();
            self.find(Some(at), None, format!("the key of the row {hex} cannot be taken apart"));
            return Ok(());
        };
        let read = &*page.state.read;
        let table = Space::open(read, self.table, SpaceKind::DYNAMODB_TABLE)?;
        debug_assert_eq!(page.space.id(), index.space);
        let what = match table.get(read, &key)? {
            None => "the index has a row for an item that is not there",
            Some(value) => {
                // An item that is damaged was found as one of the table.
                let Ok(item) = Item::new(&value.payload) else { return Ok(()) };
                let indexed = Indexed { key: &key, item, size: value.size };
                match index::row(&indexed, index, &self.schema) {
                    Ok(Ok(Some(expected))) if expected.key == row => return Ok(()),
                    Ok(_) => "the index has a row that the item does not call for",
                    Err(_) => return Ok(()),
                }
            }
        };
        self.find(Some(at), Some(&key), what.to_owned());
        Ok(())
    }

    fn compare(&mut self, index: Option<String>, what: &str, counters: Counters, counted: Counters) {
        if counters != counted {
            let what = format!(
                "the counters of the {what} say {} items of {} bytes, and there are {} of {} bytes",
                counters.items, counters.bytes, counted.items, counted.bytes
            );
            self.push(Finding { index, key: None, what });
        }
    }

    fn broken(&mut self, index: Option<usize>, broken: &Broken) {
        match broken {
            Broken::Gone => {
                self.checked.counters_not_compared = Some("the table was deleted while it was checked");
            }
            Broken::Read(cause) => {
                let what = format!("it cannot be read further than row {}: {cause}", self.progress.done);
                self.find(index, None, what);
            }
        }
    }

    fn find(&mut self, index: Option<usize>, key: Option<&[u8]>, what: String) {
        let index = index.map(|at| self.indexes[at].name.to_owned());
        let key = key.map(|key| shown(key, &self.schema));
        self.push(Finding { index, key, what });
    }

    fn push(&mut self, finding: Finding) {
        if self.checked.findings.len() < FINDINGS_MAX {
            self.checked.findings.push(finding);
        } else {
            self.checked.further_findings += 1;
        }
    }
}

/// Whether an item's key attributes are those of the key that it is stored under.
fn fits(key: &[u8], item: Item<'_>, schema: &KeySchema<'_>) -> bool {
    let Ok(stored) = StoredKey::read(key) else { return false };
    let is = |attribute: &KeyAttribute<'_>, (kind, bytes): &(ScalarType, Vec<u8>)| {
        let Ok(Some(value)) = item.get(attribute.name) else { return false };
        let found = match value.read() {
            Ok(ItemValue::S(text)) => (ScalarType::S, text.as_bytes()),
            Ok(ItemValue::N(number)) => (ScalarType::N, number.as_bytes()),
            Ok(ItemValue::B(bytes)) => (ScalarType::B, bytes),
            _ => return false,
        };
        attribute.kind == *kind && found == (*kind, bytes.as_slice())
    };
    let sort = match (&schema.sort, &stored.sort) {
        (Some(attribute), Some(sort)) => is(attribute, sort),
        (None, None) => true,
        _ => false,
    };
    sort && is(&schema.partition, &stored.partition) && stored.hash == xxh3_64(&stored.partition.1)
}

/// The key of the item of a row with so many key attributes.
fn item_key(row: &[u8], attributes: usize) -> Result<Vec<u8>, KeyError> {
    let mut reader = KeyReader::new(Family::DYNAMODB_INDEX_ROW, row)?;
    reader.u64()?;
    for _ in 0..attributes {
        reader.u8()?;
        reader.bytes()?;
    }
    let mut key = vec![Family::DYNAMODB_ITEM.tag];
    key.extend_from_slice(reader.raw());
    Ok(key)
}

/// A stored key for people.
fn shown(key: &[u8], schema: &KeySchema<'_>) -> String {
    let value = |(kind, bytes): (ScalarType, Vec<u8>)| match kind {
        ScalarType::S => String::from_utf8(bytes).ok().map(AttributeValue::S),
        ScalarType::N => Number::from_bytes(&bytes).ok().map(|number| AttributeValue::N(number.to_string())),
        ScalarType::B => Some(AttributeValue::B(bytes)),
    };
    let read = || {
        let stored = StoredKey::read(key).ok()?;
        let mut attributes = vec![(schema.partition.name.to_owned(), value(stored.partition)?)];
        if let (Some(attribute), Some(sort)) = (&schema.sort, stored.sort) {
            attributes.push((attribute.name.to_owned(), value(sort)?));
        }
        serde_json::to_string(&AttributeMap(attributes)).ok()
    };
    read().unwrap_or_else(|| key.iter().map(|byte| format!("{byte:02x}")).collect())
}
