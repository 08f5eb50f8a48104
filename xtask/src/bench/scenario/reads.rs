//! GetItem.

use super::{report_of, rotated, server_cpu, times_faster};
use crate::bench::judge::{Judged, number};
use crate::bench::server::Kind;
use crate::bench::session::{Session, Stretch};
use anyhow::Result;
use holdfast_load::generator::Mix;

pub fn get16(session: &mut Session<'_>) -> Result<()> {
    let kinds = rotated(session, [Kind::Dynoxide, Kind::Holdfast, Kind::Echo, Kind::DynamoDbLocal]);
    let keys = session.choose(20_000, 1_000);
    let reports = session.compare(&kinds, |session, server| {
        if server.kind != Kind::Echo {
            session.measure("get16, filling", server, &Stretch::counted(Mix::PutNew, 0, keys))?;
            session.settle();
        }
        let warm_up = if server.kind.warms_up_slowly() { 15.0 } else { 2.0 };
        let (warm_up, seconds) = session.choose((warm_up, 8.0), (0.3, 1.5));
        session.measure("get16", server, &Stretch::timed(Mix::Get, 16, keys, warm_up, seconds))
    })?;
    let Some(holdfast) = report_of(&reports, Kind::Holdfast) else { return Ok(()) };
    if let Some(dynoxide) = report_of(&reports, Kind::Dynoxide) {
        let (ratio, basis) = times_faster(holdfast, dynoxide);
        let what = "GetItem, 16 connections, against dynoxide";
        session.judge(Judged::at_least(what, ratio, " x", 2.0, Some(2.5)).because(basis))?;
    }
    if let Some(echo) = report_of(&reports, Kind::Echo) {
        let (_, basis) = times_faster(holdfast, echo);
        let percent = holdfast.per_second / echo.per_second * 100.0;
        let what = "GetItem, 16 connections, against the bare echo";
        session.judge(Judged::at_least(what, percent, " %", 50.0, Some(60.0)).because(basis))?;
    }
    let what = "server CPU for one GetItem, 16 connections";
    let basis = format!("generator {} us", number(holdfast.own_cpu_us_per_request));
    session.judge(Judged::at_most(what, server_cpu(holdfast), " us", 30.0, Some(25.0)).because(basis))
}
