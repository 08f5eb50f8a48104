//! The one list of operations: dispatch, COMPAT.md and the labels of metrics are made from it.

pub use self::deviations::{DEVIATIONS, Deviation};
use crate::errors;
use holdfast_aws::{Context, Error};
use holdfast_shapes::Input;
pub use holdfast_state::operation::Prepared;

mod batch_get_item;
mod batch_write_item;
mod create_table;
mod delete_item;
mod delete_table;
mod describe_endpoints;
mod describe_limits;
mod describe_table;
mod describe_time_to_live;
mod deviations;
mod get_item;
mod list_tables;
mod list_tags_of_resource;
mod put_item;
mod query;
mod scan;
mod tag_resource;
mod transact_get_items;
mod transact_write_items;
mod untag_resource;
mod update_item;
mod update_table;
mod update_time_to_live;

/// What a build makes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Does what AWS does.
    Real,
    /// Keeps and returns its state, without effect.
    Kept,
    /// Refused with AWS's own error.
    Refused,
    /// Not there yet: answered as an operation that nobody knows.
    Missing,
}

/// Reads, checks and plans a request.
type Prepare = fn(&Context, &[u8]) -> Result<Prepared<Error>, Error>;

/// An operation of the API model.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Name, as it stands after the dot of `X-Amz-Target`.
    pub name: &'static str,
    /// What this build makes of it.
    pub status: Status,
    /// Members of the request that are fully evaluated. Any other that is present is refused.
    pub evaluated: &'static [&'static str],
    prepare: Option<Prepare>,
}

const fn real(name: &'static str, prepare: Prepare, evaluated: &'static [&'static str]) -> Operation {
    Operation { name, status: Status::Real, evaluated, prepare: Some(prepare) }
}

const fn missing(name: &'static str) -> Operation {
    Operation { name, status: Status::Missing, evaluated: &[], prepare: None }
}

/// Every operation of DynamoDB's API model, sorted by name.
pub const OPERATIONS: &[Operation] = &[
    missing("BatchExecuteStatement"),
    real("BatchGetItem", batch_get_item::prepare, &["RequestItems", "ReturnConsumedCapacity"]),
    real(
        "BatchWriteItem",
        batch_write_item::prepare,
        &["RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"],
    ),
    missing("CreateBackup"),
    missing("CreateGlobalTable"),
    real(
        "CreateTable",
        create_table::prepare,
        &[
            "AttributeDefinitions",
            "TableName",
            "KeySchema",
            "LocalSecondaryIndexes",
            "GlobalSecondaryIndexes",
            "BillingMode",
            "ProvisionedThroughput",
            "Tags",
        ],
    ),
    missing("DeleteBackup"),
    real(
        "DeleteItem",
        delete_item::prepare,
        &[
            "TableName",
            "Key",
            "ReturnValues",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ],
    ),
    missing("DeleteResourcePolicy"),
    real("DeleteTable", delete_table::prepare, &["TableName"]),
    missing("DescribeBackup"),
    missing("DescribeContinuousBackups"),
    missing("DescribeContributorInsights"),
    real("DescribeEndpoints", describe_endpoints::prepare, &[]),
    missing("DescribeExport"),
    missing("DescribeGlobalTable"),
    missing("DescribeGlobalTableSettings"),
    missing("DescribeImport"),
    missing("DescribeKinesisStreamingDestination"),
    real("DescribeLimits", describe_limits::prepare, &[]),
    real("DescribeTable", describe_table::prepare, &["TableName"]),
    missing("DescribeTableReplicaAutoScaling"),
    real("DescribeTimeToLive", describe_time_to_live::prepare, &["TableName"]),
    missing("DisableKinesisStreamingDestination"),
    missing("EnableKinesisStreamingDestination"),
    missing("ExecuteStatement"),
    missing("ExecuteTransaction"),
    missing("ExportTableToPointInTime"),
    real(
        "GetItem",
        get_item::prepare,
        &[
            "TableName",
            "Key",
            "ConsistentRead",
            "ReturnConsumedCapacity",
            "ProjectionExpression",
            "ExpressionAttributeNames",
        ],
    ),
    missing("GetResourcePolicy"),
    missing("ImportTable"),
    missing("ListBackups"),
    missing("ListContributorInsights"),
    missing("ListExports"),
    missing("ListGlobalTables"),
    missing("ListImports"),
    real("ListTables", list_tables::prepare, &["ExclusiveStartTableName", "Limit"]),
    real("ListTagsOfResource", list_tags_of_resource::prepare, &["ResourceArn"]),
    real(
        "PutItem",
        put_item::prepare,
        &[
            "TableName",
            "Item",
            "ReturnValues",
            "ConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ],
    ),
    missing("PutResourcePolicy"),
    real(
        "Query",
        query::prepare,
        &[
            "TableName",
            "IndexName",
            "Select",
            "Limit",
            "ConsistentRead",
            "ScanIndexForward",
            "ExclusiveStartKey",
            "ReturnConsumedCapacity",
            "ProjectionExpression",
            "FilterExpression",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        ],
    ),
    missing("RestoreTableFromBackup"),
    missing("RestoreTableToPointInTime"),
    real(
        "Scan",
        scan::prepare,
        &[
            "TableName",
            "IndexName",
            "Limit",
            "Select",
            "ExclusiveStartKey",
            "ReturnConsumedCapacity",
            "TotalSegments",
            "Segment",
            "ProjectionExpression",
            "FilterExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ConsistentRead",
        ],
    ),
    real("TagResource", tag_resource::prepare, &["ResourceArn", "Tags"]),
    real("TransactGetItems", transact_get_items::prepare, &["TransactItems", "ReturnConsumedCapacity"]),
    real(
        "TransactWriteItems",
        transact_write_items::prepare,
        &["TransactItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ClientRequestToken"],
    ),
    real("UntagResource", untag_resource::prepare, &["ResourceArn", "TagKeys"]),
    missing("UpdateContinuousBackups"),
    missing("UpdateContributorInsights"),
    missing("UpdateGlobalTable"),
    missing("UpdateGlobalTableSettings"),
    real(
        "UpdateItem",
        update_item::prepare,
        &[
            "TableName",
            "Key",
            "ReturnValues",
            "ConditionExpression",
            "UpdateExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "ReturnValuesOnConditionCheckFailure",
            "ReturnConsumedCapacity",
            "ReturnItemCollectionMetrics",
        ],
    ),
    missing("UpdateKinesisStreamingDestination"),
    real(
        "UpdateTable",
        update_table::prepare,
        &["AttributeDefinitions", "TableName", "GlobalSecondaryIndexUpdates"],
    ),
    missing("UpdateTableReplicaAutoScaling"),
    real("UpdateTimeToLive", update_time_to_live::prepare, &["TableName", "TimeToLiveSpecification"]),
];

/// The operation of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.binary_search_by(|operation| operation.name.cmp(name)).ok().map(|at| &OPERATIONS[at])
}

/// Reads, checks and plans a request. `operation` is the name after the dot of `X-Amz-Target`. Nothing is looked up yet.
///
/// # Errors
/// AWS's answer to a request that is refused whatever is stored, or to an operation that is not there.
pub fn prepare(context: &Context, operation: &str, body: &[u8]) -> Result<Prepared<Error>, Error> {
    match find(operation).and_then(|operation| operation.prepare) {
        Some(prepare) => prepare(context, body),
        None => Err(errors::unknown_operation()),
    }
}

/// Reads a request's input and checks it against the model; refuses what is not evaluated.
fn read<I: Input>(body: &[u8]) -> Result<I, Error> {
    let input: I = holdfast_shapes::read(body).map_err(errors::unreadable)?;
    input.check_sent(body).map_err(errors::constraints)?;
    refuse_unevaluated(&input)?;
    Ok(input)
}

/// Refuses members that are present and not evaluated.
fn refuse_unevaluated<I: Input>(input: &I) -> Result<(), Error> {
    let evaluated = find(I::OPERATION).map_or(&[][..], |operation| operation.evaluated);
    let sent = input.members_set();
    refuse_mixture(I::OPERATION, &sent)?;
    match sent.into_iter().find(|member| !evaluated.contains(member)) {
        Some(member) => Err(errors::not_evaluated(I::OPERATION, member)),
        None => Ok(()),
    }
}

/// Refuses expressions together with the parameters that there were before expressions.
fn refuse_mixture(operation: &str, sent: &[&'static str]) -> Result<(), Error> {
    const LEGACY: [&str; 7] = [
        "AttributesToGet",
        "AttributeUpdates",
        "ConditionalOperator",
        "Expected",
        "KeyConditions",
        "QueryFilter",
        "ScanFilter",
    ];
    let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<&str> {
        sent.iter().copied().filter(|member| wanted(member)).collect()
    };
    let legacy = of(&|member| LEGACY.contains(&member));
    let expressions = of(&|member| member.ends_with("Expression"));
    if legacy.is_empty() || expressions.is_empty() {
        return Ok(());
    }
    let wording = match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" => errors::Wording::Enveloped,
        _ => errors::Wording::Bare,
    };
    Err(errors::expression::mixed(wording, &legacy, &expressions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_shapes::dynamodb::OPERATIONS as MODEL;

    #[test]
    fn the_list_is_that_of_the_model() {
        let ours: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        let mut model: Vec<_> = MODEL.iter().map(|operation| operation.name).collect();
        model.sort_unstable();
        assert_eq!(ours, model);
    }

    #[test]
    fn evaluated_members_are_those_of_the_model() {
        for (operation, member) in OPERATIONS.iter().flat_map(|o| o.evaluated.iter().map(move |m| (o, m))) {
            let model = MODEL.iter().find(|model| model.name == operation.name).unwrap();
            assert!(model.members.contains(member), "{} has no {member}", operation.name);
        }
    }

    #[test]
    fn what_is_not_missing_can_be_prepared() {
        for operation in OPERATIONS {
            assert_eq!(
                operation.prepare.is_none(),
                operation.status == Status::Missing,
                "{}",
                operation.name
            );
        }
    }
}
