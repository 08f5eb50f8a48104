//! Keys as people write them on a command line.
//!
//! - DynamoDB's JSON, for every table: `{"id":{"S":"a"},"at":{"N":"5"}}`
//! - `NAME=VALUE` or `NAME=VALUE,NAME=VALUE`, partition key first; types come from the table, binaries are base64
//! - the value alone, where there is only a partition key and the text has neither of the other forms
//!
//! A sort key's name may stand in the text only once as `,NAME=`: where it is there twice, only JSON says which is meant.

use crate::key::{self, KeyError, KeySchema, ScalarType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_shapes::{AttributeMap, AttributeValue};

/// Why a text is not the key of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// It begins with a brace and is not JSON of attribute values.
    #[error("the key is not DynamoDB's JSON: {0}")]
    Json(String),
    /// It has none of the forms.
    #[error("the key of this table is written as {0}")]
    Form(String),
    /// The sort key's name is there twice.
    #[error("`,{name}=` is in the key twice: write it as JSON, {form}")]
    Ambiguous {
        /// Name of the sort key.
        name: String,
        /// What the JSON looks like.
        form: String,
    },
    /// A binary that is not base64.
    #[error("{name} is a binary: write it in base64")]
    Base64 {
        /// Name of the key attribute.
        name: String,
    },
    /// It is a key, but not one of this table.
    #[error("this is not a key of the table ({form}): {error}")]
    Key {
        /// What is wrong.
        error: KeyError,
        /// What a key looks like.
        form: String,
    },
}

/// A key of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadKey {
    /// The key in the table's space.
    pub stored: Vec<u8>,
    /// The same as DynamoDB's JSON.
    pub json: String,
}

/// Reads a key of a table.
///
/// # Errors
/// If the text is none.
pub fn read(text: &str, schema: &KeySchema<'_>) -> Result<ReadKey, KeyTextError> {
    let attributes = attributes(text, schema)?;
    let stored = key::of_key(&attributes.0, schema)
        .map_err(|error| KeyTextError::Key { error, form: json_form(schema) })?;
    let json = serde_json::to_string(&attributes).map_err(|error| KeyTextError::Json(error.to_string()))?;
    Ok(ReadKey { stored, json })
}

fn attributes(text: &str, schema: &KeySchema<'_>) -> Result<AttributeMap, KeyTextError> {
    if text.starts_with('{') {
        return serde_json::from_str(text).map_err(|error| KeyTextError::Json(error.to_string()));
    }
    let partition = schema.partition;
    let named = text.strip_prefix(partition.name).and_then(|rest| rest.strip_prefix('='));
    let values = match (named, schema.sort) {
        (Some(value), None) => vec![(partition, value)],
        // Without a sort key the value alone is clear.
        (None, None) => vec![(partition, text)],
        (None, Some(_)) => return Err(KeyTextError::Form(forms(schema))),
        (Some(values), Some(sort)) => {
            let separator = format!(",{}=", sort.name);
            let (first, second) =
                values.split_once(&separator).ok_or_else(|| KeyTextError::Form(forms(schema)))?;
            if second.contains(&separator) {
                let (name, form) = (sort.name.to_owned(), json_form(schema));
                return Err(KeyTextError::Ambiguous { name, form });
            }
            vec![(partition, first), (sort, second)]
        }
    };
    let typed = values.into_iter().map(|(attribute, text)| {
        let value = match attribute.kind {
            ScalarType::S => AttributeValue::S(text.to_owned()),
            ScalarType::N => AttributeValue::N(text.to_owned()),
            ScalarType::B => AttributeValue::B(
                STANDARD
                    .decode(text)
                    .map_err(|_| KeyTextError::Base64 { name: attribute.name.to_owned() })?,
            ),
        };
        Ok((attribute.name.to_owned(), value))
    });
    Ok(AttributeMap(typed.collect::<Result<_, _>>()?))
}

fn json_form(schema: &KeySchema<'_>) -> String {
    let parts = [Some(schema.partition), schema.sort];
    let parts = parts
        .into_iter()
        .flatten()
        .map(|attribute| format!("\"{}\":{{\"{}\":\"…\"}}", attribute.name, attribute.kind.name()));
    format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
}

fn forms(schema: &KeySchema<'_>) -> String {
    let short = match schema.sort {
        Some(sort) => format!("{}=…,{}=…", schema.partition.name, sort.name),
        None => format!("{}=…", schema.partition.name),
    };
    format!("{} or {short}", json_form(schema))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyAttribute;
    use expect_test::expect;
    use proptest::prelude::*;

    fn schema(partition: ScalarType, sort: Option<ScalarType>) -> KeySchema<'static> {
        KeySchema {
            partition: KeyAttribute { name: "pk", kind: partition },
            sort: sort.map(|kind| KeyAttribute { name: "sk", kind }),
        }
    }

    fn json(text: &str, schema: &KeySchema<'_>) -> String {
        read(text, schema).map_or_else(|error| error.to_string(), |key| key.json)
    }

    #[test]
    fn every_form_is_read() {
        let simple = schema(ScalarType::S, None);
        for text in ["a", "pk=a", r#"{"pk":{"S":"a"}}"#, r#"{"pk" : {"S": "\u0061"}}"#] {
            assert_eq!(json(text, &simple), r#"{"pk":{"S":"a"}}"#, "{text}");
        }
        assert_eq!(json("a=b,c", &simple), r#"{"pk":{"S":"a=b,c"}}"#);
        assert_eq!(json("-1.50", &schema(ScalarType::N, None)), r#"{"pk":{"N":"-1.50"}}"#);
        assert_eq!(json("pk=AAE=", &schema(ScalarType::B, None)), r#"{"pk":{"B":"AAE="}}"#);
        let both = schema(ScalarType::S, Some(ScalarType::N));
        assert_eq!(json("pk=a,b=c,sk=5", &both), r#"{"pk":{"S":"a,b=c"},"sk":{"N":"5"}}"#);
        let one = read("pk=a,sk=5.0", &both).unwrap();
        assert_eq!(one.stored, read(r#"{"sk":{"N":"5"},"pk":{"S":"a"}}"#, &both).unwrap().stored);
    }

    #[test]
    fn what_is_no_key_is_told() {
        let simple = schema(ScalarType::B, None);
        let both = schema(ScalarType::S, Some(ScalarType::S));
        let texts = [
            ("{", &simple),
            (r#"{"pk":"a"}"#, &simple),
            (r#"{"id":{"S":"a"}}"#, &both),
            (r#"{"pk":{"S":"a"}}"#, &both),
            (r#"{"pk":{"S":"a"},"sk":{"S":"b"},"x":{"S":"c"}}"#, &both),
            (r#"{"pk":{"N":"1"},"sk":{"S":"b"}}"#, &both),
            ("???", &simple),
            ("a", &both),
            ("sk=b,pk=a", &both),
            ("pk=a", &both),
            ("pk=a,sk=b,sk=c", &both),
            ("pk=,sk=b", &both),
        ];
        let told: String =
            texts.iter().map(|(text, schema)| format!("{text}: {}\n", json(text, schema))).collect();
        expect![[r#"
            {: the key is not DynamoDB's JSON: EOF while parsing an object at line 1 column 1
            {"pk":"a"}: the key is not DynamoDB's JSON: invalid type: string "a", expected element AttributeValue at line 1 column 9
            {"id":{"S":"a"}}: this is not a key of the table ({"pk":{"S":"…"},"sk":{"S":"…"}}): key attribute pk is missing
            {"pk":{"S":"a"}}: this is not a key of the table ({"pk":{"S":"…"},"sk":{"S":"…"}}): key attribute sk is missing
            {"pk":{"S":"a"},"sk":{"S":"b"},"x":{"S":"c"}}: this is not a key of the table ({"pk":{"S":"…"},"sk":{"S":"…"}}): attributes beyond the key
            {"pk":{"N":"1"},"sk":{"S":"b"}}: this is not a key of the table ({"pk":{"S":"…"},"sk":{"S":"…"}}): key attribute pk is N, not S
            ???: pk is a binary: write it in base64
            a: the key of this table is written as {"pk":{"S":"…"},"sk":{"S":"…"}} or pk=…,sk=…
            sk=b,pk=a: the key of this table is written as {"pk":{"S":"…"},"sk":{"S":"…"}} or pk=…,sk=…
            pk=a: the key of this table is written as {"pk":{"S":"…"},"sk":{"S":"…"}} or pk=…,sk=…
            pk=a,sk=b,sk=c: `,sk=` is in the key twice: write it as JSON, {"pk":{"S":"…"},"sk":{"S":"…"}}
            pk=,sk=b: this is not a key of the table ({"pk":{"S":"…"},"sk":{"S":"…"}}): key attribute pk is empty
        "#]].assert_eq(&told);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", sort in any::<bool>()) {
            let schema = schema(ScalarType::S, sort.then_some(ScalarType::B));
            if let Ok(key) = read(&text, &schema) {
                prop_assert_eq!(read(&key.json, &schema).unwrap().stored, key.stored);
            }
        }
    }
}
