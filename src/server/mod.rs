//! Floor 6: the running server. It joins configuration, zones, answers, transfers and sockets.

pub mod control;
pub mod logging;
pub mod plan;
pub mod privilege;
pub mod process;
pub mod start;
pub mod systemd;
pub mod timers;
