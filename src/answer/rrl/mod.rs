//! Response rate limiting (`rate-limit`): how many like answers a network gets a second.
//!
//! Whoever forges the source of requests has answers sent to a victim. Answers that go to one network and are about the
//! same thing share an account in a `table`; what is over the limit is dropped, or now and then answered with TC so
//! that a true client comes back over TCP. Which answers are alike, and what counts against which limit, is as with
//! BIND: errors by network alone, NXDOMAIN by zone, referrals by cut, answers of all wildcards of a zone together.

mod table;

use std::hash::Hasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use ipnet::IpNet;
use siphasher::sip::SipHasher13;

use super::acl::{Acl, Peer};
use crate::dns::name::MAX_NAME;
use crate::dns::{Class, NameRef, Rtype};
use table::{Charge, Table};

/// What `rate-limit` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The limits for [`Kind`]s in their order, a second; 0: none.
    pub per_second: [u32; KINDS],
    /// How many seconds of answers an account may owe, and for how long it is remembered.
    pub window_s: u32,
    /// Each how many-th answer over the limit is truncated, not dropped; 0: none.
    pub slip: u8,
    /// Nothing is dropped or truncated, only said.
    pub log_only: bool,
    /// How much of an IPv4 address is the network.
    pub ipv4_prefix_length: u8,
    /// How much of an IPv6 address is the network.
    pub ipv6_prefix_length: u8,
    /// How many accounts there are room for.
    pub max_table_size: u32,
    /// From how many answers a second on the limits shrink in proportion; 0: never.
    pub qps_scale: u32,
}

/// The largest `slip`.
pub const MAX_SLIP: u32 = 10;

/// How many kinds of limits there are.
pub const KINDS: usize = 6;

/// What an answer counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `responses-per-second`.
    Response,
    /// `referrals-per-second`.
    Referral,
    /// `nodata-per-second`.
    NoData,
    /// `nxdomains-per-second`.
    NxDomain,
    /// `errors-per-second`.
    Error,
    /// `all-per-second`: whatever it is.
    All,
}

/// What an answer is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What it counts as.
    pub kind: Kind,
    /// What it is told apart by: the zone's apex for NXDOMAIN and wildcards, the cut for referrals, nothing for errors,
    /// else the name.
    pub name: Option<NameRef<'a>>,
    /// Whether a wildcard made it.
    pub is_wildcard: bool,
    /// QTYPE; counts for answers alone.
    pub rtype: Rtype,
    /// QCLASS.
    pub class: Class,
}

/// An answer over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// What becomes of it, if it is not only said.
    pub action: Action,
    /// Which limit it is over.
    pub kind: Kind,
    /// The first in a row.
    pub is_first: bool,
    /// Only said.
    pub log_only: bool,
    /// The network.
    pub network: IpNet,
    /// The account, for [`RateLimit::is_over`].
    pub account: u64,
    /// How much of the end of the question's name the account is for, in bytes; more than there is: all of it.
    pub name_length: u8,
    /// A number for that name, which log lines show.
    pub name_hash: u32,
}

/// What becomes of an answer over its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing is sent.
    Drop,
    /// It goes without records, truncated.
    Slip,
}

/// The limits of a view and the accounts of its clients. Shared by all workers, without a lock.
#[derive(Debug)]
pub struct RateLimit {
    settings: Settings,
    exempt: Acl,
    table: Table,
    load: Load,
    secret: [u8; 16],
}

impl RateLimit {
    /// Limits with empty accounts. `exempt` are the clients that are not limited; `secret` keeps others from choosing
    /// names that share an account.
    pub fn new(settings: Settings, exempt: Acl, secret: [u8; 16]) -> Self {
        Self { settings, exempt, table: Table::new(settings.max_table_size), load: Load::default(), secret }
    }

    /// Whether they are the limits that these make.
    pub fn is_of(&self, settings: &Settings, exempt: &Acl) -> bool {
        self.settings == *settings && self.exempt == *exempt
    }

    /// Counts an answer to a client and says whether it is over a limit.
    pub fn count(&self, client: Peer<'_>, subject: &Subject<'_>, now_s: u64) -> Option<Limited> {
        if self.exempt.allows(client) {
            return None;
        }
        let network = self.network(client.address);
        let name_hash = self.name_hash(subject);
        let scale = self.load.scale(self.settings.qps_scale, now_s);
        let draw = |kind, account| {
            let charge = self.charge(kind, account, scale, now_s)?;
            Some((kind, account, charge))
        };
        let own = draw(subject.kind, self.account(network, subject, name_hash));
        let all = draw(Kind::All, self.hash(network, Kind::All, [0, 0], 0));
        // The limit for everything is the one that is told of, for it says more.
        let (kind, account, charge) = all.or(own)?;
        Some(Limited {
            action: if charge.slips && can_slip(kind) { Action::Slip } else { Action::Drop },
            kind,
            is_first: charge.is_first,
            log_only: self.settings.log_only,
            network,
            account,
            name_length: if subject.is_wildcard { u8::MAX } else { subject.name.map_or(0, NameRef::len) as u8 },
            name_hash: name_hash as u32,
        })
    }

    /// Whether the row of answers over the limit of an account goes on.
    pub fn is_over(&self, account: u64, now_s: u64) -> bool {
        self.table.is_over(account, now_s)
    }

    /// Draws on an account; what is over its limit is returned.
    fn charge(&self, kind: Kind, account: u64, scale: f64, now_s: u64) -> Option<Charge> {
        let limit = *self.settings.per_second.get(kind as usize)?;
        if limit == 0 {
            return None;
        }
        let rate = ((f64::from(limit) * scale) as u32).max(1);
        self.table
            .draw(account, rate, self.settings.window_s, self.settings.slip, now_s)
            .filter(|charge| charge.is_over)
    }

    fn network(&self, address: IpAddr) -> IpNet {
        let length = match address {
            IpAddr::V4(_) => self.settings.ipv4_prefix_length,
            IpAddr::V6(_) => self.settings.ipv6_prefix_length,
        };
        // A length beyond that of addresses means the address alone.
        IpNet::new(address, length).unwrap_or_else(|_| address.into()).trunc()
    }

    fn name_hash(&self, subject: &Subject<'_>) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        if subject.is_wildcard {
            hasher.write(b"\x01*");
        }
        if let Some(name) = subject.name {
            hasher.write(name.folded(&mut [0; MAX_NAME]));
        }
        hasher.finish()
    }

    fn account(&self, network: IpNet, subject: &Subject<'_>, name_hash: u64) -> u64 {
        let (class, rtype) = (subject.class.0, subject.rtype.0);
        let parts = match subject.kind {
            Kind::Response => [class, rtype],
            Kind::Referral | Kind::NoData => [class, 0],
            Kind::NxDomain | Kind::Error | Kind::All => [0, 0],
        };
        self.hash(network, subject.kind, parts, name_hash)
    }

    fn hash(&self, network: IpNet, kind: Kind, [class, rtype]: [u16; 2], name_hash: u64) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        match network.addr() {
            IpAddr::V4(v4) => hasher.write(&v4.octets()),
            IpAddr::V6(v6) => hasher.write(&v6.octets()),
        }
        hasher.write_u8(kind as u8);
        hasher.write_u16(class);
        hasher.write_u16(rtype);
        hasher.write_u64(name_hash);
        hasher.finish()
    }
}

/// BIND: errors cannot be truncated, and what is over the limit for everything is a flood.
fn can_slip(kind: Kind) -> bool {
    !matches!(kind, Kind::Error | Kind::All)
}

/// How many answers are counted a second, for `qps-scale`.
#[derive(Debug, Default)]
struct Load {
    /// The second that is counted, in the upper half, and its answers so far.
    now: AtomicU64,
    /// The answers of the second before.
    before: AtomicU64,
}

impl Load {
    /// By how much limits shrink. Counts one answer.
    fn scale(&self, limit: u32, now_s: u64) -> f64 {
        if limit == 0 {
            return 1.0;
        }
        let second = now_s << 32;
        let counted = self.now.load(Ordering::Relaxed);
        if counted >> 32 << 32 == second {
            self.now.fetch_add(1, Ordering::Relaxed);
        } else if self.now.compare_exchange(counted, second | 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.before.store(counted & u64::from(u32::MAX), Ordering::Relaxed);
        }
        let rate = self.before.load(Ordering::Relaxed).max(1) as f64;
        (f64::from(limit) / rate).min(1.0)
    }
}

#[cfg(test)]
mod tests;
