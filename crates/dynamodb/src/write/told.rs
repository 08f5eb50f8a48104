//! What the answers of writes tell beside items: capacity that was consumed, and collections of items.

use super::{Change, Layout};
use crate::capacity::render::{self, Kind};
use crate::capacity::{self, Consistency, Consumed, ReturnCapacity};
use crate::errors;
use crate::item::Damaged;
use crate::item::json;
use crate::item_collection::ItemCollection;
use crate::request::Answer;
use holdfast_aws::Error;
use holdfast_store::Transaction;

/// `ReturnConsumedCapacity` and `ReturnItemCollectionMetrics` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    capacity: ReturnCapacity,
    collections: bool,
}

impl Asked {
    /// Reads values that are those of the model.
    pub(crate) fn read(capacity: Option<&str>, collections: Option<&str>) -> Self {
        Self { capacity: ReturnCapacity::read(capacity), collections: collections == Some("SIZE") }
    }

    /// Whether there is anything to be told.
    pub(crate) fn is_anything(self) -> bool {
        self.collections || self.capacity.is_wanted()
    }

    /// The same of what changes no item, and so no collection of items.
    pub(crate) fn of_unchanged(self) -> Self {
        Self { collections: false, ..self }
    }

    /// Whether the item before is needed to tell it.
    pub(crate) fn needs_before(self) -> bool {
        self.capacity.is_wanted()
    }
}

/// What is told of the writes of one table.
#[derive(Debug, Default)]
pub(crate) struct Told {
    consumed: Consumed,
    /// Each once, in the order of the writes.
    collections: Vec<ItemCollection>,
}

impl Told {
    /// Adds a write that was decided.
    ///
    /// # Errors
    /// If a read fails, or what is read is damaged.
    pub(crate) fn add(
        &mut self,
        asked: Asked,
        tx: &Transaction<'_>,
        table: &Layout<'_>,
        key: &[u8],
        change: &Change<'_>,
    ) -> Result<(), Error> {
        if asked.capacity.is_wanted() {
            let (before, after) = change.sides();
            let consumed = capacity::of_write(&table.schema, &table.indexes, before, after);
            self.consumed.add(&consumed.map_err(|error| errors::damaged(&error))?);
        }
        if asked.collections
            && let Some(collection) = ItemCollection::of(tx, table, key)?
            && !self.collections.contains(&collection)
        {
            self.collections.push(collection);
        }
        Ok(())
    }

    /// Adds the read of an item of so many bytes that a transaction wrote already.
    pub(crate) fn add_reread(&mut self, bytes: u64) {
        self.consumed.add(&Consumed::of_table(capacity::of_read(bytes, Consistency::Strong)));
    }

    /// Adds the members of an answer of an operation on one table, named as in the request.
    ///
    /// # Errors
    /// If a key cannot be rendered.
    pub(crate) fn render(&self, asked: Asked, table: &str, answer: &mut Answer) -> Result<(), Damaged> {
        answer.member("ConsumedCapacity", |out| {
            if asked.capacity.is_wanted() {
                render::object(&self.consumed, table, asked.capacity, Kind::Unsaid, out);
            }
            Ok(asked.capacity.is_wanted())
        })?;
        answer.member("ItemCollectionMetrics", |out| match self.collections.first() {
            Some(collection) => collection.render(out).map(|()| true),
            None => Ok(false),
        })
    }
}

/// What is told of the writes of several tables, each with its name as in the request.
#[derive(Debug, Default)]
pub(crate) struct ToldOfTables(Vec<(String, Told)>);

impl ToldOfTables {
    /// What is told of a table so far.
    pub(crate) fn of(&mut self, table: &str) -> &mut Told {
        let at = self.0.iter().position(|(name, _)| name == table).unwrap_or_else(|| {
            self.0.push((table.to_owned(), Told::default()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// In a transaction each item is written, or read, twice.
    pub(crate) fn doubled(mut self) -> Self {
        for (_, told) in &mut self.0 {
            told.consumed = std::mem::take(&mut told.consumed).doubled();
        }
        self
    }

    /// Adds the members of an answer of an operation on several tables.
    ///
    /// # Errors
    /// If a key cannot be rendered.
    pub(crate) fn render(&self, asked: Asked, kind: Kind, answer: &mut Answer) -> Result<(), Damaged> {
        answer.member("ConsumedCapacity", |out| {
            if asked.capacity.is_wanted() {
                let tables = self.0.iter().map(|(name, told)| (name.as_str(), &told.consumed));
                render::list(tables, asked.capacity, kind, out);
            }
            Ok(asked.capacity.is_wanted())
        })?;
        answer.member("ItemCollectionMetrics", |out| {
            let mut separator = b'{';
            for (name, told) in self.0.iter().filter(|(_, told)| !told.collections.is_empty()) {
                out.push(separator);
                json::render_text(name, out);
                out.push(b':');
                separator = b'[';
                for collection in &told.collections {
                    out.push(separator);
                    collection.render(out)?;
                    separator = b',';
                }
                out.push(b']');
            }
            if separator == b'{' && asked.collections {
                out.push(b'{');
            }
            out.push(b'}');
            Ok(asked.collections)
        })
    }
}
