//! How fast a server asks and tells: `serial-query-rate`, `notify-rate`, `startup-notify-rate` and `notify-delay`.
//! What is seen to hold for named holds for nomd.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, Server, Spec, Zone, free_port};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
/// Without a limit all of them are asked for, or told of, within a moment.
const ZONES: usize = 240;
const RATE: usize = 80;

fn name(number: usize) -> String {
    format!("z{number}.example")
}

fn text(serial: u32) -> String {
    format!("$TTL 300\n@ SOA ns h {serial} 86400 86400 1209600 60\n@ NS ns\nns A 192.0.2.1\n")
}

fn listener() -> Listener {
    Listener::start(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())), |heard| honest(heard, 1))
}

/// So many primary zones of serial 1, of which the listener is told.
fn primaries(kind: Kind, count: usize, listener: &Listener, options: &str) -> Server {
    let clauses = telling(listener);
    let zones = (0..count).map(|number| Zone::primary(&name(number), text(1)).with(&clauses)).collect();
    Server::start(kind, &Spec { zones, options: options.to_owned(), ..Spec::default() })
}

fn telling(listener: &Listener) -> String {
    format!("also-notify {{ 127.0.0.1 port {}; }};", listener.address.port())
}

/// When each of the messages came that are of this kind, once there are so many.
fn times(server: &Server, listener: &Listener, kind: &str, count: usize) -> Vec<Instant> {
    let heard = || -> Vec<Instant> {
        listener.heard().iter().filter(|heard| heard.kind() == kind).map(|heard| heard.at).collect()
    };
    server.wait_until(&format!("{count} messages are heard"), || heard().len() >= count);
    heard()
}

/// Holds if the messages took no less than most of the time that the rate gives them. One that listens may be held up,
/// so that they seem to come closer together.
fn assert_paced(kind: Kind, what: &str, times: &[Instant]) {
    let took = times.last().unwrap().duration_since(times[0]);
    let least = Duration::from_secs(1) * (ZONES - 2 * RATE) as u32 / RATE as u32;
    assert!(took >= least, "{kind:?} {what}: {} messages within {took:?}", times.len());
}

/// Does the same with both at a time, since it takes a while.
fn with_both(test: fn(Kind)) {
    thread::scope(|scope| BOTH.map(|kind| scope.spawn(move || test(kind))).map(|test| test.join().unwrap()));
}

#[test]
fn serials_are_asked_for_at_serial_query_rate() {
    with_both(|kind| {
        let primary = listener();
        let zones = (0..ZONES).map(|number| Zone::secondary(&name(number), primary.address.port())).collect();
        let options = format!("serial-query-rate {RATE}; transfers-in 300; transfers-per-ns 300;");
        let server = Server::start(kind, &Spec { zones, options, ..Spec::default() });
        assert_paced(kind, "at the start", &times(&server, &primary, "SOA", ZONES));
    });
}

#[test]
fn notifies_leave_at_the_rate_of_the_start_and_of_changes() {
    with_both(|kind| {
        let told = listener();
        let server = primaries(kind, ZONES, &told, &format!("startup-notify-rate {RATE}; notify-rate {RATE};"));
        assert_paced(kind, "at the start", &times(&server, &told, "NOTIFY", ZONES));
        for number in 0..ZONES {
            let path = server.path(&format!("{}.db", name(number)));
            fs::write(&path, text(2)).unwrap();
            let later = SystemTime::now() + Duration::from_secs(2);
            fs::File::options().append(true).open(&path).unwrap().set_modified(later).unwrap();
        }
        assert_eq!(server.rndc(&["reload"]).status, 0);
        assert_paced(kind, "after changes", &times(&server, &told, "NOTIFY", 2 * ZONES)[ZONES..]);
    });
}

/// The zone that a NOTIFY is about, and the serial in it.
fn told_of(heard: &Heard) -> (String, u32) {
    let numbers = heard.bytes.last_chunk::<20>().unwrap();
    (heard.request.zone.clone(), u32::from_be_bytes([numbers[0], numbers[1], numbers[2], numbers[3]]))
}

#[test]
fn a_change_overtakes_the_notifies_of_the_start() {
    with_both(|kind| {
        let told = listener();
        let count = 40;
        let server = primaries(kind, count, &told, "startup-notify-rate 2; notify-rate 1000;");
        let heard = || told.heard().iter().map(told_of).collect::<Vec<_>>();
        server.wait_until("all zones are served", || (0..count).all(|number| has_loaded(&server, &name(number))));
        let known = heard();
        let is_waiting = |number: &usize| !known.iter().any(|(zone, _)| *zone == name(*number));
        let changed = name((0..count).rev().find(is_waiting).unwrap());
        server.change_zone(&changed, &text(2));
        let is_told = || heard().contains(&(changed.clone(), 2));
        server.wait_until("the change is told of", is_told);
        let told_before = heard().len();
        assert!(told_before < count, "{kind:?}: {told_before}");
        assert!(!heard().contains(&(changed, 1)), "{kind:?}: the change takes the place of the start");
    });
}

fn has_loaded(server: &Server, zone: &str) -> bool {
    server.log().contains(&format!("zone {zone}/IN: loaded serial 1"))
}

/// Longer than anything that is done at once takes, and as long as one that waits is waited for.
const DELAY: Duration = Duration::from_secs(10);

/// How long after a change it is told of, the start having been so just before.
fn delay(kind: Kind) -> Duration {
    let told = listener();
    let clauses = format!("{} notify-delay {};", telling(&told), DELAY.as_secs());
    let zones = vec![Zone::primary(&name(0), text(1)).with(&clauses)];
    let server = Server::start(kind, &Spec { zones, ..Spec::default() });
    let is_told = |serial: u32| told.heard().iter().any(|heard| told_of(heard).1 == serial);
    server.wait_until("the start is told of", || is_told(1));
    let began = Instant::now();
    server.change_zone(&name(0), &text(2));
    server.wait_until("the change is told of", || is_told(2));
    began.elapsed()
}

/// The delay is there to gather changes, so that nomd tells of the first one at once even if it has just started.
#[test]
fn the_notify_of_the_start_counts_towards_notify_delay_with_named_alone() {
    let [theirs, ours] =
        thread::scope(|scope| BOTH.map(|kind| scope.spawn(move || delay(kind))).map(|run| run.join().unwrap()));
    assert!(theirs > DELAY / 2 && ours < DELAY / 2, "{theirs:?} {ours:?}");
}
