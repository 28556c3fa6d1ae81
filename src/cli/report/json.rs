//! The report as JSON for scripts. Its keys stand in nomd-report(1) and keep their meaning.

use super::finding::{Finding, Level};
use super::{Report, Verdict};
use crate::cli::json::Json;
use crate::conf::survey::{Treatment, Uses};

/// The report, on indented lines.
pub(super) fn render(report: &Report) -> String {
    whole(report).to_string()
}

fn whole(report: &Report) -> Json<'_> {
    let verdict = match report.verdict() {
        Verdict::Ready => "ready",
        Verdict::Warnings => "warnings",
        Verdict::Stopped => "stopped",
    };
    let sections = report.sections.iter();
    let findings = sections.flat_map(|section| section.findings.iter().map(|found| finding(section.key, found)));
    Json::Object(vec![
        ("format", number(FORMAT)),
        ("configuration", Json::Text(&report.config)),
        ("user", Json::Text(&report.user)),
        ("verdict", Json::Text(verdict)),
        ("stops", number(report.count(Level::Stop))),
        ("warnings", number(report.count(Level::Warning))),
        ("files", number(report.files)),
        ("views", number(report.views)),
        ("zones", Json::Object(report.zones.iter().map(|(kind, count)| (*kind, number(*count))).collect())),
        ("honoured", number(report.statements.honoured)),
        ("statements", Json::List(report.statements.others.iter().map(statement).collect())),
        ("findings", Json::List(findings.collect())),
    ])
}

fn statement(uses: &Uses) -> Json<'_> {
    let treatment = match uses.treatment {
        Treatment::Refused => "refused",
        Treatment::Tolerated => "tolerated",
        Treatment::Partial => "partial",
        Treatment::Ignored => "ignored",
    };
    Json::Object(vec![
        ("name", Json::Text(uses.name)),
        ("within", Json::Text(uses.within.unwrap_or_default())),
        ("treatment", Json::Text(treatment)),
        ("why", Json::Text(uses.why)),
        ("count", number(uses.count)),
        ("places", texts(&uses.places)),
    ])
}

fn finding<'a>(section: &'static str, finding: &'a Finding) -> Json<'a> {
    Json::Object(vec![
        ("section", Json::Text(section)),
        ("level", Json::Text(finding.level.word())),
        ("code", Json::Text(finding.code)),
        ("message", Json::Text(&finding.message)),
        ("advice", Json::Text(&finding.advice)),
        ("count", number(finding.count)),
        ("places", texts(&finding.places)),
        ("zones", texts(&finding.zones)),
    ])
}

fn number(count: usize) -> Json<'static> {
    Json::Number(count as u64)
}

fn texts(list: &[String]) -> Json<'_> {
    Json::List(list.iter().map(|text| Json::Text(text)).collect())
}

/// Grows when a key goes or changes its meaning.
const FORMAT: usize = 1;
