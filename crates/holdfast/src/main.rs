//! Holdfast: one durable local server for DynamoDB, S3, Cognito and SES.
fn main() {}
