//! Pages of other sites.

use super::server::{Server, call_head, call_headers};

const ASKED: &str = "Access-Control-Request-Method: POST\r\n\
    Access-Control-Request-Headers: authorization, content-type, x-amz-target\r\n";

#[test]
fn without_the_flag_no_page_is_let_in() {
    let server = Server::start(&[]);
    let origin = "Origin: http://localhost:3000\r\n";
    for listener in ["dynamodb", "aws", "console"] {
        let asked = server.connect_to(listener).ask("OPTIONS /", &format!("{origin}{ASKED}"), "");
        assert!(asked.status >= 400, "{listener}: {asked:?}");
        let answer = server.connect_to(listener).ask("GET /", origin, "");
        for answer in [asked, answer] {
            assert!(
                answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")),
                "{answer:?}"
            );
        }
    }
    // Tools send an origin too: they are answered, and a browser would not show the answer.
    let answer = server.connect().ask("POST /", &format!("{origin}{}", call_headers("ListTables")), "{}");
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
}

#[test]
fn named_origins_are_let_in_on_every_answer() {
    let server = Server::start(&["--cors", "http://localhost:3000,https://local.harborlist.com/"]);
    for (origin, let_in) in [
        ("http://localhost:3000", true),
        ("https://local.harborlist.com", true),
        ("http://localhost:3001", false),
        ("https://local.harborlist.com.evil", false),
        ("null", false),
    ] {
        let allowed = let_in.then_some(origin);
        let origin = format!("Origin: {origin}\r\n");
        let asked = server.connect().ask("OPTIONS /", &format!("{origin}{ASKED}"), "");
        assert_eq!(asked.status, if let_in { 200 } else { 403 });
        assert_eq!(asked.header("access-control-allow-methods"), let_in.then_some("POST"));
        let headers = let_in.then_some("authorization, content-type, x-amz-target");
        assert_eq!(asked.header("access-control-allow-headers"), headers);
        assert_eq!(asked.header("access-control-max-age"), let_in.then_some("172800"));
        let call = format!("{origin}{}", call_headers("ListTables"));
        for answer in [
            asked,
            server.connect().ask("POST /", &call, "{}"),
            server.connect().ask("POST /", &call, "{"),
            server.connect().ask("POST /", &origin, "hi"),
            server.connect().ask("GET /", &origin, ""),
            server.connect_to("aws").ask("GET /_localstack/health", &origin, ""),
        ] {
            assert_eq!(answer.header("access-control-allow-origin"), allowed, "{answer:?}");
            assert_eq!(answer.header("access-control-expose-headers").is_some(), let_in);
            assert_eq!(answer.header("vary"), Some("Origin"));
            assert_eq!(answer.header("access-control-allow-credentials"), None);
        }
        // The console is not opened.
        for request in ["OPTIONS /", "GET /", "GET /health", "GET /metrics"] {
            let answer = server.connect_to("console").ask(request, &format!("{origin}{ASKED}"), "");
            assert!(
                answer.headers.iter().all(|(name, _)| !name.starts_with("access-control-")),
                "{answer:?}"
            );
        }
    }
}

#[test]
fn every_page_is_let_in_if_told_so() {
    let server = Server::start(&["--cors", "*"]);
    let asked =
        server.connect().ask("OPTIONS /", "Origin: whatever\r\nAccess-Control-Request-Method: d\r\n", "");
    assert_eq!((asked.status, asked.header("access-control-allow-methods")), (200, Some("d")));
    let answer =
        server.connect().ask("POST /", &format!("Origin: null\r\n{}", call_headers("ListTables")), "{}");
    for answer in [asked, answer] {
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let answer = server.connect_to("console").ask("GET /metrics", "Origin: null\r\n", "");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

/// A site whose name was pointed at this machine is the same site to the browser.
#[test]
fn a_page_of_a_rebound_name_is_refused() {
    let server = Server::start(&[]);
    let head = call_head("ListTables", "Origin: http://evil.example:8000\r\nContent-Length: 2\r\n");
    let mut connection = server.connect();
    connection.send(head.replace("Host: h", "Host: evil.example:8000") + "{}");
    let answer = connection.answer().expect("an answer");
    assert_eq!(answer.status, 403, "{answer:?}");
}

#[test]
fn what_is_no_origin_refuses_the_start() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_holdfast"))
        .args(["--in-memory", "--port", "off", "--dynamodb-port", "off", "--console-port", "off"])
        .args(["--cors", "localhost:3000"])
        .output()
        .expect("the binary runs");
    let messages = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{messages}");
    assert!(messages.contains("--cors: `localhost:3000` is neither"), "{messages}");
}
