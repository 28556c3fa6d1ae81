//! What is marked full does something: in every block that may hold it, it changes what the configuration comes to.

use super::examples::{Place, each_place, example, generated};
use super::*;
use crate::conf::status::Outcome;
use crate::conf::table::{Statement, Status, ZoneType};

/// What changes nothing by itself: what a definition says counts where it is used, an empty block says nothing, and a
/// zone without a type is none.
const IDLE: [&str; 7] = ["acl", "logging", "masters", "options", "primaries", "remote-servers", "type"];
/// How many words of a choice are tried: one among them is not the default.
const MAX_CHOICES: usize = 4;

/// What may be said in a statement.
fn values(statement: &Statement) -> Vec<String> {
    let shapes = (0..MAX_CHOICES).flat_map(|pick| [true, false].map(|is_whole| generated(statement, is_whole, pick)));
    let mut values: Vec<String> = shapes.collect();
    values.extend(values.clone().into_iter().map(|value| value.replace("yes", "no")));
    values.push(example(statement));
    values
}

/// What a text comes to, and whether the statement is looked at; none: it cannot be read.
fn comes_to(text: &str, statement: &Statement) -> Option<(Config, bool)> {
    let (arena, how) = (Arena::default(), How { scope: Scope::Top, dialect: Dialect::Nomd });
    let tree = parse::text(&arena, "t.conf", text.as_bytes(), how).0?;
    let mut is_seen = false;
    status::visit(tree.root, &mut |finding| {
        is_seen |= std::ptr::eq(finding.node.statement, statement) && finding.outcome == Outcome::Honoured;
    });
    Some((lower::lower(&tree).0, is_seen))
}

/// Whether zones of this place's type, if it is one, are served.
fn is_served(place: &Place) -> bool {
    matches!(place.zone_type, None | Some(ZoneType::Primary | ZoneType::Secondary))
}

#[test]
fn full_statements_change_the_configuration_in_every_place() {
    let (mut idle, mut count) = (Vec::new(), 0);
    each_place(|statement, file, place| {
        if statement.status != Status::Full || file != Scope::Top || !is_served(place) {
            return;
        }
        let without = comes_to(&place.filled(statement, file, ""), statement).map(|(config, _)| config);
        let texts = values(statement).into_iter().map(|value| place.filled(statement, file, &value));
        let with: Vec<(Config, bool)> = texts.filter_map(|text| comes_to(&text, statement)).collect();
        if with.iter().any(|(_, is_seen)| *is_seen) && !IDLE.contains(&statement.name) {
            count += 1;
            let changes = with.into_iter().any(|(config, _)| Some(config) != without);
            (!changes).then(|| idle.push(place.filled(statement, file, &example(statement))));
        }
    });
    assert!(idle.is_empty(), "{} of {count}\n{}", idle.len(), idle.join("\n"));
    assert!(count > 200, "{count}");
}
