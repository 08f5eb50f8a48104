//! `DescribeEndpoints`: where to send further requests: to where this one was sent.

use super::{Prepared, read};
use crate::description;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{DescribeEndpointsInput, DescribeEndpointsOutput, Endpoint};
use holdfast_state::operation::ReadOperation;
use holdfast_store::Snapshot;

/// How long clients may remember the answer, in minutes. Source: answers of DynamoDB.
const CACHE_MINUTES: i64 = 1_440;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let _input: DescribeEndpointsInput = read(body)?;
    Ok(Prepared::Read(Box::new(DescribeEndpoints { host: context.host.clone() })))
}

struct DescribeEndpoints {
    host: Box<str>,
}

impl ReadOperation<Error> for DescribeEndpoints {
    fn run(self: Box<Self>, _read: &Snapshot) -> Result<Vec<u8>, Error> {
        let endpoint =
            Endpoint { address: Some(self.host.into()), cache_period_in_minutes: Some(CACHE_MINUTES) };
        description::render(&DescribeEndpointsOutput { endpoints: Some(vec![endpoint]) })
    }
}
