//! What would do harm. Each gets an answer or a closed connection; a witness is answered meanwhile, and the server lives on.

use super::server::{Connection, Server, call_head, call_headers};

/// A client that wants nothing but its answers.
struct Witness(Connection);

impl Witness {
    fn of(server: &Server) -> Self {
        let mut connection = server.connect();
        let item = r#"{"TableName":"tab","Item":{"k":{"S":"witness"},"v":{"S":"saw"}}}"#;
        assert_eq!(connection.call("PutItem", item).status, 200);
        Self(connection)
    }

    /// Reads and writes on the connection that it has, and on a new one.
    fn is_answered(&mut self, server: &Server) {
        let get = r#"{"TableName":"tab","Key":{"k":{"S":"witness"}}}"#;
        let put = r#"{"TableName":"tab","Item":{"k":{"S":"written"}}}"#;
        for connection in [&mut self.0, &mut server.connect()] {
            assert_eq!(
                connection.call("GetItem", get).text(),
                r#"{"Item":{"k":{"S":"witness"},"v":{"S":"saw"}}}"#
            );
            assert_eq!(connection.call("PutItem", put).status, 200);
        }
    }
}

#[test]
fn bodies_of_64_mb_are_refused_and_their_senders_get_to_read_it() {
    let server = Server::start(&[]).with_table();
    let mut witness = Witness::of(&server);
    let piece = vec![b' '; 1 << 20];
    for chunked in [false, true] {
        let length = format!("Content-Length: {}\r\n", 64 << 20);
        let framing = if chunked { "Transfer-Encoding: chunked\r\n" } else { length.as_str() };
        let mut connection = server.connect();
        assert!(connection.send(call_head("PutItem", framing)));
        for _ in 0..64 {
            if chunked {
                assert!(connection.send("100000\r\n"));
            }
            assert!(connection.send(&piece), "everything is taken in");
            if chunked {
                assert!(connection.send("\r\n"));
            }
        }
        if chunked {
            assert!(connection.send("0\r\n\r\n"));
        }
        let answer = connection.answer().expect("an answer");
        assert_eq!((answer.status, answer.bytes.len()), (413, 0), "chunked: {chunked}");
        witness.is_answered(&server);
    }
    // A method, a content type and a service that take no body of any size. Also they are read to their end.
    for (from, to) in
        [("POST", "PUT"), ("x-amz-json-1.0", "x-amz-json-9"), ("DynamoDB_20120810", "AmazonSQS")]
    {
        let mut connection = server.connect();
        connection.send(call_head("PutItem", &format!("Content-Length: {}\r\n", 8 << 20)).replace(from, to));
        for _ in 0..8 {
            assert!(connection.send(&piece));
        }
        assert_eq!(
            connection.answer().map(|answer| answer.status),
            Some(if to == "AmazonSQS" { 400 } else { 404 })
        );
    }
}

#[test]
fn bodies_that_hold_what_no_client_sends_are_refused() {
    let server = Server::start(&[]).with_table();
    let mut witness = Witness::of(&server);
    let put = |value: &str| format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"hostile"}},"v":{value}}}}}"#);
    let deep = |open: &str, close: &str, depth: usize| {
        put(&format!("{}{}{}", open.repeat(depth), r#"{"S":""}"#, close.repeat(depth)))
    };
    let number = |text: &str| put(&format!(r#"{{"N":"{text}"}}"#));
    let long_list = put(&format!(r#"{{"L":[{}]}}"#, vec![r#"{"N":"1"}"#; 300_000].join(",")));
    let long_name = format!(r#"{{"TableName":"tab","{}":1}}"#, "n".repeat(1 << 20));
    let mut bodies: Vec<Vec<u8>> = [
        deep(r#"{"L":["#, "]}", 40),
        deep(r#"{"L":["#, "]}", 100_000),
        deep(r#"{"M":{"a":"#, "}}", 100_000),
        "[".repeat(1 << 20),
        r#"{"a":"#.repeat(200_000),
        put(r#"{"S":"a","S":"b"}"#),
        put(r#"{"S":"a","N":"1"}"#),
        r#"{"TableName":"tab","TableName":"tab","Item":{"k":{"S":"hostile"}}}"#.to_owned(),
        number("1e1000000000000000000000"),
        number("1e-1000000000000000000000"),
        number(&"9".repeat(1 << 20)),
        number(&format!("0.{}1", "0".repeat(1 << 20))),
        number("1e2147483648"),
        number("NaN"),
        put("1e999999999"),
        put(r#"{"NULL":1e999}"#),
        long_list,
        long_name,
        r#"{"TableName":"\ud800","Item":{"k":{"S":"hostile"}}}"#.to_owned(),
        put(r#"{"B":"*"}"#),
        put("null"),
        "null".to_owned(),
        "\0".repeat(1_000),
    ]
    .map(String::into_bytes)
    .into();
    for byte in [0xff, 0xc0, 0x80, 0xed] {
        let mut body = put(r#"{"S":"?"}"#).into_bytes();
        let at = body.iter().position(|found| *found == b'?').expect("there");
        body[at] = byte;
        bodies.push(body);
    }
    for body in &bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(120)]);
        let answer = server.connect().call("PutItem", body);
        assert_eq!(answer.status, 400, "{shown}: {}", answer.text());
        assert!(answer.text().contains("Exception\""), "{shown}: {}", answer.text());
        assert!(answer.bytes.len() < 4_096, "{shown}: what was sent is not sent back");
        witness.is_answered(&server);
    }
    let get = r#"{"TableName":"tab","Key":{"k":{"S":"hostile"}}}"#;
    assert_eq!(server.connect().call("GetItem", get).text(), "{}", "nothing of it was stored");
}

#[test]
fn expressions_within_expressions_are_answered_as_deep_as_their_bytes_allow() {
    let server = Server::start(&[]).with_table();
    let mut witness = Witness::of(&server);
    for text in [
        "(".repeat(4_096),
        "NOT (".repeat(800),
        "NOT ".repeat(1_000),
        format!("{}k = :v{}", "NOT (".repeat(299), ")".repeat(299)),
        format!("{}k = :v{}", "k = :v AND (".repeat(149), ")".repeat(149)),
        format!("{}k{} = :v", "size(".repeat(299), ")".repeat(299)),
        "size(".repeat(800),
        "k = (".repeat(800),
        format!("k{} = :v", "[0]".repeat(1_360)),
    ] {
        let query = format!(
            r#"{{"TableName":"tab","KeyConditionExpression":"{text}","ExpressionAttributeValues":{{":v":{{"S":"a"}}}}}}"#
        );
        let answer = server.connect().call("Query", query);
        assert_eq!(answer.status, 400, "{text:.40}: {}", answer.text());
        witness.is_answered(&server);
    }
}

#[test]
fn names_that_are_sent_twice_as_data_count_once() {
    let server = Server::start(&[]).with_table();
    let mut connection = server.connect();
    let put = r#"{"TableName":"tab","Item":{"k":{"S":"twice"},"v":{"S":"a"},"v":{"S":"b"}}}"#;
    assert_eq!(connection.call("PutItem", put).status, 200);
    let get = r#"{"TableName":"tab","Key":{"k":{"S":"twice"}}}"#;
    assert_eq!(connection.call("GetItem", get).text(), r#"{"Item":{"k":{"S":"twice"},"v":{"S":"b"}}}"#);
}

#[test]
fn who_sends_slowly_or_not_at_all_delays_nobody() {
    let server = Server::start(&[]).with_table();
    let mut witness = Witness::of(&server);
    let head = call_head("PutItem", &format!("Content-Length: {}\r\n", 15 << 20));
    let megabyte = vec![b' '; 1 << 20];
    let mut slow = Vec::new();
    for number in 0..40 {
        let mut connection = server.connect();
        let pieces: [&[u8]; 5] = [
            b"",
            b"POST / HTTP/1.1\r\nHos",
            head.as_bytes(),
            b"PRI * HTTP/2.0\r\n\r\nSM",
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1",
        ];
        assert!(connection.send(pieces[number % pieces.len()]));
        if number % pieces.len() == 2 {
            // It holds memory, and more would be refused: together they may hold a limit.
            for _ in 0..4 {
                assert!(connection.send(&megabyte));
            }
        }
        slow.push(connection);
        witness.is_answered(&server);
    }
    // And somebody with a large body is served beside them.
    let body = format!("{}{}", r#"{"TableName":"tab","Key":{"k":{"S":"witness"}}}"#, " ".repeat(8 << 20));
    assert_eq!(server.connect().call("GetItem", body).status, 200);
    for connection in &mut slow {
        assert!(connection.send(b" "), "they are still there");
    }
    witness.is_answered(&server);
}

#[test]
fn answers_that_nobody_reads_delay_nobody() {
    let server = Server::start(&[]).with_table();
    let mut witness = Witness::of(&server);
    let value = "x".repeat(390_000);
    for key in 0..3 {
        let put = format!(r#"{{"TableName":"tab","Item":{{"k":{{"S":"{key}"}},"v":{{"S":"{value}"}}}}}}"#);
        assert_eq!(server.connect().call("PutItem", put).status, 200);
    }
    let scan = format!("{}{}", call_head("Scan", "Content-Length: 19\r\n"), r#"{"TableName":"tab"}"#);
    let mut unread = Vec::new();
    for _ in 0..30 {
        let mut connection = server.connect();
        // Several at once: more than the sockets' buffers hold.
        assert!(connection.send(scan.repeat(20)));
        unread.push(connection);
        witness.is_answered(&server);
    }
    // Whoever reads after all finds everything there.
    let mut first = unread.swap_remove(0);
    for _ in 0..20 {
        let answer = first.answer().expect("an answer");
        assert!(answer.status == 200 && answer.bytes.len() > value.len() * 2);
    }
    drop(unread);
    witness.is_answered(&server);
}

#[test]
fn many_connections_and_many_requests_on_one_are_served() {
    let server = Server::start(&[]).with_table();
    let mut witness = Witness::of(&server);
    // Fewer than each port may have with the usual limit of 1,024 descriptors.
    let mut connections: Vec<Connection> = (0..120).map(|_| server.connect()).collect();
    witness.is_answered(&server);
    for connection in &mut connections {
        assert_eq!(connection.call("ListTables", "{}").status, 200);
    }
    let one = format!("{}{{}}", call_head("ListTables", "Content-Length: 2\r\n"));
    let mut pipeline = server.connect();
    std::thread::scope(|scope| {
        let mut reader = pipeline.reader();
        scope.spawn(move || {
            for number in 0..5_000 {
                let answer = reader.answer().unwrap_or_else(|| panic!("answer {number}"));
                assert_eq!((answer.status, answer.text()), (200, r#"{"TableNames":["tab"]}"#));
            }
        });
        assert!(pipeline.send(one.repeat(5_000)));
        witness.is_answered(&server);
    });
}

#[test]
fn connections_beyond_the_limit_wait_for_a_place_and_get_one() {
    // With 16 connections for each port: what is there at least, however few descriptors there are.
    let server = Server::start_limited(200, &[]).with_table();
    let idle: Vec<Connection> = (0..60).map(|_| server.connect()).collect();
    // Those that wait idly lose their places to those that want to be served.
    let mut late = server.connect();
    assert_eq!(late.ask("POST /", &call_headers("ListTables"), "{}").status, 200);
    drop(idle);
}
