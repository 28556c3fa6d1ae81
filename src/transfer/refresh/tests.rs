mod guards;

use super::*;
use crate::dns::Rcode;
use crate::transfer::message::Unusable;
use crate::transfer::testing::{OPT, peer, settings};

const NOW_S: u64 = 1_800_000_000;

struct Rig {
    zone: Refresh,
    random: Random,
    unreachable: Unreachable,
    now_s: u64,
    /// How far the clock is set ahead.
    ahead_s: i64,
}

fn timers(serial: u32) -> Timers {
    Timers { serial: Serial(serial), refresh_s: 3600, retry_s: 900, expire_s: 604_800 }
}

fn current(serial: u32) -> Event {
    Event::SoaReply(SoaReply::Current { serial: Serial(serial), expire_s: None })
}

impl Rig {
    fn new(primaries: u8) -> Self {
        let (random, unreachable) = (Random::new(7), Unreachable::default());
        let zone = Refresh::new(settings((1..=primaries).map(peer)));
        Self { zone, random, unreachable, now_s: NOW_S, ahead_s: 0 }
    }

    /// With serial 10 from a file just written.
    fn loaded(primaries: u8) -> Self {
        let mut rig = Self::new(primaries);
        rig.step(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) });
        rig
    }

    fn step(&mut self, event: Event) -> Vec<Action> {
        let (now_s, up_s) = (self.now_s.saturating_add_signed(self.ahead_s), self.now_s);
        let (random, unreachable) = (&mut self.random, &mut self.unreachable);
        self.zone.step(event, &mut Context { now_s, up_s, random, unreachable })
    }

    /// The addresses from which SOA queries are to be sent.
    fn sources(&mut self, event: Event) -> Vec<SocketAddr> {
        let asked = |action: &Action| match action {
            Action::AskSoa { primary, .. } => Some(primary.source),
            _ => None,
        };
        self.step(event).iter().filter_map(asked).collect()
    }

    /// Short words for what is to be done, timers left out.
    fn does(&mut self, event: Event) -> Vec<String> {
        let actions = self.step(event);
        actions.iter().filter(|action| !matches!(action, Action::Timer(_))).map(word).collect()
    }
}

fn word(action: &Action) -> String {
    match action {
        Action::AskSoa { primary, tcp, opt } => {
            let asks = opt.map_or("Without", |opt| if opt.expire { "Expire" } else { "Plain" });
            format!("ask {} {} {asks}", primary.address.ip(), if *tcp { "tcp" } else { "udp" })
        }
        Action::Transfer { primary, have, .. } => {
            format!("transfer {} {:?}", primary.address.ip(), have.map(|serial| serial.0))
        }
        Action::Timer(at) => format!("timer {at}"),
        Action::Expire => "expire".to_owned(),
        Action::Touch(at) => format!("touch {at}"),
        Action::Log(_, text) => format!("log {text}"),
    }
}

#[test]
fn a_primary_that_announces_more_than_it_gives_is_asked_again_at_the_retry_interval() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
    let actions = rig.does(Event::UpToDate);
    assert!(actions.iter().any(|action| action.contains("serial 11 announced but not transferred")), "{actions:?}");
    assert_eq!(actions.last().unwrap(), "ask 192.0.2.2 udp Expire");
    rig.step(Event::SoaFailed("connection refused".to_owned()));
    let wait_s = rig.zone.next_check_s() - rig.now_s;
    assert!((675..=900).contains(&wait_s), "{wait_s}");
}

#[test]
fn a_primary_whose_key_is_not_defined_is_told_of_and_passed_over_at_each_check() {
    let mut rig = Rig::new(0);
    let unsigned = Peer { missing_key: Some(crate::transfer::testing::name("No.Way.")), ..peer(1) };
    rig.zone = Refresh::new(settings([unsigned, peer(2)]));
    let passed_over = "log unable to find key: No.Way";
    assert_eq!(rig.does(Event::Missing), [passed_over, "ask 192.0.2.2 udp Expire"]);
    rig.step(Event::SoaFailed("connection refused".to_owned()));
    assert_eq!(rig.does(Event::Refresh), [passed_over, "ask 192.0.2.2 udp Expire"]);
    let contact = rig.zone.standing().contact_of(peer(1).address).and_then(Contact::trouble);
    assert_eq!(contact.map(|trouble| trouble.reason.as_str()), Some("unable to find key: No.Way"));
}

#[test]
fn a_zone_without_a_copy_asks_at_once_and_backs_off_to_six_hours() {
    let mut rig = Rig::new(1);
    assert_eq!(rig.does(Event::Missing), ["ask 192.0.2.1 udp Expire"]);
    let mut intervals = Vec::new();
    for _ in 0..12 {
        rig.step(Event::SoaFailed("connection refused".to_owned()));
        intervals.push(rig.zone.next_check_s() - rig.now_s);
        rig.now_s = rig.zone.next_check_s();
        assert_eq!(rig.does(Event::Timer), ["ask 192.0.2.1 udp Expire"]);
    }
    for (at, &interval) in intervals.iter().enumerate() {
        let whole = (60u64 << at.min(20)).min(6 * 3600);
        assert!((whole * 3 / 4..=whole).contains(&interval), "{at}: {interval}");
    }
}

#[test]
fn the_first_check_after_a_load_is_within_the_retry_interval() {
    for seed in 0..200 {
        let mut rig = Rig::new(1);
        rig.random = Random::new(seed);
        assert!(rig.does(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) }).is_empty());
        let delay = rig.zone.next_check_s() - NOW_S;
        assert!((225..=900).contains(&delay), "seed {seed}: {delay}");
    }
}

/// `server { tcp-only yes; request-expire no; }` for a primary: BIND semantics 2.7.
#[test]
fn a_primary_is_asked_as_its_server_statement_says() {
    let mut rig = Rig::new(1);
    let primary = Peer { tcp_only: true, opt: Some(Opt { expire: false, ..OPT }), ..peer(1) };
    rig.zone = Refresh::new(settings([primary]));
    rig.step(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) });
    rig.now_s = rig.zone.next_check_s();
    assert_eq!(rig.does(Event::Timer), ["ask 192.0.2.1 tcp Plain"]);
}

#[test]
fn timers_are_clamped() {
    let mut rig = Rig::new(1);
    let timers = Timers { serial: Serial(1), refresh_s: 1, retry_s: 1, expire_s: 1 };
    rig.step(Event::Loaded { timers, modified_s: Some(NOW_S) });
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 300 + 500));
    let timers = Timers { serial: Serial(1), refresh_s: u32::MAX, retry_s: u32::MAX, expire_s: u32::MAX };
    rig.step(Event::Loaded { timers, modified_s: Some(NOW_S) });
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + u64::from(MAX_EXPIRE_S)));
}

#[test]
fn an_old_file_expires_at_start_and_is_refreshed_at_once() {
    let mut rig = Rig::new(1);
    let actions = rig.does(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S - 604_800) });
    assert_eq!(actions, ["log expired", "expire", "ask 192.0.2.1 udp Expire"]);
    assert_eq!(rig.zone.serial(), None);
}

#[test]
fn a_copy_dated_by_a_clock_that_was_ahead_lives_no_longer_than_any() {
    let mut rig = Rig::new(0);
    let actions = rig.does(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S + 365 * 86_400) });
    assert!(actions.is_empty(), "{actions:?}");
    rig.now_s = NOW_S + 604_799;
    assert!(matches!(rig.step(Event::Timer)[..], [Action::Timer(at_s)] if at_s <= NOW_S + 604_800));
    rig.now_s = NOW_S + 604_800;
    assert_eq!(rig.does(Event::Timer), ["log expired", "expire"]);
}

/// A host without a battery wakes up in the past, and its clock is set when the network is there.
#[test]
fn a_copy_loaded_by_a_clock_that_is_behind_is_there_when_the_clock_is_set() {
    let mut rig = Rig::new(1);
    rig.ahead_s = -400 * 86_400;
    let actions = rig.does(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S - 600_000) });
    assert!(actions.is_empty(), "{actions:?}");
    rig.ahead_s = 0;
    assert_eq!(rig.does(Event::Timer), ["ask 192.0.2.1 udp Expire"]);
    rig.step(Event::SoaFailed("host unreachable".to_owned()));
    rig.now_s += 4800;
    assert_eq!(rig.does(Event::Timer)[..2], ["log expired", "expire"], "its time is the file's");
}

/// What it says of its own copy is measured by how long ours has to live, not by the time of its file.
#[test]
fn a_copy_loaded_by_a_clock_that_is_behind_is_confirmed_by_a_secondary() {
    let mut rig = Rig::new(1);
    rig.ahead_s = -400 * 86_400;
    rig.step(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) });
    rig.now_s += 1000;
    rig.step(Event::Refresh);
    let confirmed = SoaReply::Current { serial: Serial(10), expire_s: Some(604_700) };
    let touched_s = NOW_S + 900 - 400 * 86_400;
    assert_eq!(rig.does(Event::SoaReply(confirmed)), [format!("touch {touched_s}")]);
}

#[test]
fn a_copy_whose_file_is_gone_lives_for_the_retry_interval() {
    let mut rig = Rig::new(1);
    rig.step(Event::Loaded { timers: timers(10), modified_s: None });
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 900));
}

#[test]
fn a_copy_expires_even_while_it_is_checked() {
    let mut rig = Rig::loaded(1);
    rig.step(Event::Refresh);
    rig.now_s = NOW_S + 604_800;
    assert_eq!(rig.does(Event::Timer), ["log expired", "expire"]);
    assert_eq!(rig.does(current(10)), ["transfer 192.0.2.1 None"], "the same serial is wanted again");
}

#[test]
fn an_equal_serial_confirms_the_copy_and_the_other_primaries_are_asked_too() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    rig.now_s += 5;
    let actions = rig.does(current(10));
    assert_eq!(actions, [format!("touch {}", NOW_S + 5), "ask 192.0.2.2 udp Expire".to_owned()]);
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 5 + 604_800));
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.2 Some(10)"]);
    let delay = rig.zone.next_check_s() - rig.now_s;
    assert!((2700..=3600).contains(&delay), "{delay}");
}

#[test]
fn a_copy_does_not_outlive_the_primary_and_is_not_shortened_by_it() {
    let mut rig = Rig::loaded(1);
    let dying = |expire_s| Event::SoaReply(SoaReply::Current { serial: Serial(10), expire_s: Some(expire_s) });
    rig.step(Event::Refresh);
    rig.now_s += 100;
    assert!(rig.does(dying(50)).is_empty(), "that would be earlier than now");
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 604_800));
    rig.step(Event::Refresh);
    assert_eq!(rig.does(dying(604_750)), [format!("touch {}", NOW_S + 50)]);
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 604_850));
}

/// The least life is there for zones whose EXPIRE is shorter than it takes to check them: what the primary says of its
/// own copy, with the same EXPIRE, must not take it away.
#[test]
fn a_primary_that_says_what_the_soa_record_says_leaves_the_least_life() {
    let mut rig = Rig::new(1);
    rig.step(Event::Missing);
    let short = Timers { serial: Serial(1), refresh_s: 10, retry_s: 5, expire_s: 100 };
    rig.step(Event::SoaReply(SoaReply::Current { serial: Serial(1), expire_s: Some(100) }));
    rig.step(Event::Transferred(short));
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 800));
    rig.step(Event::Refresh);
    rig.now_s += 200;
    rig.step(Event::SoaReply(SoaReply::Current { serial: Serial(1), expire_s: Some(100) }));
    assert_eq!(rig.zone.expires_s(), Some(NOW_S + 1000));
}

/// A secondary in its last second says so, and one that serves on past its expiry does all the time.
#[test]
fn a_copy_from_a_primary_that_is_about_to_expire_is_there_for_its_next_checks() {
    for reported_s in [0, 1, 800] {
        let mut rig = Rig::new(1);
        rig.step(Event::Missing);
        rig.step(Event::SoaReply(SoaReply::Current { serial: Serial(1), expire_s: Some(reported_s) }));
        rig.step(Event::Transferred(timers(1)));
        assert_eq!(rig.zone.expires_s(), Some(NOW_S + 4500));
        rig.now_s = rig.zone.next_check_s();
        assert_eq!(rig.does(Event::Timer), ["ask 192.0.2.1 udp Expire"]);
    }
}

#[test]
fn a_lower_serial_is_told_of_once_per_check() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    let told = "log serial number (9) received from primary 192.0.2.1#53 < ours (10)";
    assert_eq!(rig.does(current(9)), [told, "ask 192.0.2.2 udp Expire"]);
    assert!(rig.does(current(8)).is_empty());
    assert!(!rig.zone.is_busy());
    assert_eq!(rig.zone.serial(), Some(Serial(10)));
}

#[test]
fn silence_is_met_by_three_tries_then_no_edns_then_tcp_then_the_next_primary() {
    let mut rig = Rig::loaded(2);
    let mut asked = rig.does(Event::Refresh);
    for _ in 0..7 {
        asked.extend(rig.does(Event::SoaTimeout).into_iter().filter(|word| word.starts_with("ask")));
    }
    let (with, without) = ("ask 192.0.2.1 udp Expire", "ask 192.0.2.1 udp Without");
    let rest = ["ask 192.0.2.1 tcp Without", "ask 192.0.2.2 udp Expire"];
    assert_eq!(asked, [[with; 3].as_slice(), &[without; 3], &rest].concat());
}

#[test]
fn rcodes_lead_where_bind_goes() {
    let rcode = |rcode, has_opt| Event::SoaReply(SoaReply::Rcode(rcode, has_opt));
    let last = |event| {
        let mut rig = Rig::loaded(2);
        rig.step(Event::Refresh);
        rig.does(event).into_iter().rfind(|word| !word.starts_with("log")).unwrap()
    };
    assert_eq!(last(rcode(Rcode::SERVFAIL, true)), "ask 192.0.2.1 udp Without");
    assert_eq!(last(rcode(Rcode::FORMERR, false)), "ask 192.0.2.1 udp Without");
    assert_eq!(last(rcode(Rcode::FORMERR, true)), "ask 192.0.2.2 udp Expire");
    assert_eq!(last(rcode(Rcode::REFUSED, true)), "transfer 192.0.2.1 Some(10)");
    assert_eq!(last(rcode(Rcode::NOTAUTH, true)), "ask 192.0.2.2 udp Expire");
    assert_eq!(last(Event::SoaReply(SoaReply::Truncated)), "ask 192.0.2.1 tcp Expire");
    assert_eq!(last(Event::SoaReply(SoaReply::Unusable(Unusable::Referral))), "ask 192.0.2.2 udp Expire");
}

#[test]
fn a_failed_transfer_leads_to_the_next_primary_and_keeps_the_copy() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
    assert_eq!(rig.does(Event::TransferFailed(Failure::Other, String::new())), ["ask 192.0.2.2 udp Expire"]);
    rig.step(current(11));
    rig.step(Event::Transferred(timers(11)));
    assert_eq!(rig.zone.serial(), Some(Serial(11)));
    assert!(!rig.zone.is_busy());
}

#[test]
fn a_zone_that_is_too_large_is_left_to_the_next_primary_or_waits_for_the_refresh_interval() {
    let mut rig = Rig::loaded(2);
    let too_large = || Event::TransferFailed(Failure::TooManyRecords, String::new());
    rig.step(Event::Refresh);
    rig.step(current(11));
    assert_eq!(rig.does(too_large()), ["ask 192.0.2.2 udp Expire"]);
    rig.step(current(11));
    rig.step(too_large());
    assert!(!rig.zone.is_busy());
    assert!(rig.zone.next_check_s() - rig.now_s >= 2700);
}

#[test]
fn an_unreachable_primary_is_passed_over_until_it_sends_a_notify() {
    let mut rig = Rig::loaded(1);
    rig.unreachable.add(&peer(1), NOW_S);
    rig.unreachable.add(&peer(1), NOW_S);
    assert!(rig.unreachable.contains(&peer(1), NOW_S));
    rig.step(Event::Notify { from: peer(1).address, serial: None });
    assert!(!rig.unreachable.contains(&peer(1), NOW_S));
}

#[test]
fn a_primary_that_no_transfer_can_reach_is_passed_over_though_it_answers_queries() {
    for (between, is_tried) in [(Failure::Unreachable, false), (Failure::Other, true)] {
        let mut rig = Rig::loaded(1);
        for failure in [Failure::Unreachable, between] {
            rig.step(Event::Refresh);
            assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
            rig.step(Event::TransferFailed(failure, String::new()));
        }
        rig.step(Event::Refresh);
        let actions = rig.does(current(11));
        assert_eq!(actions.iter().any(|action| action.starts_with("transfer")), is_tried, "{actions:?}");
    }
}

#[test]
fn a_primary_is_passed_over_for_ten_minutes_however_the_clock_is_set() {
    for ahead_s in [86_400, -86_400] {
        let mut rig = Rig::loaded(1);
        rig.unreachable.add(&peer(1), NOW_S);
        rig.unreachable.add(&peer(1), NOW_S);
        let mut is_tried = |after_s, ahead_s| {
            (rig.now_s, rig.ahead_s) = (NOW_S + after_s, ahead_s);
            rig.step(Event::Refresh);
            let actions = rig.does(current(11));
            rig.step(Event::TransferFailed(Failure::Other, String::new()));
            actions.iter().any(|action| action.starts_with("transfer"))
        };
        assert!(!is_tried(599, 0) && !is_tried(599, ahead_s), "{ahead_s}");
        assert!(is_tried(600, ahead_s), "{ahead_s}");
    }
}

#[test]
fn a_primary_that_lets_transfers_wait_in_vain_is_passed_over_though_it_answers_queries() {
    let mut rig = Rig::loaded(2);
    for _ in 0..2 {
        rig.now_s += 100;
        rig.step(Event::Refresh);
        assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
        let silent = Event::TransferFailed(Failure::Silent { began_s: rig.now_s }, "timed out".to_owned());
        rig.now_s += 30;
        assert_eq!(rig.does(silent), ["ask 192.0.2.2 udp Expire"]);
        rig.step(current(10));
    }
    rig.step(Event::Refresh);
    assert_eq!(rig.does(current(11)).last().unwrap(), "ask 192.0.2.2 udp Expire");
    rig.step(current(10));
    rig.step(Event::Notify { from: peer(1).address, serial: None });
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
}

#[test]
fn a_trouble_is_told_of_until_a_primary_confirms_the_copy_or_the_check_ends() {
    let gone = || Event::SoaFailed("connection refused".to_owned());
    let mut rig = Rig::loaded(2);
    let mut state_after = |event| {
        rig.step(event);
        rig.zone.state()
    };
    assert_eq!(state_after(Event::Refresh), State::Checking);
    assert_eq!(state_after(gone()), State::Checking, "the other primary may have it");
    assert_eq!(state_after(gone()), State::Unreachable);
    assert_eq!(state_after(Event::Refresh), State::Unreachable);
    assert_eq!(state_after(current(11)), State::Unreachable, "a transfer runs");
    assert_eq!(state_after(Event::TransferFailed(Failure::Other, String::new())), State::Unreachable);
    assert_eq!(state_after(gone()), State::Behind);
    assert_eq!(state_after(Event::Refresh), State::Behind);
    assert_eq!(state_after(current(10)), State::Checking, "confirmed, and the other is asked");
    assert_eq!(state_after(current(11)), State::Transferring, "nothing was wrong any more");
    assert_eq!(state_after(Event::Transferred(timers(11))), State::Current);
}

#[test]
fn retransfer_ignores_the_serial_once() {
    let mut rig = Rig::loaded(1);
    rig.step(Event::Retransfer);
    assert_eq!(rig.does(current(9)), ["transfer 192.0.2.1 None"]);
    rig.step(Event::Transferred(timers(9)));
    rig.step(Event::Refresh);
    assert!(rig.does(current(9)).iter().all(|word| word.starts_with("touch")));
}

#[test]
fn retransfer_is_asked_for_until_a_primary_gives_a_version() {
    let gone = || Event::SoaFailed("connection refused".to_owned());
    for failure in [gone(), Event::TransferFailed(Failure::Other, String::new())] {
        let mut rig = Rig::loaded(1);
        rig.step(Event::Retransfer);
        if matches!(failure, Event::TransferFailed(..)) {
            rig.step(current(5));
        }
        rig.step(failure);
        assert!(!rig.zone.is_busy() && rig.zone.next_check_s() > rig.now_s, "it has time");
        rig.step(Event::Refresh);
        rig.step(gone());
        rig.now_s = rig.zone.next_check_s();
        rig.step(Event::Timer);
        assert_eq!(rig.does(current(5)), ["transfer 192.0.2.1 None"]);
        rig.step(Event::Transferred(timers(5)));
        rig.step(Event::Refresh);
        assert!(rig.does(current(4)).iter().all(|word| word.starts_with("log serial number (4)")));
    }
}

#[test]
fn retransfer_of_a_zone_that_has_nobody_to_ask_waits_until_it_has() {
    let mut rig = Rig::loaded(0);
    rig.step(Event::Retransfer);
    assert!(rig.zone.next_check_s() > rig.now_s);
    rig.zone.configure(settings([peer(1)]));
    rig.step(Event::Refresh);
    assert_eq!(rig.does(current(5)), ["transfer 192.0.2.1 None"]);
}

#[test]
fn a_transfer_that_a_notify_or_an_operator_wants_is_hurried_and_one_of_a_routine_check_is_not() {
    let notify = Event::Notify { from: peer(1).address, serial: None };
    for (event, expected) in [(notify, true), (Event::Retransfer, true), (Event::Timer, false)] {
        let mut rig = Rig::loaded(1);
        rig.now_s = rig.zone.next_check_s();
        rig.step(event);
        let actions = rig.step(current(11));
        let hurried = actions.iter().find_map(|action| match action {
            Action::Transfer { is_hurried, .. } => Some(*is_hurried),
            _ => None,
        });
        assert_eq!(hurried, Some(expected));
    }
}

#[test]
fn notify_checks_now_or_later_or_not_at_all() {
    let mut rig = Rig::loaded(1);
    let notify = |serial: Option<u32>| Event::Notify { from: peer(1).address, serial: serial.map(Serial) };
    assert_eq!(rig.does(notify(Some(10))), ["log notify from 192.0.2.1#53: zone is up to date"]);
    let actions = rig.does(notify(Some(11)));
    assert_eq!(actions, ["log notify from 192.0.2.1#53: serial 11", "ask 192.0.2.1 udp Expire"]);
    rig.step(current(11));
    let queued = "log notify from 192.0.2.1#53: serial 12: refresh in progress, refresh check queued";
    assert_eq!(rig.does(notify(Some(12))), [queued]);
    let actions = rig.does(Event::Transferred(timers(11)));
    assert_eq!(actions.last().unwrap(), "ask 192.0.2.1 udp Expire", "serial 12 is still wanted");
    rig.step(current(11));
    assert_eq!(rig.does(notify(None)), ["log notify from 192.0.2.1#53: no serial", "ask 192.0.2.1 udp Expire"]);
}

#[test]
fn a_queued_notify_is_dropped_when_the_transfer_brought_its_serial() {
    let mut rig = Rig::loaded(1);
    rig.step(Event::Refresh);
    rig.step(current(12));
    rig.step(Event::Notify { from: peer(1).address, serial: Some(Serial(12)) });
    rig.step(Event::Transferred(timers(12)));
    assert!(!rig.zone.is_busy());
}

#[test]
fn a_notify_that_is_late_does_not_hide_one_of_a_newer_serial() {
    let mut rig = Rig::loaded(1);
    let notify = |serial| Event::Notify { from: peer(1).address, serial: Some(Serial(serial)) };
    rig.step(notify(11));
    rig.step(current(12));
    rig.step(notify(13));
    rig.step(notify(11));
    let actions = rig.does(Event::Transferred(timers(12)));
    assert_eq!(actions.last().unwrap(), "ask 192.0.2.1 udp Expire", "serial 13 is still wanted");
}

#[test]
fn what_one_primary_told_of_is_looked_for_though_another_brought_something_older() {
    let mut rig = Rig::loaded(2);
    let notify = |last, serial| Event::Notify { from: peer(last).address, serial: Some(Serial(serial)) };
    rig.step(notify(1, 13));
    rig.step(notify(2, 12));
    assert_eq!(rig.does(Event::SoaFailed(String::new())).last().unwrap(), "ask 192.0.2.2 udp Expire");
    rig.step(current(12));
    assert_eq!(rig.does(Event::Transferred(timers(12))).last().unwrap(), "ask 192.0.2.2 udp Expire");
    assert_eq!(rig.does(current(12)).last().unwrap(), "ask 192.0.2.1 udp Expire", "serial 13 is still wanted");
    rig.step(current(12));
    assert!(!rig.zone.is_busy(), "nobody has it");
}

#[test]
fn a_primary_without_what_another_told_of_does_not_end_the_check() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    rig.step(current(10));
    rig.step(Event::Notify { from: peer(2).address, serial: Some(Serial(12)) });
    rig.step(Event::Notify { from: peer(1).address, serial: Some(Serial(11)) });
    assert_eq!(rig.does(current(10)).last().unwrap(), "ask 192.0.2.1 udp Expire");
    rig.step(Event::SoaReply(SoaReply::Rcode(Rcode::REFUSED, true)));
    assert_eq!(rig.does(Event::UpToDate).last().unwrap(), "ask 192.0.2.2 udp Expire", "serial 12 is still wanted");
}

#[test]
fn whoever_sent_a_notify_is_asked_first() {
    let mut rig = Rig::loaded(3);
    let notify = || Event::Notify { from: peer(2).address, serial: Some(Serial(12)) };
    let asked = |actions: Vec<String>| actions.last().cloned().unwrap();
    assert_eq!(asked(rig.does(notify())), "ask 192.0.2.2 udp Expire");
    assert_eq!(asked(rig.does(current(10))), "ask 192.0.2.1 udp Expire");
    rig.step(notify());
    assert_eq!(asked(rig.does(current(10))), "ask 192.0.2.3 udp Expire");
    assert_eq!(asked(rig.does(current(10))), "ask 192.0.2.2 udp Expire", "it was noted during the check");
    rig.step(current(10));
    rig.step(current(10));
    rig.step(current(10));
    assert_eq!(rig.does(Event::Refresh), ["ask 192.0.2.1 udp Expire"]);
}

#[test]
fn who_told_of_what_is_served_is_not_asked_first_the_next_time() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    rig.step(Event::Notify { from: peer(2).address, serial: Some(Serial(11)) });
    rig.step(current(11));
    rig.step(Event::Transferred(timers(11)));
    assert_eq!(rig.does(Event::Refresh), ["ask 192.0.2.1 udp Expire"]);
}

#[test]
fn a_primary_that_is_one_no_more_leaves_no_trouble_behind() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    rig.zone.configure(settings([peer(2)]));
    rig.step(current(12));
    rig.step(Event::TransferFailed(Failure::Other, "end of file".into()));
    while rig.zone.walk.is_some() {
        rig.step(current(10));
    }
    assert_eq!(rig.zone.state(), State::Current);
}

#[test]
fn events_that_nobody_waits_for_change_nothing() {
    let mut rig = Rig::loaded(1);
    for event in [current(99), Event::SoaTimeout, Event::Transferred(timers(99)), Event::UpToDate] {
        assert!(rig.does(event).is_empty());
    }
    assert_eq!(rig.zone.serial(), Some(Serial(10)));
}

#[test]
fn a_clock_that_is_set_back_leads_to_a_check_at_once() {
    let mut rig = Rig::loaded(1);
    rig.now_s -= 100;
    assert!(rig.does(Event::Timer).is_empty(), "not far enough for a check");
    rig.now_s -= 86_400;
    assert_eq!(rig.does(Event::Timer).last().unwrap(), "ask 192.0.2.1 udp Expire");
    rig.does(current(10));
    assert!((2700..=3600).contains(&(rig.zone.next_check_s() - rig.now_s)));
}

#[test]
fn a_zone_that_has_nobody_to_ask_waits_even_if_its_intervals_are_nothing() {
    let mut rig = Rig::new(0);
    let settings = Arc::make_mut(&mut rig.zone.settings);
    (settings.refresh_s, settings.retry_s) = (0..=0, 0..=0);
    rig.step(Event::Loaded { timers: Timers { refresh_s: 0, retry_s: 0, ..timers(10) }, modified_s: Some(NOW_S + 60) });
    rig.step(Event::Timer);
    assert!(rig.zone.next_check_s() > rig.now_s);
}

/// BIND tries all primaries from `transfer-source` first, then those that failed from `alt-transfer-source`.
#[test]
fn primaries_that_failed_are_asked_again_from_the_other_source() {
    let mut rig = Rig::new(1);
    let other = SocketAddr::from(([10, 0, 0, 9], 0));
    let primary = |last| Peer { other_source: Some(other), ..peer(last) };
    rig.zone = Refresh::new(settings([1, 2].map(primary)));
    rig.step(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) });
    rig.now_s = rig.zone.next_check_s();
    let refused = || Event::SoaFailed("connection refused".to_owned());
    assert_eq!(rig.sources(Event::Timer), [peer(1).source]);
    assert_eq!(rig.sources(refused()), [peer(2).source]);
    assert_eq!(rig.sources(current(10)), [other]);
    assert!(rig.sources(refused()).is_empty(), "the second primary was fine");
    assert!(!rig.zone.is_busy());
}

/// `dialup`: checks wait for the heartbeat, for NOTIFY or for a command.
#[test]
fn a_zone_behind_a_dialled_line_is_checked_only_when_somebody_wants_it() {
    let mut rig = Rig::new(1);
    rig.zone = Refresh::new(Settings { checks_when_due: false, ..settings([peer(1)]) });
    rig.step(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) });
    rig.does(Event::LineUp);
    assert!(!rig.zone.is_busy(), "not due");
    rig.now_s = rig.zone.next_check_s();
    assert!(rig.does(Event::Timer).is_empty());
    assert_eq!(rig.does(Event::LineUp), ["ask 192.0.2.1 udp Expire"]);
    rig.does(current(10));
    assert_eq!(rig.does(Event::Refresh), ["ask 192.0.2.1 udp Expire"]);
    rig.does(current(10));
    let notify = Event::Notify { from: peer(1).address, serial: Some(Serial(11)) };
    let asked = |actions: Vec<String>| actions.last().cloned();
    assert_eq!(asked(rig.does(notify)).as_deref(), Some("ask 192.0.2.1 udp Expire"));
}

#[test]
fn a_transfer_whose_primary_others_could_not_reach_is_left_to_the_next_one() {
    let mut rig = Rig::loaded(2);
    rig.step(Event::Refresh);
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
    let text = "got_transfer_quota: skipping zone transfer as primary 192.0.2.1#53 (source 0.0.0.0#0) is unreachable";
    assert_eq!(rig.does(Event::PassedOver), [format!("log {text} (cached)"), "ask 192.0.2.2 udp Expire".to_owned()]);
}
