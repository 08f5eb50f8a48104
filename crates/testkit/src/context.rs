//! The context of a request, the same each time.

use holdfast_aws::context::IsolateBy;
use holdfast_aws::{Context, RequestId};

/// A context at a service time in milliseconds since 1970; everything else in it is fixed.
#[must_use]
pub fn context(now_ms: u64) -> Context {
    Context {
        account: "000000000000".into(),
        region: "eu-west-1".into(),
        access_key: "test".into(),
        host: "localhost:8000".into(),
        request_id: RequestId::from_random([7; 52]),
        now_ms,
        random: [7; 16],
        isolate_by: IsolateBy::default(),
        delay_transient_statuses: false,
    }
}
