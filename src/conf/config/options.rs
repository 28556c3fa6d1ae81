//! Settings of the server as a whole.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{AddressMatchList, Edns, Listen, Proxies, SessionKey};
use crate::dns::Key;

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
    /// `tcp-listen-queue`, default 1024.
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
    /// `update-quota`, default 100.
    pub update_quota: u32,
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
    /// The key of `update-policy local`.
    pub session_key: SessionKey,
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
