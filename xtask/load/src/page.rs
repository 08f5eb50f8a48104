//! What answers to Query and Scan say about themselves, found without reading the items: a generator that parsed each
//! answer would take the cores from the server. The first answers of each thread are read in full.

use crate::item::ITEM_BYTES;

/// How much of each end of a body is searched before its middle: members beside the items stand at an end.
const END_BYTES: usize = 512;

/// The value of the member `Count`.
pub fn count(body: &[u8]) -> Option<u64> {
    number(body, b"\"Count\"")
}

fn number(body: &[u8], name: &[u8]) -> Option<u64> {
    let at = member(body, name)?;
    let digits = body[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&body[at..at + digits]).ok()?.parse().ok()
}

/// The value of the member `ScannedCount`.
pub fn scanned(body: &[u8]) -> Option<u64> {
    number(body, b"\"ScannedCount\"")
}

/// The value of the member `LastEvaluatedKey`, as it stands; `None` where the page was the last one.
pub fn last_key(body: &[u8]) -> Option<&str> {
    let at = member(body, b"\"LastEvaluatedKey\"")?;
    let (mut depth, mut is_string, mut is_escaped) = (0usize, false, false);
    for (length, byte) in (1..).zip(&body[at..]) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' if !is_string => depth += 1,
            b'}' if !is_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return std::str::from_utf8(&body[at..at + length]).ok();
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether the body is what it says: as many items as it counts, each of about the size that was written.
pub fn verify(body: &[u8]) -> Result<(), String> {
    let value: serde_json::Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let items = value["Items"].as_array().ok_or("no Items")?;
    if value["Count"].as_u64() != Some(items.len() as u64) || count(body) != Some(items.len() as u64) {
        return Err(format!("{} items, but Count is {}", items.len(), value["Count"]));
    }
    match items.iter().find(|item| item.to_string().len() < ITEM_BYTES || item.get("note").is_none()) {
        Some(item) => Err(format!("an item is not whole: {item}")),
        None => Ok(()),
    }
}

/// Where the value of a member begins. Its name with quotes does not occur in items.
fn member(body: &[u8], name: &[u8]) -> Option<usize> {
    let tail = body.len().saturating_sub(END_BYTES);
    let find =
        |from: usize, to: usize| Some(from + body[from..to].windows(name.len()).position(|it| it == name)?);
    let at = find(tail, body.len()).or_else(|| find(0, body.len().min(END_BYTES)))?;
    let blank = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b':';
    Some(at + name.len() + body[at + name.len()..].iter().take_while(blank).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_at_either_end() {
        let items = format!(r#""Items":[{}]"#, "1,".repeat(5_000));
        let key = r#"{"id":{"S":"a}\"}"},"line":{"N":"1"}}"#;
        for body in [
            format!(r#"{{"Count":42,"LastEvaluatedKey":{key},"ScannedCount":43,{items}}}"#),
            format!(r#"{{{items},"ScannedCount": 43, "Count": 42, "LastEvaluatedKey": {key}}}"#),
        ] {
            assert_eq!(count(body.as_bytes()), Some(42));
            assert_eq!(scanned(body.as_bytes()), Some(43));
            assert_eq!(last_key(body.as_bytes()), Some(key));
        }
        assert_eq!(count(b"{}"), None);
        assert_eq!(last_key(br#"{"Count":1}"#), None);
        assert_eq!(last_key(br#"{"LastEvaluatedKey":{"id""#), None);
    }

    #[test]
    fn a_page_is_what_it_says() {
        let item = format!(r#"{{"id":{{"S":"a"}},"note":{{"S":"{}"}}}}"#, "x".repeat(ITEM_BYTES));
        let page =
            |items: &str, count: u64| verify(format!(r#"{{"Items":[{items}],"Count":{count}}}"#).as_bytes());
        assert_eq!(page(&format!("{item},{item}"), 2), Ok(()));
        assert!(page(&item, 2).is_err());
        assert!(page(r#"{"id":{"S":"a"}}"#, 1).is_err());
    }
}
