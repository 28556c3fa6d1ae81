//! The rules of NOTIFY (2), refreshing (3), transfers (4), zone files and loading (5) and TSIG (11).
//!
//! Where time passes the test is one of the crate, with a clock of its own.

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    (
        "2.1",
        "the values of notify",
        &["those_are_told_whom_named_tells", "targets_follow_the_mode_and_leave_the_primary_out"],
    ),
    ("2.2", "servers that NS records name", &["those_are_told_whom_named_tells"]),
    (
        "2.3",
        "servers outside our zones",
        &["servers_outside_our_zones_are_looked_up_and_told", "the_usual_pair_works_as_it_is_written"],
    ),
    ("2.4", "also-notify of options and of a zone", &["those_are_told_whom_named_tells"]),
    (
        "2.5",
        "notify-delay",
        &[
            "of_changes_within_the_delay_only_the_last_is_told",
            "the_notify_of_the_start_counts_towards_notify_delay_with_named_alone",
            "the_first_change_is_told_at_once_and_later_ones_together",
        ],
    ),
    (
        "2.6",
        "rates",
        &["notifies_leave_at_the_rate_of_the_start_and_of_changes", "a_change_overtakes_the_notifies_of_the_start"],
    ),
    (
        "2.7",
        "the message, and how often it is sent",
        &[
            "other_servers_are_asked_and_told_in_the_bytes_of_named",
            "a_notify_is_sent_three_times",
            "a_notify_that_nobody_answers_is_sent_three_times_five_seconds_apart_as_by_named",
        ],
    ),
    ("2.8", "where it comes from", &["requests_leave_from_the_addresses_of_named"]),
    (
        "2.9",
        "the answer to one",
        &[
            "a_notify_is_answered_as_named_answers_it",
            "a_notify_from_elsewhere_is_refused_and_said",
            "allow_notify_says_whose_notifies_are_taken_and_the_others_are_counted_as_by_named",
        ],
    ),
    (
        "2.10",
        "what one leads to",
        &["a_notify_leads_to_what_it_leads_to_with_named", "notify_checks_now_or_later_or_not_at_all"],
    ),
    (
        "2.11",
        "who is asked then; here the notifier comes first",
        &[
            "whoever_sent_a_notify_is_asked_first",
            "the_second_primary_is_asked_first_if_it_sent_the_notify_and_with_named_the_first",
        ],
    ),
    (
        "2.12",
        "before or after the disk; here what is told of is on disk",
        &["what_was_served_is_served_again_after_a_crash_by_nomd_and_named"],
    ),
    ("2 log", "its lines", &["a_notify_is_told_of_in_named_s_words", "a_notify_leads_to_what_it_leads_to_with_named"]),
    ("3.1", "limits of timers", &["timers_are_kept_within_their_limits_as_by_named", "timers_are_clamped"]),
    (
        "3.2",
        "when the next check is",
        &[
            "timers_are_kept_within_their_limits_as_by_named",
            "the_first_check_after_a_load_is_within_the_retry_interval",
            "the_first_check_after_a_load_comes_between_a_quarter_of_the_retry_interval_and_its_end_as_with_named",
        ],
    ),
    (
        "3.3",
        "zones that were never loaded",
        &["a_zone_that_was_never_loaded_waits_from_a_minute_up_to_six_hours_as_with_named"],
    ),
    (
        "3.4",
        "the clock of expiry",
        &[
            "a_cache_older_than_its_expiry_is_not_served",
            "an_old_file_expires_at_start_and_is_refreshed_at_once",
            "a_copy_lives_from_the_time_of_its_journal_on_whatever_its_file_s_as_with_named",
            "a_check_that_confirms_the_copy_makes_its_journal_or_its_file_new_as_with_named",
        ],
    ),
    (
        "3.5",
        "a file that is gone",
        &[
            "a_copy_whose_file_is_gone_lives_for_the_retry_interval_with_named",
            "a_copy_whose_file_is_gone_lives_for_the_retry_interval",
        ],
    ),
    (
        "3.6",
        "expired zones",
        &[
            "a_zone_that_is_not_there_yet_or_has_expired_fails_and_here_says_why",
            "a_copy_expires_even_while_it_is_checked",
        ],
    ),
    (
        "3.7",
        "EDNS EXPIRE",
        &[
            "a_copy_that_is_confirmed_lives_as_long_as_that_of_the_primary_as_with_named",
            "what_a_primary_says_of_its_own_copy_never_shortens_the_life_of_ours",
            "a_primary_that_says_what_the_soa_record_says_leaves_the_least_life",
            "a_secondary_tells_how_long_its_copy_lives_and_one_that_asks_it_takes_no_more",
            "timers_are_kept_within_their_limits_as_by_named",
        ],
    ),
    (
        "3.8",
        "SOA queries",
        &[
            "a_check_takes_the_steps_of_named",
            "silence_is_met_by_three_tries_then_no_edns_then_tcp_then_the_next_primary",
            "a_primary_that_is_silent_over_udp_is_asked_there_as_often_as_by_named_and_then_over_tcp",
        ],
    ),
    ("3.9", "their answers", &["a_check_takes_the_steps_of_named", "faults_in_soa_answers_leave_the_old_version"]),
    (
        "3.10",
        "equal and lower serials",
        &[
            "a_check_takes_the_steps_of_named",
            "an_equal_serial_confirms_the_copy_and_the_other_primaries_are_asked_too",
            "a_lower_serial_is_told_of_once_per_check",
        ],
    ),
    (
        "3.11",
        "primaries out of reach",
        &[
            "a_primary_that_two_transfers_could_not_reach_is_passed_over",
            "a_server_is_unreachable_after_two_failures_for_ten_minutes",
            "an_unreachable_primary_is_passed_over_until_it_sends_a_notify",
        ],
    ),
    ("3.12", "serial-query-rate", &["serials_are_asked_for_at_serial_query_rate"]),
    ("3.13", "transfers-in, transfers-per-ns, server { transfers }", &["as_many_transfers_run_at_once_as_with_named"]),
    (
        "3.14",
        "limits of a transfer",
        &[
            "faults_of_records_leave_the_old_version",
            "a_zone_that_is_too_large_is_left_to_the_next_primary_or_waits_for_the_refresh_interval",
        ],
    ),
    (
        "3.15",
        "copies and journals that are damaged",
        &[
            "a_cache_that_is_damaged_is_set_aside_and_fetched_anew",
            "a_damaged_journal_of_a_secondary_is_put_aside_and_the_copy_served",
        ],
    ),
    ("3.16", "rndc", &["replies_and_exit_codes_are_those_of_named", "retransfer_ignores_the_serial_once"]),
    (
        "4.1",
        "what is asked for",
        &[
            "other_servers_are_asked_and_told_in_the_bytes_of_named",
            "differences_are_not_asked_for_where_the_configuration_says_so",
            "differences_that_do_not_fit_are_followed_by_the_whole_zone_at_once",
        ],
    ),
    (
        "4.2",
        "differences in",
        &[
            "a_secondary_follows_by_differences_as_named_does",
            "differences_that_are_not_as_they_should_be_are_taken_or_refused_as_by_named",
            "nomd_follows_every_peer_by_differences_with_a_key",
        ],
    ),
    (
        "4.3",
        "a zone that comes whole, and its journal",
        &[
            "a_secondary_journals_the_differences_of_transfers_where_that_is_asked_for",
            "a_zone_that_comes_whole_takes_the_journal_away_as_with_named",
            "a_zone_that_comes_whole_and_is_older_is_refused_where_differences_are_to_be_kept_as_by_named",
        ],
    ),
    (
        "4.4",
        "signed transfers",
        &["every_message_is_signed_with_every_algorithm", "faults_of_signatures_leave_the_old_version"],
    ),
    (
        "4.5",
        "transfers over UDP",
        &["odd_packets_are_answered_as_named_does", "differences_are_handed_out_as_by_named"],
    ),
    (
        "4.6",
        "differences out",
        &[
            "differences_are_handed_out_as_by_named",
            "the_whole_zone_is_sent_where_differences_may_not_or_cannot_be",
            "every_peer_follows_nomd_by_differences",
        ],
    ),
    ("4.7", "max-ixfr-ratio", &["the_whole_zone_is_sent_where_differences_may_not_or_cannot_be"]),
    (
        "4.8",
        "transfers that are refused",
        &[
            "a_transfer_without_the_key_is_refused",
            "a_transfer_beyond_the_quota_is_servfail",
            "odd_streams_are_answered_as_named_does",
            "transfers_that_are_refused_are_told_of_as_by_named",
        ],
    ),
    (
        "4.9",
        "over TLS and HTTPS",
        &[
            "transfers_go_over_tls_to_those_who_say_dot_and_never_over_https",
            "zones_and_differences_are_fetched_over_tls_by_each_from_each",
        ],
    ),
    ("4.10", "the size of messages", &["messages_of_a_transfer_are_as_large_as_is_said"]),
    ("4.11", "zones without SOA or NS", &["faults_of_records_leave_the_old_version"]),
    (
        "4.12",
        "whom TLS trusts",
        &[
            "without_a_name_or_authorities_anybody_is_trusted",
            "a_server_is_known_by_its_name_its_address_or_its_own_certificate",
            "a_primary_that_asks_for_certificates_gets_ours",
        ],
    ),
    (
        "5.1",
        "formats",
        &[
            "both_write_the_same_raw_file",
            "text_caches_are_shared_as_well",
            "a_style_for_raw_files_is_refused_at_the_start_as_by_named",
        ],
    ),
    ("5.2", "a file of another format", &["a_cache_that_is_damaged_is_set_aside_and_fetched_anew"]),
    ("5.3", "text as it is written", &["every_zone_is_written_as_bind_writes_it"]),
    ("5.4", "how files are replaced", &["a_version_that_cannot_be_written_is_served_and_written_later"]),
    (
        "5.5",
        "when files are written",
        &["a_server_that_is_stopped_leaves_a_whole_file", "sync_writes_the_file_and_clean_removes_the_journal"],
    ),
    (
        "5.6",
        "text as it is read",
        &["every_zone_gets_binds_verdict_under_every_mode", "every_oddity_is_judged_and_written_as_bind_does"],
    ),
    (
        "5.7",
        "what keeps a zone from loading",
        &[
            "every_zone_gets_binds_verdict_under_every_mode",
            "zones_with_faults_are_served_or_not_and_told_of_as_by_named",
        ],
    ),
    (
        "5.8",
        "the checks",
        &[
            "every_zone_gets_binds_verdict_under_every_mode",
            "zones_with_faults_are_served_or_not_and_told_of_as_by_named",
        ],
    ),
    ("5.9", "checks that only tell", &["names_of_other_zones_are_judged_as_bind_judges_them"]),
    (
        "5.10",
        "what is checked of a secondary",
        &[
            "faults_of_records_leave_the_old_version",
            "transfers_are_judged_as_by_named",
            "copies_are_judged_as_by_named",
        ],
    ),
    ("5.11", "a load that fails", &["a_broken_zone_file_leaves_the_old_version_serving"]),
    ("5.12", "files that have not changed", &["reloads_are_answered_and_told_of_as_by_named"]),
    ("5.13", "serials of reloads", &["reloads_are_answered_and_told_of_as_by_named"]),
    (
        "5.14",
        "zones that change by updates",
        &[
            "freeze_thaw_sync_and_reload_do_and_say_what_they_do_with_named",
            "a_file_that_was_edited_behind_its_journal_is_not_loaded",
            "updates_are_answered_made_kept_and_told_of_as_by_named",
            "what_was_acknowledged_is_there_after_a_kill_and_each_server_goes_on_with_what_the_other_left",
        ],
    ),
    (
        "5.15",
        "lines of loading",
        &[
            "reloads_are_answered_and_told_of_as_by_named",
            "lines_go_to_the_channels_of_their_categories_and_look_as_with_named",
        ],
    ),
    (
        "11.1",
        "algorithms",
        &["every_algorithm_signs_transfers_both_ways", "signed_requests_are_answered_as_named_does"],
    ),
    ("11.2", "wrong and unknown keys", &["signed_requests_are_answered_as_named_does"]),
    ("11.3", "clocks", &["signed_requests_are_answered_as_named_does"]),
    ("11.4", "MACs that are cut", &["signed_requests_are_answered_as_named_does"]),
    ("11.5", "the place of the record", &["signed_requests_are_answered_as_named_does"]),
    ("11.6", "updates with a key that only the primary knows", &["updates_are_passed_on_as_named_passes_them_on"]),
    ("11.7", "keys and views", &["addresses_and_keys_choose_the_view_of_queries_transfers_and_notifies"]),
    ("11.8", "the time that counts", &["signed_requests_are_answered_as_named_does"]),
];
