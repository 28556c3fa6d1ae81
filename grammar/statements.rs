//! `named.conf`: the table of statements, turned into static Rust tables for `conf/table.rs`.
//!
//! README.md beside this file explains the notation. A mistake in the table fails the build with its line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The value kinds that a syntax may name.
const KINDS: [&str; 29] = [
    "address",
    "address-match",
    "address-or-any",
    "address-v6",
    "attached",
    "bare",
    "boolean",
    "duration",
    "fixed",
    "forwarder",
    "host",
    "integer",
    "lifetime",
    "percentage",
    "port-range",
    "prefix",
    "query-source-v4",
    "query-source-v6",
    "quoted",
    "remote",
    "secret",
    "server-key",
    "size",
    "size-or-percentage",
    "source-v4",
    "source-v6",
    "string",
    "text",
    "words",
];
/// The zone types that a statement may be limited to, in the order of their bits.
const ZONE_TYPES: [&str; 10] = [
    "primary",
    "secondary",
    "mirror",
    "hint",
    "stub",
    "static-stub",
    "forward",
    "redirect",
    "delegation-only",
    "in-view",
];

/// A mistake in the table.
type Fault = (usize, String);

/// One entry of the table.
#[derive(Default)]
struct Entry {
    line: usize,
    name: String,
    scopes: Vec<String>,
    zone_types: u16,
    fields: BTreeMap<String, String>,
}

/// The Rust source of the table in `text`.
pub(crate) fn generate(text: &str) -> Result<String, Fault> {
    let entries = read(text)?;
    let names = names(&entries);
    let mut out = String::new();
    write_statements(&mut out, &entries, &names)?;
    write_scopes(&mut out, &entries)?;
    Ok(out)
}

/// A constant for each statement that is marked full in any block.
pub(crate) fn generate_clauses(text: &str) -> Result<String, Fault> {
    let entries = read(text)?;
    let full = |name: &str| entries.iter().any(|entry| entry.name == name && entry.field("status") == "full");
    let mut out = String::new();
    for (index, name) in names(&entries).into_iter().enumerate().filter(|(_, name)| full(name)) {
        let (constant, clause) = (name.replace('-', "_").to_uppercase(), "crate::conf::table::Clause");
        let _ = writeln!(out, "pub(in super::super) const {constant}: {clause} = {clause}({index});");
    }
    Ok(out)
}

/// The same for the lowering, with the defaults of those that are one number, boolean or duration.
pub(crate) fn generate_settings(text: &str) -> Result<String, Fault> {
    let entries = read(text)?;
    let mut out = String::new();
    for (index, name) in names(&entries).into_iter().enumerate() {
        let full: Vec<&Entry> =
            entries.iter().filter(|entry| entry.name == name && entry.field("status") == "full").collect();
        if full.is_empty() {
            continue;
        }
        let (constant, clause) = (name.replace('-', "_").to_uppercase(), format!("Clause({index})"));
        let _ = match setting(&full)? {
            Some((kind, default)) => writeln!(
                out,
                "pub(in super::super) const {constant}: Setting<{kind}> = Setting {{ clause: {clause}, default: {default} }};"
            ),
            None => writeln!(out, "pub(in super::super) const {constant}: Clause = {clause};"),
        };
    }
    Ok(out)
}

/// The Rust type and default of a statement that is a single value, if its entries agree on what holds without it.
fn setting(full: &[&Entry]) -> Result<Option<(&'static str, String)>, Fault> {
    let mut given = full.iter().filter(|entry| !entry.field("default").is_empty());
    let Some(first) = given.next() else { return Ok(None) };
    let default = first.field("default");
    let read = match first.field("syntax") {
        "<boolean>" => ("bool", (default == "yes" || default == "no").then(|| (default == "yes").to_string())),
        "<integer>" => ("u32", default.parse().ok().map(|number: u32| number.to_string())),
        "<duration>" => ("Duration", seconds(default).map(|seconds| format!("Duration::from_secs({seconds})"))),
        _ => return Ok(None),
    };
    match (read, given.all(|other| other.field("default") == default)) {
        ((kind, Some(default)), true) => Ok(Some((kind, default))),
        (_, false) => Err((first.line, format!("the entries of '{}' differ in their defaults", first.name))),
        ((kind, None), true) => Err((first.line, format!("'{default}' is no {kind}"))),
    }
}

/// `3600`, `60m`, `1h`.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd', 'w']) {
        Some(number) => (number, text.chars().last()?),
        None => (text, 's'),
    };
    let factor = match unit {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => 1,
    };
    Some(number.parse::<u64>().ok()? * factor)
}

/// Each name once, in order: the place of one here is its number.
fn names(entries: &[Entry]) -> Vec<&str> {
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.into_iter().collect()
}

fn read(text: &str) -> Result<Vec<Entry>, Fault> {
    let mut entries: Vec<Entry> = Vec::new();
    for (line, content) in text.lines().enumerate().map(|(index, content)| (index + 1, content)) {
        if content.trim().is_empty() || content.starts_with('#') {
            continue;
        }
        if !content.starts_with(' ') {
            entries.push(Entry { line, name: content.trim().to_owned(), ..Entry::default() });
            continue;
        }
        let (key, value) = content.trim().split_once(' ').ok_or((line, "a field without a value".to_owned()))?;
        let entry = entries.last_mut().ok_or((line, "a field before the first name".to_owned()))?;
        entry.take(line, key, value.trim())?;
    }
    Ok(entries)
}

impl Entry {
    fn take(&mut self, line: usize, key: &str, value: &str) -> Result<(), Fault> {
        match key {
            "in" => self.take_places(line, value)?,
            "syntax" | "default" | "unset" | "example" | "since" | "life" | "life-9.20" | "repeats" | "stray"
            | "order" | "gap" | "status" | "doc" => {}
            _ => return Err((line, format!("unknown field '{key}'"))),
        }
        match self.fields.insert(key.to_owned(), value.to_owned()) {
            None => Ok(()),
            Some(_) => Err((line, format!("'{key}' given twice"))),
        }
    }

    /// `options view zone(primary secondary)`.
    fn take_places(&mut self, line: usize, value: &str) -> Result<(), Fault> {
        let (plain, types) = match value.split_once("zone(") {
            None => (value.to_owned(), None),
            Some((before, rest)) => {
                let (types, after) = rest.split_once(')').ok_or((line, "missing ')'".to_owned()))?;
                (format!("{before} zone {after}"), Some(types))
            }
        };
        self.scopes = plain.split_whitespace().map(str::to_owned).collect();
        self.zone_types = u16::MAX;
        if let Some(types) = types {
            self.zone_types = 0;
            for word in types.split_whitespace() {
                let bit = ZONE_TYPES.iter().position(|known| *known == word);
                self.zone_types |= 1 << bit.ok_or((line, format!("unknown zone type '{word}'")))?;
            }
        }
        Ok(())
    }

    fn field(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    fn required(&self, key: &str) -> Result<&str, Fault> {
        self.fields.get(key).map(String::as_str).ok_or((self.line, format!("'{}' has no '{key}'", self.name)))
    }
}

fn write_statements(out: &mut String, entries: &[Entry], names: &[&str]) -> Result<(), Fault> {
    let _ = writeln!(out, "pub(super) static STATEMENTS: [Statement; {}] = [", entries.len());
    for entry in entries {
        let clause = names.binary_search(&entry.name.as_str()).unwrap_or_default();
        let later_life = if entry.field("life-9.20").is_empty() { "life" } else { "life-9.20" };
        let syntax = Syntax::of(entry.field("syntax")).map_err(|fault| (entry.line, fault))?;
        let order = entry.fields.get("order").unwrap_or(&entry.name);
        let _ = writeln!(
            out,
            "Statement {{ clause: Clause({clause}), name: {:?}, syntax: {syntax}, zone_types: {}, repeats: {}, \
             stray: {}, group: {}, order: {:?}, gap: {}, life: {}, later_life: {}, \
             status: {}, since: {}, #[cfg(test)] manual: {} }},",
            entry.name,
            entry.zone_types,
            entry.field("repeats") == "yes",
            stray(entry)?,
            group(entry),
            order,
            entry.field("gap") == "yes",
            life(entry, "life")?,
            life(entry, later_life)?,
            status(entry)?,
            since(entry)?,
            manual(entry)?,
        );
    }
    out.push_str("];\n");
    Ok(())
}

/// What only the manual and the tests need. A statement that can be used says what holds without it.
fn manual(entry: &Entry) -> Result<String, Fault> {
    let (default, unset) = (entry.field("default"), entry.field("unset"));
    if entry.field("life") != "ancient" && default.is_empty() == unset.is_empty() {
        return Err((entry.line, format!("'{}' needs one of 'default' and 'unset'", entry.name)));
    }
    let (syntax, example, doc) = (entry.field("syntax"), entry.field("example"), entry.required("doc")?);
    Ok(format!(
        "Manual {{ syntax: {syntax:?}, default: {default:?}, unset: {unset:?}, example: {example:?}, doc: {doc:?} }}"
    ))
}

/// Which blocks share a statement: BIND prints what stands in fewer of them first.
fn group(entry: &Entry) -> u8 {
    let stands_in = |scope: &str| entry.scopes.iter().any(|found| found == scope);
    match (stands_in("view"), stands_in("top"), stands_in("options"), stands_in("zone")) {
        (true, true, ..) => 2,
        (true, _, true, false) => 3,
        (true, _, true, true) => 4,
        _ => 1,
    }
}

fn since(entry: &Entry) -> Result<&'static str, Fault> {
    match entry.field("since") {
        "" => Ok("Version::Bind918"),
        "9.20" => Ok("Version::Bind920"),
        "9.21" => Ok("Version::Bind921"),
        other => Err((entry.line, format!("unknown version '{other}'"))),
    }
}

fn stray(entry: &Entry) -> Result<&'static str, Fault> {
    match entry.field("stray") {
        "" => Ok("Stray::Next"),
        "unexpected" => Ok("Stray::Unexpected"),
        "refused" => Ok("Stray::Refused"),
        "dropped" => Ok("Stray::Dropped"),
        other => Err((entry.line, format!("unknown fate '{other}' of a word too many"))),
    }
}

fn life(entry: &Entry, field: &str) -> Result<&'static str, Fault> {
    match entry.field(field) {
        "" => Ok("Life::Current"),
        "deprecated" => Ok("Life::Deprecated"),
        "obsolete" => Ok("Life::Obsolete"),
        "ancient" => Ok("Life::Ancient"),
        "not-built" => Ok("Life::NotBuilt"),
        other => Err((entry.line, format!("unknown life '{other}'"))),
    }
}

/// `full`, `gone`, `accepted: why`, `partial: what`, `refused: why`; the last two also with `unless WORD...`.
fn status(entry: &Entry) -> Result<String, Fault> {
    let text = entry.required("status")?;
    let (word, why) = text.split_once(": ").unwrap_or((text, ""));
    let needs_why = !matches!(word, "full" | "gone");
    if needs_why == why.is_empty() {
        return Err((entry.line, format!("'{}': a status other than full and gone says why", entry.name)));
    }
    let (word, unless) = word.split_once(" unless ").unwrap_or((word, ""));
    let unless: Vec<&str> = unless.split_whitespace().collect();
    match word {
        "full" => Ok("Status::Full".to_owned()),
        "gone" => Ok("Status::Gone".to_owned()),
        "accepted" => Ok(format!("Status::Accepted({why:?})")),
        "partial" => Ok(format!("Status::Partial {{ unless: &{unless:?}, what: {why:?} }}")),
        "refused" => Ok(format!("Status::Refused {{ unless: &{unless:?}, why: {why:?} }}")),
        _ => Err((entry.line, format!("unknown status '{word}'"))),
    }
}

/// The scopes with their statements, sorted by name so that they can be searched.
fn write_scopes(out: &mut String, entries: &[Entry]) -> Result<(), Fault> {
    let mut scopes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        entry.required("in")?;
        for scope in &entry.scopes {
            scopes.entry(scope).or_default().push(index);
        }
    }
    let mut arms = String::new();
    out.push_str("/// Where statements stand.\n#[derive(Debug, Clone, Copy, PartialEq, Eq)]\n#[allow(missing_docs)]\npub(crate) enum Scope {\n");
    for (scope, indexes) in &mut scopes {
        indexes.sort_by_key(|index| &entries[*index].name);
        if let Some(pair) = indexes.windows(2).find(|pair| entries[pair[0]].name == entries[pair[1]].name) {
            return Err((entries[pair[1]].line, format!("a second '{}' in '{scope}'", entries[pair[1]].name)));
        }
        let _ = writeln!(out, "{},", camel(scope));
        let _ = writeln!(arms, "Self::{} => &{indexes:?},", camel(scope));
    }
    let _ = writeln!(out, "}}\nimpl Scope {{\nfn indexes(self) -> &'static [u16] {{\nmatch self {{\n{arms}}}\n}}\n}}");
    Ok(())
}

/// `address-match` as `AddressMatch`.
fn camel(kebab: &str) -> String {
    let words = kebab.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_uppercase() + rest
    });
    words.collect()
}

/// Turns the words of a `syntax` field into a `Syntax` expression.
struct Syntax<'a> {
    words: std::iter::Peekable<std::str::SplitWhitespace<'a>>,
}

impl<'a> Syntax<'a> {
    fn of(text: &'a str) -> Result<String, String> {
        let mut reader = Self { words: text.split_whitespace().peekable() };
        let syntax = reader.sequence()?;
        match reader.words.next() {
            None => Ok(syntax),
            Some(word) => Err(format!("'{word}' has no partner in the syntax")),
        }
    }

    /// Parts one behind the other, up to a word that ends the group.
    fn sequence(&mut self) -> Result<String, String> {
        let mut parts = Vec::new();
        while let Some(word) = self.words.peek() {
            if matches!(*word, ")" | "]" | "}" | "|" | ";" | ";...") {
                break;
            }
            let mut same = vec![self.part()?];
            while self.words.next_if_eq(&"&").is_some() {
                same.push(self.part()?);
            }
            parts.push(if same.len() == 1 {
                same.remove(0)
            } else {
                format!("Syntax::AnyOrder(&[{}])", same.join(", "))
            });
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { format!("Syntax::Sequence(&[{}])", parts.join(", ")) })
    }

    fn part(&mut self) -> Result<String, String> {
        let word = self.words.next().ok_or("the syntax ends too early")?;
        match word {
            "[" => {
                let inner = self.sequence()?;
                self.expect("]")?;
                Ok(format!("Syntax::Optional(&{inner})"))
            }
            "(" => self.choice(),
            "{" => self.braces(),
            _ => match word.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
                Some(kind) if KINDS.contains(&kind) => Ok(format!("Syntax::Value(Kind::{})", camel(kind))),
                Some(kind) => Err(format!("unknown kind of value '{kind}'")),
                None => Ok(format!("Syntax::Word({word:?})")),
            },
        }
    }

    fn choice(&mut self) -> Result<String, String> {
        let mut choices = vec![self.sequence()?];
        while self.words.next_if_eq(&"|").is_some() {
            choices.push(self.sequence()?);
        }
        self.expect(")")?;
        Ok(format!("Syntax::OneOf(&[{}])", choices.join(", ")))
    }

    /// `{ @scope }` or `{ element; ... }`.
    fn braces(&mut self) -> Result<String, String> {
        if let Some(scope) = self.words.peek().and_then(|word| word.strip_prefix('@')) {
            self.words.next();
            self.expect("}")?;
            return Ok(format!("Syntax::Block(Scope::{})", camel(scope)));
        }
        let element = self.element()?;
        Ok(format!("Syntax::List(&{element})"))
    }

    /// `<kind>; ... }`: the semicolon is glued to the last word of the element.
    fn element(&mut self) -> Result<String, String> {
        let mut depth = 0;
        let mut words = Vec::new();
        loop {
            let word = self.words.next().ok_or("missing '; ... }'")?;
            depth +=
                i32::from(matches!(word, "{" | "[" | "(")) - i32::from(matches!(word, "}" | "]" | ")" | "];" | ");"));
            match word.strip_suffix(';') {
                Some(last) if depth <= 0 => {
                    words.push(last);
                    break;
                }
                _ => words.push(word),
            }
        }
        self.expect("...")?;
        self.expect("}")?;
        Syntax::of(&words.join(" "))
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        match self.words.next() {
            Some(word) if word == wanted => Ok(()),
            _ => Err(format!("'{wanted}' is missing in the syntax")),
        }
    }
}
