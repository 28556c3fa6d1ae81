//! An example of every statement in every block that may hold it, and all sound fixtures: they are read, checked and
//! printed, and what is printed says the same.
//!
//! An example is the one that the table gives or, where that gives none, the shape of the syntax with a value of each
//! kind in it.

use std::collections::HashSet;

use super::*;
use crate::conf::manual::BLOCKS;
use crate::conf::table::{Kind, Statement, Syntax, ZoneType};
use crate::conf::tree::{Block, Item, Node, Value};

/// What the examples of the table refer to, and what the samples below are the names of.
const AROUND: &str = r#"
    key word { algorithm hmac-sha256; secret "AAAA"; };
    tls word { cert-file "c"; key-file "k"; };
    http word { };
"#;

/// What shares a place with a statement that may stand only once, or only alone.
const ALONE: [(&str, &str); 4] = [("masters", "primaries"), ("file", "null"), ("syslog", "null"), ("stderr", "null")];

/// Examples that cannot pass in some place, by their statement, with the words of the fault.
const FAULTY: [(&str, &str); 3] = [
    ("auto-dnssec", "auto-dnssec may only be activated at the zone level"),
    ("forward", "no matching 'forwarders' statement"),
    ("plugin", "plugin check failed"),
];

/// One place that a statement may stand in, and the others there that it needs.
pub(super) struct Place {
    /// What stands before it, and behind.
    around: (&'static str, &'static str),
    others: &'static [&'static str],
    pub(super) zone_type: Option<ZoneType>,
}

const fn place(before: &'static str, others: &'static [&'static str], behind: &'static str) -> Place {
    Place { around: (before, behind), others, zone_type: None }
}

const fn zone(zone_type: ZoneType, before: &'static str, others: &'static [&'static str]) -> Place {
    Place { around: (before, "};"), others, zone_type: Some(zone_type) }
}

/// Zones of each type.
const ZONES: [Place; 9] = [
    zone(ZoneType::Primary, "zone z {", &["type primary;", "file \"f\";", "inline-signing yes;"]),
    zone(
        ZoneType::Secondary,
        "zone z {",
        &["type secondary;", "file \"f\";", "inline-signing yes;", "primaries { 192.0.2.1; };"],
    ),
    zone(ZoneType::Mirror, "zone . {", &["type mirror;"]),
    zone(ZoneType::Hint, "zone . {", &["type hint;", "file \"f\";"]),
    zone(ZoneType::Stub, "zone z {", &["type stub;", "primaries { 192.0.2.1; };"]),
    zone(ZoneType::StaticStub, "zone z {", &["type static-stub;", "server-addresses { 192.0.2.1; };"]),
    zone(ZoneType::Forward, "zone z {", &["type forward;", "forwarders { 192.0.2.1; };"]),
    zone(ZoneType::Redirect, "zone . {", &["type redirect;", "file \"f\";"]),
    zone(ZoneType::DelegationOnly, "zone z {", &["type delegation-only;"]),
];

/// Options, and the zones that lists of zones are kept in.
const OPTIONS: (&str, &str) = (
    "options {",
    r#"}; zone catalog.example { type primary; file "c"; inline-signing yes; }; zone rpz.example { type primary; file "r"; inline-signing yes; };"#,
);
/// A view, with the same.
const VIEW: &str = r#"options { dnstap-output file "d"; }; view v {
    zone catalog.example { type primary; file "c"; inline-signing yes; }; zone rpz.example { type primary; file "r"; inline-signing yes; };"#;

/// Where the statements of a block may stand.
fn places(scope: Scope) -> Vec<Place> {
    let one = match scope {
        Scope::Top | Scope::Rndc | Scope::Guards => place("", &[], ""),
        Scope::Options => place(OPTIONS.0, &["dnstap-output file \"d\";"], OPTIONS.1),
        Scope::RndcOptions => place("options {", &[], "};"),
        Scope::View => place(VIEW, &[], "};"),
        Scope::Zone => return ZONES.into(),
        Scope::NotifyCfg => place("zone z { type primary; file \"f\"; notify-cfg n {", &[], "}; };"),
        Scope::Server => place("server 192.0.2.1 {", &[], "};"),
        Scope::RndcServer => place("server s {", &[], "};"),
        Scope::Guard => place("zone z {", &[], "};"),
        Scope::Key => place("key k {", &["algorithm hmac-sha256;", "secret \"AAAA\";"], "};"),
        Scope::Controls => place("controls {", &[], "};"),
        Scope::Statistics => place("statistics-channels {", &[], "};"),
        Scope::Logging => place("logging {", &[], "};"),
        Scope::Channel => place("logging { channel c {", &["null;"], "}; };"),
        Scope::RateLimit => place("options { rate-limit {", &[], "}; };"),
        Scope::Tls => place("tls t {", &["cert-file \"c\";", "key-file \"k\";"], "};"),
        Scope::Http => place("http h {", &[], "};"),
        Scope::Policy => place("dnssec-policy p {", &[], "};"),
        Scope::KeyStore => place("key-store s {", &[], "};"),
        Scope::Dns64 => place("options { dns64 64:ff9b::/96 {", &[], "}; };"),
        Scope::Dlz => place("dlz d {", &[], "};"),
    };
    vec![one]
}

impl Place {
    fn fits(&self, statement: &Statement) -> bool {
        self.zone_type.is_none_or(|zone_type| statement.fits(zone_type))
    }

    /// A configuration with the statement in this place.
    pub(super) fn filled(&self, statement: &Statement, file: Scope, text: &str) -> String {
        let name = statement.name;
        let yields = |other: &&&str| {
            let first = other.split([' ', ';']).next().unwrap_or_default();
            first != "type" && (first == name || ALONE.contains(&(name, first)))
        };
        let others: String = self.others.iter().filter(|other| !yields(other)).copied().collect();
        // The type of a zone is an example of itself.
        let text = if name == "type" { "" } else { text };
        let (before, behind) = self.around;
        let before = if name.ends_with("-v6") { before.replace("192.0.2.1", "2001:db8::1") } else { before.to_owned() };
        let is_wanted = |line: &&str| match line.trim().split(' ').next() {
            Some(kind) => kind != name && (file == Scope::Top || (kind == "key" && file == Scope::Rndc)),
            None => false,
        };
        let around: String = AROUND.lines().filter(is_wanted).collect();
        format!("{before} {others} {text} {behind}\n{around}\n")
    }
}

/// A statement that fits a syntax: with all that may be left out, or without, and of each choice the one at `pick`.
fn shape(syntax: &Syntax, is_whole: bool, pick: usize, out: &mut String) {
    match syntax {
        Syntax::Word(word) => *out += &format!(" {word}"),
        Syntax::Value(kind) => *out += &format!(" {}", sample(*kind)),
        Syntax::Sequence(parts) | Syntax::AnyOrder(parts) => {
            parts.iter().for_each(|part| shape(part, is_whole, pick, out));
        }
        Syntax::OneOf(choices) => {
            choices.get(pick).or(choices.last()).into_iter().for_each(|choice| shape(choice, is_whole, pick, out));
        }
        Syntax::Optional(inner) if is_whole => shape(inner, is_whole, pick, out),
        Syntax::Optional(_) => {}
        Syntax::List(element) => {
            out.push_str(" {");
            shape(element, is_whole, pick, out);
            out.push_str("; }");
        }
        Syntax::Block(_) => out.push_str(" { }"),
    }
}

/// A value of each kind.
fn sample(kind: Kind) -> &'static str {
    match kind {
        Kind::Address
        | Kind::AddressMatch
        | Kind::AddressOrAny
        | Kind::Forwarder
        | Kind::Remote
        | Kind::Host
        | Kind::SourceV4 => "192.0.2.1",
        Kind::QuerySourceV4 => "address 192.0.2.1",
        Kind::AddressV6 => "::",
        Kind::SourceV6 => "2001:db8::1",
        Kind::QuerySourceV6 => "address 2001:db8::1",
        Kind::Prefix => "2001:db8::/96",
        Kind::Boolean => "yes",
        Kind::Integer | Kind::Duration | Kind::Lifetime | Kind::Size | Kind::PortRange => "40",
        Kind::Percentage | Kind::SizeOrPercentage => "90%",
        Kind::Fixed => "0.50",
        Kind::Quoted | Kind::Attached => "\"/\"",
        Kind::Bare => "IN",
        Kind::Secret => "\"AAAA\"",
        Kind::Text => "{ a; }",
        Kind::ServerKey | Kind::String | Kind::Words => "word",
    }
}

/// The example of a statement.
pub(super) fn example(statement: &Statement) -> String {
    match statement.manual.example {
        "" => generated(statement, true, 0),
        text => format!("{} {text};", statement.name),
    }
}

pub(super) fn generated(statement: &Statement, is_whole: bool, pick: usize) -> String {
    let mut text = statement.name.to_owned();
    shape(&statement.syntax, is_whole, pick, &mut text);
    text + ";"
}

/// Every statement that can be used, in every place that it fits.
pub(super) fn each_place(mut see: impl FnMut(&Statement, Scope, &Place)) {
    for (scope, _) in BLOCKS {
        for statement in scope.statements().filter(|statement| statement.life != Life::Ancient) {
            places(scope)
                .iter()
                .filter(|place| place.fits(statement))
                .for_each(|place| see(statement, file_of(scope), place));
        }
    }
}

/// The block that the file of a statement is.
fn file_of(scope: Scope) -> Scope {
    match scope {
        Scope::Rndc | Scope::RndcOptions | Scope::RndcServer => Scope::Rndc,
        Scope::Guards | Scope::Guard => Scope::Guards,
        _ => Scope::Top,
    }
}

/// What is wrong with a text, or that what is printed of it says something else; nothing where all is well.
fn fault(text: &str, file: Scope, is_checked: bool) -> Option<String> {
    let (arena, how) = (Arena::default(), How { scope: file, dialect: Dialect::Nomd });
    let (tree, mut faults) = parse::text(&arena, "t.conf", text.as_bytes(), how);
    let Some(tree) = tree else { return Some(format!("{text}\n{}", Diagnostics(faults))) };
    match (is_checked, file) {
        (true, Scope::Top) => faults.extend(check::check(&tree)),
        (true, _) => faults.extend(check::check_keys(&tree)),
        (false, _) => {}
    }
    faults.retain(|fault| fault.severity == Severity::Error);
    if !faults.is_empty() {
        return Some(format!("{text}\n{}", Diagnostics(faults)));
    }
    let printed = print::canonical(&tree, Secrets::Shown);
    let (again, faults) = parse::text(&arena, "t.conf", printed.as_bytes(), how);
    let Some(again) = again else { return Some(format!("{text}\n{printed}{}", Diagnostics(faults))) };
    let reprinted = print::canonical(&again, Secrets::Shown);
    let is_same = same(tree.root, again.root) && squeezed(&reprinted) == squeezed(&printed);
    (!is_same).then(|| format!("{text}\n{printed}"))
}

/// A text in braces grows by its indent each time that it is printed, with named too: it counts word by word.
fn squeezed(printed: &str) -> Vec<String> {
    let line = |line: &str| match line.contains('{') && line.contains('}') {
        true => line.split_whitespace().collect::<Vec<_>>().join(" "),
        false => line.to_owned(),
    };
    printed.lines().map(line).collect()
}

/// The statements of a block by name, those of one name in their order.
fn sorted<'a>(block: Block<'a>) -> Vec<Node<'a>> {
    let mut nodes = block.0.to_vec();
    nodes.sort_by_key(|node| node.statement.name);
    nodes
}

/// Whether two blocks hold the same statements, whichever kind comes first.
fn same(one: Block<'_>, other: Block<'_>) -> bool {
    let (one, other) = (sorted(one), sorted(other));
    one.len() == other.len() && one.iter().zip(&other).all(|(one, other)| same_node(one, other))
}

fn same_node(one: &Node<'_>, other: &Node<'_>) -> bool {
    let same_item = |(one, other): (&Item<'_>, &Item<'_>)| match (&one.value, &other.value) {
        (Value::Block(one), Value::Block(other)) => same(*one, *other),
        (Value::Text(one), Value::Text(other)) => one.split_whitespace().eq(other.split_whitespace()),
        (one, other) => one == other,
    };
    one.statement.clause == other.statement.clause
        && one.items.len() == other.items.len()
        && one.items.iter().zip(other.items).all(same_item)
}

#[test]
fn examples_are_sound_and_print_as_what_they_say() {
    let (mut faults, mut excused, mut count) = (Vec::new(), HashSet::new(), 0);
    each_place(|statement, file, place| {
        count += 1;
        let Some(said) = fault(&place.filled(statement, file, &example(statement)), file, true) else { return };
        match FAULTY.iter().find(|(name, why)| *name == statement.name && said.contains(why)) {
            Some(known) => drop(excused.insert(known)),
            None => faults.push(said),
        }
    });
    assert!(faults.is_empty(), "{} of {count}\n{}", faults.len(), faults.join("\n"));
    assert_eq!((excused.len(), count > 800), (FAULTY.len(), true), "{excused:?}, {count}");
}

#[test]
fn shapes_of_the_syntax_print_as_what_they_say() {
    let mut faults = Vec::new();
    each_place(|statement, file, place| {
        for (is_whole, pick) in [(false, 0), (true, 0), (false, 1), (true, 1)] {
            let text = place.filled(statement, file, &generated(statement, is_whole, pick));
            faults.extend(fault(&text, file, false));
        }
    });
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

/// The configuration that a tree comes to, and the canonical text.
fn lowered(tree: &Tree<'_>) -> (Config, String) {
    (lower::lower(tree).0, print::canonical(tree, Secrets::Shown))
}

/// Files that named-checkconf prints so that it cannot read them again: it leaves out blanks.
const UNREADABLE: [&str; 3] = ["geoip-database.conf", "geoip-letter-case.conf", "geography.conf"];

/// The sound files by path, those that hosts have with their includes named from here; one that includes files of the
/// host that it is on is left out.
fn sound_files() -> Vec<(PathBuf, String)> {
    let hosts = std::fs::read_dir("testdata/conf/hosts").unwrap().map(|entry| entry.unwrap().path());
    let hosts = hosts.filter(|path| path.extension().is_some_and(|end| end == "conf"));
    let paths = cases("ok").into_iter().chain(hosts);
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes).replace("include \"rndc", "include \"testdata/conf/hosts/rndc");
        (path, text)
    };
    paths.map(read).filter(|(_, text)| !text.contains("include \"/")).collect()
}

#[test]
fn what_is_printed_of_sound_files_comes_to_the_same_configuration() {
    for (path, text) in sound_files() {
        let (arena, how) = (Arena::default(), How { scope: Scope::Top, dialect: Dialect::Bind918 });
        let (tree, faults) = parse::text(&arena, "t.conf", text.as_bytes(), how);
        let (config, printed) = lowered(&tree.unwrap_or_else(|| panic!("{}: {faults:?}", path.display())));
        let (again, faults) = parse::text(&arena, "t.conf", printed.as_bytes(), how);
        let is_unreadable = UNREADABLE.iter().any(|name| path.ends_with(name));
        assert_eq!(again.is_none(), is_unreadable, "{}: {faults:?}\n{printed}", path.display());
        if let Some(again) = again {
            assert_eq!(lowered(&again), (config, printed), "{}", path.display());
        }
    }
}
