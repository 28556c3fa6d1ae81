//! What a zone does and allows: zone < view < options < default, statement by statement.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::inherit::Levels;
use super::update::serial_update_method;
use super::{Context, acl, clause};
use crate::conf::config::{Checks, Dialup, MasterfileFormat, Notify, TransferRate, Verdict, ZoneSettings, any_source};
use crate::conf::table::{Clause, ZoneType};
use crate::conf::tree::{Item, Node, Value};

const SECOND_MS: u64 = 1000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

impl Context<'_> {
    /// The effective settings of a zone of this type.
    pub(super) fn settings(&self, levels: Levels<'_>, zone_type: ZoneType) -> ZoneSettings {
        let seconds = |setting| levels.time(setting, SECOND_MS);
        let minutes = |setting| levels.time(setting, MINUTE_MS);
        let list = |clause, default| self.effective_list(levels, clause, default);
        let (transfer_port, transfer_is_tls) = self.transfer_path(levels);
        ZoneSettings {
            allow_query: list(clause::ALLOW_QUERY, acl::any),
            allow_query_on: list(clause::ALLOW_QUERY_ON, acl::any),
            allow_transfer: list(clause::ALLOW_TRANSFER, acl::any),
            transfer_port,
            transfer_is_tls,
            is_transfer_limited: levels.find(clause::ALLOW_TRANSFER).is_some(),
            allow_notify: list(clause::ALLOW_NOTIFY, acl::none),
            allow_update_forwarding: list(clause::ALLOW_UPDATE_FORWARDING, acl::none),
            updates: self.updates(levels, zone_type),
            serial_update_method: serial_update_method(levels),
            notify: notify(levels),
            also_notify: levels.find(clause::ALSO_NOTIFY).map(|node| self.remotes(node)).unwrap_or_default().into(),
            notify_to_soa: levels.boolean(clause::NOTIFY_TO_SOA),
            notify_delay: seconds(clause::NOTIFY_DELAY),
            notify_defer: seconds(clause::NOTIFY_DEFER),
            dialup: dialup(levels),
            notify_source: source(levels, clause::NOTIFY_SOURCE, false),
            notify_source_v6: source(levels, clause::NOTIFY_SOURCE_V6, true),
            transfer_source: source(levels, clause::TRANSFER_SOURCE, false),
            transfer_source_v6: source(levels, clause::TRANSFER_SOURCE_V6, true),
            alt_transfer_source: source(levels, clause::ALT_TRANSFER_SOURCE, false),
            alt_transfer_source_v6: source(levels, clause::ALT_TRANSFER_SOURCE_V6, true),
            use_alt_transfer_source: levels.boolean_or(clause::USE_ALT_TRANSFER_SOURCE, !self.has_views()),
            min_refresh_time: seconds(clause::MIN_REFRESH_TIME),
            max_refresh_time: seconds(clause::MAX_REFRESH_TIME),
            min_retry_time: seconds(clause::MIN_RETRY_TIME),
            max_retry_time: seconds(clause::MAX_RETRY_TIME),
            max_transfer_time_in: minutes(clause::MAX_TRANSFER_TIME_IN),
            max_transfer_idle_in: minutes(clause::MAX_TRANSFER_IDLE_IN),
            min_transfer_rate_in: min_transfer_rate_in(levels),
            max_transfer_time_out: minutes(clause::MAX_TRANSFER_TIME_OUT),
            max_transfer_idle_out: minutes(clause::MAX_TRANSFER_IDLE_OUT),
            one_answer: levels.word(clause::TRANSFER_FORMAT) == Some("one-answer"),
            max_records: levels.number(clause::MAX_RECORDS),
            max_records_per_type: levels.number(clause::MAX_RECORDS_PER_TYPE),
            max_types_per_name: levels.number(clause::MAX_TYPES_PER_NAME),
            multi_master: levels.boolean(clause::MULTI_MASTER),
            try_tcp_refresh: levels.boolean(clause::TRY_TCP_REFRESH),
            request_expire: levels.boolean(clause::REQUEST_EXPIRE),
            request_ixfr: levels.boolean(clause::REQUEST_IXFR),
            request_ixfr_max_diffs: levels.number(clause::REQUEST_IXFR_MAX_DIFFS),
            masterfile_format: format(levels, zone_type),
            masterfile_style_full: levels.word(clause::MASTERFILE_STYLE) == Some("full"),
            provide_zone_version: levels.boolean(clause::PROVIDE_ZONEVERSION),
            zero_no_soa_ttl: levels.boolean(clause::ZERO_NO_SOA_TTL),
            max_zone_ttl: levels.seconds(clause::MAX_ZONE_TTL),
            journal: levels.find(clause::JOURNAL).and_then(Node::text).map(|path| Arc::new(path.into())),
            ixfr_from_differences: ixfr_from_differences(levels, zone_type),
            max_journal_bytes: max_journal_bytes(levels),
            provide_ixfr: levels.boolean(clause::PROVIDE_IXFR),
            max_ixfr_percent: max_ixfr_percent(levels),
            checks: checks(levels, zone_type),
        }
    }

    /// Where a transfer has to come in. BIND: port 0 is any.
    fn transfer_path(&self, levels: Levels<'_>) -> (Option<u16>, Option<bool>) {
        let Some(node) = levels.find(clause::ALLOW_TRANSFER) else { return (None, None) };
        let port = node.after("port").map(|item| self.port_of(item)).filter(|port| *port != 0);
        let transport = node.after("transport").and_then(Item::text);
        (port, transport.map(|name| name.eq_ignore_ascii_case("tls")))
    }
}

fn notify(levels: Levels<'_>) -> Notify {
    match levels.find(clause::NOTIFY).and_then(Node::value) {
        Some(Value::Boolean(false)) => Notify::No,
        Some(Value::Word("explicit")) => Notify::Explicit,
        Some(Value::Word("primary-only" | "master-only")) => Notify::PrimaryOnly,
        _ => Notify::Yes,
    }
}

fn dialup(levels: Levels<'_>) -> Dialup {
    match levels.find(clause::DIALUP).and_then(Node::value) {
        Some(Value::Boolean(true)) => Dialup::Yes,
        Some(Value::Word("notify")) => Dialup::Notify,
        Some(Value::Word("notify-passive")) => Dialup::NotifyPassive,
        Some(Value::Word("passive")) => Dialup::Passive,
        Some(Value::Word("refresh")) => Dialup::Refresh,
        _ => Dialup::No,
    }
}

fn min_transfer_rate_in(levels: Levels<'_>) -> TransferRate {
    let numbers = levels.find(clause::MIN_TRANSFER_RATE_IN).map(|node| node.items);
    let given = numbers.and_then(|items| Some((items.first()?.number()?, items.get(1)?.number()?)));
    let (bytes, minutes) = given.unwrap_or(DEFAULT_TRANSFER_RATE);
    TransferRate { bytes: bytes.into(), within: Duration::from_secs(60 * u64::from(minutes)) }
}

/// Bytes within minutes.
const DEFAULT_TRANSFER_RATE: (u32, u32) = (10240, 5);

fn source(levels: Levels<'_>, clause: Clause, v6: bool) -> SocketAddr {
    match levels.find(clause).and_then(Node::value) {
        Some(Value::Source(address)) => *address,
        _ => any_source(v6),
    }
}

fn format(levels: Levels<'_>, zone_type: ZoneType) -> MasterfileFormat {
    match levels.word(clause::MASTERFILE_FORMAT) {
        Some("raw") => MasterfileFormat::Raw,
        Some(_) => MasterfileFormat::Text,
        None if zone_type == ZoneType::Secondary => MasterfileFormat::Raw,
        None => MasterfileFormat::Text,
    }
}

/// Zones say yes or no; views and options may also name the type of zones that they mean.
fn ixfr_from_differences(levels: Levels<'_>, zone_type: ZoneType) -> bool {
    match levels.find(clause::IXFR_FROM_DIFFERENCES).and_then(Node::value) {
        Some(Value::Boolean(is_on)) => *is_on,
        Some(Value::Word("primary" | "master")) => zone_type == ZoneType::Primary,
        Some(Value::Word(_)) => zone_type == ZoneType::Secondary,
        _ => false,
    }
}

/// A limit is given; `unlimited` is what offsets in a journal can say.
fn max_journal_bytes(levels: Levels<'_>) -> Option<u32> {
    match levels.find(clause::MAX_JOURNAL_SIZE).and_then(Node::value)? {
        Value::Bytes(bytes) => Some(u32::try_from(*bytes).unwrap_or(u32::MAX)),
        Value::Word("unlimited") => Some(u32::MAX),
        _ => None,
    }
}

fn max_ixfr_percent(levels: Levels<'_>) -> Option<u32> {
    match levels.find(clause::MAX_IXFR_RATIO).and_then(Node::value) {
        Some(Value::Percent(percent)) => Some(*percent).filter(|percent| *percent > 0),
        Some(_) => None,
        None => Some(DEFAULT_IXFR_PERCENT),
    }
}

/// Differences larger than the zone are not worth sending.
const DEFAULT_IXFR_PERCENT: u32 = 100;

fn checks(levels: Levels<'_>, zone_type: ZoneType) -> Checks {
    let verdict = |clause| levels.word(clause).map_or(Verdict::Warn, read_verdict);
    Checks {
        names: check_names(levels, zone_type),
        mx: verdict(clause::CHECK_MX),
        mx_cname: verdict(clause::CHECK_MX_CNAME),
        srv_cname: verdict(clause::CHECK_SRV_CNAME),
        dup_records: verdict(clause::CHECK_DUP_RECORDS),
        integrity: levels.boolean(clause::CHECK_INTEGRITY),
        sibling: levels.boolean(clause::CHECK_SIBLING),
        wildcard: levels.boolean(clause::CHECK_WILDCARD),
        spf: verdict(clause::CHECK_SPF),
    }
}

fn read_verdict(word: &str) -> Verdict {
    match word {
        "fail" => Verdict::Fail,
        "ignore" => Verdict::Ignore,
        _ => Verdict::Warn,
    }
}

/// A zone has one word; views and options have a pair for each kind of zone.
fn check_names(levels: Levels<'_>, zone_type: ZoneType) -> Verdict {
    let [zone, outer @ ..] = levels.0;
    if let Some(Value::Word(word)) = zone.and_then(|block| block.find(clause::CHECK_NAMES)).and_then(Node::value) {
        return read_verdict(word);
    }
    let (kinds, default) = match zone_type {
        ZoneType::Primary => (["primary", "master"], Verdict::Fail),
        _ => (["secondary", "slave"], Verdict::Warn),
    };
    let pairs = outer.into_iter().flatten().flat_map(|block| block.all(clause::CHECK_NAMES));
    let found = pairs.into_iter().find_map(|node| match node.items {
        [kind, verdict] => match (&kind.value, &verdict.value) {
            (Value::Word(kind), Value::Word(verdict)) if kinds.contains(kind) => Some(read_verdict(verdict)),
            _ => None,
        },
        _ => None,
    });
    found.unwrap_or(default)
}
