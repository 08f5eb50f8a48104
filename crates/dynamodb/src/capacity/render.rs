//! `ConsumedCapacity` in answers.
//!
//! Members stand in the order of their names, as in AWS's answers: the checksums that came with recorded ones (us-east-1,
//! November 2023 and November 2025) fit no other order.

use super::{Consumed, IndexUnits, ReturnCapacity, Units};
use crate::item::json;
use crate::table::IndexScope;

/// Whether the parts say of what kind they are. Source: recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// They do not: every operation but transactions.
    Unsaid,
    /// `ReadCapacityUnits`: transactions of reads, and writes that were done already.
    Read,
    /// `WriteCapacityUnits`: transactions of writes.
    Write,
}

/// Appends the object of a single table: `{"CapacityUnits":1.0,"TableName":"Music"}`. `table` is the name as the request has it:
/// an ARN stays one (source: DynamoDB API Reference, `ConsumedCapacity`).
pub fn object(consumed: &Consumed, table: &str, returned: ReturnCapacity, kind: Kind, out: &mut Vec<u8>) {
    let whole = returned == ReturnCapacity::Indexes;
    let total = consumed.total();
    out.extend_from_slice(b"{\"CapacityUnits\":");
    total.render(out);
    if whole {
        indexes(consumed, IndexScope::Global, kind, out);
        indexes(consumed, IndexScope::Local, kind, out);
    }
    if kind == Kind::Read {
        out.extend_from_slice(b",\"ReadCapacityUnits\":");
        total.render(out);
    }
    if whole {
        out.extend_from_slice(b",\"Table\":");
        part(consumed.table, kind, out);
    }
    out.extend_from_slice(b",\"TableName\":");
    json::render_text(table, out);
    if kind == Kind::Write {
        out.extend_from_slice(b",\"WriteCapacityUnits\":");
        total.render(out);
    }
    out.push(b'}');
}

/// Appends the list of a request on several tables, in the order given.
pub fn list<'c>(
    tables: impl IntoIterator<Item = (&'c str, &'c Consumed)>,
    returned: ReturnCapacity,
    kind: Kind,
    out: &mut Vec<u8>,
) {
    let mut separator = b'[';
    for (table, consumed) in tables {
        out.push(separator);
        separator = b',';
        object(consumed, table, returned, kind, out);
    }
    if separator == b'[' {
        out.push(b'[');
    }
    out.push(b']');
}

fn indexes(consumed: &Consumed, scope: IndexScope, kind: Kind, out: &mut Vec<u8>) {
    let mut separator: &[u8] = match scope {
        IndexScope::Global => b",\"GlobalSecondaryIndexes\":{",
        IndexScope::Local => b",\"LocalSecondaryIndexes\":{",
    };
    let mut any = false;
    for IndexUnits { name, units, .. } in consumed.indexes.iter().filter(|index| index.scope == scope) {
        out.extend_from_slice(separator);
        separator = b",";
        any = true;
        json::render_text(name, out);
        out.push(b':');
        part(*units, kind, out);
    }
    if any {
        out.push(b'}');
    }
}

/// Appends the part of a table or an index.
fn part(units: Units, kind: Kind, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"CapacityUnits\":");
    units.render(out);
    let name: &[u8] = match kind {
        Kind::Unsaid => b"",
        Kind::Read => b",\"ReadCapacityUnits\":",
        Kind::Write => b",\"WriteCapacityUnits\":",
    };
    if !name.is_empty() {
        out.extend_from_slice(name);
        units.render(out);
    }
    out.push(b'}');
}
