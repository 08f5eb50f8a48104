//! `Scan`: all items of a table or an index, in the order of the hashes of their partition keys, page by page.

use super::{Prepared, read};
use crate::catalog::{Scope, TableName};
use crate::errors::reads::{self, Reader};
use crate::errors::{self, Wording, expression};
use crate::expression::{ExpressionKind, Placeholders};
use crate::item::codec::check_key;
use crate::page::Page;
use crate::page::segment::Segment;
use crate::page::select::Select;
use crate::page::source::Source;
use crate::page::start::StartKey;
use crate::page::wanted::Wanted;
use crate::read_capacity::ReadCapacity;
use holdfast_aws::{Context, Error};
use holdfast_shapes::AttributeMap;
use holdfast_shapes::dynamodb::ScanInput;
use holdfast_state::operation::{Extent, ReadOperation};
use holdfast_store::Snapshot;
use std::ops::Bound;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: ScanInput = read(body)?;
    refuse_placeholders_alone(&input)?;
    let name = input.table_name.unwrap_or_default();
    let returned = input.return_consumed_capacity.as_deref();
    let capacity = ReadCapacity::new(returned, input.consistent_read, &name);
    let table = TableName::read(name)?;
    if let Some(start) = &input.exclusive_start_key {
        check_key(start).map_err(|error| reads::start_value(Reader::Scan, &error))?;
    }
    let (of_index, projection) = (input.index_name.is_some(), input.projection_expression.as_deref());
    let select = Select::read(input.select.as_deref(), of_index, projection.is_some(), Reader::Scan)?;
    let segment = Segment::read(input.segment, input.total_segments)?;
    let (names, values) = (input.expression_attribute_names, input.expression_attribute_values);
    let mut placeholders = Placeholders::new(names, values, Wording::Older)?;
    let filter = input.filter_expression.as_deref();
    let wanted = Wanted::read(select, filter, projection, &mut placeholders)?;
    placeholders.check_used()?;
    Ok(Prepared::Read(Box::new(Scan {
        scope: Scope::of(context),
        table,
        index: input.index_name,
        consistent: input.consistent_read.unwrap_or(false),
        start: input.exclusive_start_key,
        wanted,
        segment,
        limit: input.limit.map(i64::unsigned_abs),
        capacity,
    })))
}

/// Placeholders are for the expressions that are there.
fn refuse_placeholders_alone(input: &ScanInput) -> Result<(), Error> {
    let filter = input.filter_expression.is_some();
    if input.expression_attribute_names.is_some() && !filter && input.projection_expression.is_none() {
        return Err(expression::names_without_expression(Wording::Older));
    }
    if input.expression_attribute_values.is_some() && !filter {
        return Err(expression::values_without_expression(Wording::Older, &[ExpressionKind::Filter]));
    }
    Ok(())
}

struct Scan {
    scope: Scope,
    table: TableName,
    index: Option<String>,
    consistent: bool,
    start: Option<AttributeMap>,
    wanted: Wanted,
    segment: Segment,
    limit: Option<u64>,
    capacity: ReadCapacity,
}

impl Scan {
    /// The key of the row behind which the page starts, checked in AWS's order, with `Select` in between.
    fn start(&self, source: &Source<'_>) -> Result<Option<Vec<u8>>, Error> {
        let Some(start) = &self.start else { return Ok(None) };
        let start = StartKey::open(start, source, Reader::Scan)?;
        if source.index().is_some() {
            start.partition()?;
            start.sort()?;
        }
        self.wanted.check_select(source)?;
        let row = start.row()?;
        self.segment.check_start(&row, source.family())?;
        Ok(Some(row))
    }
}

impl ReadOperation<Error> for Scan {
    fn extent(&self) -> Extent {
        Extent::Pages
    }

    fn run(self: Box<Self>, read: &Snapshot) -> Result<Vec<u8>, Error> {
        let table = self.scope.table(read, &self.table)?.ok_or_else(errors::no_such_table)?;
        let source = Source::open(&table, self.index.as_deref(), self.consistent, self.scope.now_ms())?;
        let start = self.start(&source)?;
        let (first, end) = self.segment.bounds(source.family());
        let page = Page {
            source: &source,
            from: start.as_deref().map_or(Bound::Included(&first[..]), Bound::Excluded),
            to: end.as_deref().map_or(Bound::Unbounded, Bound::Excluded),
            reverse: false,
            limit: self.limit,
            view: self.wanted.of_scan(&source)?,
            capacity: &self.capacity,
        };
        page.read(read)
    }
}
