//! Turns the tables of this folder into Rust, and fails the build on a mistake in them with file:line.

mod rdata_table;
mod statements;

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=grammar");
    table("rdata", "rdata.rs", rdata_table::generate);
    table("named.conf", "statements.rs", statements::generate);
    table("named.conf", "clauses.rs", statements::generate_clauses);
    table("named.conf", "settings.rs", statements::generate_settings);
}

/// Turns one table into one file of the build's output folder.
fn table(from: &str, to: &str, generate: fn(&str) -> Result<String, (usize, String)>) {
    let path = Path::new("grammar").join(from);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|fault| fail(&path, 0, &fault.to_string()));
    let rust = generate(&text).unwrap_or_else(|(line, fault)| fail(&path, line, &fault));
    let out = std::env::var_os("OUT_DIR").unwrap_or_default();
    if let Err(fault) = std::fs::write(Path::new(&out).join(to), rust) {
        fail(&path, 0, &fault.to_string());
    }
}

fn fail(path: &Path, line: usize, fault: &str) -> ! {
    println!("cargo::error={}:{line}: {fault}", path.display());
    std::process::exit(1);
}
