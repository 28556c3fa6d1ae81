//! The report as JSON for scripts. Its keys stand in nomd-report(1) and keep their meaning.

use std::fmt::Write as _;

use super::finding::{Finding, Level};
use super::{Report, Verdict};
use crate::conf::survey::{Treatment, Uses};

/// A JSON value, as far as the report needs one.
enum Json<'a> {
    Text(&'a str),
    Number(usize),
    List(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
}

/// The report, on indented lines.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    whole(report).write(0, &mut out);
    out.push('\n');
    out
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
        ("format", Json::Number(FORMAT)),
        ("configuration", Json::Text(&report.config)),
        ("user", Json::Text(&report.user)),
        ("verdict", Json::Text(verdict)),
        ("stops", Json::Number(report.count(Level::Stop))),
        ("warnings", Json::Number(report.count(Level::Warning))),
        ("files", Json::Number(report.files)),
        ("views", Json::Number(report.views)),
        ("zones", Json::Object(report.zones.iter().map(|(kind, count)| (*kind, Json::Number(*count))).collect())),
        ("honoured", Json::Number(report.statements.honoured)),
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
        ("count", Json::Number(uses.count)),
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
        ("count", Json::Number(finding.count)),
        ("places", texts(&finding.places)),
        ("zones", texts(&finding.zones)),
    ])
}

fn texts(list: &[String]) -> Json<'_> {
    Json::List(list.iter().map(|text| Json::Text(text)).collect())
}

impl Json<'_> {
    fn write(&self, depth: usize, out: &mut String) {
        match self {
            Self::Text(text) => write_text(text, out),
            Self::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Self::List(list) => write_block(['[', ']'], list, depth, out, |value, out| value.write(depth + 1, out)),
            Self::Object(pairs) => write_block(['{', '}'], pairs, depth, out, |(key, value), out| {
                write_text(key, out);
                out.push_str(": ");
                value.write(depth + 1, out);
            }),
        }
    }
}

/// Elements on lines of their own; none at all on one.
fn write_block<T>(marks: [char; 2], list: &[T], depth: usize, out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push(marks[0]);
    for (at, element) in list.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&STEP.repeat(depth + 1));
        write(element, out);
    }
    if !list.is_empty() {
        out.push('\n');
        out.push_str(&STEP.repeat(depth));
    }
    out.push(marks[1]);
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Grows when a key goes or changes its meaning.
const FORMAT: usize = 1;
const STEP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let mut out = String::new();
        Json::Object(vec![("a", Json::List(vec![])), ("b", Json::Text("\"\\\n\u{e9}"))]).write(0, &mut out);
        assert_eq!(out, "{\n  \"a\": [],\n  \"b\": \"\\\"\\\\\\u000a\u{e9}\"\n}");
    }
}
