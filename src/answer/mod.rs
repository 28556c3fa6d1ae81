//! Floor 4: a snapshot and the bytes of a request in, the bytes of a reply out.
//!
//! No input or output, no clock, no lock, and nothing allocated for a plain answer: the time is a parameter, memory
//! that outlives a request is in [`Scratch`], and the reply goes into the caller's buffer. What is more than a plain
//! answer (a transfer, a NOTIFY, an UPDATE) is checked here and handed back as an [`Outcome`] for the server to carry
//! out.
//!
//! The answer itself is built in `query` by the steps of RFC 1034 section 4.3.2.

pub mod acl;
pub mod builtin;
pub mod cookie;
pub mod counters;
pub mod facts;
pub mod order;
pub mod rrl;
pub mod snapshot;
pub mod sortlist;
pub mod table;

mod deferred;
mod denial;
mod fetch;
mod flags;
mod handoff;
mod limit;
mod opt;
mod query;
mod records;
mod reply;
mod request;
mod respond;
#[cfg(test)]
mod tests;
pub mod update;

pub use acl::{Acl, Peer};
pub use deferred::{Deferred, Update};
pub use facts::Facts;
pub use fetch::{LANES, fetch};
pub use respond::{Client, Outcome, Proxy, Scratch, Transfer, Transport, respond};
pub use snapshot::{Snapshot, View, Zone};
