//! `TransactGetItems`: up to 100 items of one or more tables as they are at one moment, which is what every read shows here.

use super::{Prepared, read};
use crate::capacity::render::{self, Kind};
use crate::capacity::{Consistency, Consumed, ReturnCapacity, of_read};
use crate::catalog::{Scope, Table, failed};
use crate::errors::{self, Wording, transactions};
use crate::item::codec::check_key;
use crate::key;
use crate::projected::{Projected, Shown};
use crate::request::Answer;
use crate::transaction::reasons::Reason;
use crate::transaction::targets::{Items, Tables, is_refused_at_once};
use crate::transaction::{ITEMS_BYTES_MAX, POINT_ACTIONS_MAX};
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::TransactGetItemsInput;
use holdfast_state::operation::{Extent, ReadOperation};
use holdfast_store::{Snapshot, Value};

/// Room that the answer's body starts with for each item.
const BODY_BYTES_AN_ITEM: usize = 512;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored: the first fault of the first action that has one. Source of
/// the order: recorded for TransactWriteItems.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: TransactGetItemsInput = read(body)?;
    let returned = ReturnCapacity::read(input.return_consumed_capacity.as_deref());
    let mut tables = Tables::default();
    let mut gets = Vec::new();
    for get in input.transact_items.unwrap_or_default() {
        let get = get.get.unwrap_or_default();
        let (expression, names) = (get.projection_expression.as_deref(), get.expression_attribute_names);
        Projected::check_alone(expression, names.as_ref())?;
        let projected = Projected::read(expression, names)?;
        let key = get.key.unwrap_or_default();
        check_key(&key).map_err(|error| errors::value(Wording::Older, &error))?;
        gets.push(Get { table: tables.place(get.table_name)?, key, projected });
    }
    Ok(Prepared::Read(Box::new(TransactGetItems { scope: Scope::of(context), tables, gets, returned })))
}

struct Get {
    /// Where its table stands among those of the request.
    table: usize,
    key: AttributeMap,
    projected: Projected,
}

struct TransactGetItems {
    scope: Scope,
    tables: Tables,
    gets: Vec<Get>,
    returned: ReturnCapacity,
}

/// An item to be read.
struct Target<'t> {
    /// Where its table stands among those of the request.
    place: usize,
    table: &'t Table,
    key: Vec<u8>,
    shown: Shown,
}

impl ReadOperation<Error> for TransactGetItems {
    fn extent(&self) -> Extent {
        if self.gets.len() > POINT_ACTIONS_MAX { Extent::Pages } else { Extent::Point }
    }

    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let tables = self.tables.find(read, &self.scope)?;
        let targets = self.targets(&tables)?;
        let mut found = Vec::with_capacity(targets.len());
        let mut size = 0;
        for target in &targets {
            let item = target.table.space.get(read, &target.key).map_err(failed)?;
            size += item.as_ref().map_or(0, |item| item.size);
            found.push(item);
        }
        if size > ITEMS_BYTES_MAX {
            return Err(transactions::answer_too_large(size));
        }
        let mut answer = Answer::with_capacity(BODY_BYTES_AN_ITEM * (targets.len() + 1));
        answer.member("ConsumedCapacity", |out| {
            if self.returned.is_wanted() {
                let consumed = self.consumed(&targets, &found);
                render::list(self.tables.sent().zip(&consumed), self.returned, Kind::Read, out);
            }
            Ok::<_, Error>(self.returned.is_wanted())
        })?;
        answer.member("Responses", |out| responses(&targets, &found, out).map(|()| true))?;
        Ok(answer.finish())
    }
}

impl TransactGetItems {
    /// What was consumed of each table: of every item by itself, also one that is not there. Source: recorded.
    fn consumed(&self, targets: &[Target<'_>], found: &[Option<Value>]) -> Vec<Consumed> {
        let mut consumed: Vec<Consumed> = self.tables.sent().map(|_| Consumed::default()).collect();
        for (target, item) in targets.iter().zip(found) {
            let size = item.as_ref().map_or(0, |item| item.size);
            consumed[target.place].add_table(of_read(size, Consistency::Transactional));
        }
        consumed
    }

    /// The items, in the order of the request.
    ///
    /// # Errors
    /// In the order of the actions: a table that is not there, an empty value of a key, a path into a key, an item that is
    /// named twice. Only then, with a reason for each action, keys that are none of their tables. Source: recorded; for the
    /// order of the first, and for paths, the local emulator.
    fn targets<'t>(&self, tables: &'t [Option<Table>]) -> Result<Vec<Target<'t>>, Error> {
        let mut items = Items::default();
        let mut targets = Vec::with_capacity(self.gets.len());
        let mut reasons = Vec::with_capacity(self.gets.len());
        for get in &self.gets {
            let table = tables.get(get.table).and_then(Option::as_ref).ok_or_else(errors::no_such_table)?;
            let (key, shown) =
                get.projected.of_table(table, |schema| match key::of_key(&get.key.0, schema) {
                    Err(error) if is_refused_at_once(&error) => Err(errors::lookup_key(&error)),
                    key => Ok(key),
                })?;
            match key {
                Ok(key) => {
                    items.add(table.space.id(), key.clone().into())?;
                    reasons.push(None);
                    targets.push(Target { place: get.table, table, key, shown });
                }
                Err(error) => reasons.push(Some(Reason::of_refusal(errors::lookup_key(&error))?)),
            }
        }
        if reasons.iter().any(Option::is_some) {
            return Err(transactions::with_reasons(transactions::cancelled(&reasons), &reasons));
        }
        Ok(targets)
    }
}

/// Appends the list of answers. One for an item that is not there is empty, and so is one of whose item nothing is shown.
fn responses(targets: &[Target<'_>], found: &[Option<Value>], out: &mut Vec<u8>) -> Result<(), Error> {
    out.push(b'[');
    for (at, (target, item)) in targets.iter().zip(found).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let start = out.len();
        out.extend_from_slice(b"{\"Item\":");
        let shown = match item {
            Some(item) => target.shown.render(&item.payload, out).map_err(|error| errors::damaged(&error))?,
            None => false,
        };
        if !shown {
            out.truncate(start + 1);
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(())
}
