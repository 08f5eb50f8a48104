//! DynamoDB: plain functions over transactions, one operation per file.
