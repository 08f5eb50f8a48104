//! `holdfast env`.

use super::load::Server;
use super::{create, json, place, verb};
use std::process::Command;

#[test]
fn env_names_the_running_server() {
    let (_home, data) = place();
    let said = verb(&data, &["env"]);
    assert!(said.code == Some(1) && said.out.is_empty(), "{said:?}");
    assert!(said.messages.contains("no server uses") && said.messages.contains("\nhint: "), "{said:?}");

    let server = Server::start(&data, &[]);
    let url = format!("http://{}", server.address());
    let variables = json(&data, &["env"]);
    assert_eq!(variables["AWS_ENDPOINT_URL_DYNAMODB"], url.as_str());
    assert_eq!(variables["AWS_SECRET_ACCESS_KEY"], "test");

    // What the shell makes of it: no other variable of ours, and nothing left of a real account.
    let script =
        r#"AWS_SESSION_TOKEN=real; export AWS_SESSION_TOKEN; eval "$("$0" env --data-dir "$1")"; env"#;
    let shell = Command::new("sh")
        .args(["-ec", script, env!("CARGO_BIN_EXE_holdfast")])
        .arg(&data)
        .env_clear()
        .output()
        .expect("a shell");
    let set = String::from_utf8(shell.stdout).expect("text");
    let mut set: Vec<&str> = set.lines().filter(|line| line.starts_with("AWS_")).collect();
    set.sort_unstable();
    let endpoints = [format!("AWS_ENDPOINT_URL={url}"), format!("AWS_ENDPOINT_URL_DYNAMODB={url}")];
    let expected = [
        "AWS_ACCESS_KEY_ID=test",
        "AWS_DEFAULT_REGION=us-east-1",
        &endpoints[0],
        &endpoints[1],
        "AWS_REGION=us-east-1",
        "AWS_SECRET_ACCESS_KEY=test",
    ];
    assert_eq!(set, expected);
}

/// As the README says it, where the AWS CLI is installed.
#[test]
fn eval_makes_the_aws_cli_work() {
    let has_cli = Command::new("aws").arg("--version").output().is_ok_and(|output| output.status.success());
    if !has_cli {
        super::load::say("skipped: the AWS CLI is not installed");
        return;
    }
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    create(&mut server.client(), "boats");
    let script = r#"eval "$("$0" env --data-dir "$1")"; aws dynamodb list-tables --output text"#;
    let shell = Command::new("sh")
        .args(["-ec", script, env!("CARGO_BIN_EXE_holdfast")])
        .arg(&data)
        .output()
        .expect("a shell");
    let out = String::from_utf8_lossy(&shell.stdout);
    assert!(shell.status.success() && out.contains("boats"), "{shell:?}");
}
