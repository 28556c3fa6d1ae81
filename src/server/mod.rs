//! Floor 6: the running server. It joins configuration, zones, answers, transfers and sockets.
//!
//! `start` brings it up; `core` is the control side, one task that owns all that changes, with a module for each of its
//! subjects (`loading`, `refreshing`, `notifying`, `catalogs`, `commands`, `status`); `worker` is what answers, on
//! threads of its own.

mod access;
mod asking;
mod catalogs;
mod commands;
mod connectors;
pub mod control;
mod controls;
mod copies;
mod core;
mod exchange;
mod forwarding;
mod gate;
mod heartbeat;
mod incoming;
mod journals;
mod leave;
mod limiting;
mod listening;
pub(crate) mod load;
mod loading;
pub mod logging;
mod notices;
mod notifying;
mod outgoing;
mod peers;
mod pipes;
pub mod plan;
pub(crate) mod privilege;
mod process;
mod progress;
mod querylog;
mod reconfiguring;
mod refreshing;
mod saving;
mod session_key;
mod shared;
mod snapshot;
mod stacks;
mod standing;
pub mod start;
mod statistics;
mod status;
mod systemd;
mod timers;
mod troubles;
mod updating;
mod version;
mod watch;
mod ways;
mod worker;
mod zones;
