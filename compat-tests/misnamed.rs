//! Names that `check-names` does not let pass, on secondaries: what is said of them, and what is served, beside named.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::faults::stream::{self, A, Request, SOA, name, record, soa};
use super::ixfr::{ZONE, secondary};
use super::peers::listener::Listener;
use super::peers::{Kind, Server, Spec, dig, free_port};

const MX: u16 = 15;
const IXFR: u16 = 251;
const OLD: u32 = 5;
const NEW: u32 = 6;

/// What a secondary may be told.
const LEVELS: [&str; 4] = ["", "check-names warn;", "check-names fail;", "check-names ignore;"];

/// An owner, an owner and a target, and a target outside the zone.
fn misnamed() -> Vec<Vec<u8>> {
    let mail = |to: &str| [vec![0, 5], name(to)].concat();
    vec![
        record(&format!("A_b.{ZONE}"), A, &[192, 0, 2, 7]),
        record(&format!("c_d.{ZONE}"), MX, &mail(&format!("e_f.{ZONE}"))),
        record(&format!("mail.{ZONE}"), MX, &mail("g_h.test")),
    ]
}

/// A SOA record that names no host.
fn misnamed_soa() -> Vec<u8> {
    let usual = soa(ZONE, NEW);
    let numbers = &usual[usual.len() - 20..];
    record(ZONE, SOA, &[&name(&format!("n_s.{ZONE}"))[..], &name(&format!("h.{ZONE}")), numbers].concat())
}

/// A version in one message.
fn whole(request: &Request, serial: u32, others: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let last = if serial == NEW { misnamed_soa() } else { soa(ZONE, serial) };
    vec![request.reply(&[vec![last.clone()], stream::bulk(ZONE, serial), others.to_vec(), vec![last]].concat())]
}

fn differences(request: &Request) -> Vec<Vec<u8>> {
    let (first, last) = (vec![misnamed_soa(), soa(ZONE, OLD)], vec![misnamed_soa()]);
    let deletion = vec![record(&format!("version.{ZONE}"), 16, b"\x015")];
    vec![request.reply(&[first, deletion, last.clone(), misnamed(), last].concat())]
}

/// A primary of the version with this serial.
fn primary(serial: Arc<AtomicU32>) -> Listener {
    Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), move |heard| {
        let (request, serial) = (&heard.request, serial.load(Ordering::Relaxed));
        match request.rtype {
            IXFR if serial == NEW => differences(request),
            _ if request.is_transfer() && serial == NEW => whole(request, serial, &misnamed()),
            _ if request.is_transfer() => whole(request, serial, &[]),
            _ => vec![request.reply(&[soa(ZONE, serial)])],
        }
    })
}

/// What the log says of names and name servers, without the time, the primary's port and names given to files.
fn said(server: &Server) -> Vec<String> {
    let is_wanted =
        |line: &&str| line.contains("check-names") && !line.contains("Transfer status") || line.contains("NS '");
    let plain = |line: &str| {
        let words = line.split(' ').skip(2).map(|word| word.split_once('#').map_or(word, |(before, _)| before));
        words.collect::<Vec<_>>().join(" ")
    };
    server.settled_log().lines().filter(is_wanted).map(plain).collect()
}

/// What is said and served of the new version, which comes whole, or in differences.
fn followed(kind: Kind, level: &str, is_whole: bool) -> (Vec<String>, Option<Vec<String>>) {
    let serial = Arc::new(AtomicU32::new(if is_whole { NEW } else { OLD }));
    let primary = primary(Arc::clone(&serial));
    let to = Server::start(kind, &secondary(primary.address.port(), level));
    if !is_whole {
        to.wait_for_serial(ZONE, OLD);
        serial.store(NEW, Ordering::Relaxed);
        to.refresh(ZONE);
    }
    if level.contains("fail") {
        to.wait_for_log("Transfer status: bad owner name (check-names)");
    } else {
        to.wait_for_serial(ZONE, NEW);
    }
    to.wait_until_idle();
    (said(&to), dig::transfer(to.port, ZONE, None))
}

#[test]
fn transfers_are_judged_as_by_named() {
    for (level, is_whole) in LEVELS.into_iter().flat_map(|level| [(level, true), (level, false)]) {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| followed(kind, level, is_whole));
        assert_eq!(ours, theirs, "{level} {is_whole}");
        assert_eq!(theirs.0.is_empty(), level.contains("ignore"), "{level}");
    }
}

/// Of a file of text all names are judged, of a raw one none. Name servers without addresses are told of either way.
#[test]
fn copies_are_judged_as_by_named() {
    let rest = "@ 300 NS ns\n@ NS none\nns A 192.0.2.1\na_b A 192.0.2.2\nc_d MX 5 e_f\ng_h A 192.0.2.3\n";
    let text = format!("$ORIGIN {ZONE}.\n@ 300 SOA ns hostmaster 5 86400 86400 1209600 300\n{rest}");
    for level in LEVELS {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| {
            let clauses = format!("masterfile-format text; {level}");
            let files = vec![(format!("{ZONE}.db"), text.clone())];
            let to = Server::start(kind, &Spec { files, ..secondary(free_port(), &clauses) });
            (said(&to), dig::transfer(to.port, ZONE, None))
        });
        assert_eq!(ours, theirs, "{level}");
        assert_eq!(theirs.1.is_none(), level.contains("fail"), "{level}");
    }
    let raw = |kind| {
        let primary = primary(Arc::new(AtomicU32::new(NEW)));
        let spec = |level| secondary(primary.address.port(), level);
        let to = Server::start(kind, &spec("check-names ignore;"));
        to.wait_for_serial(ZONE, NEW);
        let (port, file) = (to.port, to.path(&format!("{ZONE}.db")));
        to.wait_until("the copy is on disk", || file.exists());
        let to = Server::start_in(kind, &spec("check-names fail;"), port, to.stop());
        to.wait_for_serial(ZONE, NEW);
        (said(&to), dig::transfer(to.port, ZONE, None))
    };
    assert_eq!(raw(Kind::Nomd), raw(Kind::Bind));
}
