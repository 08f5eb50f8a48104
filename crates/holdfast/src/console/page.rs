//! The status as HTML. `maud` escapes every text; there is no script.

use crate::status::{self, ServerStatus, Status, TableStatus};
use holdfast_store::dir::reserve::readable;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#888}\
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}\
th{font-weight:600}.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\
.soft{color:var(--soft)}.sub td:first-child{padding-left:1.5rem}.bad{color:#c22;font-weight:600}";

/// The page.
pub(super) fn of(status: &Status) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Holdfast" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { "Holdfast " span.soft { (status.holdfast) } }
                @if let Some(seconds) = status.uptime_seconds {
                    p.soft { "Running for " (status::time(seconds)) "." }
                }
                (place(status))
                (tables(&status.tables, status.more_tables))
                @if let Some(server) = &status.server {
                    (past(status, server))
                    (work(server))
                    (refused(server))
                }
                p.soft {
                    a href="/api/status" { "This as JSON" } " · "
                    a href="/metrics" { "Metrics" } " · "
                    a href="/health" { "Health" }
                }
            }
        }
    };
    page.into_string()
}

fn row(name: &str, value: impl maud::Render) -> Markup {
    html! { tr { th scope="row" { (name) } td { (value) } } }
}

/// Where the data are, and what an answer promises.
fn place(status: &Status) -> Markup {
    let data = &status.data;
    html! {
        h2 { "Data" }
        table {
            @if let Some(dir) = &data.data_dir {
                (row("Directory", dir.display().to_string()))
            }
            @if let Some(mount) = &data.mount { (row("Mount", mount)) }
            (row("Durability", &data.durability))
            @if let Some(warning) = &data.warning { (row("Warning", html! { span.bad { (warning) } })) }
            @match &status.writing_ended {
                Some(reason) => {
                    (row("Writing", html! { span.bad { "ended until the next start: " (reason) } }))
                }
                None => (row("Writing", "goes on")),
            }
            @if let Some(clock) = status.clock.as_ref().filter(|clock| !clock.is_real()) {
                (row("Clock", clock.to_string()))
            }
            @if let Some(separated) = status.server.as_ref().and_then(|server| server.isolated.as_ref()) {
                (row("Isolated", format!("{separated} has its own tables")))
            }
            @if let Some(disk) = &status.disk { (row("Disk", disk.to_string())) }
            @for (name, url) in &status.listening { (row(name, url)) }
        }
    }
}

fn tables(tables: &[TableStatus], more: bool) -> Markup {
    html! {
        h2 { "Tables" }
        @if tables.is_empty() && !more {
            p.soft { "There are none." }
        } @else {
            table {
                tr { th { "Name" } th.n { "Items" } th.n { "Size" } }
                @for table in tables {
                    tr {
                        td {
                            (table.name) (table.owner()) " " span.soft { (table.state) }
                            @if let Some(cause) = &table.unreadable { " " span.bad { (cause) } }
                        }
                        td.n { (table.items) }
                        td.n { (readable(table.bytes)) }
                    }
                    @for index in &table.indexes {
                        tr.sub {
                            td { (index.name) " " span.soft { (index.scope) " index, " (index.state) } }
                            td.n { (index.items) }
                            td.n { (readable(index.bytes)) }
                        }
                    }
                }
            }
            @if more { p.soft { "And more." } }
        }
    }
}

/// Versions, and how much of the past can be read.
fn past(status: &Status, server: &ServerStatus) -> Markup {
    html! {
        h2 { "History" }
        table {
            (row("Newest version", status.version))
            (row("Readable from", server.horizon))
            (row("Kept", server.history.to_string()))
            @for pin in &server.pins {
                (row("Pin", format!("{} holds version {} ({})", pin.id, pin.version, pin.label)))
            }
            @for loss in &server.losses {
                (row("Lost", html! { span.bad {
                    "versions from " (loss.first_version) " to before " (loss.resumes_version) ": " (loss.cause)
                } }))
            }
        }
    }
}

/// Jobs, and what the scrub has found.
fn work(server: &ServerStatus) -> Markup {
    html! {
        h2 { "Jobs" }
        @if server.jobs.is_empty() {
            p.soft { "None." }
        } @else {
            table {
                tr { th { "Job" } th { "About" } th.n { "Steps done" } th { "State" } }
                @for job in &server.jobs {
                    tr {
                        td { (job.id) " " (job.kind.as_deref().unwrap_or("of a kind that is not known here")) }
                        td { (job.label) }
                        td.n { (job.steps) }
                        td {
                            @match &job.error {
                                Some(error) => { span.bad { "the last step failed: " (error) } }
                                None => "goes on",
                            }
                        }
                    }
                }
            }
        }
        @if !server.damage.is_empty() {
            h2 { "Damage" }
            table { @for damage in &server.damage { (row(&damage.file, html! { span.bad { (damage.cause) } })) } }
        }
    }
}

/// Calls of services that are not there.
fn refused(server: &ServerStatus) -> Markup {
    html! {
        h2 { "Refused" }
        @if server.refused_services.is_empty() {
            p.soft { "Nothing was asked of services that are not there." }
        } @else {
            table {
                tr { th { "Service that is not there" } th.n { "Requests" } }
                @for (service, count) in &server.refused_services {
                    tr { td { (service) } td.n { (count) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::JobStatus;
    use crate::status::tables::TableIndexStatus;

    #[test]
    fn every_text_is_escaped() {
        let evil = || "<script>alert('x')</script>\"&".to_owned();
        let index = TableIndexStatus { name: evil(), scope: "global".to_owned(), ..Default::default() };
        let table = TableStatus { name: evil(), items: 3, indexes: vec![index], ..Default::default() };
        let job = JobStatus { label: evil(), error: Some(evil()), ..Default::default() };
        let refused_services = [(evil(), 2)].into();
        let server = ServerStatus { jobs: vec![job], refused_services, ..Default::default() };
        let status = Status {
            tables: vec![table],
            server: Some(server),
            writing_ended: Some(evil()),
            ..Default::default()
        };
        let page = of(&status);
        assert!(!page.contains("<script") && !page.contains("'x')</"), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(").count(), 6, "{page}");
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("global index"));
    }

    #[test]
    fn an_empty_server_says_so() {
        let page = of(&Status { server: Some(ServerStatus::default()), ..Status::default() });
        for text in ["There are none.", "None.", "Nothing was asked"] {
            assert!(page.contains(text), "{text} in {page}");
        }
    }
}
