//! DynamoDB: plain functions over transactions, one operation per file.
//!
//! # Layout
//! - [`operations`]: the one list of operations, and how a request becomes a planned read or write
//! - `operations/<operation>.rs`: one file each
//! - [`capacity`]: what a request consumed, in capacity units
//! - [`errors`]: every text that clients see
//! - [`expression`]: conditions, projections and updates as text, and what becomes of them
//! - [`inspect`]: a look at what is stored, for verbs and the console
//! - [`item`]: the stored form of items and how it is written, read, rendered and accounted
//! - [`jobs`]: what goes on in the background
//! - [`key`]: the key of an item within its table's space; `key_paths`: paths of expressions that lead into keys
//! - [`index`]: the rows of an item in the indexes of its table
//! - `expiry`: the rows by which the items whose time has come are found
//! - `write`: the one path by which items and their rows change
//! - `page`: pages of Query and Scan
//! - `transaction`: what the operations on transactions share
//! - [`number`]: exact decimals, their text, stored bytes and arithmetic
//! - [`table`]: the definition of a table, as it is stored
//! - `catalog`: tables by name; `data_set`: whose they are; `description`: tables in answers; `request`: what operations on items share;
//!   `tags`: tags of tables;
//!   `projected`: what they show of items that they get by keys; `read_capacity`: what reads say of capacity

pub mod capacity;
mod catalog;
mod data_set;
mod description;
pub mod errors;
mod expiry;
pub mod expression;
pub mod index;
pub mod inspect;
pub mod item;
mod item_collection;
pub mod jobs;
pub mod key;
mod key_paths;
pub mod number;
pub mod operations;
mod page;
mod projected;
mod read_capacity;
mod request;
pub mod table;
mod tags;
mod transaction;
mod write;

pub use data_set::{DataSet, NamedTable};
pub use operations::{DEVIATIONS, Deviation, OPERATIONS, Operation, Prepared, Status, prepare};
