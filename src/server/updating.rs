//! Updates (RFC 2136) between the worker that takes one in and whoever answers it.
//!
//! A worker says whether a client may, takes a place, and hands the whole request on with the way back; it is answered
//! from elsewhere, when it has been carried out. What becomes of it, the role of the zone decides.

use super::core::{Core, Event};
use super::logging::{Category, Severity, log, without_waiting};
use super::querylog::Line;
use super::shared::{Place, Shared};
use super::worker::unix_now_s;
use crate::answer::counters::{Counter, Counters};
use crate::answer::snapshot::ZoneRole;
use crate::answer::{Client, Facts, Snapshot, Update};
use crate::dns::Rcode;
use crate::dns::name::NoDot;
use crate::net::later::ReplyTo;

/// A request as a worker has read it.
#[derive(Clone, Copy)]
pub(super) struct Taken<'a> {
    /// What it was read by.
    pub(super) snapshot: &'a Snapshot,
    /// All of it.
    pub(super) bytes: &'a [u8],
    /// Who sent it.
    pub(super) client: &'a Client,
    /// What is known of it.
    pub(super) facts: &'a Facts,
    /// Of the worker.
    pub(super) counters: &'a Counters,
}

/// An update to be carried out or passed on, and answered.
pub(super) struct Requested {
    /// The zone, and what a reply needs.
    pub(super) update: Update,
    /// All of the request.
    pub(super) bytes: Vec<u8>,
    client: Client,
    facts: Facts,
    reply_to: ReplyTo,
    _place: Place,
}

/// What became of an update, for the counters.
pub(super) struct Ended {
    /// What it counts as.
    pub(super) counter: Counter,
    /// The reply, where it is one of ours.
    pub(super) replied: Option<Replied>,
}

/// A reply that was sent, for the counters.
pub(super) struct Replied {
    client: Client,
    facts: Facts,
    length: usize,
}

impl Requested {
    /// Answers with a reply of ours.
    pub(super) fn answer(mut self, rcode: Rcode) -> Replied {
        let deferred = &mut self.update.reply;
        let (reply_has_edns, reply_is_signed) = (deferred.has_edns(), deferred.is_signed());
        let facts = Facts { rcode, reply_has_edns, reply_is_signed, ..self.facts };
        let reply = deferred.make(rcode, unix_now_s());
        let length = reply.len();
        self.reply_to.send(reply);
        Replied { client: self.client, facts, length }
    }

    /// Passes on another server's reply, under the ID of the request. BIND: one that the client cannot take is none.
    pub(super) fn relay(self, mut reply: Vec<u8>) {
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
    pub(super) fn post_update(&self, update: Update, taken: Taken<'_>, reply_to: ReplyTo) {
        let Taken { snapshot, bytes, client, facts, counters } = taken;
        let Some(line) = Line::new(snapshot, bytes, client, facts) else { return };
        let who = line.to_string();
        let place = self.updates.take();
        without_waiting(|| say_taken(&who, &update, place.is_some()));
        let Some(place) = place else { return counters.add(Counter::UpdateQuota) };
        let (client, facts) = (*client, *facts);
        let requested = Requested { update, bytes: bytes.to_vec(), client, facts, reply_to, _place: place };
        // Fails only when the server is going down.
        let _ = self.events.send(Event::Update(Box::new(requested)));
    }
}

/// In named's words.
fn say_taken(who: &str, update: &Update, has_place: bool) {
    let zone = NoDot(update.zone.apex());
    if let Some(key) = update.reply.key() {
        let key = NoDot(key.name.as_ref());
        log!(Category::UpdateSecurity, Severity::Info, "{who}signer \"{key}\" approved");
    }
    let what = if update.zone.role() == ZoneRole::Secondary { "update forwarding" } else { "update" };
    log!(Category::UpdateSecurity, Severity::Debug(3), "{who}{what} '{zone}/IN' approved");
    if !has_place {
        let reason = "update failed: too many DNS UPDATEs queued (quota reached)";
        log!(Category::Update, Severity::Info, "{who}updating zone '{zone}/IN': {reason}");
    } else if update.zone.role() == ZoneRole::Secondary {
        log!(Category::Update, Severity::Info, "{who}forwarding update for zone '{zone}/IN'");
    }
}

impl Core {
    /// Sees to an update: whose it is, the role of the zone says.
    pub(super) fn update(&mut self, requested: Requested) {
        match requested.update.zone.role() {
            ZoneRole::Secondary => self.forward_update(requested),
            // No worker lets one through.
            ZoneRole::Primary => self.count_reply(&requested.answer(Rcode::REFUSED)),
        }
    }

    /// Counts what has become of an update.
    pub(super) fn update_ended(&self, ended: &Ended) {
        self.counters.add(ended.counter);
        ended.replied.iter().for_each(|replied| self.count_reply(replied));
    }

    fn count_reply(&self, replied: &Replied) {
        self.counters.count_reply(&replied.facts, &replied.client, replied.length);
    }
}
