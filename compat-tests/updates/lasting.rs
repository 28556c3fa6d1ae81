//! What updates have made lasts: in the journal at once, in the file some time later, for whoever goes on with them.

use std::fs;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::requests::{A, IN, at, update_of};
use super::{BOTH, ZONE, journal, nsupdate, records, start, start_again, text, told, update};
use crate::peers::{Kind, PATIENCE, Server, Spec, Zone, dig, free_port, receive, run, signal, within};

const DYNAMIC: &str = "allow-update { any; };";

/// Replaces part of the zone's file, which then has another time.
fn edit(server: &Server, from: &str, to: &str) {
    let path = server.path(&format!("{ZONE}.db"));
    let before = fs::metadata(&path).and_then(|meta| meta.modified()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    fs::File::options().append(true).open(&path).unwrap().set_modified(before + Duration::from_secs(2)).unwrap();
}

fn file(server: &Server) -> String {
    fs::read_to_string(server.path(&format!("{ZONE}.db"))).unwrap()
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill_and_each_server_goes_on_with_what_the_other_left() {
    for [first, second] in [[Kind::Bind, Kind::Nomd], [Kind::Nomd, Kind::Bind], [Kind::Nomd, Kind::Nomd]] {
        let server = start(first);
        for number in 1..20 {
            update(&server, &format!("add h{}.{ZONE} 60 A 192.0.2.{number}", number % 5));
        }
        let before = records(&server);
        signal(server.pid(), "KILL");
        let server = start_again(second, server.stop(), DYNAMIC);
        server.wait_for_serial(ZONE, 20);
        assert_eq!(records(&server), before, "{first:?} {second:?}");
        update(&server, &format!("del h1.{ZONE}"));
        let before = records(&server);
        assert_eq!(server.rndc(&["stop"]).status, 0);
        let mut server = server;
        server.wait_for_end();
        let server = start_again(first, server.stop(), DYNAMIC);
        server.wait_for_serial(ZONE, 21);
        assert_eq!(records(&server), before, "{first:?} {second:?}");
        update(&server, &format!("add h1.{ZONE} 60 A 192.0.2.1"));
        server.wait_for_serial(ZONE, 22);
    }
}

#[test]
fn a_file_that_was_edited_behind_its_journal_is_not_loaded() {
    for kind in BOTH {
        let server = start(kind);
        update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
        signal(server.pid(), "KILL");
        let folder = server.stop();
        let path = folder.path().join(format!("{ZONE}.db"));
        let edited = text().replace("SOA ns m 1 ", "SOA ns m 17 ");
        fs::write(&path, &edited).unwrap();
        let zones = vec![Zone::primary(ZONE, edited).with(DYNAMIC)];
        let server = Server::start_in(kind, &Spec { zones, ..Spec::default() }, free_port(), folder);
        server.wait_for_log("journal rollforward failed: journal out of sync with zone");
        server.wait_for_log(&format!("zone {ZONE}/IN: not loaded due to errors."));
        assert_eq!(dig::ask(server.port, ZONE, "SOA", &[]).status, "SERVFAIL", "{kind:?}");
        assert_eq!(nsupdate(&server, &[], &format!("add y.{ZONE} 60 A 192.0.2.1")).stderr, "update failed: SERVFAIL\n");
    }
}

#[test]
fn a_file_that_could_not_be_read_is_read_by_the_next_reload() {
    for kind in BOTH {
        for words in [&["reload"][..], &["reload", ZONE]] {
            let zones = vec![Zone::primary(ZONE, text() + "nonsense\n").with(DYNAMIC)];
            let server = Server::start(kind, &Spec { zones, ..Spec::default() });
            assert_eq!(dig::ask(server.port, ZONE, "SOA", &[]).status, "SERVFAIL", "{kind:?}");
            fs::write(server.path(&format!("{ZONE}.db")), text()).unwrap();
            assert_eq!(server.rndc(words).status, 0, "{kind:?}");
            server.wait_for_serial(ZONE, 1);
            update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
        }
    }
}

/// What rndc says, what is served, and what is logged.
fn play(kind: Kind) -> Vec<String> {
    let server = Server::start(
        kind,
        &Spec {
            zones: vec![
                Zone::primary(ZONE, text()).with(DYNAMIC),
                Zone::primary("static.test", text()),
                Zone::secondary("copied.test", 1),
            ],
            ..Spec::default()
        },
    );
    server.wait_for_serial(ZONE, 1);
    let mut outcomes = vec![];
    let mut number = 0;
    let mut say = |words: &str| {
        let output = server.rndc(&words.split(' ').collect::<Vec<_>>());
        outcomes.push(format!("{words}: {} {} {}", output.status, output.stdout, output.stderr));
    };
    let mut change = || {
        number += 1;
        nsupdate(&server, &[], &format!("add n{number}.{ZONE} 60 A 192.0.2.{number}")).stderr
    };
    assert_eq!(change(), "");
    // What is edited of a zone that changes by updates is not read.
    edit(&server, "b A 192.0.2.2", "b A 192.0.2.222");
    say("reload dyn.test");
    say("reload");
    server.wait_for_serial(ZONE, 2);
    say("freeze dyn.test");
    // named replies before it has written the file.
    server.wait_until("its file is written", || file(&server).contains("2          ; serial"));
    assert!(!file(&server).contains("192.0.2.222"), "{kind:?}");
    assert_eq!(change(), "update failed: REFUSED\n");
    for words in ["freeze dyn.test", "freeze", "freeze static.test", "freeze nowhere.test", "sync static.test"] {
        say(words);
    }
    for words in ["freeze copied.test", "thaw copied.test", "freeze -all dyn.test", "sync -CLEAN dyn.test"] {
        say(words);
    }
    for words in ["sync dyn.test -clean", "sync -clean -clean dyn.test", "sync -clean nowhere.test"] {
        say(words);
    }
    let frozen = server.rndc(&["zonestatus", ZONE]).stdout;
    assert!(frozen.contains("\ndynamic: yes\nfrozen: yes\n"), "{kind:?} {frozen}");
    // named may read again what it has written itself.
    assert_eq!(server.rndc(&["thaw", ZONE]).status, 0, "{kind:?}");
    server.wait_until("it is thawed", || server.rndc(&["zonestatus", ZONE]).stdout.contains("frozen: no"));
    say("thaw dyn.test");
    say("thaw static.test");
    say("thaw nowhere.test");
    assert_eq!(change(), "");
    say("freeze dyn.test");
    server.wait_until("its file is written", || file(&server).contains("3          ; serial"));
    edit(&server, "3          ; serial", "30         ; serial");
    edit(&server, "a\t\t\tA\t192.0.2.1", "a\t\t\tA\t192.0.2.111");
    say("thaw dyn.test");
    server.wait_for_serial(ZONE, 30);
    server.wait_until("it is thawed", || server.rndc(&["zonestatus", ZONE]).stdout.contains("frozen: no"));
    assert_eq!(change(), "");
    server.wait_for_serial(ZONE, 31);
    say("sync dyn.test");
    server.wait_until("its file is written", || file(&server).contains("31         ; serial"));
    assert!(!journal(&server).is_empty(), "{kind:?}");
    say("sync -clean dyn.test");
    server.wait_until("its journal is gone", || !server.path(&format!("{ZONE}.db.jnl")).exists());
    say("sync");
    say("sync -clean");
    // What cannot be read leaves the zone frozen, and what was served.
    say("freeze");
    edit(&server, "31         ; serial", "40         ; serial\n nonsense");
    say("thaw dyn.test");
    server.wait_for_log("not loaded due to errors.");
    assert_eq!(change(), "update failed: REFUSED\n");
    edit(&server, "40         ; serial\n nonsense", "41         ; serial");
    say("reload dyn.test");
    server.wait_for_serial(ZONE, 41);
    say("thaw");
    server.wait_until("it is thawed", || server.rndc(&["zonestatus", ZONE]).stdout.contains("frozen: no"));
    assert_eq!(change(), "");
    outcomes.extend(records(&server));
    outcomes.extend(told(&server));
    let log = server.settled_log();
    let marks = ["freezing ", "thawing ", "dumping ", "removing journal"];
    let of_commands =
        log.lines().filter_map(|line| marks.iter().filter_map(|mark| line.find(mark)).min().map(|at| &line[at..]));
    let mut of_commands: Vec<String> = of_commands.map(str::to_owned).collect();
    // What is read is told of when it has been.
    of_commands.sort();
    outcomes.extend(of_commands);
    outcomes
}

#[test]
fn freeze_thaw_sync_and_reload_do_and_say_what_they_do_with_named() {
    let [theirs, ours] = BOTH.map(play);
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// What was acknowledged is in the file that an operator edits, though another zone could not be frozen once more.
#[test]
fn freezing_all_zones_writes_the_files_of_those_that_were_not_frozen() {
    for kind in BOTH {
        let zones = [ZONE, "frozen.test"].map(|name| Zone::primary(name, text()).with(DYNAMIC)).into();
        let server = Server::start(kind, &Spec { zones, ..Spec::default() });
        server.wait_for_serial("frozen.test", 1);
        assert_eq!(server.rndc(&["freeze", "frozen.test"]).status, 0);
        update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
        let answer = server.rndc(&["freeze"]);
        assert_eq!((answer.status, answer.stderr.as_str()), (1, "rndc: 'freeze' failed: already frozen\n"), "{kind:?}");
        server.wait_until("its file is written", || file(&server).contains("2          ; serial"));
    }
}

/// What an operator has put into the file is not written over.
#[test]
fn a_sync_writes_no_file_that_has_what_is_served() {
    for kind in BOTH {
        let server = start(kind);
        let sync = |words: &[&str]| assert_eq!(server.rndc(&[&["sync"], words].concat()).status, 0, "{kind:?}");
        let has_journal = || server.path(&format!("{ZONE}.db.jnl")).exists();
        update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
        assert_eq!(server.rndc(&["freeze", ZONE]).status, 0);
        server.wait_until("its file is written", || file(&server).contains("2          ; serial"));
        edit(&server, "2          ; serial", "20         ; serial");
        sync(&[]);
        sync(&[ZONE]);
        assert!(has_journal());
        sync(&["-clean"]);
        server.wait_until("its journal is gone", || !has_journal());
        assert!(file(&server).contains("20         ; serial"), "{kind:?}");
        assert_eq!(server.rndc(&["thaw", ZONE]).status, 0);
        server.wait_for_serial(ZONE, 20);
        server.wait_until("it is thawed", || server.rndc(&["zonestatus", ZONE]).stdout.contains("frozen: no"));
        update(&server, &format!("add y.{ZONE} 60 A 192.0.2.1"));
        sync(&[]);
        server.wait_until("its file is written", || file(&server).contains("21         ; serial"));
        edit(&server, "21         ; serial", "21         ; a note");
        sync(&[]);
        sync(&["-clear", ZONE]);
        server.wait_until("its journal is gone", || !has_journal());
        update(&server, &format!("add z.{ZONE} 60 A 192.0.2.1"));
        assert!(file(&server).contains("21         ; a note"), "{kind:?}");
    }
}

#[test]
fn a_file_that_has_all_that_its_journal_leads_to_stays_as_it_is() {
    for kind in BOTH {
        let mut server = start(kind);
        update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
        for round in 0..2 {
            assert_eq!(server.rndc(&["stop"]).status, 0);
            server.wait_for_end();
            assert!(round == 0 || file(&server).contains("2          ; a note"), "{kind:?}");
            let path = server.path(&format!("{ZONE}.db"));
            fs::write(&path, file(&server).replace("2          ; serial", "2          ; a note")).unwrap();
            server = start_again(kind, server.stop(), DYNAMIC);
            server.wait_for_serial(ZONE, 2);
            assert!(!journal(&server).is_empty(), "{kind:?}");
        }
    }
}

/// named has such a zone follow updates again, and writes over the edit with them.
#[test]
fn an_edit_that_ixfr_from_differences_refuses_is_kept_for_its_operator_to_mend() {
    for kind in BOTH {
        let zone = Zone::primary(ZONE, text()).with(DYNAMIC).with("ixfr-from-differences yes;");
        let mut server = Server::start(kind, &Spec { zones: vec![zone], ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
        assert_eq!(server.rndc(&["freeze", ZONE]).status, 0);
        server.wait_until("its file is written", || file(&server).contains("2          ; serial"));
        edit(&server, "192.0.2.2", "192.0.2.222");
        assert_eq!(server.rndc(&["thaw", ZONE]).status, 0);
        server.wait_for_log("ixfr-from-differences: new serial (2) out of range [3 - 2147483649]");
        server.wait_for_log("not loaded due to errors.");
        let change = || nsupdate(&server, &[], &format!("add y.{ZONE} 60 A 192.0.2.1")).stderr;
        if kind == Kind::Bind {
            server.wait_until("updates are made", || change().is_empty());
        } else {
            assert_eq!(change(), "update failed: REFUSED\n");
        }
        assert_eq!(server.rndc(&["stop"]).status, 0);
        server.wait_for_end();
        assert_eq!(file(&server).contains("192.0.2.222"), kind == Kind::Nomd, "{kind:?}");
    }
}

#[test]
fn without_a_journal_nothing_changes() {
    for kind in BOTH {
        let clauses = format!("{DYNAMIC} journal \"place\";");
        let server = Server::start(kind, &super::spec(&clauses));
        server.wait_for_serial(ZONE, 1);
        fs::create_dir(server.path("place")).unwrap();
        let fail = || nsupdate(&server, &[], &format!("add x.{ZONE} 60 A 192.0.2.1")).stderr;
        assert_eq!(fail(), "update failed: SERVFAIL\n", "{kind:?}");
        assert_eq!(dig::serial(server.port, ZONE), Some(1), "{kind:?}");
        fs::remove_dir(server.path("place")).unwrap();
        assert_eq!(fail(), "", "{kind:?}");
        server.wait_for_serial(ZONE, 2);
        let printed = run("named-journalprint", &[&server.path("place").display().to_string()]).stdout;
        assert!(printed.contains("add x.dyn.test.\t\t60\tIN\tA\t192.0.2.1"), "{printed}");
    }
}

/// A secondary hears of each update and gets no more than what has changed.
#[test]
fn updates_are_announced_and_sent_as_differences() {
    for [from, to] in [[Kind::Nomd, Kind::Bind], [Kind::Nomd, Kind::Nomd], [Kind::Bind, Kind::Nomd]] {
        let (port, secondary_port) = (free_port(), free_port());
        let zone = Zone::primary(ZONE, text())
            .with(DYNAMIC)
            .with("notify-delay 0; max-ixfr-ratio unlimited;")
            .notifying(secondary_port);
        let primary = Server::start_at(from, &Spec { zones: vec![zone], ..Spec::default() }, port);
        primary.wait_for_serial(ZONE, 1);
        let zones = vec![Zone::secondary(ZONE, port)];
        let secondary = Server::start_at(to, &Spec { zones, ..Spec::default() }, secondary_port);
        secondary.wait_for_serial(ZONE, 1);
        for number in 2..6 {
            update(&primary, &format!("add h.{ZONE} 60 A 192.0.2.{number}"));
            secondary.wait_for_serial(ZONE, number);
        }
        assert_eq!(records(&secondary), records(&primary));
        let ixfr = dig::dig(port, &[ZONE, "IXFR=2", "+noall", "+answer"]).stdout;
        assert!(ixfr.lines().count() < 20 && !ixfr.contains("MX"), "{from:?} {ixfr}");
    }
}

/// Requests that come while one is made wait for it, and nothing of them is lost.
#[test]
fn many_updates_at_a_time_are_all_made() {
    const EACH: u32 = 25;
    let server = start(Kind::Nomd);
    thread::scope(|scope| {
        for client in 0..8 {
            let server = &server;
            scope.spawn(move || {
                for number in 0..EACH {
                    update(server, &format!("add c{client}.{ZONE} 60 TXT \"{number}\""));
                }
            });
        }
    });
    server.wait_for_serial(ZONE, 1 + 8 * EACH);
    let before = records(&server);
    assert_eq!(before.iter().filter(|record| record.contains("TXT")).count() as u32, 8 * EACH);
    signal(server.pid(), "KILL");
    let server = start_again(Kind::Nomd, server.stop(), DYNAMIC);
    assert_eq!(records(&server), before);
}

/// A zone that is dropped, or whose file is another, has nothing written into what is another's by then.
#[test]
fn a_new_configuration_finds_what_updates_have_left() {
    let server = start(Kind::Nomd);
    update(&server, &format!("add x.{ZONE} 60 A 192.0.2.1"));
    let conf = server.path("named.conf");
    let original = fs::read_to_string(&conf).unwrap();
    fs::write(server.path("other.db"), text().replace("SOA ns m 1 ", "SOA ns m 500 ")).unwrap();
    fs::write(&conf, original.replace(&format!("{ZONE}.db"), "other.db")).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_for_serial(ZONE, 500);
    update(&server, &format!("add y.{ZONE} 60 A 192.0.2.1"));
    server.wait_for_serial(ZONE, 501);
    assert_eq!(server.rndc(&["sync", ZONE]).status, 0);
    assert!(fs::read_to_string(server.path("other.db")).unwrap().contains("501 "));
    fs::write(&conf, &original).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_for_serial(ZONE, 2);
    assert!(records(&server).iter().any(|record| record.starts_with("x.dyn.test.")));
    assert!(file(&server).contains("SOA ns m 1 "), "nothing was written into it");
}

/// A zone that takes a while to be written changes all the time, and its journal cannot be made shorter.
#[test]
fn updates_survive_a_crash_behind_a_journal_that_could_not_be_made_shorter() {
    let more: String = (0..20_000).map(|number| format!("x{number} TXT {number}\n")).collect();
    let clauses = format!("{DYNAMIC} max-journal-size 5k;");
    let zones = vec![Zone::primary(ZONE, text() + &more).with(&clauses)];
    let server = Server::start(Kind::Nomd, &Spec { zones, ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    fs::create_dir(server.path(&format!("{ZONE}.db.jnw"))).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let add = |number| {
        let packet = update_of(ZONE, &[], &[at(&format!("n{number}"), A, IN, 60, &[192, 0, 2, 1])]);
        socket.send_to(&packet, ("127.0.0.1", server.port)).unwrap();
        let mut reply = [0; 512];
        receive(&socket, &mut reply).unwrap();
        assert_eq!(reply[3] & 15, 0);
    };
    (0..100).for_each(add);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| (100_u32..).take_while(|_| !is_over.load(Ordering::SeqCst)).for_each(add));
        let status = server.rndc(&["sync", ZONE]).status;
        let failed = within(PATIENCE, || server.log().contains("dns_journal_compact failed: "));
        is_over.store(true, Ordering::SeqCst);
        assert!(status == 0 && failed, "{}", server.log());
    });
    assert!(!server.settled_log().contains("the file is written anew"), "its journal was still good");
    let last = dig::serial(server.port, ZONE);
    signal(server.pid(), "KILL");
    let folder = server.stop();
    fs::remove_dir(folder.path().join(format!("{ZONE}.db.jnw"))).unwrap();
    let server = start_again(Kind::Nomd, folder, &clauses);
    assert_eq!(dig::serial(server.port, ZONE), last);
}
