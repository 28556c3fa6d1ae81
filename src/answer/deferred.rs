//! Replies that are made later, when the request has been carried out elsewhere: what they need of the request.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use super::opt::Opt;
use super::respond::{Job, Signer};
use super::snapshot::{View, Zone};
use super::update::Asked;
use crate::dns::message::Header;
use crate::dns::tsig::{Chain, Refusal};
use crate::dns::{Key, Rcode};

/// An UPDATE that is allowed: to be carried out, or passed on, by whoever does that; there is no reply yet.
#[derive(Debug)]
pub struct Update {
    /// The zone that it is about.
    pub zone: Arc<Zone>,
    /// What is asked of a primary zone.
    pub asked: Option<Box<Asked>>,
    /// How it is answered.
    pub reply: Deferred,
}

/// A reply without records that is not made yet.
#[derive(Debug)]
pub struct Deferred {
    header: Header,
    question: Box<[u8]>,
    opt: Option<Box<[u8]>>,
    signer: Signature,
    limit: usize,
}

#[derive(Debug)]
enum Signature {
    None,
    Key(Chain<Arc<Key>>),
    Refusal(Box<Refusal<'static>>),
}

impl Deferred {
    /// The key of the request, whose TSIG was right.
    #[must_use]
    pub fn key(&self) -> Option<&Arc<Key>> {
        match &self.signer {
            Signature::Key(chain) => Some(chain.key()),
            Signature::None | Signature::Refusal(_) => None,
        }
    }

    /// The ID of the request.
    #[must_use]
    pub fn id(&self) -> u16 {
        self.header.id
    }

    /// The longest reply that the client takes.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Whether the reply has an OPT record.
    #[must_use]
    pub fn has_edns(&self) -> bool {
        self.opt.is_some()
    }

    /// Whether it has a TSIG.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        !matches!(self.signer, Signature::None)
    }

    /// The reply.
    #[must_use]
    pub fn make(&mut self, rcode: Rcode, now_s: u64) -> Vec<u8> {
        let opt = self.opt.as_deref().unwrap_or_default();
        let counts = [1, 0, 0, u16::from(self.opt.is_some())];
        let header = Header { counts, ..self.header.response(rcode) }.to_bytes();
        let mut reply = [&header[..], &self.question, opt].concat();
        let built = match &mut self.signer {
            Signature::None => return reply,
            Signature::Key(chain) => chain.sign(&reply, now_s),
            Signature::Refusal(refusal) => refusal.sign(&reply, now_s),
        };
        built.append_to(&mut reply);
        reply
    }
}

impl Job<'_> {
    /// What a reply to this request needs when it is made later.
    pub(super) fn defer(&self, view: &View) -> Deferred {
        let Self { request, .. } = self;
        let signer = match &self.signer {
            Signer::Nobody => Signature::None,
            Signer::Key(chain) => self.key(view).map_or(Signature::None, |key| Signature::Key(chain.with_key(key))),
            Signer::Refusal(refusal) => Signature::Refusal(Box::new(refusal.without_mac())),
        };
        // A reply that short is not padded.
        let opt = self.opt.map(|opt| Opt { padding_block: None, ..opt }.to_bytes());
        let limit = self.limit(self.udp_size());
        Deferred { header: request.header, question: request.questions.into(), opt, signer, limit }
    }
}
