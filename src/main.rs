//! `nomd`.
fn main() {}
