//! The parameters of a TransactWriteItems in few bytes, to tell whether two requests are the same.
//!
//! It is XXH3-128 with seed 0, big endian, of the actions in the order in which they were sent, each as follows. A text or
//! binary is its length (u64, little endian) and its bytes; what may be absent is `00`, or `01` and what it is; a count is a
//! u64, little endian.
//!
//! | part | bytes |
//! |---|---|
//! | action | `C` check, `P` put, `D` delete, `U` update, in this order where an entry has several; `00` ends the entry |
//! | table | text, as it was sent |
//! | item or key | attributes: count, then names and values in the order of the names' bytes |
//! | update, condition | text or absent each; an update only where there can be one |
//! | names | absent, or count, then pairs of texts in the order of the placeholders' bytes |
//! | values | absent, or attributes |
//! | what a failed condition returns | text or absent |
//!
//! A value is the name of its type as a text, then what it holds: a text or binary, `00` or `01`, attributes, or a count and
//! that many values or members as they were sent. So the order in which a client's JSON has attributes does not matter, as it
//! does not for DynamoDB. It is stored for as long as a token is kept: a change needs a new version of that record.

use holdfast_shapes::dynamodb::{ConditionCheck, Delete, Put, TransactWriteItem, Update};
use holdfast_shapes::{AttributeMap, AttributeValue, Pairs};
use xxhash_rust::xxh3::Xxh3;

/// Bytes of a fingerprint.
pub(crate) const FINGERPRINT_BYTES: usize = 16;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; FINGERPRINT_BYTES]);

impl Fingerprint {
    /// Of a request's actions. What the answer is to tell beside the outcome is no part of them: who asks again for the
    /// same may ask for more.
    pub(crate) fn of(actions: &[TransactWriteItem]) -> Self {
        let mut parts = Parts(Box::new(Xxh3::new()));
        for action in actions {
            parts.action(action);
        }
        Self(parts.0.digest128().to_be_bytes())
    }
}

/// What was hashed so far.
struct Parts(Box<Xxh3>);

/// The expressions of an action and what they name.
struct Expressions<'a> {
    condition: Option<&'a String>,
    names: Option<&'a Pairs<String>>,
    values: Option<&'a AttributeMap>,
    on_failure: Option<&'a String>,
}

/// Hashes one kind of action, if it is there. All members are named, so that none is forgotten.
macro_rules! hash_action {
    ($parts:ident, $kind:literal, $action:expr, $type:ident { $subject:ident $(, $update:ident)? }) => {
        if let Some($type {
            $subject,
            $($update,)?
            table_name,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure,
        }) = $action
        {
            $parts.subject($kind, table_name.as_ref(), $subject.as_ref());
            $($parts.text_or_absent($update.as_ref());)?
            $parts.expressions(&Expressions {
                condition: condition_expression.as_ref(),
                names: expression_attribute_names.as_ref(),
                values: expression_attribute_values.as_ref(),
                on_failure: return_values_on_condition_check_failure.as_ref(),
            });
        }
    };
}

impl Parts {
    fn action(&mut self, action: &TransactWriteItem) {
        let TransactWriteItem { condition_check, put, delete, update } = action;
        hash_action!(self, b'C', condition_check, ConditionCheck { key });
        hash_action!(self, b'P', put, Put { item });
        hash_action!(self, b'D', delete, Delete { key });
        hash_action!(self, b'U', update, Update { key, update_expression });
        self.byte(0);
    }

    fn subject(&mut self, kind: u8, table: Option<&String>, attributes: Option<&AttributeMap>) {
        self.byte(kind);
        self.bytes(table.map_or(&[], |table| table.as_bytes()));
        self.attributes(attributes.map_or(&[], |attributes| &attributes.0));
    }

    fn expressions(&mut self, expressions: &Expressions<'_>) {
        self.text_or_absent(expressions.condition);
        match expressions.names {
            None => self.byte(0),
            Some(names) => {
                let mut names: Vec<_> = names.iter().collect();
                names.sort_unstable();
                self.byte(1);
                self.count(names.len());
                for (placeholder, name) in names {
                    self.bytes(placeholder.as_bytes());
                    self.bytes(name.as_bytes());
                }
            }
        }
        match expressions.values {
            None => self.byte(0),
            Some(values) => {
                self.byte(1);
                self.attributes(&values.0);
            }
        }
        self.text_or_absent(expressions.on_failure);
    }

    fn attributes(&mut self, attributes: &[(String, AttributeValue)]) {
        let mut sorted: Vec<_> = attributes.iter().collect();
        // Stable: of a name that is there twice the last one counts, so their order matters.
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        self.count(sorted.len());
        for (name, value) in sorted {
            self.bytes(name.as_bytes());
            self.value(value);
        }
    }

    fn value(&mut self, value: &AttributeValue) {
        self.bytes(value.type_name().as_bytes());
        match value {
            AttributeValue::S(text) | AttributeValue::N(text) => self.bytes(text.as_bytes()),
            AttributeValue::B(bytes) => self.bytes(bytes),
            AttributeValue::Null(value) | AttributeValue::Bool(value) => self.byte(u8::from(*value)),
            AttributeValue::SS(members) | AttributeValue::NS(members) => {
                self.count(members.len());
                members.iter().for_each(|member| self.bytes(member.as_bytes()));
            }
            AttributeValue::BS(members) => {
                self.count(members.len());
                members.iter().for_each(|member| self.bytes(member));
            }
            AttributeValue::M(map) => self.attributes(map),
            AttributeValue::L(list) => {
                self.count(list.len());
                list.iter().for_each(|value| self.value(value));
            }
        }
    }

    fn text_or_absent(&mut self, text: Option<&String>) {
        self.byte(u8::from(text.is_some()));
        if let Some(text) = text {
            self.bytes(text.as_bytes());
        }
    }

    fn byte(&mut self, byte: u8) {
        self.0.update(&[byte]);
    }

    fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.update(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_shapes::dynamodb::TransactWriteItemsInput;

    fn of(actions: &str) -> Fingerprint {
        let body = format!(r#"{{"TransactItems":[{actions}]}}"#);
        let input: TransactWriteItemsInput = holdfast_shapes::read(body.as_bytes()).unwrap();
        Fingerprint::of(&input.transact_items.unwrap())
    }

    const PUT: &str =
        r#"{"Put":{"TableName":"t","Item":{"a":{"S":"1"},"b":{"M":{"x":{"N":"1"},"y":{"NULL":true}}}}}}"#;

    /// Tokens on disk have them.
    #[test]
    fn fingerprints_are_fixed() {
        let hex = |fingerprint: Fingerprint| -> String {
            fingerprint.0.iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(hex(of(PUT)), "8b117df3c454dbd38b6c854cd9be7d96");
        let all = r##"{"Update":{"TableName":"t","Key":{"a":{"S":"1"}},"UpdateExpression":"SET #b = :c",
            "ConditionExpression":"d = :c","ExpressionAttributeNames":{"#b":"b"},
            "ExpressionAttributeValues":{":c":{"L":[{"SS":["s"]},{"BS":["AQ=="]},{"B":"Ag=="},{"BOOL":false}]}},
            "ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}"##;
        assert_eq!(hex(of(all)), "fc0a9027f820f62957330f3380f9e2c8");
    }

    #[test]
    fn the_order_of_names_does_not_matter() {
        let other =
            r#"{"Put":{"Item":{"b":{"M":{"y":{"NULL":true},"x":{"N":"1"}}},"a":{"S":"1"}},"TableName":"t"}}"#;
        assert_eq!(of(PUT), of(other));
        let check = |names: &str| {
            of(&format!(
                r#"{{"ConditionCheck":{{"TableName":"t","Key":{{}},"ConditionExpression":"c","ExpressionAttributeNames":{names}}}}}"#
            ))
        };
        assert_eq!(check(r##"{"#a":"x","#b":"y"}"##), check(r##"{"#b":"y","#a":"x"}"##));
        assert_ne!(check(r##"{"#a":"x","#b":"y"}"##), check(r##"{"#a":"y","#b":"x"}"##));
    }

    #[test]
    fn everything_else_does() {
        let requests = [
            PUT.to_owned(),
            format!("{PUT},{PUT}"),
            PUT.replace(r#""t""#, r#""u""#),
            PUT.replace(r#"{"N":"1"}"#, r#"{"N":"1.0"}"#),
            PUT.replace(r#"{"N":"1"}"#, r#"{"S":"1"}"#),
            PUT.replace(r#"{"N":"1"}"#, r#"{"SS":["1"]}"#),
            PUT.replace(r#"{"N":"1"}"#, r#"{"NS":["1"]}"#),
            PUT.replace(r#"{"N":"1"}"#, r#"{"L":[{"N":"1"}]}"#),
            PUT.replace(r#"{"NULL":true}"#, r#"{"BOOL":true}"#),
            PUT.replace(r#"{"NULL":true}"#, r#"{"BOOL":false}"#),
            PUT.replace(r#""TableName""#, r#""ConditionExpression":"","TableName""#),
            PUT.replace(r#""TableName""#, r#""ReturnValuesOnConditionCheckFailure":"","TableName""#),
            PUT.replace(r#""TableName""#, r#""ExpressionAttributeNames":{},"TableName""#),
            PUT.replace(r#""TableName""#, r#""ExpressionAttributeValues":{},"TableName""#),
            r#"{"Delete":{"TableName":"t","Key":{"a":{"S":"1"}}}}"#.to_owned(),
            r#"{"Update":{"TableName":"t","Key":{"a":{"S":"1"}}}}"#.to_owned(),
            r#"{"Update":{"TableName":"t","Key":{"a":{"S":"1"}},"UpdateExpression":"SET b = c"}}"#.to_owned(),
            r#"{"ConditionCheck":{"TableName":"t","Key":{"a":{"S":"1"}}}}"#.to_owned(),
            r#"{"ConditionCheck":{"TableName":"t","Key":{"a":{"S":"1"}}},"Delete":{"TableName":"t","Key":{"a":{"S":"1"}}}}"#
                .to_owned(),
        ];
        for (at, one) in requests.iter().enumerate() {
            for (other_at, other) in requests.iter().enumerate() {
                assert_eq!(of(one) == of(other), at == other_at, "{one}\n{other}");
            }
        }
    }
}
