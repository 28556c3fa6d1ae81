//! How everything but zones differs: options, keys, acls, views, control channels, listeners.

use std::path::PathBuf;
use std::sync::Arc;

use super::text::{duration, listen, match_list};
use super::{Edit, Step};
use crate::conf::config::{AddressMatchList, Control, Identity, Options, Role, View, ZoneSettings};
use crate::dns::name::NoDot;
use crate::dns::{Key, Name};

/// The statements of `options` by name, and how the value of each is shown.
type Shown = (&'static str, fn(&Options) -> String);

const OPTIONS: &[Shown] = &[
    ("directory", |options| path(options.directory.as_ref())),
    ("version", |options| identity(&options.version)),
    ("hostname", |options| identity(&options.hostname)),
    ("server-id", |options| identity(&options.server_id)),
    ("querylog", |options| yes_no(options.querylog)),
    ("blackhole", |options| match_list(&options.blackhole)),
    ("allow-proxy", |options| match_list(&options.proxies.from)),
    ("allow-proxy-on", |options| match_list(&options.proxies.on)),
    ("tcp-clients", |options| options.tcp_clients.to_string()),
    ("tcp-initial-timeout", |options| duration(options.tcp_initial_timeout)),
    ("tcp-idle-timeout", |options| duration(options.tcp_idle_timeout)),
    ("tcp-keepalive-timeout", |options| duration(options.tcp_keepalive_timeout)),
    ("tcp-advertised-timeout", |options| duration(options.tcp_advertised_timeout)),
    ("transfers-in", |options| options.transfers_in.to_string()),
    ("transfers-out", |options| options.transfers_out.to_string()),
    ("update-quota", |options| options.update_quota.to_string()),
    ("session-keyfile", |options| path(options.session_key.path.as_ref())),
    ("session-keyname", |options| NoDot(options.session_key.name.as_ref()).to_string()),
    ("session-keyalg", |options| options.session_key.algorithm.text().to_owned()),
    ("tcp-primaries-timeout", |options| duration(options.tcp_primaries_timeout)),
    ("heartbeat-interval", |options| duration(options.heartbeat_interval)),
    ("transfers-per-ns", |options| options.transfers_per_ns.to_string()),
    ("transfer-message-size", |options| options.transfer_message_size.to_string()),
    ("serial-query-rate", |options| options.serial_query_rate.to_string()),
    ("notify-rate", |options| options.notify_rate.to_string()),
    ("startup-notify-rate", |options| options.startup_notify_rate.to_string()),
    ("match-mapped-addresses", |options| yes_no(options.match_mapped_addresses)),
    ("statistics-file", |options| path(Some(&options.statistics_file))),
    ("answer-cookie", |options| yes_no(options.answer_cookie)),
    ("cookie-algorithm", |options| if options.cookie_by_aes { "aes" } else { "siphash24" }.to_owned()),
];

/// The statements that sockets follow.
const LISTENERS: &[Shown] = &[
    ("port", |options| options.port.to_string()),
    ("listen-on", |options| listen(&options.listen_on)),
    ("listen-on-v6", |options| listen(&options.listen_on_v6)),
    ("interface-interval", |options| duration(options.interface_interval)),
    ("tcp-listen-queue", |options| options.tcp_listen_queue.to_string()),
];

/// Settings of the server as a whole.
pub(super) fn options(old: &Options, new: &Options) -> Vec<Step> {
    let mut steps = differences(OPTIONS, old, new, |name, from, to| Step::Setting { name, from, to });
    if old.cookie_secrets != new.cookie_secrets {
        // Secrets are not shown.
        steps.push(Step::Setting { name: "cookie-secret", from: String::new(), to: String::new() });
    }
    steps
}

/// What sockets follow.
pub(super) fn listeners(old: &Options, new: &Options) -> Vec<Step> {
    differences(LISTENERS, old, new, |name, from, to| Step::Listen { name, from, to })
}

/// Where the process id is written.
pub(super) fn pid_file(old: &Options, new: &Options) -> Option<Step> {
    let (from, to) = (path(old.pid_file.as_ref()), path(new.pid_file.as_ref()));
    (from != to).then_some(Step::PidFile { from, to })
}

fn differences(
    table: &[Shown],
    old: &Options,
    new: &Options,
    step: fn(&'static str, String, String) -> Step,
) -> Vec<Step> {
    let each = table.iter().map(|(name, shown)| (*name, shown(old), shown(new)));
    each.filter(|(_, from, to)| from != to).map(|(name, from, to)| step(name, from, to)).collect()
}

/// Keys of the top level.
pub(super) fn keys(old: &[Arc<Key>], new: &[Arc<Key>]) -> Vec<Step> {
    edits(old, new, |key| &key.name).map(|(edit, key)| Step::Key(edit, key.name.clone())).collect()
}

/// Named lists.
pub(super) fn acls(old: &[(String, AddressMatchList)], new: &[(String, AddressMatchList)]) -> Vec<Step> {
    edits(old, new, |(name, _)| name).map(|(edit, (name, _))| Step::Acl(edit, name.clone())).collect()
}

/// Control channels.
pub(super) fn controls(old: Option<&[Control]>, new: Option<&[Control]>) -> Vec<Step> {
    let channels = edits(old.unwrap_or_default(), new.unwrap_or_default(), |control| &control.address);
    let mut steps: Vec<Step> = channels.map(|(edit, control)| Step::Control(edit, Some(control.address))).collect();
    match (old, new) {
        (Some(_), None) => steps.push(Step::Control(Edit::Add, None)),
        (None, Some(_)) => steps.insert(0, Step::Control(Edit::Drop, None)),
        _ => {}
    }
    steps
}

/// Views, apart from their zones.
pub(super) fn views(old: &[View], new: &[View]) -> Vec<Step> {
    let name = |view: &View| view.name.clone();
    let gone = old.iter().filter(|view| new.iter().all(|other| other.name != view.name));
    let mut steps: Vec<Step> = gone.map(|view| Step::View(Edit::Drop, name(view), vec![])).collect();
    for view in new {
        match old.iter().find(|before| before.name == view.name) {
            None => steps.push(Step::View(Edit::Add, name(view), vec![])),
            Some(before) => match view_statements(before, view) {
                statements if statements.is_empty() => {}
                statements => steps.push(Step::View(Edit::Change, name(view), statements)),
            },
        }
    }
    steps.extend(order(old, new));
    steps
}

/// The first view that matches answers, so their order counts.
fn order(old: &[View], new: &[View]) -> Option<Step> {
    let common = |views: &[View], others: &[View]| {
        let both = views.iter().filter(|view| others.iter().any(|other| other.name == view.name));
        both.map(|view| view.name.as_str()).collect::<Vec<_>>().join(" ")
    };
    let (from, to) = (common(old, new), common(new, old));
    (from != to).then_some(Step::Setting { name: "order of views", from, to })
}

/// Makes a table of statements and of how to tell whether two blocks differ in them.
macro_rules! statements {
    ($block:ty: $($name:literal $field:ident),+ $(,)?) => {
        &[$(($name, |old: &$block, new: &$block| old.$field != new.$field)),+]
    };
}

/// A statement, and whether two blocks differ in it.
type Differs<T> = (&'static str, fn(&T, &T) -> bool);

const VIEW: &[Differs<View>] = statements!(View:
    "class" class,
    "match-clients" match_clients,
    "match-destinations" match_destinations,
    "match-recursive-only" match_recursive_only,
    "key" keys,
    "recursion" recursion,
    "recursion" offers_recursion,
    "allow-recursion" allow_recursion,
    "minimal-responses" minimal_responses,
    "minimal-any" minimal_any,
    "rrset-order" rrset_order,
    "edns-udp-size, max-udp-size, nocookie-udp-size, require-server-cookie or response-padding" edns,
    "request-nsid" request_nsid,
    "allow-proxy or allow-proxy-on" proxies,
    "sortlist" sortlist,
    "max-query-restarts" max_query_restarts,
    "server" servers,
    "no-case-compress" no_case_compress,
    "rate-limit" rate_limit,
    "allow-query" allow_query,
    "catalog-zones" catalogs,
);

const ZONE: &[Differs<ZoneSettings>] = statements!(ZoneSettings:
    "allow-query" allow_query,
    "allow-query-on" allow_query_on,
    "allow-transfer" allow_transfer,
    "allow-notify" allow_notify,
    "allow-update-forwarding" allow_update_forwarding,
    "allow-update or update-policy" updates,
    "serial-update-method" serial_update_method,
    "notify" notify,
    "also-notify" also_notify,
    "notify-to-soa" notify_to_soa,
    "notify-delay" notify_delay,
    "notify-defer" notify_defer,
    "dialup" dialup,
    "notify-source" notify_source,
    "notify-source-v6" notify_source_v6,
    "transfer-source" transfer_source,
    "transfer-source-v6" transfer_source_v6,
    "alt-transfer-source" alt_transfer_source,
    "alt-transfer-source-v6" alt_transfer_source_v6,
    "use-alt-transfer-source" use_alt_transfer_source,
    "min-refresh-time" min_refresh_time,
    "max-refresh-time" max_refresh_time,
    "min-retry-time" min_retry_time,
    "max-retry-time" max_retry_time,
    "max-transfer-time-in" max_transfer_time_in,
    "max-transfer-idle-in" max_transfer_idle_in,
    "min-transfer-rate-in" min_transfer_rate_in,
    "max-transfer-time-out" max_transfer_time_out,
    "max-transfer-idle-out" max_transfer_idle_out,
    "transfer-format" one_answer,
    "max-records" max_records,
    "max-records-per-type" max_records_per_type,
    "max-types-per-name" max_types_per_name,
    "multi-master" multi_master,
    "try-tcp-refresh" try_tcp_refresh,
    "request-expire" request_expire,
    "request-ixfr" request_ixfr,
    "request-ixfr-max-diffs" request_ixfr_max_diffs,
    "masterfile-format" masterfile_format,
    "masterfile-style" masterfile_style_full,
    "zero-no-soa-ttl" zero_no_soa_ttl,
    "provide-zoneversion" provide_zone_version,
    "max-zone-ttl" max_zone_ttl,
    "journal" journal,
    "ixfr-from-differences" ixfr_from_differences,
    "max-journal-size" max_journal_bytes,
    "provide-ixfr" provide_ixfr,
    "max-ixfr-ratio" max_ixfr_percent,
    "check-*" checks,
);

/// The statements in which the settings of a zone differ.
pub(super) fn zone(old: &ZoneSettings, new: &ZoneSettings) -> Vec<&'static str> {
    differing(ZONE, old, new).collect()
}

fn view_statements(old: &View, new: &View) -> Vec<&'static str> {
    let differs_in_views = in_views(old) != in_views(new);
    differing(VIEW, old, new).chain(differs_in_views.then_some("in-view")).collect()
}

/// The zones that a view takes from others, and from which.
fn in_views(view: &View) -> Vec<(&Name, &str)> {
    let taken = view.zones.iter().filter_map(|zone| match &zone.role {
        Role::InView(other) => Some((&zone.apex, other.as_str())),
        _ => None,
    });
    taken.collect()
}

fn differing<T>(table: &'static [Differs<T>], old: &T, new: &T) -> impl Iterator<Item = &'static str> {
    table.iter().filter(|(_, differs)| differs(old, new)).map(|(name, _)| *name)
}

/// What goes, in the old order, then what changes and comes, in the new.
fn edits<'a, T: PartialEq, N: PartialEq>(
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&T) -> &N,
) -> impl Iterator<Item = (Edit, &'a T)> {
    let find = |among: &'a [T], one: &T| among.iter().find(|other| name(other) == name(one));
    let gone = old.iter().filter(|one| find(new, one).is_none()).map(|one| (Edit::Drop, one));
    let there = new.iter().filter_map(|one| match find(old, one) {
        None => Some((Edit::Add, one)),
        Some(before) => (before != one).then_some((Edit::Change, one)),
    });
    gone.chain(there).collect::<Vec<_>>().into_iter()
}

fn path(path: Option<&PathBuf>) -> String {
    path.map_or_else(|| "none".to_owned(), |path| format!("\"{}\"", path.display()))
}

fn yes_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn identity(identity: &Identity) -> String {
    match identity {
        Identity::Default => "the default".to_owned(),
        Identity::None => "none".to_owned(),
        Identity::Hostname => "hostname".to_owned(),
        Identity::Text(text) => format!("\"{text}\""),
    }
}
