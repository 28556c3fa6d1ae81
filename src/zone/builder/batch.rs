//! Which records of a master file named adds to its zone together.
//!
//! They are those of one owner that stand together in the file: what named adds at once keeps its order in memory, what
//! comes later goes in front. The addresses of servers do not end a batch of the records that name them, and are added
//! before it; a `$GENERATE` does not either, and each of its records is a batch. An included file ends all.

use std::mem;

use super::{Builder, ContentsError, Part};
use crate::dns::{NameBuf, NameRef, Rtype, case};
use crate::zone::master::Turn;
use crate::zone::node;
use crate::zone::records::Records;

/// What is gathered beside the records that are open.
#[derive(Default)]
pub(super) struct Batch {
    /// The records that name a server, while those of the server are open.
    outer: Option<Records>,
    /// The records of servers before that, to be packed behind those that name them, as the order of names is.
    servers: Vec<Records>,
    /// Memory for others.
    spare: Vec<Records>,
    /// What was open when a `$GENERATE` came.
    aside: Option<Box<(Records, Option<Records>)>>,
    /// How the last part ended that was taken over.
    pub(super) tail: Tail,
}

/// The batch that a part of a file ends with.
#[derive(Default)]
pub(super) struct Tail {
    owners: Vec<Vec<u8>>,
    servers: Vec<Vec<u8>>,
}

impl Tail {
    /// Whether a batch that begins with these owners would go on with the part's.
    fn goes_on(&self, mut owners: impl Iterator<Item = NameBuf>) -> bool {
        let has = |names: &[Vec<u8>], owner: &NameBuf| {
            names.iter().any(|name| case::is_same(name, owner.as_ref().as_bytes()))
        };
        let first = owners.find(|owner| has(&self.owners, owner) || !has(&self.servers, owner));
        first.is_some_and(|owner| has(&self.owners, &owner))
    }
}

impl Builder {
    /// Tells that the next owner of a file has come, which may be outside the zone.
    pub fn turn(&mut self, owner: NameRef<'_>) -> Result<Turn, ContentsError> {
        let turn = self.turn_to(owner);
        if let Some(outer) = self.batch.outer.take() {
            self.batch.servers.push(mem::replace(&mut self.open, outer));
        }
        match turn {
            Turn::Back => return Ok(turn),
            Turn::Next => self.close()?,
            Turn::Server => {
                if self.batch.servers.len() >= MOST_SERVERS {
                    self.pack_servers()?;
                }
                let memory = self.batch.spare.pop().unwrap_or_default();
                self.batch.outer = Some(mem::replace(&mut self.open, memory));
            }
        }
        if owner.is_at_or_below(self.apex.as_ref()) {
            self.begin(owner)?;
        }
        Ok(turn)
    }

    /// The owner that names the server whose records are open.
    pub fn outer(&self) -> Option<NameRef<'_>> {
        self.batch.outer.as_ref().and_then(|outer| NameRef::from_wire(&outer.owner).ok())
    }

    fn turn_to(&self, owner: NameRef<'_>) -> Turn {
        let outer = self.batch.outer.as_ref();
        if outer.is_some_and(|outer| outer.are_spelt(owner)) {
            return Turn::Back;
        }
        let mut servers = outer.unwrap_or(&self.open).servers();
        if servers.any(|server| case::is_same(server, owner.as_bytes())) { Turn::Server } else { Turn::Next }
    }

    /// Tells that what comes next belongs to nothing that came before.
    pub fn commit(&mut self) -> Result<(), ContentsError> {
        self.close()
    }

    /// Adds a record that a `$GENERATE` has made.
    pub fn add_generated(
        &mut self,
        owner: NameRef<'_>,
        rtype: Rtype,
        ttl: u32,
        rdata: &[u8],
    ) -> Result<(), ContentsError> {
        if self.batch.aside.is_none() {
            self.pack_servers()?;
            self.batch.aside = Some(Box::new((mem::take(&mut self.open), self.batch.outer.take())));
        }
        if self.open.are_spelt(owner) {
            self.open.interrupt();
        } else {
            self.pack_open()?;
            self.begin(owner)?;
        }
        self.open.push_generated(rtype, ttl, rdata)
    }

    /// Tells that the `$GENERATE` has ended.
    pub fn end_generated(&mut self) -> Result<(), ContentsError> {
        let Some(aside) = self.batch.aside.take() else { return Ok(()) };
        let packed = self.pack_open();
        (self.open, self.batch.outer) = *aside;
        packed
    }

    /// Packs all that is open.
    pub(super) fn close(&mut self) -> Result<(), ContentsError> {
        if self.batch.outer.is_none() && self.batch.servers.is_empty() {
            return self.pack_open();
        }
        let last = self.batch.outer.take().map(|outer| mem::replace(&mut self.open, outer));
        // Where the case of names is to be told apart, named's order counts.
        let all = self.batch.servers.iter().chain(&last);
        if all.chain([&self.open]).any(Records::have_capitals) {
            self.pack_servers()?;
        }
        self.pack_open()?;
        self.batch.servers.extend(last);
        self.pack_servers()
    }

    fn pack_servers(&mut self) -> Result<(), ContentsError> {
        let mut servers = mem::take(&mut self.batch.servers);
        let packed = servers.iter_mut().try_for_each(|server| {
            mem::swap(&mut self.open, server);
            let packed = self.pack_open();
            mem::swap(&mut self.open, server);
            packed
        });
        self.batch.spare.append(&mut servers);
        self.batch.servers = servers;
        packed
    }

    /// What is open.
    pub(super) fn tail(&self) -> Tail {
        let main = self.batch.outer.as_ref().unwrap_or(&self.open);
        let owners = vec![main.owner.clone(), self.open.owner.clone()];
        Tail { owners, servers: main.servers().map(<[u8]>::to_vec).collect() }
    }

    /// Whether a part begins with records that belong to those that the part before has ended with.
    pub fn goes_on_in(&self, part: &Part) -> bool {
        let labels = part.leaves.iter().filter_map(|leaf| {
            let chunk = part.chunks.get(leaf.place.chunk as usize)?;
            Some(node::block_labels(chunk.get(leaf.place.offset as usize..)?))
        });
        self.batch.tail.goes_on(labels.filter_map(|labels| NameBuf::join(labels, self.apex.as_ref()).ok()))
    }
}

/// How many owners that are servers' wait.
const MOST_SERVERS: usize = 16;
