//! NOTIFYs: none is lost, whatever else is under way.

use std::net::{IpAddr, SocketAddr};

use super::tally::Fault;
use super::{Arrival, World, versions};
use crate::dns::Serial;
use crate::transfer::refresh::Event;

/// How long it takes at the most, in calm, from a NOTIFY during a transfer until what it told of is served, in seconds.
const MOMENTS_S: u64 = 150;

/// A NOTIFY of something new that has come: whoever sent it is to be asked, or that version is to be served.
pub(super) struct Notice {
    from: IpAddr,
    serial: Option<Serial>,
}

/// A NOTIFY of a primary on its way.
pub(super) fn notify(primary: usize, serial: Option<Serial>) -> Arrival {
    let from = SocketAddr::from(([192, 0, 2, primary as u8], 4711));
    Arrival::Told(Event::Notify { from, serial })
}

impl World {
    /// Notes what is to come of a NOTIFY.
    pub(super) fn note(&mut self, event: &Event) {
        let Event::Notify { from, serial } = *event else { return };
        let is_newer = |has: Option<Serial>| has.zip(serial).is_none_or(|(has, serial)| serial.is_newer_than(has));
        if !is_newer(self.serial()) {
            return;
        }
        let is_overtaken = self.notices.iter().any(|other| other.serial.is_some() && !is_newer(other.serial));
        self.tally.count_if(self.is_transferring, Fault::NotifyInTransfer);
        self.tally.count_if(is_overtaken, Fault::NotifyOvertaken);
        self.notices.push(Notice { from: from.ip(), serial });
    }

    /// A primary is asked; one that could not say what it has new may be any.
    pub(super) fn note_asked(&mut self, primary: SocketAddr) {
        self.notices.retain(|notice| notice.serial.is_some() && notice.from != primary.ip());
    }

    /// What was told of is looked after before the zone rests.
    pub(super) fn check_notices(&mut self) {
        let has = self.serial();
        let is_newer = |serial: Serial| has.is_none_or(|has| serial.is_newer_than(has));
        self.notices.retain(|notice| notice.serial.is_none_or(is_newer));
        assert!(self.zone.is_busy() || self.notices.is_empty(), "a NOTIFY is lost");
    }

    /// In calm, what a NOTIFY tells of while the version before it is transferred, or published, is served in moments.
    pub(super) fn hurry(&mut self) {
        self.publish_and_tell();
        let waits_for_disk = self.random.below(2) == 0;
        let is_kept = |arrival: &Arrival| matches!(arrival, Arrival::Kept(..));
        while !self.is_transferring || (waits_for_disk && !self.arrivals.iter().any(|(_, arrival)| is_kept(arrival))) {
            self.advance();
        }
        self.publish_and_tell();
        self.run_for(MOMENTS_S);
        assert_eq!(self.served_number(), Some(self.newest), "it did not hurry");
    }

    fn publish_and_tell(&mut self) {
        self.publish();
        self.arrives(0, notify(0, Some(versions::serial(self.newest))));
    }
}
