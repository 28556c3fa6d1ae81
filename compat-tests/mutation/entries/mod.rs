//! The doors by which bytes of others come in, and what has to hold behind each of them whatever the bytes are.
//!
//! The mutation test and the fuzz targets (`compat-tests/fuzz`) both call these. A broken rule is a panic; what they
//! return is whether the bytes were taken.
#![allow(unreachable_pub)] // the fuzz targets use this as a library

mod files;
mod packet;

pub use files::{journal, named_conf, raw, zone_text};
pub use packet::{packet, transfer};

/// Seconds since 1970, for everything that wants to know.
pub const NOW_S: u64 = 1_800_000_000;
/// The ID of the request whose answer [`transfer`] takes.
pub const TRANSFER_ID: u16 = 0x1234;
/// The zone that [`transfer`], [`zone_text`] and [`raw`] read.
pub const APEX: &str = "example.com";
/// The version of that zone which [`transfer`] asks for the differences from.
pub const OLD: &str = "@ 60 SOA . . 1 2 3 4 5\n@ 60 NS a\n@ 60 A 192.0.2.1\na 60 A 192.0.2.1\n";
