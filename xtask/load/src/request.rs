//! What is sent: an item of 430 bytes, and whole HTTP requests as bytes in which only the key and a revision number
//! are patched before each send.

/// Size of the item as DynamoDB counts it: names, values, overhead of nested attributes.
pub const ITEM_BYTES: usize = 430;
/// Length of a key's value: a prefix and 16 hexadecimal digits.
pub const KEY_BYTES: usize = KEY_PREFIX.len() + KEY_DIGITS;

const KEY_PREFIX: &str = "order-";
const KEY_DIGITS: usize = 16;
const KEY_MARK: &str = "order-KKKKKKKKKKKKKKKK";
/// Ten digits that neither begin nor end with 0, so that the number's size stays the same whatever it is.
const REVISION_MARK: &str = "1999999991";
const REVISION_DIGITS: u64 = 100_000_000;

/// Attributes beside `id` and `note`: name, value as JSON, size as DynamoDB counts it (number: two digits a byte and
/// one; boolean: 1; list and map: 3, and 1 for each element beside its own size).
const ATTRIBUTES: &[(&str, &str, usize)] = &[
    ("customer", r#"{"S":"customer-00004711"}"#, 17),
    ("email", r#"{"S":"helena.lindqvist@example.com"}"#, 28),
    ("status", r#"{"S":"PACKED"}"#, 6),
    ("createdAt", r#"{"N":"1764000000123"}"#, 8),
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

/// A request as bytes, with the places that change.
#[derive(Clone)]
pub struct Template {
    bytes: Vec<u8>,
    key_at: usize,
    revision_at: Option<usize>,
}

impl Template {
    /// A PutItem of a 430-byte item into `table`, for the server at `host` (`address:port`).
    pub fn put(host: &str, table: &str, amz_date: &str) -> Template {
        let item = item_json();
        Template::new(host, amz_date, "PutItem", &format!(r#"{{"TableName":"{table}","Item":{item}}}"#))
    }

    /// A GetItem from `table`.
    pub fn get(host: &str, table: &str, amz_date: &str) -> Template {
        let body = format!(r#"{{"TableName":"{table}","Key":{{"id":{{"S":"{KEY_MARK}"}}}}}}"#);
        Template::new(host, amz_date, "GetItem", &body)
    }

    fn new(host: &str, amz_date: &str, operation: &str, body: &str) -> Template {
        let bytes = render(host, amz_date, operation, body);
        let find = |mark: &str| bytes.windows(mark.len()).position(|window| window == mark.as_bytes());
        let key_at = find(KEY_MARK).map_or(0, |at| at + KEY_PREFIX.len());
        let revision_at = find(REVISION_MARK).map(|at| at + 1);
        Template { key_at, revision_at, bytes }
    }

    /// Puts in the key of item number `index` and, where the request carries an item, `revision`.
    pub fn patch(&mut self, index: u64, revision: u64) {
        write_hexadecimal(&mut self.bytes[self.key_at..self.key_at + KEY_DIGITS], scatter(index));
        if let Some(at) = self.revision_at {
            write_decimal(&mut self.bytes[at..at + 8], revision % REVISION_DIGITS);
        }
    }

    /// The request as it goes out.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
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

/// A bijection of u64, so that successive items have keys that are neither sorted nor equal.
fn scatter(index: u64) -> u64 {
    let mut x = index.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn item_json() -> String {
    let mut json = format!(r#"{{"id":{{"S":"{KEY_MARK}"}}"#);
    let mut size = "id".len() + KEY_BYTES;
    for (name, value, value_size) in ATTRIBUTES {
        json.push_str(&format!(r#","{name}":{value}"#));
        size += name.len() + value_size;
    }
    let note_length = ITEM_BYTES.saturating_sub(size + "note".len());
    let note: String =
        "Leave it at the harbour office when nobody is in. ".chars().cycle().take(note_length).collect();
    json.push_str(&format!(r#","note":{{"S":"{note}"}}}}"#));
    json
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
    use serde_json::Value;
    use std::collections::HashSet;

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
        let mut put = Template::put("127.0.0.1:8000", "orders", "20261124T081500Z");
        for (index, revision) in [(0, 0), (7, 1), (u64::MAX, 99_999_999), (12, u64::MAX)] {
            put.patch(index, revision);
            let body = body(put.bytes());
            let item = body["Item"].as_object().unwrap();
            let bytes: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
            assert_eq!(bytes, ITEM_BYTES);
            assert_eq!(item["revision"]["N"].as_str().unwrap(), format!("1{:08}1", revision % 100_000_000));
        }
    }

    #[test]
    fn a_get_asks_for_the_key_of_the_put() {
        let mut put = Template::put("127.0.0.1:8000", "orders", "20261124T081500Z");
        let mut get = Template::get("127.0.0.1:8000", "orders", "20261124T081500Z");
        put.patch(42, 5);
        get.patch(42, 5);
        let put = body(put.bytes());
        assert_eq!(body(get.bytes())["Key"]["id"], put["Item"]["id"]);
        assert_eq!(put["Item"]["id"]["S"].as_str().unwrap().len(), KEY_BYTES);
    }

    #[test]
    fn keys_do_not_repeat() {
        let keys: HashSet<u64> = (0..100_000).map(scatter).collect();
        assert_eq!(keys.len(), 100_000);
    }
}
