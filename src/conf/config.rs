//! The typed configuration: every name resolved, every default and inheritance applied.
//!
//! Nothing above `conf` sees configuration text. Lists that many zones inherit are shared by `Arc`, so that a million
//! zones cost little more than their own statements.

use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use crate::dns::{Class, Key, Name, Rtype, ZonePath};

/// A whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Settings of the server as a whole.
    pub options: Options,
    /// `key` statements of the top level.
    pub keys: Vec<Arc<Key>>,
    /// `tls` statements, used or not.
    pub tls: Vec<Arc<Tls>>,
    /// `http` statements, used or not.
    pub http: Vec<Arc<Http>>,
    /// The `acl` statements that something uses, by name in lower case.
    pub acls: Vec<(String, AddressMatchList)>,
    /// Where the control channel listens. None: no `controls` statement, so the default channel (BIND semantics 8.10).
    pub controls: Option<Vec<Control>>,
    /// Where log lines go.
    pub logging: Logging,
    /// Views in order of matching. Without `view` statements there is one, named `_default`.
    pub views: Vec<View>,
}

impl Config {
    /// How many zones of each view anybody may transfer because no `allow-transfer` says who may.
    pub fn zones_open_to_transfer(&self) -> Vec<(&str, usize)> {
        let is_open = |zone: &&Zone| zone.role.has_contents() && !zone.settings.is_transfer_limited;
        let open = self.views.iter().map(|view| (view.name.as_str(), view.zones.iter().filter(is_open).count()));
        open.filter(|(_, count)| *count > 0).collect()
    }
}

/// Settings that are not per view or zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Working directory; file names are relative to it.
    pub directory: Option<PathBuf>,
    /// None: `pid-file none`.
    pub pid_file: Option<PathBuf>,
    /// `port`: where listeners without a port of their own listen, and where primaries and NOTIFY targets are reached.
    pub port: u16,
    /// `tls-port`: where listeners with `tls` and without a port of their own listen.
    pub tls_port: u16,
    /// `https-port`: the same for those with `http` too.
    pub https_port: u16,
    /// `http-port`: the same with `tls none`.
    pub http_port: u16,
    /// `listen-on`, in order. Default: any.
    pub listen_on: Vec<Listen>,
    /// `listen-on-v6`. Default: any.
    pub listen_on_v6: Vec<Listen>,
    /// How often interfaces are scanned beside the kernel's own word of changes. Zero: never. Default 60 minutes.
    pub interface_interval: Duration,
    /// `version`, answered to version.bind.
    pub version: Identity,
    /// `hostname`, answered to hostname.bind.
    pub hostname: Identity,
    /// `server-id`, answered to id.server and NSID.
    pub server_id: Identity,
    /// `querylog`: whether queries are logged from the start. Default: whether a `queries` category is configured.
    pub querylog: bool,
    /// How EDNS is spoken where no view says otherwise.
    pub edns: Edns,
    /// Which proxies are heard where no view says otherwise.
    pub proxies: Proxies,
    /// `blackhole`: nobody here is answered.
    pub blackhole: AddressMatchList,
    /// `tcp-clients`, default 150.
    pub tcp_clients: u32,
    /// `tcp-listen-queue`, default 10.
    pub tcp_listen_queue: u32,
    /// `tcp-initial-timeout`, default 30 s.
    pub tcp_initial_timeout: Duration,
    /// `tcp-idle-timeout`, default 30 s.
    pub tcp_idle_timeout: Duration,
    /// `tcp-keepalive-timeout`, default 30 s.
    pub tcp_keepalive_timeout: Duration,
    /// `tcp-advertised-timeout`, default 30 s.
    pub tcp_advertised_timeout: Duration,
    /// `tcp-primaries-timeout`, default 15 s.
    pub tcp_primaries_timeout: Duration,
    /// `heartbeat-interval`, default 60 min; zero: never.
    pub heartbeat_interval: Duration,
    /// `transfers-in`, default 10.
    pub transfers_in: u32,
    /// `transfers-out`, default 10.
    pub transfers_out: u32,
    /// `transfers-per-ns`, default 2.
    pub transfers_per_ns: u32,
    /// `transfer-message-size`, default 20480 bytes.
    pub transfer_message_size: u16,
    /// `serial-query-rate`, default 20 a second.
    pub serial_query_rate: u32,
    /// `notify-rate`, default 20 a second.
    pub notify_rate: u32,
    /// `startup-notify-rate`, default 20 a second.
    pub startup_notify_rate: u32,
    /// `match-mapped-addresses`.
    pub match_mapped_addresses: bool,
    /// `answer-cookie`, default yes.
    pub answer_cookie: bool,
    /// `statistics-file`, default named.stats.
    pub statistics_file: PathBuf,
    /// `cookie-algorithm aes`.
    pub cookie_by_aes: bool,
    /// `cookie-secret`, decoded; the first signs, all verify. Empty: a random one each start.
    pub cookie_secrets: Vec<[u8; 16]>,
}

/// One `listen-on` or `listen-on-v6` clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// Its port, or that of `options`.
    pub port: u16,
    /// Which of the host's addresses.
    pub addresses: AddressMatchList,
    /// `proxy`.
    pub proxy: Option<ProxyHeader>,
    /// `tls`, unless it is `none`.
    pub tls: Option<Arc<Tls>>,
    /// `http`.
    pub http: Option<Arc<Http>>,
}

/// Where a proxy tells whom it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Ahead of all else.
    Plain,
    /// Within TLS.
    Encrypted,
}

/// Which proxies are heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxies {
    /// `allow-proxy`, default none.
    pub from: AddressMatchList,
    /// `allow-proxy-on`, default any.
    pub on: AddressMatchList,
}

/// A `tls` statement, or `ephemeral`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Its name.
    pub name: String,
    /// `cert-file` and `key-file`; none: a certificate is made.
    pub files: Option<(PathBuf, PathBuf)>,
    /// `ca-file`: clients, and servers that are asked, need a certificate from there.
    pub ca_file: Option<PathBuf>,
    /// `remote-hostname`: the name that the certificate of a server has to be for.
    pub remote_hostname: Option<String>,
    /// Whether TLS 1.2 is spoken (`protocols`).
    pub speaks_12: bool,
    /// Whether TLS 1.3 is spoken.
    pub speaks_13: bool,
    /// `ciphers`: OpenSSL's names of those that we have, the best first. None: all.
    pub ciphers: Option<Vec<&'static str>>,
    /// `cipher-suites` in the same way.
    pub cipher_suites: Option<Vec<&'static str>>,
    /// `prefer-server-ciphers`, default no.
    pub prefer_server_ciphers: bool,
    /// `session-tickets`, default yes.
    pub session_tickets: bool,
}

/// An `http` statement, or `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Its name.
    pub name: String,
    /// `endpoints`, default `/dns-query`.
    pub endpoints: Arc<[String]>,
    /// `listener-clients`, default 300.
    pub clients: u32,
    /// `streams-per-connection`, default 100.
    pub streams: u32,
}

/// What is told to those who ask who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Nothing was configured.
    Default,
    /// `none`: an empty answer.
    None,
    /// `hostname` as in `server-id hostname`: the host's own name.
    Hostname,
    /// This text.
    Text(String),
}

/// An address match list with named acls resolved. The first element that matches decides.
pub type AddressMatchList = Arc<[MatchElement]>;

/// One element of an address match list.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchElement {
    /// `!`: a match here means no.
    pub negated: bool,
    /// What is matched.
    pub what: Match,
}

/// What an address match list element matches.
#[derive(Debug, Clone, PartialEq)]
pub enum Match {
    /// Everybody. (`none` is a negated `any`.)
    Any,
    /// Addresses of this host, as interfaces come and go.
    Localhost,
    /// Networks that this host is attached to.
    Localnets,
    /// A prefix; a lone address is a prefix of full length.
    Prefix(IpNet),
    /// Requests signed with the key of this name.
    Key(Name),
    /// A nested list or a named acl.
    List(AddressMatchList),
}

/// An `inet` clause of `controls`.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// Where it listens; the unspecified address for `*`.
    pub address: SocketAddr,
    /// Who may connect.
    pub allow: AddressMatchList,
    /// Whose MAC is accepted. Empty: the key of rndc.key beside named.conf.
    pub keys: Vec<Arc<Key>>,
    /// Only commands that change nothing.
    pub read_only: bool,
}

/// `logging`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logging {
    /// Declared channels, beside the built-in default_syslog, default_debug, default_stderr and null.
    pub channels: Vec<Channel>,
    /// Categories that were given channels: name in lower case, channel names.
    pub categories: Vec<(String, Vec<String>)>,
}

/// A logging channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Where lines go.
    pub to: Destination,
    /// The least severe lines that pass.
    pub severity: Severity,
    /// What stands in front of a line.
    pub print_time: PrintTime,
    /// `print-category`.
    pub print_category: bool,
    /// `print-severity`.
    pub print_severity: bool,
    /// `buffered`.
    pub buffered: bool,
}

/// Where a channel's lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A file.
    File {
        /// Its path, relative to `directory`.
        path: PathBuf,
        /// How many old versions are kept: none means that it is never rolled, `u32::MAX` that all are kept.
        versions: Option<u32>,
        /// Rolled, or with no versions closed, at this size in bytes.
        size: Option<u64>,
        /// `suffix timestamp`.
        timestamp_suffix: bool,
    },
    /// syslog with this facility's name.
    Syslog(String),
    /// Standard error.
    Stderr,
    /// Nowhere.
    Null,
}

/// A channel's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum Severity {
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    /// `debug N`: always up to this level.
    Debug(u32),
    /// Follows the server's debug level.
    Dynamic,
}

/// `print-time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum PrintTime {
    No,
    Local,
    Iso8601,
    Iso8601Utc,
}

/// A view; without `view` statements the one called `_default`.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Class,
    /// Who is served by it.
    pub match_clients: AddressMatchList,
    /// On which of our addresses.
    pub match_destinations: AddressMatchList,
    /// Only recursive queries.
    pub match_recursive_only: bool,
    /// Keys that were declared in the view, then those of the top level.
    pub keys: Vec<Arc<Key>>,
    /// Whether BIND would recurse for somebody here. nomd does not.
    pub recursion: bool,
    /// `recursion yes`, whoever may make use of it.
    pub offers_recursion: bool,
    /// `allow-recursion`: for whom that would be; nobody with `recursion no`. Default localhost and localnets.
    pub allow_recursion: AddressMatchList,
    /// `minimal-responses`.
    pub minimal_responses: MinimalResponses,
    /// `minimal-any`.
    pub minimal_any: bool,
    /// How it speaks EDNS.
    pub edns: Edns,
    /// `request-nsid`: whether primaries are asked for their identity.
    pub request_nsid: bool,
    /// Which proxies are heard.
    pub proxies: Proxies,
    /// `rrset-order`: the first rule that fits counts. Default random for all.
    pub rrset_order: Vec<OrderRule>,
    /// `sortlist`: each element a list of clients and what they get first.
    pub sortlist: AddressMatchList,
    /// `max-query-restarts`, default 11.
    pub max_query_restarts: u32,
    /// `server` statements.
    pub servers: Vec<Server>,
    /// `no-case-compress` clients.
    pub no_case_compress: AddressMatchList,
    /// `rate-limit`.
    pub rate_limit: Option<RateLimit>,
    /// The default for names outside every zone; their answer is REFUSED either way, but it is logged as denied.
    pub allow_query: AddressMatchList,
    /// `catalog-zones`.
    pub catalogs: Vec<CatalogZone>,
    /// Its zones, in order.
    pub zones: Vec<Zone>,
}

/// An element of `catalog-zones`: a zone that lists zones to serve.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogZone {
    /// The name of the zone.
    pub apex: Name,
    /// `default-primaries`: whom members are asked of where the catalog does not say.
    pub primaries: Arc<[Remote]>,
    /// The port of primaries that the catalog names: that of `options`.
    pub primary_port: u16,
    /// `zone-directory`: where members' files are. None: in the working directory.
    pub directory: Option<Arc<str>>,
    /// `in-memory`: members have no files.
    pub is_in_memory: bool,
    /// `min-update-interval`, default 5 s.
    pub min_update_interval: Duration,
    /// What members do and allow where the catalog does not say.
    pub settings: Arc<ZoneSettings>,
}

/// How EDNS is spoken.
#[derive(Debug, Clone, PartialEq)]
pub struct Edns {
    /// Our own EDNS size (`edns-udp-size`), default 1232.
    pub udp_size: u16,
    /// The largest UDP answer that we send (`max-udp-size`), default 1232.
    pub max_udp_size: u16,
    /// The largest to a client without a cookie of ours (`nocookie-udp-size`), default 4096.
    pub nocookie_udp_size: u16,
    /// `require-server-cookie`.
    pub require_server_cookie: bool,
    /// `response-padding`: for whom.
    pub padded: AddressMatchList,
    /// And to a multiple of how many bytes.
    pub padding_block: u16,
}

/// `rate-limit`: how many like answers a network gets.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// `responses-per-second`; 0 here and below: no limit.
    pub responses_per_second: u32,
    /// `referrals-per-second`.
    pub referrals_per_second: u32,
    /// `nodata-per-second`.
    pub nodata_per_second: u32,
    /// `nxdomains-per-second`.
    pub nxdomains_per_second: u32,
    /// `errors-per-second`.
    pub errors_per_second: u32,
    /// `all-per-second`.
    pub all_per_second: u32,
    /// `window` in seconds.
    pub window_s: u32,
    /// `slip`.
    pub slip: u32,
    /// `qps-scale`; 0: never.
    pub qps_scale: u32,
    /// `ipv4-prefix-length`.
    pub ipv4_prefix_length: u32,
    /// `ipv6-prefix-length`.
    pub ipv6_prefix_length: u32,
    /// `log-only`.
    pub log_only: bool,
    /// `max-table-size`.
    pub max_table_size: u32,
    /// `exempt-clients`.
    pub exempt_clients: AddressMatchList,
}

/// `minimal-responses`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum MinimalResponses {
    No,
    Yes,
    NoAuth,
    NoAuthRecursive,
}

/// An element of `rrset-order`; what it does not say fits all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRule {
    /// `class`.
    pub class: Option<Class>,
    /// `type`.
    pub rtype: Option<Rtype>,
    /// `name`: an owner, or a wildcard for all below.
    pub name: Option<Name>,
    /// `order`.
    pub order: RrsetOrder,
}

/// The orders of `rrset-order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum RrsetOrder {
    None,
    Fixed,
    Random,
    Cyclic,
}

/// A `server` statement: how one peer is treated.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Which peers.
    pub prefix: IpNet,
    /// The key of requests to it, by name: one that is not defined is found out at run time, as with BIND.
    pub key: Option<Name>,
    /// `edns no`: never sent EDNS.
    pub edns: bool,
    /// `tcp-only`: SOA queries and NOTIFY go over TCP.
    pub tcp_only: bool,
    /// `edns-udp-size`: what SOA queries to it say that we take.
    pub udp_size: Option<u16>,
    /// `request-expire`.
    pub request_expire: Option<bool>,
    /// `request-nsid`.
    pub request_nsid: Option<bool>,
    /// `request-ixfr`.
    pub request_ixfr: Option<bool>,
    /// `request-ixfr-max-diffs`.
    pub request_ixfr_max_diffs: Option<u32>,
    /// `transfers`: at most so many at a time from it.
    pub transfers: Option<u32>,
    /// `max-udp-size`: the largest answer to it.
    pub max_udp_size: Option<u16>,
    /// `provide-ixfr`: whether it gets differences.
    pub provide_ixfr: Option<bool>,
    /// `transfer-format one-answer`: how zones are sent to it.
    pub one_answer: Option<bool>,
    /// `notify-source`.
    pub notify_source: Option<SocketAddr>,
    /// `transfer-source`.
    pub transfer_source: Option<SocketAddr>,
}

/// A zone with its effective settings. Of many zones only the names differ, so nothing else is kept for each.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its apex, in the case of the configuration.
    pub apex: Name,
    /// What else is said of it; many zones share one.
    pub kind: Arc<ZoneKind>,
}

/// What may be said of several zones.
#[derive(Debug, Clone)]
pub struct ZoneKind {
    /// The class.
    pub class: Class,
    /// What the zone is here.
    pub role: Role,
    /// The file that it is read from and, a secondary, written to. None: in memory only, or no contents of its own.
    pub path: Option<ZonePath>,
    /// What it does and allows; zones in different files share one, too.
    pub settings: Arc<ZoneSettings>,
}

impl Deref for Zone {
    type Target = ZoneKind;

    fn deref(&self) -> &ZoneKind {
        &self.kind
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        let parts = |zone: &Self| (zone.apex.clone(), zone.class, zone.role.clone(), Arc::clone(&zone.settings));
        parts(self) == parts(other) && self.has_file_of(other)
    }
}

impl Zone {
    /// [`ZoneKind::path`] with the zone's name.
    pub fn file(&self) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.of(self.apex.as_ref()))
    }

    /// Whether another zone has the same file.
    pub fn has_file_of(&self, other: &Self) -> bool {
        let is_spelt_alike = self.apex.as_ref().as_bytes() == other.apex.as_ref().as_bytes();
        (is_spelt_alike && self.path == other.path) || self.file() == other.file()
    }
}

/// What a zone is on this server.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Its contents come from a file that its operator keeps.
    Primary,
    /// Its contents come from its primaries.
    Secondary {
        /// Whom to ask, in this order.
        primaries: Arc<[Remote]>,
    },
    /// `type hint`: accepted, not used.
    Hint,
    /// `in-view`: the zone of that name in an earlier view.
    InView(String),
}

impl Role {
    /// Whether the zone is answered from contents of its own.
    pub fn has_contents(&self) -> bool {
        matches!(self, Self::Primary | Self::Secondary { .. })
    }
}

/// Another server, as an element of `primaries` or `also-notify`.
#[derive(Debug, Clone, PartialEq)]
pub struct Remote {
    /// Where it is.
    pub address: SocketAddr,
    /// The key's name; one that is not defined is found out at run time, as with BIND.
    pub key: Option<Name>,
    /// The `tls` statement's name, in lower case.
    pub tls: Option<Arc<str>>,
}

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

    /// Whether the zone is refreshed at each heartbeat.
    pub fn refreshes_at_heartbeat(self) -> bool {
        matches!(self, Self::Yes | Self::Refresh)
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

/// The address that stands for "any" in `transfer-source *` and the like.
pub fn any_source(v6: bool) -> SocketAddr {
    let address =
        if v6 { IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED) };
    SocketAddr::new(address, 0)
}
