//! Statements: which are honoured in part, which have no effect, and which stop the start.

use std::collections::BTreeMap;

use super::Scene;
use super::finding::{Finding, Level, counted};
use crate::conf::Diagnostic;
use crate::conf::survey::{Survey, Treatment, Uses, ZoneSurvey};

/// One finding for each statement that matters; those without effect by their reason.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let survey = scene.survey;
    let mut findings = Vec::new();
    for treatment in [Treatment::Refused, Treatment::Tolerated, Treatment::Partial] {
        let uses = survey.statements.others.iter().filter(|uses| uses.treatment == treatment);
        findings.extend(uses.map(|uses| one(uses, survey)));
    }
    findings.extend(survey.differences.iter().map(difference));
    findings.extend(ignored(survey));
    findings.extend(survey.warnings.first().map(|_| warnings(survey)));
    findings
}

fn one(uses: &Uses, survey: &Survey) -> Finding {
    let subject = subject(uses);
    let zones: Vec<String> = hit(survey, uses.name).map(zone_name).collect();
    let finding = match uses.treatment {
        Treatment::Refused => Finding::new(Level::Stop, "refused", format!("{subject} is refused: {}", uses.why))
            .advise(advice(uses.name)),
        Treatment::Tolerated => {
            Finding::new(Level::Warning, "tolerated", format!("{subject} is tolerated, but not done: {}", uses.why))
        }
        _ => Finding::new(Level::Warning, "partial", format!("{subject}: {}", uses.why)),
    };
    finding.at(uses.places.iter().cloned()).times(uses.count).hits(zones)
}

fn subject(uses: &Uses) -> String {
    match (uses.within, uses.name.strip_prefix("type-")) {
        (None, _) => format!("'{}'", uses.name),
        (Some(_), Some(kind)) => format!("a zone of type '{kind}'"),
        (Some(within), None) => format!("'{}' in '{within}'", uses.name),
    }
}

/// What to do instead of a statement that is refused.
fn advice(name: &str) -> &'static str {
    let known = INSTEAD.iter().find(|(names, _)| names.contains(&name));
    known.map_or("delete it", |(_, instead)| instead)
}

/// What an operator can do instead.
const INSTEAD: [(&[&str], &str); 7] = [
    (
        &["dnssec-policy", "inline-signing", "auto-dnssec"],
        "sign these zones on another server and be its secondary here",
    ),
    (
        &["external", "krb5-self", "krb5-selfsub", "krb5-subdomain", "krb5-subdomain-self-rhs"],
        "grant updates to a key instead, or keep these zones on named",
    ),
    (
        &["ms-self", "ms-selfsub", "ms-subdomain", "ms-subdomain-self-rhs"],
        "grant updates to a key instead, or keep these zones on named",
    ),
    (&["allow-new-zones"], "write zones into named.conf and use 'rndc reconfig'"),
    (&["response-policy", "dns64"], "this is work for a resolver: keep it there"),
    (&["dlz", "dyndb", "database"], "keep these zones on named: Samba and FreeIPA need it"),
    (&["geoip"], "write the networks as prefixes"),
];

/// The zones that a refused statement hits, wherever it stands.
fn hit<'a>(survey: &'a Survey, name: &'a str) -> impl Iterator<Item = &'a ZoneSurvey> {
    survey.zones.iter().filter(move |zone| zone.refused.contains(&name))
}

/// A zone's name, with its view where there are views.
pub(super) fn zone_name(zone: &ZoneSurvey) -> String {
    match &zone.view {
        None => zone.name.clone(),
        Some(view) => format!("{} (view {view})", zone.name),
    }
}

/// Statements without effect, one finding for each reason.
fn ignored(survey: &Survey) -> Vec<Finding> {
    let mut by_reason: BTreeMap<&str, Vec<&Uses>> = BTreeMap::new();
    for uses in survey.statements.others.iter().filter(|uses| uses.treatment == Treatment::Ignored) {
        by_reason.entry(uses.why).or_default().push(uses);
    }
    let finding = |(why, uses): (&str, Vec<&Uses>)| {
        let names: Vec<String> = uses.iter().map(|uses| named(uses)).collect();
        let count = uses.iter().map(|uses| uses.count).sum();
        Finding::new(Level::Note, "ignored", format!("{why}; of no effect: {}", names.join(", "))).times(count)
    };
    by_reason.into_iter().map(finding).collect()
}

/// `forwarders (named.conf.options:13)`.
fn named(uses: &Uses) -> String {
    let place = uses.places.first().map_or("", |place| place.rsplit('/').next().unwrap_or(place));
    match uses.count {
        1 => format!("{} ({place})", uses.name),
        count => format!("{} ({count} times, first {place})", uses.name),
    }
}

/// A value that comes to something else than with named.
fn difference(said: &Diagnostic) -> Finding {
    Finding::new(Level::Warning, "partial", said.message.clone()).at([format!("{}:{}", said.file, said.line)])
}

/// What is wrong with it, though it can be used.
fn warnings(survey: &Survey) -> Finding {
    let count = survey.warnings.len();
    let message = format!("the configuration itself draws {}", counted(count, "warning"));
    Finding::new(Level::Note, "warnings", message)
        .at(survey.warnings.iter().map(ToString::to_string))
        .times(count)
        .advise("named-checkconf prints them all")
}
