//! `CreateTable`: gives a name a definition and empty spaces, one for its items and one for each index.

use self::indexes::Asked;
use self::schema::{Definitions, Keys};
use super::{Prepared, refuse_unevaluated};
use crate::catalog::{Scope, TableName, failed};
use crate::description::{self, Phase, Sizes};
use crate::errors::{self, tables};
use crate::request;
use crate::table::{BillingMode, StateTimes, TRANSIENT_MS, TableClass, TableDefinition, TableState};
use crate::tags;
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{
    CreateTableInput, CreateTableOutput, KeySchemaElement, ProvisionedThroughput, SSESpecification,
    StreamSpecification,
};
use holdfast_shapes::{Input, Violations};
use holdfast_state::Space;
use holdfast_state::families::SpaceKind;
use holdfast_state::operation::WriteOperation;
use holdfast_state::record::Record;
use holdfast_store::{CommitInfo, Snapshot, Transaction};

pub(super) mod indexes;
pub(super) mod schema;

/// Most capacity units that can be asked for. Source: known, with the text of
/// [`tables::throughput_out_of_bounds`].
const CAPACITY_UNITS_MAX: u64 = 1_000_000_000_000;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let mut input: CreateTableInput = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    // Their faults have texts of their own, which come after those of all else.
    let sent_tags = input.tags.take();
    check(&input)?;
    let class = take_defaults(&mut input);
    refuse_unevaluated(&input)?;
    refuse_unevaluated_of_indexes(&input)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    let billing = billing(input.billing_mode.as_deref(), input.provisioned_throughput.as_ref())?;
    let definitions = Definitions::read(input.attribute_definitions.as_deref().unwrap_or_default())?;
    let asked = Asked {
        local: input.local_secondary_indexes.as_deref(),
        global: input.global_secondary_indexes.as_deref(),
    };
    let schema = input.key_schema.as_deref().unwrap_or_default();
    let keys = table_keys(schema, &definitions, &asked)?;
    let indexes = if asked.any() { indexes::plan(&asked, &keys, &definitions, billing)? } else { Vec::new() };
    let active_ms = if context.delay_transient_statuses { context.now_ms + TRANSIENT_MS } else { 0 };
    let definition = TableDefinition {
        states: StateTimes { active_ms, ..StateTimes::default() },
        indexes,
        attributes: definitions.into_sorted(),
        class,
        tags: tags::read(sent_tags.unwrap_or_default())?,
        ..TableDefinition::new(keys, context.uuid(), context.now_ms, billing)
    };
    Ok(Prepared::Write(Box::new(CreateTable {
        info: request::commit_info(context, "CreateTable"),
        scope: Scope::of(context),
        table,
        definition,
    })))
}

/// The model's constraints, and those that the model of 2026 no longer has but AWS still answers with.
fn check(input: &CreateTableInput) -> Result<(), Error> {
    if input.table_name.is_none() {
        return Err(tables::table_name_required());
    }
    let mut violations = Violations::of(CreateTableInput::OPERATION);
    input.violations(&mut violations);
    violations.required("AttributeDefinitions", input.attribute_definitions.is_some());
    violations.required("KeySchema", input.key_schema.is_some());
    violations.message().map_or(Ok(()), |text| Err(errors::constraints(text)))
}

/// Takes out members whose value asks for what is so anyway; answers the class that was named, which AWS then shows. Any
/// other value of them stays, and is refused.
fn take_defaults(input: &mut CreateTableInput) -> TableClass {
    if input.deletion_protection_enabled == Some(false) {
        input.deletion_protection_enabled = None;
    }
    if let Some(StreamSpecification { stream_enabled: Some(false), stream_view_type: None }) =
        input.stream_specification
    {
        input.stream_specification = None;
    }
    if let Some(SSESpecification { enabled: Some(false), sse_type: None, kms_master_key_id: None }) =
        input.sse_specification
    {
        input.sse_specification = None;
    }
    match input.table_class.take_if(|class| class == "STANDARD") {
        Some(_) => TableClass::Standard,
        None => TableClass::NotNamed,
    }
}

/// Refuses members of indexes that are present and not evaluated.
fn refuse_unevaluated_of_indexes(input: &CreateTableInput) -> Result<(), Error> {
    for index in input.global_secondary_indexes.iter().flatten() {
        let member = if index.on_demand_throughput.is_some() {
            "GlobalSecondaryIndexes.OnDemandThroughput"
        } else if index.warm_throughput.is_some() {
            "GlobalSecondaryIndexes.WarmThroughput"
        } else {
            continue;
        };
        return Err(errors::not_evaluated(CreateTableInput::OPERATION, member));
    }
    Ok(())
}

fn billing(mode: Option<&str>, throughput: Option<&ProvisionedThroughput>) -> Result<BillingMode, Error> {
    match (mode, throughput) {
        (Some("PAY_PER_REQUEST"), None) => Ok(BillingMode::PayPerRequest),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(tables::throughput_forbidden()),
        (_, None) => Err(tables::throughput_required()),
        (_, Some(throughput)) => {
            let (read, write) = units(throughput)?;
            Ok(BillingMode::Provisioned { read, write })
        }
    }
}

/// Read and write capacity units.
fn units(throughput: &ProvisionedThroughput) -> Result<(u64, u64), Error> {
    // Present and positive by the model.
    let units = |units: Option<i64>| units.and_then(|units| u64::try_from(units).ok()).unwrap_or(1);
    let (read, write) = (units(throughput.read_capacity_units), units(throughput.write_capacity_units));
    if read > CAPACITY_UNITS_MAX {
        return Err(tables::throughput_out_of_bounds("ReadCapacityUnits", read));
    }
    if write > CAPACITY_UNITS_MAX {
        return Err(tables::throughput_out_of_bounds("WriteCapacityUnits", write));
    }
    Ok((read, write))
}

/// The table's own keys. Without indexes, definitions are there for nothing else.
fn table_keys(
    schema: &[KeySchemaElement],
    definitions: &Definitions,
    asked: &Asked<'_>,
) -> Result<Keys, Error> {
    if schema.len() > definitions.len() {
        return Err(tables::key_without_definition());
    }
    let keys = definitions.keys(schema)?;
    if !asked.any() && schema.len() != definitions.len() {
        return Err(tables::definitions_not_used());
    }
    Ok(keys)
}

struct CreateTable {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    /// The spaces of its indexes are those of the last run.
    definition: TableDefinition,
}

impl WriteOperation<Error> for CreateTable {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn prefetch(&self, newest: &Snapshot) {
        let _ = self.scope.table(newest, &self.table);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        match self.scope.entry(tx, &self.table)?.map(|(_, state)| state) {
            None => {}
            // Its job has not come yet.
            Some(TableState::Gone) => self.scope.remove(tx, &self.table)?,
            Some(TableState::Creating) => return Err(tables::table_being_created(self.table.as_str())),
            Some(TableState::Active | TableState::Deleting) => {
                return Err(tables::table_exists(self.table.as_str()));
            }
        }
        for index in &mut self.definition.indexes {
            index.space = Space::create(tx, SpaceKind::DYNAMODB_INDEX).map_err(failed)?.id();
        }
        self.scope.create(tx, &self.table, &self.definition.to_bytes())
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let sizes = Sizes::default();
        let description =
            description::describe(&self.scope, &self.table, &self.definition, &sizes, Phase::Created);
        description::render(&CreateTableOutput { table_description: Some(description) })
    }
}
