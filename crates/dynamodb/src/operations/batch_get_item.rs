//! `BatchGetItem`: the items of up to 100 keys, over several tables. Items are answered in the order in which their keys were
//! sent, which AWS does not promise. Every read is strongly consistent, so `ConsistentRead` makes no difference but
//! to the capacity.

use super::{Prepared, read};
use crate::capacity::render::{self, Kind};
use crate::capacity::{Consistency, Consumed, ReturnCapacity, Units, of_read};
use crate::catalog::{Scope, Table, TableName, failed};
use crate::errors::{self, Wording, reads};
use crate::item::codec::encode_item;
use crate::item::json;
use crate::key;
use crate::projected::{Projected, Shown};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::BatchGetItemInput;
use holdfast_shapes::{AttributeMap, Pairs};
use holdfast_state::operation::{Extent, ReadOperation};
use holdfast_store::Snapshot;
use std::collections::HashSet;

/// Most keys of one request, over all tables. Source: DynamoDB API Reference, `BatchGetItem`.
const KEYS_MAX: usize = 100;
/// Most that the items of one answer may be accounted for, in bytes, however little of them is shown. Source: DynamoDB API
/// Reference, `BatchGetItem`, "up to 16 MB"; its example, 52 of 100 items of 300 KB, holds with this number and not with 2^24.
const ANSWER_BYTES_MAX: u64 = 16_000_000;
/// Up to so many keys are read on the thread that received the request.
const POINT_KEYS_MAX: usize = 8;
/// Room that the answer's body starts with for each key.
const BODY_BYTES_A_KEY: usize = 512;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored: the first fault of each table, of which the first is that of its
/// names and expression, then of its keys. Source of the order: recorded earlier (see [`errors::reads`](crate::errors::reads)).
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: BatchGetItemInput = read(body)?;
    let mut requests = Vec::new();
    let mut keys = 0;
    for (name, request) in input.request_items.unwrap_or_default().0 {
        if request.attributes_to_get.is_some() {
            return Err(errors::not_evaluated("BatchGetItem", "AttributesToGet"));
        }
        let (expression, names) = (request.projection_expression, request.expression_attribute_names);
        Projected::check_alone(expression.as_deref(), names.as_ref())?;
        let projected = Projected::read(expression.as_deref(), names.clone())?;
        let sent = request.keys.unwrap_or_default();
        check_keys(&sent, &mut keys)?;
        let table = TableName::read(name.clone())?;
        let consistent = request.consistent_read;
        requests.push(Request { name, table, keys: sent, consistent, projected, expression, names });
    }
    let returned = ReturnCapacity::read(input.return_consumed_capacity.as_deref());
    Ok(Prepared::Read(Box::new(BatchGetItem { scope: Scope::of(context), requests, keys, returned })))
}

/// Checks the values of one table's keys and that none is there twice; counts them. Source of the order: recorded earlier.
fn check_keys(sent: &[AttributeMap], count: &mut usize) -> Result<(), Error> {
    let mut seen = HashSet::with_capacity(sent.len());
    for key in sent {
        // Equal keys have equal stored forms, in whatever order and notation they were sent.
        let encoded = encode_item(key).map_err(|error| errors::value(Wording::Bare, &error))?;
        if !seen.insert(encoded.bytes) {
            return Err(reads::duplicate_keys());
        }
        *count += 1;
        if *count > KEYS_MAX {
            return Err(reads::too_many_keys());
        }
    }
    Ok(())
}

/// The keys of one table.
struct Request {
    /// As it was sent.
    name: String,
    table: TableName,
    keys: Vec<AttributeMap>,
    consistent: Option<bool>,
    projected: Projected,
    /// As they were sent: keys that there was no room for come back with them.
    expression: Option<String>,
    names: Option<Pairs<String>>,
}

/// A table with the keys that are asked for, as they are stored, and what is shown of their items.
type Asked = (Vec<Vec<u8>>, Shown);

struct BatchGetItem {
    scope: Scope,
    requests: Vec<Request>,
    keys: usize,
    returned: ReturnCapacity,
}

impl ReadOperation<Error> for BatchGetItem {
    fn extent(&self) -> Extent {
        if self.keys > POINT_KEYS_MAX { Extent::Pages } else { Extent::Point }
    }

    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let tables = self.tables(read)?;
        let asked = self.asked(&tables)?;
        let mut answer = Answer { out: Vec::with_capacity(BODY_BYTES_A_KEY * (self.keys + 1)), size: 0 };
        answer.out.extend_from_slice(b"{\"Responses\":{");
        // How many keys of each table there was room for.
        let mut done = Vec::with_capacity(self.requests.len());
        let mut consumed = Vec::with_capacity(self.requests.len());
        for (at, request) in self.requests.iter().enumerate() {
            answer.separate(at > 0);
            json::render_text(&request.name, &mut answer.out);
            answer.out.extend_from_slice(b":[");
            let consistency = Consistency::of(request.consistent.unwrap_or(false));
            let (keys, units) = answer.items(read, &tables[at], &asked[at], consistency)?;
            done.push(keys);
            consumed.push(Consumed::of_table(units));
            answer.out.push(b']');
        }
        answer.out.extend_from_slice(b"},\"UnprocessedKeys\":{");
        self.unprocessed(&done, &mut answer)?;
        answer.out.extend_from_slice(b"}}");
        if self.returned.is_wanted() {
            // It comes first, and is known last.
            let mut head = b"{\"ConsumedCapacity\":".to_vec();
            let names = self.requests.iter().map(|request| &request.name[..]);
            render::list(names.zip(&consumed), self.returned, Kind::Unsaid, &mut head);
            head.push(b',');
            answer.out.splice(..1, head);
        }
        Ok(answer.out)
    }
}

impl BatchGetItem {
    /// The tables, all of which must be there before keys are looked at.
    fn tables(&self, read: &Snapshot) -> Result<Vec<Table>, Error> {
        let table =
            |request: &Request| self.scope.table(read, &request.table)?.ok_or_else(errors::no_such_table);
        self.requests.iter().map(table).collect()
    }

    fn asked(&self, tables: &[Table]) -> Result<Vec<Asked>, Error> {
        let of_table = |(request, table): (&Request, _)| {
            request.projected.of_table(table, |schema| {
                let keys = request.keys.iter().map(|key| key::of_key(&key.0, schema));
                keys.collect::<Result<Vec<_>, _>>().map_err(|error| errors::lookup_key(&error))
            })
        };
        self.requests.iter().zip(tables).map(of_table).collect()
    }

    /// Renders the keys that there was no room for, as they were sent.
    fn unprocessed(&self, done: &[usize], answer: &mut Answer) -> Result<(), Error> {
        let mut first = true;
        for (request, done) in self.requests.iter().zip(done) {
            let Some(rest @ [_, ..]) = request.keys.get(*done..) else { continue };
            answer.separate(!first);
            first = false;
            json::render_text(&request.name, &mut answer.out);
            answer.out.extend_from_slice(b":{\"Keys\":");
            serde_json::to_writer(&mut answer.out, rest).map_err(|error| errors::internal(&error))?;
            if let Some(consistent) = request.consistent {
                let member: &[u8] =
                    if consistent { b",\"ConsistentRead\":true" } else { b",\"ConsistentRead\":false" };
                answer.out.extend_from_slice(member);
            }
            if let Some(expression) = &request.expression {
                answer.out.extend_from_slice(b",\"ProjectionExpression\":");
                json::render_text(expression, &mut answer.out);
            }
            if let Some(names) = &request.names {
                answer.out.extend_from_slice(b",\"ExpressionAttributeNames\":");
                serde_json::to_writer(&mut answer.out, names).map_err(|error| errors::internal(&error))?;
            }
            answer.out.push(b'}');
        }
        Ok(())
    }
}

/// The answer in the making.
struct Answer {
    out: Vec<u8>,
    /// What its items are accounted for, in bytes.
    size: u64,
}

impl Answer {
    fn separate(&mut self, needed: bool) {
        if needed {
            self.out.push(b',');
        }
    }

    /// Renders the items of keys until one does not fit; answers how many keys were read, and what that costs: each item by
    /// itself, also one that is not there. Source: recorded earlier (see [`errors::reads`](crate::errors::reads)).
    fn items(
        &mut self,
        read: &Snapshot,
        table: &Table,
        (keys, shown): &Asked,
        consistency: Consistency,
    ) -> Result<(usize, Units), Error> {
        let mut first = true;
        let mut units = Units::ZERO;
        for (at, key) in keys.iter().enumerate() {
            if self.size >= ANSWER_BYTES_MAX {
                return Ok((at, units));
            }
            let Some(item) = table.space.get(read, key).map_err(failed)? else {
                units += of_read(0, consistency);
                continue;
            };
            if self.size + item.size > ANSWER_BYTES_MAX {
                // Nothing more is answered: what comes later may not overtake.
                self.size = ANSWER_BYTES_MAX;
                return Ok((at, units));
            }
            self.size += item.size;
            units += of_read(item.size, consistency);
            self.separate(!first);
            first = false;
            shown.render(&item.payload, &mut self.out).map_err(|error| errors::damaged(&error))?;
        }
        Ok((keys.len(), units))
    }
}
