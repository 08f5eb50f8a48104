//! Requests that are refused before they are calls, and how every answer looks.
//!
//! Source of statuses, texts and checksums: a public server's tests that were compared with DynamoDB.

use super::server::{Answer, JSON, SIGNED, Server, call_headers};
use crc32fast::hash;

const NOT_OF_THE_PROTOCOL: (u16, u32) = (404, 3_552_371_480);
const SERIALIZATION: (u16, u32) = (400, 3_948_637_019);
const UNKNOWN_OPERATION: (u16, u32) = (400, 1_368_724_161);
const MISSING_TOKEN: (u16, u32) = (400, 2_088_342_776);

/// What every answer has: an id of DynamoDB's form, and the checksum of its bytes.
fn assert_marked(answer: &Answer, request: &str) {
    let id = answer.header("x-amzn-requestid").unwrap_or_else(|| panic!("{request}: {answer:?}"));
    assert!(id.len() == 52 && id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
    let crc32 = answer.header("x-amz-crc32").unwrap_or_else(|| panic!("{request}: {answer:?}"));
    assert_eq!(crc32, hash(&answer.bytes).to_string(), "{request}");
    assert!(answer.header("date").is_some());
}

#[test]
fn refusals_have_the_bytes_of_dynamodb() {
    let server = Server::start(&[]);
    let list = "X-Amz-Target: DynamoDB_20120810.ListTables\r\n";
    let plain = "Content-Type: application/json\r\n";
    let both = [SIGNED, JSON, list].concat();
    for (request, headers, body, (status, crc32)) in [
        // The method, and the path of a GET.
        ("OPTIONS /", String::new(), "", NOT_OF_THE_PROTOCOL),
        ("PUT /", both.clone(), "{}", NOT_OF_THE_PROTOCOL),
        ("DELETE /", both.clone(), "", NOT_OF_THE_PROTOCOL),
        ("PATCH /x", both.clone(), "{}", NOT_OF_THE_PROTOCOL),
        ("GET /abc", String::new(), "", NOT_OF_THE_PROTOCOL),
        ("GET /health", String::new(), "", NOT_OF_THE_PROTOCOL),
        // The content type, where there is a body.
        ("POST /", String::new(), "hi", NOT_OF_THE_PROTOCOL),
        ("POST /", "Content-Type: whatever\r\n".to_owned(), "hi", NOT_OF_THE_PROTOCOL),
        ("POST /", "Content-Type: application/x-amz-json-1.1\r\n".to_owned(), "{}", NOT_OF_THE_PROTOCOL),
        ("POST /", "Content-Type: application/jsonasdf\r\n".to_owned(), "{}", NOT_OF_THE_PROTOCOL),
        ("POST /", [SIGNED, list].concat(), "{}", NOT_OF_THE_PROTOCOL),
        // Then whether it is JSON at all.
        ("POST /", plain.to_owned(), "hi", SERIALIZATION),
        ("POST /", JSON.to_owned(), "hi", SERIALIZATION),
        ("POST /", "Content-Type:   application/json  ;   asfd\r\n".to_owned(), "hi", SERIALIZATION),
        ("POST /", [JSON, list].concat(), "{", SERIALIZATION),
        // Then the operation.
        ("POST /", String::new(), "", UNKNOWN_OPERATION),
        ("POST /", plain.to_owned(), "{}", UNKNOWN_OPERATION),
        ("POST /", "Content-Type: application/json;charset=asfdsaf\r\n".to_owned(), "{}", UNKNOWN_OPERATION),
        ("POST /", "X-Amz-Target: whatever\r\n".to_owned(), "", UNKNOWN_OPERATION),
        ("POST /", "X-Amz-Target: DynamoDB_20120810.ListTable\r\n".to_owned(), "", UNKNOWN_OPERATION),
        ("POST /", "X-Amz-Target: DynamoDB_20120810.ListTables.x\r\n".to_owned(), "", UNKNOWN_OPERATION),
        (
            "POST /",
            "X-Amz-Target: DynamoDBStreams_20120810.ListStreams\r\n".to_owned(),
            "",
            UNKNOWN_OPERATION,
        ),
        ("POST /", [SIGNED, JSON].concat(), "{}", UNKNOWN_OPERATION),
        // Then who asks.
        ("POST /", list.to_owned(), "", MISSING_TOKEN),
        ("POST /", [JSON, list].concat(), "{}", MISSING_TOKEN),
        ("POST /", [list, "Authorization: AWS4\r\n"].concat(), "", MISSING_TOKEN),
        ("POST /?X-Amz-Algorith", [list, "Authorization: X\r\n"].concat(), "", MISSING_TOKEN),
        ("POST /?X-Amz-Algorithm", [list, "Authorization: X\r\n"].concat(), "", (400, 2_139_606_068)),
        ("POST /?X-Amz-Algorithm", list.to_owned(), "", (400, 2_900_502_663)),
        ("POST /", [list, "Authorization: AWS4-\r\n"].concat(), "", (400, 1_828_866_742)),
        // And last what is asked.
        ("POST /", both.clone(), "", SERIALIZATION),
        ("POST /", both.clone(), "hi", SERIALIZATION),
        ("POST /", both, "1", SERIALIZATION),
    ] {
        let answer = server.connect().ask(request, &headers, body);
        let what = format!("{request} {headers:?} {body:?}");
        assert_marked(&answer, &what);
        assert_eq!((answer.status, hash(&answer.bytes)), (status, crc32), "{what}: {answer:?}");
        let content_type = match status {
            404 => None,
            _ if headers.contains(JSON) => Some("application/x-amz-json-1.0"),
            _ => Some("application/json"),
        };
        assert_eq!(answer.header("content-type"), content_type, "{what}");
    }
}

#[test]
fn calls_are_answered_whatever_the_path_and_in_the_type_of_the_request() {
    let server = Server::start(&[]).with_table();
    let mut connection = server.connect();
    for (path, from, to) in [
        ("/", "application/x-amz-json-1.0", "application/x-amz-json-1.0"),
        ("/some/path?and=query", "application/json", "application/json"),
        ("/", "Application/JSON; charset=utf-8", "application/json"),
    ] {
        let headers = call_headers("ListTables").replace("application/x-amz-json-1.0", from);
        let answer = connection.ask(&format!("POST {path}"), &headers, "{}");
        assert_marked(&answer, path);
        assert_eq!((answer.status, answer.text()), (200, r#"{"TableNames":["tab"]}"#));
        assert_eq!(answer.header("content-type"), Some(to));
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    // The text of a `SerializationException` is in another member than all others.
    let answer = connection.call("ListTables", r#"{"Limit":"1"}"#);
    assert_marked(&answer, "a wrong type");
    assert_eq!(
        answer.text(),
        r#"{"__type":"com.amazon.coral.service#SerializationException","Message":"STRING_VALUE cannot be converted to Integer"}"#
    );
    let answer = connection.call("GetItem", r#"{"TableName":"none","Key":{"k":{"S":"a"}}}"#);
    assert_marked(&answer, "no such table");
    assert_eq!(
        answer.text(),
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#
    );
    let answer = connection.call("ListTables", r#"{"Limit":0}"#);
    assert!(
        answer.text().starts_with(r#"{"__type":"com.amazon.coral.validate#ValidationException","message":""#)
    );
}

#[test]
fn any_access_key_works_on_one_data_set_and_a_presigned_query_is_a_signature_too() {
    let server = Server::start(&[]).with_table();
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=other%2F20200101%2Feu-west-1%2Fdynamodb%2Faws4_request\
                 &X-Amz-Date=20200101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    let headers = format!("{JSON}X-Amz-Target: DynamoDB_20120810.DescribeTable\r\n");
    let answer = server.connect().ask(&format!("POST /?{query}"), &headers, r#"{"TableName":"tab"}"#);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("arn:aws:dynamodb:eu-west-1:"), "{}", answer.text());
    for (credential, code) in [
        ("a/b/c/d", "IncompleteSignatureException"),
        ("a/b/c/d/aws5_request", "InvalidSignatureException"),
        ("a/b//d/aws4_request", "InvalidSignatureException"),
        ("/b/c/d/aws4_request", "UnrecognizedClientException"),
    ] {
        let signed = format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={credential} SignedHeaders=host Signature=00\r\n{headers}"
        );
        let answer = server.connect().ask("POST /", &signed, "{}");
        assert!(answer.text().contains(&format!("com.amazon.coral.service#{code}\"")), "{}", answer.text());
    }
}

#[test]
fn health_checks_are_answered_without_a_signature() {
    let server = Server::start(&[]);
    let answer = server.connect().ask("GET /", "", "");
    assert_marked(&answer, "GET");
    assert_eq!((answer.status, answer.text()), (200, "healthy: dynamodb.us-east-1.amazonaws.com "));
    let mut connection = server.connect();
    connection.send("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    let head = connection.answer_to_head().expect("a head");
    assert_eq!((head.status, head.header("content-length")), (200, Some("42")));
    assert!(connection.answer().is_none(), "a HEAD has no body");
}

#[test]
fn answers_about_tags_have_no_body() {
    let server = Server::start(&[]).with_table();
    let arn = r#""ResourceArn":"arn:aws:dynamodb:us-east-1:000000000000:table/tab""#;
    for (operation, rest) in
        [("TagResource", r#""Tags":[{"Key":"a","Value":""}]"#), ("UntagResource", r#""TagKeys":["a"]"#)]
    {
        let answer = server.connect().call(operation, format!("{{{arn},{rest}}}"));
        assert_eq!((answer.status, answer.text(), answer.header("content-length")), (200, "", Some("0")));
        assert_marked(&answer, operation);
    }
}
