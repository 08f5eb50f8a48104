//! What the tables and their indexes must hold, kept from the generator.

use super::item::Finished;
use super::records::Kind;
use super::tables::{KeyParts, Table};
use std::collections::BTreeMap;

/// An index row: its sort key in a form that sorts as text, and the item's number.
pub type Row = (Box<str>, u32);

/// One index of one table.
pub struct Index {
    pub name: &'static str,
    pub key: KeyParts,
    /// Rows by partition key, as it stands in JSON; each group in the order of its sort keys.
    pub groups: BTreeMap<String, Vec<Row>>,
    /// How many rows there are.
    pub rows: u64,
}

/// One table that is loaded.
pub struct Loaded {
    pub kind: Kind,
    pub table: &'static Table,
    pub indexes: Vec<Index>,
    /// How many items there are.
    pub items: u64,
}

/// Whether an item is deleted after it was loaded.
pub fn is_deleted(number: u64) -> bool {
    number % 50 == 7
}

/// Whether an item is put again after it was loaded, with other values.
pub fn is_changed(number: u64) -> bool {
    number % 20 == 3
}

/// The item that is there in the end.
pub fn item(kind: Kind, number: u64, listings: u64) -> Finished {
    kind.item(number, listings, is_changed(number))
}

/// A key's value in a form in which values of its type sort as text. Numbers are whole and not negative here.
pub fn sortable(kind: char, value: &str) -> Box<str> {
    if kind == 'N' { format!("{value:0>20}").into() } else { value.into() }
}

impl Index {
    fn new(name: &'static str, key: &KeyParts) -> Self {
        Self { name, key: key.clone(), groups: BTreeMap::new(), rows: 0 }
    }

    /// Adds an item, if it has the attributes of the key.
    fn add(&mut self, item: &Finished, number: u64) {
        let mut parts = self.key.iter().map(|(name, _)| item.get(name));
        let (Some(Some((kind, partition))), sort) = (parts.next(), parts.next()) else { return };
        let sort = match sort {
            None => Box::default(),
            Some(None) => return,
            Some(Some((kind, value))) => sortable(kind, value),
        };
        let number = u32::try_from(number).expect("a number of an item");
        let partition = format!(r#"{{"{kind}":"{partition}"}}"#);
        self.groups.entry(partition).or_default().push((sort, number));
        self.rows += 1;
    }
}

impl Loaded {
    /// What a kind's table holds after everything was written.
    pub fn new(kind: Kind, tables: &'static [Table], listings: u64) -> Self {
        let table = tables.iter().find(|table| table.name == kind.table()).expect("a table");
        let indexes = table.indexes.iter().map(|(name, key)| Index::new(name, key)).collect();
        let mut loaded = Self { kind, table, indexes, items: 0 };
        for number in (0..kind.count(listings)).filter(|number| !is_deleted(*number)) {
            let item = item(kind, number, listings);
            loaded.indexes.iter_mut().for_each(|index| index.add(&item, number));
            loaded.items += 1;
        }
        for group in loaded.indexes.iter_mut().flat_map(|index| index.groups.values_mut()) {
            group.sort();
        }
        loaded
    }
}
