//! `rate-limit`.

use super::inherit::Levels;
use super::{Context, acl, clause};
use crate::conf::config::RateLimit;
use crate::conf::tree::Node;

impl Context<'_> {
    /// The limits of a view. Those that are not said are like that of plain answers.
    pub(super) fn rate_limit(&self, levels: Levels<'_>) -> Option<RateLimit> {
        let block = levels.find(clause::RATE_LIMIT)?.block()?;
        let own = Levels([Some(block), None, None]);
        let responses_per_second = own.number(clause::RESPONSES_PER_SECOND);
        Some(RateLimit {
            responses_per_second,
            referrals_per_second: own.number_or(clause::REFERRALS_PER_SECOND, responses_per_second),
            nodata_per_second: own.number_or(clause::NODATA_PER_SECOND, responses_per_second),
            nxdomains_per_second: own.number_or(clause::NXDOMAINS_PER_SECOND, responses_per_second),
            errors_per_second: own.number_or(clause::ERRORS_PER_SECOND, responses_per_second),
            all_per_second: own.number(clause::ALL_PER_SECOND),
            window_s: own.number(clause::WINDOW),
            slip: own.number(clause::SLIP),
            qps_scale: own.number_or(clause::QPS_SCALE, 0),
            ipv4_prefix_length: own.number(clause::IPV4_PREFIX_LENGTH),
            ipv6_prefix_length: own.number(clause::IPV6_PREFIX_LENGTH),
            log_only: own.boolean(clause::LOG_ONLY),
            max_table_size: own.number(clause::MAX_TABLE_SIZE),
            exempt_clients: block
                .find(clause::EXEMPT_CLIENTS)
                .map_or_else(acl::none, |node: &Node<'_>| self.node_list(node)),
        })
    }
}
