//! Floor 2: zones: their contents and versions, their files, and the checks on both.

pub mod file;
pub mod master;
pub mod message;
