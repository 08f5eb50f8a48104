//! `DescribeLimits`: how much throughput an account may have. Nothing is held to the account's part of it here.

use super::{Prepared, read};
use crate::description;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{DescribeLimitsInput, DescribeLimitsOutput};
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// Units, of reading as of writing, that the tables of an account may have together in a region. Source: DynamoDB Developer
/// Guide, quotas: initial ones.
const ACCOUNT_UNITS_MAX: i64 = 80_000;
/// Units, of reading as of writing, that one table may have with its indexes. Source: as above.
const TABLE_UNITS_MAX: i64 = 40_000;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(_context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let _input: DescribeLimitsInput = read(body)?;
    Ok(Prepared::Read(Box::new(DescribeLimits)))
}

struct DescribeLimits;

impl ReadOperation<Error> for DescribeLimits {
    fn run(self: Box<Self>, _read: &Snapshot) -> Result<Vec<u8>, Error> {
        description::render(&DescribeLimitsOutput {
            account_max_read_capacity_units: Some(ACCOUNT_UNITS_MAX),
            account_max_write_capacity_units: Some(ACCOUNT_UNITS_MAX),
            table_max_read_capacity_units: Some(TABLE_UNITS_MAX),
            table_max_write_capacity_units: Some(TABLE_UNITS_MAX),
        })
    }
}
