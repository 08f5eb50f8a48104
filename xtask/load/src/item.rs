//! The item that is written, and how item numbers become keys.

/// Size of the item as DynamoDB counts it: names, values, overhead of nested attributes.
pub const ITEM_BYTES: usize = 430;
/// Items under one partition key of [`Shape::Lines`], and under one partition key of its index.
pub const GROUP_ITEMS: u64 = 100;
/// Items of [`Shape::Lines`] come in blocks of this many: each partition key of a block and each index key of it
/// have exactly one item in common.
pub const BLOCK_ITEMS: u64 = GROUP_ITEMS * GROUP_ITEMS;
/// The index of [`Shape::Lines`]: `customer` and `createdAt`, every attribute projected.
pub const INDEX: &str = "by-customer";

/// Prefix of the value of `id`.
pub(crate) const KEY_PREFIX: &str = "order-";
pub(crate) const KEY_DIGITS: usize = 16;
/// Length of the value of `id`: a prefix and 16 hexadecimal digits.
pub const KEY_BYTES: usize = KEY_PREFIX.len() + KEY_DIGITS;

pub(crate) const KEY_MARK: &str = "order-KKKKKKKKKKKKKKKK";
pub(crate) const LINE_MARK: &str = "line-LLLLLLLL";
pub(crate) const CUSTOMER_MARK: &str = "customer-CCCCCCCC";
/// Digits that neither begin nor end with 0, so that the number's size stays the same whatever is between them.
pub(crate) const CREATED_MARK: &str = "1764999999991";
pub(crate) const REVISION_MARK: &str = "1999999991";
/// Decimal digits of every number that is patched.
pub(crate) const DECIMAL_DIGITS: usize = 8;

/// The last of the attributes fills the item up.
const NOTE: &str = "Leave it at the harbour office when nobody is in. ";

/// Attributes beside keys and `note`: name, value as JSON, size as DynamoDB counts it (number: two digits a byte and
/// one; boolean: 1; list and map: 3, and 1 for each element beside its own size).
const ATTRIBUTES: &[(&str, &str, usize)] = &[
    ("email", r#"{"S":"helena.lindqvist@example.com"}"#, 28),
    ("status", r#"{"S":"PACKED"}"#, 6),
    ("revision", r#"{"N":"1999999991"}"#, 6),
    ("gift", r#"{"BOOL":false}"#, 1),
    ("tags", r#"{"SS":["fragile","north","prepaid"]}"#, 19),
    (
        "address",
        r#"{"M":{"street":{"S":"12 Harbour Road"},"city":{"S":"Lerwick"},"zip":{"S":"ZE1 0LL"}}}"#,
        3 + (1 + 6 + 15) + (1 + 4 + 7) + (1 + 3 + 7),
    ),
    ("total", r#"{"N":"149.95"}"#, 4),
];

/// Which keys the table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Shape {
    /// `id` alone, each item under its own; no index.
    #[default]
    Single,
    /// `id` and `line`: 100 lines under each `id`; index [`INDEX`]: 100 items under each `customer`, each of another
    /// `id`. Successive items are of changing `id`s and customers.
    Lines,
}

/// The values of an item that come from its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) key: u64,
    pub(crate) line: u64,
    pub(crate) customer: u64,
    pub(crate) created: u64,
}

impl Shape {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Single => "single",
            Shape::Lines => "lines",
        }
    }

    /// The body of the CreateTable for `table`.
    pub fn create_table(self, table: &str) -> String {
        let attribute =
            |name: &str, kind: &str| format!(r#"{{"AttributeName":"{name}","AttributeType":"{kind}"}}"#);
        let keys = |names: &[(&str, &str)]| {
            let one =
                |(name, kind): &(&str, &str)| format!(r#"{{"AttributeName":"{name}","KeyType":"{kind}"}}"#);
            names.iter().map(one).collect::<Vec<_>>().join(",")
        };
        let head = format!(r#"{{"TableName":"{table}","BillingMode":"PAY_PER_REQUEST""#);
        let id = attribute("id", "S");
        match self {
            Shape::Single => {
                let keys = keys(&[("id", "HASH")]);
                format!(r#"{head},"KeySchema":[{keys}],"AttributeDefinitions":[{id}]}}"#)
            }
            Shape::Lines => {
                let rest = [attribute("line", "S"), attribute("customer", "S"), attribute("createdAt", "N")];
                let index_keys = keys(&[("customer", "HASH"), ("createdAt", "RANGE")]);
                let keys = keys(&[("id", "HASH"), ("line", "RANGE")]);
                format!(
                    r#"{head},"KeySchema":[{keys}],"AttributeDefinitions":[{id},{}],"GlobalSecondaryIndexes":[{{"IndexName":"{INDEX}","KeySchema":[{index_keys}],"Projection":{{"ProjectionType":"ALL"}}}}]}}"#,
                    rest.join(",")
                )
            }
        }
    }

    pub(crate) fn place(self, index: u64) -> Place {
        match self {
            Shape::Single => Place { key: scatter(index), line: 0, customer: 0, created: 0 },
            Shape::Lines => {
                let block = index / BLOCK_ITEMS;
                // 7919 is prime and no divisor of 10,000, so this runs through the whole block in leaps.
                let within = index % BLOCK_ITEMS * 7919 % BLOCK_ITEMS;
                let (order, line) = (block * GROUP_ITEMS + within / GROUP_ITEMS, within % GROUP_ITEMS);
                Place { key: scatter(order), line, customer: block * GROUP_ITEMS + line, created: order }
            }
        }
    }

    /// Keys of the group number `group`: of all lines of an `id`, and of all items of a customer.
    pub(crate) fn group(group: u64) -> Place {
        Place { key: scatter(group), line: 0, customer: group, created: 0 }
    }

    /// The key of an item in JSON, with marks.
    pub(crate) fn key_json(self) -> String {
        let id = format!(r#""id":{{"S":"{KEY_MARK}"}}"#);
        match self {
            Shape::Single => id,
            Shape::Lines => format!(r#"{id},"line":{{"S":"{LINE_MARK}"}}"#),
        }
    }

    /// The item in JSON, with marks.
    pub(crate) fn item_json(self) -> String {
        let (customer, created) = match self {
            Shape::Single => ("customer-00004711", "1764000000123"),
            Shape::Lines => (CUSTOMER_MARK, CREATED_MARK),
        };
        let mut json = format!(
            r#"{{{},"customer":{{"S":"{customer}"}},"createdAt":{{"N":"{created}"}}"#,
            self.key_json()
        );
        let mut size = "id".len() + KEY_BYTES + "customer".len() + customer.len() + "createdAt".len() + 8;
        if self == Shape::Lines {
            size += "line".len() + LINE_MARK.len();
        }
        for (name, value, value_size) in ATTRIBUTES {
            json.push_str(&format!(r#","{name}":{value}"#));
            size += name.len() + value_size;
        }
        let note_length = ITEM_BYTES.saturating_sub(size + "note".len());
        let note: String = NOTE.chars().cycle().take(note_length).collect();
        json.push_str(&format!(r#","note":{{"S":"{note}"}}}}"#));
        json
    }
}

/// A bijection of u64, so that successive items have keys that are neither sorted nor equal.
fn scatter(index: u64) -> u64 {
    let mut x = index.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{HashMap, HashSet};

    #[test]
    fn keys_do_not_repeat() {
        let keys: HashSet<u64> = (0..100_000).map(scatter).collect();
        assert_eq!(keys.len(), 100_000);
    }

    #[test]
    fn each_order_and_each_customer_has_100_lines_with_one_in_common() {
        let places: Vec<Place> = (0..2 * BLOCK_ITEMS).map(|index| Shape::Lines.place(index)).collect();
        let distinct: HashSet<(u64, u64)> = places.iter().map(|place| (place.key, place.line)).collect();
        assert_eq!(distinct.len(), places.len());
        let mut lines: HashMap<u64, u64> = HashMap::new();
        let mut orders: HashMap<u64, HashSet<u64>> = HashMap::new();
        for place in &places {
            *lines.entry(place.key).or_default() += 1;
            assert!(orders.entry(place.customer).or_default().insert(place.key));
        }
        assert!(lines.values().all(|count| *count == GROUP_ITEMS));
        assert!(orders.values().all(|keys| keys.len() as u64 == GROUP_ITEMS));
        let groups: HashSet<u64> = (0..2 * GROUP_ITEMS).map(|group| Shape::group(group).key).collect();
        assert_eq!(groups, lines.keys().copied().collect());
        assert!((0..2 * GROUP_ITEMS).all(|group| orders.contains_key(&group)));
    }

    #[test]
    fn tables_are_valid_json() {
        for shape in [Shape::Single, Shape::Lines] {
            let body: serde_json::Value = serde_json::from_str(&shape.create_table("orders")).unwrap();
            assert_eq!(body["TableName"], "orders");
        }
    }
}
