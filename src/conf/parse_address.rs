//! Values that are addresses: elements of address match lists, prefixes, servers with their ports, what is sent from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::Dialect;
use super::lexer::Token;
use super::parse::{Parser, Stop, is_text};
use super::parse_value::is_any;
use super::table::{Kind, Syntax};
use super::tree::{Item, Value};
use super::value;

/// An element of an address match list, for lists within lists.
static MATCH: Syntax = Syntax::Value(Kind::AddressMatch);

/// What a location may be known by.
const SUBJECTS: [&str; 20] = [
    "area",
    "areacode",
    "asnum",
    "city",
    "continent",
    "country",
    "country3",
    "countryname",
    "domain",
    "isp",
    "metro",
    "metrocode",
    "netspeed",
    "org",
    "postal",
    "postalcode",
    "region",
    "regionname",
    "timezone",
    "tz",
];

impl<'a> Parser<'a> {
    /// One element: `!`, a nested list, a key, a prefix, or the name of an acl.
    pub(super) fn address_match(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        while *self.peek()? == Token::Special(b'!') {
            self.next()?;
            self.push(out, Value::Word("!"));
        }
        match self.peek()? {
            Token::Special(b'{') => self.list(&MATCH, out),
            Token::Word(word) if word.eq_ignore_ascii_case("key") => {
                self.next()?;
                self.push(out, Value::Word("key"));
                self.value(Kind::String, out)
            }
            Token::Word(word) if word.eq_ignore_ascii_case("geoip") => {
                self.next()?;
                self.push(out, Value::Word("geoip"));
                self.location(out)
            }
            Token::Word(word) if value::address(word).is_some() || value::short_ipv4(word).is_some() => {
                self.prefix(out)
            }
            token if is_text(token) => self.value(Kind::String, out),
            _ => {
                let token = self.next()?;
                Err(self.fail_near("expected IP match list element", &token))
            }
        }
    }

    /// `[ db DATABASE ] SUBJECT VALUE`.
    fn location(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        if self.takes("db")? {
            self.push(out, Value::Word("db"));
            self.value(Kind::String, out)?;
        }
        match self.next()? {
            Token::Word(word) if SUBJECTS.iter().any(|known| known.eq_ignore_ascii_case(word)) => {
                self.push(out, Value::Text(word));
            }
            Token::Word(word) => return Err(self.fail(format!("'{word}' unexpected"))),
            token => return Err(self.fail_near("expected unquoted string", &token)),
        }
        self.value(Kind::String, out)
    }

    /// An address with or without `/length`; IPv4 may leave out octets where a length follows.
    pub(super) fn prefix(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let (address, short) = match &token {
            Token::Word(word) => match value::address(word) {
                Some(address) => (Some(address), false),
                None => (value::short_ipv4(word).map(IpAddr::V4), true),
            },
            _ => (None, false),
        };
        let Some(address) = address else {
            self.fail_near("expected IP address or IPv4 prefix", &token);
            return Err(self.fail_near("expected network prefix", &token));
        };
        let (place, raw) = (self.lexer.place(), self.raw);
        let prefix = if *self.peek()? == Token::Special(b'/') {
            self.next()?;
            self.prefix_length(address)?
        } else if short {
            let token = self.next()?;
            return Err(self.fail_near("incomplete IPv4 address or prefix", &token));
        } else {
            IpNet::from(address)
        };
        out.push(Item { place, raw, value: Value::Prefix(prefix) });
        Ok(())
    }

    fn prefix_length(&mut self, address: IpAddr) -> Result<IpNet, Stop> {
        let token = self.next()?;
        let Token::Word(word) = &token else { return Err(self.fail_near("expected prefix length", &token)) };
        let Some(length) = value::decimal(word) else { return Err(self.fail_near("expected prefix length", &token)) };
        let Some(length) = length else {
            self.fail("out of range ".to_owned());
            return Err(self.fail("expected network prefix ".to_owned()));
        };
        let net = Some(length)
            .and_then(|length| u8::try_from(length).ok())
            .and_then(|length| IpNet::new(address, length).ok());
        match net {
            None => Err(self.fail(format!("invalid prefix length '{word}'"))),
            Some(net) if net.network() != address => {
                let length = net.prefix_len();
                Err(self.fail(format!("'{address}/{length}': address/prefix length mismatch '{word}'")))
            }
            Some(net) => Ok(net),
        }
    }

    /// An address with or without a port, or the name of a list.
    pub(super) fn remote(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let Some(address) = written_address(&token) else {
            if !is_text(&token) {
                return Err(self.fail_near("expected IP address or remote servers list name", &token));
            }
            let value = self.single(Kind::String, &token)?;
            self.push(out, value);
            return Ok(());
        };
        self.push(out, Value::Address(address));
        self.behind(Peer::Server, out)
    }

    /// An address or a name, each with or without a port; a name also with the forgotten `dscp`.
    pub(super) fn host(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let value = self.single(Kind::Host, &token)?;
        self.push(out, value);
        if written_address(&token).is_some() {
            return self.behind(Peer::Server, out);
        }
        for word in ["port", "dscp"] {
            if self.takes(word)? {
                self.push(out, Value::Word(word));
                self.value(Kind::Integer, out)?;
            }
        }
        Ok(())
    }

    /// An address to ask in our place.
    pub(super) fn forwarder(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let address = self.single(Kind::Address, &token)?;
        self.push(out, address);
        self.behind(Peer::Forwarder, out)
    }

    /// An address to listen on.
    pub(super) fn own(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let address = self.single(Kind::AddressOrAny, &token)?;
        self.push(out, address);
        self.behind(Peer::Own, out)
    }

    /// The port and `dscp` behind an address as items. Port 0 says nothing.
    fn behind(&mut self, peer: Peer, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let trail = self.trail(peer)?;
        for (word, number) in [("port", trail.port.filter(|port| *port > 0)), ("dscp", trail.dscp)] {
            if let Some(number) = number {
                self.push(out, Value::Word(word));
                self.push(out, Value::Number(number));
            }
        }
        Ok(())
    }

    /// Reads `port N` and `dscp N` behind an address, in any order; BIND counts them at the end.
    fn trail(&mut self, peer: Peer) -> Result<Trail, Stop> {
        let (mut ports, mut dscps) = (Vec::new(), Vec::new());
        loop {
            if self.takes("port")? {
                if peer == Peer::Source {
                    self.warn("token 'port' is deprecated".to_owned());
                }
                let token = self.next()?;
                ports.push(self.port_number(&token, peer.may_be_any())?);
            } else if peer.has_dscp() && self.takes("dscp")? {
                dscps.push(self.dscp()?);
            } else {
                break;
            }
        }
        let trail = Trail { port: ports.pop(), dscp: dscps.pop() };
        match (ports.is_empty(), dscps.is_empty()) {
            (false, _) => Err(self.fail("expected at most one port".to_owned())),
            (_, false) => Err(self.fail("expected at most one dscp".to_owned())),
            _ => Ok(trail),
        }
    }

    /// The number of a `dscp` that has just been taken.
    fn dscp(&mut self) -> Result<u32, Stop> {
        self.warn("'dscp' is obsolete and should be removed".to_owned());
        let token = self.next()?;
        self.number(&token)
    }

    pub(super) fn port_number(&mut self, token: &Token<'a>, may_be_any: bool) -> Result<u32, Stop> {
        match token {
            _ if may_be_any && is_any(token) => Ok(0),
            Token::Word(word) => match value::decimal(word) {
                Some(Some(number)) if number <= u32::from(u16::MAX) => Ok(number),
                Some(Some(_)) => Err(self.fail_near("port number out of range", token)),
                Some(None) => Err(self.fail("out of range ".to_owned())),
                None => Err(self.fail_near("expected port number or '*'", token)),
            },
            _ => Err(self.fail_near("expected port number or '*'", token)),
        }
    }

    /// An address or `*` to send from, with a port that BIND warns of.
    pub(super) fn source(&mut self, v6: bool, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let address = self.own_address(v6, &token)?;
        let (place, raw) = (self.lexer.place(), self.raw);
        let trail = self.trail(Peer::Source)?;
        let source = SocketAddr::new(address, trail.port.unwrap_or_default() as u16);
        out.push(Item { place, raw, value: Value::Source(source) });
        self.push_dscp(trail.dscp, out);
        Ok(())
    }

    fn push_dscp(&self, dscp: Option<u32>, out: &mut Vec<Item<'a>>) {
        if let Some(number) = dscp {
            self.push(out, Value::Word("dscp"));
            self.push(out, Value::Number(number));
        }
    }

    fn own_address(&mut self, v6: bool, token: &Token<'a>) -> Result<IpAddr, Stop> {
        let any = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let read = if is_any(token) { Some(any) } else { written_address(token) };
        let expected = if v6 { "expected IPv6 address or '*'" } else { "expected IPv4 address or '*'" };
        read.filter(|address| address.is_ipv6() == v6).ok_or_else(|| self.no_address(expected, token))
    }

    /// BIND has no word for an address that tells an interface that is not there.
    pub(super) fn no_address(&mut self, expected: &str, token: &Token<'a>) -> Stop {
        match token {
            Token::Word(word) if value::is_elsewhere(word) => self.fail_in_general("failure"),
            _ => self.fail_near(expected, token),
        }
    }

    /// `ADDRESS [ port N ]`, or `address ADDRESS` and `port N` in any order.
    pub(super) fn query_source(&mut self, v6: bool, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = *self.peek()?;
        match token {
            Token::Word(word) if ["address", "port", "dscp"].iter().any(|name| name.eq_ignore_ascii_case(word)) => {}
            Token::Word(word) if word.eq_ignore_ascii_case("none") && self.dialect() != Dialect::Bind918 => {
                return self.words(out);
            }
            Token::Word(_) => return self.source(v6, out),
            _ => {}
        }
        let place = self.lexer.place();
        let parts = self.query_parts(v6)?;
        let any = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let source = SocketAddr::new(
            parts.addresses.first().copied().unwrap_or(any),
            parts.ports.first().copied().unwrap_or_default() as u16,
        );
        out.push(Item { place, raw: parts.raw, value: Value::Source(source) });
        self.push_dscp(parts.dscps.first().copied(), out);
        Ok(())
    }

    fn query_parts(&mut self, v6: bool) -> Result<QueryParts<'a>, Stop> {
        let mut parts = QueryParts::default();
        while let Token::Word(word) = *self.peek()? {
            parts.raw = first(parts.raw, word);
            if self.takes("address")? {
                parts.addresses.push(self.query_part(|parser, token| parser.own_address(v6, token))?);
            } else if self.takes("port")? {
                self.warn("token 'port' is deprecated".to_owned());
                parts.ports.push(self.query_part(|parser, token| parser.port_number(token, true))?);
            } else if self.takes("dscp")? {
                self.warn("'dscp' is obsolete and should be removed".to_owned());
                parts.dscps.push(self.query_part(|parser, token| parser.number(token))?);
            } else {
                let token = *self.peek()?;
                return Err(self.fail_near("expected 'address' or 'port'", &token));
            }
        }
        let (addresses, ports) = (parts.addresses.len(), parts.ports.len());
        if addresses > 1 || ports > 1 || addresses + ports == 0 {
            return Err(self.fail("expected one address and/or port".to_owned()));
        }
        if parts.dscps.len() > 1 {
            return Err(self.fail("expected at most one dscp".to_owned()));
        }
        Ok(parts)
    }

    fn query_part<T>(&mut self, read: impl FnOnce(&mut Self, &Token<'a>) -> Result<T, Stop>) -> Result<T, Stop> {
        let token = self.next()?;
        read(self, &token).map_err(|_| self.fail_near("invalid query source", &token))
    }
}

/// What an address is for, which decides what may follow it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    /// A server that is spoken to.
    Server,
    /// A server that is asked in our place.
    Forwarder,
    /// An address to listen on.
    Own,
    /// An address to send from.
    Source,
}

impl Peer {
    fn has_dscp(self) -> bool {
        matches!(self, Self::Forwarder | Self::Source)
    }

    /// Whether its port may be `*`.
    fn may_be_any(self) -> bool {
        matches!(self, Self::Own | Self::Source)
    }
}

/// What follows an address.
struct Trail {
    port: Option<u32>,
    dscp: Option<u32>,
}

/// What `query-source` says, in words.
#[derive(Default)]
struct QueryParts<'a> {
    /// Its first word.
    raw: &'a str,
    addresses: Vec<IpAddr>,
    ports: Vec<u32>,
    dscps: Vec<u32>,
}

/// The address that a token is; a string is none.
pub(super) fn written_address(token: &Token<'_>) -> Option<IpAddr> {
    match token {
        Token::Word(word) => value::address(word),
        _ => None,
    }
}

/// The first of two words that is there.
fn first<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}
