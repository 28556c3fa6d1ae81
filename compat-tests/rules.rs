//! The rules of answering and of secondaries, by the numbers of the list that they were taken from, and the tests that
//! hold each against named: a rule without a test, or a test that is gone, is a failure.

mod secondaries;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A rule in a few words, and the tests that have first been seen to hold for named.
type Rule = (&'static str, &'static str, &'static [&'static str]);

/// How many rules each section has that are held.
const COUNTS: [(&str, usize); 6] = [("2.", 12), ("3.", 16), ("4.", 12), ("5.", 15), ("11.", 8), ("12.", 31)];

/// The rules of answering.
const RULES: &[Rule] = &[
    ("6.1", "the view _bind and its zones", &["the_chaos_names_are_answered_as_named_does"]),
    ("6.2", "version.bind", &["the_chaos_names_are_answered_as_named_does", "identity_and_access_are_as_configured"]),
    ("6.3", "hostname.bind", &["the_chaos_names_are_answered_as_named_does", "identity_and_access_are_as_configured"]),
    (
        "6.4",
        "id.server and NSID",
        &["the_chaos_names_are_answered_as_named_does", "each_option_is_answered_as_named_does"],
    ),
    ("9.10", "queries that fail, in the log", &["queries_that_fail_are_logged_as_named_logs_them"]),
    ("12.1", "no requests, unknown operations", &["odd_packets_are_answered_as_named_does"]),
    ("12.2", "the number of questions", &["odd_packets_are_answered_as_named_does"]),
    (
        "12.3",
        "classes",
        &["odd_packets_are_answered_as_named_does", "a_view_is_chosen_by_both_addresses_by_rd_and_by_class"],
    ),
    (
        "12.4",
        "ports, FORMERR in a row",
        &["requests_from_ports_of_echoing_services_get_no_reply", "requests_from_port_0_get_no_reply"],
    ),
    (
        "12.5",
        "no zone, and a zone without data",
        &[
            "answers_are_those_of_named",
            "a_zone_that_was_never_loaded_is_servfail",
            "a_zone_that_is_not_there_yet_or_has_expired_fails_and_here_says_why",
            "chains_into_zones_that_are_not_loaded_fail_as_with_named",
        ],
    ),
    ("12.6", "allow-query", &["allow_query_and_allow_query_on_refuse_with_an_extended_error"]),
    ("12.7", "flags", &["odd_packets_are_answered_as_named_does", "replies_are_those_of_named"]),
    ("12.8", "minimal-responses by default", &["answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.9", "its other values", &["minimal_responses_in_its_other_values"]),
    ("12.10", "small clients", &["replies_are_those_of_named"]),
    ("12.11", "types that are always minimal", &["signed_answers_are_those_of_named", "replies_are_those_of_named"]),
    (
        "12.12",
        "additional data",
        &[
            "answers_are_those_of_named",
            "replies_are_those_of_named",
            "records_lead_to_the_additional_data_that_named_adds",
            "additional_data_come_from_other_zones_as_with_named",
            "additional_data_are_signed_as_with_named",
        ],
    ),
    ("12.13", "referrals", &["signed_answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.14", "DS at a cut", &["signed_answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.15", "wildcards and empty non-terminals", &["answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.16", "aliases", &["answers_are_those_of_named", "chains_are_as_long_as_max_query_restarts_lets_them_be"]),
    ("12.16a", "chains that are too long", &["chains_are_as_long_as_max_query_restarts_lets_them_be"]),
    ("12.17", "DNAME", &["answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.18", "ANY", &["answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.19", "negative answers", &["answers_are_those_of_named", "replies_are_those_of_named"]),
    ("12.20", "types that no record has", &["odd_packets_are_answered_as_named_does"]),
    ("12.21", "case and compression", &["answers_are_those_of_named", "replies_are_those_of_named"]),
    (
        "12.22",
        "rrset-order",
        &[
            "the_first_rule_that_fits_orders_an_rrset_as_with_named",
            "random_order_is_any_order_with_named_and_here",
            "additional_addresses_stay_in_their_order_with_named_and_here",
            "sortlist_puts_first_what_named_does",
        ],
    ),
    (
        "12.23",
        "truncation",
        &["replies_are_those_of_named", "answers_to_clients_without_a_cookie_have_a_size_of_their_own"],
    ),
    ("12.24", "EDNS", &["each_option_is_answered_as_named_does", "odd_packets_are_answered_as_named_does"]),
    (
        "12.25",
        "cookies",
        &["either_server_takes_the_cookies_of_the_other", "cookies_for_addresses_of_ipv6_are_those_of_named"],
    ),
    (
        "12.26",
        "cookies that are asked for",
        &[
            "whoever_sends_a_cookie_needs_ours_where_that_is_required",
            "answers_to_clients_without_a_cookie_have_a_size_of_their_own",
        ],
    ),
    (
        "12.27",
        "options",
        &[
            "each_option_is_answered_as_named_does",
            "answers_are_padded_for_whom_response_padding_names",
            "messages_of_a_transfer_end_with_the_opt_records_that_named_has",
        ],
    ),
    (
        "12.28",
        "extended errors",
        &[
            "allow_query_and_allow_query_on_refuse_with_an_extended_error",
            "a_zone_that_is_not_there_yet_or_has_expired_fails_and_here_says_why",
            "operators_learn_more_where_they_ask",
        ],
    ),
    (
        "12.29",
        "TCP",
        &[
            "a_transfer_holds_up_no_other_query_of_its_connection",
            "silent_connections_are_left_after_the_timeouts_of_named",
            "tcp_connections_that_say_nothing_or_too_little_lock_nobody_out",
        ],
    ),
    ("12.30", "proofs", &["signed_answers_are_those_of_named", "a_validator_accepts_answers_and_denials"]),
    (
        "12 malformed",
        "odd packets",
        &["odd_packets_are_answered_as_named_does", "odd_streams_are_answered_as_named_does"],
    ),
    ("12 HTTP", "statuses", &["http_requests_that_are_none_get_the_statuses_of_named"]),
    (
        "13.1",
        "which view",
        &[
            "a_view_is_chosen_by_both_addresses_by_rd_and_by_class",
            "addresses_and_keys_choose_the_view_of_queries_transfers_and_notifies",
        ],
    ),
    ("13.2", "no view", &["a_view_is_chosen_by_both_addresses_by_rd_and_by_class"]),
    ("13.3", "blackhole", &["who_is_in_blackhole_gets_no_reply"]),
    (
        "14.1",
        "limits and slips",
        &["bursts_are_limited_as_named_limits_them", "other_slips_let_as_many_pass_as_with_named"],
    ),
    ("14.2", "accounts", &["all_wildcards_of_a_zone_share_a_limit"]),
    ("14.3", "who is exempt", &["log_only_and_exempt_clients_are_all_answered"]),
    ("14.4", "what is logged", &["limits_are_logged_as_named_logs_them"]),
];

/// The names of all tests below a folder.
fn tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, names);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            names.extend(text.split("#[").skip(1).filter_map(test_name).map(str::to_owned));
        }
    }
}

/// The name of the function behind an attribute that makes it a test, such as `tokio::test(start_paused = true)]`.
fn test_name(text: &str) -> Option<&str> {
    let (attribute, behind) = text.split_once("]\n")?;
    let path = attribute.split('(').next()?;
    let function = behind.trim_start().trim_start_matches("async ").strip_prefix("fn ")?;
    function.split('(').next().filter(|_| matches!(path, "test" | "tokio::test"))
}

#[test]
fn tests_of_either_sort_are_found() {
    assert_eq!(test_name("test]\n    fn one() {"), Some("one"));
    assert_eq!(test_name("tokio::test(start_paused = true)]\n    async fn two() {"), Some("two"));
    assert_eq!(test_name("derive(Debug)]\nfn three() {"), None);
}

#[test]
fn every_rule_has_a_test() {
    let mut names = BTreeSet::new();
    for folder in ["compat-tests", "src"] {
        tests(Path::new(folder), &mut names);
    }
    let all = || RULES.iter().chain(secondaries::RULES);
    let missing: Vec<_> = all()
        .flat_map(|(number, what, tests)| tests.iter().map(move |test| (number, what, test)))
        .filter(|(.., test)| !names.contains(**test))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
    for (section, count) in COUNTS {
        let of_section = all().filter(|(number, ..)| number.starts_with(section)).count();
        assert_eq!(of_section, count, "section {section}");
    }
}
