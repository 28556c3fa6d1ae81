//! Reload and reconfig while questions keep coming: none stays without its answer, and a fault leaves all as it was.

use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::peers::{Kind, PATIENCE, Server, Spec, Zone, dig, free_port, nomd, receive, run};
use super::zones;

const ZONE: &str = "example.com";

/// Asks for the SOA in lockstep until told to stop; every question must be answered with NOERROR.
fn ask_steadily(port: u16, stop: &AtomicBool, asked: &AtomicU32, lost: &AtomicU32) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reply = [0; 1500];
    let mut id: u16 = 0;
    while !stop.load(Ordering::Relaxed) {
        id = id.wrapping_add(1);
        let mut query = id.to_be_bytes().to_vec();
        query.extend(b"\0\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x06\0\x01");
        socket.send(&query).unwrap();
        let outcome = receive(&socket, &mut reply);
        let good = matches!(outcome, Ok((len, _)) if len > 12 && reply[..2] == query[..2] && reply[3] & 15 == 0);
        asked.fetch_add(1, Ordering::Relaxed);
        if !good {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Runs `work` under a stream of questions and gives how many were asked and how many failed.
fn under_load(server: &Server, work: impl FnOnce()) -> (u32, u32) {
    let (stop, asked, lost) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| ask_steadily(server.port, &stop, &asked, &lost));
        }
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        done.unwrap_or_else(|fault| std::panic::resume_unwind(fault));
    });
    (asked.into_inner(), lost.into_inner())
}

fn primary(options: &str) -> Server {
    let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], options: options.into(), ..Spec::default() };
    let server = Server::start(Kind::Nomd, &spec);
    server.wait_for_serial(ZONE, 1);
    server
}

#[test]
fn no_answer_is_lost_while_zones_and_configuration_change() {
    let server = primary("");
    let conf = server.path("named.conf");
    let original = std::fs::read_to_string(&conf).unwrap();
    let (asked, lost) = under_load(&server, || {
        for round in 0..10 {
            server.change_zone(ZONE, &zones::example(2 + round));
            server.wait_for_serial(ZONE, 2 + round);
            let more = format!("{original} zone \"more.example\" {{ type primary; file \"more.db\"; }};");
            std::fs::write(server.path("more.db"), zones::large("more.example", 5, 10)).unwrap();
            std::fs::write(&conf, more).unwrap();
            assert_eq!(server.rndc(&["reconfig"]).status, 0);
            server.wait_for_serial("more.example", 5);
            std::fs::write(&conf, &original).unwrap();
            assert_eq!(server.rndc(&["reconfig"]).status, 0);
            server.wait_until("the zone is gone", || {
                dig::ask(server.port, "more.example", "SOA", &[]).status == "REFUSED"
            });
        }
    });
    assert_eq!(lost, 0, "of {asked} questions");
    assert!(asked > 100, "only {asked} questions");
}

#[test]
fn a_broken_configuration_leaves_everything_as_it_was() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() };
        let server = Server::start(kind, &spec);
        server.wait_for_serial(ZONE, 1);
        let conf = server.path("named.conf");
        let original = std::fs::read_to_string(&conf).unwrap();
        std::fs::write(&conf, original.replace("type primary", "type nonsense")).unwrap();
        for word in ["reload", "reconfig"] {
            let output = server.rndc(&[word]);
            assert_eq!(output.status, 1, "{kind:?} {output:?}");
            // named tells a few kinds of faults apart here; nomd says `failure` for all of them.
            assert!(output.stderr.starts_with(&format!("rndc: '{word}' failed: ")), "{kind:?} {output:?}");
        }
        server.wait_for_log("'nonsense'");
        assert_eq!(dig::serial(server.port, ZONE), Some(1), "{kind:?}");
        assert!(server.rndc(&["status"]).stdout.contains("reload/reconfig failed"), "{kind:?}");
        std::fs::write(&conf, &original).unwrap();
        assert_eq!(server.rndc(&["reload"]).stdout, "server reload successful\n", "{kind:?}");
    }
}

#[test]
fn a_broken_zone_file_leaves_the_old_version_serving() {
    let good = zones::example(2);
    let broken = [
        good.replace("IN A   192.0.2.25", "IN A   192.0.2.256"),
        good.replace("IN SOA ns1", "IN SOAP ns1"),
        good.replace("web 60  IN A   192.0.2.80", "Www IN A 192.0.2.80"),
        good.replace("ns1     IN A   192.0.2.1\n", "ns1 ( IN A 192.0.2.1\n"),
        String::new(),
        "\u{0}\u{1}binary\u{ff}".into(),
    ];
    for kind in [Kind::Bind, Kind::Nomd] {
        let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() };
        let server = Server::start(kind, &spec);
        server.wait_for_serial(ZONE, 1);
        for (round, text) in broken.iter().enumerate() {
            server.change_zone(ZONE, text);
            server.wait_until("the fault is said", || {
                server.log().matches("not loaded due to errors").count() == round + 1
            });
            assert_eq!(dig::serial(server.port, ZONE), Some(1), "{kind:?} after {text:?}");
        }
        server.change_zone(ZONE, &zones::example(3));
        server.wait_for_serial(ZONE, 3);
    }
}

#[test]
fn reconfig_moves_listeners_keys_and_access() {
    let server = primary("");
    let conf = server.path("named.conf");
    let original = std::fs::read_to_string(&conf).unwrap();
    let other = free_port();
    let listen = format!("listen-on port {} {{ 127.0.0.1; }};", server.port);
    let both = format!("{listen} listen-on port {other} {{ 127.0.0.1; }}; allow-query {{ none; }};");
    std::fs::write(&conf, original.replace(&listen, &both)).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_until("it listens on the new port", || dig::try_ask(other, ZONE, "SOA").is_some());
    assert_eq!(dig::ask(server.port, ZONE, "SOA", &[]).status, "REFUSED");
    assert_eq!(dig::ask(other, ZONE, "SOA", &["+tcp"]).status, "REFUSED");
    std::fs::write(&conf, &original).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_for_serial(ZONE, 1);
    server.wait_until("it has left the other port", || dig::try_ask(other, ZONE, "SOA").is_none());
}

#[test]
fn no_answer_is_lost_while_one_of_ten_thousand_zones_reloads() {
    let small = |serial: u32| {
        format!("$TTL 300\n@ SOA ns h {serial} 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.{serial}\n")
    };
    let many = (0..10_000).map(|number| Zone::primary(&format!("zone{number}.example"), small(1)));
    let zones = many.chain([Zone::primary(ZONE, zones::example(1))]).collect();
    let server = Server::start(Kind::Nomd, &Spec { zones, ..Spec::default() });
    server.wait_for_log("all zones loaded");
    let (asked, lost) = under_load(&server, || {
        for serial in 2..12 {
            server.change_zone("zone5000.example", &small(serial));
            server.wait_for_serial("zone5000.example", serial);
        }
        assert_eq!(server.rndc(&["reload"]).stdout, "server reload successful\n");
        assert_eq!(dig::serial(server.port, "zone9999.example"), Some(1));
    });
    assert_eq!(lost, 0, "of {asked} questions");
    assert!(server.rndc(&["status"]).stdout.contains("number of zones: 10002"));
}

/// The lines of `rndc status` that tell what is not in force.
fn troubles(server: &Server) -> Vec<String> {
    let status = server.rndc(&["status"]).stdout;
    status.lines().filter_map(|line| line.strip_prefix("not in force: ")).map(str::to_owned).collect()
}

#[test]
fn what_cannot_be_had_stays_as_it_was_and_status_says_why_until_it_is_mended() {
    let server = primary("");
    let conf = server.path("named.conf");
    let original = std::fs::read_to_string(&conf).unwrap();
    let other = free_port();
    let taken = (UdpSocket::bind(("127.0.0.1", other)).unwrap(), TcpListener::bind(("127.0.0.1", other)));
    let listen = format!("listen-on port {} {{ 127.0.0.1; }};", server.port);
    let moved = original
        .replace(&listen, &format!("{listen} listen-on port {other} {{ 127.0.0.1; }};"))
        .replace("example.com.db", "elsewhere.zone");
    assert!(moved.contains("elsewhere.zone"), "{original}");
    std::fs::write(&conf, moved).unwrap();
    let (asked, lost) = under_load(&server, || {
        assert_eq!(server.rndc(&["reconfig"]).status, 0);
        let expected =
            [format!("listener 127.0.0.1#{other}: address in use"), "zone example.com/IN: file not found".into()];
        server.wait_until("both are in the status", || troubles(&server) == expected);
        drop(taken);
        std::fs::write(server.path("elsewhere.zone"), zones::example(7)).unwrap();
        // A program that another test is starting may hold the sockets for a moment more.
        server.wait_until("a reload mends both", || {
            assert_eq!(server.rndc(&["reload"]).status, 0);
            troubles(&server).is_empty()
        });
        server.wait_for_serial(ZONE, 7);
        assert!(dig::try_ask(other, ZONE, "SOA").is_some());
    });
    assert_eq!(lost, 0, "of {asked} questions");
}

#[test]
fn a_control_channel_whose_key_file_is_gone_keeps_its_keys() {
    let server = primary("");
    let conf = server.path("named.conf");
    let original = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, original.replace(" keys { \"rndc-key\"; }", "")).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    let lines = troubles(&server);
    assert!(
        lines.len() == 1 && lines[0].contains("control channel 127.0.0.1#") && lines[0].contains("no key in"),
        "{lines:?}"
    );
    std::fs::write(&conf, &original).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    assert_eq!(troubles(&server), [""; 0]);
}

#[test]
fn plan_tells_what_reconfig_will_do_and_does_nothing() {
    let server = primary("");
    let (conf, rndc) = (server.path("named.conf"), server.path("rndc.conf").display().to_string());
    let plan = |file: &str| run(nomd(), &["plan", "-c", &rndc, file]);
    let same = plan(&conf.display().to_string());
    assert_eq!((same.status, same.stdout.as_str()), (0, "nothing changes\n"));
    let original = std::fs::read_to_string(&conf).unwrap();
    let new = server.path("new file.conf");
    std::fs::write(&new, format!("{original}zone \"more.example\" {{ type primary; file \"more.db\"; }};\n")).unwrap();
    let output = plan(&new.display().to_string());
    let line = "add zone more.example (primary, file \"more.db\")\n";
    assert_eq!((output.status, output.stdout.as_str()), (1, line));
    assert!(server.rndc(&["status"]).stdout.contains("number of zones: 2 "));
    std::fs::write(&new, "zone {").unwrap();
    let broken = plan(&new.display().to_string());
    assert!(broken.status == 2 && broken.stderr.contains("new file.conf:1:"), "{broken:?}");
}

#[test]
fn a_configuration_that_takes_long_to_read_holds_up_nothing() {
    let server = primary("");
    let pipe = server.path("named.conf");
    let zone = "zone \"slow.example\" { type primary; file \"example.com.db\"; };\n";
    let text = std::fs::read_to_string(&pipe).unwrap() + zone;
    std::fs::remove_file(&pipe).unwrap();
    assert_eq!(run("mkfifo", &[&pipe.display().to_string()]).status, 0);
    let status = || server.rndc(&["status"]).stdout;
    std::thread::scope(|scope| {
        let asked = [0; 2].map(|_| scope.spawn(|| server.rndc(&["reconfig"]).status));
        server.wait_until("the configuration is being read", || status().contains("reload/reconfig in progress"));
        assert_eq!(dig::serial(server.port, ZONE), Some(1));
        server.change_zone(ZONE, &zones::example(2));
        server.wait_for_serial(ZONE, 2);
        assert!(status().contains("number of zones: 2 "));
        let mut reader = std::fs::File::options().write(true).open(&pipe).unwrap();
        // Whoever asked second may need a reading of their own.
        let file = server.path("file.conf");
        std::fs::write(&file, &text).unwrap();
        std::fs::rename(&file, &pipe).unwrap();
        reader.write_all(text.as_bytes()).unwrap();
        drop(reader);
        assert_eq!(asked.map(|asked| asked.join().unwrap()), [0, 0]);
    });
    assert!(status().contains("number of zones: 3 "));
}

/// What the log says of a zone, without when and what comes of sending NOTIFY.
fn told_of(server: &Server, zone: &str, before: usize) -> Vec<String> {
    let (log, prefix) = (server.log().split_off(before), format!("zone {zone}/IN: "));
    let lines = log.lines().filter_map(|line| line.split_once(&prefix)).map(|(_, text)| text.to_owned());
    lines.filter(|line| !line.contains("notif")).collect()
}

#[test]
fn reloads_are_answered_and_told_of_as_by_named() {
    let marked = |serial: u32, mark: &str| zones::example(serial) + &format!("mark TXT \"{mark}\"\n");
    // A file that is as it was, one that has changed, with a serial that is higher, the same, lower, and none at all.
    let changes = [None, Some(marked(5, "a")), Some(marked(5, "b")), Some(marked(3, "c")), Some(String::new())];
    for clauses in ["", "ixfr-from-differences yes;"] {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| {
            let zones = vec![Zone::primary(ZONE, zones::example(4)).with(clauses)];
            let server = Server::start(kind, &Spec { zones, ..Spec::default() });
            server.wait_for_serial(ZONE, 4);
            server.settled_log();
            let mut told = vec![told_of(&server, ZONE, 0)];
            for (round, change) in changes.iter().enumerate() {
                let before = server.settled_log().len();
                let Some(text) = change else {
                    told.push(vec![server.rndc(&["reload", ZONE]).stdout]);
                    continue;
                };
                let path = server.path(&format!("{ZONE}.db"));
                std::fs::write(&path, text).unwrap();
                let later = std::time::SystemTime::now() + Duration::from_secs(2 + round as u64);
                std::fs::File::options().append(true).open(&path).unwrap().set_modified(later).unwrap();
                let reply = server.rndc(&["reload", ZONE]);
                let is_over = |line: &String| line.starts_with("loaded") || line.starts_with("not loaded");
                server.wait_until("it is read", || told_of(&server, ZONE, before).iter().any(is_over));
                server.settled_log();
                let serial = dig::serial(server.port, ZONE).map(|serial| serial.to_string());
                let mut lines = told_of(&server, ZONE, before);
                lines.extend([reply.stdout, serial.unwrap_or_default()]);
                told.push(lines);
            }
            told
        });
        assert_eq!(ours, theirs, "{clauses}");
    }
}
