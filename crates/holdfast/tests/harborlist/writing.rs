//! Loads everything with BatchWriteItem, over several connections.

use super::expected::{is_changed, is_deleted};
use super::load::Server;
use super::records::Kind;
use super::tables::Table;
use std::sync::atomic::{AtomicU64, Ordering};

/// Connections.
const WRITERS: u64 = 8;
/// Requests of one batch. Source: AWS's limit.
const BATCH: u64 = 25;

/// Puts every item, then puts some again and deletes some. Answers how many requests were written.
pub fn load(server: &Server, kinds: &[(Kind, &Table)], listings: u64) -> u64 {
    let mut written = 0;
    for (kind, table) in kinds {
        let numbers: Vec<u64> = (0..kind.count(listings)).collect();
        written += write(server, &numbers, &|number| put(*kind, number, listings, false), table.name);
        let touched: Vec<u64> = numbers.into_iter().filter(|n| is_changed(*n) || is_deleted(*n)).collect();
        let touch = |number| {
            if is_deleted(number) {
                delete(*kind, table, number, listings)
            } else {
                put(*kind, number, listings, true)
            }
        };
        written += write(server, &touched, &touch, table.name);
    }
    written
}

fn put(kind: Kind, number: u64, listings: u64, changed: bool) -> String {
    format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, kind.item(number, listings, changed).json())
}

fn delete(kind: Kind, table: &Table, number: u64, listings: u64) -> String {
    let key = kind.item(number, listings, false).key(table.key.iter().map(|(name, _)| *name));
    format!(r#"{{"DeleteRequest":{{"Key":{key}}}}}"#)
}

fn write(server: &Server, numbers: &[u64], request: &(impl Fn(u64) -> String + Sync), table: &str) -> u64 {
    let next = AtomicU64::new(0);
    let batches = numbers.chunks(BATCH as usize).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        for _ in 0..WRITERS.min(batches.len() as u64) {
            scope.spawn(|| {
                let mut client = server.client();
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let requests: Vec<String> = batch.iter().map(|number| request(*number)).collect();
                    let body = format!(r#"{{"RequestItems":{{"{table}":[{}]}}}}"#, requests.join(","));
                    let (status, answer) = client.call("BatchWriteItem", &body).expect("answers");
                    assert_eq!((status, answer.as_str()), (200, r#"{"UnprocessedItems":{}}"#));
                }
            });
        }
    });
    numbers.len() as u64
}
