//! Floor 1: the protocol's own things: names, types, rdata, messages, TSIG, and their text forms.
//!
//! Nothing here knows of zones, files or sockets. Everything that arrives from outside is checked where it is turned
//! into one of these types, so that the floors above never meet a malformed name or record.

pub mod algorithm;
pub(crate) mod case;
pub mod class;
pub mod edns;
pub(crate) mod eight;
pub mod host;
pub mod message;
pub mod name;
pub mod rcode;
pub mod rdata;
pub mod rtype;
pub mod serial;
pub mod suffix;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod tsig;
pub mod ttl;
pub mod wire;
pub mod writer;
pub mod zone_path;

pub use algorithm::{Algorithm, Key};
pub use class::Class;
pub use message::{Header, Message, Question, Record, Section};
pub use name::{Name, NameBuf, NameRef};
pub use rcode::{Opcode, Rcode};
pub use rtype::Rtype;
pub use serial::Serial;
pub use wire::{Reader, WireError};
pub use writer::Writer;
pub use zone_path::{ZonePath, ZonePaths};
