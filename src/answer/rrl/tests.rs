use std::net::IpAddr;

use super::*;
use crate::dns::Name;

const SETTINGS: Settings = Settings {
    per_second: [2, 2, 2, 2, 1, 0],
    window_s: 15,
    slip: 2,
    log_only: false,
    ipv4_prefix_length: 24,
    ipv6_prefix_length: 56,
    max_table_size: 1000,
    qps_scale: 0,
};
const NOW_S: u64 = 1_000_000;

fn limits(settings: Settings) -> RateLimit {
    RateLimit::new(settings, Acl::Nobody, [7; 16])
}

fn client(address: &str) -> Peer<'static> {
    Peer { address: address.parse::<IpAddr>().unwrap(), key: None }
}

/// How many of so many answers to these clients go out.
fn sent<'a>(limits: &RateLimit, answers: impl IntoIterator<Item = (&'a str, Kind, &'a Name, Rtype)>) -> usize {
    let is_sent = |(from, kind, name, rtype): (&str, Kind, &'a Name, Rtype)| {
        let subject = Subject { kind, name: Some(name.as_ref()), is_wildcard: false, rtype, class: Class::IN };
        limits.count(client(from), &subject, NOW_S).is_none()
    };
    answers.into_iter().map(is_sent).filter(|&is_sent| is_sent).count()
}

#[test]
fn a_network_shares_its_limit_and_others_have_their_own() {
    let name: Name = "A.example".parse().unwrap();
    let answer = |from| (from, Kind::Response, &name, Rtype::A);
    let limits = limits(SETTINGS);
    assert_eq!(sent(&limits, ["192.0.2.1", "192.0.2.200", "192.0.2.77"].map(answer)), 2);
    assert_eq!(sent(&limits, ["192.0.3.1", "2001:db8::1", "2001:db8:0:ff::1"].map(answer)), 3);
    assert_eq!(sent(&limits, ["2001:db8:0:100::1"; 3].map(answer)), 2);
}

#[test]
fn answers_are_alike_by_name_and_type_and_others_by_name_alone() {
    let (lower, upper): (Name, Name) = ("a.example".parse().unwrap(), "A.EXAMPLE".parse().unwrap());
    let ask = |kind, name, rtype| ("192.0.2.1", kind, name, rtype);
    let limits = limits(SETTINGS);
    let answers = [(&lower, Rtype::A), (&upper, Rtype::A), (&lower, Rtype::A), (&lower, Rtype::TXT)];
    assert_eq!(sent(&limits, answers.map(|(name, rtype)| ask(Kind::Response, name, rtype))), 3);
    let types = [Rtype::A, Rtype::TXT, Rtype::MX];
    assert_eq!(sent(&limits, types.map(|rtype| ask(Kind::NoData, &lower, rtype))), 2);
}

#[test]
fn no_limit_is_no_limit() {
    let limits = limits(Settings { per_second: [0; KINDS], ..SETTINGS });
    let name: Name = "a.example".parse().unwrap();
    assert_eq!(sent(&limits, [("192.0.2.1", Kind::NxDomain, &name, Rtype::A); 100]), 100);
}

#[test]
fn the_limit_for_everything_counts_across_kinds_and_never_slips() {
    let mut settings = SETTINGS;
    settings.per_second[Kind::All as usize] = 3;
    let (limits, name) = (limits(settings), "a.example".parse::<Name>().unwrap());
    let count = |kind| {
        let subject =
            Subject { kind, name: Some(name.as_ref()), is_wildcard: false, rtype: Rtype::A, class: Class::IN };
        limits.count(client("192.0.2.1"), &subject, NOW_S)
    };
    assert!([Kind::Response, Kind::NoData, Kind::Referral].into_iter().all(|kind| count(kind).is_none()));
    let limited = count(Kind::NxDomain).unwrap();
    assert_eq!((limited.kind, limited.action, limited.is_first), (Kind::All, Action::Drop, true));
}

#[test]
fn errors_never_slip() {
    let limits = limits(Settings { slip: 1, ..SETTINGS });
    let subject = Subject { kind: Kind::Error, name: None, is_wildcard: false, rtype: Rtype(0), class: Class::IN };
    let count = || limits.count(client("192.0.2.1"), &subject, NOW_S);
    assert!(count().is_none());
    assert_eq!(count().unwrap().action, Action::Drop);
}

#[test]
fn exempt_clients_are_not_counted() {
    let limits = RateLimit::new(SETTINGS, Acl::Any, [7; 16]);
    let name: Name = "a.example".parse().unwrap();
    assert_eq!(sent(&limits, [("192.0.2.1", Kind::Response, &name, Rtype::A); 10]), 10);
}

#[test]
fn limits_shrink_when_there_is_more_to_do() {
    let load = Load::default();
    assert!((0..100).all(|_| load.scale(50, NOW_S) >= 1.0));
    assert_eq!(load.scale(50, NOW_S + 1), 0.5);
    assert_eq!(load.scale(0, NOW_S + 1), 1.0);
}
