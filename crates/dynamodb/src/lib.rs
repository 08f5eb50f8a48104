//! DynamoDB: plain functions over transactions, one operation per file.
//!
//! # Layout
//! - [`number`]: exact decimals, their text, stored bytes and arithmetic
//! - [`item`]: the stored form of items and how it is written, read, rendered and accounted
//! - [`key`]: the key of an item within its table's space
//! - [`table`]: the definition of a table, as it is stored

pub mod item;
pub mod key;
pub mod number;
pub mod table;
