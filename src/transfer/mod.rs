//! Floor 4: keeping the copies of a zone together: refresh, AXFR in and out, NOTIFY.
//!
//! State machines only. Events and the time go in, actions come out; there is no I/O, no clock and no source of
//! randomness in here, so that a simulation can run years of faults in seconds. The server floor sends, receives, sets
//! timers and publishes. Times are Unix seconds, because a zone's expiry is counted from the mtime of its file.

pub mod crowd;
pub mod guard;
pub mod inbound;
pub mod message;
pub mod notify;
pub mod outbound;
pub mod peer;
pub mod quota;
pub mod random;
pub mod rate;
pub mod refresh;
pub mod saving;
#[cfg(test)]
mod simulation;
pub mod standing;
#[cfg(test)]
pub(crate) mod testing;
