//! What guards change: nothing here happens unless the operator asks for it.

use super::*;
use crate::transfer::guard::Guards;

/// With serial 10 from a file just written, under these guards.
fn guarded(primaries: u8, guards: &str) -> Rig {
    let mut rig = Rig::new(primaries);
    let mut parsed = Guards::default();
    parsed.add(guards).unwrap();
    rig.zone = Refresh::new(Settings { guards: parsed, ..settings((1..=primaries).map(peer)) });
    rig.step(Event::Loaded { timers: timers(10), modified_s: Some(NOW_S) });
    rig
}

/// Has every primary asked once, each of which has this serial.
fn check(rig: &mut Rig, primaries: usize, serial: u32) -> Vec<String> {
    rig.step(Event::Refresh);
    (0..primaries).flat_map(|_| rig.does(current(serial))).collect()
}

#[test]
fn an_expired_copy_is_served_on_for_its_time_of_grace() {
    let mut rig = guarded(1, "grace=1d");
    rig.now_s = NOW_S + 604_800;
    let actions = rig.does(Event::Timer);
    assert!(actions.contains(&"log expired, and served for another 86400 seconds of grace".to_owned()), "{actions:?}");
    assert_eq!((rig.zone.serial(), rig.zone.state()), (Some(Serial(10)), State::PastExpiry));
    rig.now_s += 86_399;
    assert!(!rig.does(Event::SoaFailed("connection refused".to_owned())).contains(&"expire".to_owned()));
    rig.now_s += 1;
    assert!(rig.does(Event::Timer).contains(&"expire".to_owned()));
    assert_eq!(rig.zone.state(), State::Expired);
}

#[test]
fn a_copy_that_is_confirmed_in_its_grace_is_as_good_as_ever() {
    let mut rig = guarded(1, "grace=1d");
    rig.now_s = NOW_S + 604_900;
    rig.step(Event::Timer);
    rig.step(current(10));
    assert_eq!((rig.zone.state(), rig.zone.expires_s()), (State::Current, Some(rig.now_s + 604_800)));
}

#[test]
fn a_lower_serial_is_followed_once_every_primary_has_had_it_for_long_enough() {
    let mut rig = guarded(2, "lower=1h");
    check(&mut rig, 2, 7);
    assert_eq!(rig.zone.state(), State::WentBack);
    rig.now_s += 3599;
    let actions = check(&mut rig, 2, 7);
    assert!(!actions.iter().any(|action| action.contains("going back")), "{actions:?}");
    rig.now_s += 1;
    let actions = check(&mut rig, 2, 7);
    let text = "log every primary has had serial 7 for 3600 seconds: going back from 10";
    assert!(actions.contains(&text.to_owned()), "{actions:?}");
    assert_eq!(rig.does(current(7)), ["transfer 192.0.2.1 None"]);
}

#[test]
fn how_long_a_serial_has_been_lower_does_not_go_by_a_clock_that_is_set() {
    for ahead_s in [86_400, -86_400] {
        let mut rig = guarded(1, "lower=1h");
        check(&mut rig, 1, 7);
        (rig.now_s, rig.ahead_s) = (NOW_S + 3599, ahead_s);
        let actions = check(&mut rig, 1, 7);
        assert!(!actions.iter().any(|action| action.contains("going back")), "{ahead_s}: {actions:?}");
        rig.now_s += 1;
        let actions = check(&mut rig, 1, 7);
        let text = "log every primary has had serial 7 for 3600 seconds: going back from 10";
        assert!(actions.contains(&text.to_owned()), "{ahead_s}: {actions:?}");
    }
}

#[test]
fn a_lower_serial_that_could_not_be_transferred_is_followed_at_the_next_check_if_it_is_still_there() {
    for (then, follows) in [(7, true), (8, false)] {
        let mut rig = guarded(1, "lower=1h");
        check(&mut rig, 1, 7);
        rig.now_s += 3600;
        check(&mut rig, 1, 7);
        assert_eq!(rig.does(current(7)), ["transfer 192.0.2.1 None"]);
        rig.step(Event::TransferFailed(Failure::Other, String::new()));
        assert!(!rig.zone.is_busy() && rig.zone.next_check_s() > rig.now_s, "it has time");
        rig.now_s = rig.zone.next_check_s();
        rig.step(Event::Timer);
        let actions = rig.does(current(then));
        assert_eq!(actions.iter().any(|action| action.contains("going back")), follows, "{actions:?}");
    }
}

#[test]
fn a_primary_that_has_another_serial_or_says_nothing_keeps_the_zone_where_it_is() {
    let mut rig = guarded(2, "lower=1h");
    check(&mut rig, 2, 7);
    rig.now_s += 4000;
    rig.step(Event::Refresh);
    rig.step(current(7));
    let silent = rig.does(Event::SoaFailed("connection refused".to_owned()));
    assert!(!silent.iter().any(|action| action.contains("going back")), "{silent:?}");
    rig.step(Event::Refresh);
    rig.step(current(7));
    rig.step(current(8));
    rig.now_s += 10;
    let actions = check(&mut rig, 2, 7);
    assert!(!actions.iter().any(|action| action.contains("going back")), "{actions:?}");
}

#[test]
fn without_a_guard_a_lower_serial_is_never_followed() {
    let mut rig = Rig::loaded(1);
    for _ in 0..100 {
        rig.now_s += 86_400 / 20;
        let actions = check(&mut rig, 1, 7);
        assert!(!actions.iter().any(|action| action.starts_with("transfer")), "{actions:?}");
    }
}

#[test]
fn a_version_that_is_held_back_waits_for_the_refresh_interval_and_is_told() {
    let mut rig = guarded(2, "shrink=50");
    rig.step(Event::Refresh);
    let may_shrink = |actions: &[Action]| {
        let of =
            |action: &Action| if let Action::Transfer { may_shrink, .. } = action { Some(*may_shrink) } else { None };
        actions.iter().find_map(of)
    };
    assert_eq!(may_shrink(&rig.step(current(11))), Some(false));
    let held = Event::TransferFailed(Failure::Shrunk(Serial(11)), "held back".to_owned());
    assert_eq!(rig.does(held.clone()), ["ask 192.0.2.2 udp Expire"]);
    rig.step(current(11));
    rig.step(held);
    let wait_s = rig.zone.next_check_s() - rig.now_s;
    assert!((2700..=3600).contains(&wait_s), "{wait_s}");
    assert_eq!((rig.zone.state(), rig.zone.serial()), (State::HeldBack, Some(Serial(10))));
    rig.step(Event::Retransfer);
    assert_eq!(may_shrink(&rig.step(current(11))), Some(true));
}

/// A zone of serial 10 whose primary has a serial 11 that the shrink guard held back.
fn holding_back() -> Rig {
    let mut rig = guarded(1, "shrink=50");
    rig.step(Event::Refresh);
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 Some(10)"]);
    rig.step(Event::TransferFailed(Failure::Shrunk(Serial(11)), "held back: why".to_owned()));
    rig
}

#[test]
fn a_version_that_was_held_back_is_not_transferred_again() {
    let mut rig = holding_back();
    for _ in 0..3 {
        rig.now_s += 3600;
        rig.step(Event::Timer);
        let actions = rig.does(current(11));
        let said = "log refresh: serial 11 is held back, not transferred again from primary 192.0.2.1#53";
        assert_eq!(actions.first().map(String::as_str), Some(said));
        assert!(!actions.iter().any(|action| action.starts_with("transfer")), "{actions:?}");
        assert_eq!(rig.zone.state(), State::HeldBack);
        let trouble = rig.zone.standing().contacts()[0].trouble().unwrap();
        assert_eq!((trouble.reason.as_str(), trouble.at_s), ("held back: why", rig.now_s));
    }
}

#[test]
fn another_serial_the_operator_or_another_guard_ends_holding_back() {
    let transfers = |rig: &mut Rig, serial| rig.does(current(serial))[0].starts_with("transfer");
    let mut newer = holding_back();
    newer.step(Event::Refresh);
    assert!(transfers(&mut newer, 12));
    let mut asked = holding_back();
    asked.step(Event::Retransfer);
    assert!(transfers(&mut asked, 11));
    let mut freed = holding_back();
    freed.zone.configure(settings([peer(1)]));
    freed.step(Event::Refresh);
    assert!(transfers(&mut freed, 11));
}

#[test]
fn what_is_held_back_is_taken_once_there_is_no_copy_left() {
    let mut rig = holding_back();
    rig.now_s = NOW_S + 604_800;
    assert!(rig.does(Event::Timer).contains(&"expire".to_owned()));
    assert_eq!(rig.does(current(11)), ["transfer 192.0.2.1 None"]);
}

#[test]
fn a_primary_that_was_away_meanwhile_does_not_make_it_forgotten() {
    let mut rig = holding_back();
    rig.step(Event::Refresh);
    rig.step(Event::SoaFailed("connection refused".to_owned()));
    assert_eq!(rig.zone.state(), State::Unreachable);
    rig.step(Event::Refresh);
    rig.step(current(11));
    assert_eq!(rig.zone.state(), State::HeldBack);
}
