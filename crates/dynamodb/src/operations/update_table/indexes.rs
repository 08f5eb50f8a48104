//! What a request changes of a table's indexes, checked against the request alone and against the table.

use crate::errors::{self, tables, update_table as texts};
use crate::key::ScalarType;
use crate::operations::create_table::indexes::{self, GLOBAL_MAX, PROJECTED_MAX};
use crate::operations::create_table::schema::{Definitions, KeysOfIndex};
use crate::table::{IndexDefinition, IndexScope, IndexState, Projection, TableDefinition};
use holdfast_aws::Error;
use holdfast_shapes::Input;
use holdfast_shapes::dynamodb::{
    AttributeDefinition, CreateGlobalSecondaryIndexAction, GlobalSecondaryIndex, GlobalSecondaryIndexUpdate,
    UpdateTableInput,
};
use std::collections::HashSet;

/// What is to become of one index.
#[derive(Debug)]
pub(super) enum IndexChange {
    /// It is added; its keys were found in the request's definitions.
    Create { index: Box<GlobalSecondaryIndex>, keys: KeysOfIndex },
    /// It is dropped.
    Delete { name: String },
}

impl IndexChange {
    fn name(&self) -> &str {
        match self {
            // There by the model.
            Self::Create { index, .. } => index.index_name.as_deref().unwrap_or_default(),
            Self::Delete { name } => name,
        }
    }
}

/// Reads the changes of a request that satisfies the model.
///
/// # Errors
/// What is wrong with them whatever the table is.
pub(super) fn read(
    updates: Vec<GlobalSecondaryIndexUpdate>,
    definitions: &[AttributeDefinition],
) -> Result<Vec<IndexChange>, Error> {
    let definitions = Definitions::read(definitions)?;
    let mut changes = Vec::with_capacity(updates.len());
    let mut names = HashSet::with_capacity(updates.len());
    for update in updates {
        let change = match (update.update, update.create, update.delete) {
            (Some(_), None, None) => return Err(not_evaluated("GlobalSecondaryIndexUpdates.Update")),
            (None, Some(create), None) => {
                let index = as_of_a_new_table(create)?;
                let schema = index.key_schema.as_deref().unwrap_or_default();
                let keys = definitions.keys_of_global_index(schema)?;
                IndexChange::Create { index: Box::new(index), keys }
            }
            (None, None, Some(delete)) => IndexChange::Delete { name: delete.index_name.unwrap_or_default() },
            _ => return Err(texts::not_one_change_of_an_index()),
        };
        if !names.insert(change.name().to_owned()) {
            return Err(texts::same_index_twice(change.name()));
        }
        changes.push(change);
    }
    Ok(changes)
}

fn as_of_a_new_table(create: CreateGlobalSecondaryIndexAction) -> Result<GlobalSecondaryIndex, Error> {
    if create.on_demand_throughput.is_some() {
        return Err(not_evaluated("GlobalSecondaryIndexUpdates.Create.OnDemandThroughput"));
    }
    if create.warm_throughput.is_some() {
        return Err(not_evaluated("GlobalSecondaryIndexUpdates.Create.WarmThroughput"));
    }
    Ok(GlobalSecondaryIndex {
        index_name: create.index_name,
        key_schema: create.key_schema,
        projection: create.projection,
        provisioned_throughput: create.provisioned_throughput,
        on_demand_throughput: None,
        warm_throughput: None,
    })
}

fn not_evaluated(member: &str) -> Error {
    errors::not_evaluated(UpdateTableInput::OPERATION, member)
}

/// Refuses a change while another index comes or goes. One that is being built may be dropped. Source: Developer Guide,
/// "Managing Global Secondary Indexes".
pub(super) fn check_alone(
    definition: &TableDefinition,
    change: &IndexChange,
    now_ms: u64,
) -> Result<(), Error> {
    let is_own = |index: &IndexDefinition| {
        let stops = matches!(change, IndexChange::Delete { .. }) && index.name == change.name();
        stops && !matches!(index.state, IndexState::Dropped { .. })
    };
    let other = |index: &IndexDefinition| index.state.is_changing(now_ms) && !is_own(index);
    if definition.indexes.iter().any(other) { Err(texts::one_index_at_a_time()) } else { Ok(()) }
}

/// The index that is to be added to a table.
///
/// # Errors
/// If the table cannot have it.
pub(super) fn add(definition: &TableDefinition, change: &IndexChange) -> Result<IndexDefinition, Error> {
    let IndexChange::Create { index, keys } = change else {
        return Err(errors::internal(&"an index that is dropped is not added"));
    };
    if definition.indexes.iter().any(|other| other.name == change.name()) {
        return Err(texts::index_exists(change.name()));
    }
    let (partition, sort) = keys;
    let redefined = |(name, kind): &&(String, ScalarType)| {
        definition.attributes.iter().any(|(other, present)| other == name && present != kind)
    };
    if partition.iter().chain(sort).any(|attribute| redefined(&attribute)) {
        return Err(texts::attributes_redefined(definition, partition, sort));
    }
    let index = indexes::global_index(index, keys.clone(), definition.billing)?;
    let global = definition.indexes.iter().filter(|index| index.scope == IndexScope::Global);
    if global.count() >= GLOBAL_MAX {
        return Err(tables::too_many_global_indexes(GLOBAL_MAX));
    }
    let all = definition.indexes.iter().chain([&index]);
    let projected = all.map(|index| match &index.projection {
        Projection::Include(attributes) => attributes.len(),
        Projection::All | Projection::KeysOnly => 0,
    });
    if projected.sum::<usize>() > PROJECTED_MAX {
        return Err(tables::too_many_projected(PROJECTED_MAX));
    }
    Ok(index)
}

/// Puts an index behind the other global ones, and its key attributes among those of the table.
pub(super) fn insert(definition: &mut TableDefinition, index: IndexDefinition) {
    definition.attributes.extend(index.partition.iter().chain(&index.sort).cloned());
    definition.attributes.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    definition.attributes.dedup();
    let at = definition.indexes.iter().take_while(|index| index.scope == IndexScope::Global).count();
    definition.indexes.insert(at, index);
}

/// The global index of a name that is there.
///
/// # Errors
/// If there is none.
pub(super) fn find<'d>(
    definition: &'d mut TableDefinition,
    name: &str,
) -> Result<&'d mut IndexDefinition, Error> {
    let is_it = |index: &&mut IndexDefinition| {
        index.name == name
            && index.scope == IndexScope::Global
            && !matches!(index.state, IndexState::Dropped { .. })
    };
    definition.indexes.iter_mut().find(is_it).ok_or_else(texts::no_such_index)
}

/// Takes out the attributes that are part of no key any more: they may have another type from now on.
pub(super) fn forget_attributes(definition: &mut TableDefinition) {
    let TableDefinition { partition, sort, indexes, attributes, .. } = definition;
    let of_indexes = indexes
        .iter()
        .filter(|index| !matches!(index.state, IndexState::Dropped { .. }))
        .flat_map(|index| index.partition.iter().chain(&index.sort));
    let used: HashSet<&str> =
        std::iter::once(&*partition).chain(&*sort).chain(of_indexes).map(|(name, _)| name.as_str()).collect();
    attributes.retain(|(name, _)| used.contains(name.as_str()));
}
