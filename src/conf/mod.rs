//! Floor 2: configuration text to a checked, typed [`Config`].
//!
//! named.conf is one language; another (nsd.conf) would lower into the same [`Config`].

pub mod config;

pub use config::Config;
