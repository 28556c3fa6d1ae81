//! Changes that are not as they should be: a primary adds what is there already, or is wrong about TTLs.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::faults::stream::{A, IN, NS, TXT, bulk, name, record, record_with, soa};
use super::ixfr::{LAST, ZONE, follow, followed, secondary};
use super::journal::{compare, primary};
use super::peers::listener::{Listener, honest};
use super::peers::{Kind, Server, dig, free_port, signal};

/// Deletions and additions.
type Differences = [Vec<Vec<u8>>; 2];

/// The text that tells the version, with a TTL.
fn version(serial: u8, ttl: u32) -> Vec<u8> {
    record_with(&name(&format!("version.{ZONE}")), TXT, IN, ttl, &[1, b'0' + serial])
}

fn host(last: u8) -> Vec<u8> {
    record(&format!("b.{ZONE}"), A, &[192, 0, 2, last])
}

/// Adds all that the version has.
fn needless() -> Differences {
    [vec![version(1, 3600)], [bulk(ZONE, 2), vec![host(2)]].concat()]
}

/// A primary that tells of version 2 in these words, and follows up with nothing but the truth.
fn sloppy(told: &Arc<AtomicU32>, [deletions, additions]: Differences) -> Listener {
    let told = Arc::clone(told);
    Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), move |heard| {
        let serial = told.load(Ordering::SeqCst);
        if heard.kind() != "IXFR" || serial == 1 {
            return honest(heard, serial);
        }
        let [old, new] = [1, 2].map(|serial| vec![soa(ZONE, serial)]);
        let parts = [new.clone(), old, deletions.clone(), new.clone(), additions.clone(), new];
        vec![heard.request.reply(&parts.concat())]
    })
}

/// A secondary that has followed such a primary, and what it has asked for.
fn follower(kind: Kind, differences: Differences) -> (Server, Vec<&'static str>) {
    let told = Arc::new(AtomicU32::new(1));
    let from = sloppy(&told, differences);
    let to = Server::start(kind, &secondary(from.address.port(), "masterfile-format text;"));
    to.wait_for_serial(ZONE, 1);
    let file = to.path("example.com.db");
    to.wait_until("the copy is on disk", || file.exists());
    told.store(2, Ordering::SeqCst);
    to.refresh(ZONE);
    to.wait_for_serial(ZONE, 2);
    to.wait_until_idle();
    let asked = from.heard().into_iter().filter(|heard| heard.request.is_transfer());
    (to, asked.map(|heard| heard.kind()).collect())
}

/// What is said of differences and journals, behind the time.
fn said(server: &Server) -> Vec<String> {
    let log = server.settled_log();
    let tails = log.lines().filter_map(|line| line.splitn(3, ' ').nth(2));
    let marks = ["dns_diff_apply", "TTL differs", "rollforward", "not exact"];
    tails.filter(|line| marks.iter().any(|mark| line.contains(mark))).map(port_free).collect()
}

/// A line without the port of a primary.
fn port_free(line: &str) -> String {
    let Some((before, after)) = line.split_once("127.0.0.1#") else { return line.to_owned() };
    format!("{before}{}", after.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}

#[test]
fn differences_that_are_not_as_they_should_be_are_taken_or_refused_as_by_named() {
    let taken = ["AXFR", "IXFR"];
    let servers = record(ZONE, NS, &name(&format!("ns.{ZONE}")));
    let cases: [(&str, Differences, &[&str], usize); 5] = [
        ("all that there is", needless(), &taken, 3),
        ("beside what is new", [vec![], vec![host(2), host(3), servers]], &taken, 1),
        ("of several TTLs", [vec![version(1, 3600)], vec![version(2, 60), version(3, 61)]], &taken, 1),
        ("deletions of another TTL", [vec![version(1, 60)], vec![]], &["AXFR", "IXFR", "AXFR"], 2),
        ("additions of another TTL", [vec![], vec![version(2, 60)]], &["AXFR", "IXFR", "AXFR"], 2),
    ];
    for (what, differences, expected, lines) in cases {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| follower(kind, differences.clone()));
        assert_eq!((theirs.1.as_slice(), ours.1.as_slice()), (expected, expected), "{what}");
        assert_eq!(said(&ours.0), said(&theirs.0), "{what}");
        assert_eq!(said(&ours.0).len(), lines, "{what}");
        assert_eq!(dig::transfer(ours.0.port, ZONE, None), dig::transfer(theirs.0.port, ZONE, None), "{what}");
    }
}

/// The folder of a secondary of named whose journal adds what is there already.
fn left_by_named() -> TempDir {
    let (server, _) = follower(Kind::Bind, needless());
    signal(server.pid(), "KILL");
    server.stop()
}

#[test]
fn a_journal_of_named_that_adds_what_is_there_already_is_replayed_as_by_named() {
    compare("named-checkzone", &["-j", "-D", ZONE, "example.com.db"], left_by_named().path(), "example.com.db.jnl");
    let text = fs::read_to_string(left_by_named().path().join("example.com.db")).unwrap();
    for spec in [primary(text, ""), secondary(free_port(), "masterfile-format text;")] {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| {
            let folder = left_by_named();
            fs::write(folder.path().join("log"), "").unwrap();
            let server = Server::start_in(kind, &spec, free_port(), folder);
            server.wait_for_serial(ZONE, 2);
            (said(&server), dig::transfer(server.port, ZONE, None))
        });
        assert_eq!(ours, theirs);
        assert_eq!(ours.0.len(), 3);
    }
}

/// The additions of others may have no effect.
#[test]
fn what_comes_and_goes_is_left_out_of_differences_but_not_of_those_that_named_has_written() {
    let (from, to) = followed(Kind::Bind, Kind::Bind, "");
    signal(to.pid(), "KILL");
    let spec = secondary(from.port, "max-ixfr-ratio unlimited;");
    let to = Server::start_in(Kind::Nomd, &spec, free_port(), to.stop());
    to.wait_for_serial(ZONE, LAST);
    [LAST + 1, LAST + 2].iter().for_each(|&serial| follow(&from, &to, serial));
    let told = |serial: u32| dig::dig(to.port, &[ZONE, &format!("IXFR={serial}")]).stdout;
    let is_named = |told: &str, serial: u32| told.contains(&format!("w{serial}.{ZONE}."));
    for (asked, named) in [(1, 1..=LAST), (LAST, LAST..=LAST)] {
        let told = told(asked);
        let found: Vec<_> = (1..=LAST + 2).filter(|&serial| is_named(&told, serial)).collect();
        assert_eq!(found, named.chain([LAST + 2]).collect::<Vec<_>>(), "{asked}: {told}");
    }
}
