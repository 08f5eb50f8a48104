//! gzip both ways. Source of statuses: public tests that run against DynamoDB.

use super::server::{Connection, Server, call_headers};
use crc32fast::hash;
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::GzEncoder;
use std::io::{Read, Write};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

fn put(key: &str, value: &str) -> String {
    format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{key}"}},"v":{{"S":"{value}"}}}}}}"#)
}

fn get(key: &str) -> String {
    format!(r#"{{"TableName":"tab","Key":{{"k":{{"S":"{key}"}}}}}}"#)
}

fn call_packed(connection: &mut Connection, coding: &str, body: &[u8]) -> u16 {
    let headers = format!("{}Content-Encoding: {coding}\r\n", call_headers("PutItem"));
    connection.ask("POST /", &headers, body).status
}

#[test]
fn packed_requests_are_unpacked_and_bounded() {
    let server = Server::start(&[]).with_table();
    let mut connection = server.connect();
    let body = put("a", "one");
    let whole = gzip(body.as_bytes());
    let (left, right) = body.split_at(10);
    let two = [gzip(left.as_bytes()), gzip(right.as_bytes())].concat();
    let junk = [&whole[..], b"junk"].concat();
    let large = gzip(put("large", &"x".repeat(300_000)).as_bytes());
    for (what, coding, body) in [
        ("one stream", "gzip", &whole),
        ("two streams", "GZIP", &two),
        ("junk behind it is left out", "gzip", &junk),
        ("a large one", "gzip", &large),
    ] {
        assert_eq!(call_packed(&mut connection, coding, body), 200, "{what}");
    }
    assert!(connection.call("GetItem", get("large")).text().len() > 300_000);

    let broken = put("broken", "one");
    let packed = gzip(broken.as_bytes());
    for (what, coding, body) in [
        ("another coding", "garbage", broken.as_bytes()),
        ("not packed", "gzip", broken.as_bytes()),
        ("broken off", "gzip", &packed[..packed.len() - 1]),
        ("nothing", "gzip", b""),
    ] {
        assert_eq!(call_packed(&mut connection, coding, body), 500, "{what}");
    }
    // A bomb: small on the wire, and more than any body may be.
    let spaces = format!("{}{}", &broken[..broken.len() - 1], " ".repeat(16 << 20));
    let bomb = gzip(format!("{spaces}}}").as_bytes());
    assert!(bomb.len() < 100_000);
    for _ in 0..20 {
        assert_eq!(call_packed(&mut connection, "gzip", &bomb), 413);
    }
    assert_eq!(connection.call("GetItem", get("broken")).text(), "{}", "nothing of it was done");
    assert_eq!(call_packed(&mut connection, "gzip", &whole), 200, "and the connection goes on");
}

#[test]
fn large_answers_are_packed_for_those_who_ask_and_the_checksum_is_that_of_the_wire() {
    let server = Server::start(&[]).with_table();
    let mut connection = server.connect();
    // Answers of 4,096 bytes and of one less; and one that takes longer to pack.
    let around = r#"{"Item":{"k":{"S":"a"},"v":{"S":""}}}"#.len();
    for (key, len) in [("a", 4_096 - around), ("b", 4_095 - around), ("c", 200_000)] {
        assert_eq!(connection.call("PutItem", put(key, &"x".repeat(len))).status, 200);
    }
    for (key, accept, packed) in [
        ("a", "gzip", Some("gzip")),
        ("a", "deflate, gzip;q=0.5", Some("deflate")),
        ("a", "identity", None),
        ("a", "br", None),
        ("b", "gzip", None),
        ("c", "gzip, deflate, br", Some("gzip")),
        ("c", "deflate", Some("deflate")),
        ("c", "", None),
    ] {
        let headers = format!("{}Accept-Encoding: {accept}\r\n", call_headers("GetItem"));
        let answer = connection.ask("POST /", &headers, get(key));
        assert_eq!(answer.header("content-encoding"), packed, "{key} {accept}");
        assert_eq!(answer.header("x-amz-crc32"), Some(hash(&answer.bytes).to_string().as_str()));
        assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.0"));
        let mut text = String::new();
        match packed {
            Some("gzip") => GzDecoder::new(&answer.bytes[..]).read_to_string(&mut text).expect("gzip"),
            Some(_) => ZlibDecoder::new(&answer.bytes[..]).read_to_string(&mut text).expect("deflate"),
            None => {
                text.push_str(answer.text());
                0
            }
        };
        assert_eq!(text, connection.call("GetItem", get(key)).text());
        assert!(packed.is_none() || answer.bytes.len() < text.len() / 10);
    }
}
