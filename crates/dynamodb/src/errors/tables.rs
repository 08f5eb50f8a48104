//! Texts of operations on tables. Sources are named as in [`errors`](super).

use super::{invalid, validation};
use crate::key::Role;
use holdfast_aws::Error;
use holdfast_shapes::java;

/// A table that an operation on tables does not find. Source: known.
#[must_use]
pub fn no_such_table_named(name: &str) -> Error {
    Error::service(
        "ResourceNotFoundException",
        format!("Requested resource not found: Table: {name} not found"),
    )
}

/// An ARN of another region than the request's. Source: verified.
#[must_use]
pub fn other_region(arn: &str) -> Error {
    validation(format!("1 validation error detected: Invalid AWS region in '{arn}'"))
}

/// The name is taken. Source: known.
#[must_use]
pub fn table_exists(name: &str) -> Error {
    Error::service("ResourceInUseException", format!("Table already exists: {name}"))
}

/// A change of a table that is in the making, and its creation once more. Source: verified.
#[must_use]
pub fn table_being_created(name: &str) -> Error {
    in_use("created", name)
}

/// A change of a table that is in deletion. Source: verified.
#[must_use]
pub fn table_being_deleted(name: &str) -> Error {
    in_use("deleted", name)
}

fn in_use(what: &str, name: &str) -> Error {
    Error::service(
        "ResourceInUseException",
        format!("Attempt to change a resource which is still in use: Table is being {what}: {name}"),
    )
}

/// `CreateTable` without a name. Source: recorded.
#[must_use]
pub fn table_name_required() -> Error {
    validation("The parameter 'TableName' is required but was not present in the request")
}

/// Provisioned billing without throughput. Source: recorded.
#[must_use]
pub fn throughput_required() -> Error {
    invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
}

/// Throughput beside pay per request. Source: known.
#[must_use]
pub fn throughput_forbidden() -> Error {
    invalid(
        "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
    )
}

/// More capacity than anyone can have. Source: known.
#[must_use]
pub fn throughput_out_of_bounds(member: &str, units: u64) -> Error {
    validation(format!("Given value {units} for {member} is out of bounds"))
}

/// An attribute defined twice. Source: verified.
#[must_use]
pub fn attribute_duplicated(name: &str) -> Error {
    validation(format!("Attribute Name is duplicated: {name}"))
}

/// Fewer definitions than key attributes. Source: recorded.
#[must_use]
pub fn key_without_definition() -> Error {
    validation("Invalid KeySchema: Some index key attribute have no definition")
}

/// Key attributes of a table or of one index that are not among the definitions, which are named by `definitions`. Source:
/// verified; the order is that of [`java::set_order`], which every recorded text agrees with.
#[must_use]
pub fn keys_not_defined(keys: &[&str], definitions: &[&str]) -> Error {
    let keys = java::set_order(keys, java::DEFAULT_CAPACITY);
    let definitions = java::set_order(definitions, definitions.len());
    invalid(&format!(
        "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
        keys.join(", "),
        definitions.join(", ")
    ))
}

/// More definitions than key attributes of a table without indexes. Source: verified.
#[must_use]
pub fn definitions_not_used() -> Error {
    invalid(
        "Number of attributes in KeySchema does not exactly match number of attributes defined in \
         AttributeDefinitions",
    )
}

/// One attribute as both keys. Source: known.
#[must_use]
pub fn same_key_twice() -> Error {
    validation("Both the Hash Key and the Range Key element in the KeySchema have the same name")
}

/// The first key attribute is not a partition key. Source: verified.
#[must_use]
pub fn first_key_not_hash() -> Error {
    validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
}

/// The second key attribute is not a sort key. Source: verified.
#[must_use]
pub fn second_key_not_range() -> Error {
    validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
}

/// Definitions that are part of no key of the table or its indexes. Source: verified, as is the order (see
/// [`keys_not_defined`]).
#[must_use]
pub fn definitions_not_used_by_indexes(definitions: &[&str], keys: &[&str]) -> Error {
    let definitions = java::set_order(definitions, definitions.len());
    let keys = java::set_order(keys, java::DEFAULT_CAPACITY);
    invalid(&format!(
        "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
        definitions.join(", "),
        keys.join(", ")
    ))
}

/// One attribute as both keys of a global index. Source: verified.
#[must_use]
pub fn same_key_twice_in_index() -> Error {
    validation("The KeySchema contains multiple key attributes with the same name")
}

/// A partition key attribute of a global index behind one of its sort key. Source: verified.
#[must_use]
pub fn hash_key_behind_range_key() -> Error {
    invalid("All HASH key attributes must precede RANGE key attributes in the KeySchema")
}

/// More than four attributes of a global index in one role. Source: verified.
#[must_use]
pub fn too_many_key_attributes(role: Role) -> Error {
    invalid(&format!("The KeySchema exceeds the maximum allowed number of {} key attributes", role.name()))
}

/// A list of indexes without elements; `member` is the list's name. Source: verified.
#[must_use]
pub fn no_indexes_in_list(member: &str) -> Error {
    invalid(&format!("List of {member} is empty"))
}

/// A local index on a table without a sort key. Source: recorded.
#[must_use]
pub fn table_without_sort_key() -> Error {
    invalid(
        "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
    )
}

/// A local index without a sort key. Source: verified.
#[must_use]
pub fn index_without_sort_key(index: &str) -> Error {
    invalid(&format!("Index KeySchema does not have a range key for index: {index}"))
}

/// A local index with a partition key that is not the table's. Source: verified.
#[must_use]
pub fn other_partition_key(index: &str, of_index: &str, of_table: &str) -> Error {
    invalid(&format!(
        "Index KeySchema does not have the same leading hash key as table KeySchema for index: {index}. index hash key: \
         {of_index}, table hash key: {of_table}"
    ))
}

/// A projection without a type. Source: verified.
#[must_use]
pub fn projection_type_missing() -> Error {
    invalid("Unknown ProjectionType: null")
}

/// `INCLUDE` without attributes. Source: recorded.
#[must_use]
pub fn projection_without_attributes() -> Error {
    invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
}

/// Attributes beside `ALL` or `KEYS_ONLY`. Source: verified.
#[must_use]
pub fn projection_with_attributes(kind: &str) -> Error {
    invalid(&format!("ProjectionType is {kind}, but NonKeyAttributes is specified"))
}

/// An attribute twice in one projection. Source: verified.
#[must_use]
pub fn projected_twice(attribute: &str) -> Error {
    invalid(&format!("Duplicate element in NonKeyAttributes: {attribute}"))
}

/// More attributes in all projections together than a table may have. Source: ours; the limit is AWS's, its text is not known.
#[must_use]
pub fn too_many_projected(limit: usize) -> Error {
    invalid(&format!("Number of NonKeyAttributes of all indexes exceeds the per-table limit of {limit}"))
}

/// A name that two indexes have. Source: recorded.
#[must_use]
pub fn index_name_twice(index: &str) -> Error {
    invalid(&format!("Duplicate index name: {index}"))
}

/// More local indexes than a table may have. Source: verified.
#[must_use]
pub fn too_many_local_indexes(limit: usize) -> Error {
    invalid(&format!("Number of LocalSecondaryIndexes exceeds per-table limit of {limit}"))
}

/// More global indexes than a table may have. Source: verified.
#[must_use]
pub fn too_many_global_indexes(limit: usize) -> Error {
    invalid(&format!("GlobalSecondaryIndex count exceeds the per-table limit of {limit}"))
}

/// A global index without throughput beside provisioned billing. Source: verified.
#[must_use]
pub fn index_throughput_required(index: &str) -> Error {
    invalid(&format!("ProvisionedThroughput is not specified for index: {index}"))
}

/// A global index with throughput beside pay per request. Source: verified.
#[must_use]
pub fn index_throughput_forbidden(index: &str) -> Error {
    invalid(&format!(
        "ProvisionedThroughput should not be specified for index: {index} when BillingMode is PAY_PER_REQUEST"
    ))
}
