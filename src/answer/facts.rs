//! What happened to a request, for logs and counters: plain numbers, written whether or not somebody reads them.
//!
//! Names are not copied: the question stands in the request, which whoever logs still has.

use super::cookie::CookieState;
use super::rrl::Limited;
use crate::dns::edns::Asked;
use crate::dns::{Class, Opcode, Rcode, Rtype};

/// What is known of a request once it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// It was a request at all, from somebody who is heard.
    pub is_request: bool,
    /// Some part of it could not be read, or stood where it must not.
    pub is_malformed: bool,
    /// A query, in a view, that was not refused for its signature.
    pub is_query: bool,
    /// Its operation.
    pub opcode: Opcode,
    /// QTYPE and QCLASS, if there was one question.
    pub question: Option<(Rtype, Class)>,
    /// The view that it was answered from, by its place in the snapshot.
    pub view: Option<usize>,
    /// RD was set.
    pub recursion_desired: bool,
    /// CD was set.
    pub checking_disabled: bool,
    /// The version of EDNS it spoke.
    pub edns_version: Option<u8>,
    /// DO was set.
    pub dnssec_ok: bool,
    /// It carried a client subnet.
    pub has_subnet: bool,
    /// What else its options asked for.
    pub asked: Asked,
    /// Its cookie.
    pub cookie: CookieState,
    /// It carried a TSIG.
    pub has_tsig: bool,
    /// Whether the TSIG was good: then its key is part of the client's name in log lines.
    pub is_verified: bool,
    /// What was refused, if anything, for the security log.
    pub denied: Option<Denied>,
    /// Why a query that might be answered is not.
    pub unanswered: Option<Unanswered>,
    /// The limit that the reply is over, for the rate-limit log.
    pub limited: Option<Limited>,
    /// What the reply says.
    pub rcode: Rcode,
    /// The error field of the reply's TSIG.
    pub tsig_error: Option<Rcode>,
    /// A zone that has no contents yet, by its handle, where this is the first request that needed them.
    pub awaited: Option<u64>,
    /// There was a zone to answer from.
    pub has_zone: bool,
    /// There are records in the answer section, or would be if they had room.
    pub has_answer: bool,
    /// The reply has an OPT record.
    pub reply_has_edns: bool,
    /// The reply has a TSIG.
    pub reply_is_signed: bool,
    /// AA is set in the reply.
    pub is_authoritative: bool,
    /// TC is set in the reply.
    pub is_truncated: bool,
    /// What kind of answer it is.
    pub result: Result,
}

impl Facts {
    /// Whether it came through a proxy that may not speak for others.
    pub fn is_proxy_refused(&self) -> bool {
        matches!(self.denied, Some(Denied::Proxy | Denied::ProxyInterface))
    }
}

/// What was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// A query for a name outside all zones: `query (cache) 'n/T/C' denied`.
    OutsideZones,
    /// A query that `allow-query` does not allow: `query 'n/T/C' denied`.
    Query,
    /// A query that `allow-query-on` does not allow: `query-on denied`.
    QueryOn,
    /// A transfer that `allow-transfer` does not allow: `zone transfer 'n/T/C' denied`.
    Transfer,
    /// A transfer of what is no zone here: `bad zone transfer request: … non-authoritative zone (NOTAUTH)`.
    TransferNotAuth,
    /// A NOTIFY from somebody else: `refused notify from non-primary`.
    Notify,
    /// A NOTIFY for what is no zone here: `received notify for zone 'n': not authoritative`.
    NotifyNotAuth,
    /// An UPDATE of a zone that takes none: `update 'z/IN' denied`.
    Update,
    /// An UPDATE that `allow-update-forwarding` does not allow: `update forwarding 'z/IN' denied`.
    UpdateForwarding,
    /// An UPDATE from somebody who may not: the same, and more serious.
    UpdateByList,
    /// An UPDATE from somebody who may not even ask: `update 'z/IN' denied due to allow-query`.
    UpdateByQuery {
        /// Whether the zone takes updates.
        is_possible: bool,
    },
    /// An UPDATE that names no zone as the RFC has it: `update failed: update zone section contains non-SOA (FORMERR)`.
    UpdateNotSoa,
    /// An UPDATE of what is no zone here: `update failed: z: not authoritative for update zone (NOTAUTH)`.
    UpdateNotAuth,
    /// No view takes this client: category `unmatched`.
    NoView,
    /// A proxy that `allow-proxy` does not allow: no reply.
    Proxy,
    /// A proxy at an address of ours that `allow-proxy-on` does not allow: no reply.
    ProxyInterface,
}

/// Why a query gets SERVFAIL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The zone has no contents, not yet or not any more.
    NotLoaded,
    /// The chain of aliases is too long, or leads back into itself.
    Restarts,
}

/// What kind of answer was given, as the counters tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Result {
    /// An error of some kind: see the rcode.
    #[default]
    Failure,
    /// Records of the type (QrySuccess).
    Success,
    /// A referral (QryReferral).
    Referral,
    /// The name exists, the type does not (QryNxrrset).
    NoData,
    /// The name does not exist (QryNXDOMAIN).
    NxDomain,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            is_request: false,
            is_malformed: false,
            is_query: false,
            opcode: Opcode::QUERY,
            question: None,
            view: None,
            recursion_desired: false,
            checking_disabled: false,
            edns_version: None,
            dnssec_ok: false,
            has_subnet: false,
            asked: Asked::default(),
            cookie: CookieState::Absent,
            has_tsig: false,
            is_verified: false,
            denied: None,
            unanswered: None,
            limited: None,
            rcode: Rcode::NOERROR,
            tsig_error: None,
            awaited: None,
            has_zone: false,
            has_answer: false,
            reply_has_edns: false,
            reply_is_signed: false,
            is_authoritative: false,
            is_truncated: false,
            result: Result::Failure,
        }
    }
}
