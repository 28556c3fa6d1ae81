//! The values of statements: one arm for each kind that the grammar knows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

use super::Dialect;
use super::lexer::Token;
use super::parse::{Parser, Stop, is_text};
use super::table::{Kind, Syntax};
use super::tree::{Item, Value};
use super::value;

/// An element of an address match list, for lists within lists.
static MATCH: Syntax = Syntax::Value(Kind::AddressMatch);

impl<'a> Parser<'a> {
    /// Reads one value, which may be several tokens.
    pub(super) fn value(&mut self, kind: Kind, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        match kind {
            Kind::AddressMatch => self.address_match(out),
            Kind::Text => self.text(out),
            Kind::PortRange => self.port_range(out),
            Kind::Words => self.words(out),
            Kind::Prefix => self.prefix(out),
            Kind::ServerKey => self.server_key(out),
            Kind::Remote => self.remote(out),
            Kind::SourceV4 | Kind::SourceV6 => self.source(kind == Kind::SourceV6, out),
            Kind::QuerySourceV4 | Kind::QuerySourceV6 => self.query_source(kind == Kind::QuerySourceV6, out),
            _ => {
                let token = self.next()?;
                let value = self.single(kind, &token)?;
                self.push(out, value);
                Ok(())
            }
        }
    }

    fn single(&mut self, kind: Kind, token: &Token<'a>) -> Result<Value<'a>, Stop> {
        match kind {
            Kind::Quoted | Kind::Attached => match token {
                Token::Quoted(text, _) => Ok(Value::Text(text)),
                Token::Unclosed => Err(self.unclosed()),
                _ => Err(self.fail_near("expected quoted string", token)),
            },
            Kind::Host if !is_text(token) => Err(self.fail_near("expected IP address or hostname", token)),
            Kind::String | Kind::Bare | Kind::Secret | Kind::Host => match token {
                Token::Quoted(text, _) | Token::Word(text) => Ok(Value::Text(text)),
                Token::Unclosed => Err(self.unclosed()),
                _ => Err(self.fail_near("expected string", token)),
            },
            Kind::Integer => self.integer(token),
            Kind::Boolean => self.read(token, "boolean expected", |word| value::boolean(word).map(Value::Boolean)),
            Kind::Duration if matches!(token, Token::Word(word) if value::is_endless(word)) => {
                Err(self.fail_near("duration or TTL out of range", token))
            }
            Kind::Duration => self.read(token, "expected ISO 8601 duration or TTL value", |word| {
                value::duration(word).map(Value::Seconds)
            }),
            Kind::Size => {
                self.read(token, "expected integer and optional unit", |word| value::size(word).map(Value::Bytes))
            }
            Kind::SizeOrPercentage => self.read(token, "expected integer and optional unit or percent", |word| {
                value::percent(word).map(Value::Percent).or_else(|| value::size(word).map(Value::Bytes))
            }),
            Kind::Percentage => {
                self.read(token, "expected percentage", |word| value::percent(word).map(Value::Percent))
            }
            Kind::Fixed => self
                .read(token, "expected fixed point number", |word| word.parse::<f64>().ok().map(|_| Value::Text(word))),
            _ => self.address_or_port(kind, token),
        }
    }

    fn address_or_port(&mut self, kind: Kind, token: &Token<'a>) -> Result<Value<'a>, Stop> {
        match kind {
            Kind::PortOrAny if is_any(token) => Ok(Value::Word("*")),
            Kind::PortOrAny => self.port_number(token).map(Value::Number),
            Kind::AddressOrAny if is_any(token) => Ok(Value::Word("*")),
            Kind::AddressOrAny => {
                self.read(token, "expected IP address or '*'", |word| value::address(word).map(Value::Address))
            }
            _ => self.read(token, "expected IP address", |word| value::address(word).map(Value::Address)),
        }
    }

    /// Turns a word into a value, or says what was expected.
    fn read(
        &mut self,
        token: &Token<'a>,
        expected: &str,
        read: impl Fn(&'a str) -> Option<Value<'a>>,
    ) -> Result<Value<'a>, Stop> {
        let value = match token {
            Token::Word(word) => read(word),
            _ => None,
        };
        value.ok_or_else(|| self.fail_near(expected, token))
    }

    fn integer(&mut self, token: &Token<'a>) -> Result<Value<'a>, Stop> {
        match token {
            Token::Word(word) => match value::integer(word) {
                Some(Some(number)) => Ok(Value::Number(number)),
                Some(None) => Err(self.fail("out of range ".to_owned())),
                None => Err(self.fail_near("expected number", token)),
            },
            _ => Err(self.fail_near("expected number", token)),
        }
    }

    /// `1024` or `range 1024 2048`.
    fn port_range(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        match &token {
            Token::Word(word) if value::integer(word).is_some() => {
                let port = self.port(&token)?;
                self.push(out, Value::Number(port));
                return Ok(());
            }
            Token::Word(word) if word.eq_ignore_ascii_case("range") => self.push(out, Value::Word("range")),
            _ => return Err(self.fail_near("expected integer or 'range'", &token)),
        }
        let (low, high) = (self.port_of_range(out)?, self.port_of_range(out)?);
        match low <= high {
            true => Ok(()),
            false => Err(self.fail(format!("low port '{low}' must not be larger than high port '{high}'"))),
        }
    }

    fn port_of_range(&mut self, out: &mut Vec<Item<'a>>) -> Result<u32, Stop> {
        let token = self.next()?;
        let port = self.port(&token)?;
        self.push(out, Value::Number(port));
        Ok(port)
    }

    fn port(&mut self, token: &Token<'a>) -> Result<u32, Stop> {
        match self.integer(token)? {
            Value::Number(port) if port <= u32::from(u16::MAX) => Ok(port),
            _ => Err(self.fail_near("invalid port", token)),
        }
    }

    /// One element: `!`, a nested list, a key, a prefix, or the name of an acl.
    fn address_match(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
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
                if !is_text(self.peek()?) {
                    let token = self.next()?;
                    return Err(self.fail_near("expected unquoted string", &token));
                }
                self.words(out)
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

    /// An address with or without `/length`; IPv4 may leave out octets where a length follows.
    fn prefix(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
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

    /// `key` or `{ key; }`.
    fn server_key(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        if *self.peek()? != Token::Special(b'{') {
            return self.value(Kind::String, out);
        }
        self.next()?;
        self.value(Kind::String, out)?;
        if *self.peek()? == Token::Special(b';') {
            self.next()?;
        }
        self.special(b'}')
    }

    /// An address with or without a port, or the name of a list.
    fn remote(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let address = match &token {
            Token::Word(word) | Token::Quoted(word, _) => value::address(word),
            _ => None,
        };
        let Some(address) = address else {
            if !is_text(&token) {
                return Err(self.fail_near("expected IP address or remote servers list name", &token));
            }
            let value = self.single(Kind::String, &token)?;
            self.push(out, value);
            return Ok(());
        };
        self.push(out, Value::Address(address));
        while let Some(port) = self.trailing()? {
            if let Some(port) = port {
                self.push(out, Value::Word("port"));
                self.push(out, Value::Number(port));
            }
        }
        Ok(())
    }

    /// `port N` (inner value) or the forgotten `dscp N` (none) behind an address. None: neither.
    fn trailing(&mut self) -> Result<Option<Option<u32>>, Stop> {
        let is_port = match self.peek()? {
            Token::Word(word) if word.eq_ignore_ascii_case("port") => true,
            Token::Word(word) if word.eq_ignore_ascii_case("dscp") => false,
            _ => return Ok(None),
        };
        self.next()?;
        if !is_port {
            self.warn("'dscp' is obsolete and should be removed".to_owned());
        }
        let token = self.next()?;
        match (self.port_number(&token)?, is_port) {
            (port, true) => Ok(Some(Some(port))),
            (_, false) => Ok(Some(None)),
        }
    }

    fn port_number(&mut self, token: &Token<'a>) -> Result<u32, Stop> {
        match token {
            _ if is_any(token) => Ok(0),
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
    fn source(&mut self, v6: bool, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        let address = self.own_address(v6, &token)?;
        let (place, raw, mut port) = (self.lexer.place(), self.raw, 0);
        loop {
            if matches!(self.peek()?, Token::Word(word) if word.eq_ignore_ascii_case("port")) {
                self.warn("token 'port' is deprecated".to_owned());
            }
            match self.trailing()? {
                Some(Some(number)) => port = number as u16,
                Some(None) => {}
                None => break,
            }
        }
        out.push(Item { place, raw, value: Value::Source(SocketAddr::new(address, port)) });
        Ok(())
    }

    fn own_address(&mut self, v6: bool, token: &Token<'a>) -> Result<IpAddr, Stop> {
        let any = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let read = match token {
            _ if is_any(token) => Some(any),
            Token::Word(word) => value::address(word),
            _ => None,
        };
        let expected = if v6 { "expected IPv6 address or '*'" } else { "expected IPv4 address or '*'" };
        read.filter(|address| address.is_ipv6() == v6).ok_or_else(|| self.fail_near(expected, token))
    }

    /// `ADDRESS [ port N ]`, or `address ADDRESS` and `port N` in any order.
    fn query_source(&mut self, v6: bool, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = *self.peek()?;
        match token {
            Token::Word(word) if ["address", "port", "dscp"].iter().any(|name| name.eq_ignore_ascii_case(word)) => {}
            Token::Word(word) if word.eq_ignore_ascii_case("none") && self.dialect() != Dialect::Bind918 => {
                return self.words(out);
            }
            Token::Word(_) => return self.source(v6, out),
            _ => {}
        }
        let any = if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let (mut raw, mut addresses, mut ports) = ("", Vec::new(), Vec::new());
        while let Token::Word(word) = *self.peek()? {
            if word.eq_ignore_ascii_case("address") {
                self.next()?;
                raw = first(raw, word);
                addresses.push(self.query_address(v6)?);
            } else {
                self.query_port(&mut ports)?;
                raw = first(raw, word);
            }
        }
        if addresses.len() > 1 || ports.len() > 1 || addresses.is_empty() && ports.is_empty() {
            return Err(self.fail("expected one address and/or port".to_owned()));
        }
        let source = SocketAddr::new(addresses.pop().unwrap_or(any), ports.pop().unwrap_or(0));
        out.push(Item { place: self.lexer.place(), raw, value: Value::Source(source) });
        Ok(())
    }

    fn query_address(&mut self, v6: bool) -> Result<IpAddr, Stop> {
        let token = self.next()?;
        self.own_address(v6, &token).map_err(|_| self.fail_near("invalid query source", &token))
    }

    fn query_port(&mut self, ports: &mut Vec<u16>) -> Result<(), Stop> {
        match *self.peek()? {
            Token::Word(word) if word.eq_ignore_ascii_case("port") => {
                self.next()?;
                self.warn("token 'port' is deprecated".to_owned());
            }
            Token::Word(word) if word.eq_ignore_ascii_case("dscp") => {
                return self.trailing().map(drop);
            }
            token => return Err(self.fail_near("expected 'address' or 'port'", &token)),
        }
        let token = self.next()?;
        let port = self.port_number(&token).map_err(|_| self.fail_near("invalid query source", &token))?;
        ports.push(port as u16);
        Ok(())
    }

    /// Words and strings up to the semicolon.
    fn words(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        while is_text(self.peek()?) {
            self.value(Kind::String, out)?;
        }
        Ok(())
    }

    /// Anything between balanced braces; it is kept as it is.
    fn text(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        self.special(b'{')?;
        let (place, text) = (self.lexer.place(), self.lexer.rest());
        let mut braces = 1u32;
        while braces > 0 {
            match self.next()? {
                Token::Special(b'{') => braces += 1,
                Token::Special(b'}') => braces -= 1,
                Token::End => return Err(self.fail_near("'}' expected", &Token::End)),
                Token::Unclosed => return Err(self.unclosed()),
                _ => {}
            }
        }
        let length = text.len().saturating_sub(self.lexer.rest().len() + 1);
        let raw = text.get(..length).unwrap_or_default();
        out.push(Item { place, raw, value: Value::Text(raw) });
        Ok(())
    }
}

/// The first of two words that is there.
fn first<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

fn is_any(token: &Token<'_>) -> bool {
    matches!(token, Token::Word(word) if *word == "*")
}
