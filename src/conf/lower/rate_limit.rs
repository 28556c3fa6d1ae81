//! `rate-limit`.

use super::clause;
use super::inherit::Levels;
use super::{Context, acl};
use crate::conf::config::RateLimit;
use crate::conf::tree::Node;

impl Context<'_> {
    /// The limits of a view. Those that are not said are like that of plain answers.
    pub(super) fn rate_limit(&self, levels: Levels<'_>) -> Option<RateLimit> {
        let block = levels.find(clause::RATE_LIMIT)?.block()?;
        let own = Levels([Some(block), None, None]);
        let responses_per_second = own.number(clause::RESPONSES_PER_SECOND, 0);
        Some(RateLimit {
            responses_per_second,
            referrals_per_second: own.number(clause::REFERRALS_PER_SECOND, responses_per_second),
            nodata_per_second: own.number(clause::NODATA_PER_SECOND, responses_per_second),
            nxdomains_per_second: own.number(clause::NXDOMAINS_PER_SECOND, responses_per_second),
            errors_per_second: own.number(clause::ERRORS_PER_SECOND, responses_per_second),
            all_per_second: own.number(clause::ALL_PER_SECOND, 0),
            window_s: own.number(clause::WINDOW, 15),
            slip: own.number(clause::SLIP, 2),
            qps_scale: own.number(clause::QPS_SCALE, 0),
            ipv4_prefix_length: own.number(clause::IPV4_PREFIX_LENGTH, 24),
            ipv6_prefix_length: own.number(clause::IPV6_PREFIX_LENGTH, 56),
            log_only: own.boolean(clause::LOG_ONLY, false),
            max_table_size: own.number(clause::MAX_TABLE_SIZE, 20_000),
            exempt_clients: block
                .find(clause::EXEMPT_CLIENTS)
                .map_or_else(acl::none, |node: &Node<'_>| self.node_list(node)),
        })
    }
}
