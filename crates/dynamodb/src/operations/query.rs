//! `Query`: the items of one partition of a table or an index, in the order of their sort keys, page by page.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::errors::reads::{self, Reader};
use crate::errors::{self, Wording, expression};
use crate::expression::{ExpressionKind, KeyCondition, KeyRange, Placeholders, SortRange};
use crate::item::codec::check_key;
use crate::key::{Part, ScalarType};
use crate::page::Page;
use crate::page::bounds;
use crate::page::select::Select;
use crate::page::source::Source;
use crate::page::start::StartKey;
use crate::page::wanted::Wanted;
use crate::read_capacity::ReadCapacity;
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::QueryInput;
use holdfast_state::operation::{Extent, ReadOperation};
use holdfast_store::Snapshot;
use std::ops::Bound;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: QueryInput = read(body)?;
    refuse_placeholders_alone(&input)?;
    let name = input.table_name.unwrap_or_default();
    let returned = input.return_consumed_capacity.as_deref();
    let capacity = ReadCapacity::new(returned, input.consistent_read, &name);
    let table = TableName::read(name)?;
    let (of_index, projection) = (input.index_name.is_some(), input.projection_expression.as_deref());
    let select = Select::read(input.select.as_deref(), of_index, projection.is_some(), Reader::Query)?;
    if let Some(start) = &input.exclusive_start_key {
        check_key(start).map_err(|error| reads::start_value(Reader::Query, &error))?;
    }
    let condition = input.key_condition_expression.ok_or_else(reads::no_key_condition)?;
    let (names, values) = (input.expression_attribute_names, input.expression_attribute_values);
    let mut placeholders = Placeholders::new(names, values, Wording::Bare)?;
    let condition = KeyCondition::parse(&condition, &mut placeholders)?;
    let filter = input.filter_expression.as_deref();
    let wanted = Wanted::read(select, filter, projection, &mut placeholders)?;
    placeholders.check_used()?;
    Ok(Prepared::Read(Box::new(Query {
        scope: Scope::of(context),
        table,
        index: input.index_name,
        consistent: input.consistent_read.unwrap_or(false),
        condition: KeyCondition::new(condition)?,
        start: input.exclusive_start_key,
        wanted,
        reverse: input.scan_index_forward == Some(false),
        limit: input.limit.map(i64::unsigned_abs),
        capacity,
    })))
}

/// Placeholders are for the expressions that are there.
fn refuse_placeholders_alone(input: &QueryInput) -> Result<(), Error> {
    let conditions = input.key_condition_expression.is_some() || input.filter_expression.is_some();
    if input.expression_attribute_names.is_some() && !conditions && input.projection_expression.is_none() {
        return Err(expression::names_without_expression(Wording::Bare));
    }
    if input.expression_attribute_values.is_some() && !conditions {
        let expressions = [ExpressionKind::Filter, ExpressionKind::KeyCondition];
        return Err(expression::values_without_expression(Wording::Bare, &expressions));
    }
    Ok(())
}

struct Query {
    scope: Scope,
    table: TableName,
    index: Option<String>,
    consistent: bool,
    condition: KeyCondition,
    start: Option<AttributeMap>,
    wanted: Wanted,
    reverse: bool,
    limit: Option<u64>,
    capacity: ReadCapacity,
}

impl Query {
    /// The keys that are asked for, and the key of the row behind which the page starts; both checked in AWS's order, in which
    /// the partition key of `ExclusiveStartKey` comes before conditions and the rest after. Source: as [`StartKey`].
    fn range(&self, source: &Source<'_>) -> Result<(KeyRange, Option<Vec<u8>>), Error> {
        let Some(start) = &self.start else {
            return Ok((
                self.condition.resolve(source.keys(), source.index().map(|index| index.name))?,
                None,
            ));
        };
        let start = StartKey::open(start, source, Reader::Query)?;
        let partition = start.partition()?;
        let range = self.condition.resolve(source.keys(), source.index().map(|index| index.name))?;
        let sort = start.sort()?;
        let row = start.row()?;
        let are = |parts: &[Part<'_>], bytes: &[(ScalarType, Vec<u8>)]| {
            parts.iter().zip(bytes).all(|(part, (_, bytes))| part.as_bytes() == bytes)
        };
        let same = are(&partition, &range.partition);
        let last = sort.get(range.equal.len());
        let within = are(&sort, &range.equal) && last.is_none_or(|last| range.sort.contains(last.as_bytes()));
        match (&range.sort, within) {
            (SortRange::All, _) if !same => Err(reads::start_key_of_other_partition()),
            (_, false) => Err(reads::start_key_of_other_sort()),
            (_, true) if !same => Err(reads::start_key_of_other_row()),
            (_, true) => Ok((range, Some(row))),
        }
    }
}

impl ReadOperation<Error> for Query {
    fn extent(&self) -> Extent {
        Extent::Pages
    }

    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let table = self.scope.table(read, &self.table)?.ok_or_else(errors::no_such_table)?;
        let source = Source::open(&table, self.index.as_deref(), self.consistent, self.scope.now_ms())?;
        let (range, start) = self.range(&source)?;
        let view = self.wanted.of_query(&source)?;
        let (mut from, mut to) = bounds::rows(&source, &range);
        if let Some(start) = start {
            // It lies within the bounds.
            let end = if self.reverse { &mut to } else { &mut from };
            *end = Bound::Excluded(start);
        }
        let page = Page {
            source: &source,
            from: from.as_ref().map(Vec::as_slice),
            to: to.as_ref().map(Vec::as_slice),
            reverse: self.reverse,
            limit: self.limit,
            view,
            capacity: &self.capacity,
        };
        page.read(read)
    }
}
