//! The control channel: rndc's protocol, its commands, and both ends of a connection.
//!
//! `wire` encodes, `auth` decides who may speak (a state machine without I/O), `command` is the table of commands,
//! `listener` the server's side on tokio, `client` the side of rndc, `status` the layout of the two long replies,
//! `secondary` what they have beyond named's. The server gives the listener something that implements [`Commands`] and
//! gets its words called.

pub mod auth;
pub mod client;
pub mod command;
pub mod listener;
pub mod result;
pub mod secondary;
pub mod status;
pub mod wire;

pub use command::{Command, Commands, Reply, Verb, ZoneSelector};
pub use listener::Settings;
pub use result::IscResult;
