//! The indexes that a request asks for, checked in AWS's order.
//!
//! Source of the order: the public catalogue of verified behaviour (unused definitions come before projections, throughput
//! and names) and tests of public servers that were compared with AWS (local indexes come before global ones). Every key
//! schema is checked before any definition is found to be unused.

use super::schema::{Attribute, Definitions, Keys, KeysOfIndex};
use super::units;
use crate::errors::tables;
use crate::table::{BillingMode, IndexDefinition, IndexScope, Projection};
use holdfast_aws::Error;
use holdfast_shapes::dynamodb::{
    GlobalSecondaryIndex, KeySchemaElement, LocalSecondaryIndex, ProvisionedThroughput,
};
use std::collections::HashSet;

/// Most local indexes of a table. Source: AWS's quotas.
const LOCAL_MAX: usize = 5;
/// Most global indexes of a table. Source: AWS's quotas.
pub(in crate::operations) const GLOBAL_MAX: usize = 20;
/// Most attributes in the lists of all projections of a table together. Source: AWS's quotas.
pub(in crate::operations) const PROJECTED_MAX: usize = 100;

/// The lists of a request; none where it has no such member.
pub(super) struct Asked<'a> {
    /// `LocalSecondaryIndexes`
    pub(super) local: Option<&'a [LocalSecondaryIndex]>,
    /// `GlobalSecondaryIndexes`
    pub(super) global: Option<&'a [GlobalSecondaryIndex]>,
}

impl Asked<'_> {
    /// Whether a list of indexes was sent.
    pub(super) fn any(&self) -> bool {
        self.local.is_some() || self.global.is_some()
    }
}

/// The definitions of the indexes, global ones first, in no space yet: spaces are given within the transaction.
///
/// # Errors
/// AWS's answer to what cannot be.
pub(super) fn plan(
    asked: &Asked<'_>,
    table: &Keys,
    definitions: &Definitions,
    billing: BillingMode,
) -> Result<Vec<IndexDefinition>, Error> {
    let (local, global) = (asked.local.unwrap_or_default(), asked.global.unwrap_or_default());
    if asked.local.is_some() && local.is_empty() {
        return Err(tables::no_indexes_in_list("LocalSecondaryIndexes"));
    }
    if asked.local.is_some() && table.1.is_none() {
        return Err(tables::table_without_sort_key());
    }
    let local_keys = local
        .iter()
        .map(|index| definitions.keys(schema(index.key_schema.as_ref())))
        .collect::<Result<Vec<Keys>, Error>>()?;
    if asked.global.is_some() && global.is_empty() {
        return Err(tables::no_indexes_in_list("GlobalSecondaryIndexes"));
    }
    let global_keys = global
        .iter()
        .map(|index| definitions.keys_of_global_index(schema(index.key_schema.as_ref())))
        .collect::<Result<Vec<KeysOfIndex>, Error>>()?;
    let of_global = global_keys.iter().flat_map(|(partition, sort)| partition.iter().chain(sort));
    let of_others = std::iter::once(table).chain(&local_keys);
    let used =
        of_others.flat_map(|(partition, sort)| std::iter::once(partition).chain(sort)).chain(of_global);
    check_used(definitions, used.map(name).collect())?;

    let mut indexes: Vec<IndexDefinition> = Vec::with_capacity(local.len() + global.len());
    let mut names = HashSet::with_capacity(local.len() + global.len());
    for (index, keys) in local.iter().zip(local_keys) {
        indexes.push(local_index(index, keys, table)?);
        check_name(&mut names, index.index_name.as_deref())?;
    }
    if local.len() > LOCAL_MAX {
        return Err(tables::too_many_local_indexes(LOCAL_MAX));
    }
    for (index, keys) in global.iter().zip(global_keys) {
        indexes.push(global_index(index, keys, billing)?);
        check_name(&mut names, index.index_name.as_deref())?;
    }
    if global.len() > GLOBAL_MAX {
        return Err(tables::too_many_global_indexes(GLOBAL_MAX));
    }
    let projected = |index: &IndexDefinition| match &index.projection {
        Projection::Include(attributes) => attributes.len(),
        Projection::All | Projection::KeysOnly => 0,
    };
    if indexes.iter().map(projected).sum::<usize>() > PROJECTED_MAX {
        return Err(tables::too_many_projected(PROJECTED_MAX));
    }
    indexes.rotate_left(local.len());
    Ok(indexes)
}

fn schema(schema: Option<&Vec<KeySchemaElement>>) -> &[KeySchemaElement] {
    schema.map_or(&[], Vec::as_slice)
}

/// Every definition is part of some key.
fn check_used(definitions: &Definitions, used: Vec<&str>) -> Result<(), Error> {
    let is_used: HashSet<&str> = used.iter().copied().collect();
    let defined = definitions.names();
    if defined.iter().all(|name| is_used.contains(name)) {
        return Ok(());
    }
    Err(tables::definitions_not_used_by_indexes(&defined, &used))
}

fn name((name, _): &Attribute) -> &str {
    name
}

fn local_index(index: &LocalSecondaryIndex, keys: Keys, table: &Keys) -> Result<IndexDefinition, Error> {
    // There by the model, as is the projection.
    let index_name = index.index_name.clone().unwrap_or_default();
    let (partition, sort) = keys;
    if sort.is_none() {
        return Err(tables::index_without_sort_key(&index_name));
    }
    if partition != table.0 {
        return Err(tables::other_partition_key(&index_name, &partition.0, &table.0.0));
    }
    let projection = projection(index.projection.as_ref())?;
    Ok(IndexDefinition::new(
        index_name,
        IndexScope::Local,
        (vec![partition], sort.into_iter().collect()),
        projection,
    ))
}

/// A global index of a table that is paid for in some way.
///
/// # Errors
/// If projection or throughput cannot be.
pub(in crate::operations) fn global_index(
    index: &GlobalSecondaryIndex,
    keys: KeysOfIndex,
    billing: BillingMode,
) -> Result<IndexDefinition, Error> {
    // There by the model, as is the projection.
    let index_name = index.index_name.clone().unwrap_or_default();
    let projection = projection(index.projection.as_ref())?;
    let throughput = throughput(&index_name, index.provisioned_throughput.as_ref(), billing)?;
    let index = IndexDefinition::new(index_name, IndexScope::Global, keys, projection);
    Ok(IndexDefinition { throughput, ..index })
}

fn projection(projection: Option<&holdfast_shapes::dynamodb::Projection>) -> Result<Projection, Error> {
    let projection = projection.cloned().unwrap_or_default();
    let attributes = projection.non_key_attributes;
    match (projection.projection_type.as_deref(), attributes) {
        (None, _) => Err(tables::projection_type_missing()),
        (Some("INCLUDE"), None) => Err(tables::projection_without_attributes()),
        (Some("INCLUDE"), Some(attributes)) => {
            let repeated = |at: usize| attributes[..at].contains(&attributes[at]);
            match (0..attributes.len()).find(|at| repeated(*at)) {
                Some(at) => Err(tables::projected_twice(&attributes[at])),
                None => Ok(Projection::Include(attributes)),
            }
        }
        (Some(kind), Some(_)) => Err(tables::projection_with_attributes(kind)),
        (Some("KEYS_ONLY"), None) => Ok(Projection::KeysOnly),
        // The third of the model's values.
        (Some(_), None) => Ok(Projection::All),
    }
}

fn throughput(
    index: &str,
    throughput: Option<&ProvisionedThroughput>,
    billing: BillingMode,
) -> Result<Option<(u64, u64)>, Error> {
    match (billing, throughput) {
        (BillingMode::PayPerRequest, None) => Ok(None),
        (BillingMode::PayPerRequest, Some(_)) => Err(tables::index_throughput_forbidden(index)),
        (BillingMode::Provisioned { .. }, None) => Err(tables::index_throughput_required(index)),
        (BillingMode::Provisioned { .. }, Some(throughput)) => units(throughput).map(Some),
    }
}

/// Refuses a name that another index of the table has, whatever its scope. `names` are those before it.
fn check_name<'a>(names: &mut HashSet<&'a str>, name: Option<&'a str>) -> Result<(), Error> {
    // There by the model.
    let name = name.unwrap_or_default();
    if names.insert(name) { Ok(()) } else { Err(tables::index_name_twice(name)) }
}
