//! What zones do and allow.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{AddressMatchList, Remote, SerialUpdateMethod, Updates};

/// What a zone does and allows: its own clauses over the view's, the options' and the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSettings {
    /// Who may ask. Default any.
    pub allow_query: AddressMatchList,
    /// On which of our addresses. Default any.
    pub allow_query_on: AddressMatchList,
    /// Who may transfer. Default any, as BIND 9.18 has it.
    pub allow_transfer: AddressMatchList,
    /// The port of ours that `allow-transfer` is for.
    pub transfer_port: Option<u16>,
    /// Whether `allow-transfer` is for TLS, or for TCP without it.
    pub transfer_is_tls: Option<bool>,
    /// Whether an `allow-transfer` says so; where none does, BIND 9.18 and thus nomd leave transfers open to all.
    pub is_transfer_limited: bool,
    /// Whose NOTIFY is taken beside the primaries'. Default nobody.
    pub allow_notify: AddressMatchList,
    /// Whose updates are passed on to the primaries. Default nobody.
    pub allow_update_forwarding: AddressMatchList,
    /// `allow-update` and `update-policy`.
    pub updates: Updates,
    /// `serial-update-method`.
    pub serial_update_method: SerialUpdateMethod,
    /// `notify`.
    pub notify: Notify,
    /// `also-notify`.
    pub also_notify: Arc<[Remote]>,
    /// `notify-to-soa`.
    pub notify_to_soa: bool,
    /// `notify-delay`, default 5 s.
    pub notify_delay: Duration,
    /// `notify-defer`, default 0 s.
    pub notify_defer: Duration,
    /// `dialup`.
    pub dialup: Dialup,
    /// `notify-source`; port 0 for any.
    pub notify_source: SocketAddr,
    /// `notify-source-v6`.
    pub notify_source_v6: SocketAddr,
    /// `transfer-source`.
    pub transfer_source: SocketAddr,
    /// `transfer-source-v6`.
    pub transfer_source_v6: SocketAddr,
    /// `alt-transfer-source`.
    pub alt_transfer_source: SocketAddr,
    /// `alt-transfer-source-v6`.
    pub alt_transfer_source_v6: SocketAddr,
    /// `use-alt-transfer-source`, default yes where there are no views.
    pub use_alt_transfer_source: bool,
    /// `min-refresh-time` and its three siblings, default 300, 2419200, 500 and 1209600 s.
    pub min_refresh_time: Duration,
    /// See `min_refresh_time`.
    pub max_refresh_time: Duration,
    /// See `min_refresh_time`.
    pub min_retry_time: Duration,
    /// See `min_refresh_time`.
    pub max_retry_time: Duration,
    /// `max-transfer-time-in`, default 120 min.
    pub max_transfer_time_in: Duration,
    /// `max-transfer-idle-in`, default 60 min.
    pub max_transfer_idle_in: Duration,
    /// `min-transfer-rate-in`, default 10240 bytes within 5 min.
    pub min_transfer_rate_in: TransferRate,
    /// `max-transfer-time-out`, default 120 min.
    pub max_transfer_time_out: Duration,
    /// `max-transfer-idle-out`, default 60 min.
    pub max_transfer_idle_out: Duration,
    /// `transfer-format one-answer`.
    pub one_answer: bool,
    /// `max-records`; 0: no limit.
    pub max_records: u32,
    /// `max-records-per-type`, default 100; 0: no limit.
    pub max_records_per_type: u32,
    /// `max-types-per-name`, default 100; 0: no limit.
    pub max_types_per_name: u32,
    /// `multi-master`.
    pub multi_master: bool,
    /// `try-tcp-refresh`, default yes.
    pub try_tcp_refresh: bool,
    /// `request-expire`, default yes.
    pub request_expire: bool,
    /// `request-ixfr`, default yes.
    pub request_ixfr: bool,
    /// `request-ixfr-max-diffs`; 0: no limit.
    pub request_ixfr_max_diffs: u32,
    /// `masterfile-format`: the effective one for this role.
    pub masterfile_format: MasterfileFormat,
    /// `masterfile-style full`.
    pub masterfile_style_full: bool,
    /// `zero-no-soa-ttl`, default yes.
    pub zero_no_soa_ttl: bool,
    /// `provide-zoneversion`, default yes.
    pub provide_zone_version: bool,
    /// `max-zone-ttl` in seconds; none: unlimited.
    pub max_zone_ttl: Option<u32>,
    /// `journal`; none: beside the zone's file.
    pub journal: Option<Arc<PathBuf>>,
    /// `ixfr-from-differences`, for the zone's type.
    pub ixfr_from_differences: bool,
    /// `max-journal-size` in bytes; none: twice the zone.
    pub max_journal_bytes: Option<u32>,
    /// `provide-ixfr` of the view, default yes.
    pub provide_ixfr: bool,
    /// `max-ixfr-ratio`, default 100 %; none: no limit.
    pub max_ixfr_percent: Option<u32>,
    /// How faults in a master file are taken.
    pub checks: Checks,
}

/// `notify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum Notify {
    No,
    Yes,
    Explicit,
    PrimaryOnly,
}

/// `dialup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum Dialup {
    No,
    Yes,
    Notify,
    NotifyPassive,
    Passive,
    Refresh,
}

impl Dialup {
    /// Whether the zone is refreshed when that falls due.
    pub fn refreshes_when_due(self) -> bool {
        matches!(self, Self::No | Self::Notify)
    }

    /// Whether NOTIFY is sent at each heartbeat.
    pub fn notifies_at_heartbeat(self) -> bool {
        matches!(self, Self::Yes | Self::Notify | Self::NotifyPassive)
    }
}

/// `min-transfer-rate-in`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransferRate {
    /// At least so many bytes,
    pub bytes: u64,
    /// within each such time.
    pub within: Duration,
}

/// `masterfile-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum MasterfileFormat {
    Text,
    Raw,
}

/// How much a fault in a zone weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not looked for, or passed over.
    Ignore,
    /// Said.
    Warn,
    /// The zone is refused.
    Fail,
}

/// The `check-*` family, as effective for a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// `check-names`; default fail for a primary, warn for a secondary.
    pub names: Verdict,
    /// `check-mx`; default warn.
    pub mx: Verdict,
    /// `check-mx-cname`; default warn.
    pub mx_cname: Verdict,
    /// `check-srv-cname`; default warn.
    pub srv_cname: Verdict,
    /// `check-dup-records`; default warn.
    pub dup_records: Verdict,
    /// `check-integrity`; default yes.
    pub integrity: bool,
    /// `check-sibling`; default yes.
    pub sibling: bool,
    /// `check-wildcard`; default yes.
    pub wildcard: bool,
    /// `check-spf`; default warn.
    pub spf: Verdict,
}
