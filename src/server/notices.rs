//! What an operator should hear of a configuration that is sound: that nobody resolves here any more, and that anybody
//! may transfer zones.

use super::logging::{Category, Severity, log};
use crate::conf::Config;
use crate::conf::config::{Match, MatchElement, Updates};
use crate::dns::name::NoDot;

/// Says it, each in one line.
pub(super) fn say(config: &Config) {
    say_recursion(config);
    say_open_transfers(config);
    say_open_updates(config);
}

/// Stock BIND is also a resolver for its own host; whoever counts on that has to know.
fn say_recursion(config: &Config) {
    if config.views.iter().any(|view| view.recursion) {
        log!(
            Category::Config,
            Severity::Warning,
            "this configuration also asks for recursion, by default for local clients: nomd answers only for its own \
             zones, so clients that resolve through this host need another resolver ('recursion no;' ends this warning)"
        );
    }
}

/// BIND 9.18 lets anybody transfer a zone of which nothing else is said, and 9.20 nobody: the one difference between
/// them that gives data away.
fn say_open_transfers(config: &Config) {
    if let Some(zones) = counted(&config.zones_open_to_transfer()) {
        log!(
            Category::Config,
            Severity::Warning,
            "anybody may transfer {zones}, for no allow-transfer says otherwise: 'allow-transfer {{ none; }};' in \
             options ends that, as BIND 9.20 does"
        );
    }
}

/// As BIND has it: an address is easily forged.
fn say_open_updates(config: &Config) {
    for zone in config.views.iter().flat_map(|view| &view.zones) {
        if matches!(&zone.settings.updates, Updates::Allowed(list) if allows_unsigned(list)) {
            let zone = NoDot(zone.apex.as_ref());
            let danger = "allows unsigned updates from remote hosts, which is insecure";
            log!(Category::Security, Severity::Warning, "zone '{zone}' {danger}");
        }
    }
}

/// Whether a list is about addresses of other hosts.
fn allows_unsigned(list: &[MatchElement]) -> bool {
    list.iter().filter(|element| !element.negated).any(|element| match &element.what {
        Match::Any | Match::Localhost | Match::Localnets => true,
        Match::Prefix(prefix) => !(prefix.addr().is_loopback() && prefix.prefix_len() == prefix.max_prefix_len()),
        Match::Key(_) => false,
        Match::List(list) => allows_unsigned(list),
    })
}

/// `3 zones`, and how many of them in which view where there are views.
fn counted(views: &[(&str, usize)]) -> Option<String> {
    let total: usize = views.iter().map(|(_, count)| count).sum();
    let zones = if total == 1 { "1 zone".to_owned() } else { format!("{total} zones") };
    match views {
        [] => None,
        [("_default", _)] => Some(zones),
        _ => {
            let each: Vec<String> = views.iter().map(|(view, count)| format!("{count} in view {view}")).collect();
            Some(format!("{zones} ({})", each.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_zones_are_counted_by_view_where_there_are_views() {
        assert_eq!(counted(&[]), None);
        assert_eq!(counted(&[("_default", 4)]).as_deref(), Some("4 zones"));
        let views = [("inside", 1), ("outside", 2)];
        assert_eq!(counted(&views).as_deref(), Some("3 zones (1 in view inside, 2 in view outside)"));
        assert_eq!(counted(&[("outside", 1)]).as_deref(), Some("1 zone (1 in view outside)"));
    }
}
