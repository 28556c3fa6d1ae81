//! The page is that of the table, and whole; what the table gives as defaults are values.

use std::path::Path;

use super::*;
use crate::conf::parse::{self, How};
use crate::conf::tree::Arena;
use crate::conf::{Dialect, Severity};

#[test]
fn the_manual_page_says_what_the_table_says() {
    let path = Path::new("man/nomd.conf.5");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == page, "man/nomd.conf.5 is not that of the table; BLESS=1 cargo test --lib conf::manual writes it");
}

#[test]
fn every_statement_is_described_once() {
    let statements = BLOCKS.iter().flat_map(|(scope, _)| scope.statements());
    let alive = statements.filter(|statement| statement.life != Life::Ancient);
    let mut names: Vec<_> = alive.map(|statement| (std::ptr::from_ref(statement), statement.name)).collect();
    names.sort_unstable();
    names.dedup();
    let page = page();
    let mut described: Vec<_> =
        page.lines().filter_map(|line| line.strip_prefix(".It Ic ")?.split(' ').next()).collect();
    let mut expected: Vec<_> = names.into_iter().map(|(_, name)| name).collect();
    described.sort_unstable();
    expected.sort_unstable();
    assert_eq!(described, expected);
}

/// A default that is written as a value is one: it is read as what follows the name.
#[test]
fn defaults_are_values_of_their_statements() {
    for (scope, statement) in BLOCKS.iter().flat_map(|(scope, _)| scope.statements().map(|found| (*scope, found))) {
        if statement.manual.default.is_empty() {
            continue;
        }
        let text = format!("{} {};", statement.name, statement.manual.default);
        let (arena, how) = (Arena::default(), How { scope, dialect: Dialect::Nomd });
        let (_, faults) = parse::text(&arena, "t.conf", text.as_bytes(), how);
        assert!(faults.iter().all(|fault| fault.severity != Severity::Error), "{text} in {scope:?}: {faults:?}");
    }
}
