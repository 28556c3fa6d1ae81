//! What a worker needs to answer, as of one moment: the views in order, their zones and keys, and the server's own
//! words.
//!
//! A [`Snapshot`] never changes; a new configuration makes a new one and the server publishes it by a swap. Only four
//! things within move: the contents of a [`Zone`], swapped when a new zone version is published or the zone expires,
//! what is known of its journal, the moment when a secondary zone expires, and whether a dynamic zone is frozen. All
//! are read without a lock.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};
use ipnet::IpNet;

use super::acl::Acl;
use super::cookie::Cookies;
use super::flags::{Flag, Flags};
use super::order::Orders;
use super::respond::{Client, Transport};
use super::rrl::RateLimit;
use super::sortlist::SortRule;
use super::table::ZoneTable;
use super::update::UpdatePolicy;
use crate::dns::{Class, Key, Name, NameRef, Serial, ZonePath};
use crate::zone::ZoneVersion;
use crate::zone::message::Strictness;

/// Everything needed to answer.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// In the order in which they are tried; the one of [`super::builtin::view`] is the last.
    pub views: Vec<View>,
    /// Nobody here gets any reply.
    pub blackhole: Acl,
    /// Whether IPv4 addresses mapped into IPv6 are matched as IPv4 (`match-mapped-addresses`).
    pub match_mapped_addresses: bool,
    /// What is told to those who ask who we are.
    pub identity: Identity,
    /// How EDNS is spoken to whom no view takes; of the views each has its own.
    pub edns: EdnsPolicy,
    /// `tcp-advertised-timeout` in units of 100 ms, told to clients that send the keepalive option (RFC 7828).
    pub tcp_advertised_timeout_100ms: u16,
    /// What cookies are made with.
    pub cookies: Cookies,
}

/// The texts of the built-in CHAOS zones. None: an empty answer.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// version.bind
    pub version: Option<Box<str>>,
    /// hostname.bind
    pub hostname: Option<Box<str>>,
    /// id.server, and the NSID option of EDNS (RFC 5001).
    pub server_id: Option<Box<str>>,
    /// authors.bind; stock named leaves it empty once `version` is set.
    pub authors: Box<[Box<str>]>,
}

/// A set of zones for some clients.
#[derive(Debug)]
pub struct View {
    /// `_default` when the configuration has no views.
    pub name: Box<str>,
    /// Its class.
    pub class: Class,
    /// Whom it serves.
    pub match_clients: Acl,
    /// On which of our addresses.
    pub match_destinations: Acl,
    /// Only requests with RD set.
    pub match_recursive_only: bool,
    /// The keys that requests to it may be signed with.
    pub keys: Vec<Arc<Key>>,
    /// Its zones; shared with the snapshot before where they are the same.
    pub zones: Arc<ZoneTable>,
    /// `minimal-responses`.
    pub minimal_responses: MinimalResponses,
    /// `minimal-any`: ANY over UDP gets one RRset.
    pub minimal_any: bool,
    /// The order of the records of an RRset.
    pub rrset_order: Orders,
    /// Which addresses come first for whom (`sortlist`).
    pub sortlist: Box<[SortRule]>,
    /// How many aliases one answer follows (`max-query-restarts`).
    pub max_restarts: u32,
    /// `recursion yes`: named then has a line for each query for other names that it refuses.
    pub offers_recursion: bool,
    /// For whom named would recurse. nomd does not, but like named it follows CNAMEs from zone to zone, and takes
    /// additional data from other zones, only for them and when they set RD.
    pub allow_recursion: Acl,
    /// Clients whose answers are compressed without regard to case.
    pub no_case_compress: Acl,
    /// How it speaks EDNS.
    pub edns: EdnsPolicy,
    /// Who may speak for its clients.
    pub proxies: ProxyPolicy,
    /// What holds for some peers alone (`server`), the longest prefixes first.
    pub peers: Box<[PeerPolicy]>,
    /// How many like answers a network gets; shared with the snapshot before where it says the same.
    pub rate_limit: Option<Arc<RateLimit>>,
}

/// Which proxies are heard.
#[derive(Debug, Clone, Default)]
pub struct ProxyPolicy {
    /// From where (`allow-proxy`).
    pub from: Acl,
    /// On which of our addresses (`allow-proxy-on`).
    pub on: Acl,
}

/// What a `server` statement says of how a peer is answered; none: as everybody.
#[derive(Debug, Clone)]
pub struct PeerPolicy {
    /// Whom it is about.
    pub prefix: IpNet,
    /// `max-udp-size`.
    pub max_udp_size: Option<u16>,
    /// `provide-ixfr`.
    pub provide_ixfr: Option<bool>,
    /// `transfer-format one-answer`.
    pub one_answer: Option<bool>,
}

impl View {
    /// What holds for this peer alone. BIND: of several statements the one with the longest prefix counts.
    pub fn peer(&self, address: IpAddr) -> Option<&PeerPolicy> {
        self.peers.iter().find(|peer| peer.prefix.contains(&address))
    }
}

/// How EDNS is spoken.
#[derive(Debug, Clone)]
pub struct EdnsPolicy {
    /// The size that we announce (`edns-udp-size`).
    pub udp_size: u16,
    /// The largest reply over UDP (`max-udp-size`).
    pub max_udp_size: u16,
    /// The same for clients without a cookie of ours (`nocookie-udp-size`), even where they speak no EDNS.
    pub nocookie_udp_size: u16,
    /// Who sends a cookie but not ours gets nothing but one (`require-server-cookie`).
    pub requires_cookie: bool,
    /// Whose answers are padded (`response-padding`).
    pub padded: Acl,
    /// To a multiple of how many bytes.
    pub padding_block: u16,
}

impl Default for EdnsPolicy {
    /// BIND's defaults.
    fn default() -> Self {
        Self {
            udp_size: 1232,
            max_udp_size: 1232,
            nocookie_udp_size: 4096,
            requires_cookie: false,
            padded: Acl::Nobody,
            padding_block: 0,
        }
    }
}

/// `minimal-responses`: when the authority and additional sections stay empty though they could be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinimalResponses {
    /// Never.
    No,
    /// Always.
    Yes,
    /// The authority section does.
    NoAuth,
    /// The authority section does when the query has RD set.
    #[default]
    NoAuthRecursive,
}

/// What a zone is on this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneRole {
    /// Its contents come from a file here.
    Primary,
    /// Its contents come from other servers.
    Secondary,
}

/// What a zone allows; many zones share one.
#[derive(Debug, Clone, Default)]
pub struct ZonePolicy {
    /// Who may ask.
    pub allow_query: Acl,
    /// On which of our addresses.
    pub allow_query_on: Acl,
    /// Who may transfer.
    pub allow_transfer: Acl,
    /// By which way they have to come.
    pub transfer_path: TransferPath,
    /// Whose NOTIFY is taken: `allow-notify`, and the addresses of the primaries.
    pub allow_notify: Acl,
    /// Whose UPDATE is passed on to the primaries (`allow-update-forwarding`).
    pub allow_update_forwarding: Acl,
    /// Who may change it.
    pub updates: UpdatePolicy,
    /// What becomes of names in updates that hosts do not have (`check-names`).
    pub update_names: Strictness,
    /// A negative answer to a query for SOA has a TTL of 0 (`zero-no-soa-ttl`).
    pub zero_no_soa_ttl: bool,
    /// Whoever asks is told the version (`provide-zoneversion`).
    pub provide_zone_version: bool,
    /// How the zone is sent to those who may transfer it.
    pub transfer_out: TransferOut,
}

/// Where a request for a transfer has to come in (`allow-transfer port N transport T`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TransferPath {
    /// At this port of ours.
    pub port: Option<u16>,
    /// With TLS, or without.
    pub is_tls: Option<bool>,
}

impl TransferPath {
    /// Whether a client came this way.
    #[must_use]
    pub fn includes(self, client: &Client) -> bool {
        let fits_transport = match self.is_tls {
            None => true,
            Some(false) => client.transport == Transport::Tcp,
            Some(true) => matches!(client.transport, Transport::Tls { .. }),
        };
        fits_transport && self.port.is_none_or(|port| port == client.local.port())
    }
}

/// How a zone is sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct TransferOut {
    /// One record in each message (`transfer-format one-answer`).
    pub one_answer: bool,
    /// The longest time in which the client takes nothing (`max-transfer-idle-out`).
    pub idle: Duration,
    /// The longest time in all (`max-transfer-time-out`).
    pub total: Duration,
    /// Those who ask for differences get them (`provide-ixfr`).
    pub provide_ixfr: bool,
    /// How large the differences may be, in hundredths of the zone (`max-ixfr-ratio`).
    pub max_ixfr_percent: Option<u32>,
}

/// Where the differences between the versions of a zone are.
#[derive(Debug, Clone)]
pub enum Journal {
    /// Beside the zone's file, with the same name and `.jnl` behind it.
    Beside(ZonePath),
    /// In this file.
    At(Arc<PathBuf>),
}

impl Journal {
    /// The journal's file, for a zone.
    pub fn path(&self, apex: NameRef<'_>) -> PathBuf {
        match self {
            Self::Beside(file) => {
                let mut name = file.of(apex).into_os_string();
                name.push(".jnl");
                name.into()
            }
            Self::At(path) => path.to_path_buf(),
        }
    }
}

/// A zone as it is answered from.
pub struct Zone {
    apex: Name,
    class: Class,
    role: ZoneRole,
    policy: Arc<ZonePolicy>,
    /// By which its owner knows it again.
    handle: u64,
    journal: Option<Journal>,
    contents: ArcSwapOption<ZoneVersion>,
    /// Seconds since 1970, or 0.
    expires_at_s: AtomicU64,
    /// The serial from which on all that is in the journal was written by this process.
    exact_from: AtomicU32,
    flags: Flags,
}

// There may be very many. An allocator rounds up to 16 bytes.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Zone>() <= 72);

impl Zone {
    /// A zone with no contents yet: its queries get SERVFAIL until [`Self::publish`].
    pub fn new(apex: Name, class: Class, role: ZoneRole, policy: Arc<ZonePolicy>) -> Self {
        let (contents, expires_at_s) = (ArcSwapOption::empty(), AtomicU64::new(0));
        let (handle, journal, exact_from, flags) = (0, None, AtomicU32::new(0), Flags::default());
        Self { apex, class, role, policy, handle, journal, contents, expires_at_s, exact_from, flags }
    }

    /// The same zone with a number by which its owner knows it again, under whatever policy.
    pub fn with_handle(self, handle: u64) -> Self {
        Self { handle, ..self }
    }

    /// The same zone with a journal, or without.
    pub fn with_journal(self, journal: Option<Journal>) -> Self {
        Self { journal, ..self }
    }

    /// The same zone under another policy, with the contents that this one has now.
    pub fn with_policy(&self, policy: Arc<ZonePolicy>) -> Self {
        let mut zone = Self::new(self.apex.clone(), self.class, self.role, policy).with_handle(self.handle);
        zone.journal.clone_from(&self.journal);
        zone.set_exact_from(self.exact_from());
        zone.set_stray_journal(self.flags.is(Flag::StrayJournal));
        zone.contents.store(self.contents.load_full());
        zone.set_expiry(self.expires_at_s());
        zone.freeze(self.is_frozen());
        zone
    }

    /// The apex, in the case of the configuration.
    pub fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    /// The number given with [`Self::with_handle`].
    pub fn handle(&self) -> u64 {
        self.handle
    }

    /// Where the differences between its versions are, as far as is known; none: whoever asks for some gets the zone.
    pub fn journal(&self) -> Option<PathBuf> {
        let is_stray = self.flags.is(Flag::StrayJournal);
        self.journal.as_ref().filter(|_| !is_stray).map(|journal| journal.path(self.apex()))
    }

    /// Says whether the journal may lead to another version of the serial that is served, until it is gone.
    pub fn set_stray_journal(&self, is_stray: bool) {
        self.flags.set(Flag::StrayJournal, is_stray);
    }

    /// From this version on the differences are this process's own, and exact. That is kept in memory, for a journal is
    /// written as by named, which has no place for it, and whose differences may add what is there already.
    pub fn exact_from(&self) -> Serial {
        Serial(self.exact_from.load(Ordering::Acquire))
    }

    fn set_exact_from(&self, serial: Serial) {
        self.exact_from.store(serial.0, Ordering::Release);
    }

    /// The class.
    pub fn class(&self) -> Class {
        self.class
    }

    /// What the zone is here.
    pub fn role(&self) -> ZoneRole {
        self.role
    }

    /// What the zone allows.
    pub fn policy(&self) -> &ZonePolicy {
        &self.policy
    }

    /// The version that is served; none: not loaded, or expired. Cheap; not to be held for long.
    pub fn contents(&self) -> Guard<Option<Arc<ZoneVersion>>> {
        self.contents.load()
    }

    /// The version that is served, to be held as long as needed.
    pub fn version(&self) -> Option<Arc<ZoneVersion>> {
        self.contents.load_full()
    }

    /// Serves another version, or none, from now on. The old one is returned so that the caller chooses where a big one
    /// is taken down.
    pub fn publish(&self, version: Option<Arc<ZoneVersion>>) -> Option<Arc<ZoneVersion>> {
        if let Some(version) = &version {
            // The first one, and one that is older than all before.
            let begins = self.contents().is_none() || self.exact_from().is_newer_than(version.serial());
            if begins {
                self.set_exact_from(version.serial());
            }
        }
        self.contents.swap(version)
    }

    /// The same for a version that was found on disk, where others may have written what leads to it.
    pub fn publish_found(&self, version: Arc<ZoneVersion>) -> Option<Arc<ZoneVersion>> {
        self.set_exact_from(version.serial());
        self.contents.swap(Some(version))
    }

    /// Somebody asks for contents and there are none. True for the first of them alone.
    pub(super) fn wait(&self) -> bool {
        !self.flags.is(Flag::Awaited) && !self.flags.set(Flag::Awaited, true)
    }

    /// Whether its file is its operator's to edit, and no update is made; dynamic zones only.
    pub fn is_frozen(&self) -> bool {
        self.flags.is(Flag::Frozen)
    }

    /// Says whether it is frozen.
    pub fn freeze(&self, is_frozen: bool) {
        self.flags.set(Flag::Frozen, is_frozen);
    }

    /// When the zone expires, in seconds since 1970; none: never.
    pub fn expires_at_s(&self) -> Option<u64> {
        Some(self.expires_at_s.load(Ordering::Relaxed)).filter(|&at| at > 0)
    }

    /// Says when the zone expires.
    pub fn set_expiry(&self, at_s: Option<u64>) {
        self.expires_at_s.store(at_s.unwrap_or(0), Ordering::Relaxed);
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({}/{} {:?})", self.apex, self.class, self.role)
    }
}

impl Snapshot {
    /// The address that lists are matched against.
    pub fn matched_address(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V6(v6) if self.match_mapped_addresses => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            _ => address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::testing::read;

    #[test]
    fn differences_are_exact_from_the_first_version_on_or_from_an_older_one_or_one_that_was_found() {
        let zone = Zone::new("a.test.".parse().unwrap(), Class::IN, ZoneRole::Secondary, Arc::default());
        let version = |serial: u32| Arc::new(read("a.test.", &format!("@ 60 SOA ns h {serial} 2 3 4 5\n@ 60 NS ns\n")));
        for (serial, exact_from) in [(7, 7), (9, 7), (8, 7), (5, 5), (6, 5)] {
            zone.publish(Some(version(serial)));
            assert_eq!(zone.exact_from(), Serial(exact_from), "{serial}");
        }
        zone.publish_found(version(9));
        assert_eq!(zone.with_policy(Arc::default()).exact_from(), Serial(9));
    }
}
