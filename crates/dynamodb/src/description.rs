//! Tables as answers describe them.

use crate::catalog::{Scope, TableName};
use crate::errors;
use crate::key::ScalarType;
use crate::table::{BillingMode, TableDefinition};
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{
    AttributeDefinition, BillingModeSummary, KeySchemaElement, ProvisionedThroughputDescription,
    TableDescription,
};
use holdfast_store::Counters;
use serde::Serialize;

/// What an answer says of a table's state. A table is there, or gone, once its commit is durable; the answers to creating
/// and deleting still name the states that AWS's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In the answer to `CreateTable`.
    Creating,
    /// While it is there.
    Active,
    /// In the answer to `DeleteTable`.
    Deleting,
}

/// Describes a table.
pub(crate) fn describe(
    scope: &Scope,
    name: &TableName,
    definition: &TableDefinition,
    counters: Counters,
    phase: Phase,
) -> TableDescription {
    let (read, write) = match definition.billing {
        BillingMode::Provisioned { read, write } => (read, write),
        BillingMode::PayPerRequest => (0, 0),
    };
    let created = seconds(definition.created_ms);
    let mut description = TableDescription {
        table_name: Some(name.as_str().to_owned()),
        table_status: Some(status(phase).to_owned()),
        provisioned_throughput: Some(ProvisionedThroughputDescription {
            number_of_decreases_today: Some(0),
            read_capacity_units: Some(signed(read)),
            write_capacity_units: Some(signed(write)),
            ..Default::default()
        }),
        table_size_bytes: Some(signed(counters.bytes)),
        item_count: Some(signed(counters.items)),
        table_arn: Some(scope.table_arn(name)),
        table_id: Some(definition.id.clone()),
        deletion_protection_enabled: Some(false),
        ..Default::default()
    };
    if definition.billing == BillingMode::PayPerRequest {
        // The time is missing from AWS's answer to CreateTable and is that of creation afterwards.
        let since = (phase != Phase::Creating).then_some(created);
        description.billing_mode_summary = Some(BillingModeSummary {
            billing_mode: Some("PAY_PER_REQUEST".to_owned()),
            last_update_to_pay_per_request_date_time: since,
        });
    }
    // AWS's answer to DeleteTable has no key schema, no attributes and no time of creation.
    if phase != Phase::Deleting {
        description.attribute_definitions = Some(definition.attributes.iter().map(attribute).collect());
        description.key_schema = Some(key_schema(definition));
        description.creation_date_time = Some(created);
    }
    description
}

fn status(phase: Phase) -> &'static str {
    match phase {
        Phase::Creating => "CREATING",
        Phase::Active => "ACTIVE",
        Phase::Deleting => "DELETING",
    }
}

fn attribute((name, kind): &(String, ScalarType)) -> AttributeDefinition {
    AttributeDefinition { attribute_name: Some(name.clone()), attribute_type: Some(kind.name().to_owned()) }
}

fn key_schema(definition: &TableDefinition) -> Vec<KeySchemaElement> {
    let element = |(name, _): &(String, ScalarType), kind: &str| KeySchemaElement {
        attribute_name: Some(name.clone()),
        key_type: Some(kind.to_owned()),
    };
    let partition = element(&definition.partition, "HASH");
    let sort = definition.sort.as_ref().map(|sort| element(sort, "RANGE"));
    std::iter::once(partition).chain(sort).collect()
}

/// Times in answers are seconds with a fraction of milliseconds.
#[expect(clippy::cast_precision_loss, reason = "exact for the next 280,000 years")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Encodes an answer's body.
pub(crate) fn render(output: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(output).map_err(|error| errors::internal(&error))
}
