//! DynamoDB's texts for bodies that do not fit: no word of the JSON reader's own reaches a client.
//!
//! Source of the texts: known, from the tests of public servers that were compared with DynamoDB, except where it says ours.

use std::borrow::Cow;

use serde_json::error::Category;

use crate::attribute::{MORE_THAN_ONE_TYPE, NO_TYPE};
use crate::request::Fault;

/// A body that is no JSON, or that the reader cannot hold: no text. Source: recorded answers of DynamoDB.
const NOT_JSON: &str = "";
/// A body that is JSON, and neither an object nor an array: no text. Source: recorded answers of DynamoDB.
const NOT_AN_OBJECT: &str = "";
const LIST: &str = "Start of list found where not expected";
const MAP: &str = "Start of structure or map found where not expected";
const FIELD: &str = "Unexpected field type";
const VALUE: &str = "Unexpected value type in payload";
const BASE64: &str = "only base-64-encoded strings are convertible to bytes";
const BASE64_LENGTH: &str = "Base64 encoded length is expected a multiple of 4 bytes but found: ";
const BASE64_END: &str = "Invalid last non-pad Base64 character dectected";
/// Where DynamoDB's classes live, as its texts name them.
const PACKAGE: &str = "com.amazonaws.dynamodb.v20120810.";

/// What is wrong with a body.
pub(crate) fn fault(error: &serde_json::Error) -> Fault {
    if error.classify() != Category::Data {
        return Fault::Malformed(NOT_JSON.to_owned());
    }
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    match [MORE_THAN_ONE_TYPE, NO_TYPE].into_iter().find(|known| text == *known) {
        Some(known) => Fault::Value(known),
        None => Fault::Malformed(malformed(text).into_owned()),
    }
}

fn malformed(text: &str) -> Cow<'static, str> {
    if text.starts_with(BASE64_LENGTH) || text == BASE64_END {
        return text.to_owned().into();
    }
    if let Some(name) = text.strip_prefix("duplicate field ") {
        // Ours: to DynamoDB, as far as is known, the last one counts.
        return format!("The member {} is there more than once", name.trim_matches('`')).into();
    }
    let mismatch = text.strip_prefix("invalid type: ").or_else(|| text.strip_prefix("invalid value: "));
    match mismatch.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => wrong_type(found, expected),
        None => FIELD.into(),
    }
}

/// The text for a JSON value of the wrong type, from the reader's words for what it found and a visitor's for what it
/// expected.
fn wrong_type(found: &str, expected: &str) -> Cow<'static, str> {
    let list = found == "sequence";
    let (kind, name) = expected.split_once(' ').unwrap_or((expected, ""));
    match kind {
        "input" if list => return LIST.into(),
        "input" => return NOT_AN_OBJECT.into(),
        "element" | "member" if list => {
            return format!("Unrecognized collection type class {PACKAGE}{name}").into();
        }
        "element" => return VALUE.into(),
        "member" => return FIELD.into(),
        "map" if list => {
            let inner = name.strip_prefix("of ").unwrap_or(name);
            return format!("Unrecognized collection type java.util.Map<java.lang.String, {inner}>").into();
        }
        _ if found == "map" => return MAP.into(),
        _ => {}
    }
    let scalar = match expected {
        "a string" => "String",
        "a boolean" => "Boolean",
        "i64" => "Integer",
        "f64" => "Double",
        "base64 text" if list => return "Unrecognized collection type class java.nio.ByteBuffer".into(),
        "base64 text" => return BASE64.into(),
        _ => return FIELD.into(),
    };
    let token = match found.split(' ').next() {
        _ if list => return format!("Unrecognized collection type class java.lang.{scalar}").into(),
        _ if found == "boolean `true`" => "TRUE_VALUE",
        Some("boolean") => "FALSE_VALUE",
        Some("integer") => "NUMBER_VALUE",
        Some("floating") => "DECIMAL_VALUE",
        Some("string") if scalar == "Boolean" => return "Unexpected token received from parser".into(),
        Some("string") => "STRING_VALUE",
        // A null in a list. Ours.
        _ => return VALUE.into(),
    };
    format!("{token} cannot be converted to {scalar}").into()
}

/// What is wrong with text that is not base64.
pub(crate) fn base64(text: &str) -> Cow<'static, str> {
    if text.len().is_multiple_of(4) {
        BASE64_END.into()
    } else {
        format!("{BASE64_LENGTH}{}", text.len()).into()
    }
}

/// DynamoDB's name for a type of ours, by its path: `alloc::vec::Vec<crate::dynamodb::WriteRequest>`.
pub(crate) fn java_type(path: &str) -> String {
    if let Some(inner) = path.strip_prefix("alloc::vec::Vec<").and_then(|rest| rest.strip_suffix('>')) {
        return format!("java.util.List<{}>", java_type(inner));
    }
    match path.rsplit("::").next().unwrap_or(path) {
        "String" => "java.lang.String".to_owned(),
        "AttributeMap" => format!("java.util.Map<java.lang.String, {PACKAGE}AttributeValue>"),
        name => format!("{PACKAGE}{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_the_wire() {
        let list = std::any::type_name::<Vec<crate::dynamodb::WriteRequest>>();
        assert_eq!(java_type(list), "java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>");
        assert_eq!(java_type(std::any::type_name::<String>()), "java.lang.String");
    }

    #[test]
    fn words_of_the_reader_never_show() {
        for text in [
            "unknown variant `x`, expected one of `y`",
            "missing field `x`",
            "invalid length 0, expected struct X",
        ] {
            assert_eq!(malformed(text), FIELD);
        }
        assert_eq!(
            malformed("invalid value: integer `9`, expected i64"),
            "NUMBER_VALUE cannot be converted to Integer"
        );
        assert_eq!(malformed("invalid type: null, expected a string"), VALUE);
    }
}
