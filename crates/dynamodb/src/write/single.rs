//! The operations that write one item: PutItem, DeleteItem and UpdateItem differ only in what they prepare.

use super::effort::Effort;
use super::told::{Asked, Told};
use super::{ItemWrite, Layout};
use crate::catalog::{Scope, TableName};
use crate::errors::{self, Wording, writes};
use crate::expression::outline::Outline;
use crate::item::Damaged;
use crate::item::json;
use crate::item::view::Item;
use crate::key::KeyError;
use crate::request::{self, Answer};
use bytes::Bytes;
use holdfast_aws::{Context, Error};
use holdfast_state::operation::{Extent, WriteOperation};
use holdfast_store::{CommitInfo, Need, Snapshot, Transaction};

/// What the answer shows of the item.
#[derive(Debug, PartialEq)]
pub(crate) enum Returned {
    /// `NONE`
    Nothing,
    /// `ALL_OLD`
    AllOld,
    /// `ALL_NEW`
    AllNew,
    /// `UPDATED_OLD`: of the item before, what the update names.
    UpdatedOld(Outline),
    /// `UPDATED_NEW`: of the item after, what the update names.
    UpdatedNew(Outline),
}

impl Returned {
    /// Reads `ReturnValues` of a put or a delete, a value that is one of the model's.
    ///
    /// # Errors
    /// If it is more than the item before.
    pub(crate) fn old_only(value: Option<&str>) -> Result<Self, Error> {
        match value {
            None | Some("NONE") => Ok(Self::Nothing),
            Some("ALL_OLD") => Ok(Self::AllOld),
            Some(_) => Err(writes::return_values_old_only()),
        }
    }

    fn is_of_old(&self) -> bool {
        matches!(self, Self::AllOld | Self::UpdatedOld(_))
    }
}

/// What [`WORDING`] begins with.
const ENVELOPE: &str = "1 validation error detected: ";

/// The wording of operations that write one item.
pub(crate) const WORDING: Wording = Wording::Enveloped;

/// A refusal of a request that was read from this body, in the words of the way in which AWS reads it. Source: recorded for
/// `ReturnValues` of DeleteItem; the others by the same rule.
pub(crate) fn as_read(operation: &str, body: &[u8], mut error: Error) -> Error {
    let bare = error.message.strip_prefix(ENVELOPE).map(str::to_owned);
    if let Some(bare) = bare
        && holdfast_shapes::is_read_the_older_way(operation, body)
    {
        error.message = bare.into();
    }
    error
}

/// Whether a value of `ReturnValuesOnConditionCheckFailure`, one of the model's, asks for the item.
pub(crate) fn shows_item(value: Option<&str>) -> bool {
    value == Some("ALL_OLD")
}

/// The table of a write, and what is asked to be told of it.
pub(crate) struct Table {
    name: TableName,
    sent_name: Option<String>,
    asked: Asked,
}

impl Table {
    /// Reads a table's name, and values of the model of `ReturnConsumedCapacity` and `ReturnItemCollectionMetrics`.
    ///
    /// # Errors
    /// If it is the ARN of no table.
    pub(crate) fn read(
        name: Option<String>,
        capacity: Option<&str>,
        collections: Option<&str>,
    ) -> Result<Self, Error> {
        let name = name.unwrap_or_default();
        let asked = Asked::read(capacity, collections);
        let sent_name = asked.is_anything().then(|| name.clone());
        Ok(Self { name: TableName::read(name)?, sent_name, asked })
    }
}

/// Room in an answer for what is told.
const ROOM_FOR_TOLD: usize = 256;

/// One write of one item.
pub(crate) struct SingleWrite {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    write: ItemWrite,
    /// What it needs of the disk.
    pub(crate) need: Need,
    /// Words what is wrong with the item's key.
    key_fault: fn(&KeyError) -> Error,
    pub(crate) returned: Returned,
    /// Whether a condition that does not hold shows the item.
    pub(crate) return_on_failure: bool,
    /// What the answer tells beside the item.
    asked: Asked,
    /// The table's name as it was sent, if the answer tells it.
    sent_name: Option<String>,
    /// The item to show, once it is decided; also that of a condition that does not hold.
    shown: Option<Bytes>,
    told: Told,
}

impl SingleWrite {
    /// A write whose answer shows nothing of the item.
    pub(crate) fn new(
        context: &Context,
        operation: &'static str,
        table: Table,
        write: ItemWrite,
        key_fault: fn(&KeyError) -> Error,
    ) -> Self {
        let Table { name: table, sent_name, asked } = table;
        Self {
            info: request::commit_info(context, operation),
            scope: Scope::of(context),
            table,
            write,
            need: Need::Room,
            key_fault,
            returned: Returned::Nothing,
            return_on_failure: false,
            asked,
            sent_name,
            shown: None,
            told: Told::default(),
        }
    }
}

impl WriteOperation<Error> for SingleWrite {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn need(&self) -> Need {
        self.need
    }

    fn extent(&self) -> Extent {
        super::extent(std::iter::once(&self.write))
    }

    fn prefetch(&self, newest: &Snapshot) {
        let Ok(Some(table)) = self.scope.table(newest, &self.table) else { return };
        if let Ok(table) = Layout::read(&table) {
            self.write.prefetch(newest, &table);
        }
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        (self.shown, self.told) = (None, Told::default());
        let table = self.scope.table(tx, &self.table)?.ok_or_else(errors::no_such_table)?;
        let table = Layout::read(&table)?;
        let key = self.write.key(&table, self.key_fault)?;
        let wanted = self.returned.is_of_old() || self.asked.needs_before();
        let change = match self.write.decide(tx, &table, &key, wanted, &mut Effort::default()) {
            Ok(change) => change,
            Err(fault) => {
                self.shown = fault.item().filter(|_| self.return_on_failure).cloned();
                return Err(fault.into_error());
            }
        };
        self.told.add(self.asked, tx, &table, &key, &change)?;
        self.write.apply(tx, &table, &key, &change)?;
        self.shown = match &self.returned {
            Returned::Nothing => None,
            Returned::AllOld | Returned::UpdatedOld(_) => change.before().map(|(bytes, _)| bytes.clone()),
            Returned::AllNew | Returned::UpdatedNew(_) => {
                change.after().map(|(bytes, _)| Bytes::copy_from_slice(bytes))
            }
        };
        Ok(())
    }

    fn refused(self: Box<Self>, refusal: Error) -> Error {
        match &self.shown {
            Some(item) => writes::with_item(refusal, item),
            None => refusal,
        }
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.shown.is_none() && !self.asked.is_anything() {
            return Ok(b"{}".to_vec());
        }
        let room = self.shown.as_deref().map_or(0, request::rendered_room);
        let mut answer = Answer::with_capacity(room + ROOM_FOR_TOLD);
        self.render(&mut answer).map_err(|error| errors::damaged(&error))?;
        Ok(answer.finish())
    }
}

impl SingleWrite {
    fn render(&self, answer: &mut Answer) -> Result<(), Damaged> {
        if let Some(shown) = &self.shown {
            let item = Item::new(shown)?;
            answer.member("Attributes", |out| match &self.returned {
                Returned::UpdatedOld(outline) | Returned::UpdatedNew(outline) => {
                    json::render_outlined(item, outline, out)
                }
                _ => json::render_item(item, out).map(|()| true),
            })?;
        }
        let name = self.sent_name.as_deref().unwrap_or(self.table.as_str());
        self.told.render(self.asked, name, answer)
    }
}
