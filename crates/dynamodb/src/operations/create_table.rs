//! `CreateTable`: gives a name a definition and an empty space.

use super::{Prepared, refuse_unevaluated};
use crate::catalog::{Scope, TableName};
use crate::description::{self, Phase};
use crate::errors;
use crate::key::ScalarType;
use crate::request;
use crate::table::{BillingMode, TableDefinition};
use holdfast_aws::{Context, Error};
use holdfast_shapes::dynamodb::{AttributeDefinition, CreateTableInput, CreateTableOutput, KeySchemaElement};
use holdfast_shapes::{Input, Violations};
use holdfast_state::operation::WriteOperation;
use holdfast_state::record::Record;
use holdfast_store::{CommitInfo, Counters, Snapshot, Transaction};

/// Most capacity units that can be asked for. Source: known, with the text of
/// [`errors::throughput_out_of_bounds`].
const CAPACITY_UNITS_MAX: u64 = 1_000_000_000_000;

/// Reads, checks and plans a request.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored.
pub(super) fn prepare(context: &Context, body: &[u8]) -> Result<Prepared<Error>, Error> {
    let input: CreateTableInput = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    check(&input)?;
    refuse_unevaluated(&input)?;
    let table = TableName::read(input.table_name.unwrap_or_default())?;
    let billing = billing(input.billing_mode.as_deref(), input.provisioned_throughput.as_ref())?;
    let attributes = attributes(input.attribute_definitions.as_deref().unwrap_or_default())?;
    let (partition, sort) = keys(input.key_schema.as_deref().unwrap_or_default(), &attributes)?;
    let mut attributes = attributes;
    attributes.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    let definition = TableDefinition {
        partition,
        sort,
        indexes: Vec::new(),
        attributes,
        id: context.uuid(),
        created_ms: context.now_ms,
        billing,
    };
    Ok(Prepared::Write(Box::new(CreateTable {
        info: request::commit_info(context, "CreateTable"),
        scope: Scope::of(context),
        record: definition.to_bytes(),
        table,
        definition,
    })))
}

/// The model's constraints, and those that the model of 2026 no longer has but AWS still answers with.
fn check(input: &CreateTableInput) -> Result<(), Error> {
    if input.table_name.is_none() {
        return Err(errors::table_name_required());
    }
    let mut violations = Violations::of(CreateTableInput::OPERATION);
    input.violations(&mut violations);
    violations.required("AttributeDefinitions", input.attribute_definitions.is_some());
    violations.required("KeySchema", input.key_schema.is_some());
    violations.message().map_or(Ok(()), |text| Err(errors::constraints(text)))
}

fn billing(
    mode: Option<&str>,
    throughput: Option<&holdfast_shapes::dynamodb::ProvisionedThroughput>,
) -> Result<BillingMode, Error> {
    match (mode, throughput) {
        (Some("PAY_PER_REQUEST"), None) => Ok(BillingMode::PayPerRequest),
        (Some("PAY_PER_REQUEST"), Some(_)) => Err(errors::throughput_forbidden()),
        (_, None) => Err(errors::throughput_required()),
        (_, Some(throughput)) => {
            // Present and positive by the model.
            let units = |units: Option<i64>| units.and_then(|units| u64::try_from(units).ok()).unwrap_or(1);
            let (read, write) =
                (units(throughput.read_capacity_units), units(throughput.write_capacity_units));
            if read > CAPACITY_UNITS_MAX {
                return Err(errors::throughput_out_of_bounds("ReadCapacityUnits", read));
            }
            if write > CAPACITY_UNITS_MAX {
                return Err(errors::throughput_out_of_bounds("WriteCapacityUnits", write));
            }
            Ok(BillingMode::Provisioned { read, write })
        }
    }
}

type Attribute = (String, ScalarType);

/// The definitions in the order in which they were sent.
fn attributes(definitions: &[AttributeDefinition]) -> Result<Vec<Attribute>, Error> {
    let mut attributes: Vec<Attribute> = Vec::with_capacity(definitions.len());
    for definition in definitions {
        // Both are there, and the type is one of the three, by the model.
        let name = definition.attribute_name.clone().unwrap_or_default();
        let kind = definition.attribute_type.as_deref().and_then(ScalarType::of).unwrap_or(ScalarType::S);
        if attributes.iter().any(|(other, _)| *other == name) {
            return Err(errors::attribute_duplicated(&name));
        }
        attributes.push((name, kind));
    }
    Ok(attributes)
}

/// The partition key and the sort key.
fn keys(
    schema: &[KeySchemaElement],
    attributes: &[Attribute],
) -> Result<(Attribute, Option<Attribute>), Error> {
    let names: Vec<&str> =
        schema.iter().map(|element| element.attribute_name.as_deref().unwrap_or_default()).collect();
    if names.len() > attributes.len() {
        return Err(errors::key_without_definition());
    }
    let find = |name: &str| attributes.iter().find(|(other, _)| other == name).cloned();
    if names.iter().any(|name| find(name).is_none()) {
        let defined: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
        return Err(errors::keys_not_defined(&names, &defined));
    }
    if let [first, second] = names[..]
        && first == second
    {
        return Err(errors::same_key_twice());
    }
    let kind = |at: usize| schema.get(at).and_then(|element| element.key_type.as_deref());
    if kind(0) != Some("HASH") {
        return Err(errors::first_key_not_hash());
    }
    if kind(1).is_some_and(|kind| kind != "RANGE") {
        return Err(errors::second_key_not_range());
    }
    if names.len() != attributes.len() {
        return Err(errors::definitions_not_used());
    }
    let mut keys = names.into_iter().map(find);
    let partition = keys.next().flatten().ok_or_else(errors::key_without_definition)?;
    Ok((partition, keys.next().flatten()))
}

struct CreateTable {
    info: CommitInfo,
    scope: Scope,
    table: TableName,
    definition: TableDefinition,
    record: Vec<u8>,
}

impl WriteOperation<Error> for CreateTable {
    fn info(&self) -> CommitInfo {
        self.info.clone()
    }

    fn prefetch(&self, newest: &Snapshot) {
        let _ = self.scope.table(newest, &self.table);
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        if self.scope.table(tx, &self.table)?.is_some() {
            return Err(errors::table_exists(self.table.as_str()));
        }
        self.scope.create(tx, &self.table, &self.record)
    }

    fn answer(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let description = description::describe(
            &self.scope,
            &self.table,
            &self.definition,
            Counters::default(),
            Phase::Creating,
        );
        description::render(&CreateTableOutput { table_description: Some(description) })
    }
}
