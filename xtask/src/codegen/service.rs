//! A model with what the generator needs to know of it: which shapes travel which way, and which hold attribute values.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use super::model::{Model, Overrides, Shape};

/// The way a shape travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    In,
    Out,
}

/// A model, its overrides and the reach of its inputs and outputs.
pub struct Service {
    pub model: Model,
    pub overrides: Overrides,
    inputs: BTreeSet<String>,
    outputs: BTreeSet<String>,
}

impl Service {
    pub fn new(model: Model, overrides: Overrides) -> Result<Self> {
        let mut service = Service { model, overrides, inputs: BTreeSet::new(), outputs: BTreeSet::new() };
        let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
        for operation in service.model.operations.values() {
            if let Some(input) = &operation.input {
                service.reach(&input.shape, &mut inputs)?;
            }
            if let Some(output) = &operation.output {
                service.reach(&output.shape, &mut outputs)?;
            }
        }
        // Exceptions are answers too: some carry items.
        for (name, _) in service.model.shapes.iter().filter(|(_, shape)| shape.exception) {
            service.reach(name, &mut outputs)?;
        }
        service.inputs = inputs;
        service.outputs = outputs;
        Ok(service)
    }

    pub fn shape(&self, name: &str) -> Result<&Shape> {
        self.model.shapes.get(name).with_context(|| format!("the model has no shape {name}"))
    }

    fn reach(&self, name: &str, seen: &mut BTreeSet<String>) -> Result<()> {
        if !seen.insert(name.to_owned()) || name == "AttributeValue" {
            return Ok(());
        }
        for inner in inner_shapes(self.shape(name)?) {
            self.reach(inner, seen)?;
        }
        Ok(())
    }

    pub fn travels(&self, name: &str, way: Way) -> bool {
        match way {
            Way::In => self.inputs.contains(name),
            Way::Out => self.outputs.contains(name),
        }
    }

    /// Whether an attribute value is somewhere in the shape: then requests and answers need different types.
    pub fn holds_values(&self, name: &str) -> Result<bool> {
        let mut seen = BTreeSet::new();
        self.reach(name, &mut seen)?;
        Ok(seen.contains("AttributeValue"))
    }

    /// Whether the shape stands in a list or map anywhere in the model.
    pub fn is_element(&self, name: &str) -> bool {
        let mut elements =
            self.model.shapes.values().flat_map(|shape| shape.member.iter().chain(&shape.value));
        elements.any(|element| element.shape == name)
    }

    /// The Rust type of a structure that travels this way.
    pub fn structure_name(&self, name: &str, way: Way) -> Result<String> {
        let both = self.travels(name, Way::In) && self.travels(name, Way::Out);
        let suffix = if both && way == Way::Out && self.holds_values(name)? { "Rendered" } else { "" };
        Ok(format!("{name}{suffix}"))
    }

    /// The Rust type of a shape that travels this way.
    pub fn type_of(&self, name: &str, way: Way) -> Result<String> {
        let shape = self.shape(name)?;
        if name == "AttributeValue" {
            return Ok(if way == Way::In { "AttributeValue" } else { "Rendered" }.to_owned());
        }
        Ok(match shape.kind.as_str() {
            "structure" => self.structure_name(name, way)?,
            "list" => format!("Vec<{}>", self.type_of(inner(&shape.member)?, way)?),
            "map" => {
                let value = inner(&shape.value)?;
                match (value, way) {
                    ("AttributeValue", Way::In) => "AttributeMap".to_owned(),
                    ("AttributeValue", Way::Out) => "Rendered".to_owned(),
                    _ => format!("Pairs<{}>", self.type_of(value, way)?),
                }
            }
            // A blob outside of attribute values stays the base64 text it travels as.
            "string" | "blob" => "String".to_owned(),
            "boolean" => "bool".to_owned(),
            "integer" | "long" => "i64".to_owned(),
            "double" | "timestamp" => "f64".to_owned(),
            other => anyhow::bail!("shape {name} has the unknown type {other}"),
        })
    }
}

/// The name of a shape that a list or map must have.
pub fn inner(reference: &Option<super::model::ShapeRef>) -> Result<&str> {
    reference.as_ref().map(|inner| inner.shape.as_str()).context("a list or map without an element shape")
}

fn inner_shapes(shape: &Shape) -> impl Iterator<Item = &str> {
    let members = shape.members.0.iter().map(|(_, member)| member);
    members.chain(&shape.member).chain(&shape.value).map(|inner| inner.shape.as_str())
}

/// A member's field: `SSESpecification` becomes `sse_specification`.
pub fn field(member: &str) -> String {
    let letters: Vec<char> = member.chars().collect();
    let mut name = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_ascii_uppercase();
        let before_small = letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && at > 0 && (after_small || before_small) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    if matches!(name.as_str(), "type" | "match" | "ref" | "move" | "in") { format!("r#{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_in_snake_case() {
        for (member, expected) in [
            ("TableName", "table_name"),
            ("SSESpecification", "sse_specification"),
            ("KMSMasterKeyId", "kms_master_key_id"),
            ("S3BucketOwner", "s3_bucket_owner"),
            ("eventID", "event_id"),
            ("Type", "r#type"),
        ] {
            assert_eq!(field(member), expected);
        }
    }
}
