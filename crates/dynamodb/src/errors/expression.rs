//! Texts about expressions and their placeholders.
//!
//! Beside the sources of the texts that `errors.rs` lists: *tested* are answers that a public test suite expected of AWS
//! between 2016 and 2020; *local* are answers of AWS's own local emulator (version 3.3.1), used where nothing from AWS
//! itself is known. *Recorded* answers here come from two public suites (us-east-1 and eu-west-2, 2026).

use super::{Wording, invalid, key_value, validation};
use crate::expression::ExpressionKind;
use crate::item::ValueError;
use crate::key::KeyError;
use holdfast_aws::Error;
use std::fmt::Display;

/// `Invalid <kind>: <what>`.
fn of(kind: ExpressionKind, what: impl Display) -> Error {
    validation(format!("Invalid {kind}: {what}"))
}

/// A refusal of a key condition that is a condition. Source of the prefix: recorded for two of the texts (October 2026);
/// answers of 2016 are without it.
fn key_condition(what: impl Display) -> Error {
    of(ExpressionKind::KeyCondition, what)
}

/// No text. Source: recorded.
#[must_use]
pub fn empty(kind: ExpressionKind) -> Error {
    of(kind, "The expression can not be empty;")
}

/// More than the allowed bytes. Source: recorded; that only some kinds tell the size is AWS's own.
#[must_use]
pub fn too_large(kind: ExpressionKind, bytes: usize) -> Error {
    let text = "Expression size has exceeded the maximum allowed size;";
    match kind {
        ExpressionKind::Filter | ExpressionKind::Condition => {
            of(kind, format!("{text} expression size: {bytes}"))
        }
        _ => of(kind, text),
    }
}

/// A token that cannot stand where it is, with the tokens before and after it. Source: recorded.
#[must_use]
pub fn syntax(kind: ExpressionKind, token: &str, near: &str) -> Error {
    of(kind, format!("Syntax error; token: \"{token}\", near: \"{near}\""))
}

/// Parentheses around parentheses. Source: recorded.
#[must_use]
pub fn redundant_parentheses(kind: ExpressionKind) -> Error {
    of(kind, "The expression has redundant parentheses;")
}

/// A function that nobody has. Source: tested.
#[must_use]
pub fn unknown_function(kind: ExpressionKind, name: &str) -> Error {
    of(kind, format!("Invalid function name; function: {name}"))
}

/// A condition where an operand belongs, or an operand where a condition belongs. Source: tested.
#[must_use]
pub fn misused_function(kind: ExpressionKind, name: &str) -> Error {
    of(kind, format!("The function is not allowed to be used this way in an expression; function: {name}"))
}

/// A function of another kind of expression. Source: local.
#[must_use]
pub fn foreign_function(kind: ExpressionKind, name: &str) -> Error {
    let article = if kind == ExpressionKind::Update { "an update" } else { "a condition" };
    of(kind, format!("The function is not allowed in {article} expression; function: {name}"))
}

/// A reserved word, as it was written. Source: recorded.
#[must_use]
pub fn reserved(kind: ExpressionKind, word: &str) -> Error {
    of(kind, format!("Attribute name is a reserved keyword; reserved keyword: {word}"))
}

/// An index of a list that is none. Source: local.
#[must_use]
pub fn index_out_of_range(kind: ExpressionKind, digits: &str) -> Error {
    of(kind, format!("List index is not within the allowable range; index: [{digits}]"))
}

/// A path with too many elements. Source: local.
#[must_use]
pub fn path_too_deep(kind: ExpressionKind, levels: usize) -> Error {
    of(kind, format!("The document path has too many nesting levels; nesting levels: {levels}"))
}

/// A name without an entry. Source: recorded.
#[must_use]
pub fn undefined_name(kind: ExpressionKind, name: &str) -> Error {
    of(
        kind,
        format!(
            "An expression attribute name used in the document path is not defined; attribute name: {name}"
        ),
    )
}

/// A value without an entry. Source: recorded.
#[must_use]
pub fn undefined_value(kind: ExpressionKind, name: &str) -> Error {
    of(
        kind,
        format!("An expression attribute value used in expression is not defined; attribute value: {name}"),
    )
}

/// Too many or too few operands. Source: tested.
#[must_use]
pub fn operand_count(kind: ExpressionKind, operator: &str, count: usize) -> Error {
    of(
        kind,
        format!(
            "Incorrect number of operands for operator or function; operator or function: {operator}, number of \
             operands: {count}"
        ),
    )
}

/// An operand of a type that the operator never takes. Source: recorded.
#[must_use]
pub fn operand_type(kind: ExpressionKind, operator: &str, operand: &str) -> Error {
    of(
        kind,
        format!(
            "Incorrect operand type for operator or function; operator or function: {operator}, operand type: \
             {operand}"
        ),
    )
}

/// A clause of an update that is there twice. Source: tested.
#[must_use]
pub fn clause_twice(clause: &str) -> Error {
    of(
        ExpressionKind::Update,
        format!("The \"{clause}\" section can only be used once in an update expression;"),
    )
}

/// An operand of a type that `ADD` or `DELETE` never takes. Source: recorded; that both name the set of `ADD` is AWS's own.
#[must_use]
pub fn clause_operand(clause: &str, operand: &str) -> Error {
    of(
        ExpressionKind::Update,
        format!(
            "Incorrect operand type for operator or function; operator: {clause}, operand type: {operand}, typeSet: \
             ALLOWED_FOR_ADD_OPERAND"
        ),
    )
}

/// Something else where a path belongs. Source: tested.
#[must_use]
pub fn path_required(kind: ExpressionKind, operator: &str) -> Error {
    of(kind, format!("Operator or function requires a document path; operator or function: {operator}"))
}

/// One path twice. Source: recorded.
#[must_use]
pub fn not_distinct(kind: ExpressionKind, operator: &str, operand: impl Display) -> Error {
    of(
        kind,
        format!(
            "The first operand must be distinct from the remaining operands for this operator or function; \
             operator: {operator}, first operand: {operand}"
        ),
    )
}

/// A type that is none. Source: tested; the order of the types is that of the newest record (2026).
#[must_use]
pub fn unknown_type(kind: ExpressionKind, name: &str) -> Error {
    of(
        kind,
        format!(
            "Invalid attribute type name found; type: {name}, valid types: {{S,SS,N,NS,B,BS,BOOL,NULL,L,M}}"
        ),
    )
}

/// Bounds of two types. Source: tested.
#[must_use]
pub fn bounds_types(kind: ExpressionKind, lower: impl Display, upper: impl Display) -> Error {
    of(
        kind,
        format!(
            "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: \
             {lower}, upper bound operand: {upper}"
        ),
    )
}

/// Bounds the wrong way round. Source: tested.
#[must_use]
pub fn bounds_order(kind: ExpressionKind, lower: impl Display, upper: impl Display) -> Error {
    of(
        kind,
        format!(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound \
             operand: {lower}, upper bound operand: {upper}"
        ),
    )
}

/// A longer list than `IN` takes. Source: local.
#[must_use]
pub fn too_many_in(kind: ExpressionKind, count: usize) -> Error {
    of(kind, format!("The IN operator is provided with too many operands; number of operands: {count}"))
}

/// More operators and functions than allowed; the first one too many is the last one counted. Source: known.
#[must_use]
pub fn too_many_operators(kind: ExpressionKind, count: usize) -> Error {
    of(kind, format!("The expression contains too many operators; operator count: {count}"))
}

/// Two paths of which one contains the other. Source: recorded.
#[must_use]
pub fn paths_overlap(kind: ExpressionKind, one: impl Display, two: impl Display) -> Error {
    of(
        kind,
        format!(
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: \
             {one}, path two: {two}"
        ),
    )
}

/// Two paths of which one takes for a list what the other takes for a map. Source: tested.
#[must_use]
pub fn paths_conflict(kind: ExpressionKind, one: impl Display, two: impl Display) -> Error {
    of(
        kind,
        format!(
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: \
             {one}, path two: {two}"
        ),
    )
}

/// A path into a key attribute; `role` is `Key` of a table's and `IndexKey` of an index's. Source: recorded earlier (see
/// [`reads`](super::reads)).
#[must_use]
pub fn path_into_key(role: &str, name: &str) -> Error {
    validation(format!(
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {role}: {name}"
    ))
}

/// Which of the two maps of placeholders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// `ExpressionAttributeNames`
    Name,
    /// `ExpressionAttributeValues`
    Value,
}

impl Placeholder {
    fn member(self) -> &'static str {
        match self {
            Self::Name => "ExpressionAttributeNames",
            Self::Value => "ExpressionAttributeValues",
        }
    }
}

/// An empty map. Source: tested.
#[must_use]
pub fn placeholders_empty(of: Placeholder) -> Error {
    validation(format!("{} must not be empty", of.member()))
}

/// A key that is not `#name` or `:name`. Source: recorded.
#[must_use]
pub fn placeholder_malformed(of: Placeholder, key: &str) -> Error {
    let member = of.member();
    if key.is_empty() {
        // Source: local.
        return validation(format!(
            "{member} contains invalid key: The expression attribute map contains an empty key;"
        ));
    }
    validation(format!("{member} contains invalid key: Syntax error; key: \"{key}\""))
}

/// A key of more bytes than allowed; only of names the size follows. Source: recorded.
#[must_use]
pub fn placeholder_too_long(of: Placeholder, bytes: usize) -> Error {
    let member = of.member();
    let text = format!(
        "{member} contains invalid key: The expression attribute map contains a key that is too long;"
    );
    validation(match of {
        Placeholder::Name => format!("{text} size of key: {bytes}"),
        Placeholder::Value => text,
    })
}

/// A name that stands for nothing. Source: recorded.
#[must_use]
pub fn placeholder_names_nothing(key: &str) -> Error {
    validation(format!("ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}"))
}

/// A name that stands for more bytes than an attribute's name can have, before [`worded`]. Source: recorded for
/// `UpdateItem` (September 2026), local for the older layer.
#[must_use]
pub fn placeholder_names_too_much(wording: Wording, key: &str) -> Error {
    let text = "Attribute name is too large, must be less than 65536 bytes";
    match wording {
        Wording::Enveloped | Wording::Bare => validation(text),
        Wording::Older => {
            validation(format!("ExpressionAttributeNames contains invalid value: {text} for key {key}"))
        }
    }
}

/// A map of more bytes than allowed. Source: local.
#[must_use]
pub fn placeholders_too_large(of: Placeholder) -> Error {
    validation(format!("{} exceeds max size", of.member()))
}

/// Both maps together of more bytes than allowed. Source: local.
#[must_use]
pub fn placeholders_together_too_large() -> Error {
    validation("Combined size of ExpressionAttributeNames and ExpressionAttributeValues exceeds max size")
}

/// A value that cannot be an attribute's, before [`worded`]. Source: recorded, for each wording.
#[must_use]
pub fn placeholder_value(wording: Wording, key: &str, error: &ValueError) -> Error {
    match wording {
        Wording::Enveloped | Wording::Bare => super::value(Wording::Bare, error),
        Wording::Older => {
            let text = super::value(wording, error).message;
            validation(format!("ExpressionAttributeValues contains invalid value: {text} for key {key}"))
        }
    }
}

/// A refusal of an expression or of placeholders as the operation words it. Source: recorded for `PutItem` and
/// `UpdateItem` (two regions, October 2026).
#[must_use]
pub fn worded(wording: Wording, error: Error) -> Error {
    match wording {
        Wording::Enveloped => validation(format!("1 validation error detected: {}", error.message)),
        Wording::Bare | Wording::Older => error,
    }
}

/// Entries that no expression uses. Source: recorded.
#[must_use]
pub fn placeholders_unused(of: Placeholder, keys: &[&str]) -> Error {
    validation(format!(
        "Value provided in {} unused in expressions: keys: {{{}}}",
        of.member(),
        keys.join(", ")
    ))
}

/// Expressions beside parameters of the time before them. Source: recorded for `PutItem` and `UpdateItem`, before and after
/// their words were enveloped; known for the others.
#[must_use]
pub fn mixed(wording: Wording, legacy: &[&str], expressions: &[&str]) -> Error {
    let text = format!(
        "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} \
         Expression parameters: {{{}}}",
        legacy.join(", "),
        expressions.join(", ")
    );
    worded(wording, validation(text))
}

/// Names without any expression. Source: recorded.
#[must_use]
pub fn names_without_expression(wording: Wording) -> Error {
    worded(wording, validation("ExpressionAttributeNames can only be specified when using expressions"))
}

/// Values without the expressions that take them; `expressions` are those the operation has, in the order of the text.
/// Source: recorded for `PutItem`, in both forms; known and local for the others.
#[must_use]
pub fn values_without_expression(wording: Wording, expressions: &[ExpressionKind]) -> Error {
    let text = "ExpressionAttributeValues can only be specified when using expressions";
    if wording == Wording::Enveloped {
        return worded(wording, validation(text));
    }
    let names: Vec<String> = expressions.iter().map(ToString::to_string).collect();
    let verb = if names.len() > 1 { "are" } else { "is" };
    validation(format!("{text}: {} {verb} null", names.join(" and ")))
}

/// An operator that key conditions do not have. Source: tested; for the prefix see this file's beginning.
#[must_use]
pub fn key_operator(operator: &str) -> Error {
    key_condition(format!("Invalid operator used in KeyConditionExpression: {operator}"))
}

/// `size` in a key condition. Source: tested.
#[must_use]
pub fn key_nested_operation() -> Error {
    key_condition("KeyConditionExpressions cannot contain nested operations")
}

/// A path of several elements in a key condition. Source: recorded.
#[must_use]
pub fn key_nested_attribute() -> Error {
    key_condition("KeyConditionExpressions cannot have conditions on nested attributes")
}

/// `BETWEEN` or `begins_with` of something else than an attribute. Source: tested.
#[must_use]
pub fn key_not_first(operator: &str) -> Error {
    key_condition(format!(
        "Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its first \
         operand"
    ))
}

/// Two attributes compared with each other. Source: tested.
#[must_use]
pub fn key_two_attributes() -> Error {
    key_condition(
        "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition",
    )
}

/// Two values compared with each other. Source: tested.
#[must_use]
pub fn key_no_attribute() -> Error {
    key_condition("Invalid condition in KeyConditionExpression: No key attribute specified")
}

/// Two conditions on one attribute. Source: recorded.
#[must_use]
pub fn key_twice() -> Error {
    key_condition("KeyConditionExpressions must only contain one condition per key")
}

/// More conditions than key attributes. Source: recorded.
#[must_use]
pub fn key_too_many(conditions: usize, attributes: usize) -> Error {
    validation(format!(
        "The number of query conditions ({conditions}) exceeds the number of key attributes defined in the schema \
         ({attributes})"
    ))
}

/// No condition on a key attribute that needs one. Source: recorded.
#[must_use]
pub fn key_missed(name: &str) -> Error {
    validation(format!("Query condition missed key schema element: {name}"))
}

/// No equality for some of several attributes of an index's partition key. Source: the local emulator.
#[must_use]
pub fn hash_keys_not_equal(names: &[String]) -> Error {
    validation(format!(
        "HASH key attributes {} must have equality conditions specified in the query",
        names.join(", ")
    ))
}

/// No equality for attributes of an index's sort key that stand before one with a condition. Source: recorded.
#[must_use]
pub fn range_keys_not_equal(names: &[String], because: &str) -> Error {
    validation(format!(
        "RANGE key attributes {} must have equality conditions specified in the query because a condition is present on key \
         attribute {because}",
        names.join(", ")
    ))
}

/// Another operator than `=` on the partition key. Source: known.
#[must_use]
pub fn key_not_supported() -> Error {
    validation("Query key condition not supported")
}

/// A value of another type than the key attribute's. Source: recorded.
#[must_use]
pub fn key_type() -> Error {
    invalid("Condition parameter type does not match schema type")
}

/// A value that no key attribute can have, of a table or of an index with a name. Source: as for keys of items; empty values
/// of an index are known.
#[must_use]
pub fn key_bytes(error: &KeyError, index: Option<&str>) -> Error {
    match (error, index) {
        (KeyError::Empty { name, kind }, Some(index)) => super::indexes::empty_key(index, name, *kind),
        _ => key_value(error),
    }
}
