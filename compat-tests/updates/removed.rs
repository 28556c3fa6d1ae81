//! Files and journals that an operator removes or replaces under a running primary, and directories that are changed:
//! what was acknowledged is there again after a crash. named appends to the journal without a look at what it leads on
//! from, and does not load the zone then.

use std::fs;

use super::{BOTH, ZONE, nsupdate, records, start, start_again, text, update};
use crate::peers::{Kind, Server, dig, signal};
use crate::removed::{enter, left_by, reconfigure};

const DYNAMIC: &str = "allow-update { any; };";
const FILE: &str = "dyn.test.db";
const JOURNAL: &str = "dyn.test.db.jnl";

fn add(server: &Server, last: u8) {
    update(server, &format!("add h{last}.{ZONE} 60 A 192.0.2.{last}"));
}

/// The zone's records before a crash and after it, when a server finds what this folder holds.
fn across_a_crash(server: Server, folder: &str) -> [Vec<String>; 2] {
    let before = records(&server);
    let new = left_by(server, folder, [FILE, JOURNAL]);
    let server = start_again(Kind::Nomd, new, DYNAMIC);
    let after = records(&server);
    add(&server, 99);
    [before, after]
}

#[test]
fn updates_behind_what_an_operator_has_removed_or_replaced_survive_a_crash() {
    let edited = text().replace("SOA ns m 1 ", "SOA ns m 17 ");
    let remove = |server: &Server, name: &str| fs::remove_file(server.path(name)).unwrap();
    let replace = |server: &Server| fs::write(server.path(FILE), &edited).unwrap();
    let meddling: [&dyn Fn(&Server); 5] = [
        &|server| remove(server, FILE),
        &|server| remove(server, JOURNAL),
        &|server| [FILE, JOURNAL].iter().for_each(|name| remove(server, name)),
        &replace,
        &|server| fs::write(server.path(JOURNAL), "none").unwrap(),
    ];
    for (number, meddle) in meddling.iter().enumerate() {
        let server = start(Kind::Nomd);
        (1..4).for_each(|last| add(&server, last));
        meddle(&server);
        (4..6).for_each(|last| add(&server, last));
        let told = server.settled_log().matches("the file is written anew").count();
        assert_eq!(told, 1, "{number}");
        let [before, after] = across_a_crash(server, "");
        assert_eq!(after, before, "{number}");
    }
}

#[test]
fn the_file_that_an_operator_has_written_is_left_alone_while_the_journal_leads_on_from_it() {
    let server = start(Kind::Nomd);
    let before = fs::read(server.path(FILE)).unwrap();
    (1..4).for_each(|last| add(&server, last));
    assert_eq!(fs::read(server.path(FILE)).unwrap(), before);
}

#[test]
fn updates_follow_the_directory() {
    let server = start(Kind::Nomd);
    add(&server, 1);
    enter(&server, "moved");
    let file = server.path("moved").join(FILE);
    server.wait_until("what was in the journal is written", || file.exists());
    let [before, after] = across_a_crash(server, "moved");
    assert_eq!(after, before);
}

#[test]
fn updates_behind_a_directory_that_was_changed_survive_a_crash() {
    for copied in [&[][..], &[FILE], &[FILE, JOURNAL]] {
        let server = start(Kind::Nomd);
        add(&server, 1);
        fs::create_dir(server.path("moved")).unwrap();
        for name in copied {
            fs::copy(server.path(name), server.path("moved").join(name)).unwrap();
        }
        add(&server, 2);
        enter(&server, "moved");
        add(&server, 3);
        let [before, after] = across_a_crash(server, "moved");
        assert_eq!(after, before, "{copied:?}");
    }
}

#[test]
fn updates_behind_a_journal_that_was_named_anew_survive_a_crash() {
    const ANEW: &str = "allow-update { any; }; journal \"other.jnl\";";
    let server = start(Kind::Nomd);
    add(&server, 1);
    reconfigure(&server, DYNAMIC, ANEW);
    let file = server.path(FILE);
    server.wait_until("what was in the journal is written", || fs::read_to_string(&file).unwrap().contains("h1"));
    add(&server, 2);
    let before = records(&server);
    signal(server.pid(), "KILL");
    let server = start_again(Kind::Nomd, server.stop(), ANEW);
    assert_eq!(records(&server), before);
}

/// What is served goes on being so, but for named.
#[test]
fn while_a_file_that_was_named_anew_cannot_be_read_nothing_is_updated_or_written_to_it() {
    for kind in BOTH {
        let server = start(kind);
        let other = server.path("other.db");
        fs::write(&other, text() + "nonsense\n").unwrap();
        fs::write(server.path("other.db.jnl"), "").unwrap();
        reconfigure(&server, FILE, "other.db");
        server.wait_for_log("not loaded due to errors.");
        let words = format!("add x.{ZONE} 60 A 192.0.2.1");
        assert_eq!(nsupdate(&server, &[], &words).stderr, "update failed: SERVFAIL\n", "{kind:?}");
        server.rndc(&["sync"]);
        assert_eq!(fs::read_to_string(&other).unwrap(), text() + "nonsense\n", "{kind:?}");
        fs::remove_file(server.path("other.db.jnl")).unwrap();
        fs::write(&other, text().replace("SOA ns m 1 ", "SOA ns m 500 ")).unwrap();
        assert_eq!(server.rndc(&["reload", ZONE]).status, 0, "{kind:?}");
        server.wait_for_serial(ZONE, 500);
        add(&server, 1);
        assert_eq!(dig::serial(server.port, ZONE), Some(501), "{kind:?}");
    }
}
