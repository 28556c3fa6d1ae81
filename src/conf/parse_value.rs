//! The values of statements: one arm for each kind that the grammar knows.

use super::lexer::Token;
use super::parse::{Parser, Stop, is_text};
use super::parse_address::written_address;
use super::table::Kind;
use super::tree::{Item, Value};
use super::value::{self, UNLIMITED};

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
            Kind::Host => self.host(out),
            Kind::Forwarder => self.forwarder(out),
            Kind::AddressOrAny => self.own(out),
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

    pub(super) fn single(&mut self, kind: Kind, token: &Token<'a>) -> Result<Value<'a>, Stop> {
        match kind {
            Kind::Quoted | Kind::Attached => match token {
                Token::Quoted(text, _) => Ok(Value::Text(text)),
                Token::Unclosed => Err(self.unclosed()),
                _ => Err(self.fail_near("expected quoted string", token)),
            },
            Kind::Host if !is_text(token) => Err(self.fail_near("expected IP address or hostname", token)),
            Kind::Bare => self.read(token, "expected unquoted string", |word| Some(Value::Text(word))),
            Kind::String | Kind::Secret | Kind::Host => match token {
                Token::Quoted(text, _) | Token::Word(text) => Ok(Value::Text(text)),
                Token::Unclosed => Err(self.unclosed()),
                _ => Err(self.fail_near("expected string", token)),
            },
            Kind::Integer => self.number(token).map(Value::Number),
            Kind::Boolean => self.read(token, "boolean expected", |word| value::boolean(word).map(Value::Boolean)),
            Kind::Lifetime => match token {
                Token::Word(UNLIMITED) => Ok(Value::Word(UNLIMITED)),
                Token::Word(_) => self.single(Kind::Duration, token),
                _ => Err(self.fail_near("expected ISO 8601 duration, TTL value, or unlimited", token)),
            },
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
            _ => self.address(kind, token),
        }
    }

    fn address(&mut self, kind: Kind, token: &Token<'a>) -> Result<Value<'a>, Stop> {
        let expected = match kind {
            Kind::AddressOrAny if is_any(token) => return Ok(Value::Word("*")),
            Kind::AddressOrAny => "expected IP address or '*'",
            Kind::AddressV6 => "expected IPv6 address",
            _ => "expected IP address",
        };
        let read = written_address(token).filter(|read| kind != Kind::AddressV6 || read.is_ipv6());
        read.map(Value::Address).ok_or_else(|| self.no_address(expected, token))
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

    pub(super) fn number(&mut self, token: &Token<'a>) -> Result<u32, Stop> {
        match token {
            Token::Word(word) => match value::integer(word) {
                Some(Some(number)) => Ok(number),
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
        match self.number(token)? {
            port if port <= u32::from(u16::MAX) => Ok(port),
            _ => Err(self.fail_near("invalid port", token)),
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

    /// Words and strings up to the semicolon.
    pub(super) fn words(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        while is_text(self.peek()?) {
            self.value(Kind::String, out)?;
        }
        Ok(())
    }

    /// Anything between balanced braces; it is kept as it is.
    fn text(&mut self, out: &mut Vec<Item<'a>>) -> Result<(), Stop> {
        let token = self.next()?;
        if token != Token::Special(b'{') {
            return Err(self.fail_near("expected bracketed text", &token));
        }
        let place = self.lexer.place();
        let text = self.lexer.braced().map_err(|error| self.unreadable(error))?;
        out.push(Item { place, raw: text, value: Value::Text(text) });
        Ok(())
    }
}

/// Whether a token is the word for any address or port.
pub(super) fn is_any(token: &Token<'_>) -> bool {
    matches!(token, Token::Word(word) if *word == "*")
}
