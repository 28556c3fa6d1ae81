//! Refused statements that an operator does without: `--tolerate NAME` and NOMD_TOLERATE.
//!
//! They live beside named.conf, not in it: the same file must go on working with named.

use std::collections::BTreeSet;

use super::values;
use crate::conf::table::{STATEMENTS, Status};

/// The names of what is refused and yet may stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tolerance(BTreeSet<&'static str>);

/// A name that no statement goes by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing to tolerate is called '{name}'; known: {known}", known = known().collect::<Vec<_>>().join(", "))]
pub struct UnknownStatement {
    name: String,
}

impl Tolerance {
    /// Takes up names that stand behind each other, with commas or blanks between them. Statements that nothing refuses
    /// may be among them: what one version of nomd refuses the next may honour, and must start where that one did.
    pub fn add(&mut self, names: &str) -> Result<(), UnknownStatement> {
        for name in names.split([',', ' ', '\t']).filter(|name| !name.is_empty()) {
            let unknown = || UnknownStatement { name: name.to_owned() };
            let mut all = known().chain(STATEMENTS.iter().map(|row| row.name));
            self.0.insert(all.find(|known| known.eq_ignore_ascii_case(name)).ok_or_else(unknown)?);
        }
        Ok(())
    }

    /// Whether this name is tolerated.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }
}

/// Everything that can be tolerated, in order.
fn known() -> impl Iterator<Item = &'static str> {
    let refused = STATEMENTS.iter().filter(|row| matches!(row.status, Status::Refused { .. })).map(|row| row.name);
    refused.chain(values::names()).collect::<BTreeSet<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_in_lists_and_in_any_case() {
        let mut tolerance = Tolerance::default();
        tolerance.add("rate-limit,Allow-Update-Forwarding").unwrap();
        tolerance.add(" type-forward geoip ").unwrap();
        let names: Vec<_> = tolerance.names().collect();
        assert_eq!(names, ["allow-update-forwarding", "geoip", "rate-limit", "type-forward"]);
        assert!(tolerance.has("rate-limit") && !tolerance.has("update-policy"));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let fault = Tolerance::default().add("rate-limits").unwrap_err().to_string();
        assert!(fault.starts_with("nothing to tolerate is called 'rate-limits'; known: allow-new-zones, "), "{fault}");
    }

    #[test]
    fn what_is_honoured_needs_no_tolerance_and_may_have_it() {
        assert_eq!(Tolerance::default().add("rate-limit allow-query prefetch"), Ok(()));
    }
}
