//! The beginnings of log lines that others parse: named's wording of clients, zones and transfers.
//!
//! Each type displays as the text that stands before the message, its colon and blank included. BIND semantics 9.8,
//! 9.13.

use std::fmt;
use std::net::SocketAddr;

use crate::dns::{Class, NameRef};

/// `IP#port`.
#[derive(Debug, Clone, Copy)]
pub struct Socket(pub SocketAddr);

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.0.ip(), self.0.port())
    }
}

/// `client @0x... IP#port/key k (name): view v: `.
#[derive(Clone, Copy)]
pub struct ClientPrefix<'a> {
    /// Tells clients apart; named prints an address in memory, parsers skip it.
    pub id: usize,
    /// Who asks.
    pub peer: SocketAddr,
    /// The key that signed the request.
    pub key: Option<NameRef<'a>>,
    /// QNAME, once it is known.
    pub qname: Option<NameRef<'a>>,
    /// The view, unless it is the only one.
    pub view: Option<&'a str>,
}

impl fmt::Display for ClientPrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client @{:#x} {}", self.id, Socket(self.peer))?;
        if let Some(key) = self.key {
            write!(f, "/key {}", relative(key))?;
        }
        if let Some(qname) = self.qname {
            write!(f, " ({})", relative(qname))?;
        }
        if let Some(view) = self.view.filter(|view| !is_implied(view)) {
            write!(f, ": view {view}")?;
        }
        f.write_str(": ")
    }
}

/// `z/IN` or `z/IN/view`, as it stands in both prefixes below and within messages.
#[derive(Clone, Copy)]
pub struct ZoneText<'a> {
    /// The apex.
    pub apex: NameRef<'a>,
    /// The class.
    pub class: Class,
    /// The view's name; not printed where it is the one that nobody declared.
    pub view: &'a str,
}

impl fmt::Display for ZoneText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", relative(self.apex), self.class)?;
        if is_implied(self.view) { Ok(()) } else { write!(f, "/{}", self.view) }
    }
}

/// `zone z/IN: `.
#[derive(Clone, Copy)]
pub struct ZonePrefix<'a>(pub ZoneText<'a>);

impl fmt::Display for ZonePrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zone {}: ", self.0)
    }
}

/// `transfer of 'z/IN' from IP#port: `.
#[derive(Clone, Copy)]
pub struct TransferPrefix<'a>(pub ZoneText<'a>, pub SocketAddr);

impl fmt::Display for TransferPrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "transfer of '{}' from {}: ", self.0, Socket(self.1))
    }
}

/// A name without its last dot, as log lines have it; the root keeps it.
pub fn relative(name: NameRef<'_>) -> String {
    let text = name.to_string();
    if name.is_root() { text } else { text.trim_end_matches('.').to_owned() }
}

/// Whether nobody declared the view of this name.
pub fn is_implied(view: &str) -> bool {
    view == "_default" || view == "_bind"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    #[test]
    fn prefixes_read_as_named_s_do() {
        let apex: Name = "example.com.".parse().unwrap();
        let key: Name = "k.".parse().unwrap();
        let peer = "192.0.2.1:53".parse().unwrap();
        let zone = |view| ZoneText { apex: apex.as_ref(), class: Class::IN, view };
        assert_eq!(ZonePrefix(zone("_default")).to_string(), "zone example.com/IN: ");
        let transfer = TransferPrefix(zone("inside"), peer).to_string();
        assert_eq!(transfer, "transfer of 'example.com/IN/inside' from 192.0.2.1#53: ");
        let (key, qname) = (Some(key.as_ref()), Some(apex.as_ref()));
        let client = ClientPrefix { id: 0x7f00, peer, key, qname, view: Some("inside") };
        assert_eq!(client.to_string(), "client @0x7f00 192.0.2.1#53/key k (example.com): view inside: ");
    }
}
