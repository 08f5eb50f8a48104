//! Texts of `UpdateTable`. Sources are named as in [`errors`](super).

use super::{invalid, validation};
use crate::key::ScalarType;
use crate::table::TableDefinition;
use holdfast_aws::Error;

/// A request that changes nothing. Source: known.
#[must_use]
pub fn nothing_to_update() -> Error {
    validation(
        "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
         SSESpecification or ReplicaUpdates is required",
    )
}

/// An element of `GlobalSecondaryIndexUpdates` that has none of its members. Source: known; for more than one of them: ours.
#[must_use]
pub fn not_one_change_of_an_index() -> Error {
    invalid(
        "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
         GlobalSecondaryIndexUpdate.Delete must not be null",
    )
}

/// Two changes of one index. Source: known.
#[must_use]
pub fn same_index_twice(name: &str) -> Error {
    invalid(&format!(
        "Only one global secondary index update per index is allowed simultaneously. Index: {name}"
    ))
}

/// More than one index that comes or goes. Source: known.
#[must_use]
pub fn one_index_at_a_time() -> Error {
    Error::service(
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    )
}

/// An index of a name that another one has. Source: that it says "already exists" is known; the rest is ours.
#[must_use]
pub fn index_exists(name: &str) -> Error {
    validation(format!("Attempting to create an index which already exists: {name}"))
}

/// An index that is to be dropped and is not there. Source: the kind is recorded, the text that of other resources.
#[must_use]
pub fn no_such_index() -> Error {
    Error::service("ResourceNotFoundException", "Requested resource not found")
}

/// A key attribute whose type is not the one that it has in another key. Source: known, with one attribute in each schema.
#[must_use]
pub fn attributes_redefined(
    table: &TableDefinition,
    partition: &[(String, ScalarType)],
    sort: &[(String, ScalarType)],
) -> Error {
    let present = schema(std::slice::from_ref(&table.partition), table.sort.as_slice());
    let new = schema(partition, sort);
    invalid(&format!(
        "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. Existing \
         schema: {present} New schema: {new}"
    ))
}

fn schema(partition: &[(String, ScalarType)], sort: &[(String, ScalarType)]) -> String {
    let element = |(name, kind): &(String, ScalarType), role: &str| {
        format!("SchemaElement: key{{{name}:{}:{role}}}", kind.name())
    };
    let partition = partition.iter().map(|attribute| element(attribute, "HASH"));
    let elements: Vec<_> =
        partition.chain(sort.iter().map(|attribute| element(attribute, "RANGE"))).collect();
    format!("Schema:[{}]", elements.join(", "))
}
