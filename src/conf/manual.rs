//! `man/nomd.conf.5`: the table of statements as a manual page.
//!
//! The page in the repository is held against the table by the test below, which writes it where BLESS is set:
//! `BLESS=1 cargo test --lib conf::manual`. A statement is described in the first block that may hold it; the others
//! name it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::table::{Life, Scope, Statement, Status, Version, ZoneType};

/// The blocks in the order of the page, with their headings.
pub(crate) const BLOCKS: [(Scope, &str); 23] = [
    (Scope::Top, "The top level"),
    (Scope::Options, "options { ... }"),
    (Scope::View, "view name { ... }"),
    (Scope::Zone, "zone name { ... }"),
    (Scope::NotifyCfg, "notify-cfg name { ... }"),
    (Scope::Server, "server prefix { ... }"),
    (Scope::Key, "key name { ... }"),
    (Scope::Controls, "controls { ... }"),
    (Scope::Statistics, "statistics-channels { ... }"),
    (Scope::Logging, "logging { ... }"),
    (Scope::Channel, "channel name { ... } in logging"),
    (Scope::RateLimit, "rate-limit { ... }"),
    (Scope::Tls, "tls name { ... }"),
    (Scope::Http, "http name { ... }"),
    (Scope::Policy, "dnssec-policy name { ... }"),
    (Scope::KeyStore, "key-store name { ... }"),
    (Scope::Dns64, "dns64 prefix { ... }"),
    (Scope::Dlz, "dlz name { ... }"),
    (Scope::Rndc, "The top level of rndc.conf and rndc.key"),
    (Scope::RndcOptions, "options { ... } of rndc.conf"),
    (Scope::RndcServer, "server name { ... } of rndc.conf"),
    (Scope::Guards, "The top level of a guard file"),
    (Scope::Guard, "zone name { ... } of a guard file"),
];

/// The types of zones as the table names them.
const ZONE_TYPES: [(ZoneType, &str); 10] = [
    (ZoneType::Primary, "primary"),
    (ZoneType::Secondary, "secondary"),
    (ZoneType::Mirror, "mirror"),
    (ZoneType::Hint, "hint"),
    (ZoneType::Stub, "stub"),
    (ZoneType::StaticStub, "static-stub"),
    (ZoneType::Forward, "forward"),
    (ZoneType::Redirect, "redirect"),
    (ZoneType::DelegationOnly, "delegation-only"),
    (ZoneType::InView, "in-view"),
];

/// What stands before the blocks.
const HEAD: &str = r#".\" Written from grammar/named.conf by src/conf/manual.rs; change it there.
.Dd November 21, 2026
.Dt NOMD.CONF 5
.Os
.Sh NAME
.Nm nomd.conf
.Nd the statements of named.conf, rndc.conf and guard files, and what nomd makes of each
.Sh DESCRIPTION
.Xr nomd 8
reads the named.conf of BIND 9.18, 9.20 and 9.21.
This page has every statement by the block that it stands in: how it is written, what it is for, what holds without it,
and what nomd does with it.
A statement that several blocks share is described with the first of them.
.Pp
A word stands for itself.
.Ar Underlined
words stand for values, brackets for what may be left out,
.Sq |
for a choice,
.Sq &
for parts in any order, and
.Sq ...
for more of the same.
A default is that of BIND 9.18, or of the version that brought the statement.
.Pp
Of each statement nomd makes one of these:
.Bl -tag -width Ds
.It done
What BIND does; nothing is said.
.It partly
It is read; what is missing is said as a warning.
.It accepted
It is read and changes nothing, for the reason given; said once, as information.
.It refused
Without it answers would change or somebody would be locked out, so nomd does not start, unless
.Fl -tolerate
of
.Xr nomd 8
names it.
.It gone
BIND has dropped it.
nomd warns and goes on;
.Nm named-checkconf Fl -strict
calls it an error.
.El
.Sh STATEMENTS
"#;

/// What stands behind them.
const FOOT: &str = ".Sh SEE ALSO
.Xr nomd 8 ,
.Xr nomd-named-checkconf 1 ,
.Xr nomd-report 1
";

/// The whole page.
fn page() -> String {
    let mut out = HEAD.to_owned();
    let mut described = BTreeSet::new();
    for (scope, heading) in BLOCKS {
        block(&mut out, scope, heading, &mut described);
    }
    out + FOOT
}

/// The statements of a block: those that are new, and the names of the others.
fn block(out: &mut String, scope: Scope, heading: &str, described: &mut BTreeSet<*const Statement>) {
    let (new, known): (Vec<_>, Vec<_>) =
        scope.statements().partition(|statement| described.insert(std::ptr::from_ref(*statement)));
    let (gone, alive): (Vec<_>, Vec<_>) = new.into_iter().partition(|statement| statement.life == Life::Ancient);
    let _ = writeln!(out, ".Ss {heading}");
    if !alive.is_empty() {
        out.push_str(".Bl -tag -width Ds\n");
        alive.iter().for_each(|statement| entry(out, statement));
        out.push_str(".El\n");
    }
    names(out, "Also, as above:", &known);
    names(out, "Gone:", &gone);
}

/// A paragraph of names.
fn names(out: &mut String, lead: &str, statements: &[&Statement]) {
    if statements.is_empty() {
        return;
    }
    let _ = writeln!(out, ".Pp\n{lead}");
    for (index, statement) in statements.iter().enumerate() {
        let end = if index + 1 == statements.len() { "." } else { "," };
        let _ = writeln!(out, ".Ic {} {end}", statement.name);
    }
}

/// One statement: how it is written, what it is for, what holds without it, and what becomes of it.
fn entry(out: &mut String, statement: &Statement) {
    let _ = writeln!(out, ".It Ic {}{}", statement.name, syntax(statement.manual.syntax));
    sentence(out, statement.manual.doc);
    out.push_str(".br\n");
    if statement.manual.default.is_empty() {
        sentence(out, &format!("Default: {}.", statement.manual.unset));
    } else {
        let _ = writeln!(out, "Default:\n.Li {} .", quoted(statement.manual.default));
    }
    if !statement.manual.example.is_empty() {
        let _ = writeln!(
            out,
            ".br\nExample:\n.Li {} ;",
            quoted(&format!("{} {}", statement.name, statement.manual.example))
        );
    }
    if let Some(zones) = zone_types(statement) {
        sentence(out, &format!("In zones: {zones}."));
    }
    if let Some(life) = life(statement) {
        sentence(out, &life);
    }
    out.push_str(".br\n");
    sentence(out, &status(statement.status));
}

/// The notation of the table as words of mdoc: `Ar` before values, `No` before the others.
fn syntax(notation: &str) -> String {
    let (mut out, mut font) = (String::new(), "");
    for word in notation.split_whitespace() {
        let value = word.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (wanted, shown, end) = match value {
            Some((kind, end)) => ("Ar", kind, end),
            None if word.starts_with('@') => ("No", "...", ""),
            None => ("No", word, ""),
        };
        if font != wanted {
            let _ = write!(out, " {wanted}");
            font = wanted;
        }
        let _ = write!(out, " \\&{shown} {end}");
        out.truncate(out.trim_end().len());
    }
    out
}

/// An argument of a macro.
fn quoted(text: &str) -> String {
    format!("\"\\&{}\"", text.replace('"', "\"\""))
}

/// A line of text that no formatter takes for a request.
fn sentence(out: &mut String, text: &str) {
    let guard = if text.starts_with(['.', '\'']) { "\\&" } else { "" };
    let _ = writeln!(out, "{guard}{text}");
}

/// The types of zones that may hold it, where not all may.
fn zone_types(statement: &Statement) -> Option<String> {
    let fits: Vec<&str> =
        ZONE_TYPES.iter().filter(|(zone_type, _)| statement.fits(*zone_type)).map(|(_, word)| *word).collect();
    (statement.zone_types != u16::MAX && !fits.is_empty()).then(|| fits.join(", "))
}

/// From when to when BIND has it.
fn life(statement: &Statement) -> Option<String> {
    let since = match statement.since {
        Version::Bind918 => None,
        Version::Bind920 => Some("Since BIND 9.20.".to_owned()),
        Version::Bind921 => Some("Since BIND 9.21.".to_owned()),
    };
    let now = stage(statement.life).map(|stage| format!("In BIND 9.18 {stage}."));
    let later = (statement.later_life != statement.life).then(|| stage(statement.later_life)).flatten();
    let parts = [since, now, later.map(|stage| format!("In BIND 9.20 {stage}."))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn stage(life: Life) -> Option<&'static str> {
    match life {
        Life::Current => None,
        Life::Deprecated => Some("deprecated"),
        Life::Obsolete => Some("obsolete"),
        Life::Ancient => Some("gone"),
        Life::NotBuilt => Some("an error as Debian builds it"),
    }
}

/// What nomd makes of it.
fn status(status: Status) -> String {
    let but = |unless: &[&str]| match unless {
        [] => String::new(),
        words => format!(" unless {}", words.join(" or ")),
    };
    match status {
        Status::Full => "nomd: done.".to_owned(),
        Status::Partial { unless, what } => format!("nomd: partly{}: {what}.", but(unless)),
        Status::Accepted(why) => format!("nomd: accepted: {why}."),
        Status::Refused { unless, why } => format!("nomd: refused{}: {why}.", but(unless)),
        Status::Gone => "nomd: gone.".to_owned(),
    }
}

#[cfg(test)]
mod tests;
