//! Tables as answers describe them.

use crate::catalog::{Scope, Table, TableName, failed};
use crate::errors;
use crate::key::ScalarType;
use crate::table::{
    BillingMode, IndexDefinition, IndexScope, IndexState, Projection, TableDefinition, TableState,
};
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{
    AttributeDefinition, BillingModeSummary, GlobalSecondaryIndexDescription,
    GlobalSecondaryIndexWarmThroughputDescription, KeySchemaElement, LocalSecondaryIndexDescription,
    ProvisionedThroughputDescription, TableClassSummary, TableDescription, TableWarmThroughputDescription,
};
use holdfast_state::Space;
use holdfast_state::families::SpaceKind;
use holdfast_store::{Counters, Read};
use serde::Serialize;

/// What an answer says of a table's state. The answers to creating and deleting name AWS's states also where the table is
/// there, or gone, once their commit is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// In the answer to `CreateTable`.
    Created,
    /// Described while it is in the making.
    Creating,
    /// While it is there.
    Active,
    /// In the answer to `UpdateTable`.
    Changed,
    /// Described while it, or one of its indexes, is being changed.
    Changing,
    /// In the answer to `DeleteTable`, and described while it is in deletion.
    Deleting,
}

impl Phase {
    /// How a table in a state is described.
    pub(crate) fn of(state: TableState) -> Self {
        match state {
            TableState::Creating => Self::Creating,
            TableState::Active => Self::Active,
            TableState::Deleting | TableState::Gone => Self::Deleting,
        }
    }

    fn status(self) -> String {
        let status = match self {
            Self::Created | Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Changed | Self::Changing => "UPDATING",
            Self::Deleting => "DELETING",
        };
        status.to_owned()
    }

    /// Status of the warm throughput; none where it is not shown. Source: verified, but for the state in the making, which is
    /// verified only where it was asked for.
    fn warm_status(self) -> Option<String> {
        match self {
            Self::Created | Self::Deleting => None,
            Self::Creating => Some("UPDATING".to_owned()),
            Self::Active | Self::Changed | Self::Changing => Some("ACTIVE".to_owned()),
        }
    }
}

/// Items and bytes of a table and its indexes.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    table: Counters,
    /// In the order of the definition.
    indexes: Vec<Counters>,
}

impl Sizes {
    /// What a table and its indexes hold in the state in which the table was found.
    pub(crate) fn of(
        read: &(impl Read + ?Sized),
        table: &Table,
        definition: &TableDefinition,
    ) -> Result<Self, Error> {
        let counters = |index: &IndexDefinition| {
            if matches!(index.state, IndexState::Dropped { .. }) {
                return Ok(Counters::default());
            }
            Space::defined(read, index.space, SpaceKind::DYNAMODB_INDEX).counters(read).map_err(failed)
        };
        Ok(Self {
            table: table.space.counters(read).map_err(failed)?,
            indexes: definition.indexes.iter().map(counters).collect::<Result<_, Error>>()?,
        })
    }
}

/// Read and write units per second that a table or global index that is paid for by request can take at once. Source:
/// verified.
const WARM_UNITS_ON_DEMAND: (u64, u64) = (12_000, 4_000);

/// Describes a table; one that is there may be changing.
pub(crate) fn describe(
    scope: &Scope,
    name: &TableName,
    definition: &TableDefinition,
    sizes: &Sizes,
    phase: Phase,
) -> TableDescription {
    let phase = match phase {
        Phase::Active if definition.is_changing(scope.now_ms()) => Phase::Changing,
        phase => phase,
    };
    let throughput = match definition.billing {
        BillingMode::Provisioned { read, write } => Some((read, write)),
        BillingMode::PayPerRequest => None,
    };
    let created = seconds(definition.created_ms);
    let mut description = TableDescription {
        table_name: Some(name.as_str().to_owned()),
        table_status: Some(phase.status()),
        provisioned_throughput: Some(provisioned(throughput)),
        table_size_bytes: Some(signed(sizes.table.bytes)),
        item_count: Some(signed(sizes.table.items)),
        table_arn: Some(scope.table_arn(name)),
        table_id: Some(definition.id.clone()),
        deletion_protection_enabled: Some(false),
        table_class_summary: (definition.class != crate::table::TableClass::NotNamed).then(|| {
            TableClassSummary { table_class: Some("STANDARD".to_owned()), last_update_date_time: None }
        }),
        ..Default::default()
    };
    if definition.billing == BillingMode::PayPerRequest {
        // AWS names the time only once the table is there; it is that of creation.
        let since = (!matches!(phase, Phase::Created | Phase::Creating)).then_some(created);
        description.billing_mode_summary = Some(BillingModeSummary {
            billing_mode: Some("PAY_PER_REQUEST".to_owned()),
            last_update_to_pay_per_request_date_time: since,
        });
    }
    // What AWS shows of a table in deletion has no key schema, no attributes, no indexes and no time of creation.
    if phase != Phase::Deleting {
        description.attribute_definitions = Some(definition.attributes.iter().map(attribute).collect());
        description.key_schema =
            Some(key_schema(std::slice::from_ref(&definition.partition), definition.sort.as_slice()));
        description.creation_date_time = Some(created);
        describe_indexes(&mut description, definition, sizes, (phase, scope.now_ms()));
    }
    description.warm_throughput = phase.warm_status().map(|status| {
        let (read, write) = throughput.unwrap_or(WARM_UNITS_ON_DEMAND);
        TableWarmThroughputDescription {
            read_units_per_second: Some(signed(read)),
            write_units_per_second: Some(signed(write)),
            status: Some(status),
        }
    });
    description
}

/// Indexes come in the order in which they were sent.
fn describe_indexes(
    description: &mut TableDescription,
    definition: &TableDefinition,
    sizes: &Sizes,
    (phase, now_ms): (Phase, u64),
) {
    let arn = description.table_arn.clone().unwrap_or_default();
    let (mut global, mut local) = (Vec::new(), Vec::new());
    for (at, index) in definition.indexes.iter().enumerate() {
        let counters = sizes.indexes.get(at).copied().unwrap_or_default();
        match index.scope {
            IndexScope::Global if index.state.is_gone(now_ms) => {}
            IndexScope::Global => global.push(global_index(index, &arn, counters, (phase, now_ms))),
            IndexScope::Local => local.push(local_index(index, &arn, counters)),
        }
    }
    description.global_secondary_indexes = Some(global).filter(|indexes| !indexes.is_empty());
    description.local_secondary_indexes = Some(local).filter(|indexes| !indexes.is_empty());
}

fn global_index(
    index: &IndexDefinition,
    table_arn: &str,
    counters: Counters,
    (phase, now_ms): (Phase, u64),
) -> GlobalSecondaryIndexDescription {
    let status = match (phase, index.state) {
        (Phase::Created | Phase::Creating | Phase::Deleting, _) => phase.status(),
        (_, state) if state.is_readable(now_ms) => "ACTIVE".to_owned(),
        (_, IndexState::Dropped { .. }) => "DELETING".to_owned(),
        (_, IndexState::Active { .. } | IndexState::Building { .. }) => "CREATING".to_owned(),
    };
    // Its rows are made from the answer on. Source: model.
    let backfilling = matches!(index.state, IndexState::Building { .. }).then_some(phase != Phase::Changed);
    let warm = phase.warm_status().map(|status| {
        let (read, write) = index.throughput.unwrap_or(WARM_UNITS_ON_DEMAND);
        GlobalSecondaryIndexWarmThroughputDescription {
            read_units_per_second: Some(signed(read)),
            write_units_per_second: Some(signed(write)),
            status: Some(status),
        }
    });
    GlobalSecondaryIndexDescription {
        index_name: Some(index.name.clone()),
        key_schema: Some(key_schema(&index.partition, &index.sort)),
        projection: Some(projection(&index.projection)),
        index_status: Some(status),
        backfilling,
        provisioned_throughput: Some(provisioned(index.throughput)),
        index_size_bytes: Some(signed(counters.bytes)),
        item_count: Some(signed(counters.items)),
        index_arn: Some(index_arn(table_arn, index)),
        on_demand_throughput: None,
        warm_throughput: warm,
    }
}

fn local_index(
    index: &IndexDefinition,
    table_arn: &str,
    counters: Counters,
) -> LocalSecondaryIndexDescription {
    LocalSecondaryIndexDescription {
        index_name: Some(index.name.clone()),
        key_schema: Some(key_schema(&index.partition, &index.sort)),
        projection: Some(projection(&index.projection)),
        index_size_bytes: Some(signed(counters.bytes)),
        item_count: Some(signed(counters.items)),
        index_arn: Some(index_arn(table_arn, index)),
    }
}

fn index_arn(table_arn: &str, index: &IndexDefinition) -> String {
    format!("{table_arn}/index/{}", index.name)
}

/// AWS gives the attributes of a projection sorted by name. Source: verified.
fn projection(projection: &Projection) -> holdfast_shapes::dynamodb::Projection {
    let (kind, attributes) = match projection {
        Projection::All => ("ALL", None),
        Projection::KeysOnly => ("KEYS_ONLY", None),
        Projection::Include(attributes) => {
            let mut attributes = attributes.clone();
            attributes.sort_unstable();
            ("INCLUDE", Some(attributes))
        }
    };
    holdfast_shapes::dynamodb::Projection {
        projection_type: Some(kind.to_owned()),
        non_key_attributes: attributes,
    }
}

/// What is paid for by request shows zeros.
fn provisioned(throughput: Option<(u64, u64)>) -> ProvisionedThroughputDescription {
    let (read, write) = throughput.unwrap_or_default();
    ProvisionedThroughputDescription {
        number_of_decreases_today: Some(0),
        read_capacity_units: Some(signed(read)),
        write_capacity_units: Some(signed(write)),
        ..Default::default()
    }
}

fn attribute((name, kind): &(String, ScalarType)) -> AttributeDefinition {
    AttributeDefinition { attribute_name: Some(name.clone()), attribute_type: Some(kind.name().to_owned()) }
}

fn key_schema(partition: &[(String, ScalarType)], sort: &[(String, ScalarType)]) -> Vec<KeySchemaElement> {
    let elements = |attributes: &[(String, ScalarType)], kind: &str| -> Vec<KeySchemaElement> {
        let element = |(name, _): &(String, ScalarType)| KeySchemaElement {
            attribute_name: Some(name.clone()),
            key_type: Some(kind.to_owned()),
        };
        attributes.iter().map(element).collect()
    };
    [elements(partition, "HASH"), elements(sort, "RANGE")].concat()
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
