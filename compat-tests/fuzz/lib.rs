//! The doors of the mutation test, for libFuzzer to go through.

#[path = "../mutation/entries/mod.rs"]
pub mod entries;
