//! Whether as much was counted as was answered.

use crate::bench::server::Server;
use crate::bench::session::TABLE;
use anyhow::{Context as _, Result, bail};
use holdfast_load::call;
use serde_json::Value;

/// Reads the whole table and compares the sum of `seen` with the updates that were answered, each of which added 1.
///
/// # Errors
/// If they differ, or a page cannot be read.
pub fn check(server: &Server, answered: u64) -> Result<()> {
    let mut counted = 0;
    let mut start = None;
    loop {
        let (status, answer) = call::operation(server.address, "Scan", &request(start.as_ref()))?;
        if status != 200 {
            bail!("Scan: {status} {}", String::from_utf8_lossy(&answer));
        }
        let page: Value = serde_json::from_slice(&answer).context("a page of counts")?;
        counted += sum(&page)?;
        start = page.get("LastEvaluatedKey").cloned();
        if start.is_none() {
            break;
        }
    }
    if counted != answered {
        bail!("{answered} updates were answered, but the items count {counted}");
    }
    Ok(())
}

fn request(start: Option<&Value>) -> String {
    let start = start.map(|key| format!(r#","ExclusiveStartKey":{key}"#)).unwrap_or_default();
    format!(r#"{{"TableName":"{TABLE}","ProjectionExpression":"seen"{start}}}"#)
}

/// The sum of `seen` over the items of a page; those that were never updated have none.
fn sum(page: &Value) -> Result<u64> {
    let items = page["Items"].as_array().context("a page without Items")?;
    let seen = items.iter().filter_map(|item| item.get("seen"));
    seen.map(|seen| {
        let number = seen["N"].as_str().and_then(|text| text.parse::<u64>().ok());
        number.with_context(|| format!("not a count: {seen}"))
    })
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_page_are_added_up() {
        let page = serde_json::json!({"Items": [{"seen": {"N": "3"}}, {}, {"seen": {"N": "40"}}]});
        assert_eq!(sum(&page).unwrap(), 43);
        assert!(sum(&serde_json::json!({})).is_err());
        assert!(sum(&serde_json::json!({"Items": [{"seen": {"S": "3"}}]})).is_err());
    }

    #[test]
    fn a_page_goes_on_behind_a_key() {
        let key = serde_json::json!({"id": {"S": "a"}});
        let body: Value = serde_json::from_str(&request(Some(&key))).unwrap();
        assert_eq!(body["ExclusiveStartKey"], key);
        assert!(!request(None).contains("ExclusiveStartKey"));
    }
}
