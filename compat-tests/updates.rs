//! Dynamic updates of primaries beside named: the same requests get the same replies, make the same zones and journals,
//! are logged in the same words, and each server goes on with what the other has left.

mod lasting;
mod random;
mod removed;
mod requests;
mod rights;
mod under_way;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::peers::{Kind, Output, Server, Spec, Zone, dig, free_port, run};

const ZONE: &str = "dyn.test";
const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];

/// A small zone that changes by updates.
fn text() -> String {
    let soa = "@ SOA ns m 1 3600 600 86400 300\n";
    format!("$TTL 300\n{soa}@ NS ns\nns A 127.0.0.1\na A 192.0.2.1\nb A 192.0.2.2\nm MX 10 a\nc CNAME a\n")
}

fn spec(clauses: &str) -> Spec {
    Spec { zones: vec![Zone::primary(ZONE, text()).with(clauses)], ..Spec::default() }
}

fn start(kind: Kind) -> Server {
    let server = Server::start(kind, &spec("allow-update { any; };"));
    server.wait_for_serial(ZONE, 1);
    server
}

/// Starts a server on what another one has left.
fn start_again(kind: Kind, folder: TempDir, clauses: &str) -> Server {
    let text = fs::read_to_string(folder.path().join(format!("{ZONE}.db"))).unwrap();
    let zones = vec![Zone::primary(ZONE, text).with(clauses)];
    Server::start_in(kind, &Spec { zones, ..Spec::default() }, free_port(), folder)
}

/// Runs nsupdate; `lines` are the zone's.
fn nsupdate(server: &Server, words: &[&str], lines: &str) -> Output {
    let mut command = Command::new("nsupdate");
    let piped = command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let script = format!("server 127.0.0.1 {}\nzone {ZONE}\n{lines}\nsend\n", server.port);
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Output { status: output.status.code().unwrap_or(-1), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn update(server: &Server, lines: &str) {
    let output = nsupdate(server, &[], lines);
    assert_eq!((output.status, output.stderr.as_str()), (0, ""), "{:?}: {lines}", server.kind);
}

fn records(server: &Server) -> Vec<String> {
    dig::transfer(server.port, ZONE, None).unwrap()
}

/// What the journal holds, as BIND's program prints it. The order within a type, which is that of the changes with named
/// and that of names with nomd, says nothing.
fn journal(server: &Server) -> Vec<String> {
    let path = server.path(&format!("{ZONE}.db.jnl")).display().to_string();
    let printed = run("named-journalprint", &[&path]).stdout;
    let lines: Vec<&str> = printed.lines().collect();
    let transactions = lines.chunk_by(|_, line| !(line.starts_with("del ") && line.contains("\tSOA\t")));
    let sorted = transactions.flat_map(|transaction| {
        let mut lines: Vec<String> = transaction.iter().map(|line| (*line).to_owned()).collect();
        lines.sort();
        lines
    });
    sorted.collect()
}

/// What was logged of updates, without what tells clients and times apart.
fn told(server: &Server) -> Vec<String> {
    const MARKS: [&str; 5] = ["updating zone '", "update '", "update failed: ", "signer \"", "(check-names)"];
    let log = server.settled_log();
    let lines = log.lines().filter_map(|line| {
        let at = MARKS.iter().filter_map(|mark| line.find(mark)).min()?;
        let zone = line.find("zone dyn.test/IN: ").filter(|zone| *zone < at).unwrap_or(at);
        line.get(zone..).map(str::to_owned)
    });
    lines.collect()
}
