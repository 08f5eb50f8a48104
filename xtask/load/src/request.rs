//! What is sent: whole HTTP requests as bytes in which only keys and a revision number are patched before each send.

use crate::item::{
    CREATED_MARK, CUSTOMER_MARK, DECIMAL_DIGITS, INDEX, KEY_DIGITS, KEY_MARK, KEY_PREFIX, LINE_MARK, Place,
    REVISION_MARK, Shape,
};

/// Items in one BatchWriteItem, as many as it may hold.
pub const BATCH_ITEMS: u64 = 25;
/// Puts in one TransactWriteItems.
pub const TRANSACTION_ITEMS: u64 = 4;
const DECIMAL_LIMIT: u64 = 10u64.pow(DECIMAL_DIGITS as u32);

/// Where requests go and what they carry in their head.
#[derive(Clone, Debug)]
pub struct Target {
    /// `address:port` of the server.
    pub host: String,
    /// The table.
    pub table: String,
    /// The time of the header X-Amz-Date.
    pub amz_date: String,
    /// Which keys the table has.
    pub shape: Shape,
}

/// A value that is patched.
#[derive(Clone, Copy)]
enum Part {
    Key,
    Line,
    Customer,
    Created,
    Revision,
}

/// A mark, how many of its bytes stand before the digits that are patched, and what they are.
const MARKS: [(&str, usize, Part); 5] = [
    (KEY_MARK, KEY_PREFIX.len(), Part::Key),
    (LINE_MARK, "line-".len(), Part::Line),
    (CUSTOMER_MARK, "customer-".len(), Part::Customer),
    (CREATED_MARK, "1764".len(), Part::Created),
    (REVISION_MARK, "1".len(), Part::Revision),
];

/// One place that changes: where, what, and of which item of the request.
#[derive(Clone, Copy)]
struct Change {
    at: usize,
    part: Part,
    item: u64,
}

/// A request as bytes, with the places that change.
#[derive(Clone)]
pub struct Template {
    bytes: Vec<u8>,
    changes: Vec<Change>,
    shape: Shape,
    /// Whether numbers mean groups of items and not items.
    is_of_groups: bool,
}

impl Template {
    /// A PutItem of a 430-byte item.
    pub fn put(target: &Target) -> Template {
        let (table, item) = (&target.table, target.shape.item_json());
        Template::new(target, "PutItem", &format!(r#"{{"TableName":"{table}","Item":{item}}}"#), false)
    }

    /// A BatchWriteItem of 25 items.
    pub fn batch(target: &Target) -> Template {
        let put = format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, target.shape.item_json());
        let puts = vec![put; BATCH_ITEMS as usize].join(",");
        let body = format!(r#"{{"RequestItems":{{"{}":[{puts}]}}}}"#, target.table);
        Template::new(target, "BatchWriteItem", &body, false)
    }

    /// A TransactWriteItems of 4 puts, `with_token` with a ClientRequestToken that goes with its items.
    pub fn transaction(target: &Target, with_token: bool) -> Template {
        let (table, item) = (&target.table, target.shape.item_json());
        let put = format!(r#"{{"Put":{{"TableName":"{table}","Item":{item}}}}}"#);
        let puts = vec![put; TRANSACTION_ITEMS as usize].join(",");
        // Behind the puts, the mark takes the key of the item after them: another one in each transaction.
        let token = if with_token { format!(r#","ClientRequestToken":"{KEY_MARK}""#) } else { String::new() };
        Template::new(target, "TransactWriteItems", &format!(r#"{{"TransactItems":[{puts}]{token}}}"#), false)
    }

    /// An UpdateItem that counts on the condition that the item is there.
    pub fn update(target: &Target) -> Template {
        let (table, key) = (&target.table, target.shape.key_json());
        let body = format!(
            r#"{{"TableName":"{table}","Key":{{{key}}},"UpdateExpression":"ADD seen :one","ConditionExpression":"attribute_exists(id)","ExpressionAttributeValues":{{":one":{{"N":"1"}}}}}}"#
        );
        Template::new(target, "UpdateItem", &body, false)
    }

    /// A GetItem.
    pub fn get(target: &Target) -> Template {
        let (table, key) = (&target.table, target.shape.key_json());
        Template::new(target, "GetItem", &format!(r#"{{"TableName":"{table}","Key":{{{key}}}}}"#), false)
    }

    /// A Query for all items of one partition key of the table.
    pub fn query_table(target: &Target) -> Template {
        let table = &target.table;
        let body = format!(
            r#"{{"TableName":"{table}","KeyConditionExpression":"id = :id","ExpressionAttributeValues":{{":id":{{"S":"{KEY_MARK}"}}}}}}"#
        );
        Template::new(target, "Query", &body, true)
    }

    /// A Query for all items of one partition key of the index.
    pub fn query_index(target: &Target) -> Template {
        let table = &target.table;
        let body = format!(
            r#"{{"TableName":"{table}","IndexName":"{INDEX}","KeyConditionExpression":"customer = :customer","ExpressionAttributeValues":{{":customer":{{"S":"{CUSTOMER_MARK}"}}}}}}"#
        );
        Template::new(target, "Query", &body, true)
    }

    fn new(target: &Target, operation: &str, body: &str, is_of_groups: bool) -> Template {
        let bytes = render(&target.host, &target.amz_date, operation, body);
        let mut changes = Vec::new();
        for (mark, before, part) in MARKS {
            let places = bytes.windows(mark.len()).enumerate().filter(|(_, bytes)| *bytes == mark.as_bytes());
            // A mark stands at most once in each item.
            let numbered = (0..).zip(places.map(|(at, _)| at + before));
            changes.extend(numbered.map(|(item, at)| Change { at, part, item }));
        }
        Template { bytes, changes, shape: target.shape, is_of_groups }
    }

    /// Puts in the keys of item number `index` (of a batch: of its first one; of a Query: of group number `index`) and,
    /// where the request carries items, `revision`.
    pub fn patch(&mut self, index: u64, revision: u64) {
        let mut last: Option<(u64, Place)> = None;
        for change in &self.changes {
            let place = match last {
                Some((item, place)) if item == change.item => place,
                _ if self.is_of_groups => Shape::group(index),
                _ => self.shape.place(index.wrapping_add(change.item)),
            };
            last = Some((change.item, place));
            let (value, digits) = match change.part {
                Part::Key => (place.key, KEY_DIGITS),
                Part::Line => (place.line, DECIMAL_DIGITS),
                Part::Customer => (place.customer, DECIMAL_DIGITS),
                Part::Created => (place.created, DECIMAL_DIGITS),
                Part::Revision => (revision, DECIMAL_DIGITS),
            };
            let to = &mut self.bytes[change.at..change.at + digits];
            match change.part {
                Part::Key => write_hexadecimal(to, value),
                _ => write_decimal(to, value % DECIMAL_LIMIT),
            }
        }
    }

    /// The request as it goes out.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A Scan for one page, from `start`, the key in JSON after which it begins, or from the beginning. With `filter`, what
/// [`filter_for`] makes, it shows only what that lets through.
pub fn scan(target: &Target, filter: &str, start: Option<&str>) -> Vec<u8> {
    let start = start.map(|key| format!(r#","ExclusiveStartKey":{key}"#)).unwrap_or_default();
    let body = format!(r#"{{"TableName":"{}"{filter}{start}}}"#, target.table);
    render(&target.host, &target.amz_date, "Scan", &body)
}

/// Members of a Scan that lets one item of a hundred through, of a table of lines with so many blocks of items.
pub fn filter_for(blocks: u64) -> String {
    // Each block has a hundred orders, numbered by `createdAt` from block to block.
    let last = CREATED_MARK.replace(&"9".repeat(DECIMAL_DIGITS), &format!("{:08}", blocks.max(1) - 1));
    let first = CREATED_MARK.replace(&"9".repeat(DECIMAL_DIGITS), &"0".repeat(DECIMAL_DIGITS));
    format!(
        r#","FilterExpression":"createdAt BETWEEN :first AND :last","ExpressionAttributeValues":{{":first":{{"N":"{first}"}},":last":{{"N":"{last}"}}}}"#
    )
}

/// A whole request. The Authorization header has the form and the length of a signature, which is what a server that
/// does not know the secret reads; its value is fixed, since a real one would differ for each key.
pub fn render(host: &str, amz_date: &str, operation: &str, body: &str) -> Vec<u8> {
    let day = amz_date.get(..8).unwrap_or("20260101");
    format!(
        "POST / HTTP/1.1\r\n\
         Host: {host}\r\n\
         Accept-Encoding: identity\r\n\
         X-Amz-Target: DynamoDB_20120810.{operation}\r\n\
         Content-Type: application/x-amz-json-1.0\r\n\
         User-Agent: holdfast-load\r\n\
         X-Amz-Date: {amz_date}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{day}/us-east-1/dynamodb/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
         Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn write_hexadecimal(to: &mut [u8], mut value: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

fn write_decimal(to: &mut [u8], mut value: u64) {
    for digit in to.iter_mut().rev() {
        *digit = b"0123456789"[(value % 10) as usize];
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{ITEM_BYTES, KEY_BYTES};
    use serde_json::Value;
    use std::collections::HashSet;

    fn target(shape: Shape) -> Target {
        Target {
            host: "127.0.0.1:8000".into(),
            table: "orders".into(),
            amz_date: "20261124T081500Z".into(),
            shape,
        }
    }

    fn body(request: &[u8]) -> Value {
        let text = std::str::from_utf8(request).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), body.len());
        serde_json::from_str(body).unwrap()
    }

    /// DynamoDB's rule for the size of an item, written over the JSON, against the constant that is claimed.
    fn size(value: &Value) -> usize {
        let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "S" => value.as_str().unwrap().len(),
            "N" => value.as_str().unwrap().chars().filter(char::is_ascii_digit).count().div_ceil(2) + 1,
            "BOOL" => 1,
            "SS" => value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().len()).sum(),
            "M" => {
                3 + value
                    .as_object()
                    .unwrap()
                    .iter()
                    .map(|(name, one)| 1 + name.len() + size(one))
                    .sum::<usize>()
            }
            other => panic!("{other} is not used"),
        }
    }

    #[test]
    fn the_item_has_430_bytes_whatever_is_patched() {
        for shape in [Shape::Single, Shape::Lines] {
            let mut put = Template::put(&target(shape));
            for (index, revision) in [(0, 0), (7, 1), (u64::MAX, 99_999_999), (12, u64::MAX)] {
                put.patch(index, revision);
                let body = body(put.bytes());
                let item = body["Item"].as_object().unwrap();
                let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
                assert_eq!(bytes, ITEM_BYTES);
                assert_eq!(
                    item["revision"]["N"].as_str().unwrap(),
                    format!("1{:08}1", revision % 100_000_000)
                );
            }
        }
    }

    #[test]
    fn a_get_asks_for_the_key_of_the_put() {
        for shape in [Shape::Single, Shape::Lines] {
            let mut put = Template::put(&target(shape));
            let mut get = Template::get(&target(shape));
            put.patch(42, 5);
            get.patch(42, 5);
            let (put, get) = (body(put.bytes()), body(get.bytes()));
            for (name, value) in get["Key"].as_object().unwrap() {
                assert_eq!(&put["Item"][name], value);
            }
            assert_eq!(put["Item"]["id"]["S"].as_str().unwrap().len(), KEY_BYTES);
        }
    }

    #[test]
    fn a_batch_holds_the_items_of_25_puts() {
        let mut batch = Template::batch(&target(Shape::Lines));
        let mut put = Template::put(&target(Shape::Lines));
        batch.patch(175, 9);
        let batch = body(batch.bytes());
        let requests = batch["RequestItems"]["orders"].as_array().unwrap();
        assert_eq!(requests.len(), 25);
        for (request, index) in requests.iter().zip(175..) {
            put.patch(index, 9);
            assert_eq!(request["PutRequest"]["Item"], body(put.bytes())["Item"]);
        }
    }

    #[test]
    fn a_query_names_a_group_that_puts_have_filled() {
        let target = target(Shape::Lines);
        let mut put = Template::put(&target);
        let (mut ids, mut customers) = (HashSet::new(), HashSet::new());
        for index in 0..crate::item::BLOCK_ITEMS {
            put.patch(index, 0);
            let body = body(put.bytes());
            ids.insert(body["Item"]["id"].to_string());
            customers.insert(body["Item"]["customer"].to_string());
        }
        let (mut table, mut index) = (Template::query_table(&target), Template::query_index(&target));
        for group in [0, 57, 99] {
            table.patch(group, 0);
            index.patch(group, 0);
            let values = |template: &Template| body(template.bytes())["ExpressionAttributeValues"].clone();
            assert!(ids.contains(&values(&table)[":id"].to_string()));
            assert!(customers.contains(&values(&index)[":customer"].to_string()));
        }
    }

    #[test]
    fn a_scan_goes_on_after_a_key() {
        let target = target(Shape::Lines);
        assert!(body(&scan(&target, "", None)).get("ExclusiveStartKey").is_none());
        let body = body(&scan(&target, "", Some(r#"{"id":{"S":"a"}}"#)));
        assert_eq!(body["ExclusiveStartKey"]["id"]["S"], "a");
    }

    #[test]
    fn a_filter_lets_one_of_a_hundred_items_through() {
        let target = target(Shape::Lines);
        let blocks = 3;
        let values = body(&scan(&target, &filter_for(blocks), None))["ExpressionAttributeValues"].clone();
        let number = |value: &Value| value["N"].as_str().unwrap().parse::<u64>().unwrap();
        let (first, last) = (number(&values[":first"]), number(&values[":last"]));
        let mut put = Template::put(&target);
        let through = (0..blocks * crate::item::BLOCK_ITEMS).filter(|index| {
            put.patch(*index, 0);
            (first..=last).contains(&number(&body(put.bytes())["Item"]["createdAt"]))
        });
        assert_eq!(through.count() as u64, blocks * crate::item::BLOCK_ITEMS / 100);
    }

    #[test]
    fn a_transaction_holds_the_items_of_4_puts_and_an_update_names_one() {
        let target = target(Shape::Single);
        let (mut transaction, mut put) = (Template::transaction(&target, true), Template::put(&target));
        let mut update = Template::update(&target);
        transaction.patch(44, 9);
        let other = body(transaction.bytes());
        transaction.patch(40, 9);
        let transaction = body(transaction.bytes());
        assert!(transaction["ClientRequestToken"].is_string());
        assert_ne!(transaction["ClientRequestToken"], other["ClientRequestToken"]);
        let actions = transaction["TransactItems"].as_array().unwrap();
        assert_eq!(actions.len() as u64, TRANSACTION_ITEMS);
        for (action, index) in actions.iter().zip(40..) {
            put.patch(index, 9);
            update.patch(index, 0);
            let item = body(put.bytes())["Item"].clone();
            assert_eq!(action["Put"]["Item"], item);
            assert_eq!(body(update.bytes())["Key"]["id"], item["id"]);
        }
    }
}
