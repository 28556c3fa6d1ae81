//! The report as a page for people.

use std::fmt::Write as _;

use super::finding::{Finding, Level, Section};
use super::{Report, Verdict};

/// How many zones of a finding are named.
const MAX_ZONES: usize = 4;
/// The widest line.
const WIDTH: usize = 100;

/// The page.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", report.title());
    for section in report.sections.iter().filter(|section| !section.findings.is_empty()) {
        render_section(section, &mut out);
    }
    let _ = writeln!(out, "\n{}", closing(report));
    out
}

fn render_section(section: &Section, out: &mut String) {
    let _ = writeln!(out, "\n{}", section.title);
    for finding in &section.findings {
        paragraph(out, mark(finding.level), &finding.message);
        if !finding.places.is_empty() {
            paragraph(out, INDENT, &at(finding));
        }
        if !finding.zones.is_empty() {
            paragraph(out, INDENT, &zones(finding));
        }
        if !finding.advice.is_empty() {
            paragraph(out, ADVICE, &finding.advice);
        }
    }
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Stop => "  STOP  ",
        Level::Warning => "  warn  ",
        Level::Note => "  note  ",
    }
}

fn at(finding: &Finding) -> String {
    let rest = finding.count.saturating_sub(finding.places.len());
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("at {}{more}", finding.places.join(", "))
}

fn zones(finding: &Finding) -> String {
    let shown = finding.zones.iter().take(MAX_ZONES).map(String::as_str).collect::<Vec<_>>().join(", ");
    match finding.zones.len() {
        1 => format!("zone {shown}"),
        count if count <= MAX_ZONES => format!("zones {shown}"),
        count => format!("{count} zones: {shown} and {} more", count - MAX_ZONES),
    }
}

/// Text behind a mark, broken at blanks.
fn paragraph(out: &mut String, mark: &str, text: &str) {
    let mut line = mark.to_owned();
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > WIDTH && line.len() > INDENT.len() {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(mark.len());
        }
        if line.len() > mark.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// The last lines: what comes of it, and how refused statements can be lived with.
fn closing(report: &Report) -> String {
    let names = report.refused();
    let mut text = verdict(report);
    if !names.is_empty() {
        let (names, file) = (names.join(","), &report.environment);
        let _ = write!(text, "\nWhat is refused is done without where {file} has this line:\nNOMD_TOLERATE={names}");
    }
    text
}

fn verdict(report: &Report) -> String {
    let warnings = report.count(Level::Warning);
    match report.verdict() {
        Verdict::Ready => "nomd would start, and nothing stands against it.".to_owned(),
        Verdict::Warnings if warnings == 1 => "nomd would start. Read the warning first.".to_owned(),
        Verdict::Warnings => format!("nomd would start. Read the {warnings} warnings first."),
        Verdict::Stopped => match report.count(Level::Stop) {
            1 => "nomd would not start: 1 reason, marked STOP.".to_owned(),
            stops => format!("nomd would not start: {stops} reasons, marked STOP."),
        },
    }
}

const INDENT: &str = "        ";
const ADVICE: &str = "        -> ";
