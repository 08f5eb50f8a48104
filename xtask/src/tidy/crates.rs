//! Which crate may depend on what: ARCHITECTURE.md, "arrows point downward only".

use super::{Finding, Tree};

/// For each crate: the crates of ours that it may use outside its tests.
const ARROWS: [(&str, &[&str]); 7] = [
    ("store", &[]),
    ("state", &["store"]),
    ("aws", &[]),
    ("shapes", &[]),
    ("dynamodb", &["store", "state", "aws", "shapes"]),
    ("holdfast", &["store", "state", "aws", "shapes", "dynamodb"]),
    ("testkit", &["store", "state", "aws", "shapes", "dynamodb", "holdfast"]),
];

/// Crates of others that only `holdfast` (and `testkit`, which starts it) may use: the edge is the only async code.
const ASYNC: [&str; 7] = ["tokio", "hyper", "hyper-util", "axum", "tower", "reqwest", "async-trait"];

/// Crates of others that `store` never knows: it knows bytes, files, versions, history, engines.
const NOT_IN_STORE: [&str; 5] = ["serde", "serde_json", "http", "http-body-util", "clap"];

/// Checks every manifest under `crates/`.
pub fn arrows(tree: &Tree) -> Vec<Finding> {
    tree.files()
        .filter_map(|(path, text)| {
            let name = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!name.contains('/')).then(|| manifest(path, name, text))
        })
        .flatten()
        .collect()
}

fn manifest(path: &str, name: &str, text: &str) -> Vec<Finding> {
    let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
        return vec![Finding::error(
            path,
            0,
            "this crate has no line in the table of arrows in xtask/src/tidy/crates.rs",
        )];
    };
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => return vec![Finding::error(path, 0, format!("not TOML: {error}"))],
    };
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    let mut found = Vec::new();
    for dependency in dependencies.into_iter().flat_map(|table| table.keys()) {
        let line = text.lines().position(|line| line.starts_with(dependency.as_str())).map_or(0, |at| at + 1);
        let mut refuse = |text: String| found.push(Finding::error(path, line, text));
        if let Some(ours) = dependency.strip_prefix("holdfast-") {
            if !allowed.contains(&ours) {
                refuse(format!(
                    "`{name}` must not depend on `{ours}`: arrows point downward only (ARCHITECTURE.md)"
                ));
            }
        } else if ASYNC.contains(&dependency.as_str()) && name != "holdfast" && name != "testkit" {
            refuse(format!(
                "`{name}` must not use {dependency}: the edge in `holdfast` is the only async code"
            ));
        } else if name == "store" && NOT_IN_STORE.contains(&dependency.as_str()) {
            refuse(format!(
                "`store` knows no {dependency}: it knows bytes, files, versions, history, engines"
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, dependencies: &str) -> Vec<String> {
        let path = format!("crates/{name}/Cargo.toml");
        let text = format!(
            "[package]\nname = \"x\"\n[dependencies]\n{dependencies}\n[dev-dependencies]\ntokio = \"1\"\n"
        );
        arrows(&Tree::of(&[(&path, &text)])).into_iter().map(|finding| finding.text).collect()
    }

    #[test]
    fn arrows_point_downward() {
        assert!(findings("state", "holdfast-store.workspace = true").is_empty());
        assert!(
            findings("store", "holdfast-state.workspace = true")[0].contains("must not depend on `state`")
        );
        assert!(
            findings("aws", "holdfast-shapes.workspace = true")[0].contains("must not depend on `shapes`")
        );
    }

    #[test]
    fn only_the_edge_is_async_and_the_store_knows_no_serde() {
        assert!(findings("dynamodb", "tokio.workspace = true")[0].contains("only async code"));
        assert!(findings("holdfast", "tokio.workspace = true").is_empty());
        assert!(findings("store", "serde = { version = \"1\" }")[0].contains("knows no serde"));
    }

    #[test]
    fn a_crate_that_is_not_in_the_table_is_refused() {
        assert!(findings("s3", "")[0].contains("no line in the table"));
    }
}
