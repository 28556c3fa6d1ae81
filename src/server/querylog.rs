//! What is logged of single requests: the query log, and what was refused.
//!
//! The words are named's, since fail2ban and its like read them (BIND semantics 9.9 to 9.11).

use std::fmt::{self, Write};
use std::net::SocketAddr;

use super::control::listener::socket_text;
use super::logging::line::{ClientPrefix, ZonePrefix, ZoneText};
use super::logging::{Category, Severity, is_enabled, log, without_waiting};
use crate::answer::cookie::CookieState;
use crate::answer::facts::{Denied, Facts, Unanswered};
use crate::answer::{Client, Proxy, Snapshot, Transport};
use crate::dns::message::Message;
use crate::dns::name::NoDot;
use crate::dns::tsig::Tsig;
use crate::dns::{Class, NameBuf, NameRef, Opcode, Rcode, Rtype};

/// Logs what there is to log of a request that has been answered.
pub(super) fn tell(snapshot: &Snapshot, request: &[u8], client: &Client, facts: &Facts, is_logging_queries: bool) {
    let is_query = is_logging_queries && facts.opcode == Opcode::QUERY && facts.view.is_some();
    let is_notify = is_notify_of_a_zone(facts);
    let denied = facts.denied.filter(|denied| *denied != Denied::OutsideZones || offers_recursion(snapshot, facts));
    let failure = Failure::of(facts, client.transport)
        .filter(|failure| is_enabled(Category::QueryErrors, failure.severity(is_query)));
    let is_told = denied.is_some() || facts.unanswered.is_some() || facts.tsig_error.is_some();
    if !is_query && !is_notify && !is_told && failure.is_none() {
        return;
    }
    let Some(line) = Line::new(snapshot, request, client, facts) else { return };
    without_waiting(|| {
        if is_query && is_enabled(Category::Queries, Severity::Info) {
            line.query();
        }
        if is_notify {
            line.notify(Severity::Info, "");
        }
        if let Some(error) = facts.tsig_error {
            line.bad_signature(error);
        }
        if let Some(denied) = denied {
            line.denied(denied);
        }
        if facts.unanswered == Some(Unanswered::Restarts) {
            log!(Category::Client, Severity::Info, "{line}query iterations limit reached");
        }
        if let Some(failure) = failure {
            line.failure(failure, failure.severity(is_query));
        }
    });
}

/// A query that got no answer: in named's words, and where its source has them, which is part of the line.
#[derive(Debug, Clone, Copy)]
struct Failure {
    reason: &'static str,
    line: u32,
    debug: u32,
}

impl Failure {
    #[inline]
    fn of(facts: &Facts, transport: Transport) -> Option<Self> {
        if matches!(facts.rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
            return None;
        }
        let (rtype, _) = facts.question.filter(|_| facts.is_query && !facts.is_malformed)?;
        let (reason, line, debug) = match (facts.denied, facts.unanswered, facts.rcode, rtype) {
            (Some(Denied::OutsideZones | Denied::Query | Denied::QueryOn), ..) => ("REFUSED", 5708, 3),
            (_, Some(Unanswered::NotLoaded), ..) => ("zone not loaded", 5713, 1),
            (.., Rcode::NOTIMP, Rtype::AXFR | Rtype::IXFR) => ("NOTIMP", 12419, 3),
            (.., Rcode::NOTIMP, _) => ("NOTIMP", 12446, 3),
            (.., Rcode::SERVFAIL, Rtype::AXFR | Rtype::IXFR) if transport == LACKS_ALPN => ("no ALPN", 12434, 1),
            (.., Rcode::FORMERR, Rtype::TKEY) => ("FORMERR", 12455, 3),
            (.., Rcode::FORMERR, Rtype::OPT | Rtype::TSIG) => ("FORMERR", 12459, 3),
            _ => return None,
        };
        Some(Self { reason, line, debug })
    }

    /// BIND: who has queries logged wants to see at once which of them failed.
    fn severity(self, is_logging_queries: bool) -> Severity {
        if is_logging_queries { Severity::Info } else { Severity::Debug(self.debug) }
    }
}

/// Whether named would look further for a name outside all zones, and so tells that somebody may not have that.
fn offers_recursion(snapshot: &Snapshot, facts: &Facts) -> bool {
    facts.view.and_then(|index| snapshot.views.get(index)).is_some_and(|view| view.offers_recursion)
}

/// named tells of every NOTIFY for a zone that it has, also of one that it refuses.
fn is_notify_of_a_zone(facts: &Facts) -> bool {
    let is_known = facts.rcode == Rcode::NOERROR || facts.denied == Some(Denied::Notify);
    facts.opcode == Opcode::NOTIFY && is_known
}

/// A request, taken apart once more for the log.
pub(super) struct Line<'a> {
    client: &'a Client,
    facts: &'a Facts,
    view: Option<&'a str>,
    pub(super) name: NameBuf,
    pub(super) rtype: Rtype,
    pub(super) class: Class,
    key: Option<NameBuf>,
}

impl<'a> Line<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, request: &[u8], client: &'a Client, facts: &'a Facts) -> Option<Self> {
        let message = Message::new(request).ok()?;
        let name = message.question().ok()?.name;
        let (rtype, class) = facts.question?;
        let view = facts.view.and_then(|index| snapshot.views.get(index)).map(|view| &*view.name);
        let key = if facts.has_tsig { Tsig::find(&message).ok()?.map(|tsig| tsig.key_name) } else { None };
        Some(Self { client, facts, view, name, rtype, class, key })
    }

    fn query(&self) {
        let (rtype, class) = (self.rtype, self.class);
        let (name, flags, local) = (NoDot(self.name.as_ref()), Flags(self), self.client.local.ip());
        log!(Category::Queries, Severity::Info, "{self}query: {name} {class} {rtype} {flags} ({local})");
    }

    fn failure(&self, Failure { reason, line, .. }: Failure, severity: Severity) {
        let (name, class, rtype) = (NoDot(self.name.as_ref()), self.class, self.rtype);
        log!(
            Category::QueryErrors,
            severity,
            "{self}query failed ({reason}) for {name}/{class}/{rtype} at query.c:{line}"
        );
    }

    fn notify(&self, severity: Severity, rest: &str) {
        let zone = NoDot(self.name.as_ref());
        let key = self.verified_key().map(|key| format!(": TSIG '{}'", NoDot(key))).unwrap_or_default();
        log!(Category::Notify, severity, "{self}received notify for zone '{zone}'{key}{rest}");
    }

    fn verified_key(&self) -> Option<NameRef<'_>> {
        self.key.as_ref().filter(|_| self.facts.is_verified).map(NameBuf::as_ref)
    }

    fn bad_signature(&self, error: Rcode) {
        let reason = match error {
            Rcode::BADSIG => "tsig verify failure (BADSIG)",
            Rcode::BADKEY => "tsig verify failure (BADKEY)",
            Rcode::BADTIME => "tsig verify failure (BADTIME)",
            _ => "tsig verify failure (BADTRUNC)",
        };
        let key = self.key.as_ref().map(|key| NoDot(key.as_ref()).to_string()).unwrap_or_default();
        log!(Category::Security, Severity::Error, "{self}request has invalid signature: TSIG {key}: {reason}");
    }

    fn denied(&self, denied: Denied) {
        let zone = NoDot(self.name.as_ref());
        let question = format!("{zone}/{}/{}", self.rtype, self.class);
        match denied {
            Denied::OutsideZones => {
                let reason = "allow-query-cache did not match";
                log!(Category::Security, Severity::Info, "{self}query (cache) '{question}' denied ({reason})");
            }
            Denied::QueryOn => log!(Category::Security, Severity::Info, "{self}query-on denied"),
            Denied::Query => log!(Category::Security, Severity::Info, "{self}query '{question}' denied"),
            Denied::Transfer => {
                log!(Category::Security, Severity::Error, "{self}zone transfer '{question}' denied");
            }
            Denied::TransferNotAuth => {
                let class = self.class;
                log!(
                    Category::XferOut,
                    Severity::Info,
                    "{self}bad zone transfer request: '{zone}/{class}': non-authoritative zone (NOTAUTH)"
                );
            }
            Denied::Notify => {
                let view = self.view.unwrap_or_default();
                let zone = ZonePrefix(ZoneText { apex: self.name.as_ref(), class: self.class, view });
                let from = socket_text(self.client.source);
                log!(Category::General, Severity::Info, "{zone}refused notify from non-primary: {from}");
            }
            Denied::NotifyNotAuth => self.notify(Severity::Notice, ": not authoritative"),
            Denied::Update => log!(Category::UpdateSecurity, Severity::Info, "{self}update '{zone}/IN' denied"),
            Denied::UpdateForwarding => self.update_denied("update forwarding", Severity::Error),
            Denied::UpdateByList => self.update_denied("update", Severity::Error),
            Denied::UpdateByQuery { is_possible } => {
                let severity = if is_possible { Severity::Error } else { Severity::Info };
                log!(Category::UpdateSecurity, severity, "{self}update '{zone}/IN' denied due to allow-query");
            }
            Denied::UpdateNotSoa => {
                let why = "update zone section contains non-SOA (FORMERR)";
                log!(Category::Update, Severity::Info, "{self}update failed: {why}");
            }
            Denied::UpdateNotAuth => {
                let why = "not authoritative for update zone (NOTAUTH)";
                log!(Category::Update, Severity::Info, "{self}update failed: {zone}: {why}");
            }
            Denied::Proxy => self.proxy_refused("for that client (real client", |proxy| proxy.peer, "allow-proxy"),
            Denied::ProxyInterface => {
                self.proxy_refused("on the interface (real interface", |proxy| proxy.local, "allow-proxy-on");
            }
            Denied::NoView => log!(Category::Unmatched, Severity::Info, "{self}no matching view in class"),
        }
    }
}

impl Line<'_> {
    fn update_denied(&self, what: &str, severity: Severity) {
        if let Some(key) = self.verified_key() {
            log!(Category::UpdateSecurity, Severity::Info, "{self}signer \"{}\" denied", NoDot(key));
        }
        let zone = NoDot(self.name.as_ref());
        log!(Category::UpdateSecurity, severity, "{self}{what} '{zone}/IN' denied");
    }

    fn proxy_refused(&self, what: &str, end: fn(Proxy) -> SocketAddr, list: &str) {
        let address = self.client.proxy.map(|proxy| socket_text(end(proxy))).unwrap_or_default();
        log!(
            Category::Security,
            Severity::Debug(10),
            "{self}dropped request: PROXY is not allowed {what} address: {address}). Rejected by the '{list}' ACL"
        );
    }
}

impl fmt::Display for Line<'_> {
    /// The client as named writes it in front of what it asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = ClientPrefix {
            id: std::ptr::from_ref(self.client).addr(),
            peer: self.client.source,
            key: self.verified_key(),
            // named has a name only for what it looks up.
            qname: (self.facts.opcode == Opcode::QUERY).then(|| self.name.as_ref()),
            view: self.view,
        };
        prefix.fmt(f)
    }
}

/// TLS of a client that has not said that it speaks DNS (RFC 9103 section 7.1): it gets no transfer.
const LACKS_ALPN: Transport = Transport::Tls { is_dot: false };

/// The flags of a query as the query log has them.
struct Flags<'a>(&'a Line<'a>);

impl fmt::Display for Flags<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { facts, client, .. } = self.0;
        f.write_char(if facts.recursion_desired { '+' } else { '-' })?;
        if facts.is_verified {
            f.write_char('S')?;
        }
        if let Some(version) = facts.edns_version {
            write!(f, "E({version})")?;
        }
        let marks = [
            (client.transport != Transport::Udp, 'T'),
            (facts.dnssec_ok, 'D'),
            (facts.checking_disabled, 'C'),
            (facts.cookie == CookieState::Valid, 'V'),
            (!matches!(facts.cookie, CookieState::Absent | CookieState::Valid), 'K'),
        ];
        marks.iter().filter(|(is_set, _)| *is_set).try_for_each(|(_, mark)| f.write_char(*mark))
    }
}
