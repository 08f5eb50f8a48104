//! `holdfast env`: what makes AWS's clients in a shell talk to the running server of a directory.

use crate::about::Signatures;
use crate::admin::{Request, client};
use crate::banner::{self, Hinted};
use crate::config::{Env, Shell};
use crate::status::Status;
use std::path::Path;

/// The region that is set. Every region sees the same data.
const REGION: &str = "us-east-1";
/// Key and secret that are set: any are taken, and these are what presigned URLs are checked with.
const KEY: &str = "test";
/// What may be left over from a real account: the token would be sent along, and the other one makes clients ignore
/// endpoints from variables (source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints").
const LEFTOVERS: [&str; 2] = ["AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];

/// Names and values, in the order in which they are printed.
type Variables = Vec<(&'static str, String)>;

/// Prints the variables.
///
/// # Errors
/// If no server uses the directory, or it listens on no port of AWS's services.
pub fn run(options: &Env) -> anyhow::Result<()> {
    let dir = options.data_dir.absolute()?;
    let Some(status) = client::ask(&dir, &Request::Status)? else { return Err(no_server(&dir).into()) };
    let status: Status = serde_json::from_value(status)?;
    let variables = variables(&status).ok_or_else(|| Hinted {
        error: format!("the server of {} listens on no port of AWS's services", dir.display()),
        hint: "Start it without `--port off` or without `--dynamodb-port off`.".to_owned(),
    })?;
    if has_own_keys(&status) {
        banner::note(
            "note: the server checks signatures: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be a pair of its --access-key",
        );
    }
    if options.json {
        let members = variables.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        return banner::data(&serde_json::Value::Object(members.collect()).to_string());
    }
    banner::data(write(&variables, options.shell).trim_end())
}

fn no_server(dir: &Path) -> Hinted {
    Hinted {
        error: format!("no server uses {}", dir.display()),
        hint: "Start one with `holdfast serve`, or name the directory of one that runs with `--data-dir`."
            .to_owned(),
    }
}

/// The variables for a running server; `None` if it serves nothing.
fn variables(status: &Status) -> Option<Variables> {
    let url = |name: &str| status.listening.get(name).map(|url| reachable(url));
    // One port stands in for the other: what it does not serve it refuses, and nothing reaches AWS by mistake.
    let every = url("aws").or_else(|| url("dynamodb"))?;
    let dynamodb = url("dynamodb").unwrap_or_else(|| every.clone());
    let mut variables = vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL", every),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_DEFAULT_REGION", REGION.to_owned()),
    ];
    if !has_own_keys(status) {
        variables.push(("AWS_ACCESS_KEY_ID", KEY.to_owned()));
        variables.push(("AWS_SECRET_ACCESS_KEY", KEY.to_owned()));
    }
    Some(variables)
}

/// Whether the server takes other keys only: their secrets are not told.
fn has_own_keys(status: &Status) -> bool {
    status.server.as_ref().is_some_and(|server| server.signatures == Signatures::OwnKeys)
}

/// A server that listens on every address is asked on this machine.
fn reachable(url: &str) -> String {
    url.replacen("//0.0.0.0:", "//127.0.0.1:", 1).replacen("//[::]:", "//[::1]:", 1)
}

/// The statements that set the variables.
fn write(variables: &Variables, shell: Shell) -> String {
    let mut text: String = variables
        .iter()
        .map(|(name, value)| match shell {
            Shell::Sh => format!("export {name}='{}'\n", value.replace('\'', r"'\''")),
            Shell::Fish => {
                format!("set -gx {name} '{}'\n", value.replace('\\', r"\\").replace('\'', r"\'"))
            }
            Shell::Powershell => format!("$env:{name} = '{}'\n", value.replace('\'', "''")),
        })
        .collect();
    for name in LEFTOVERS {
        text.push_str(&match shell {
            Shell::Sh => format!("unset {name}\n"),
            Shell::Fish => format!("set -e {name}\n"),
            Shell::Powershell => format!("Remove-Item Env:{name} -ErrorAction SilentlyContinue\n"),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn listening(urls: &[(&str, &str)]) -> Status {
        let listening = urls.iter().map(|(name, url)| ((*name).to_owned(), (*url).to_owned())).collect();
        Status { listening, ..Status::default() }
    }

    #[test]
    fn one_port_stands_in_for_the_other() {
        let endpoints = |urls: &[(&str, &str)]| {
            variables(&listening(urls)).map(|variables| [variables[0].1.clone(), variables[1].1.clone()])
        };
        let (one, two) = ("http://127.0.0.1:8000", "http://127.0.0.1:4566");
        assert_eq!(endpoints(&[("dynamodb", one), ("aws", two)]), Some([one, two].map(str::to_owned)));
        assert_eq!(endpoints(&[("dynamodb", one)]), Some([one, one].map(str::to_owned)));
        assert_eq!(
            endpoints(&[("aws", "http://0.0.0.0:4566"), ("console", one)]),
            Some([two, two].map(str::to_owned))
        );
        assert_eq!(endpoints(&[("console", one)]), None);
        assert_eq!(reachable("http://[::]:8000"), "http://[::1]:8000");
    }

    #[test]
    fn secrets_of_a_server_with_own_keys_are_not_made_up() {
        let keys_for = |signatures| {
            let server = crate::status::ServerStatus { signatures, ..Default::default() };
            let status = Status { server: Some(server), ..listening(&[("aws", "http://127.0.0.1:1")]) };
            let variables = variables(&status).expect("it serves");
            variables.iter().filter(|(name, _)| name.contains("ACCESS_KEY")).count()
        };
        assert_eq!([Signatures::Any, Signatures::Test, Signatures::OwnKeys].map(keys_for), [2, 2, 0]);
    }

    #[test]
    fn values_are_quoted_for_the_shell() {
        let variables: Variables = vec![("A", r"it's $(rm) `x` \ end".to_owned())];
        let all = [Shell::Sh, Shell::Fish, Shell::Powershell].map(|shell| write(&variables, shell)).concat();
        expect![[r#"
            export A='it'\''s $(rm) `x` \ end'
            unset AWS_SESSION_TOKEN
            unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
            set -gx A 'it\'s $(rm) `x` \\ end'
            set -e AWS_SESSION_TOKEN
            set -e AWS_IGNORE_CONFIGURED_ENDPOINT_URLS
            $env:A = 'it''s $(rm) `x` \ end'
            Remove-Item Env:AWS_SESSION_TOKEN -ErrorAction SilentlyContinue
            Remove-Item Env:AWS_IGNORE_CONFIGURED_ENDPOINT_URLS -ErrorAction SilentlyContinue
        "#]]
        .assert_eq(&all);
    }
}
