//! Floor 6: the running server. It joins configuration, zones, answers, transfers and sockets.

pub(crate) mod plan;
pub(crate) mod privilege;
pub(crate) mod process;
pub(crate) mod systemd;
pub(crate) mod timers;
