//! Address match lists, compiled: who may ask, transfer, notify, or is served by a view.
//!
//! In goes a list of [`Entry`] in the order of the configuration, out comes an [`Acl`] that says yes or no to a
//! [`Peer`]. The first element that matches decides. A nested list counts as one element that matches only where the
//! list says yes: what is denied inside is merely "no match" outside, so `!{ !10/8; any; }; key k;` means "from 10/8
//! and signed" (BIND semantics 1.30 to 1.39). Elements that name this host's own addresses are filled in when the list
//! is compiled.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::dns::{Name, NameRef};

/// One element of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// `!`: a match means no.
    pub negated: bool,
    /// What is matched.
    pub element: Element,
}

/// What an element matches.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// Everybody.
    Any,
    /// This host's addresses.
    Localhost,
    /// The networks that this host is attached to.
    Localnets,
    /// A prefix, or an address as a prefix of full length.
    Prefix(IpNet),
    /// Requests whose TSIG was verified with the key of this name.
    Key(Name),
    /// A list within the list.
    List(Vec<Entry>),
}

/// What `localhost` and `localnets` stand for at the moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct HostAddresses<'a> {
    /// This host's addresses, each as a prefix of full length.
    pub localhost: &'a [IpNet],
    /// Their networks.
    pub localnets: &'a [IpNet],
}

/// Who sent a request, as far as lists care.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    /// Its address.
    pub address: IpAddr,
    /// The key whose MAC on the request was verified.
    pub key: Option<NameRef<'a>>,
}

/// A compiled list.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Acl {
    /// Everybody is allowed.
    Any,
    /// Nobody is.
    #[default]
    Nobody,
    /// As the rules say.
    Rules(Box<[Rule]>),
}

/// One compiled element.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    negated: bool,
    matcher: Matcher,
}

#[derive(Debug, Clone, PartialEq)]
enum Matcher {
    Any,
    /// The address masked, and the mask.
    V4(u32, u32),
    V6(u128, u128),
    Key(Name),
    List(Box<[Rule]>),
}

impl Acl {
    /// Compiles a list.
    pub fn compile(entries: &[Entry], host: HostAddresses<'_>) -> Self {
        let rules = compile(entries, host);
        match rules.first() {
            None => Self::Nobody,
            Some(Rule { negated, matcher: Matcher::Any }) => {
                if *negated {
                    Self::Nobody
                } else {
                    Self::Any
                }
            }
            Some(_) => Self::Rules(rules),
        }
    }

    /// Whether the list says yes to this peer.
    #[inline]
    pub fn allows(&self, peer: Peer<'_>) -> bool {
        match self {
            Self::Any => true,
            Self::Nobody => false,
            Self::Rules(rules) => decide(rules, peer),
        }
    }

    /// Whether the list names keys, so that the same address may be told yes or no.
    pub fn has_keys(&self) -> bool {
        match self {
            Self::Any | Self::Nobody => false,
            Self::Rules(rules) => rules.iter().any(Rule::has_keys),
        }
    }
}

/// What the first rule that matches says; no when none does.
fn decide(rules: &[Rule], peer: Peer<'_>) -> bool {
    rules.iter().find(|rule| rule.matches(peer)).is_some_and(|rule| !rule.negated)
}

impl Rule {
    fn matches(&self, peer: Peer<'_>) -> bool {
        match (&self.matcher, peer.address) {
            (Matcher::Any, _) => true,
            (Matcher::V4(network, mask), IpAddr::V4(address)) => u32::from(address) & mask == *network,
            (Matcher::V6(network, mask), IpAddr::V6(address)) => u128::from(address) & mask == *network,
            (Matcher::Key(name), _) => peer.key == Some(name.as_ref()),
            (Matcher::List(rules), _) => decide(rules, peer),
            (Matcher::V4(..) | Matcher::V6(..), _) => false,
        }
    }

    fn has_keys(&self) -> bool {
        match &self.matcher {
            Matcher::Key(_) => true,
            Matcher::List(rules) => rules.iter().any(Self::has_keys),
            _ => false,
        }
    }
}

fn compile(entries: &[Entry], host: HostAddresses<'_>) -> Box<[Rule]> {
    let mut rules = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut push = |matcher| rules.push(Rule { negated: entry.negated, matcher });
        match &entry.element {
            Element::Any => push(Matcher::Any),
            Element::Localhost => host.localhost.iter().map(prefix).for_each(push),
            Element::Localnets => host.localnets.iter().map(prefix).for_each(push),
            Element::Prefix(network) => push(prefix(network)),
            Element::Key(name) => push(Matcher::Key(name.clone())),
            Element::List(inner) => push(Matcher::List(compile(inner, host))),
        }
    }
    rules.into()
}

fn prefix(network: &IpNet) -> Matcher {
    match network {
        IpNet::V4(v4) => Matcher::V4(u32::from(v4.network()), u32::from(v4.netmask())),
        IpNet::V6(v6) => Matcher::V6(u128::from(v6.network()), u128::from(v6.netmask())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `!10.0.0.0/8; key k; { any; }` and the like.
    fn entries(text: &str) -> Vec<Entry> {
        let mut stack = vec![(Vec::new(), false)];
        for word in text.split_whitespace() {
            let (negated, word) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
            let element = match word.trim_end_matches(';') {
                "{" => {
                    stack.push((Vec::new(), negated));
                    continue;
                }
                "}" => {
                    let (inner, negated) = stack.pop().unwrap();
                    stack.last_mut().unwrap().0.push(Entry { negated, element: Element::List(inner) });
                    continue;
                }
                "any" => Element::Any,
                "localhost" => Element::Localhost,
                "localnets" => Element::Localnets,
                word => match word.strip_prefix("key:") {
                    Some(name) => Element::Key(name.parse().unwrap()),
                    None => Element::Prefix(word.parse().unwrap()),
                },
            };
            stack.last_mut().unwrap().0.push(Entry { negated, element });
        }
        stack.pop().unwrap().0
    }

    fn allows(list: &str, address: &str, key: Option<&str>) -> bool {
        let localhost = ["127.0.0.1/32".parse().unwrap()];
        let localnets = ["192.0.2.0/24".parse().unwrap()];
        let host = HostAddresses { localhost: &localhost, localnets: &localnets };
        let key: Option<Name> = key.map(|name| name.parse().unwrap());
        let peer = Peer { address: address.parse().unwrap(), key: key.as_ref().map(Name::as_ref) };
        Acl::compile(&entries(list), host).allows(peer)
    }

    #[test]
    fn the_first_match_decides() {
        assert!(allows("10.1.0.0/16; !10.0.0.0/8; any;", "10.1.2.3", None));
        assert!(!allows("10.1.0.0/16; !10.0.0.0/8; any;", "10.2.2.3", None));
        assert!(allows("10.1.0.0/16; !10.0.0.0/8; any;", "11.2.2.3", None));
        assert!(allows("any; !10.0.0.0/8;", "10.0.0.1", None));
    }

    #[test]
    fn no_match_and_an_empty_list_are_no() {
        assert!(!allows("", "10.0.0.1", None));
        assert!(!allows("2001:db8::/32;", "10.0.0.1", None));
        assert!(allows("2001:db8::/32;", "2001:db8:1::1", None));
        assert!(!allows("!any;", "10.0.0.1", None));
    }

    #[test]
    fn keys_match_in_any_case_and_only_when_verified() {
        assert!(allows("key:transfer.", "10.0.0.1", Some("TRANSFER.")));
        assert!(!allows("key:transfer.", "10.0.0.1", Some("other.")));
        assert!(!allows("key:transfer.", "10.0.0.1", None));
    }

    #[test]
    fn the_address_and_key_idiom_needs_both() {
        let list = "!{ !10.0.0.0/8; any; }; key:k.;";
        assert!(allows(list, "10.0.0.1", Some("k.")));
        assert!(!allows(list, "10.0.0.1", None));
        assert!(!allows(list, "192.0.2.1", Some("k.")));
    }

    #[test]
    fn a_denial_inside_a_negated_list_allows_nobody() {
        assert!(!allows("!{ !10.0.0.0/8; };", "10.0.0.1", None));
        assert!(!allows("{ !10.0.0.0/8; any; };", "10.0.0.1", None));
        assert!(allows("{ !10.0.0.0/8; any; };", "11.0.0.1", None));
    }

    #[test]
    fn localhost_and_localnets_are_those_of_the_host() {
        assert!(allows("localhost;", "127.0.0.1", None));
        assert!(!allows("localhost;", "127.0.0.2", None));
        assert!(allows("localnets;", "192.0.2.77", None));
        assert!(!allows("!localnets; any;", "192.0.2.77", None));
    }

    #[test]
    fn any_and_none_are_recognised() {
        let host = HostAddresses::default();
        assert_eq!(Acl::compile(&entries("any; 10.0.0.0/8;"), host), Acl::Any);
        assert_eq!(Acl::compile(&entries("!any;"), host), Acl::Nobody);
        assert_eq!(Acl::compile(&[], host), Acl::Nobody);
        assert!(Acl::compile(&entries("{ key:k.; };"), host).has_keys());
    }
}
