//! Updates (RFC 2136) between the worker that takes one in and whoever answers it.
//!
//! A worker says whether a client may, takes a place, and hands the whole request on with the way back; it is answered
//! from elsewhere, when it has been carried out. What becomes of it, the role of the zone decides. What may not be
//! asked of a primary the worker answers itself, so that it takes neither a place nor the time of others.

use crate::answer::counters::{Counter, Counters};
use crate::answer::snapshot::{Zone as ServedZone, ZoneRole};
use crate::answer::{Client, Facts, Snapshot, Update};
use crate::dns::name::NoDot;
use crate::dns::{NameRef, Rcode};
use crate::net::later::ReplyTo;
use crate::server::core::{Core, Event};
use crate::server::logging::line::{ZonePrefix, ZoneText};
use crate::server::logging::{Category, Severity, log, without_waiting};
use crate::server::querylog::Line;
use crate::server::shared::{Place, Shared};
use crate::server::worker::{unix_now_s, view_name};
use crate::zone::update::{Counts, Remark, Weight};

/// A request as a worker has read it.
#[derive(Clone, Copy)]
pub(in crate::server) struct Taken<'a> {
    /// What it was read by.
    pub(in crate::server) snapshot: &'a Snapshot,
    /// All of it.
    pub(in crate::server) bytes: &'a [u8],
    /// Who sent it.
    pub(in crate::server) client: &'a Client,
    /// What is known of it.
    pub(in crate::server) facts: &'a Facts,
    /// Of the worker.
    pub(in crate::server) counters: &'a Counters,
}

/// An update to be carried out or passed on, and answered.
pub(in crate::server) struct Requested {
    /// The zone, and what a reply needs.
    pub(in crate::server) update: Update,
    /// All of the request.
    pub(in crate::server) bytes: Vec<u8>,
    /// Who asks, as log lines begin.
    who: String,
    client: Client,
    facts: Facts,
    reply_to: ReplyTo,
    /// How many records each change may leave.
    pub(super) counts: Counts,
    place: Option<Place>,
}

/// What became of an update, for the counters.
pub(in crate::server) struct Ended {
    /// What it counts as.
    pub(in crate::server) counter: Counter,
    /// The reply, where it is one of ours.
    pub(in crate::server) replied: Option<Replied>,
}

/// A reply that was sent, for the counters.
pub(in crate::server) struct Replied {
    client: Client,
    facts: Facts,
    length: usize,
}

impl Requested {
    /// The name of the key that it was signed with.
    pub(super) fn key(&self) -> Option<NameRef<'_>> {
        self.update.reply.key().map(|key| key.name.as_ref())
    }

    /// Says something of it.
    pub(super) fn say(&self, severity: Severity, text: &str) {
        let (who, zone) = (&self.who, &self.update.zone);
        log!(Category::Update, severity, "{who}updating zone '{}/{}': {text}", NoDot(zone.apex()), zone.class());
    }

    /// Says what has come of it.
    pub(super) fn tell(&self, remarks: &[Remark]) {
        for Remark { weight, text, .. } in remarks {
            self.say(severity(*weight), text);
        }
    }

    /// Looks at what is asked of a primary before any of it is made. BIND: in the version that is served meanwhile.
    fn scan(&mut self, view: &str) -> Result<(), Rcode> {
        let Some(asked) = &self.update.asked else { return Ok(()) };
        let (zone, version) = (&self.update.zone, self.update.zone.version().ok_or(Rcode::SERVFAIL)?);
        self.check_frozen(zone)?;
        let grants = asked.grants.as_deref().map(|grants| (grants, asked.requester(self.key())));
        let (counts, remarks) = asked.update.scan(&version, zone.policy().update_names, grants);
        let prefix = ZonePrefix(ZoneText { apex: zone.apex(), class: zone.class(), view });
        for remark in &remarks {
            if remark.is_of_zone {
                log!(Category::General, severity(remark.weight), "{prefix}{}", remark.text);
            } else {
                self.say(severity(remark.weight), &remark.text);
            }
        }
        self.counts = counts?;
        Ok(())
    }

    /// Nothing is changed in a frozen zone, whatever is asked.
    pub(super) fn check_frozen(&self, zone: &ServedZone) -> Result<(), Rcode> {
        if !zone.is_frozen() {
            return Ok(());
        }
        self.say(Severity::Info, FROZEN);
        Err(Rcode::REFUSED)
    }

    /// Answers with a reply of ours.
    pub(in crate::server) fn answer(mut self, rcode: Rcode) -> Replied {
        let deferred = &mut self.update.reply;
        let (reply_has_edns, reply_is_signed) = (deferred.has_edns(), deferred.is_signed());
        let facts = Facts { rcode, reply_has_edns, reply_is_signed, ..self.facts };
        let reply = deferred.make(rcode, unix_now_s());
        let length = reply.len();
        self.reply_to.send(reply);
        Replied { client: self.client, facts, length }
    }

    /// Passes on another server's reply, under the ID of the request. BIND: one that the client cannot take is none.
    pub(in crate::server) fn relay(self, mut reply: Vec<u8>) {
        if let Some(id) = reply.first_chunk_mut() {
            *id = self.update.reply.id().to_be_bytes();
        }
        if reply.len() <= self.update.reply.limit() {
            self.reply_to.send(reply);
        }
    }
}

impl Shared {
    /// Hands an update on, and says so. BIND: one too many is dropped, so that its sender comes again.
    pub(in crate::server) fn post_update(&self, update: Update, taken: Taken<'_>, reply_to: ReplyTo) {
        let Taken { snapshot, bytes, client, facts, counters } = taken;
        let Some(line) = Line::new(snapshot, bytes, client, facts) else { return };
        let (who, counts, place) = (line.to_string(), vec![], None);
        let (client, bytes) = (*client, bytes.to_vec());
        let mut requested = Requested { update, bytes, who, client, facts: *facts, reply_to, counts, place };
        let scanned = without_waiting(|| {
            say_approved(&requested.who, &requested.update);
            requested.scan(view_name(snapshot, facts))
        });
        if let Err(rcode) = scanned {
            if rcode == Rcode::REFUSED {
                counters.add(Counter::UpdateRej);
            }
            let Replied { client, facts, length } = requested.answer(rcode);
            return counters.count_reply(&facts, &client, length);
        }
        requested.place = self.updates.take();
        without_waiting(|| say_taken(&requested));
        match requested.place {
            None => counters.add(Counter::UpdateQuota),
            // Fails only when the server is going down.
            Some(_) => drop(self.events.send(Event::Update(Box::new(requested)))),
        }
    }
}

/// In named's words.
fn say_approved(who: &str, update: &Update) {
    let zone = NoDot(update.zone.apex());
    let is_by_rules = update.asked.as_ref().is_some_and(|asked| asked.grants.is_some());
    if let Some(key) = update.reply.key().filter(|_| !is_by_rules) {
        let key = NoDot(key.name.as_ref());
        log!(Category::UpdateSecurity, Severity::Info, "{who}signer \"{key}\" approved");
    }
    let what = if update.zone.role() == ZoneRole::Secondary { "update forwarding" } else { "update" };
    if !is_by_rules {
        log!(Category::UpdateSecurity, Severity::Debug(3), "{who}{what} '{zone}/IN' approved");
    }
}

fn say_taken(requested: &Requested) {
    let (who, zone) = (&requested.who, &requested.update.zone);
    if requested.place.is_none() {
        requested.say(Severity::Info, "update failed: too many DNS UPDATEs queued (quota reached)");
    } else if zone.role() == ZoneRole::Secondary {
        log!(Category::Update, Severity::Info, "{who}forwarding update for zone '{}/IN'", NoDot(zone.apex()));
    }
}

fn severity(weight: Weight) -> Severity {
    match weight {
        Weight::Info => Severity::Info,
        Weight::Warning => Severity::Warning,
        Weight::Error => Severity::Error,
    }
}

/// What is said of an update of a frozen zone.
const FROZEN: &str = "update failed: dynamic update temporarily disabled because the zone is frozen.  \
    Use 'rndc thaw' to re-enable updates. (REFUSED)";

impl Core {
    /// Sees to an update: whose it is, the role of the zone says.
    pub(in crate::server) fn update(&mut self, requested: Requested) {
        match requested.update.zone.role() {
            ZoneRole::Secondary => self.forward_update(requested),
            ZoneRole::Primary => self.update_primary(requested),
        }
    }

    /// Counts what has become of an update.
    pub(in crate::server) fn update_ended(&self, ended: &Ended) {
        self.counters.add(ended.counter);
        ended.replied.iter().for_each(|replied| self.count_reply(replied));
    }

    /// Counts a reply that was made late.
    pub(super) fn count_reply(&self, replied: &Replied) {
        self.counters.count_reply(&replied.facts, &replied.client, replied.length);
    }
}
