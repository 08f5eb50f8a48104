//! `holdfast trim` and `holdfast reset`.

use super::load::{Client, Server};
use super::{create, json, place, put, tables, verb};

#[test]
fn trim_takes_history_of_both() {
    let (_home, data) = place();
    let said = verb(&data, &["trim", "--history", "1h"]);
    assert_eq!(said.code, Some(1), "there is no store to trim: {said:?}");
    assert!(said.messages.contains("no such directory") && !said.messages.contains("require"), "{said:?}");
    assert!(!data.exists(), "trim makes no store");

    let server = Server::start(&data, &[]);
    let mut client = server.client();
    create(&mut client, "boats");
    let overwrite = |client: &mut Client| (0..20).for_each(|number| put(client, "boats", "ketch", number));
    overwrite(&mut client);
    let rows = server.metric("holdfast_history_rows");
    assert!(rows >= 19);
    let kept = json(&data, &["trim", "--history", "1h"]);
    assert_eq!((&kept["rows_removed"], &kept["rows"]), (&0.into(), &rows.into()));
    // Everything is trimmed but what happened in this very millisecond.
    overwrite(&mut client);
    let gone = json(&data, &["trim", "--history", "off"]);
    assert!(gone["rows_removed"].as_u64() >= Some(rows), "{gone}");
    overwrite(&mut client);
    assert_eq!(server.stop().0.code(), Some(0));

    let gone = json(&data, &["trim", "--history", "off"]);
    assert!(gone["rows_removed"].as_u64() > Some(0), "{gone}");
    let said = verb(&data, &["trim", "--history", "1h"]);
    assert!(said.code == Some(0) && said.out.is_empty(), "{said:?}");
    assert!(said.messages.contains("rows of history went"), "{said:?}");
}

#[test]
fn verbs_leave_history_off_where_it_was_off() {
    let (_home, data) = place();
    assert_eq!(Server::start(&data, &["--history", "off"]).stop().0.code(), Some(0));
    json(&data, &["trim", "--history", "1h"]);
    let said = verb(&data, &["reset", "--yes"]);
    assert!(said.code == Some(1) && said.messages.contains("\nhint: `--no-archive`"), "{said:?}");
    let done = json(&data, &["reset", "--yes", "--no-archive"]);
    assert_eq!(done["past_is_kept"], false);
    let server = Server::start(&data, &["--history", "off"]);
    assert_eq!(json(&data, &["status"])["server"]["history"]["kept"], false);
    drop(server);
}

#[test]
fn reset_drops_every_table_once_it_is_confirmed() {
    let (_home, data) = place();
    let server = Server::start(&data, &[]);
    let mut client = server.client();
    for table in ["boats", "ropes", "sails"] {
        create(&mut client, table);
        put(&mut client, table, "one", 1);
    }
    let said = verb(&data, &["reset"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.messages.contains("\nhint: ") && said.messages.contains("`--yes`"), "{said:?}");
    assert!(tables(&mut client).contains("boats"));
    let done = json(&data, &["reset", "--yes"]);
    assert_eq!((&done["tables"], &done["past_is_kept"]), (&3.into(), &true.into()));
    assert_eq!(done["version_before"], 6);
    assert_eq!(tables(&mut client), r#"{"TableNames":[]}"#);
    create(&mut client, "boats");
    assert_eq!(server.stop().0.code(), Some(0));

    let done = json(&data, &["reset", "--yes", "--no-archive"]);
    assert_eq!(done["tables"], 1);
    let server = Server::start(&data, &[]);
    assert_eq!(tables(&mut server.client()), r#"{"TableNames":[]}"#);
    let said = verb(&data, &["reset", "--yes", "--no-archive"]);
    assert!(said.code == Some(0) && said.messages.contains("no tables"), "{said:?}");
}
