//! The stored form of an item. `docs/item-format.md` has it byte by byte.
//!
//! # Layout
//! - [`codec`]: from a request's attributes to bytes, with AWS's checks of values
//! - [`view`]: reading bytes in place, attribute by attribute
//! - [`json`]: the answer's JSON straight from the bytes
//! - [`edit`]: updates, from bytes to bytes
//! - `few`: an item with only some of its attributes
//! - [`size`]: the size that DynamoDB accounts
//!
//! One item has one stored form: names and set members are sorted, numbers and lengths have one form each. So two values
//! are equal in DynamoDB's sense exactly if their bytes are.

pub mod codec;
pub mod edit;
pub(crate) mod few;
pub mod json;
pub mod size;
pub mod view;

use crate::number::NumberError;

/// First byte of a stored item: the version of this encoding.
pub const VERSION: u8 = 1;

/// Deepest level of a value; an attribute of the item is at level 1. Source: DynamoDB Developer Guide, "Constraints",
/// "Nested depth"; a leaf at level 32 is taken and at level 33 refused (recorded AWS answers, eu-west-2, June 2026).
pub const NESTING_MAX: usize = 32;

/// Most bytes of the name of an attribute or of a member of a map. Source: DynamoDB Developer Guide, "Constraints",
/// "Attribute names"; 65,535 bytes taken and 65,536 refused, in maps too (recorded AWS answers, September 2026).
pub const NAME_BYTES_MAX: usize = 65_535;

/// Tags: the first byte of a stored value.
pub(crate) mod tag {
    /// Null.
    pub(crate) const NULL: u8 = 0x00;
    /// False.
    pub(crate) const FALSE: u8 = 0x01;
    /// True.
    pub(crate) const TRUE: u8 = 0x02;
    /// String of 128 bytes or more.
    pub(crate) const LONG_STRING: u8 = 0x03;
    /// Binary.
    pub(crate) const BINARY: u8 = 0x04;
    /// Map.
    pub(crate) const MAP: u8 = 0x05;
    /// List.
    pub(crate) const LIST: u8 = 0x06;
    /// String set.
    pub(crate) const STRING_SET: u8 = 0x07;
    /// Number set.
    pub(crate) const NUMBER_SET: u8 = 0x08;
    /// Binary set.
    pub(crate) const BINARY_SET: u8 = 0x09;
    /// Number; the length of its bytes, 1 to 22, is added.
    pub(crate) const NUMBER: u8 = 0x40;
    /// The last tag of a number.
    pub(crate) const NUMBER_LAST: u8 = NUMBER + 22;
    /// String of less than 128 bytes; its length is added.
    pub(crate) const SHORT_STRING: u8 = 0x80;
}

/// The bytes of a stored item are not what the encoder writes: rot, or an error of ours. Never caused by a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored item is damaged: {0}")]
pub struct Damaged(pub &'static str);

/// A kind of set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetKind {
    /// SS
    String,
    /// NS
    Number,
    /// BS
    Binary,
}

/// Why an attribute value of a request is refused. `errors.rs` has AWS's wording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// An attribute or a member of a map has an empty name.
    #[error("empty attribute name")]
    EmptyName,
    /// An attribute or a member of a map has a name of more than [`NAME_BYTES_MAX`].
    #[error("an attribute name of {0} bytes")]
    NameTooLong(usize),
    /// A value of an expression is larger than any item may be.
    #[error("a value of {0} bytes")]
    TooLarge(u64),
    /// A number is malformed, too precise or out of range.
    #[error("number {text:?}: {error}")]
    Number {
        /// As it was sent.
        text: String,
        /// What is wrong.
        error: NumberError,
    },
    /// A set without members.
    #[error("empty {0:?} set")]
    EmptySet(SetKind),
    /// A set with a member that is there twice.
    #[error("duplicates in a {set:?} set")]
    Duplicates {
        /// The kind of set.
        set: SetKind,
        /// Strings, or binaries in base64: those before the first repeat in byte order, the repeat, the rest as sent.
        /// Empty for numbers.
        members: Vec<String>,
        /// The same as they were sent: some operations list them so.
        sent: Vec<String>,
    },
    /// `{"NULL": false}`
    #[error("NULL must be true")]
    NullFalse,
    /// A value is below [`NESTING_MAX`].
    #[error("nested deeper than {NESTING_MAX} levels")]
    TooDeep,
}

#[cfg(test)]
mod tests;
