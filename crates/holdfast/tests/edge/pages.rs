//! Long reads beside short ones, and large answers.

use super::server::Server;
use crc32fast::hash;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const SCANS: usize = 16;
const GETS: usize = 300;

/// Sixteen clients take pages of a megabyte one after the other; points are read and written beside them. Sixteen are many
/// times the threads of the edge: if pages were read there, nobody else would get in between.
#[test]
fn points_are_read_while_many_scan() {
    let server = Server::start(&[]).with_table();
    let mut connection = server.connect();
    let value = "x".repeat(20_000);
    for key in 0..150 {
        let put = format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{key}"}},"v":{{"S":"{value}"}}}}}}"#);
        assert_eq!(connection.call("PutItem", put).status, 200);
    }
    let (done, pages) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..SCANS {
            scope.spawn(|| {
                let mut connection = server.connect();
                while !done.load(Ordering::Relaxed) {
                    let answer = connection.call("Scan", r#"{"TableName":"tab"}"#);
                    assert!(answer.status == 200 && answer.bytes.len() > 1_000_000);
                    assert!(answer.text().contains("LastEvaluatedKey"));
                    pages.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for number in 0..GETS {
            let get = format!(r#"{{"TableName":"tab","Key":{{"k":{{"S":"{}"}}}}}}"#, number % 150);
            let answer = connection.call("GetItem", get);
            assert!(answer.status == 200 && answer.bytes.len() > value.len());
            let put = format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"new {number}"}}}}}}"#);
            assert_eq!(connection.call("PutItem", put).status, 200);
        }
        done.store(true, Ordering::Relaxed);
    });
    // Each client had its last page at least.
    assert!(pages.load(Ordering::Relaxed) as usize >= SCANS);
}

/// A cancelled transaction that shows its items is larger than many a page: it is made on the pool, and whole.
#[test]
fn a_large_refusal_is_an_answer_like_others() {
    let server = Server::start(&[]).with_table();
    let mut connection = server.connect();
    let nulls = vec![r#"{"NULL":true}"#; 100_000].join(",");
    let check = |key: usize| {
        format!(
            r#"{{"ConditionCheck":{{"TableName":"tab","Key":{{"k":{{"S":"{key}"}}}},
                "ConditionExpression":"attribute_not_exists(k)","ReturnValuesOnConditionCheckFailure":"ALL_OLD"}}}}"#
        )
    };
    for key in 0..9 {
        let put = format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{key}"}},"l":{{"L":[{nulls}]}}}}}}"#);
        assert_eq!(connection.call("PutItem", put).status, 200);
    }
    let checks: Vec<String> = (0..9).map(check).collect();
    let transaction = format!(r#"{{"TransactItems":[{}]}}"#, checks.join(","));
    for _ in 0..3 {
        let answer = connection.call("TransactWriteItems", transaction.as_str());
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("x-amz-crc32"), Some(hash(&answer.bytes).to_string().as_str()));
        let text = answer.text();
        assert_eq!(text.matches(r#""Code":"ConditionalCheckFailed","Item":{"k":{"S":""#).count(), 9);
        assert!(text.len() > 9 * nulls.len());
    }
}
