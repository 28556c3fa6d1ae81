//! Records that lead to others: a few names of each zone, with whatever the additional section is made of, that point to
//! each other.

use std::fmt::Write;

use super::Dice;
use super::zones::{below, target};

/// The names in front of each apex; one of them is of a wildcard.
pub const NAMES: &[&str] = &["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "x.l8"];
/// What they are asked for: MX, RT, SRV, NAPTR, SVCB, HTTPS, LP.
pub const TYPES: &[u16] = &[15, 21, 33, 35, 64, 65, 107];
/// Certificates of services, below some of the names.
const CERTIFICATES: &[&str] = &["_25._tcp.l0", "_1._tcp.l0", "*._tcp.l1", "_443._tcp.l2", "_25._tcp.x.l8"];
const FLAGS: &[&str] = &["S", "S", "S", "s", "A", "A", "a", "U", "", "SA", "AU", "US"];

/// The records, one a line.
pub fn records(dice: &mut Dice, apex: &str, all: &[&str]) -> String {
    let mut text = String::new();
    for name in NAMES {
        let owner = format!("{}.{}", name.replace('x', "*"), below(apex));
        if dice.one_in(5) {
            let _ = writeln!(text, "{owner} 300 CNAME {}", led_to(dice, apex, all));
            continue;
        }
        for _ in 0..=dice.below(4) {
            let _ = writeln!(text, "{owner} 300 {}", data(dice, apex, all));
        }
    }
    for name in CERTIFICATES {
        let _ = writeln!(text, "{name}.{} 300 TLSA 3 1 1 {}", below(apex), "44556677".repeat(8));
    }
    text
}

fn data(dice: &mut Dice, apex: &str, all: &[&str]) -> String {
    let (kind, number, name) = (dice.below(16), dice.below(2), led_to(dice, apex, all));
    match kind {
        0 | 1 => format!("A 192.0.2.{}", dice.below(200)),
        2 => format!("AAAA 2001:db8::{}", dice.below(200)),
        3..=5 => format!("SRV 1 {number} {} {name}", dice.pick(&[1, 25, 443])),
        6..=8 => format!("NAPTR 1 {number} \"{}\" \"SIP+D2U\" \"\" {name}", dice.pick(FLAGS)),
        9..=11 => format!("HTTPS {number} {name}"),
        12 => format!("SVCB {number} {name}"),
        13 => format!("MX {number} {name}"),
        14 => format!("RT {number} {name}"),
        _ if dice.one_in(3) => format!("LP {number} {name}"),
        _ => (*dice.pick(&["X25 \"1234567\"", "L32 1 10.0.0.1", "L64 1 0014:4fff:ff20:ee64"])).to_owned(),
    }
}

/// Mostly another one of these names.
fn led_to(dice: &mut Dice, apex: &str, all: &[&str]) -> String {
    let name = *dice.pick(NAMES);
    match dice.below(8) {
        0 => ".".to_owned(),
        1 => target(dice, all),
        2 => format!("{name}.{}", below(dice.pick::<&str>(all))),
        _ => format!("{name}.{}", below(apex)),
    }
}
