#![doc = include_str!("ARCHITECTURE.md")]

pub mod answer;
pub mod cli;
pub mod conf;
pub mod dns;
pub mod net;
pub mod server;
pub mod transfer;
pub mod zone;
