//! What a worker or the control side counts: one number for each thing that BIND counts, under BIND's names and in its
//! words.
//!
//! Each has its own [`Counters`] and is the only one to write to them, so that an addition is a load and a store
//! and no line of the cache goes from one processor to another. Whoever wants to know adds up those of all workers.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cookie::CookieState;
use super::facts::{Denied, Facts, Result as Found};
use super::respond::{Client, Transport};
use super::rrl::Action;
use crate::dns::edns::Asked;
use crate::dns::{Opcode, Rcode, Rtype};

/// Makes the list of counters, each with BIND's name for it and what `rndc stats` calls it.
macro_rules! counters {
    ($($name:ident $text:literal)+) => {
        /// Something that is counted, by BIND's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs)] // the table says what each is
        pub enum Counter { $($name),+ }

        /// All counters with their names and texts, in BIND's order.
        pub const COUNTERS: &[(Counter, &str, &str)] = &[$((Counter::$name, stringify!($name), $text)),+];
    };
}

counters! {
    Requestv4 "IPv4 requests received"
    Requestv6 "IPv6 requests received"
    ReqEdns0 "requests with EDNS(0) received"
    ReqBadEDNSVer "requests with unsupported EDNS version received"
    ReqTSIG "requests with TSIG received"
    ReqBadSIG "requests with invalid signature"
    ReqTCP "TCP requests received"
    TCPConnHighWater "TCP connection high-water"
    AuthQryRej "auth queries rejected"
    RecQryRej "recursive queries rejected"
    XfrRej "transfer requests rejected"
    UpdateRej "update requests rejected"
    Response "responses sent"
    TruncatedResp "truncated responses sent"
    RespEDNS0 "responses with EDNS(0) sent"
    RespTSIG "responses with TSIG sent"
    QrySuccess "queries resulted in successful answer"
    QryAuthAns "queries resulted in authoritative answer"
    QryNoauthAns "queries resulted in non authoritative answer"
    QryReferral "queries resulted in referral answer"
    QryNxrrset "queries resulted in nxrrset"
    QrySERVFAIL "queries resulted in SERVFAIL"
    QryFORMERR "queries resulted in FORMERR"
    QryNXDOMAIN "queries resulted in NXDOMAIN"
    QryDropped "queries dropped"
    QryFailure "other query failures"
    XfrReqDone "requested transfers completed"
    UpdateReqFwd "update requests forwarded"
    UpdateRespFwd "update responses forwarded"
    UpdateFwdFail "update forward failed"
    UpdateDone "updates completed"
    UpdateFail "updates failed"
    UpdateBadPrereq "updates rejected due to prerequisite failure"
    RateDropped "responses dropped for rate limits"
    RateSlipped "responses truncated for rate limits"
    QryUDP "UDP queries received"
    QryTCP "TCP queries received"
    NSIDOpt "NSID option received"
    ExpireOpt "Expire option received"
    KeepAliveOpt "EDNS TCP keepalive option received"
    PadOpt "EDNS padding option received"
    OtherOpt "Other EDNS option received"
    CookieIn "COOKIE option received"
    CookieNew "COOKIE - client only"
    CookieBadSize "COOKIE - bad size"
    CookieBadTime "COOKIE - bad time"
    CookieNoMatch "COOKIE - no match"
    CookieMatch "COOKIE - match"
    ECSOpt "EDNS client subnet option received"
    QryBADCOOKIE "sent badcookie response"
    KeyTagOpt "Keytag option received"
    UpdateQuota "Update quota exceeded"
    NotifyOutv4 "IPv4 notifies sent"
    NotifyOutv6 "IPv6 notifies sent"
    NotifyInv4 "IPv4 notifies received"
    NotifyInv6 "IPv6 notifies received"
    NotifyRej "notifies rejected"
    SOAOutv4 "IPv4 SOA queries sent"
    SOAOutv6 "IPv6 SOA queries sent"
    AXFRReqv4 "IPv4 AXFR requested"
    AXFRReqv6 "IPv6 AXFR requested"
    IXFRReqv4 "IPv4 IXFR requested"
    IXFRReqv6 "IPv6 IXFR requested"
    XfrSuccess "transfer requests succeeded"
    XfrFail "transfer requests failed"
}

/// The first of the counters that are about the upkeep of zones; those before are about answers.
pub const FIRST_OF_ZONES: Counter = Counter::NotifyOutv4;
/// How many operations are told apart.
pub const OPCODES: usize = 16;
/// How many response codes.
pub const RCODES: usize = 24;
/// How many types of queries; the last is for all others.
pub const QTYPES: usize = 257;
/// Sizes of messages are counted by so many bytes.
pub const SIZE_STEP: usize = 16;
/// How many steps requests have; the last is open.
pub const REQUEST_STEPS: usize = 19;
/// The same for replies.
pub const REPLY_STEPS: usize = 257;

type Row<const N: usize> = [AtomicU64; N];

const fn row<const N: usize>() -> Row<N> {
    [const { AtomicU64::new(0) }; N]
}

/// The sizes of messages over one transport and family.
#[derive(Debug)]
pub struct Sizes {
    /// Of requests, by steps of [`SIZE_STEP`].
    pub requests: Row<REQUEST_STEPS>,
    /// Of replies.
    pub replies: Row<REPLY_STEPS>,
}

/// The counters of one worker, in lines of the cache of their own.
#[derive(Debug)]
#[repr(align(128))]
pub struct Counters {
    counts: Row<{ COUNTERS.len() }>,
    /// Requests by operation.
    pub opcodes: Row<OPCODES>,
    /// Replies by response code.
    pub rcodes: Row<RCODES>,
    /// Queries by type.
    pub qtypes: Row<QTYPES>,
    /// UDP and TCP over IPv4, then over IPv6.
    pub sizes: [Sizes; 4],
}

impl Default for Counters {
    fn default() -> Self {
        let sizes = [const { Sizes { requests: row(), replies: row() } }; 4];
        Self { counts: row(), opcodes: row(), rcodes: row(), qtypes: row(), sizes }
    }
}

impl Counters {
    /// What was counted.
    pub fn value(&self, counter: Counter) -> u64 {
        self.counts.get(counter as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Counts one more. To be called by the one who writes to these counters.
    pub fn add(&self, counter: Counter) {
        add(&self.counts, counter as usize);
    }

    /// Counts something that goes to a server of one family or the other.
    pub fn add_for(&self, server: IpAddr, [ipv4, ipv6]: [Counter; 2]) {
        self.add(if server.is_ipv4() { ipv4 } else { ipv6 });
    }

    /// Says what is counted elsewhere.
    pub fn set(&self, counter: Counter, value: u64) {
        if let Some(count) = self.counts.get(counter as usize) {
            count.store(value, Ordering::Relaxed);
        }
    }

    fn add_if(&self, holds: bool, counter: Counter) {
        if holds {
            self.add(counter);
        }
    }

    /// Counts a request of so many bytes, what is known of it, and its reply if there is one.
    pub fn count(&self, facts: &Facts, client: &Client, request: usize, reply: Option<usize>) {
        if !facts.is_request {
            return;
        }
        let (is_ipv6, is_tcp) = (client.source.is_ipv6(), client.transport == Transport::Tcp);
        self.add(if is_ipv6 { Counter::Requestv6 } else { Counter::Requestv4 });
        self.add_if(is_tcp, Counter::ReqTCP);
        if !facts.is_malformed {
            self.request(facts);
        }
        self.outcome(facts, is_ipv6, is_tcp);
        if let Some(sizes) = self.sizes_of(client) {
            add(&sizes.requests, (request / SIZE_STEP).min(REQUEST_STEPS.saturating_sub(1)));
        }
        if let Some(reply) = reply {
            self.count_reply(facts, client, reply);
        }
    }

    /// Counts a reply of so many bytes, and what it says.
    pub fn count_reply(&self, facts: &Facts, client: &Client, reply: usize) {
        self.reply(facts);
        if let Some(sizes) = self.sizes_of(client) {
            add(&sizes.replies, (reply / SIZE_STEP).min(REPLY_STEPS.saturating_sub(1)));
        }
    }

    fn sizes_of(&self, client: &Client) -> Option<&Sizes> {
        let (is_ipv6, is_tcp) = (client.source.is_ipv6(), client.transport == Transport::Tcp);
        self.sizes.get(usize::from(is_ipv6) << 1 | usize::from(is_tcp))
    }

    fn request(&self, facts: &Facts) {
        add(&self.opcodes, facts.opcode.0.into());
        match facts.edns_version {
            Some(0) => {
                self.add(Counter::ReqEdns0);
                self.options(facts);
            }
            Some(_) => self.add(Counter::ReqBadEDNSVer),
            None => {}
        }
        self.add_if(facts.has_tsig, Counter::ReqTSIG);
        self.add_if(facts.tsig_error.is_some(), Counter::ReqBadSIG);
    }

    fn options(&self, facts: &Facts) {
        self.add_if(facts.has_subnet, Counter::ECSOpt);
        if facts.asked != Asked::default() {
            self.asked(facts.asked);
        }
        let state = match facts.cookie {
            CookieState::Absent => return,
            CookieState::New => Counter::CookieNew,
            CookieState::BadSize => Counter::CookieBadSize,
            CookieState::BadTime => Counter::CookieBadTime,
            CookieState::NoMatch => Counter::CookieNoMatch,
            CookieState::Valid => Counter::CookieMatch,
        };
        self.add(Counter::CookieIn);
        self.add(state);
    }

    fn asked(&self, asked: Asked) {
        self.add_if(asked.nsid, Counter::NSIDOpt);
        self.add_if(asked.expire, Counter::ExpireOpt);
        self.add_if(asked.tcp_keepalive, Counter::KeepAliveOpt);
        self.add_if(asked.padding, Counter::PadOpt);
        self.add_if(asked.key_tags, Counter::KeyTagOpt);
        self.add_if(asked.other, Counter::OtherOpt);
    }

    fn reply(&self, facts: &Facts) {
        self.add(Counter::Response);
        add(&self.rcodes, facts.rcode.0.into());
        self.add_if(facts.is_truncated, Counter::TruncatedResp);
        self.add_if(facts.reply_has_edns, Counter::RespEDNS0);
        self.add_if(facts.reply_is_signed, Counter::RespTSIG);
    }

    fn outcome(&self, facts: &Facts, is_ipv6: bool, is_tcp: bool) {
        match (facts.opcode, facts.denied) {
            (Opcode::NOTIFY, denied) if denied == Some(Denied::Notify) || facts.rcode == Rcode::NOERROR => {
                self.add(if is_ipv6 { Counter::NotifyInv6 } else { Counter::NotifyInv4 });
                self.add_if(denied.is_some(), Counter::NotifyRej);
            }
            (
                Opcode::UPDATE,
                Some(Denied::Update | Denied::UpdateForwarding | Denied::UpdateByList | Denied::UpdateByQuery { .. }),
            ) => self.add(Counter::UpdateRej),
            (Opcode::QUERY, denied) if facts.is_query => {
                let rtype = facts.question.map_or(Rtype(0), |(rtype, _)| rtype);
                add(&self.qtypes, usize::from(rtype.0).min(QTYPES.saturating_sub(1)));
                match rtype {
                    Rtype::AXFR | Rtype::IXFR => self.add_if(denied == Some(Denied::Transfer), Counter::XfrRej),
                    _ => self.query(facts, is_tcp),
                }
            }
            _ => {}
        }
    }

    /// What became of a query, as BIND tells it: of those that found a zone, by what the answer holds.
    fn query(&self, facts: &Facts, is_tcp: bool) {
        if facts.has_zone {
            self.add(if is_tcp { Counter::QryTCP } else { Counter::QryUDP });
        }
        let limited = facts.limited.filter(|limited| !limited.log_only).map(|limited| limited.action);
        if limited == Some(Action::Drop) {
            self.add(Counter::RateDropped);
            return self.add(Counter::QryDropped);
        }
        self.add_if(limited == Some(Action::Slip), Counter::RateSlipped);
        if facts.has_zone {
            self.add(if facts.is_authoritative { Counter::QryAuthAns } else { Counter::QryNoauthAns });
        }
        if matches!(facts.denied, Some(Denied::OutsideZones | Denied::Query | Denied::QueryOn)) {
            self.add(if facts.recursion_desired { Counter::RecQryRej } else { Counter::AuthQryRej });
        }
        self.add(match facts.rcode {
            Rcode::NOERROR if facts.has_answer && limited.is_none() => Counter::QrySuccess,
            Rcode::NOERROR if facts.result == Found::Referral => Counter::QryReferral,
            Rcode::NOERROR => Counter::QryNxrrset,
            Rcode::NXDOMAIN => Counter::QryNXDOMAIN,
            Rcode::BADCOOKIE => Counter::QryBADCOOKIE,
            Rcode::SERVFAIL if !facts.has_zone => Counter::QrySERVFAIL,
            Rcode::FORMERR => Counter::QryFORMERR,
            _ => Counter::QryFailure,
        });
    }
}

/// One more in a place of a row; there is no other writer.
fn add(row: &[AtomicU64], place: usize) {
    if let Some(count) = row.get(place) {
        count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stand_in_the_places_of_their_numbers() {
        assert!(COUNTERS.iter().enumerate().all(|(place, (counter, ..))| *counter as usize == place));
    }

    #[test]
    fn sizes_above_the_last_step_are_counted_there() {
        let counters = Counters::default();
        let facts = Facts { is_request: true, ..Facts::default() };
        let at = "192.0.2.1:53".parse().unwrap();
        let client = Client { source: at, local: at, transport: Transport::Tcp, proxy: None };
        for (request, reply) in [(15, 31), (16, 32), (4000, 65_535)] {
            counters.count(&facts, &client, request, Some(reply));
        }
        let tcp = &counters.sizes[1];
        let value = |row: &[AtomicU64], place: usize| row[place].load(Ordering::Relaxed);
        assert_eq!([0, 1, REQUEST_STEPS - 1].map(|place| value(&tcp.requests, place)), [1; 3]);
        assert_eq!([1, 2, REPLY_STEPS - 1].map(|place| value(&tcp.replies, place)), [1; 3]);
        assert_eq!((counters.value(Counter::Requestv4), counters.value(Counter::ReqTCP)), (3, 3));
    }

    #[test]
    fn what_is_no_request_is_not_counted() {
        let counters = Counters::default();
        let at = "[2001:db8::1]:53".parse().unwrap();
        let client = Client { source: at, local: at, transport: Transport::Udp, proxy: None };
        counters.count(&Facts::default(), &client, 3, None);
        assert_eq!(counters.value(Counter::Requestv6), 0);
    }
}
