//! Each state of a secondary, as `rndc zonestatus` tells it, brought about by a primary that answers by hand.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use super::faults::stream::{BADKEY, BADSIG, BADTIME, Signer};
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Key, Kind, PATIENCE, Server, Spec, Zone, free_port, within};

const ZONE: &str = "example";

// What the primary does. While it holds up or fails transfers, and from then on, it has version 2.
const HAS_1: u32 = 0;
const HOLDS_QUERY: u32 = 1;
const HOLDS_TRANSFER: u32 = 2;
const FAILS_TRANSFER: u32 = 3;
const HAS_2: u32 = 4;
const REFUSES: u32 = 5;
const IS_GONE: u32 = 6;

fn answers(heard: &Heard, does: &AtomicU32) -> Vec<Vec<u8>> {
    let now = || does.load(Ordering::SeqCst);
    let is_transfer = heard.request.is_transfer();
    within(PATIENCE, || now() != if is_transfer { HOLDS_TRANSFER } else { HOLDS_QUERY });
    match now() {
        HAS_1 => honest(heard, 1),
        REFUSES => vec![heard.request.refusal(5)],
        IS_GONE => vec![],
        FAILS_TRANSFER if is_transfer => vec![heard.request.refusal(2)],
        _ => honest(heard, 2),
    }
}

/// Waits until the zone is in a state, and gives all that is told of it, be it on standard error.
fn wait_for(server: &Server, state: &str) -> String {
    let mut told = String::new();
    server.wait_until(&format!("the zone is {state}"), || {
        let output = server.rndc(&["zonestatus", ZONE]);
        told = output.stdout + &output.stderr;
        told.lines().any(|line| line == format!("state: {state}"))
    });
    told
}

#[test]
fn a_zone_goes_through_the_states_that_its_primary_brings_about() {
    let does = Arc::new(AtomicU32::new(HAS_1));
    let primary_does = Arc::clone(&does);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let primary = Listener::start(address, move |heard| answers(heard, &primary_does));
    let zones = vec![Zone::secondary(ZONE, address.port())];
    // That nobody listens at an address is learned over TCP for certain.
    let statements = "server 127.0.0.1 { tcp-only yes; };".to_owned();
    let server = Server::start(Kind::Nomd, &Spec { zones, statements, ..Spec::default() });
    let told = wait_for(&server, "current");
    for line in
        ["\nlast check: ", "\nlast success: ", "\nlast transfer: ", "\n  serial there: 1\n", "\n  last transfer: "]
    {
        assert!(told.contains(line), "{line:?} is not in\n{told}");
    }
    let steps: [(u32, bool, &str, &str); 6] = [
        (HOLDS_QUERY, true, "checking", "serial there: 1"),
        (HOLDS_TRANSFER, false, "transferring", "serial there: 2"),
        (FAILS_TRANSFER, false, "behind", ": SERVFAIL"),
        (HAS_2, true, "current", ", over since"),
        (REFUSES, true, "refused", ": REFUSED"),
        (HAS_1, true, "primary went back", "serial there: 1"),
    ];
    for (step, is_asked, state, text) in steps {
        does.store(step, Ordering::SeqCst);
        if is_asked {
            assert_eq!(server.rndc(&["refresh", ZONE]).status, 0);
        }
        let told = wait_for(&server, state);
        assert!(told.contains(text), "{state}: {told}");
    }
    does.store(IS_GONE, Ordering::SeqCst);
    drop(primary);
    server.wait_until("nobody listens there", || TcpStream::connect(address).is_err());
    server.rndc(&["refresh", ZONE]);
    assert!(wait_for(&server, "unreachable").contains(": connection refused\n"));
}

#[test]
fn a_zone_that_has_expired_is_told_of_though_it_is_not_served() {
    let folder = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
    let path = folder.path().join("example.db");
    std::fs::write(&path, "$TTL 300\n@ SOA ns h 1 300 500 1000 60\n@ NS ns\nns A 192.0.2.1\n").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(2000);
    File::options().append(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    let zones = vec![Zone::secondary(ZONE, free_port()).with("masterfile-format text;")];
    let server = Server::start_in(Kind::Nomd, &Spec { zones, ..Spec::default() }, free_port(), folder);
    let told = wait_for(&server, "expired");
    assert!(told.starts_with("rndc: 'zonestatus' failed: zone not loaded\nnext refresh: "), "{told}");
    assert!(told.contains("\nprimary: 127.0.0.1#"), "{told}");
}

#[test]
fn a_primary_whose_clock_is_wrong_is_told_of_with_both_clocks() {
    let key = Key::new("hmac-sha256");
    let signing = key.clone();
    let address = (Ipv4Addr::LOCALHOST, free_port()).into();
    let _primary = Listener::start(address, move |heard| {
        let Some(mut signer) = Signer::new(&signing, &heard.request) else { return vec![] };
        signer.skew_s = -7200;
        honest(heard, 1).iter().map(|message| signer.sign(message)).collect()
    });
    let zones = vec![Zone::secondary(ZONE, address.port())];
    let server = Server::start(Kind::Nomd, &Spec { zones, key: Some(key), ..Spec::default() });
    server.wait_until("both clocks are told", || {
        let told = server.rndc(&["zonestatus", ZONE]).stderr;
        told.contains("clock of the primary 20") && told.contains("Z, ours 20") && told.contains("state: missing")
    });
}

/// What is refused, what the log says of it, and what nomd tells besides.
const REFUSALS: [(u16, &str, &str); 3] = [
    (BADSIG, "tsig indicates error", "tsig indicates error (BADSIG)\n"),
    (BADTIME, "clocks are unsynchronized", "clocks are unsynchronized (BADTIME): clock of the primary 20"),
    (BADKEY, "tsig indicates error", "tsig indicates error (BADKEY)\n"),
];

/// A secondary with a copy, and its primary that then does not accept what is signed with the key.
fn refused(kind: Kind) {
    let (key, does) = (Key::new("hmac-sha256"), Arc::new(AtomicU32::new(0)));
    let (signing, error) = (key.clone(), Arc::clone(&does));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let _primary = Listener::start(address, move |heard| {
        let Some(mut signer) = Signer::new(&signing, &heard.request) else { return vec![] };
        match error.load(Ordering::SeqCst) {
            0 => honest(heard, 1).iter().map(|message| signer.sign(message)).collect(),
            error => vec![signer.refuse(&heard.request, error as u16, -7200)],
        }
    });
    let zones = vec![Zone::secondary(ZONE, address.port())];
    let server = Server::start(kind, &Spec { zones, key: Some(key), ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    for (error, logged, told) in REFUSALS {
        let before = server.settled_log().len();
        does.store(error.into(), Ordering::SeqCst);
        server.refresh(ZONE);
        let port = address.port();
        let line = format!("refresh: failure trying primary 127.0.0.1#{port} (source 0.0.0.0#0): {logged}\n");
        server.wait_until(&line, || server.log()[before..].contains(&line));
        if kind == Kind::Nomd {
            let status = wait_for(&server, "refused");
            assert!(status.contains(told), "{told:?} is not in\n{status}");
        }
    }
}

#[test]
fn a_primary_that_does_not_accept_a_signature_is_told_of_with_its_error() {
    refused(Kind::Bind);
    refused(Kind::Nomd);
}
