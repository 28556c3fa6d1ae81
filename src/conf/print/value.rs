//! Single values in their canonical form.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Printer, Rest, Secrets, take};
use crate::conf::table::{Kind, Syntax};
use crate::conf::tree::{Item, Value};
use crate::conf::value::{UNLIMITED, address, interface_of};

/// An element of an address match list, for lists within lists.
static MATCH: Syntax = Syntax::Value(Kind::AddressMatch);

/// Whether a value of this kind may be what `value` is.
pub(super) fn fits(kind: Kind, value: &Value<'_>) -> bool {
    match (kind, value) {
        (Kind::AddressMatch, _) => true,
        (_, Value::List(_) | Value::Block(_)) => false,
        (Kind::AddressOrAny, Value::Word(word)) => *word == "*",
        (Kind::PortRange, Value::Word(word)) => *word == "range",
        (Kind::Lifetime, Value::Word(word)) => *word == UNLIMITED,
        (_, Value::Word(_)) => false,
        (_, _) => true,
    }
}

impl Printer {
    /// A value, which may be several items.
    pub(super) fn value(&mut self, kind: Kind, rest: Rest<'_, '_>) {
        match kind {
            Kind::AddressMatch => self.address_match(rest),
            Kind::Words if rest.is_empty() => self.out.push(' '),
            Kind::Words | Kind::PortRange => self.words(kind, rest.len(), rest),
            _ => {
                self.words(kind, 1, rest);
                for word in ["port", "dscp"] {
                    if super::begins(&Syntax::Word(word), rest) && may_be_followed(kind) {
                        self.words(kind, 2, rest);
                    }
                }
            }
        }
    }

    /// So many items as they are.
    fn words(&mut self, kind: Kind, count: usize, rest: Rest<'_, '_>) {
        for item in (0..count).map_while(|_| take(rest)) {
            self.single(kind, item);
        }
    }

    fn single(&mut self, kind: Kind, item: &Item<'_>) {
        match item.value {
            Value::Word("*") if kind == Kind::AddressOrAny => self.part("0.0.0.0"),
            Value::Word(word) => self.part(word),
            Value::Text(text) => self.text(kind, text, item.raw),
            Value::Boolean(is_so) => self.part(if is_so { "yes" } else { "no" }),
            Value::Number(number) => self.part(&number.to_string()),
            Value::Bytes(bytes) => self.part(&bytes.to_string()),
            Value::Percent(percent) => self.part(&format!("{percent}%")),
            Value::Seconds(_) if item.raw.starts_with(['P', 'p']) => self.part(&shortest_iso(item.raw)),
            Value::Seconds(seconds) => self.part(&seconds.to_string()),
            Value::Address(address) => self.part(&with_interface(address, item.raw)),
            Value::Source(source) => self.source(kind, source, item.raw),
            Value::Prefix(prefix) => {
                self.part(&format!("{}/{}", with_interface(prefix.addr(), item.raw), prefix.prefix_len()));
            }
            Value::List(_) | Value::Block(_) => {}
        }
    }

    fn text(&mut self, kind: Kind, text: &str, raw: &str) {
        match kind {
            Kind::Bare => self.part(text),
            Kind::Host if address(text).is_some() => self.part(text),
            Kind::Fixed => self.part(&format!("{:.2}", text.parse::<f64>().unwrap_or_default())),
            Kind::Text => self.verbatim(text),
            Kind::Attached => self.out.push_str(raw),
            Kind::Secret if self.secrets == Secrets::Hidden => {
                self.part(&format!("\"{}\"", "?".repeat(text.len())));
            }
            _ if raw.contains('\0') => self.part(&format!("\"{}\"", text.split('\0').next().unwrap_or_default())),
            _ if raw.starts_with('"') => self.part(raw),
            _ => self.part(&format!("\"{text}\"")),
        }
    }

    /// The braces of text stand as those of a block.
    fn verbatim(&mut self, text: &str) {
        self.part("{");
        self.out.push_str(text);
        self.indent();
        self.out.push('}');
    }

    /// An address to send from; `query-source` has an older form with words, which it keeps.
    fn source(&mut self, kind: Kind, source: SocketAddr, raw: &str) {
        let has_words = matches!(kind, Kind::QuerySourceV4 | Kind::QuerySourceV6)
            && raw.starts_with(char::is_alphabetic)
            && address(raw).is_none();
        if has_words {
            self.part("address");
        }
        self.part(&with_interface(source.ip(), raw));
        if has_words || source.port() != 0 {
            let _ = write!(self.out, " port {}", source.port());
        }
    }

    /// One element: `!`, a nested list, a key, a prefix, or the name of an acl.
    fn address_match(&mut self, rest: Rest<'_, '_>) {
        while let Some(item) = rest.first() {
            match item.value {
                Value::List(_) => return self.list(&MATCH, rest),
                Value::Word("geoip") => return self.geoip(rest),
                _ => self.single(Kind::AddressMatch, item),
            }
            take(rest);
        }
    }
}

impl Printer {
    /// `geoip` is left out, as by BIND, and so are the blanks between what follows.
    fn geoip(&mut self, rest: Rest<'_, '_>) {
        let mut texts = rest.iter().filter_map(Item::text);
        if rest.iter().any(|item| item.value == Value::Word("db")) {
            let _ = write!(self.out, " db \"{}\"", texts.next().unwrap_or_default());
        }
        let (subject, search) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
        let _ = write!(self.out, "{subject}\"{search}\"");
        *rest = &[];
    }
}

/// Whether a port or `dscp` belongs to a value of this kind.
fn may_be_followed(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AddressOrAny
            | Kind::Forwarder
            | Kind::Host
            | Kind::QuerySourceV4
            | Kind::QuerySourceV6
            | Kind::Remote
            | Kind::SourceV4
            | Kind::SourceV6
    )
}

/// An ISO 8601 duration without what counts nothing.
fn shortest_iso(text: &str) -> String {
    let mut shortest = String::from("P");
    let mut number = String::new();
    for letter in text.chars().skip(1) {
        match letter {
            '0' if number.is_empty() => {}
            '0'..='9' => number.push(letter),
            't' | 'T' => shortest.push('T'),
            _ if number.is_empty() => {}
            _ => shortest
                .extend([std::mem::take(&mut number).as_str(), letter.to_ascii_uppercase().encode_utf8(&mut [0])]),
        }
    }
    match shortest.trim_end_matches('T') {
        "P" => "PT0S".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

/// An address with the number of the interface that it tells in `raw`.
fn with_interface(address: IpAddr, raw: &str) -> String {
    match interface_of(raw) {
        0 => address_text(address),
        number => format!("{}%{number}", address_text(address)),
    }
}

/// An address as C's inet_ntop writes it: also IPv4-compatible ones end in dots.
fn address_text(address: IpAddr) -> String {
    match address {
        IpAddr::V6(v6) => v4_within(v6).map_or_else(|| v6.to_string(), |v4| format!("::{v4}")),
        IpAddr::V4(v4) => v4.to_string(),
    }
}

fn v4_within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = address.segments();
    let is_compatible = segments[..6] == [0; 6] && segments[6] != 0;
    is_compatible.then(|| address.to_ipv4()).flatten()
}
