//! The times of files and what they mean for a copy: when it is checked first, until when it lives, and how a check that
//! confirms it is written down, with named and with nomd.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::ixfr::{LAST, ZONE, followed, killed, secondary};
use super::peers::{Kind, Server, Spec, Zone, dig, free_port};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];

/// So many zones that some are checked before three quarters of the interval are over, but for one case in 10^9.
const ZONES: usize = 20;
const RETRY_S: i64 = 4000;
/// A busy host may take so long from the load to the look at what became of it.
const SLACK_S: i64 = 60;

/// Seconds until the next check of each zone.
fn first_checks(kind: Kind) -> Vec<i64> {
    let text = format!("$TTL 300\n@ SOA ns h 1 40000 {RETRY_S} 1209600 60\n@ NS ns\nns A 192.0.2.1\n");
    let names: Vec<String> = (0..ZONES).map(|number| format!("z{number}.test")).collect();
    let zone = |name: &String| Zone::secondary(name, free_port()).with("masterfile-format text;");
    let files = names.iter().map(|name| (format!("{name}.db"), text.clone())).collect();
    let server = Server::start(kind, &Spec { zones: names.iter().map(zone).collect(), files, ..Spec::default() });
    names.iter().for_each(|name| server.wait_for_serial(name, 1));
    let next = |name: &String| {
        let status = server.rndc(&["zonestatus", name]).stdout;
        let line = status.lines().find_map(|line| line.strip_prefix("next refresh: ")).unwrap_or_default();
        let time = jiff::fmt::rfc2822::parse(line).unwrap_or_else(|error| panic!("{error}: {status}"));
        time.timestamp().as_second() - jiff::Timestamp::now().as_second()
    };
    names.iter().map(next).collect()
}

#[test]
fn the_first_check_after_a_load_comes_between_a_quarter_of_the_retry_interval_and_its_end_as_with_named() {
    for kind in BOTH {
        let checks = first_checks(kind);
        let allowed = RETRY_S / 4 - SLACK_S..=RETRY_S;
        assert!(checks.iter().all(|check| allowed.contains(check)), "{kind:?}: {checks:?}");
        assert!(checks.iter().any(|check| *check < RETRY_S * 3 / 4 - SLACK_S), "{kind:?}: {checks:?}");
    }
}

fn set_age(path: &Path, age_s: u64) {
    let time = SystemTime::now() - Duration::from_secs(age_s);
    File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

fn is_new(path: &Path) -> bool {
    path.metadata().unwrap().modified().unwrap().elapsed().is_ok_and(|age| age < Duration::from_secs(1000))
}

/// More than the SOA record lets the copy live.
const EXPIRED_S: u64 = 1_300_000;

#[test]
fn a_copy_lives_from_the_time_of_its_journal_on_whatever_its_file_s_as_with_named() {
    for kind in BOTH {
        for (file_age_s, journal_age_s, status) in [(0, EXPIRED_S, "SERVFAIL"), (EXPIRED_S, 0, "NOERROR")] {
            let folder = killed(kind);
            set_age(&folder.path().join("example.com.db"), file_age_s);
            set_age(&folder.path().join("example.com.db.jnl"), journal_age_s);
            let server = Server::start_in(kind, &secondary(free_port(), ""), free_port(), folder);
            server.wait_for_log("all zones loaded");
            let what = format!("{kind:?}: file {file_age_s}, journal {journal_age_s}");
            server.wait_until(&what, || dig::ask(server.port, ZONE, "SOA", &[]).status == status);
            let expired = server.settled_log().contains("zone example.com/IN: expired");
            assert_eq!(expired, status == "SERVFAIL", "{what}");
        }
    }
}

#[test]
fn a_check_that_confirms_the_copy_makes_its_journal_or_its_file_new_as_with_named() {
    for kind in BOTH {
        let (_from, to) = followed(Kind::Bind, kind, "");
        let [file, journal] = ["example.com.db", "example.com.db.jnl"].map(|name| to.path(name));
        [&file, &journal].into_iter().for_each(|path| set_age(path, 5000));
        // What is confirmed twice within a second is written down once.
        let becomes_new = |path: &Path| {
            to.rndc(&["refresh", ZONE]);
            is_new(path)
        };
        to.wait_until("the journal is new", || becomes_new(&journal));
        to.rndc(&["sync", "-clean", ZONE]);
        to.wait_until("the journal is gone", || !journal.exists());
        set_age(&file, 5000);
        to.wait_until("the file is new", || becomes_new(&file));
        assert_eq!(dig::serial(to.port, ZONE), Some(LAST));
    }
}
