//! Transfers of many zones, one after the other over connections that serve again. named makes a new one for each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex};

use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, Server, Spec, Zone, free_port};

const ZONES: usize = 30;
/// BIND's `transfers-per-ns`.
const AT_A_TIME: usize = 2;

fn names() -> impl Iterator<Item = String> {
    (0..ZONES).map(|number| format!("z{number}.test"))
}

fn secondary(primary: u16) -> Server {
    let spec = Spec {
        zones: names().map(|name| Zone::secondary(&name, primary)).collect(),
        options: "serial-query-rate 1000;".to_owned(),
        ..Spec::default()
    };
    Server::start(Kind::Nomd, &spec)
}

/// The ports from which transfers were asked for, and how often each.
type Ports = BTreeMap<u16, usize>;

/// A primary that gives no zone before all are asked about, so that transfers wait for their turn. What comes behind
/// the first request of a connection is answered by `again`.
fn ports(again: impl Fn(&Heard) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Ports {
    let state = Arc::new((Mutex::new((BTreeSet::new(), Ports::new())), Condvar::new()));
    let told = Arc::clone(&state);
    let primary = Listener::start(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())), move |heard| {
        let (lock, all_asked) = &*told;
        let mut state = lock.lock().unwrap();
        if heard.kind() == "SOA" {
            state.0.insert(heard.request.zone.clone());
            all_asked.notify_all();
            return honest(heard, 1);
        }
        let times = state.1.entry(heard.from.port()).or_default();
        *times += 1;
        let is_first = *times == 1;
        drop(all_asked.wait_while(state, |(asked, _)| asked.len() < ZONES).unwrap());
        if is_first { honest(heard, 1) } else { again(heard) }
    });
    let server = secondary(primary.address.port());
    names().for_each(|name| server.wait_for_serial(&name, 1));
    let log = server.log();
    assert!(!log.contains("failed"), "{log}");
    assert_eq!(log.matches("Transfer status: success").count(), ZONES, "{log}");
    state.0.lock().unwrap().1.clone()
}

#[test]
fn transfers_that_wait_for_their_turn_go_over_the_connections_of_others() {
    let ports = ports(|heard| honest(heard, 1));
    assert_eq!(ports.values().sum::<usize>(), ZONES, "{ports:?}");
    // Those that were first knew of nobody who waits.
    assert!(ports.len() <= 2 * AT_A_TIME, "{ports:?}");
}

#[test]
fn a_primary_that_gives_one_zone_on_each_connection_is_asked_over_new_ones() {
    let ports = ports(|_| vec![]);
    assert!(ports.len() >= ZONES, "{ports:?}");
}

#[test]
fn a_primary_that_confuses_the_second_answer_is_asked_over_new_connections() {
    let ports = ports(|heard| {
        let mut answers = honest(heard, 1);
        answers.iter_mut().for_each(|answer| answer[0] ^= 1);
        answers
    });
    assert!(ports.len() >= ZONES, "{ports:?}");
}

#[test]
fn every_peer_gives_many_zones_over_one_connection() {
    for kind in [Kind::Bind, Kind::Nsd, Kind::Knot, Kind::Nomd] {
        let text = "$TTL 300\n@ SOA ns h 1 86400 86400 1209600 60\n@ NS ns\nns A 192.0.2.1\n";
        let zones = names().map(|name| Zone::primary(&name, text)).collect();
        let primary = Server::start(kind, &Spec { zones, ..Spec::default() });
        let server = secondary(primary.port);
        names().for_each(|name| server.wait_for_serial(&name, 1));
        let log = server.log();
        assert_eq!(log.matches("Transfer status: success").count(), ZONES, "{kind:?}: {log}");
        let of_line = |line: &str| line.split_once(": connected using ").map(|(_, address)| address.to_owned());
        let connections: BTreeSet<String> = log.lines().filter_map(of_line).collect();
        assert!(connections.len() < ZONES, "{kind:?}: {connections:?}");
    }
}
