//! Transfers that are open to all, and keys: weak, undefined, unused.

use std::collections::BTreeMap;

use super::Scene;
use super::finding::{Finding, Level, counted};
use super::words::is_open;
use crate::conf::config::{View, Zone};
use crate::conf::survey::{KeyDefinition, KeyUse};

/// What there is to know of transfers and keys.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let keys = &scene.survey.keys;
    let mut findings: Vec<Finding> = [left_open(scene), opened(scene)].into_iter().flatten().collect();
    findings.extend(undefined(&keys.undefined));
    findings.extend(keys.defined.iter().filter(|key| key.algorithm.starts_with("hmac-md5")).map(md5));
    findings.extend(unused(&keys.defined));
    findings
}

fn left_open(scene: &Scene<'_>) -> Option<Finding> {
    let zones = zones(scene, |zone| !zone.settings.is_transfer_limited);
    let message = format!(
        "anybody may transfer {}, for no allow-transfer says otherwise: BIND 9.18 has it so, and so has nomd",
        counted(zones.len(), "zone")
    );
    let advice = "write 'allow-transfer { none; };' into options, and who may into the zones";
    let finding = Finding::new(Level::Warning, "transfer-left-open", message).advise(advice);
    (!zones.is_empty()).then(|| with_zones(finding, &zones))
}

fn opened(scene: &Scene<'_>) -> Option<Finding> {
    let zones = zones(scene, |zone| zone.settings.is_transfer_limited && is_open(&zone.settings.allow_transfer));
    let message = format!("allow-transfer lets anybody transfer {}", counted(zones.len(), "zone"));
    let finding = Finding::new(Level::Note, "transfer-open", message).advise("see that this is meant");
    (!zones.is_empty()).then(|| with_zones(finding, &zones))
}

fn zones<'a>(scene: &Scene<'a>, is_wanted: impl Fn(&Zone) -> bool) -> Vec<(&'a View, &'a Zone)> {
    let views = scene.survey.config.views.iter();
    let zones = views.flat_map(|view| view.zones.iter().map(move |zone| (view, zone)));
    zones.filter(|(_, zone)| zone.role.has_contents() && is_wanted(zone)).collect()
}

fn with_zones(finding: Finding, zones: &[(&View, &Zone)]) -> Finding {
    let views = zones.iter().any(|(view, _)| view.name != "_default");
    let name = |(view, zone): &(&View, &Zone)| {
        let apex = zone.apex.to_string();
        let bare = if apex == "." { "." } else { apex.trim_end_matches('.') };
        if views { format!("{bare} (view {})", view.name) } else { bare.to_owned() }
    };
    let names: Vec<String> = zones.iter().map(name).collect();
    finding.times(zones.len()).hits(names)
}

/// Keys that are named and defined nowhere, each once.
fn undefined(uses: &[KeyUse]) -> Vec<Finding> {
    let mut by_name: BTreeMap<&str, Vec<&KeyUse>> = BTreeMap::new();
    for named in uses {
        by_name.entry(&named.name).or_default().push(named);
    }
    let finding = |(name, uses): (&str, Vec<&KeyUse>)| {
        let mut within: Vec<&str> = uses.iter().map(|named| named.within).collect();
        within.sort_unstable();
        within.dedup();
        let within = within.join(", ");
        let message = format!("key '{name}' is defined nowhere, so what names it never works: {within}");
        Finding::new(Level::Warning, "key-undefined", message)
            .at(uses.iter().map(|named| named.place.clone()))
            .advise("define it, or take it out; named accepts this silently too")
    };
    by_name.into_iter().map(finding).collect()
}

fn md5(key: &KeyDefinition) -> Finding {
    let message = format!("key '{}' uses {}, which RFC 8945 advises against", key.name, key.algorithm);
    Finding::new(Level::Note, "key-md5", message)
        .at([key.place.clone()])
        .advise("nomd serves it; agree on a key of hmac-sha256 with the other side when you can")
}

fn unused(keys: &[KeyDefinition]) -> Option<Finding> {
    let unused: Vec<&KeyDefinition> = keys.iter().filter(|key| !key.is_used).collect();
    let names: Vec<String> = unused.iter().map(|key| format!("'{}'", key.name)).collect();
    let message = format!("{} defined, but used nowhere: {}", counted(names.len(), "key"), names.join(", "));
    let places = unused.iter().map(|key| key.place.clone());
    (!unused.is_empty())
        .then(|| Finding::new(Level::Note, "key-unused", message).at(places).advise("delete what nobody needs"))
}
