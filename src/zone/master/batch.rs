//! The records that named adds to its zone together: all RRs of a type among them have the TTL of the first, and of a
//! certain size they are added before there are more.

use super::Turn;

/// What is known of the records of one owner.
#[derive(Default)]
struct Batch {
    /// The TTL of each RRset, under its type and the type covered.
    ttls: Vec<(u32, u32)>,
    /// The data, in bytes.
    bytes: usize,
}

/// The batch that is being read, and the one that it stands within.
#[derive(Default)]
pub(super) struct Batches {
    open: Batch,
    outer: Batch,
    is_at_server: bool,
}

impl Batches {
    /// Another owner has come.
    #[inline]
    pub(super) fn turn(&mut self, turn: Turn) {
        match turn {
            Turn::Next => {
                self.is_at_server = false;
                self.open.bytes = 0;
                self.open.ttls.clear();
            }
            Turn::Server | Turn::Back => self.turn_aside(turn),
        }
    }

    fn turn_aside(&mut self, turn: Turn) {
        if std::mem::replace(&mut self.is_at_server, matches!(turn, Turn::Server)) != self.is_at_server {
            std::mem::swap(&mut self.open, &mut self.outer);
        }
        if self.is_at_server {
            self.open.bytes = self.outer.bytes;
            self.open.ttls.clear();
        }
    }

    /// All has been added.
    pub(super) fn clear(&mut self) {
        self.turn(Turn::Next);
    }

    /// The TTL of an RRset, which is this one if none is known.
    #[inline]
    pub(super) fn ttl(&mut self, rrset: u32, ttl: u32) -> u32 {
        match self.open.ttls.iter().find(|(known, _)| *known == rrset) {
            Some(&(_, first)) => first,
            None => {
                self.open.ttls.push((rrset, ttl));
                ttl
            }
        }
    }

    /// Counts the data of a record. Whether all has to be added now.
    #[inline]
    pub(super) fn is_filled_by(&mut self, bytes: usize) -> bool {
        self.open.bytes += bytes;
        self.open.bytes > FULL_BYTES
    }
}

/// How many bytes of data named has room for, and then one record more.
const FULL_BYTES: usize = 65_537;
