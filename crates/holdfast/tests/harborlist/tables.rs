//! The first user's tables, from `conformance/harborlist/head.txt`.

use serde_json::{Value, json};

/// Attribute and type of a key's parts: partition, and perhaps sort.
pub type KeyParts = Vec<(&'static str, &'static str)>;

/// A table as its script makes it.
pub struct Table {
    pub name: &'static str,
    pub key: KeyParts,
    pub indexes: Vec<(&'static str, KeyParts)>,
    units: u64,
}

/// Its tables of 2025-10-22: 23 with 24 indexes.
pub fn head() -> Vec<Table> {
    read(include_str!("../../../../conformance/harborlist/head.txt"))
}

fn read(text: &'static str) -> Vec<Table> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(read_line).collect()
}

fn read_line(line: &'static str) -> Table {
    let mut words = line.split(' ');
    let name = words.next().expect("a name");
    let mut table =
        Table { name, key: key_parts(words.next().expect("a key")), indexes: Vec::new(), units: 5 };
    for word in words {
        match word.split_once('=').expect("NAME=VALUE") {
            ("capacity", units) => table.units = units.parse().expect("a number"),
            (index, key) => table.indexes.push((index, key_parts(key))),
        }
    }
    table
}

fn key_parts(text: &'static str) -> KeyParts {
    text.split(',').map(|part| part.split_once(':').expect("NAME:TYPE")).collect()
}

fn key_schema(key: &KeyParts) -> Value {
    key.iter()
        .zip(["HASH", "RANGE"])
        .map(|((name, _), kind)| json!({"AttributeName": name, "KeyType": kind}))
        .collect()
}

impl Table {
    /// The body of its CreateTable.
    pub fn definition(&self) -> Value {
        let mut attributes: Vec<_> =
            self.key.iter().chain(self.indexes.iter().flat_map(|(_, key)| key)).collect();
        attributes.sort();
        attributes.dedup();
        let units = json!({"ReadCapacityUnits": self.units, "WriteCapacityUnits": self.units});
        let mut body = json!({
            "TableName": self.name, "KeySchema": key_schema(&self.key), "ProvisionedThroughput": units,
            "AttributeDefinitions": attributes
                .iter()
                .map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind}))
                .collect::<Value>(),
        });
        if !self.indexes.is_empty() {
            body["GlobalSecondaryIndexes"] = self
                .indexes
                .iter()
                .map(|(name, key)| {
                    json!({
                        "IndexName": name, "KeySchema": key_schema(key), "Projection": {"ProjectionType": "ALL"},
                        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
                    })
                })
                .collect();
        }
        body
    }
}
